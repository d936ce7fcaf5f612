// Package journaltest holds a journal against its contract: each sentence of package journal's comments that
// can be tested without the help of a broken disk has a test here, and every implementation passes them all.
//
// What needs an implementation's own means to provoke is tested beside it: a full queue, a full disk, a failed
// fsync, damage, and a second process.
package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Store opens one and the same store again and again. The suite closes a journal before it opens the next, and
// closes the last when the test ends.
type Store func(t *testing.T) journal.Journal

// Run holds the journals that newStore's stores open against the contract. Each test gets a store of its own.
func Run(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	for _, group := range []struct {
		name     string
		tests    map[string]func(s *suite)
		parallel bool
	}{
		{name: "Create", tests: createTests},
		{name: "Append", tests: appendTests},
		{name: "Read", tests: readTests},
		{name: "Origin", tests: originTests},
		{name: "Key", tests: keyTests},
		{name: "List", tests: listTests},
		{name: "Tools", tests: toolTests},
		{name: "Leases", tests: leaseTests, parallel: true},
		{name: "Retention", tests: retentionTests},
		{name: "Context", tests: contextTests},
		{name: "Concurrency", tests: concurrencyTests},
		{name: "Close", tests: closeTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, name := range slices.Sorted(maps.Keys(group.tests)) {
				t.Run(name, func(t *testing.T) {
					if group.parallel {
						t.Parallel()
					}
					s := &suite{t: t, open: newStore(t)}
					s.Journal = s.open(t)
					t.Cleanup(func() {
						if err := s.Close(); err != nil {
							t.Errorf("close: %v", err)
						}
					})
					group.tests[name](s)
				})
			}
		})
	}
}

// suite is what one test works on.
type suite struct {
	journal.Journal
	t    *testing.T
	open Store
}

// reopen closes the journal and opens its store again.
func (s *suite) reopen(t *testing.T) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	s.Journal = s.open(t)
}

// RunID returns the i-th of a series of ids, in ascending order.
func RunID(i int) contracts.RunID { return contracts.RunID(fmt.Sprintf("run_01%024d", i)) }

// NewRun returns a run to create.
func NewRun(i int) journal.Run {
	task := fmt.Appendf(nil, `{"schema_version":2,  "goal":"task %d"}`, i)
	return journal.Run{ID: RunID(i), Task: task, TaskDigest: contracts.DigestText(task)}
}

// NewBatch returns a batch of count events behind after, each of which says where it stands.
func NewBatch(id contracts.RunID, after contracts.Seq, count int) journal.Batch {
	b := journal.Batch{After: after, Summary: contracts.Summary{
		RunID: id, State: contracts.StateRunning, Goal: "count the planets", Backend: "local",
		CreatedAt: 1_700_000_000_000, UpdatedAt: 1_700_000_000_000 + contracts.Time(after),
		Used: contracts.Usage{TokensIn: int64(after)}, LastSeq: after + contracts.Seq(count),
	}}
	for i := range count {
		b.Events = append(b.Events, eventJSON(id, after+contracts.Seq(i)+1))
	}
	return b
}

// eventJSON returns the bytes of an event that names its own place.
func eventJSON(id contracts.RunID, seq contracts.Seq) []byte {
	return fmt.Appendf(nil, `{"run_id":%q,"seq":%d,"data":{"delta":"träge <b>&  "}}`, id, seq)
}

// create stores run i with count events.
func (s *suite) create(t *testing.T, i, count int) contracts.RunID {
	t.Helper()
	run := NewRun(i)
	if err := s.Create(t.Context(), run, NewBatch(run.ID, 0, count)); err != nil {
		t.Fatalf("create run %d: %v", i, err)
	}
	return run.ID
}

// extend appends a batch of count events behind after.
func (s *suite) extend(t *testing.T, id contracts.RunID, after contracts.Seq, count int) {
	t.Helper()
	if err := s.Append(t.Context(), id, NewBatch(id, after, count)); err != nil {
		t.Fatalf("append %d events to %s after %d: %v", count, id, after, err)
	}
}

// page reads a page without limits worth mentioning.
func (s *suite) page(t *testing.T, id contracts.RunID, after contracts.Seq) journal.Page {
	t.Helper()
	page, err := s.Read(t.Context(), id, after, 1<<20, 1<<30)
	if err != nil {
		t.Fatalf("read %s after %d: %v", id, after, err)
	}
	return page
}

// wantHistory fails the test unless the run is what NewBatch makes, gapless from 1 to last.
func (s *suite) wantHistory(t *testing.T, id contracts.RunID, last contracts.Seq) {
	t.Helper()
	page := s.page(t, id, 0)
	if page.Last != last || len(page.Events) != int(last) {
		t.Fatalf("%s has %d events and ends at %d, want %d", id, len(page.Events), page.Last, last)
	}
	wantEvents(t, id, page.Events, 1)
}

// wantEvents fails the test unless the events are those of NewBatch from seq first on.
func wantEvents(t *testing.T, id contracts.RunID, events []journal.Event, first contracts.Seq) {
	t.Helper()
	for i, event := range events {
		seq := first + contracts.Seq(i)
		if want := eventJSON(id, seq); event.Seq != seq || !bytes.Equal(event.JSON, want) {
			t.Fatalf("event %d of %s is (%d, %s), want %s", seq, id, event.Seq, event.JSON, want)
		}
	}
}

// wantMissing fails the test unless there is no such run.
func (s *suite) wantMissing(t *testing.T, id contracts.RunID) {
	t.Helper()
	if _, err := s.Run(t.Context(), id); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("Run(%s) gives %v, want ErrNotFound", id, err)
	}
	if _, err := s.Read(t.Context(), id, 0, 10, 1000); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("Read(%s) gives %v, want ErrNotFound", id, err)
	}
	runs, err := s.List(t.Context(), journal.Query{Limit: 500})
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	if slices.ContainsFunc(runs, func(r contracts.Summary) bool { return r.RunID == id }) {
		t.Errorf("%s is in the list", id)
	}
}

// wantConflict fails the test unless err is a ConflictError that names the last seq.
func wantConflict(t *testing.T, err error, id contracts.RunID, last contracts.Seq) {
	t.Helper()
	var conflict *journal.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("error is %v, want a ConflictError", err)
	}
	if want := (journal.ConflictError{Run: id, Last: last}); *conflict != want {
		t.Errorf("conflict is %+v, want %+v", *conflict, want)
	}
}

// wantError fails the test unless err is target.
func wantError(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("error is %v, want %v", err, target)
	}
}

// wantEqual fails the test unless the values are deeply equal.
func wantEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// atOnce runs f for 0..n-1, each in a goroutine of its own, and waits for all.
func atOnce(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// patience bounds what should take no time.
const patience = 30 * time.Second

// cancelled returns a context that has ended.
func cancelled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
