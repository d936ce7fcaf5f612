package fanout

import (
	"context"

	"axiom25/contracts"
)

// pageRead is one reading of a page of the journal. Cursors that want the same page at the same time share it: viewers
// that come back together after a break would else read, encode and hold the same bytes once each.
type pageRead struct {
	done   chan struct{} // closed when what follows is there
	frames []Frame
	last   contracts.Seq
	state  contracts.State
	err    error
}

// page returns the page behind a cursor, and whether this caller's own reading has brought it: another's may have begun
// before something that the caller was rung for.
func (w *window) page(ctx context.Context, h *Hub, after contracts.Seq) (read *pageRead, own bool, err error) {
	w.pageLock.Lock()
	read, ok := w.pages[after]
	if !ok {
		read = &pageRead{done: make(chan struct{})}
		w.pages[after] = read
	}
	w.pageLock.Unlock()
	if ok {
		select {
		case <-read.done:
			return read, false, nil
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
	read.frames, read.last, read.state, read.err = h.readPage(ctx, w.run, after)
	w.pageLock.Lock()
	delete(w.pages, after)
	w.pageLock.Unlock()
	close(read.done)
	return read, true, nil
}

// readPage reads a page of the journal. It waits while Options.PageReaders others read.
func (h *Hub) readPage(ctx context.Context, run contracts.RunID, after contracts.Seq) ([]Frame, contracts.Seq, contracts.State, error) {
	select {
	case h.readers <- struct{}{}:
	case <-ctx.Done():
		return nil, 0, "", ctx.Err()
	}
	defer func() { <-h.readers }()
	page, err := h.journal.Read(ctx, run, after, h.options.BatchFrames, h.options.BatchBytes)
	return encodePage(page.Events), page.Last, page.State, err
}
