package journaltest

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// RunLive holds journals that several processes write to against the contract of journal.Live. newStores opens a store of
// its own twice, as two processes would; the suite closes both.
func RunLive(t *testing.T, newStores func(t *testing.T) (here, there journal.Live)) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, here, there journal.Live){
		"a run that is watched tells of every append":    watchRun,
		"a watch begins with what was appended before":   watchBegins,
		"a watch that was stopped tells of nothing":      watchStops,
		"the list is told of runs and of their changes":  watchRuns,
		"the catalogue is told of":                       watchTools,
		"what one process appended the other reads":      readAcross,
		"a lease that one process holds the other fails": leaseAcross,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here, there := newStores(t)
			t.Cleanup(func() {
				for _, j := range []journal.Live{here, there} {
					if err := j.Close(); err != nil {
						t.Errorf("close: %v", err)
					}
				}
			})
			test(t, here, there)
		})
	}
}

// heard collects what a watch tells of, and fails the test where two calls overlap or one comes after the end.
type heard[T any] struct {
	t *testing.T

	calls   atomic.Int32 // under way
	mu      sync.Mutex
	all     []T
	stopped bool
	rung    chan struct{} // capacity 1
}

func newHeard[T any](t *testing.T) *heard[T] {
	t.Helper()
	return &heard[T]{t: t, rung: make(chan struct{}, 1)}
}

// hear is what the watch calls.
func (h *heard[T]) hear(told T) {
	if h.calls.Add(1) > 1 {
		h.t.Error("two calls of a watch overlap")
	}
	defer h.calls.Add(-1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		h.t.Error("a watch that was stopped goes on")
	}
	h.all = append(h.all, told)
	select {
	case h.rung <- struct{}{}:
	default:
	}
}

// stop ends the watch.
func (h *heard[T]) stop(stop func()) {
	stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
}

// await returns when something that was told fits.
func (h *heard[T]) await(what string, fits func(T) bool) {
	h.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		h.mu.Lock()
		found := slices.ContainsFunc(h.all, fits)
		h.mu.Unlock()
		if found {
			return
		}
		select {
		case <-h.rung:
		case <-timeout.C:
			h.t.Fatalf("nothing was told of %s", what)
		}
	}
}

// reaches returns whether a change tells of at least an end.
func reaches(last contracts.Seq) func(journal.Change) bool {
	return func(c journal.Change) bool { return c.Last >= last }
}

// newLiveRun creates run i with one event.
func newLiveRun(t *testing.T, j journal.Journal, i int) contracts.RunID {
	t.Helper()
	run := NewRun(i)
	if err := j.Create(t.Context(), run, NewBatch(run.ID, 0, 1)); err != nil {
		t.Fatalf("create run %d: %v", i, err)
	}
	return run.ID
}

func appendLive(t *testing.T, j journal.Journal, id contracts.RunID, after contracts.Seq) {
	t.Helper()
	if err := j.Append(t.Context(), id, NewBatch(id, after, 1)); err != nil {
		t.Fatalf("append to %s after %d: %v", id, after, err)
	}
}

func watchRun(t *testing.T, here, there journal.Live) {
	t.Helper()
	id := newLiveRun(t, there, 1)
	other := newLiveRun(t, there, 2)
	h := newHeard[journal.Change](t)
	stop, err := here.WatchRun(t.Context(), id, h.hear)
	if err != nil {
		t.Fatal(err)
	}
	for last := contracts.Seq(1); last < 20; last += 2 {
		appendLive(t, there, id, last)
		appendLive(t, here, id, last+1) // of this process too
		appendLive(t, there, other, last/2+1)
	}
	h.await("the last append", reaches(21))
	h.stop(stop)
	for _, c := range h.all {
		if c.Run != id {
			t.Fatalf("a watch of %s tells of %s", id, c.Run)
		}
		if c.Last > 21 {
			t.Errorf("a change goes to %d, the run to 21", c.Last)
		}
		wantCarried(t, id, c)
	}
}

// wantCarried fails the test unless what a change carries is what was appended.
func wantCarried(t *testing.T, id contracts.RunID, c journal.Change) {
	t.Helper()
	for i, event := range c.Events {
		seq := c.First + contracts.Seq(i)
		if seq > c.Last || string(event) != string(eventJSON(id, seq)) {
			t.Fatalf("a change to %d carries event %d as %s", c.Last, seq, event)
		}
	}
}

