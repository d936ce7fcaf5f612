package store

import (
	"context"
	"crypto/rand"
	"errors"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/contracts"
)

// KeyCreation is the state under which the page of a new run finds its Creation.
const KeyCreation = "creation"

// Creation is the start of a run as a page shows it.
type Creation struct {
	// Sending says that the task is under way to the server.
	Sending bool
	// Refused is why the server did not start it, or nil; Places are where in the text.
	Refused error
	Places  []Place
	// Created is the run that was started; empty before.
	Created contracts.RunID
}

// Create posts a task and publishes under KeyCreation how it goes. ctx is the page's.
func Create(ctx goapp.Context, client command.Client, task string) {
	ctx.SetState(KeyCreation, Creation{Sending: true})
	key := rand.Text()
	ctx.Async(func() {
		created, err := client.Create(context.Background(), []byte(task), key)
		ctx.Dispatch(func(ctx goapp.Context) { ctx.SetState(KeyCreation, creationOf(task, created, err)) })
	})
}

// ForgetCreation makes a page begin anew.
func ForgetCreation(ctx goapp.Context) { ctx.SetState(KeyCreation, Creation{}) }

func creationOf(task string, created contracts.Created, err error) Creation {
	c := Creation{Refused: err, Created: created.RunID}
	if problem, ok := errors.AsType[*contracts.Problem](err); ok {
		c.Places = placesOf(task, problem.Errors)
	}
	return c
}
