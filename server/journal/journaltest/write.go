package journaltest

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
)

var createTests = map[string]func(s *suite){
	"stores what it is given, to the byte": func(s *suite) {
		t := s.t
		run := NewRun(1)
		run.Key = "order-66"
		run.Task = []byte("{\"goal\" :\t\"\\u00e4\x00\xff\"}\n")
		first := NewBatch(run.ID, 0, 3)
		first.Events[1] = []byte("\x00\n\xfe")
		first.Events[2] = []byte{}
		if err := s.Create(t.Context(), run, first); err != nil {
			t.Fatal(err)
		}
		run.Summary = first.Summary
		for range 2 {
			got, err := s.Run(t.Context(), run.ID)
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, "run", got, run)
			for i, event := range s.page(t, run.ID, 0).Events {
				if event.Seq != contracts.Seq(i+1) || !bytes.Equal(event.JSON, first.Events[i]) {
					t.Errorf("event %d is (%d, %q), want %q", i+1, event.Seq, event.JSON, first.Events[i])
				}
			}
			s.reopen(t)
		}
	},
	"keeps nothing of the caller's memory": func(s *suite) {
		t := s.t
		run := NewRun(1)
		first := NewBatch(run.ID, 0, 2)
		task := bytes.Clone(run.Task)
		if err := s.Create(t.Context(), run, first); err != nil {
			t.Fatal(err)
		}
		clear(run.Task)
		clear(first.Events[0])
		s.wantHistory(t, run.ID, 2)
		got, err := s.Run(t.Context(), run.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "task", got.Task, task)
	},
	"sets the summary's run and last seq": func(s *suite) {
		t := s.t
		run := NewRun(1)
		first := NewBatch(run.ID, 0, 3)
		first.Summary.RunID, first.Summary.LastSeq = RunID(9), 77
		if err := s.Create(t.Context(), run, first); err != nil {
			t.Fatal(err)
		}
		got, err := s.Run(t.Context(), run.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Summary.RunID != run.ID || got.Summary.LastSeq != 3 {
			t.Errorf("summary is of %s at %d, want %s at 3", got.Summary.RunID, got.Summary.LastSeq, run.ID)
		}
	},
	"conflicts where the run exists": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 3)
		wantConflict(t, s.Create(t.Context(), NewRun(1), NewBatch(id, 0, 1)), id, 3)
		s.wantHistory(t, id, 3)
	},
	"conflicts where the batch does not begin the run": func(s *suite) {
		t := s.t
		wantConflict(t, s.Create(t.Context(), NewRun(1), NewBatch(RunID(1), 1, 1)), RunID(1), 0)
		s.wantMissing(t, RunID(1))
	},
	"names the run that has the key": func(s *suite) {
		t := s.t
		owner, other := NewRun(1), NewRun(2)
		owner.Key, other.Key = "k", "k"
		if err := s.Create(t.Context(), owner, NewBatch(owner.ID, 0, 1)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			err := s.Create(t.Context(), other, NewBatch(other.ID, 0, 1))
			var taken *journal.KeyTakenError
			if !errors.As(err, &taken) {
				t.Fatalf("error is %v, want a KeyTakenError", err)
			}
			wantEqual(t, "KeyTakenError", *taken, journal.KeyTakenError{Run: owner.ID, TaskDigest: owner.TaskDigest})
			s.wantMissing(t, other.ID)
			s.reopen(t)
		}
	},
	"meets itself as a conflict, not as a taken key": func(s *suite) {
		t := s.t
		run := NewRun(1)
		run.Key = "k"
		if err := s.Create(t.Context(), run, NewBatch(run.ID, 0, 2)); err != nil {
			t.Fatal(err)
		}
		wantConflict(t, s.Create(t.Context(), run, NewBatch(run.ID, 0, 2)), run.ID, 2)
	},
	"takes keys that differ in anything, and none": func(s *suite) {
		t := s.t
		for i, key := range []string{"k", "K", "k ", "", "", "key'; DROP TABLE runs"} {
			run := NewRun(i)
			run.Key = key
			if err := s.Create(t.Context(), run, NewBatch(run.ID, 0, 1)); err != nil {
				t.Errorf("key %q: %v", key, err)
			}
		}
	},
	"gives a key to one of many": func(s *suite) {
		t := s.t
		var created, taken atomic.Int64
		atOnce(16, func(i int) {
			run := NewRun(i)
			run.Key = "k"
			err := s.Create(t.Context(), run, NewBatch(run.ID, 0, 1))
			var takenErr *journal.KeyTakenError
			switch {
			case err == nil:
				created.Add(1)
			case errors.As(err, &takenErr):
				taken.Add(1)
			default:
				t.Errorf("create: %v", err)
			}
		})
		if created.Load() != 1 || taken.Load() != 15 {
			t.Errorf("%d created, %d found the key taken, want 1 and 15", created.Load(), taken.Load())
		}
	},
	"refuses what is too large or empty, and leaves nothing": func(s *suite) {
		t := s.t
		wantError(t, s.Create(t.Context(), NewRun(1), NewBatch(RunID(1), 0, journal.MaxBatchEvents+1)), journal.ErrTooLarge)
		wantError(t, s.Create(t.Context(), NewRun(1), NewBatch(RunID(1), 0, 0)), journal.ErrEmpty)
		s.wantMissing(t, RunID(1))
		s.create(t, 1, 1)
	},
}

