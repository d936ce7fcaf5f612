package intake

import (
	"context"
	"log/slog"

	"axiom25/contracts"
)

// Start writes running for a queued run whose in-process engine begins, under its lease. Problems: not-found,
// run-finished, lease-lost.
func (h Holder) Start(ctx context.Context, id contracts.RunID) error {
	err := h.in.turn(ctx, id, author{engine: true, token: h.token}, func(t *turn) error {
		if t.run.state.Phase().Terminal() {
			return runFinished()
		}
		return t.claim()
	})
	return err
}

// Start is Holder.Start for an engine without a lease.
func (in *Intake) Start(ctx context.Context, id contracts.RunID) error {
	return in.As("").Start(ctx, id)
}

// Cancel asks a run to end. A queued run ends at once, another drains; one that drains already goes on
// draining. Problems: not-found, run-finished.
func (in *Intake) Cancel(ctx context.Context, id contracts.RunID, r contracts.CancelRequest) error {
	err := in.turn(ctx, id, author{}, func(t *turn) error {
		switch t.run.state.Phase() {
		case contracts.StateQueued:
			return t.finish(contracts.StateCancelled, nil)
		case contracts.StateRunning, contracts.StateWaiting:
			return t.drain(contracts.ReasonCancel)
		case contracts.StateDraining:
			return nil
		case contracts.StateSucceeded, contracts.StateRefused, contracts.StateFailed, contracts.StateCancelled, contracts.StateExhausted:
		}
		return runFinished()
	})
	if err == nil {
		in.log.LogAttrs(ctx, slog.LevelInfo, "cancel", slog.String("run", id.String()), slog.Bool("with_reason", r.Reason != ""))
	}
	return err
}

// Fail ends a run whose in-process engine gave up or died: a fatal error of type why, then done failed. A run
// that has ended is left alone.
func (in *Intake) Fail(ctx context.Context, id contracts.RunID, why contracts.ProblemType, detail string) error {
	err := in.turn(ctx, id, author{}, func(t *turn) error {
		if t.run.state.Phase().Terminal() {
			return nil
		}
		return t.fail("", &contracts.ErrorData{Problem: *contracts.NewProblem(why, detail), Fatal: true, Retry: contracts.RetryNone})
	})
	return err
}

// Leave says that an in-process engine has let go of a run. One that drains ends now, without its grace; one
// that lives on has lost its engine and fails. A run that has ended is left alone.
func (in *Intake) Leave(ctx context.Context, id contracts.RunID) error {
	err := in.turn(ctx, id, author{}, func(t *turn) error {
		switch phase := t.run.state.Phase(); {
		case phase.Terminal():
			return nil
		case phase == contracts.StateDraining:
			return t.finish(drainedStatus(t.run.state.Drained()), nil)
		}
		cause := contracts.NewProblem(contracts.ProblemEngineFailed, "the engine ended without an answer")
		return t.fail("", &contracts.ErrorData{Problem: *cause, Fatal: true, Retry: contracts.RetryNone})
	})
	return err
}
