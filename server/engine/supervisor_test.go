package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"axiom25/contracts"
	"axiom25/server/engine"
	"axiom25/server/engine/enginetest"
	"axiom25/server/fanout"
	"axiom25/server/journal"
	"axiom25/server/tools"
)

// answering gives an answer and returns what the door says.
func answering(ctx context.Context, r *engine.Run) error {
	_, err := r.Answer(ctx, contracts.Answer{MessageID: "m", Channel: contracts.ChannelAnswer, Text: "done"})
	return err
}

func TestSupervisor(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		run    func(ctx context.Context, r *engine.Run) error
		more   string
		status contracts.State
		why    contracts.ProblemType
		detail string
	}{
		"an answer": {run: answering, status: contracts.StateSucceeded},
		"an answer, then an error": {run: func(ctx context.Context, r *engine.Run) error {
			return errors.Join(answering(ctx, r), errors.New("late"))
		}, status: contracts.StateSucceeded},
		"nothing":  {run: func(context.Context, *engine.Run) error { return nil }, status: contracts.StateFailed, why: contracts.ProblemEngineFailed, detail: "without an answer"},
		"an error": {run: func(context.Context, *engine.Run) error { return errors.New("no way " + strings.Repeat("x", 5000)) }, status: contracts.StateFailed, why: contracts.ProblemEngineFailed, detail: "no way"},
		"a problem": {run: func(context.Context, *engine.Run) error {
			return contracts.NewProblem(contracts.ProblemNotFound, "gone")
		}, status: contracts.StateFailed, why: contracts.ProblemEngineFailed, detail: "gone"},
		"a panic": {run: func(context.Context, *engine.Run) error { panic("hush") }, status: contracts.StateFailed, why: contracts.ProblemEngineFailed, detail: "defect"},
		"a fatal error of its own": {run: func(ctx context.Context, r *engine.Run) error {
			err := r.Append(ctx, "", &contracts.ErrorData{Problem: *contracts.NewProblem(contracts.ProblemEngineFailed, "mine"), Fatal: true, Retry: contracts.RetryNone})
			<-ctx.Done()
			return errors.Join(err, ctx.Err())
		}, status: contracts.StateFailed, why: contracts.ProblemEngineFailed, detail: "mine"},
		"out of time at once": {run: func(ctx context.Context, _ *engine.Run) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}, more: `,"budget":{"max_wall_ms":200,"max_active_ms":100,"on_exhausted":"stop"}`, status: contracts.StateExhausted},
		"a call that is not legal": {run: func(ctx context.Context, r *engine.Run) error {
			return r.Append(ctx, "", &contracts.EngineToolEnd{CallID: "none", Status: contracts.CallOK})
		}, status: contracts.StateFailed, why: contracts.ProblemEngineFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := enginetest.Open(t, 0, &actor{name: "actor", run: tc.run})
			events := h.Await(t, h.Submit(t, document(tc.more)), nil)
			if done := enginetest.Done(t, events); done.Status != tc.status {
				t.Errorf("ended %s, want %s", done.Status, tc.status)
			}
			failures := enginetest.Of[*contracts.ErrorData](events)
			if tc.why == "" {
				if len(failures) > 0 {
					t.Errorf("errors %+v", failures)
				}
				return
			}
			if len(failures) != 1 || !failures[0].Has(tc.why) || !strings.Contains(failures[0].Detail, tc.detail) || strings.Contains(failures[0].Detail, "hush") {
				t.Errorf("errors %+v, want one %s that says %q", failures, tc.why, tc.detail)
			}
		})
	}
}

func TestSupervisor_gates(t *testing.T) {
	t.Parallel()
	sign := contracts.EngineToolStart{CallID: "c", Tool: "sign_off", Args: json.RawMessage(`{"statement":"shown"}`), Attempt: 1}
	for name, tc := range map[string]struct {
		decision contracts.ApprovalDecision
		want     string
	}{
		"approved": {contracts.ApprovalDecision{Decision: contracts.VerbApprove}, `{"statement":"meant"}`},
		"edited":   {contracts.ApprovalDecision{Decision: contracts.VerbEdit, Args: json.RawMessage(`{"statement":"edited"}`)}, `{"statement":"edited"}`},
		"denied":   {contracts.ApprovalDecision{Decision: contracts.VerbDeny}, "the call was not let through"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := make(chan string, 1)
			h := enginetest.Open(t, 0, &actor{name: "actor", run: func(ctx context.Context, r *engine.Run) error {
				args, err := r.Begin(ctx, "", sign, json.RawMessage(`{"statement":"meant"}`))
				if err != nil {
					got <- err.Error()
					return answering(ctx, r)
				}
				got <- string(args)
				out, err := r.Call(ctx, "sign_off", args)
				end := &contracts.EngineToolEnd{CallID: "c", Status: engine.CallStatus(err), Output: out}
				return errors.Join(r.Append(ctx, "", end), answering(ctx, r))
			}})
			id := h.Submit(t, document(""))
			events := h.Await(t, id, func(ev contracts.RunEvent) {
				if start, ok := ev.Data.(*contracts.ToolStartData); ok {
					if err := h.Decide(t.Context(), id, start.Approval.ID, tc.decision); err != nil {
						t.Error(err)
					}
				}
			})
			if args := <-got; args != tc.want {
				t.Errorf("got %s, want %s", args, tc.want)
			}
			if done := enginetest.Done(t, events); done.Status != contracts.StateSucceeded || done.Receipts != 1 {
				t.Errorf("ended %s with %d receipts", done.Status, done.Receipts)
			}
		})
	}
}

