package fanout

import (
	"context"
	"fmt"
	"io"
	"sync"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// AheadError says that a cursor names an event that the run does not have.
type AheadError struct {
	Run contracts.RunID
	// Last is the run's last event.
	Last contracts.Seq
}

// Error implements error.
func (e *AheadError) Error() string {
	return fmt.Sprintf("fanout: run %s ends at %d, before the cursor", e.Run, e.Last)
}

// Cursor is one viewer's place in a run. It is for one goroutine, but for Close.
type Cursor struct {
	hub    *Hub
	run    contracts.RunID
	window *window
	bell   chan struct{} // capacity 1: it says that there is something, not what
	close  sync.Once

	after contracts.Seq
	// caughtUp says that the journal ended at after at some time since this cursor rings. What is stored later is
	// published later, so the bell suffices.
	caughtUp bool
	ended    bool
}

// Next returns the frames that follow the cursor, at least one and at most a bounded number, and moves the
// cursor behind them. It blocks while there are none. It returns io.EOF once the run's last event was
// returned, an *AheadError where the cursor lies behind the run's end, the context's error when it ends, and
// the journal's errors (journal.ErrNotFound, ErrPruned, *DamagedError) as they are; frames that came with an
// error are still good.
func (c *Cursor) Next(ctx context.Context) ([]Frame, error) {
	for {
		frames, err := c.Poll(ctx)
		if err != nil || len(frames) > 0 {
			return frames, err
		}
		select {
		case <-c.bell:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Poll is Next without the wait: no frames and no error where there is nothing new yet.
func (c *Cursor) Poll(ctx context.Context) ([]Frame, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.ended {
		return nil, io.EOF
	}
	o := c.hub.options
	frames, at := c.window.take(c.after, o.BatchFrames, o.BatchBytes)
	switch at {
	case inside:
		c.move(frames)
		return frames, nil
	case done:
		c.ended = true
		return nil, io.EOF
	case atEnd:
		return nil, nil
	case beyond:
		if c.caughtUp {
			return nil, nil
		}
	case behind:
	}
	return c.read(ctx)
}

// read returns the next page of the journal. No lock is held meanwhile: what is published at the same time
// waits in the window, and the bell with it.
func (c *Cursor) read(ctx context.Context) ([]Frame, error) {
	page, err := c.hub.journal.Read(ctx, c.run, c.after, c.hub.options.BatchFrames, c.hub.options.BatchBytes)
	frames := encode(page.Events)
	c.move(frames)
	switch {
	case err != nil:
		return frames, err
	case c.after > page.Last:
		return nil, &AheadError{Run: c.run, Last: page.Last}
	}
	c.caughtUp = c.after == page.Last
	c.ended = c.caughtUp && page.State.Terminal()
	if c.ended && len(frames) == 0 {
		return nil, io.EOF
	}
	return frames, nil
}

// move puts the cursor behind frames that it returns.
func (c *Cursor) move(frames []Frame) {
	if len(frames) > 0 {
		c.after = frames[len(frames)-1].Seq
	}
}

func encode(events []journal.Event) []Frame {
	frames := make([]Frame, len(events))
	for i, ev := range events {
		frames[i] = newFrame(ev.Seq, ev.JSON)
	}
	return frames
}

// Close ends the viewer; the run's window goes with its last one. Close may be called more than once.
func (c *Cursor) Close() {
	c.close.Do(func() { c.hub.leave(c) })
}
