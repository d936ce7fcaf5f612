package store

import (
	"context"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/docs/handbook"
)

// KeyManual is the state under which the page of the reference finds its Manual.
const KeyManual = "manual"

// Manual is the reference as a page shows it. The zero value is being read.
type Manual struct {
	// Book is what it says; nil while it is read, and where it cannot be.
	Book *handbook.Book
	// Failed is why it cannot be read, or nil.
	Failed error
}

// bookAddress is the name under which the loader knows where the book is.
const bookAddress = "AXIOM25_REFERENCE"

// ReadManual reads the reference, once for as long as the console is open, and publishes it under KeyManual.
func ReadManual(ctx goapp.Context, client command.Client) {
	var known Manual
	if ctx.GetState(KeyManual, &known); known.Book != nil {
		return
	}
	ctx.SetState(KeyManual, Manual{})
	address := goapp.Getenv(bookAddress)
	ctx.Async(func() {
		book, err := client.Book(context.Background(), address)
		m := Manual{Book: book, Failed: err}
		if err != nil {
			m.Book = nil
		}
		ctx.Dispatch(func(ctx goapp.Context) { ctx.SetState(KeyManual, m) })
	})
}

// Trial is a request that the reader sends to see the answer.
type Trial struct {
	Response command.Response
	// Err says that no answer came.
	Err error
}

// Try sends a request and calls done with what came of it.
func Try(ctx goapp.Context, client command.Client, r command.Request, done func(goapp.Context, Trial)) {
	ctx.Async(func() {
		var t Trial
		t.Response, t.Err = client.Try(context.Background(), r)
		ctx.Dispatch(func(ctx goapp.Context) { done(ctx, t) })
	})
}

// RecentRuns reads the newest runs and calls done with them; with none where the server is away.
func RecentRuns(ctx goapp.Context, client command.Client, done func(goapp.Context, []RecentRun)) {
	ctx.Async(func() {
		list, _ := client.Runs(context.Background(), command.RunsQuery{Limit: 20}) // none can be picked where it cannot be read
		recent := make([]RecentRun, 0, len(list.Runs))
		for _, r := range list.Runs {
			recent = append(recent, RecentRun{ID: r.RunID.String(), Words: string(r.State) + " · " + r.Goal})
		}
		ctx.Dispatch(func(ctx goapp.Context) { done(ctx, recent) })
	})
}

// RecentRun is a run that can be picked.
type RecentRun struct {
	ID string
	// Words are its state and its goal.
	Words string
}