func watchBegins(t *testing.T, here, there journal.Live) {
	t.Helper()
	id := newLiveRun(t, there, 1)
	appendLive(t, there, id, 1)
	h := newHeard[journal.Change](t)
	stop, err := here.WatchRun(t.Context(), id, h.hear)
	if err != nil {
		t.Fatal(err)
	}
	defer h.stop(stop)
	h.await("what was appended before", func(journal.Change) bool { return true })
}

func watchStops(t *testing.T, here, there journal.Live) {
	t.Helper()
	id := newLiveRun(t, there, 1)
	h := newHeard[journal.Change](t)
	stop, err := here.WatchRun(t.Context(), id, h.hear)
	if err != nil {
		t.Fatal(err)
	}
	h.stop(stop)
	for last := contracts.Seq(1); last < 10; last++ {
		appendLive(t, there, id, last)
	}
	second := newHeard[journal.Change](t)
	stop, err = here.WatchRun(t.Context(), id, second.hear)
	if err != nil {
		t.Fatal(err)
	}
	appendLive(t, there, id, 10)
	second.await("an append after the next watch", reaches(11))
	second.stop(stop)
}

func watchRuns(t *testing.T, here, there journal.Live) {
	t.Helper()
	h := newHeard[contracts.Summary](t)
	stop, err := here.WatchRuns(t.Context(), h.hear)
	if err != nil {
		t.Fatal(err)
	}
	defer h.stop(stop)
	for i, j := range []journal.Live{here, there} {
		id := newLiveRun(t, j, i)
		h.await("a new run", func(s contracts.Summary) bool { return s.RunID == id })
		end := NewBatch(id, 1, 1)
		end.Summary.State = contracts.StateSucceeded
		if err := j.Append(t.Context(), id, end); err != nil {
			t.Fatal(err)
		}
		h.await("the end of a run", func(s contracts.Summary) bool {
			return s.RunID == id && s.State == contracts.StateSucceeded && s.LastSeq == 2
		})
	}
}

func watchTools(t *testing.T, here, there journal.Live) {
	t.Helper()
	h := newHeard[struct{}](t)
	stop, err := here.WatchTools(t.Context(), func() { h.hear(struct{}{}) })
	if err != nil {
		t.Fatal(err)
	}
	defer h.stop(stop)
	if err := there.PutTool(t.Context(), tool("a", "1.0.0", "x")); err != nil {
		t.Fatal(err)
	}
	awaitTools(t, here, h, 1)
	if err := there.DeleteTool(t.Context(), "a", ""); err != nil {
		t.Fatal(err)
	}
	awaitTools(t, here, h, 0)
}

// awaitTools returns when a call of the watch was followed by a catalogue of n versions.
func awaitTools(t *testing.T, j journal.Reader, h *heard[struct{}], n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		select {
		case <-h.rung:
		case <-ctx.Done():
			t.Fatalf("nothing was told of a catalogue of %d", n)
		}
		tools, err := j.Tools(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(tools) == n {
			return
		}
	}
}

func readAcross(t *testing.T, here, there journal.Live) {
	t.Helper()
	id := newLiveRun(t, here, 1)
	for last := contracts.Seq(1); last < 40; last++ {
		from, to := here, there
		if last%2 == 0 {
			from, to = there, here
		}
		appendLive(t, from, id, last)
		page, err := to.Read(t.Context(), id, last, 10, 1<<20)
		if err != nil || page.Last != last+1 || len(page.Events) != 1 {
			t.Fatalf("the other process reads %d events after %d up to %d, %v", len(page.Events), last, page.Last, err)
		}
		wantConflict(t, to.Append(t.Context(), id, NewBatch(id, last, 1)), id, last+1)
	}
}

func leaseAcross(t *testing.T, here, there journal.Live) {
	t.Helper()
	id := newLiveRun(t, here, 1)
	s, other := &suite{t: t, Journal: here}, &suite{t: t, Journal: there}
	old := s.take(t, id, "node:a", time.Second)
	other.wantLeaseOf(t, id, old)
	s.appendUnder(t, old, 1)
	other.awaitNoLease(t, id)
	fresh := other.take(t, id, "node:b", long)
	if fresh.Epoch <= old.Epoch {
		t.Errorf("epoch %d follows %d", fresh.Epoch, old.Epoch)
	}
	other.appendUnder(t, fresh, 2)
	late := NewBatch(id, 3, 1)
	late.Epoch = old.Epoch
	wantError(t, here.Append(t.Context(), id, late), journal.ErrLeaseLost)
	other.wantHistory(t, id, 3)
}
