package fanout

import (
	"context"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// pageRead is one reading of a page of the journal. Cursors that want the same page at the same time share it: viewers
// that come back together after a break would else read, encode and hold the same bytes once each.
type pageRead struct {
	done   chan struct{} // closed when what follows is there
	events []journal.Event
	wire   []byte // the events' frames, one behind the other
	last   contracts.Seq
	state  contracts.State
	err    error
}

// frames returns the frames one by one.
func (p *pageRead) frames() []Frame { return framesOf(p.events, p.wire) }

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
	h.readPage(ctx, w.run, after, read)
	w.pageLock.Lock()
	delete(w.pages, after)
	w.pageLock.Unlock()
	close(read.done)
	return read, true, nil
}

// readPage reads a page of the journal. It waits while Options.PageReaders others read.
func (h *Hub) readPage(ctx context.Context, run contracts.RunID, after contracts.Seq, read *pageRead) {
	select {
	case h.readers <- struct{}{}:
	case <-ctx.Done():
		read.err = ctx.Err()
		return
	}
	defer func() { <-h.readers }()
	page, err := h.journal.Read(ctx, run, after, h.options.BatchFrames, h.options.BatchBytes)
	read.events, read.last, read.state, read.err = page.Events, page.Last, page.State, err
	read.wire = encodeWire(page.Events, wireSize(page.Events))
}
