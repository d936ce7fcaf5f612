// Package enginetest runs engines in a whole server without its edge: a journal on disk, the builtin tools, the
// door and the supervisor.
package enginetest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/server/engine"
	"axiom25/server/fanout"
	"axiom25/server/intake"
	"axiom25/server/journal"
	"axiom25/server/journal/sqlitejournal"
	"axiom25/server/tools"
	"axiom25/server/tools/builtin"
)

// patience is how long a run may take before a test gives up.
const patience = 30 * time.Second

// House is a server without its edge.
type House struct {
	*intake.Intake
	Journal   journal.Journal
	Hub       *fanout.Hub
	Catalogue *tools.Catalogue
	Engines   *engine.Supervisor

	stop    context.CancelFunc
	stopped chan error
}

// Open starts a house with these engines, and closes it when the test ends. maxRuns is the supervisor's.
func Open(tb testing.TB, maxRuns int, engines ...engine.Engine) *House {
	tb.Helper()
	store, err := sqlitejournal.Open(context.Background(), filepath.Join(tb.TempDir(), "journal.db"), sqlitejournal.Options{})
	check(tb, err)
	tb.Cleanup(func() { check(tb, store.Close()) })
	h := &House{Journal: store, Hub: fanout.New(store), stopped: make(chan error, 1)}
	h.Catalogue, err = tools.Open(context.Background(), store, slog.New(slog.DiscardHandler), builtin.All()...)
	check(tb, err)
	registry, err := engine.NewRegistry(engines...)
	check(tb, err)
	log := slog.New(slog.DiscardHandler)
	h.Engines, err = engine.NewSupervisor(engine.SupervisorConfig{
		Registry: registry, Calls: h.Catalogue, Hub: h.Hub, Log: log, MaxRuns: maxRuns,
	})
	check(tb, err)
	h.Intake, err = intake.New(intake.Config{
		Journal: store, Hub: h.Hub, Catalogue: h.Catalogue, Engines: h.Engines, Log: log,
		Now: time.Now, //nolint:forbidigo // the house runs in real time
	})
	check(tb, err)

	ctx, cancel := context.WithCancel(context.Background())
	h.stop = cancel
	go func() { h.stopped <- h.Engines.Run(ctx, h.Intake) }()
	deadlines := make(chan error, 1)
	clock, stopClock := context.WithCancel(context.Background())
	go func() { deadlines <- h.Run(clock) }()
	tb.Cleanup(func() {
		h.Stop(tb)
		stopClock()
		if err := <-deadlines; !errors.Is(err, context.Canceled) {
			tb.Errorf("the door's clock ended with %v", err)
		}
	})
	return h
}

// Stop stops the engines and waits for them. A second call does nothing.
func (h *House) Stop(tb testing.TB) {
	tb.Helper()
	h.stop()
	if err, first := <-h.stopped; first {
		close(h.stopped)
		if !errors.Is(err, context.Canceled) {
			tb.Errorf("the supervisor ended with %v", err)
		}
	}
}

// Submit creates a run of a task.
func (h *House) Submit(tb testing.TB, task []byte) contracts.RunID {
	tb.Helper()
	created, _, err := h.Create(tb.Context(), task, intake.CreateOptions{})
	check(tb, err)
	return created.RunID
}

// Await follows a run until its end and returns its events, which keep every invariant. At each event look is
// called, where it is not nil.
func (h *House) Await(tb testing.TB, id contracts.RunID, look func(contracts.RunEvent)) []contracts.RunEvent {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	cursor := h.Hub.Follow(id, 0)
	defer cursor.Close()
	var events []contracts.RunEvent
	for {
		frames, err := cursor.Next(ctx)
		for _, f := range frames {
			ev, err := contracts.DecodeEvent(f.JSON)
			check(tb, err)
			events = append(events, ev)
			if look != nil {
				look(ev)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		check(tb, err)
	}
	if err := runstate.Check(slices.Values(events)); err != nil {
		tb.Errorf("the run breaks an invariant: %v", err)
	}
	return events
}

// Done returns the last event's body.
func Done(tb testing.TB, events []contracts.RunEvent) *contracts.DoneData {
	tb.Helper()
	done, ok := events[len(events)-1].Data.(*contracts.DoneData)
	if !ok {
		tb.Fatalf("the last event is %s", events[len(events)-1].Type)
	}
	return done
}

// Of returns the bodies of one type.
func Of[T contracts.EventData](events []contracts.RunEvent) []T {
	var bodies []T
	for _, ev := range events {
		if body, ok := ev.Data.(T); ok {
			bodies = append(bodies, body)
		}
	}
	return bodies
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err == nil {
		return
	}
	if problem := (*contracts.Problem)(nil); errors.As(err, &problem) {
		tb.Fatalf("%v %+v", err, problem.Errors)
	}
	tb.Fatal(err)
}
