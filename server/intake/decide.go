package intake

import (
	"bytes"
	"context"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// Decide answers a waiting call. Problems: not-found, run-finished, approval-decided, approval-expired,
// invalid-document where edited arguments do not fit the tool.
func (in *Intake) Decide(ctx context.Context, id contracts.RunID, approval contracts.ApprovalID, d contracts.ApprovalDecision) error {
	var late bool
	err := in.turn(ctx, id, author{}, func(t *turn) error {
		call, ok := t.run.state.ApprovalCall(approval)
		if !ok {
			return contracts.NewProblem(contracts.ProblemNotFound, "the run has no such approval")
		}
		if err := undecided(call); err != nil {
			return err
		}
		if t.now >= call.Approval.ExpiresAt {
			late = true
			return t.expire(call)
		}
		if err := t.decide(call, d); err != nil {
			return err
		}
		return t.settle()
	})
	if err == nil && late {
		return contracts.NewProblem(contracts.ProblemApprovalExpired, "the approval expired before it was decided")
	}
	return err
}

// undecided returns the problem of a call about which there is nothing more to decide.
func undecided(call runstate.Call) error {
	switch call.Decision {
	case "":
		return nil
	case contracts.DecisionExpired:
		return contracts.NewProblem(contracts.ProblemApprovalExpired, "the approval expired before it was decided")
	case contracts.DecisionApproved, contracts.DecisionDenied, contracts.DecisionEdited, contracts.DecisionCancelled:
	}
	return contracts.NewProblem(contracts.ProblemApprovalDecided, "the approval has been decided")
}

// expire ends a call that nobody decided in time.
func (t *turn) expire(call runstate.Call) error {
	if err := t.decideAndEnd(call, contracts.DecisionExpired, ""); err != nil {
		return err
	}
	if err := t.resume(); err != nil {
		return err
	}
	return t.settle()
}

// resume writes running for a run that waited.
func (t *turn) resume() error {
	if t.run.state.Phase() != contracts.StateWaiting {
		return nil
	}
	return t.status(contracts.StateRunning, contracts.ReasonResumed)
}

// decide adds a human's decision and what follows from it.
func (t *turn) decide(call runstate.Call, d contracts.ApprovalDecision) error {
	switch d.Decision {
	case contracts.VerbDeny:
		if err := t.decideAndEnd(call, contracts.DecisionDenied, d.By); err != nil {
			return err
		}
		return t.resume()
	case contracts.VerbEdit:
		if err := t.checkEdit(call, d.Args); err != nil {
			return err
		}
		return t.letThrough(call, &contracts.ApprovalData{Decision: contracts.DecisionEdited, By: d.By, Args: d.Args})
	case contracts.VerbApprove:
	}
	return t.letThrough(call, &contracts.ApprovalData{Decision: contracts.DecisionApproved, By: d.By})
}

// letThrough adds a decision after which the engine carries the call out.
func (t *turn) letThrough(call runstate.Call, data *contracts.ApprovalData) error {
	data.ID, data.CallID = call.Approval.ID, call.CallID
	if err := t.add(call.Branch, data); err != nil {
		return err
	}
	if err := t.checkRoom(data.Args); err != nil {
		return err
	}
	return t.resume()
}

// checkEdit holds edited arguments against the tool. Those that would have to be hidden are refused: the engine
// learns of an edit from the event, which shows no secret.
func (t *turn) checkEdit(call runstate.Call, args []byte) error {
	spec := t.specOf(call)
	if spec == nil {
		return contracts.NewProblem(contracts.ProblemToolVersionConflict, "the tool's definition changed since the run began")
	}
	misfits, err := misfits(spec.InputSchema, args, "#/args")
	if err != nil {
		return err
	}
	if len(misfits) > 0 {
		return contracts.DocumentProblem(contracts.ProblemInvalidDocument, "ApprovalDecision", misfits...)
	}
	shown, err := redact(args, spec.Redact)
	if err != nil {
		return err
	}
	if t.run.secrets.in(args) || !bytes.Equal(shown, args) {
		return contracts.DocumentProblem(contracts.ProblemInvalidDocument, "ApprovalDecision", contracts.FieldError{Pointer: "#/args", Code: contracts.CodeHidden})
	}
	return nil
}
