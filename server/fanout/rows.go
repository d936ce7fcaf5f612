package fanout

import (
	"container/list"
	"context"
	"fmt"
	"sync"

	"axiom25/contracts"
)

// rows is the shared tail of the list of runs: the newest row of each run that changed lately, oldest change first. A run
// that changes again moves to the end, so that however busy the runs are, there is one row each to catch up with. It is
// filled only while somebody follows the list.
type rows struct {
	limit int

	mu      sync.Mutex
	changes *list.List // of *change, in the order of version
	byRun   map[contracts.RunID]*list.Element
	version uint64 // of the newest change
	lost    uint64 // the newest change that has fallen out
	viewers int
	waiting map[*RowCursor]struct{} // those to ring at the next change

	watchLock sync.Mutex
	watchers  int
	stop      func() // ends the watch of a live journal; nil while there is none
}

// change is one run's row as of a version.
type change struct {
	row Row
	// version is when the row changed, moved when its state did or when the run was new here.
	version, moved uint64
}

// Row is a run's row in lists. It is shared and must not be changed.
type Row struct {
	Summary contracts.Summary
	// Moved says that the run's state may be another than when the cursor last looked.
	Moved bool

	encoded *encodedRow
}

// encodedRow is a row's bytes, made when the first viewer wants them.
type encodedRow struct {
	once sync.Once
	json []byte
	err  error
}

// JSON returns the row encoded, once for all viewers. The bytes are shared and must not be changed.
func (r Row) JSON() ([]byte, error) {
	r.encoded.once.Do(func() { r.encoded.json, r.encoded.err = contracts.Encode(r.Summary) })
	return r.encoded.json, r.encoded.err
}

func newRows(limit int) *rows {
	return &rows{
		limit: limit, changes: list.New(), byRun: make(map[contracts.RunID]*list.Element), waiting: make(map[*RowCursor]struct{}),
	}
}

// PublishRow tells those who follow the list of runs that a run's row has changed, or is new. It must be called after the
// row is durable; a row that is older than the last one told of its run is ignored. It does not block.
func (h *Hub) PublishRow(s contracts.Summary) { h.rows.publish(s) }

func (r *rows) publish(s contracts.Summary) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.viewers == 0 {
		return
	}
	next := &change{row: Row{Summary: s, encoded: new(encodedRow)}, version: r.version + 1, moved: r.version + 1}
	if e, ok := r.byRun[s.RunID]; ok {
		last := changeOf(e)
		if !newer(s, last.row.Summary) {
			return
		}
		if s.State == last.row.Summary.State {
			next.moved = last.moved
		}
		r.changes.Remove(e)
	}
	r.version++
	r.byRun[s.RunID] = r.changes.PushBack(next)
	if r.changes.Len() > r.limit {
		oldest := r.changes.Front()
		r.lost = changeOf(oldest).version
		delete(r.byRun, changeOf(oldest).row.Summary.RunID)
		r.changes.Remove(oldest)
	}
	for c := range r.waiting {
		c.bell.Ring()
	}
	clear(r.waiting)
}

// newer reports whether a row is news to whoever has another one of the same run. Pruning and leases change a row without
// an event.
func newer(s, than contracts.Summary) bool {
	if s.LastSeq != than.LastSeq {
		return s.LastSeq > than.LastSeq
	}
	return s.Pruned != than.Pruned || s.Lease != than.Lease
}

func changeOf(e *list.Element) *change {
	c, _ := e.Value.(*change) // nothing else is in the list
	return c
}

// watched counts those who follow the list.
func (r *rows) watched() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.viewers
}

// RowCursor is one viewer's place among the changes of the list of runs. It is for one goroutine, but for Close.
type RowCursor struct {
	hub   *Hub
	bell  *Bell
	seen  uint64
	base  uint64 // what was seen when nothing was left: a run may have moved behind seen since
	close sync.Once
}

// FollowRows returns a viewer of the list who is told of every change from here on: rows that are read from the journal
// afterwards are not newer than what he will be told. It must be closed. Errors: those of journal.Live.WatchRuns.
func (h *Hub) FollowRows(ctx context.Context, bell *Bell) (*RowCursor, error) {
	r := h.rows
	r.mu.Lock()
	r.viewers++
	c := &RowCursor{hub: h, bell: bell, seen: r.version, base: r.version}
	r.mu.Unlock()

	r.watchLock.Lock()
	defer r.watchLock.Unlock()
	r.watchers++
	if h.live != nil && r.stop == nil {
		stop, err := h.live.WatchRuns(context.WithoutCancel(ctx), r.publish)
		if err != nil {
			r.watchers--
			r.leave(c)
			return nil, fmt.Errorf("watch the list of runs: %w", err)
		}
		r.stop = stop
	}
	return c, nil
}

// Take returns up to limit rows that have changed since the last Take, each run once, the oldest change first, and
// whether that is all. fell says that changes were missed: the viewer has to read the list anew, and goes on behind it.
// Where there are no rows, the bell is rung at the next change.
func (c *RowCursor) Take(limit int) (changed []Row, all, fell bool) {
	r := c.hub.rows
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.seen < r.lost {
		c.seen, c.base = r.version, r.version
		return nil, false, true
	}
	first := r.changes.Back()
	for e := first; e != nil && changeOf(e).version > c.seen; e = e.Prev() {
		first = e
	}
	for e := first; e != nil && len(changed) < limit; e = e.Next() {
		if ch := changeOf(e); ch.version > c.seen {
			row := ch.row
			row.Moved = ch.moved > c.base
			changed = append(changed, row)
		}
	}
	if len(changed) == 0 {
		r.waiting[c] = struct{}{}
		return nil, true, false
	}
	c.seen = changeOf(r.byRun[changed[len(changed)-1].Summary.RunID]).version
	all = c.seen == r.version
	if all {
		c.base = c.seen
	}
	return changed, all, false
}

// Close ends the viewer. Close may be called more than once.
func (c *RowCursor) Close() {
	c.close.Do(func() {
		r := c.hub.rows
		r.leave(c)
		r.watchLock.Lock()
		defer r.watchLock.Unlock()
		r.watchers--
		if r.watchers == 0 && r.stop != nil {
			r.stop()
			r.stop = nil
		}
	})
}

// leave forgets a viewer, and the changes with the last one: nobody adds to them then.
func (r *rows) leave(c *RowCursor) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, c)
	r.viewers--
	if r.viewers == 0 {
		r.changes.Init()
		clear(r.byRun)
	}
}
