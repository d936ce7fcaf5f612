package intake

import (
	"context"
	"errors"
	"log/slog"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Start writes running for a queued run whose in-process engine begins. Problems: not-found, run-finished.
func (in *Intake) Start(ctx context.Context, id contracts.RunID) error {
	_, err := in.turn(ctx, id, nil, func(t *turn) error {
		if t.run.state.Phase().Terminal() {
			return contracts.NewProblem(contracts.ProblemRunFinished, "the run has finished")
		}
		return t.claim()
	})
	return err
}

// Cancel asks a run to end. A queued run ends at once, another drains; one that drains already goes on
// draining. Problems: not-found, run-finished.
func (in *Intake) Cancel(ctx context.Context, id contracts.RunID, r contracts.CancelRequest) error {
	_, err := in.turn(ctx, id, nil, func(t *turn) error {
		switch t.run.state.Phase() {
		case contracts.StateQueued:
			return t.finish(contracts.StateCancelled, nil)
		case contracts.StateRunning, contracts.StateWaiting:
			return t.drain(contracts.ReasonCancel)
		case contracts.StateDraining:
			return nil
		case contracts.StateSucceeded, contracts.StateRefused, contracts.StateFailed, contracts.StateCancelled, contracts.StateExhausted:
		}
		return contracts.NewProblem(contracts.ProblemRunFinished, "the run has finished")
	})
	if err == nil {
		in.log.LogAttrs(ctx, slog.LevelInfo, "cancel", slog.String("run", id.String()), slog.Bool("with_reason", r.Reason != ""))
	}
	return err
}

// Fail ends a run whose in-process engine gave up or died: a fatal error of type why, then done failed. A run
// that has ended is left alone.
func (in *Intake) Fail(ctx context.Context, id contracts.RunID, why contracts.ProblemType, detail string) error {
	_, err := in.turn(ctx, id, nil, func(t *turn) error {
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
	_, err := in.turn(ctx, id, nil, func(t *turn) error {
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

// liveStates are those in which something can still happen.
var liveStates = []contracts.State{ //nolint:gochecknoglobals // a constant that Go cannot say
	contracts.StateQueued, contracts.StateRunning, contracts.StateWaiting, contracts.StateDraining,
}

// recoverPage is how many unfinished runs are read at once.
const recoverPage = 500

// Recover takes up the runs that an earlier process left unfinished: those that an in-process engine had begun
// are ended as engine-lost, those it had not begun are started, and the deadlines of the others are kept
// again. It is called once, before the server listens. A run that is damaged is left as it is and logged, so that
// the server can show the others; where damage hides which run it is, so are the older ones.
func (in *Intake) Recover(ctx context.Context) error {
	query := journal.Query{States: liveStates, Limit: recoverPage}
	for {
		rows, err := in.journal.List(ctx, query)
		damaged, isDamage := errors.AsType[*journal.DamagedError](err)
		if err != nil && !isDamage {
			return err
		}
		for i := range rows {
			if err := in.takeUp(ctx, &rows[i]); err != nil {
				in.log.LogAttrs(ctx, slog.LevelError, "an unfinished run cannot be taken up",
					slog.String("run", rows[i].RunID.String()), slog.String("error", err.Error()))
			}
		}
		switch {
		case isDamage:
			in.log.LogAttrs(ctx, slog.LevelError, "the list of unfinished runs is damaged", slog.String("error", err.Error()))
			if damaged.Run == "" {
				return nil
			}
			query.Before = damaged.Run
		case len(rows) < recoverPage:
			return nil
		default:
			query.Before = rows[len(rows)-1].RunID
		}
	}
}

// takeUp takes up one unfinished run.
func (in *Intake) takeUp(ctx context.Context, row *contracts.Summary) error {
	inProcess := row.Backend != contracts.ExternalEngine
	if inProcess && row.State != contracts.StateQueued {
		return in.Fail(ctx, row.RunID, contracts.ProblemEngineLost, "the server that ran the engine stopped")
	}
	r, err := in.acquire(ctx, row.RunID)
	if err != nil {
		return err
	}
	defer in.release(r)
	in.deadlines.set(r.id, in.nextDeadline(r))
	if inProcess {
		in.engines.Start(r.id, row.Backend)
	}
	return nil
}
