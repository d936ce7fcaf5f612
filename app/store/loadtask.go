package store

import (
	"context"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/document"
	"axiom25/contracts"
)

// LoadTask reads what a run was asked and calls done with the text, a member on a line. Where it was sent with sensitive
// inputs their content is missing. ctx is the page's.
func LoadTask(ctx goapp.Context, client command.Client, id contracts.RunID, done func(ctx goapp.Context, text string, err error)) {
	ctx.Async(func() {
		raw, err := client.Read(context.Background(), contracts.LinksOf(id).Task)
		text := document.Indented(string(raw))
		ctx.Dispatch(func(ctx goapp.Context) { done(ctx, text, err) })
	})
}

// Refusal is a server's problem with a text as a judgement of it.
func Refusal(text string, problem *contracts.Problem) Judgement {
	return Judgement{Problem: problem, Places: placesOf(text, problem.Errors)}
}
