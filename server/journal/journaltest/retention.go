package journaltest

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"axiom25/contracts"
	"axiom25/server/journal"
)

var retentionTests = map[string]func(s *suite){
	"lists runs in the order of their ends": func(s *suite) {
		t := s.t
		s.createMany(t, 6)
		for i, ended := range map[int]contracts.Time{0: 500, 1: 300, 3: 400, 5: 200} {
			s.finish(t, i, 1, ended)
		}
		for range 2 {
			s.wantFinished(t, 1<<50, 500, 5, 1, 3, 0)
			s.wantFinished(t, 400, 500, 5, 1)
			s.wantFinished(t, 401, 500, 5, 1, 3)
			s.wantFinished(t, 200, 500)
			s.wantFinished(t, 1<<50, 2, 5, 1)
			s.wantFinished(t, 1<<50, 0, 5) // as 1
			s.wantFinished(t, 1<<50, 1<<20, 5, 1, 3, 0)
			s.reopen(t)
		}
	},
	"lists what Run gives": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		s.finish(t, 1, 1, 300)
		want, err := s.Run(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		runs, err := s.Finished(t.Context(), 301, 10)
		if err != nil || len(runs) != 1 {
			t.Fatalf("%d runs have ended, %v, want 1", len(runs), err)
		}
		wantEqual(t, "summary", runs[0], want.Summary)
	},
	"prunes no run that goes on": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 3)
		_, err := s.Prune(t.Context(), id, 10)
		wantError(t, err, journal.ErrUnfinished)
		s.wantHistory(t, id, 3)
		s.extend(t, id, 3, 1)
		_, err = s.Prune(t.Context(), RunID(2), 10)
		wantError(t, err, journal.ErrNotFound)
	},
	"leaves the summary": func(s *suite) {
		t := s.t
		s.create(t, 1, 1)
		run := NewRun(2)
		run.Key = "k"
		first := NewBatch(run.ID, 0, 2)
		first.Summary.Labels = map[string]string{"team": "sky"}
		if err := s.Create(t.Context(), run, first); err != nil {
			t.Fatal(err)
		}
		s.create(t, 3, 4)
		last := NewBatch(run.ID, 2, 1)
		last.Summary.State, last.Summary.Labels = contracts.StateSucceeded, first.Summary.Labels
		last.Origin = &journal.Origin{After: 2, Digest: contracts.DigestText("request")}
		if err := s.Append(t.Context(), run.ID, last); err != nil {
			t.Fatal(err)
		}
		s.prune(t, run.ID, journal.MaxPruneRows)
		want := last.Summary
		want.Pruned = true
		for range 2 {
			s.wantPruned(t, run.ID, want)
			listed, err := s.List(t.Context(), journal.Query{
				Labels: map[string]string{"team": "sky"}, States: []contracts.State{contracts.StateSucceeded}, Text: "planets", Limit: 10,
			})
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, "list", listed, []contracts.Summary{want})
			s.wantHistory(t, RunID(1), 1)
			s.wantHistory(t, RunID(3), 4)
			s.wantFinished(t, 1<<50, 10)
			s.wantSize(t, 2, 1, 5)
			s.reopen(t)
		}
	},
	"frees the key": func(s *suite) {
		t := s.t
		run := NewRun(1)
		run.Key = "k"
		if err := s.Create(t.Context(), run, NewBatch(run.ID, 0, 1)); err != nil {
			t.Fatal(err)
		}
		s.finish(t, 1, 1, 300)
		s.prune(t, run.ID, 10)
		_, _, err := s.ByKey(t.Context(), "k")
		wantError(t, err, journal.ErrNotFound)
		again := NewRun(2)
		again.Key = "k"
		if err := s.Create(t.Context(), again, NewBatch(again.ID, 0, 1)); err != nil {
			t.Fatal(err)
		}
		if id, _, err := s.ByKey(t.Context(), "k"); err != nil || id != again.ID {
			t.Errorf("the key leads to %s, %v, want %s", id, err, again.ID)
		}
	},
	"goes on where it was interrupted": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		for last := contracts.Seq(1); last < 30; last++ {
			s.extend(t, id, last, 1)
		}
		s.finish(t, 1, 30, 300)
		other := s.create(t, 2, 5)
		more, err := s.Prune(t.Context(), id, 1)
		if err != nil {
			t.Fatal(err)
		}
		want, err := s.Run(t.Context(), id)
		wantError(t, err, journal.ErrPruned)
		calls := 1
		for ; more; calls++ {
			if calls > 1000 {
				t.Fatal("the pruning does not end")
			}
			s.wantPruned(t, id, want.Summary)
			if calls%10 == 1 {
				s.reopen(t)
				s.wantPruned(t, id, want.Summary)
				s.wantFinished(t, 1<<50, 10, 1)
			}
			if more, err = s.Prune(t.Context(), id, 3); err != nil {
				t.Fatal(err)
			}
		}
		s.wantPruned(t, id, want.Summary)
		s.wantFinished(t, 1<<50, 10)
		s.wantHistory(t, other, 5)
		s.wantSize(t, 1, 1, 5)
		if more, err := s.Prune(t.Context(), id, 10); more || err != nil {
			t.Errorf("pruning what is pruned gives %t, %v, want false and nil", more, err)
		}
	},
	"takes a lease away with its run": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		s.take(t, id, "node:a", long)
		s.finish(t, 1, 1, 300)
		s.prune(t, id, 10)
		s.wantNoLease(t, id)
		s.wantLeases(t)
		_, err := s.TakeLease(t.Context(), id, "node:a", long)
		wantError(t, err, journal.ErrPruned)
	},
	"ends a read that is under way with ErrPruned": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		const last = 200
		for seq := contracts.Seq(1); seq < last; seq++ {
			s.extend(t, id, seq, 1)
		}
		s.finish(t, 1, last, 300)
		var readers sync.WaitGroup
		began := make(chan struct{}, 4)
		for range 4 {
			readers.Go(func() {
				for after := contracts.Seq(0); ; after = (after + 5) % last {
					page, err := s.Read(t.Context(), id, after, 5, 1<<20)
					if errors.Is(err, journal.ErrPruned) {
						return
					}
					if err != nil || len(page.Events) != 5 {
						t.Errorf("read after %d gives %d events, %v", after, len(page.Events), err)
						return
					}
					wantEvents(t, id, page.Events, after+1)
					select {
					case began <- struct{}{}:
					default:
					}
				}
			})
		}
		for range 4 {
			<-began
		}
		s.prune(t, id, 7)
		readers.Wait()
	},
	"goes on beside appends": func(s *suite) {
		t := s.t
		const runs, chunks = 4, 40
		s.createMany(t, 2*runs)
		atOnce(runs, func(i int) {
			for last := contracts.Seq(1); last < chunks; last++ {
				if err := s.Append(t.Context(), RunID(i), NewBatch(RunID(i), last, 1)); err != nil {
					t.Errorf("append: %v", err)
					return
				}
			}
		})
		for i := range runs {
			s.finish(t, i, chunks, 300)
		}
		atOnce(2*runs, func(i int) {
			if i < runs {
				s.prune(t, RunID(i), 10)
				return
			}
			for last := contracts.Seq(1); last < chunks; last++ {
				if err := s.Append(t.Context(), RunID(i), NewBatch(RunID(i), last, 1)); err != nil {
					t.Errorf("append: %v", err)
					return
				}
			}
		})
		s.reopen(t)
		for i := runs; i < 2*runs; i++ {
			s.wantHistory(t, RunID(i), chunks)
		}
		s.wantSize(t, runs, runs, runs*chunks)
	},
	"counts what it holds": func(s *suite) {
		t := s.t
		s.wantSize(t, 0, 0, 0)
		s.create(t, 1, 3)
		s.create(t, 2, 2)
		s.extend(t, RunID(2), 2, 10)
		s.wantSize(t, 2, 0, 15)
		if size, err := s.Size(t.Context()); err != nil || size.Bytes <= 0 {
			t.Errorf("size is %+v, %v, want some bytes", size, err)
		}
	},
}