var appendTests = map[string]func(s *suite){
	"numbers events without a gap, across batches and reopening": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 2)
		s.extend(t, id, 2, 1)
		s.extend(t, id, 3, 5)
		s.reopen(t)
		s.extend(t, id, 8, 2)
		s.wantHistory(t, id, 10)
	},
	"takes batches up to the limits": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		s.extend(t, id, 1, journal.MaxBatchEvents)
		large := NewBatch(id, 1+journal.MaxBatchEvents, 2)
		large.Events[0] = bytes.Repeat([]byte("x"), journal.MaxBatchBytes-1)
		large.Events[1] = []byte("y")
		if err := s.Append(t.Context(), id, large); err != nil {
			t.Fatalf("%d bytes: %v", journal.MaxBatchBytes, err)
		}
		page := s.page(t, id, 1)
		if len(page.Events) != journal.MaxBatchEvents+2 {
			t.Fatalf("%d events, want %d", len(page.Events), journal.MaxBatchEvents+2)
		}
		wantEvents(t, id, page.Events[:journal.MaxBatchEvents], 2)
		for i, want := range large.Events {
			if got := page.Events[journal.MaxBatchEvents+i].JSON; !bytes.Equal(got, want) {
				t.Errorf("large event %d has %d bytes, want %d", i, len(got), len(want))
			}
		}
	},
	"refuses batches beyond the limits, and leaves nothing": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		wantError(t, s.Append(t.Context(), id, NewBatch(id, 1, journal.MaxBatchEvents+1)), journal.ErrTooLarge)
		large := NewBatch(id, 1, 2)
		large.Events[0] = make([]byte, journal.MaxBatchBytes)
		wantError(t, s.Append(t.Context(), id, large), journal.ErrTooLarge)
		wantError(t, s.Append(t.Context(), id, NewBatch(id, 1, 0)), journal.ErrEmpty)
		s.wantHistory(t, id, 1)
		s.extend(t, id, 1, 1)
	},
	"conflict names the last seq and leaves nothing": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 3)
		for _, after := range []contracts.Seq{0, 2, 4, 1 << 20} {
			wantConflict(t, s.Append(t.Context(), id, NewBatch(id, after, 2)), id, 3)
		}
		s.reopen(t)
		wantConflict(t, s.Append(t.Context(), id, NewBatch(id, 2, 1)), id, 3)
		s.wantHistory(t, id, 3)
		got, err := s.Run(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "summary", got.Summary, NewBatch(id, 0, 3).Summary)
	},
	"tried again meets its own events": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		s.extend(t, id, 1, 2)
		wantConflict(t, s.Append(t.Context(), id, NewBatch(id, 1, 2)), id, 3)
	},
	"needs a run": func(s *suite) {
		t := s.t
		s.create(t, 1, 1)
		wantError(t, s.Append(t.Context(), RunID(2), NewBatch(RunID(2), 0, 1)), journal.ErrNotFound)
		s.wantMissing(t, RunID(2))
	},
	"replaces the summary": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		b := NewBatch(id, 1, 4)
		b.Summary.State = contracts.StateSucceeded
		b.Summary.Approvals = 2
		b.Summary.Limits = contracts.Limits{MaxTokens: 9}
		if err := s.Append(t.Context(), id, b); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, err := s.Run(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, "summary", got.Summary, b.Summary)
			if got := s.page(t, id, 5).State; got != contracts.StateSucceeded {
				t.Errorf("page's state is %s, want succeeded", got)
			}
			s.reopen(t)
		}
	},
}

