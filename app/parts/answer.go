package parts

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// Answer shows the text of an answer as it grows.
type Answer struct {
	app.Compo

	// Text is what was said so far.
	Text string
	// Growing draws a caret behind the text.
	Growing bool
	// Refusal marks the text as the model's own refusal.
	Refusal bool
	// Heading tells answers apart, where there are several.
	Heading string
}

// Render implements app.Composer.
func (a *Answer) Render() app.UI {
	return app.Div().Class("answer").Body(
		app.If(a.Heading != "", func() app.UI { return app.H3().Class("answer-heading").Text(a.Heading) }),
		app.If(a.Refusal, func() app.UI { return app.P().Class("answer-note").Text("The model declined to answer.") }),
		&GrowingText{Class: "answer-text", Text: a.Text, Growing: a.Growing, Follow: true},
	)
}

// VerdictLine says in one line how an answer was judged, and leads to the checks.
type VerdictLine struct {
	app.Compo

	// Outcome gives the line its shape and colour; empty where nothing was judged yet.
	Outcome contracts.Outcome
	// Words say the judgement.
	Words string
	// Href is where the checks are.
	Href string
}

// Render implements app.Composer.
func (l *VerdictLine) Render() app.UI {
	return app.A().Class("answer-verdict", "outcome-"+string(l.Outcome)).Href(l.Href).Body(
		app.If(l.Outcome != "", func() app.UI { return outcomeShape(l.Outcome) }),
		app.Span().Text(l.Words),
	)
}
