package natsjournal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
)

// history is what the writer of a run was told, kept apart from the journal: each event has a name of its own, so that
// what was lost, repeated, put elsewhere or never written shows.
type history struct {
	run contracts.RunID
	// acked are the names of the events that were acknowledged, in order: that of seq n at n-1.
	acked []string
	// made counts the attempts; unknown those whose outcome nobody knew at first, settled those of them that turned out
	// to be stored.
	made, unknown, settled int
}

// write appends batches to a run of its own until stop is closed, and settles the last.
func (h *history) write(t *testing.T, j journal.Journal, random *rand.Rand, stop <-chan struct{}) {
	t.Helper()
	for {
		select {
		case <-stop:
			return
		default:
		}
		size := 1 + random.IntN(20)
		h.made++
		names := make([]string, size)
		for i := range names {
			names[i] = fmt.Sprintf(`{"run":%q,"attempt":%d,"event":%d}`, h.run, h.made, i)
		}
		if !h.append(t, j, names) {
			return
		}
	}
}

// append appends events, again and again until it is known that they are stored.
func (h *history) append(t *testing.T, j journal.Journal, names []string) bool {
	t.Helper()
	after := contracts.Seq(len(h.acked))
	batch := journaltest.NewBatch(h.run, after, len(names))
	for i, name := range names {
		batch.Events[i] = []byte(name)
	}
	inDoubt := false
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
		err := j.Append(ctx, h.run, batch)
		cancel()
		var conflict *journal.ConflictError
		switch {
		case err == nil:
			h.acked = append(h.acked, names...)
			return true
		case errors.Is(err, journal.ErrBusy):
			time.Sleep(10 * time.Millisecond)
		case errors.Is(err, journal.ErrUnknown):
			h.unknown++
			inDoubt = true
		case errors.As(err, &conflict) && inDoubt:
			// Its own events: nobody else writes to this run. The check of the whole history looks at them.
			if want := after + contracts.Seq(len(names)); conflict.Last != want {
				t.Errorf("%s ends at %d where its writer expects %d", h.run, conflict.Last, want)
				return false
			}
			h.settled++
			h.acked = append(h.acked, names...)
			return true
		default:
			t.Errorf("append to %s after %d: %v", h.run, after, err)
			return false
		}
	}
}

// check holds the run, as a journal reads it, against what its writer was told.
func (h *history) check(t *testing.T, who string, j journal.Journal) {
	t.Helper()
	var read []string
	for {
		page, err := j.Read(t.Context(), h.run, contracts.Seq(len(read)), 100, 1<<20)
		if err != nil {
			t.Errorf("%s reads %s after %d: %v", who, h.run, len(read), err)
			return
		}
		if len(page.Events) == 0 {
			break
		}
		read = appendEvents(t, read, page.Events)
	}
	h.compare(t, who, read)
}

// compare holds what somebody saw of the run against what its writer was told.
func (h *history) compare(t *testing.T, who string, seen []string) {
	t.Helper()
	for i := range min(len(seen), len(h.acked)) {
		if seen[i] != h.acked[i] {
			t.Errorf("%s sees %s as event %d of %s, acknowledged was %s", who, seen[i], i+1, h.run, h.acked[i])
			return
		}
	}
	if len(seen) != len(h.acked) {
		t.Errorf("%s sees %d events of %s, acknowledged were %d", who, len(seen), h.run, len(h.acked))
	}
}

// appendEvents adds events to those seen, which they must follow without a gap.
func appendEvents(t *testing.T, seen []string, events []journal.Event) []string {
	t.Helper()
	for _, e := range events {
		if int(e.Seq) != len(seen)+1 {
			t.Errorf("event %d follows %d", e.Seq, len(seen))
		}
		seen = append(seen, string(e.JSON))
	}
	return seen
}

// viewer follows a run as a server does for its viewers: it is told of changes, and reads what it has not seen.
type viewer struct {
	bell chan struct{}

	mu    sync.Mutex
	seen  []string
	calls int
}

// follow reads the run whenever the watcher rings, until stop is closed.
func (v *viewer) follow(t *testing.T, j journal.Live, run contracts.RunID, stop <-chan struct{}) {
	t.Helper()
	v.bell = make(chan struct{}, 1)
	end, err := j.WatchRun(t.Context(), run, func(journal.Change) {
		select {
		case v.bell <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Errorf("watch %s: %v", run, err)
		return
	}
	defer end()
	for {
		select {
		case <-stop:
			return
		case <-v.bell:
		}
		v.catchUp(t, j, run)
	}
}

// catchUp reads what the viewer has not seen. A cluster without a leader is tried again.
func (v *viewer) catchUp(t *testing.T, j journal.Live, run contracts.RunID) {
	t.Helper()
	for {
		page, err := j.Read(context.Background(), run, contracts.Seq(v.count()), 50, 1<<20)
		switch {
		case errors.Is(err, journal.ErrBusy):
			continue
		case err != nil:
			t.Errorf("viewer reads %s: %v", run, err)
			return
		case len(page.Events) == 0:
			return
		}
		v.mu.Lock()
		v.seen = appendEvents(t, v.seen, page.Events)
		v.calls++
		v.mu.Unlock()
	}
}

// count returns how many events the viewer has seen.
func (v *viewer) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.seen)
}
