package main_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/contracts/runstate"
	"axiom25/server/journal"
	"axiom25/server/journal/sqlitejournal"
)

// shelfRun is a run that is stored many times, each time under another id.
type shelfRun struct {
	stored journal.Run
	lines  [][]byte
}

// newShelfRun encodes a run.
func newShelfRun(tb testing.TB, task *contracts.TaskSpec, events []contracts.RunEvent) shelfRun {
	tb.Helper()
	doc := contractstest.Document(task)
	digest, err := contracts.DigestJSON(doc)
	if err != nil {
		tb.Fatal(err)
	}
	var state runstate.State
	r := shelfRun{}
	for _, ev := range events {
		if err := state.Apply(ev); err != nil {
			tb.Fatal(err)
		}
		r.lines = append(r.lines, contractstest.Document(ev))
	}
	row := state.Snapshot().Summary
	row.Goal, row.Labels = task.Goal, task.Labels
	r.stored = journal.Run{Task: doc, TaskDigest: digest, Summary: row}
	return r
}

// store stores the run as number n.
func (r shelfRun) store(ctx context.Context, j journal.Journal, n int) error {
	run := r.stored
	run.ID = contractstest.RunID(n)
	run.Summary.RunID = run.ID
	template, own := []byte(contractstest.RunID(1)), []byte(run.ID)
	for first := 0; first < len(r.lines); first += contracts.MaxBatchEvents {
		batch := journal.Batch{After: contracts.Seq(first), Summary: run.Summary}
		for _, line := range r.lines[first:min(first+contracts.MaxBatchEvents, len(r.lines))] {
			batch.Events = append(batch.Events, bytes.Replace(line, template, own, 1))
		}
		var err error
		if first == 0 {
			err = j.Create(ctx, run, batch)
		} else {
			err = j.Append(ctx, run.ID, batch)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fillShelf fills the journal of a data directory with so many runs and about so many events: a tenth of the events are in
// one long run that goes on, the others in runs that have ended.
func fillShelf(tb testing.TB, data string, runs, events int) (string, contracts.RunID) {
	tb.Helper()
	j, err := sqlitejournal.Open(tb.Context(), filepath.Join(data, "axiom25.db"), sqlitejournal.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	long, short := longRun(tb, events/10), shortRun(tb, events-events/10, runs-1)
	var failed firstError
	var all sync.WaitGroup
	next := make(chan int)
	for range 64 {
		all.Go(func() {
			for n := range next {
				r := short
				if n == 1 {
					r = long
				}
				if err := r.store(tb.Context(), j, n); err != nil {
					failed.set(err)
				}
			}
		})
	}
	for n := range runs {
		next <- n + 1
	}
	close(next)
	all.Wait()
	failed.check(tb)
	if err := j.Close(); err != nil {
		tb.Fatal(err)
	}
	return data, contractstest.RunID(1)
}

// longRun is a run of an external engine that streams and streams.
func longRun(tb testing.TB, events int) shelfRun {
	tb.Helper()
	task := contractstest.TaskSpec(func(t *contracts.TaskSpec) {
		t.Backend.Prefer, t.Profile, t.Verification, t.AllowedTools = []string{"external"}, contracts.ProfileMax, nil, nil
		t.Budget = nil
	})
	s := contractstest.NewStream(task).Running()
	for i := 0; int(s.LastSeq()) < events; i++ {
		s.Token("m"+strconv.Itoa(i/messageTokens), " and so on", i%messageTokens == messageTokens-1)
	}
	return newShelfRun(tb, task, s.Events())
}

// shortRun is a run that has ended, one of so many that have so many events together.
func shortRun(tb testing.TB, events, runs int) shelfRun {
	tb.Helper()
	if runs == 0 {
		return shelfRun{}
	}
	task := contractstest.TaskSpec(func(t *contracts.TaskSpec) { t.Verification = nil })
	pieces := make([]string, max(1, events/runs-3)) // beside queued, running and done
	for i := range pieces {
		pieces[i] = " and so on"
	}
	s := contractstest.NewStream(task).Running().Answer("m1", pieces...).Done(contracts.StateSucceeded, "m1")
	return newShelfRun(tb, task, s.Events())
}