func TestSupervisor_drains(t *testing.T) {
	h := enginetest.Open(t, 0, &actor{name: "actor", run: func(ctx context.Context, r *engine.Run) error {
		start := contracts.EngineToolStart{CallID: "c", Tool: "calculator", Args: json.RawMessage(`{}`), Attempt: 1}
		if _, err := r.Begin(ctx, "", start, start.Args); !errors.Is(err, engine.ErrDraining) || r.Drained() != contracts.ReasonToolCalls {
			return fmt.Errorf("begin: %w, drained %s", err, r.Drained())
		}
		<-r.Draining()
		return answering(ctx, r)
	}})
	done := enginetest.Done(t, h.Await(t, h.Submit(t, document(`,"budget":{"max_tool_calls":0}`)), nil))
	if done.Status != contracts.StateExhausted || done.Output == nil {
		t.Errorf("ended %s with %v", done.Status, done.Output)
	}
}

func TestSupervisor_leavesCancelledRuns(t *testing.T) {
	h := enginetest.Open(t, 0, &actor{name: "actor", run: func(ctx context.Context, _ *engine.Run) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}})
	id := h.Submit(t, document(""))
	begun := time.Now() //nolint:forbidigo // the test measures
	events := h.Await(t, id, func(ev contracts.RunEvent) {
		if s, ok := ev.Data.(*contracts.StatusData); ok && s.State == contracts.StateRunning {
			if err := h.Cancel(t.Context(), id, contracts.CancelRequest{}); err != nil {
				t.Error(err)
			}
		}
	})
	if done := enginetest.Done(t, events); done.Status != contracts.StateCancelled {
		t.Errorf("ended %s", done.Status)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("took %v: the run waited for its grace", took)
	}
}

func TestSupervisor_stops(t *testing.T) {
	began := make(chan struct{}, 8)
	h := enginetest.Open(t, 1, &actor{name: "actor", run: func(ctx context.Context, _ *engine.Run) error {
		began <- struct{}{}
		<-ctx.Done()
		return context.Cause(ctx)
	}})
	running, waiting := h.Submit(t, document("")), h.Submit(t, document(""))
	<-began
	h.Stop(t)
	for id, detail := range map[contracts.RunID]string{running: "the server stopped", waiting: "the server stopped before the run began"} {
		events := h.Await(t, id, nil)
		failures := enginetest.Of[*contracts.ErrorData](events)
		if done := enginetest.Done(t, events); done.Status != contracts.StateFailed || len(failures) != 1 || !failures[0].Has(contracts.ProblemEngineLost) || failures[0].Detail != detail {
			t.Errorf("run ended %s with %+v, want engine-lost: %s", done.Status, failures, detail)
		}
	}
	if len(began) > 0 {
		t.Error("a run began beside another, or after the stop")
	}
}

func TestSupervisor_limitsRunsAtOnce(t *testing.T) {
	var now, most atomic.Int32
	raise := func(n int32) {
		for m := most.Load(); n > m; m = most.Load() {
			most.CompareAndSwap(m, n)
		}
	}
	pair := make(chan struct{})
	h := enginetest.Open(t, 2, &actor{name: "actor", run: func(ctx context.Context, r *engine.Run) error {
		raise(now.Add(1))
		select { // each waits for another one, so that two are there at once
		case pair <- struct{}{}:
		case <-pair:
		}
		time.Sleep(10 * time.Millisecond)
		now.Add(-1)
		return answering(ctx, r)
	}})
	var ids []contracts.RunID
	for range 6 {
		ids = append(ids, h.Submit(t, document("")))
	}
	for _, id := range ids {
		if done := enginetest.Done(t, h.Await(t, id, nil)); done.Status != contracts.StateSucceeded {
			t.Errorf("ended %s", done.Status)
		}
	}
	if most.Load() != 2 {
		t.Errorf("%d runs at once, want 2", most.Load())
	}
}

