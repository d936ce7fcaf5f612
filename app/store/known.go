package store

import (
	"context"
	"encoding/json"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/shelf"
	"axiom25/contracts"
)

// KeyKnown is the state under which the page of a new run finds its Known.
const KeyKnown = "known"

// Known is what the server has for a task to choose from.
type Known struct {
	// Tools are the catalogue's, the highest version of each first.
	Tools []KnownTool
	// Engines are those that runs can be given to.
	Engines []contracts.Engine
	// Schema is the JSON Schema of a task, with a description of each field.
	Schema string
	// Old says that the server does not answer, and that these are the last that it told.
	Old bool
}

// KnownTool is a tool of the catalogue.
type KnownTool struct {
	// Spec is the part of its definition that is shown.
	Spec struct {
		Name        string           `json:"name"`
		Version     string           `json:"version"`
		Description string           `json:"description"`
		Effect      contracts.Effect `json:"effect"`
		Trust       contracts.Trust  `json:"trust"`
	} `json:"spec"`
	// Gate is what stands before a call of it.
	Gate contracts.Gate `json:"gate"`
}

// LearnWhatThereIs reads the tools, the engines and the schema of a task, and publishes them under KeyKnown: the last ones
// that were known at once, and then the server's. ctx is the page's.
func LearnWhatThereIs(ctx goapp.Context, client command.Client, s shelf.Shelf) {
	ctx.Async(func() {
		var known Known
		answers := func(answer func(path string) (json.RawMessage, error)) bool {
			ok := false
			for path, into := range map[string]any{
				"/tools":   &struct{ Tools *[]KnownTool }{&known.Tools},
				"/engines": &struct{ Engines *[]contracts.Engine }{&known.Engines},
			} {
				raw, err := answer(path)
				ok = err == nil && json.Unmarshal(raw, into) == nil || ok
			}
			if raw, err := answer(contracts.SchemaPath(contracts.KindTaskSpec)); err == nil {
				known.Schema = string(raw)
			}
			return ok
		}
		publish := func() {
			now := known
			ctx.Dispatch(func(ctx goapp.Context) { ctx.SetState(KeyKnown, now) })
		}
		background := context.Background()
		if answers(func(path string) (json.RawMessage, error) { return s.Get(background, shelf.Answers, path) }) {
			publish()
		}
		known.Old = !answers(func(path string) (json.RawMessage, error) {
			raw, err := client.Read(background, path)
			if err == nil {
				_ = shelf.Put(background, s, shelf.Answers, path, raw) // it is read anew the next time
			}
			return raw, err
		})
		publish()
	})
}