// finish ends run i behind last.
func (s *suite) finish(t *testing.T, i int, last contracts.Seq, at contracts.Time) {
	t.Helper()
	b := NewBatch(RunID(i), last, 1)
	b.Summary.State, b.Summary.UpdatedAt = contracts.StateSucceeded, at
	if err := s.Append(t.Context(), RunID(i), b); err != nil {
		t.Fatalf("end run %d: %v", i, err)
	}
}

// prune prunes a run whole, in slices.
func (s *suite) prune(t *testing.T, id contracts.RunID, maxRows int) {
	t.Helper()
	for range 10_000 {
		more, err := s.Prune(t.Context(), id, maxRows)
		if err != nil {
			t.Errorf("prune %s: %v", id, err)
			return
		}
		if !more {
			return
		}
	}
	t.Errorf("the pruning of %s does not end", id)
}

// wantFinished fails the test unless these runs have ended before an instant.
func (s *suite) wantFinished(t *testing.T, before contracts.Time, limit int, want ...int) {
	t.Helper()
	runs, err := s.Finished(t.Context(), before, limit)
	if err != nil {
		t.Fatalf("finished before %d: %v", before, err)
	}
	var got, ids []contracts.RunID
	for _, run := range runs {
		got = append(got, run.RunID)
	}
	for _, i := range want {
		ids = append(ids, RunID(i))
	}
	if !slices.Equal(got, ids) {
		t.Errorf("finished before %d, at most %d:\n got %v\nwant %v", before, limit, got, ids)
	}
}

