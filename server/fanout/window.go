package fanout

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// window is the shared tail of one run: the newest frames, and the bells of those who follow. Frames and bells
// have a lock each, so that a viewer that was woken does not wait until the last bell has been rung.
type window struct {
	run                 contracts.RunID
	maxFrames, maxBytes int

	frameLock sync.RWMutex
	frames    []Frame // consecutive; empty until something was published
	bytes     int
	end       contracts.Seq // the last published seq; 0 while none was
	known     contracts.Seq // the run has events up to here at least, wherever they are
	finalAt   contracts.Seq // the run's last event; 0 while that is not known

	bellLock sync.Mutex
	viewers  map[*Cursor]struct{}

	watching  atomic.Bool
	watchLock sync.Mutex
	stop      func() // ends the watch of a live journal; nil while there is none
	left      bool   // the last viewer has gone: no watch begins any more

	pageLock sync.Mutex
	pages    map[contracts.Seq]*pageRead // by the cursor that they follow, while they are read
}

func newWindow(run contracts.RunID, o Options) *window {
	return &window{
		run: run, maxFrames: o.WindowFrames, maxBytes: o.WindowBytes,
		viewers: make(map[*Cursor]struct{}), pages: make(map[contracts.Seq]*pageRead),
	}
}

// watch has a live journal tell a window what other processes append. It is called before a cursor's first read, so that
// what is appended behind that read is told.
func (h *Hub) watch(ctx context.Context, w *window) error {
	if h.live == nil || w.watching.Load() {
		return nil
	}
	w.watchLock.Lock()
	defer w.watchLock.Unlock()
	if w.stop != nil || w.left {
		return nil
	}
	// The watch is the window's: it must not end with the viewer that happened to be the first.
	stop, err := h.live.WatchRun(context.WithoutCancel(ctx), w.run, w.changed)
	if err != nil {
		return fmt.Errorf("watch run %s: %w", w.run, err)
	}
	w.stop = stop
	w.watching.Store(true)
	return nil
}

// unwatch ends the watch. No other lock is held: it waits for a call of changed that runs.
func (w *window) unwatch() {
	w.watchLock.Lock()
	defer w.watchLock.Unlock()
	w.left = true
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

// changed takes in what another process has appended. Events may be missing, come twice or out of order: what the window
// has is skipped, and where something is missing, the cursors read the journal up to change.Last.
func (w *window) changed(change journal.Change) {
	finalAt := contracts.Seq(0)
	if change.State.Terminal() {
		finalAt = change.Last
	}
	w.publish(change.First, change.Events, change.Last, finalAt)
}

// publish takes stored events into the window, learns that the run has events up to last and, where finalAt is not 0,
// ends there, and rings every viewer for whom that is news.
func (w *window) publish(first contracts.Seq, events [][]byte, last, finalAt contracts.Seq) {
	if had := int(w.seen() - first + 1); had > 0 {
		skip := min(had, len(events))
		first, events = first+contracts.Seq(skip), events[skip:]
	}
	frames := make([]Frame, len(events))
	for i, event := range events {
		frames[i] = newFrame(first+contracts.Seq(i), event)
	}
	known := w.push(frames, last, finalAt)

	w.bellLock.Lock()
	defer w.bellLock.Unlock()
	for c := range w.viewers {
		if c.After() < known || finalAt != 0 {
			c.bell.Ring()
		}
	}
}

// seen is the last seq that was published.
func (w *window) seen() contracts.Seq {
	w.frameLock.RLock()
	defer w.frameLock.RUnlock()
	return w.end
}

// push appends frames, lets the oldest fall out and returns how far the run is known to go. The window stays consecutive
// whatever comes: frames that it has are skipped, and behind a gap it begins anew, so that viewers fetch what is missing
// from the journal.
func (w *window) push(frames []Frame, last, finalAt contracts.Seq) contracts.Seq {
	w.frameLock.Lock()
	defer w.frameLock.Unlock()

	for _, f := range frames {
		if w.end != 0 && f.Seq <= w.end {
			continue
		}
		if f.Seq != w.end+1 {
			w.drop(len(w.frames))
		}
		w.frames = append(w.frames, f)
		w.bytes += f.size()
		w.end = f.Seq
	}
	w.known = max(w.known, w.end, last)
	w.finalAt = max(w.finalAt, finalAt)

	w.drop(max(0, len(w.frames)-w.maxFrames))
	for w.bytes > w.maxBytes {
		w.drop(1)
	}
	return w.known
}

// drop forgets the n oldest frames, and lets go of their bytes at once rather than when the slice next grows.
func (w *window) drop(n int) {
	for _, f := range w.frames[:n] {
		w.bytes -= f.size()
	}
	clear(w.frames[:n])
	w.frames = w.frames[n:]
}

// position is where a cursor stands in relation to a window.
type position int

const (
	behind position = iota // what follows is in the journal only
	inside                 // what follows is in the window
	toEnd                  // what follows is in the window, and it is everything that is known of
	atEnd                  // everything that is known of was seen
	beyond                 // more than what was published was seen, or nothing was published yet
	done                   // the run's last event was seen
)

// take appends the frames that follow a cursor to into, as many as bounds allow.
func (w *window) take(into []Frame, after contracts.Seq, maxFrames, maxBytes int) ([]Frame, position) {
	w.frameLock.RLock()
	defer w.frameLock.RUnlock()

	switch {
	case w.finalAt != 0 && after == w.finalAt:
		return nil, done
	case after >= w.end && after < w.known:
		return nil, behind
	case w.end == 0 || after > w.end:
		return nil, beyond
	case after == w.end:
		return nil, atEnd
	case len(w.frames) == 0 || after+1 < w.frames[0].Seq:
		return nil, behind
	}
	rest := w.frames[after+1-w.frames[0].Seq:]
	n, size := 0, 0
	for n < len(rest) && n < maxFrames {
		size += len(rest[n].SSE)
		if n > 0 && size > maxBytes {
			break
		}
		n++
	}
	at := inside
	if n == len(rest) && w.known == w.end && w.finalAt == 0 {
		at = toEnd
	}
	return append(into, rest[:n]...), at
}

// lag is how many events a cursor has not seen.
func (w *window) lag(after contracts.Seq) contracts.Seq {
	w.frameLock.RLock()
	defer w.frameLock.RUnlock()
	return max(0, w.known-after)
}
