package fanout

import (
	"sync"

	"axiom25/contracts"
)

// window is the shared tail of one run: the newest frames, and the bells of those who follow. Frames and bells
// have a lock each, so that a viewer that was woken does not wait until the last bell has been rung.
type window struct {
	maxFrames, maxBytes int

	frameLock sync.RWMutex
	frames    []Frame // consecutive; empty until something was published
	bytes     int
	end       contracts.Seq // the last published seq; 0 while none was
	final     bool          // nothing follows end

	bellLock sync.Mutex
	viewers  map[*Cursor]struct{}
}

func newWindow(o Options) *window {
	return &window{maxFrames: o.WindowFrames, maxBytes: o.WindowBytes, viewers: make(map[*Cursor]struct{})}
}

// publish takes stored events into the window and rings every bell.
func (w *window) publish(first contracts.Seq, events [][]byte, final bool) {
	frames := make([]Frame, len(events))
	for i, event := range events {
		frames[i] = newFrame(first+contracts.Seq(i), event)
	}
	w.push(frames, final)

	w.bellLock.Lock()
	defer w.bellLock.Unlock()
	for c := range w.viewers {
		select {
		case c.bell <- struct{}{}:
		default: // it rings already
		}
	}
}

// push appends frames and lets the oldest fall out. The window stays consecutive whatever comes: frames that it
// has are skipped, and behind a gap it begins anew, so that viewers fetch what is missing from the journal.
func (w *window) push(frames []Frame, final bool) {
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
	w.final = w.final || final

	w.drop(max(0, len(w.frames)-w.maxFrames))
	for w.bytes > w.maxBytes {
		w.drop(1)
	}
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
	atEnd                  // everything published was seen
	beyond                 // more than what was published was seen, or nothing was published yet
	done                   // the run's last event was seen
)

// take returns copies of the frames that follow a cursor, as many as bounds allow.
func (w *window) take(after contracts.Seq, maxFrames, maxBytes int) ([]Frame, position) {
	w.frameLock.RLock()
	defer w.frameLock.RUnlock()

	switch {
	case w.final && after == w.end:
		return nil, done
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
	return append([]Frame(nil), rest[:n]...), inside
}
