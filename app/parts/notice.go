package parts

import (
	"errors"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// Notice fills a place that has nothing else to show: one sentence and one action.
type Notice struct {
	app.Compo

	// Tone is empty, loading or error.
	Tone Tone
	// Text is the sentence.
	Text string
	// Detail is a second, quieter line.
	Detail string
	// Action is what the reader can do; Href is where it leads, or OnAction is called.
	Action   string
	Href     string
	OnAction func(app.Context)
}

// Tone is the kind of a Notice.
type Tone string

// The tones.
const (
	ToneEmpty   Tone = "empty"
	ToneLoading Tone = "loading"
	ToneError   Tone = "error"
)

// Render implements app.Composer.
func (n *Notice) Render() app.UI {
	role := "status"
	if n.Tone == ToneError {
		role = "alert"
	}
	return app.Div().Class("notice", "notice-"+string(n.Tone)).Role(role).Body(
		app.P().Class("notice-text").Text(n.Text),
		app.If(n.Detail != "", func() app.UI { return app.P().Class("notice-detail").Text(n.Detail) }),
		app.If(n.Action != "" && n.Href != "", func() app.UI {
			return app.A().Class("button").Href(n.Href).Text(n.Action)
		}).ElseIf(n.Action != "", func() app.UI {
			return app.Button().Class("button").Type("button").Text(n.Action).OnClick(n.act)
		}),
	)
}

func (n *Notice) act(ctx app.Context, _ app.Event) {
	if n.OnAction != nil {
		n.OnAction(ctx)
	}
}

// Trouble says what is wrong in a sentence and, where there is more to say, a second one.
func Trouble(err error) (sentence, detail string) {
	if p, ok := errors.AsType[*contracts.Problem](err); ok {
		return p.Title, p.Detail
	}
	return "The server cannot be reached", ""
}
