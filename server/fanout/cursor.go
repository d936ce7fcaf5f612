package fanout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"axiom25/contracts"
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

// Cursor is one viewer's place in a run. It is for one goroutine, but for After and Close.
type Cursor struct {
	hub    *Hub
	run    contracts.RunID
	window *window
	bell   *Bell
	close  sync.Once

	after atomic.Int64
	// sound says that after came from the hub, not from whoever made the cursor.
	sound bool
	// caughtUp says that the journal ended at after at some time since this cursor rings. What is stored later is
	// published later, so the bell suffices.
	caughtUp bool
	ended    bool
	drained  bool // what was returned last was all there was
	replayed int64
}

// After is the last event that was returned, or the cursor that the viewer began with.
func (c *Cursor) After() contracts.Seq { return contracts.Seq(c.after.Load()) }

// Replayed is how many bytes this cursor has returned from the journal rather than from the window.
func (c *Cursor) Replayed() int64 { return c.replayed }

// Drained reports whether the last poll returned events behind which there was nothing yet: the bell rings for what came
// since, so that there is no need to poll before it does.
func (c *Cursor) Drained() bool { return c.drained }

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
		if err := c.bell.Wait(ctx); err != nil {
			return nil, err
		}
	}
}

// Poll is Next without the wait: no frames and no error where there is nothing new yet.
func (c *Cursor) Poll(ctx context.Context) ([]Frame, error) {
	frames, page, err := c.poll(ctx, nil)
	if page != nil {
		frames = page.frames()
	}
	return frames, err
}

// PollSSE is Poll for who sends all frames on, one behind the other. buffer may be used to put them together; what is
// returned is shared in any case and must not be changed.
func (c *Cursor) PollSSE(ctx context.Context, buffer *bytes.Buffer) ([]byte, error) {
	var few [1]Frame // a viewer that keeps up takes one at a time
	frames, page, err := c.poll(ctx, few[:0])
	switch {
	case page != nil:
		return page.wire, err
	case len(frames) == 1:
		return frames[0].SSE, err
	}
	for _, f := range frames {
		buffer.Write(f.SSE)
	}
	return buffer.Bytes(), err
}

// poll returns what follows the cursor: frames of the window, behind those of into, or a page of the journal, which has one
// event at least.
func (c *Cursor) poll(ctx context.Context, into []Frame) ([]Frame, *pageRead, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if err := c.hub.watch(ctx, c.window); err != nil {
		return nil, nil, err
	}
	c.drained = false
	o := c.hub.options
	for !c.ended {
		frames, at := c.window.take(into, c.After(), o.BatchFrames, o.BatchBytes)
		switch at {
		case inside, toEnd:
			c.drained = at == toEnd
			c.move(frames[len(frames)-1].Seq)
			return frames, nil, nil
		case done:
			c.ended = true
			continue
		case atEnd:
			return nil, nil, nil
		case beyond:
			if c.caughtUp {
				return nil, nil, nil
			}
		case behind:
		}
		page, again, err := c.read(ctx)
		if err != nil || page != nil || !again {
			return nil, page, err
		}
	}
	return nil, nil, io.EOF
}

// read returns the next page of the journal, or nil where it has none; again says that the window has to be looked at once
// more. No lock is held meanwhile: what is published at the same time waits in the window, and the bell with it.
func (c *Cursor) read(ctx context.Context) (read *pageRead, again bool, err error) {
	after := c.After()
	page, own, err := c.window.page(ctx, c.hub, after)
	switch {
	case err != nil:
		return nil, false, err
	case !own && (errors.Is(page.err, context.Canceled) || errors.Is(page.err, context.DeadlineExceeded)):
		return nil, true, ctx.Err() // whoever read has gone, this viewer may not have
	}
	if n := len(page.events); n > 0 {
		read = page
		c.move(page.events[n-1].Seq)
		c.replayed += int64(len(page.wire))
		c.hub.replayed.Add(int64(len(page.wire)))
	}
	switch {
	case page.err != nil:
		return read, false, page.err
	case after > page.last && !c.sound:
		return nil, false, &AheadError{Run: c.run, Last: page.last}
	}
	c.sound = true
	c.caughtUp = c.After() >= page.last
	c.ended = c.After() == page.last && page.state.Terminal()
	return read, !own || c.ended, nil
}

// move puts the cursor behind what it returns.
func (c *Cursor) move(last contracts.Seq) {
	c.after.Store(int64(last))
	c.sound = true
}

// Close ends the viewer; the run's window goes with its last one. Close may be called more than once.
func (c *Cursor) Close() {
	c.close.Do(func() { c.hub.leave(c) })
}
