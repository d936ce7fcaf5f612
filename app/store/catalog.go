package store

import (
	"context"
	"errors"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/document"
	"axiom25/contracts"
)

// KeyCatalog is the state under which the page of the catalogue finds its Catalog.
const KeyCatalog = "catalog"

// Catalog is the tools and the engines of the server as a page shows them. It is a value: a later state never changes an
// earlier one.
type Catalog struct {
	// Loaded says that the tools were read at least once, and ReadAt when they last were.
	Loaded bool
	ReadAt time.Time
	Tools  []ToolGroup
	// Problem is why they could not be read the last time, or nil.
	Problem error
	// EnginesLoaded says the same of the engines.
	EnginesLoaded  bool
	Engines        []contracts.Engine
	EnginesProblem error
	// Schema is the JSON Schema of a ToolSpec, with a description of each field; empty until it is known.
	Schema string
	// Sending names the command that is under way: save, delete or nothing.
	Sending string
	// Refused is why the last command was not carried out, or nil; Places are where in the text that was to be saved.
	Refused error
	Places  []Place
	// Stored is what was last saved, as the server has stored it, and Deleted what was last deleted; at most one of them is set.
	Stored  *contracts.ToolEntry
	Deleted contracts.ToolRef
}

// CatalogWatch keeps one page's catalogue.
type CatalogWatch struct {
	ctx     goapp.Context
	client  command.Client
	catalog Catalog
	reading bool
	again   bool // the catalogue was changed while it was read
	stops   []func()
	closed  bool
}

// WatchCatalog reads the catalogue, again whenever the page comes back into sight or the browser gets a network, and publishes it
// under KeyCatalog until Close. ctx is the page's.
func WatchCatalog(ctx goapp.Context, client command.Client) *CatalogWatch {
	w := &CatalogWatch{ctx: ctx, client: client}
	w.publish()
	w.Read()
	w.stops = []func(){
		Listen(ctx, goapp.Window().Get("document"), "visibilitychange", w.wake),
		Listen(ctx, goapp.Window(), "online", w.wake),
	}
	return w
}

// Close ends the watch, which then publishes nothing more.
func (w *CatalogWatch) Close() {
	w.closed = true
	for _, stop := range w.stops {
		stop()
	}
}

func (w *CatalogWatch) wake(ctx goapp.Context, _ goapp.Event) {
	ctx.PreventUpdate()
	if !w.closed && visible() {
		w.Read()
	}
}

func (w *CatalogWatch) publish() { w.ctx.SetState(KeyCatalog, w.catalog) }

// later does something on the goroutine that draws, unless the watch has ended.
func (w *CatalogWatch) later(do func()) {
	w.ctx.Dispatch(func(goapp.Context) {
		if !w.closed {
			do()
		}
	})
}

// Read reads the catalogue anew.
func (w *CatalogWatch) Read() {
	if w.reading {
		w.again = true
		return
	}
	w.reading = true
	schema := w.catalog.Schema
	w.ctx.Async(func() {
		tools, err := w.client.Tools(context.Background())
		engines, enginesErr := w.client.Engines(context.Background())
		if schema == "" {
			raw, _ := w.client.Read(context.Background(), contracts.SchemaPath(contracts.KindToolSpec)) // it only describes
			schema = string(raw)
		}
		w.later(func() {
			w.reading = false
			w.catalog.Schema = schema
			if w.again {
				w.again = false
				w.Read()
				return
			}
			c := &w.catalog
			if c.Problem = err; err == nil {
				c.Loaded, c.Tools, c.ReadAt = true, GroupTools(tools.Tools), time.Now() //nolint:forbidigo // the reader's own clock
			}
			if c.EnginesProblem = enginesErr; enginesErr == nil {
				c.EnginesLoaded, c.Engines = true, engines.Engines
			}
			w.publish()
		})
	})
}

// Save stores the text of a ToolSpec, and calls done where the server has. One command is under way at a time.
func (w *CatalogWatch) Save(text string, done func(ctx goapp.Context, stored *contracts.ToolEntry)) {
	name, _ := textAt(document.Read(text), "/name")
	if !w.send("save") {
		return
	}
	w.ctx.Async(func() {
		stored, err := w.client.PutTool(context.Background(), name, []byte(text))
		w.later(func() {
			w.answered(err)
			if problem, ok := errors.AsType[*contracts.Problem](err); ok {
				w.catalog.Places = placesOf(text, problem.Errors)
			}
			if err == nil {
				w.catalog.Stored = &stored
				done(w.ctx, &stored)
			}
			w.publish()
		})
	})
}

// Delete removes a version, or every version where the reference names none, and calls done where the server has.
func (w *CatalogWatch) Delete(ref contracts.ToolRef, done func(ctx goapp.Context)) {
	if !w.send("delete") {
		return
	}
	w.ctx.Async(func() {
		err := w.client.DeleteTool(context.Background(), ref)
		w.later(func() {
			w.answered(err)
			if err == nil {
				w.catalog.Deleted = ref
				done(w.ctx)
			}
			w.publish()
		})
	})
}

// Forget lets go of what came of the last command.
func (w *CatalogWatch) Forget() {
	c := &w.catalog
	if c.Refused == nil && c.Stored == nil && c.Deleted == "" {
		return
	}
	c.Refused, c.Places, c.Stored, c.Deleted = nil, nil, nil, ""
	w.publish()
}

// send reports whether a command may go, and says that it is under way.
func (w *CatalogWatch) send(what string) bool {
	if w.catalog.Sending != "" {
		return false
	}
	w.Forget()
	w.catalog.Sending = what
	w.publish()
	return true
}

// answered takes in what came of a command. What is in the catalogue now the server says, whatever it answered.
func (w *CatalogWatch) answered(err error) {
	w.catalog.Sending, w.catalog.Refused, w.catalog.Places = "", err, nil
	w.Read()
}
