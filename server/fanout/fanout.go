// Package fanout wakes the viewers of a run and shares the tail of its journal between them.
//
// A viewer is a cursor, never a queue: it reads what lies behind its cursor from the run's window where that
// still holds it, and from the journal in bounded pages where it does not. A window is a bounded ring of
// encoded frames; it exists only while its run has viewers. Publish never blocks, whatever viewers do.
//
// What this gives: every viewer sees every event once and in order, from whichever cursor it starts; one that
// is slow or stands still costs a cursor and delays nobody. What is lost when the process ends is nothing but
// the windows, since only stored events are published.
//
// Over a journal that several processes write to (journal.Live), a window is told of their appends while it exists.
// Such news may be lost, doubled or out of order; cursors then read the journal, and what a viewer sees is the same.
package fanout

import (
	"sync"
	"sync/atomic"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Options bound what a Hub keeps and hands out. A field that is zero has its default.
type Options struct {
	// WindowFrames and WindowBytes bound a run's window: 1024 frames and 1 MiB. Both JSON and SSE count.
	WindowFrames, WindowBytes int
	// BatchFrames and BatchBytes bound what one Next returns, and so one page of the journal: 1024 frames and
	// 256 KiB, or one frame that is larger.
	BatchFrames, BatchBytes int
	// PageReaders is how many pages of the journal are read at once: 8. Others wait for their turn.
	PageReaders int
	// Rows bounds how many runs' changes are kept for those who follow the list: 4096.
	Rows int
}

func (o Options) withDefaults() Options {
	setDefault(&o.WindowFrames, 1024)
	setDefault(&o.WindowBytes, 1<<20)
	setDefault(&o.BatchFrames, 1024)
	setDefault(&o.BatchBytes, 256<<10)
	setDefault(&o.PageReaders, 8)
	setDefault(&o.Rows, 4096)
	return o
}

func setDefault(field *int, value int) {
	if *field == 0 {
		*field = value
	}
}

// Hub wakes viewers. Its methods may be called from any number of goroutines.
type Hub struct {
	journal journal.Reader
	live    journal.Live // nil where this process is the only writer
	options Options
	readers chan struct{} // holds one for each page that is being read
	rows    *rows

	published atomic.Int64
	replayed  atomic.Int64

	mu      sync.RWMutex
	windows map[contracts.RunID]*window
}

// New returns a hub over a journal, with the default Options.
func New(r journal.Reader) *Hub { return NewWith(r, Options{}) }

// NewWith returns a hub over a journal.
func NewWith(r journal.Reader, o Options) *Hub {
	o = o.withDefaults()
	live, _ := r.(journal.Live)
	return &Hub{
		journal: r, live: live, options: o, readers: make(chan struct{}, o.PageReaders), rows: newRows(o.Rows),
		windows: make(map[contracts.RunID]*window),
	}
}

// Publish tells the viewers of a run that events were stored: first is the seq of events[0]. It must be called
// after they are durable, in the order of seq for each run. final says that the last of them is done. The hub
// keeps the events' bytes: they must not be changed afterwards.
func (h *Hub) Publish(run contracts.RunID, first contracts.Seq, events [][]byte, final bool) {
	h.published.Add(int64(len(events)))

	h.mu.RLock()
	w := h.windows[run]
	h.mu.RUnlock()
	if w == nil {
		return
	}
	last := first + contracts.Seq(len(events)) - 1
	finalAt := contracts.Seq(0)
	if final {
		finalAt = last
	}
	w.publish(first, events, last, finalAt)
}

// Follow returns a viewer of a run that has seen everything up to after. It must be closed.
func (h *Hub) Follow(run contracts.RunID, after contracts.Seq) *Cursor {
	return h.FollowBy(NewBell(), run, after)
}

// FollowBy is Follow with a bell of the caller's, who may have several cursors wake him and ring it himself.
func (h *Hub) FollowBy(bell *Bell, run contracts.RunID, after contracts.Seq) *Cursor {
	c := &Cursor{hub: h, run: run, bell: bell}
	c.after.Store(int64(max(after, 0)))

	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.windows[run]
	if w == nil {
		w = newWindow(run, h.options)
		h.windows[run] = w
	}
	w.bellLock.Lock()
	defer w.bellLock.Unlock()
	w.viewers[c] = struct{}{}
	c.window = w
	return c
}

// leave takes a viewer off its window, and the window away with the last viewer.
func (h *Hub) leave(c *Cursor) {
	if h.remove(c) {
		c.window.unwatch()
	}
}

// remove is leave under the locks; it reports whether the window has gone.
func (h *Hub) remove(c *Cursor) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := c.window
	w.bellLock.Lock()
	defer w.bellLock.Unlock()
	delete(w.viewers, c)
	if len(w.viewers) > 0 {
		return false
	}
	if h.windows[c.run] == w {
		delete(h.windows, c.run)
	}
	return true
}

// Stats is what a hub does at the moment.
type Stats struct {
	// Runs counts the runs that are watched, Viewers those who watch, ListViewers those who follow the list of runs.
	Runs, Viewers, ListViewers int
	// Lag is how many events the viewer that is furthest behind has not taken yet, as far as the hub knows.
	Lag contracts.Seq
	// Published counts the events that were published since the hub was made, watched or not.
	Published int64
	// Replayed counts the bytes that viewers were given from the journal rather than from a window.
	Replayed int64
}

// Stats returns what the hub does at the moment.
func (h *Hub) Stats() Stats {
	h.mu.RLock()
	defer h.mu.RUnlock()
	s := Stats{
		Runs: len(h.windows), ListViewers: h.rows.watched(), Published: h.published.Load(), Replayed: h.replayed.Load(),
	}
	for _, w := range h.windows {
		w.bellLock.Lock()
		s.Viewers += len(w.viewers)
		for c := range w.viewers {
			s.Lag = max(s.Lag, w.lag(c.After()))
		}
		w.bellLock.Unlock()
	}
	return s
}
