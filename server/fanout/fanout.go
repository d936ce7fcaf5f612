// Package fanout wakes the viewers of a run and shares the tail of its journal between them.
//
// A viewer is a cursor, never a queue: it reads what lies behind its cursor from the run's window where that
// still holds it, and from the journal in bounded pages where it does not. A window is a bounded ring of
// encoded frames; it exists only while its run has viewers. Publish never blocks, whatever viewers do.
package fanout

import (
	"context"
	"errors"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Frame is one event, encoded once for all viewers.
type Frame struct {
	Seq contracts.Seq
	// JSON is the event as the journal holds it.
	JSON []byte
	// SSE is the event as a frame of a text/event-stream (WHATWG HTML, section 9.2): an id line, a data line
	// with JSON, and an empty line.
	SSE []byte
}

// Hub wakes viewers. Its methods may be called from any number of goroutines.
type Hub struct{}

// New returns a hub over a journal.
func New(r journal.Reader) *Hub { return &Hub{} }

// Publish tells the viewers of a run that events were stored: first is the seq of events[0]. It must be called
// after they are durable, in the order of seq for each run. final says that the last of them is done.
func (h *Hub) Publish(run contracts.RunID, first contracts.Seq, events [][]byte, final bool) {}

// Follow returns a viewer of a run that has seen everything up to after. It must be closed.
func (h *Hub) Follow(run contracts.RunID, after contracts.Seq) *Cursor { return &Cursor{} }

// Cursor is one viewer's place in a run. It is for one goroutine.
type Cursor struct{}

// Next returns the frames that follow the cursor, at least one and at most a bounded number, and moves the
// cursor behind them. It blocks while there are none. It returns io.EOF once the run's last event was
// returned, the context's error when it ends, and the journal's errors (journal.ErrNotFound, ErrPruned,
// *DamagedError) as they are; frames that came with an error are still good.
func (c *Cursor) Next(ctx context.Context) ([]Frame, error) { return nil, errors.ErrUnsupported }

// Poll is Next without the wait: no frames and no error where there is nothing new yet.
func (c *Cursor) Poll(ctx context.Context) ([]Frame, error) { return nil, errors.ErrUnsupported }

// Close ends the viewer; the run's window goes with its last one.
func (c *Cursor) Close() {}
