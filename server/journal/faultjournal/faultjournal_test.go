package faultjournal_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/faultjournal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/sqlitejournal"
)

func TestWithoutFaultsItKeepsTheContract(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, func(t *testing.T) journaltest.Store {
		t.Helper()
		path := filepath.Join(t.TempDir(), "journal.db")
		return func(t *testing.T) journal.Journal {
			t.Helper()
			return faultjournal.New(open(t, path))
		}
	})
}

// open opens the journal at path.
func open(t *testing.T, path string) journal.Journal {
	t.Helper()
	j, err := sqlitejournal.Open(t.Context(), path, sqlitejournal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// withRun returns a journal that holds run 1 with one event, and is closed when the test ends.
func withRun(t *testing.T) *faultjournal.Journal {
	t.Helper()
	j := faultjournal.New(open(t, filepath.Join(t.TempDir(), "journal.db")))
	t.Cleanup(func() {
		j.Clear()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	run := journaltest.NewRun(1)
	if err := j.Create(t.Context(), run, journaltest.NewBatch(run.ID, 0, 1)); err != nil {
		t.Fatal(err)
	}
	return j
}

// appendAfter appends one event to run 1.
func appendAfter(ctx context.Context, j journal.Journal, last contracts.Seq) error {
	return j.Append(ctx, journaltest.RunID(1), journaltest.NewBatch(journaltest.RunID(1), last, 1))
}

// last returns where run 1 ends.
func last(t *testing.T, j journal.Journal) contracts.Seq {
	t.Helper()
	page, err := j.Read(t.Context(), journaltest.RunID(1), 0, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	return page.Last
}

func TestEveryOperationCanFail(t *testing.T) {
	t.Parallel()
	j := withRun(t)
	ctx, id := t.Context(), journaltest.RunID(1)
	for op, call := range map[faultjournal.Op]func() error{
		faultjournal.OpRun:        func() error { _, err := j.Run(ctx, id); return err },
		faultjournal.OpRead:       func() error { _, err := j.Read(ctx, id, 0, 1, 1); return err },
		faultjournal.OpBatch:      func() error { _, err := j.Batch(ctx, id, 0); return err },
		faultjournal.OpList:       func() error { _, err := j.List(ctx, journal.Query{}); return err },
		faultjournal.OpTools:      func() error { _, err := j.Tools(ctx); return err },
		faultjournal.OpCreate:     func() error { return j.Create(ctx, journaltest.NewRun(2), journal.Batch{}) },
		faultjournal.OpAppend:     func() error { return appendAfter(ctx, j, 1) },
		faultjournal.OpPutTool:    func() error { return j.PutTool(ctx, journal.Tool{}) },
		faultjournal.OpDeleteTool: func() error { return j.DeleteTool(ctx, "a", "") },
		faultjournal.OpReady:      func() error { return j.Ready(ctx) },
		faultjournal.OpClose:      j.Close,
	} {
		before := j.Calls(op)
		j.Fail(op, faultjournal.Every, journal.ErrFull)
		for range 2 {
			if err := call(); !errors.Is(err, journal.ErrFull) {
				t.Errorf("%s gives %v, want ErrFull", op, err)
			}
		}
		if got := j.Calls(op) - before; got != 2 {
			t.Errorf("%d calls of %s counted, want 2", got, op)
		}
		j.Clear()
	}
	if got := last(t, j); got != 1 {
		t.Errorf("run ends at %d, want 1", got)
	}
}

func TestFailCountsFromNow(t *testing.T) {
	t.Parallel()
	j := withRun(t)
	if err := appendAfter(t.Context(), j, 1); err != nil {
		t.Fatal(err)
	}
	j.Fail(faultjournal.OpAppend, 2, journal.ErrBusy)
	for i, want := range []error{nil, journal.ErrBusy, nil} {
		if err := appendAfter(t.Context(), j, last(t, j)); !errors.Is(err, want) {
			t.Errorf("append %d gives %v, want %v", i+1, err, want)
		}
	}
	if got := last(t, j); got != 4 {
		t.Errorf("run ends at %d, want 4", got)
	}
}

func TestUnknownHidesTheOutcome(t *testing.T) {
	t.Parallel()
	j := withRun(t)
	j.Unknown(faultjournal.OpAppend, 1, false)
	j.Unknown(faultjournal.OpAppend, 2, true)
	j.Unknown(faultjournal.OpAppend, 3, true)
	for _, want := range []contracts.Seq{1, 2} {
		if err := appendAfter(t.Context(), j, 1); !errors.Is(err, journal.ErrUnknown) {
			t.Errorf("append gives %v, want ErrUnknown", err)
		}
		if got := last(t, j); got != want {
			t.Errorf("run ends at %d, want %d", got, want)
		}
	}
	var conflict *journal.ConflictError
	if err := appendAfter(t.Context(), j, 1); !errors.As(err, &conflict) || conflict.Last != 2 {
		t.Errorf("the append tried again gives %v, want a conflict that names 2", err)
	}
}

func TestDelayTakesItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := faultjournal.New(ready{})
		j.Delay(faultjournal.OpReady, faultjournal.Every, time.Minute)
		begin := time.Now() //nolint:forbidigo // the bubble's clock
		if err := j.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("call took %v, want 1m", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := j.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("call gives %v, want the context's error", err)
		}
	})
}

// ready is a journal that can do one thing.
type ready struct{ journal.Journal }

func (ready) Ready(context.Context) error { return nil }

func TestBlockHoldsUntilReleased(t *testing.T) {
	t.Parallel()
	j := withRun(t)
	gate := j.Block(faultjournal.OpAppend, faultjournal.Every)
	ctx, cancel := context.WithCancel(t.Context())
	held := make(chan error, 1)
	go func() { held <- appendAfter(ctx, j, 1) }()
	<-gate.Arrived()
	if got := last(t, j); got != 1 {
		t.Errorf("run ends at %d while the append is held, want 1", got)
	}
	cancel()
	if err := <-held; !errors.Is(err, context.Canceled) {
		t.Errorf("append gives %v, want context.Canceled", err)
	}
	go func() { held <- appendAfter(t.Context(), j, 1) }()
	gate.Release()
	gate.Release()
	if err := <-held; err != nil {
		t.Error(err)
	}
	if got := last(t, j); got != 2 {
		t.Errorf("run ends at %d, want 2", got)
	}
}