var contextTests = map[string]func(s *suite){
	"that has ended stores nothing": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		ctx := cancelled(t)
		tool := journal.Tool{Name: "t", Version: "1.0.0", Spec: []byte("{}")}
		wantError(t, s.Create(ctx, NewRun(2), NewBatch(RunID(2), 0, 1)), context.Canceled)
		wantError(t, s.Append(ctx, id, NewBatch(id, 1, 1)), context.Canceled)
		wantError(t, s.PutTool(ctx, tool), context.Canceled)
		s.wantMissing(t, RunID(2))
		s.wantHistory(t, id, 1)
		tools, err := s.Tools(t.Context())
		if err != nil || len(tools) != 0 {
			t.Errorf("tools are %v, %v, want none", tools, err)
		}
		if err := s.PutTool(t.Context(), tool); err != nil {
			t.Fatal(err)
		}
		wantError(t, s.DeleteTool(ctx, "t", ""), context.Canceled)
		_, err = s.TakeLease(ctx, id, "node:a", long)
		wantError(t, err, context.Canceled)
		s.wantNoLease(t, id)
		if tools, err = s.Tools(t.Context()); err != nil || len(tools) != 1 {
			t.Errorf("tools are %v, %v, want one", tools, err)
		}
	},
	"that has ended reads nothing": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		ctx := cancelled(t)
		_, err := s.Run(ctx, id)
		wantError(t, err, context.Canceled)
		_, err = s.Read(ctx, id, 0, 1, 1)
		wantError(t, err, context.Canceled)
		_, err = s.Batch(ctx, id, 0)
		wantError(t, err, context.Canceled)
		_, err = s.List(ctx, journal.Query{Limit: 1})
		wantError(t, err, context.Canceled)
		_, err = s.Tools(ctx)
		wantError(t, err, context.Canceled)
		_, _, err = s.ByKey(ctx, "k")
		wantError(t, err, context.Canceled)
		_, err = s.LeaseOf(ctx, id)
		wantError(t, err, context.Canceled)
		_, err = s.ListLeases(ctx)
		wantError(t, err, context.Canceled)
	},
	"that ends at any moment tells the truth": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		last := contracts.Seq(1)
		for i := range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*10*time.Microsecond)
			err := s.Append(ctx, id, NewBatch(id, last, 3))
			cancel()
			switch {
			case err == nil:
				last += 3
			case !errors.Is(err, context.DeadlineExceeded):
				t.Fatalf("append: %v", err)
			}
			s.wantHistory(t, id, last)
		}
	},
}

var toolTests = map[string]func(s *suite){
	"are listed by name and version as text": func(s *suite) {
		t := s.t
		want := []journal.Tool{
			tool("a", "1.0.0", "x"), tool("a", "10.0.0", "y"), tool("a", "9.0.0", "z"), tool("a-b", "1.0.0", ""), tool("b", "1.0.0", "x"),
		}
		for _, i := range []int{4, 2, 0, 3, 1} {
			if err := s.PutTool(t.Context(), want[i]); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			got, err := s.Tools(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, "tools", got, want)
			s.reopen(t)
		}
	},
	"stay when put again, and conflict with another content": func(s *suite) {
		t := s.t
		first := tool("a", "1.0.0", "x")
		for range 2 {
			if err := s.PutTool(t.Context(), first); err != nil {
				t.Fatal(err)
			}
		}
		var conflict *journal.ToolConflictError
		if err := s.PutTool(t.Context(), tool("a", "1.0.0", "y")); !errors.As(err, &conflict) {
			t.Fatalf("error is %v, want a ToolConflictError", err)
		}
		wantEqual(t, "conflict", *conflict, journal.ToolConflictError{Name: "a", Version: "1.0.0"})
		got, err := s.Tools(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "tools", got, []journal.Tool{first})
	},
	"go by version or all together": func(s *suite) {
		t := s.t
		for _, version := range []string{"1.0.0", "1.1.0", "2.0.0"} {
			for _, name := range []string{"a", "b"} {
				if err := s.PutTool(t.Context(), tool(name, version, "x")); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := s.DeleteTool(t.Context(), "a", "1.1.0"); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteTool(t.Context(), "b", ""); err != nil {
			t.Fatal(err)
		}
		wantError(t, s.DeleteTool(t.Context(), "a", "1.1.0"), journal.ErrNotFound)
		wantError(t, s.DeleteTool(t.Context(), "b", ""), journal.ErrNotFound)
		s.reopen(t)
		got, err := s.Tools(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "tools", got, []journal.Tool{tool("a", "1.0.0", "x"), tool("a", "2.0.0", "x")})
		if err := s.PutTool(t.Context(), tool("a", "1.1.0", "another")); err != nil {
			t.Errorf("put a version that was deleted: %v", err)
		}
	},
}

// tool returns a version of a tool.
func tool(name, version, content string) journal.Tool {
	spec := []byte(`{"name":"` + name + `","x":"` + content + `"}`)
	return journal.Tool{Name: name, Version: version, Spec: spec, Digest: contracts.DigestText(spec)}
}