// A run that waits for a human holds no place that another could have.
func TestSupervisor_waitingRunsHoldNoPlace(t *testing.T) {
	sign := contracts.EngineToolStart{CallID: "c", Tool: "sign_off", Args: json.RawMessage(`{"statement":"x"}`), Attempt: 1}
	h := enginetest.Open(t, 1, &actor{name: "actor", run: func(ctx context.Context, r *engine.Run) error {
		if r.Task.Goal != "wait" {
			return answering(ctx, r)
		}
		args, err := r.Begin(ctx, "", sign, sign.Args)
		if err != nil {
			return err
		}
		out, err := r.Call(ctx, "sign_off", args)
		return errors.Join(r.Append(ctx, "", &contracts.EngineToolEnd{CallID: "c", Status: engine.CallStatus(err), Output: out}), answering(ctx, r))
	}})
	waiting := h.Submit(t, []byte(strings.Replace(string(document("")), `"act"`, `"wait"`, 1)))
	var approval contracts.ApprovalID
	for approval == "" {
		snapshot, err := h.Snapshot(t.Context(), waiting)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range snapshot.OpenCalls {
			approval = call.Approval.ID
		}
		time.Sleep(time.Millisecond)
	}
	for range 3 {
		if done := enginetest.Done(t, h.Await(t, h.Submit(t, document("")), nil)); done.Status != contracts.StateSucceeded {
			t.Errorf("a run beside the one that waits ended %s", done.Status)
		}
	}
	if err := h.Decide(t.Context(), waiting, approval, contracts.ApprovalDecision{Decision: contracts.VerbApprove}); err != nil {
		t.Fatal(err)
	}
	if done := enginetest.Done(t, h.Await(t, waiting, nil)); done.Status != contracts.StateSucceeded {
		t.Errorf("the run that waited ended %s", done.Status)
	}
}

// An engine whose run was given to somebody else stops at once, and the run is theirs to end.
func TestSupervisor_stopsWithoutItsLease(t *testing.T) {
	stopped := make(chan error, 1)
	began := make(chan contracts.RunID, 1)
	h := enginetest.Open(t, 0, &actor{name: "actor", run: func(ctx context.Context, r *engine.Run) error {
		began <- r.ID
		<-ctx.Done()
		stopped <- context.Cause(ctx)
		return context.Cause(ctx)
	}})
	id := h.Submit(t, document(""))
	<-began
	lease, err := h.Journal.LeaseOf(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Journal.DropLease(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Journal.TakeLease(t.Context(), id, "node:another", time.Minute); err != nil {
		t.Fatal(err)
	}
	select {
	case cause := <-stopped:
		if cause == nil || !strings.Contains(cause.Error(), "lease") {
			t.Errorf("stopped for %v", cause)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the engine goes on")
	}
	h.Stop(t)
	if snapshot, err := h.Snapshot(t.Context(), id); err != nil || snapshot.State != contracts.StateRunning {
		t.Errorf("the run is %s, %v", snapshot.State, err)
	}
}

func TestSupervisor_lostEngine(t *testing.T) {
	h := enginetest.Open(t, 0, &actor{name: "actor", run: answering})
	id := h.Submit(t, []byte(`{"schema_version":2,"goal":"act","backend":{"prefer":["external"]}}`))
	h.Engines.Start(id, "gone")
	events := h.Await(t, id, nil)
	if failures := enginetest.Of[*contracts.ErrorData](events); len(failures) != 1 || !failures[0].Has(contracts.ProblemEngineLost) {
		t.Errorf("errors %+v", failures)
	}
	h.Engines.Start("run_00000000000000000000000000", "actor") // a run that does not exist is logged, and no more
}

// fullDoor is a door whose journal has no room for the end of a run, for some time.
type fullDoor struct {
	engine.Intake
	refusals int
	tries    int
	ended    chan struct{}
}

func (d *fullDoor) Fail(context.Context, contracts.RunID, contracts.ProblemType, string) error {
	if d.tries++; d.tries <= d.refusals {
		return fmt.Errorf("append: %w", journal.ErrFull)
	}
	close(d.ended)
	return nil
}

// A run whose end could not be stored is not left hanging once it can be.
func TestSupervisor_endsRunsWhenTheDiskHasRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry, err := engine.NewRegistry(&actor{name: "actor"})
		if err != nil {
			t.Fatal(err)
		}
		s, err := engine.NewSupervisor(engine.SupervisorConfig{
			Registry: registry, Calls: &tools.Catalogue{}, Hub: fanout.New(nil), Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		door := &fullDoor{refusals: 3, ended: make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- s.Run(ctx, door) }()
		s.Start("run_00000000000000000000000000", "gone")
		select {
		case <-door.ended:
		case <-time.After(time.Minute):
			t.Error("the run was never ended")
		}
		stop()
		if err := <-stopped; !errors.Is(err, context.Canceled) || door.tries != door.refusals+1 {
			t.Errorf("Run = %v after %d tries", err, door.tries)
		}
	})
}

func TestNewSupervisor(t *testing.T) {
	if _, err := engine.NewSupervisor(engine.SupervisorConfig{}); err == nil {
		t.Error("a supervisor of nothing is made")
	}
}
