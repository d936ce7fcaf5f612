package store

import (
	"context"
	"time"

	"axiom25/app/command"
	"axiom25/contracts"
)

// Retry connects at once where the feed waits to.
func (w *RunWatch) Retry() { w.feed.Retry() }

// Cancel asks the server to end the run.
func (w *RunWatch) Cancel() {
	w.send("cancel", func(ctx context.Context) error { return w.client.Cancel(ctx, w.run.ID) })
}

// Decide answers a call that waits for a human.
func (w *RunWatch) Decide(id contracts.ApprovalID, d contracts.ApprovalDecision) {
	w.send(id.String(), func(ctx context.Context) error { return w.client.Decide(ctx, w.run.ID, id, d) })
}

// send carries out one command at a time. What it changes comes back by the stream.
func (w *RunWatch) send(name string, do func(context.Context) error) {
	if w.run.Sending != "" {
		return
	}
	w.run.Sending, w.run.Sent, w.run.Refused = name, name, nil
	w.publish()
	w.try(do, 1)
}

// A command that the server was too busy for, and did not look at, is sent again: sendMost times in all, after the pause that
// the server asks for, or sendFirst doubled each time where it does not say.
const (
	sendMost  = 6
	sendFirst = time.Second
)

// try is one attempt of a command, from 1.
func (w *RunWatch) try(do func(context.Context) error, attempt int) {
	w.ctx.Async(func() {
		err := do(context.Background())
		w.later(func() {
			wait, busy := command.RetryAfter(err)
			if !busy || attempt == sendMost {
				w.run.Sending, w.run.Refused, w.run.AgainAt = "", err, time.Time{}
				w.publish()
				return
			}
			wait = max(wait, sendFirst<<(attempt-1))
			w.run.AgainAt = now().Std().Add(wait)
			w.publish()
			w.after(wait.Milliseconds(), func() { w.try(do, attempt+1) })
		})
	})
}
