package journaltest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
)

var concurrencyTests = map[string]func(s *suite){
	"many runs grow at once": func(s *suite) {
		t := s.t
		const runs, batches, size = 32, 20, 3
		s.createMany(t, runs)
		atOnce(runs, func(i int) {
			for b := range batches {
				after := contracts.Seq(1 + b*size)
				if err := s.Append(t.Context(), RunID(i), NewBatch(RunID(i), after, size)); err != nil {
					t.Errorf("append to run %d: %v", i, err)
					return
				}
			}
		})
		s.reopen(t)
		for i := range runs {
			s.wantHistory(t, RunID(i), 1+batches*size)
		}
	},
	"one of many appends to one place wins": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		for round := range 10 {
			after := contracts.Seq(1 + round)
			var won atomic.Int64
			atOnce(8, func(int) {
				err := s.Append(t.Context(), id, NewBatch(id, after, 1))
				var conflict *journal.ConflictError
				switch {
				case err == nil:
					won.Add(1)
				case !errors.As(err, &conflict) || conflict.Last != after+1:
					t.Errorf("error is %v, want a conflict that names %d", err, after+1)
				}
			})
			if won.Load() != 1 {
				t.Fatalf("%d appends won, want 1", won.Load())
			}
		}
		s.wantHistory(t, id, 11)
	},
	"a conflict fails no other run's append": func(s *suite) {
		t := s.t
		s.createMany(t, 16)
		for round := range 10 {
			atOnce(16, func(i int) {
				after := contracts.Seq(1 + round)
				if i%2 == 1 {
					wantConflict(t, s.Append(t.Context(), RunID(i), NewBatch(RunID(i), after+100, 1)), RunID(i), 1)
					return
				}
				if err := s.Append(t.Context(), RunID(i), NewBatch(RunID(i), after, 1)); err != nil {
					t.Errorf("append: %v", err)
				}
			})
		}
		for i := range 16 {
			s.wantHistory(t, RunID(i), contracts.Seq(11-10*(i%2)))
		}
	},
	"a read sees every append that returned before it": func(s *suite) {
		t := s.t
		const runs = 8
		s.createMany(t, runs)
		atOnce(runs, func(i int) {
			for last := contracts.Seq(1); last < 60; last++ {
				if err := s.Append(t.Context(), RunID(i), NewBatch(RunID(i), last, 1)); err != nil {
					t.Errorf("append: %v", err)
					return
				}
				page, err := s.Read(t.Context(), RunID(i), last, 10, 1<<20)
				if err != nil || len(page.Events) != 1 || page.Last != last+1 {
					t.Errorf("read after %d gives %+v, %v", last, page, err)
					return
				}
			}
		})
	},
	"readers see a gapless history that only grows": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		const end = 400
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for cursor := contracts.Seq(0); cursor < end; {
					page, err := s.Read(t.Context(), id, cursor, 7, 1<<20)
					if err != nil {
						t.Errorf("read after %d: %v", cursor, err)
						return
					}
					for _, event := range page.Events {
						if cursor++; event.Seq != cursor || event.Seq > page.Last {
							t.Errorf("event %d of a page that ends at %d, want %d", event.Seq, page.Last, cursor)
							return
						}
					}
					if _, err := s.List(t.Context(), journal.Query{Limit: 5}); err != nil {
						t.Errorf("list: %v", err)
						return
					}
				}
			})
		}
		for last := contracts.Seq(1); last < end; last += 3 {
			s.extend(t, id, last, 3)
		}
		readers.Wait()
	},
}

var closeTests = map[string]func(s *suite){
	"leaves a journal that refuses everything": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("ready: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		errs := map[string]error{
			"Create":     s.Create(ctx, NewRun(2), NewBatch(RunID(2), 0, 1)),
			"Append":     s.Append(ctx, id, NewBatch(id, 1, 1)),
			"PutTool":    s.PutTool(ctx, tool("a", "1.0.0", "x")),
			"DeleteTool": s.DeleteTool(ctx, "a", ""),
			"Ready":      s.Ready(ctx),
		}
		_, errs["Run"] = s.Run(ctx, id)
		_, errs["Read"] = s.Read(ctx, id, 0, 1, 1)
		_, errs["Batch"] = s.Batch(ctx, id, 0)
		_, errs["List"] = s.List(ctx, journal.Query{Limit: 1})
		_, errs["Tools"] = s.Tools(ctx)
		_, _, errs["ByKey"] = s.ByKey(ctx, "k")
		_, errs["TakeLease"] = s.TakeLease(ctx, id, "node:a", long)
		_, errs["RenewLease"] = s.RenewLease(ctx, journal.Lease{Run: id, Epoch: 1}, long)
		errs["DropLease"] = s.DropLease(ctx, journal.Lease{Run: id, Epoch: 1})
		_, errs["LeaseOf"] = s.LeaseOf(ctx, id)
		_, errs["ListLeases"] = s.ListLeases(ctx)
		_, errs["Finished"] = s.Finished(ctx, 1, 1)
		_, errs["Prune"] = s.Prune(ctx, id, 1)
		_, errs["Size"] = s.Size(ctx)
		_, errs["Verify"] = s.Verify(ctx, func(damage error) error { return damage })
		for method, err := range errs {
			if !errors.Is(err, journal.ErrUnavailable) {
				t.Errorf("%s gives %v, want ErrUnavailable", method, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("close again: %v", err)
		}
		s.Journal = s.open(t)
		s.wantHistory(t, id, 1)
	},
	"waits for the writes that were accepted": func(s *suite) {
		t := s.t
		const runs = 16
		s.createMany(t, runs)
		var stored [runs]contracts.Seq
		var writers sync.WaitGroup
		for i := range runs {
			writers.Go(func() {
				for last := contracts.Seq(1); ; last++ {
					stored[i] = last
					err := s.Append(context.WithoutCancel(t.Context()), RunID(i), NewBatch(RunID(i), last, 1))
					if err == nil {
						continue
					}
					if !errors.Is(err, journal.ErrUnavailable) {
						t.Errorf("append: %v", err)
					}
					return
				}
			})
		}
		time.Sleep(20 * time.Millisecond)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		writers.Wait()
		s.Journal = s.open(t)
		for i := range runs {
			s.wantHistory(t, RunID(i), stored[i])
		}
	},
	"is held up by no page that was read": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 100)
		pages := make([]journal.Page, 0, 100)
		for after := range contracts.Seq(100) {
			page, err := s.Read(t.Context(), id, after, 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			pages = append(pages, page)
		}
		closed := make(chan error, 1)
		go func() { closed <- s.Close() }()
		select {
		case err := <-closed:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(patience):
			t.Fatal("Close waits for a reader that has returned")
		}
		for i, page := range pages {
			wantEvents(t, id, page.Events, contracts.Seq(i+1))
		}
		s.Journal = s.open(t)
	},
}