// wantPruned fails the test unless nothing is left of a run but this summary.
func (s *suite) wantPruned(t *testing.T, id contracts.RunID, summary contracts.Summary) {
	t.Helper()
	if !summary.Pruned {
		t.Errorf("the summary of %s does not say that it was pruned", id)
	}
	run, err := s.Run(t.Context(), id)
	wantError(t, err, journal.ErrPruned)
	wantEqual(t, "pruned run", run, journal.Run{ID: id, Summary: summary})
	for _, after := range []contracts.Seq{0, summary.LastSeq - 1, summary.LastSeq, summary.LastSeq + 5} {
		page, err := s.Read(t.Context(), id, after, 10, 1<<20)
		wantError(t, err, journal.ErrPruned)
		if len(page.Events) != 0 {
			t.Errorf("%d events of a pruned run are read", len(page.Events))
		}
	}
	_, err = s.Batch(t.Context(), id, 2)
	wantError(t, err, journal.ErrPruned)
	wantError(t, s.Append(t.Context(), id, NewBatch(id, summary.LastSeq, 1)), journal.ErrPruned)
	wantConflict(t, s.Create(t.Context(), journal.Run{ID: id, Task: []byte("{}")}, NewBatch(id, 0, 1)), id, summary.LastSeq)
}

// wantSize fails the test unless the journal holds this much and is whole.
func (s *suite) wantSize(t *testing.T, runs, tombstones, events int64) {
	t.Helper()
	size, err := s.Size(t.Context())
	if err != nil {
		t.Fatalf("size: %v", err)
	}
	if size.Runs != runs || size.Tombstones != tombstones {
		t.Errorf("there are %d runs and %d tombstones, want %d and %d", size.Runs, size.Tombstones, runs, tombstones)
	}
	verified, err := s.Verify(t.Context(), func(damage error) error {
		t.Errorf("damaged: %v", damage)
		return nil
	})
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	if verified.Runs != runs || verified.Tombstones != tombstones || verified.Events != events {
		t.Errorf("verified %+v, want %d runs, %d tombstones, %d events", verified, runs, tombstones, events)
	}
}
