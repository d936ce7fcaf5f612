package intake

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/contracts/verdict"
)

// Answer judges an engine's answer and ends the run unless a revision is due. Problems: not-found,
// run-finished, illegal-transition (an open call), invalid-document where the text is not what was streamed.
//
// Without a VerifyContract an answer succeeds unverified; a refusal fails, which is what a contract that says
// nothing else would decide.
func (in *Intake) Answer(ctx context.Context, id contracts.RunID, a contracts.Answer) (contracts.Judged, error) {
	var judged contracts.Judged
	t, err := in.turn(ctx, id, nil, func(t *turn) error {
		judged = contracts.Judged{}
		if err := t.acceptAnswer(a); err != nil {
			return err
		}
		// A limit of time may have passed unnoticed; it drains the run before the answer counts, or ends it.
		if err := t.settle(); err != nil || t.run.state.Phase().Terminal() {
			return err
		}
		if t.run.task.Verification == nil {
			return t.finishUnverified(a)
		}
		v, err := t.judge(ctx, a)
		if err != nil {
			return err
		}
		judged.Verdict = v
		return t.follow(v, a)
	})
	if v, ok := errors.AsType[*runstate.Violation](err); ok { // what an answer can break, it does by its message
		return contracts.Judged{}, illegal("#/message_id", v)
	}
	if err != nil {
		return contracts.Judged{}, err
	}
	judged.Seq = t.lastSeq()
	if done, ok := t.events[len(t.events)-1].Data.(*contracts.DoneData); ok {
		judged.Done = done
	}
	return judged, nil
}

// acceptAnswer holds an answer against the run's state and against what was streamed.
func (t *turn) acceptAnswer(a contracts.Answer) error {
	s := t.run.state
	if s.Phase().Terminal() {
		return contracts.NewProblem(contracts.ProblemRunFinished, "the run has finished")
	}
	if err := t.claim(); err != nil {
		return err
	}
	if len(s.OpenCalls()) > 0 {
		return contracts.NewProblem(contracts.ProblemIllegalTransition, "a tool call is open; an answer ends the pass")
	}
	m, streamed := s.Message(a.MessageID)
	if !streamed {
		return nil
	}
	if !m.Answer || m.Channel != a.Channel {
		return answerMismatch("#/message_id")
	}
	if m.Hash != contracts.DigestText(a.Text) {
		return answerMismatch("#/text")
	}
	return nil
}

// answerMismatch is the problem of an answer that is not what viewers were shown.
func answerMismatch(pointer string) error {
	return contracts.DocumentProblem(contracts.ProblemInvalidDocument, "Answer", contracts.FieldError{Pointer: pointer, Code: contracts.CodeAnswerMismatch})
}

// finishUnverified ends a run that nothing judges.
func (t *turn) finishUnverified(a contracts.Answer) error {
	status := contracts.StateSucceeded
	if a.Channel == contracts.ChannelRefusal {
		status = contracts.StateFailed
	}
	return t.finish(t.unlessDrained(status), &ending{messageID: a.MessageID, text: a.Text, shown: true})
}

// unlessDrained is how a run ends that would end as status: one that drained ends as its drain says.
func (t *turn) unlessDrained(status contracts.State) contracts.State {
	if why := t.run.state.Drained(); why != "" {
		return drainedStatus(why)
	}
	return status
}

// judge adds the verdict on an answer.
func (t *turn) judge(ctx context.Context, a contracts.Answer) (*contracts.VerdictData, error) {
	s := t.run.state
	contract := t.run.task.Verification
	evidence := verdict.Evidence{Output: a.Text, Channel: a.Channel, Used: t.used()}
	if looksAtCalls(contract) {
		calls, err := t.in.callEvidence(ctx, t.run.id)
		if err != nil {
			return nil, fmt.Errorf("evidence of run %s: %w", t.run.id, err)
		}
		evidence.Calls = calls
	}
	v := verdict.Judge(contract, evidence, verdict.Standing{
		Pass: s.Passes(), ReflectionPasses: s.Limits().ReflectionPasses, Draining: s.Phase() == contracts.StateDraining,
	})
	v.MessageID = a.MessageID
	v.OutputHash = contracts.DigestText(a.Text)
	return &v, t.add("", &v)
}

// follow adds what follows from a verdict: nothing yet where a revision is due, else the verified answer's
// tokens and the end.
func (t *turn) follow(v *contracts.VerdictData, a contracts.Answer) error {
	if !v.Final {
		return t.settle()
	}
	contract := t.run.task.Verification
	verdictSeq := t.run.state.LastSeq()
	passed := v.Outcome == contracts.OutcomePass
	if contract.Release == contracts.ReleaseVerified && passed {
		if err := t.release(a); err != nil {
			return err
		}
	}
	judged := verdict.Status(contract, *v)
	shown := judged != contracts.StateRefused && (passed || contract.Release == contracts.ReleaseStream)
	return t.finish(t.unlessDrained(judged), &ending{messageID: a.MessageID, text: a.Text, shown: shown, verdictSeq: verdictSeq})
}

// releaseBytes is how much of a verified answer goes into one token event.
const releaseBytes = 4096

// release streams a verified answer.
func (t *turn) release(a contracts.Answer) error {
	for rest := a.Text; ; {
		delta := cutBytes(rest, releaseBytes)
		rest = rest[len(delta):]
		err := t.add("", &contracts.TokenData{ID: a.MessageID, Delta: delta, Attempt: 1, Final: rest == "", Channel: a.Channel})
		if err != nil || rest == "" {
			return err
		}
	}
}

// looksAtCalls reports whether a contract has a check on tool calls.
func looksAtCalls(c *contracts.VerifyContract) bool {
	for i := range c.Assertions {
		a := &c.Assertions[i]
		if a.Type == contracts.AssertToolSequence || strings.HasPrefix(string(a.Target), "tool:") {
			return true
		}
	}
	return false
}

// callEvidence reads the ended calls of a run from its journal, in the order in which they started.
func (in *Intake) callEvidence(ctx context.Context, id contracts.RunID) ([]verdict.CallEvidence, error) {
	var script runstate.Transcript
	err := in.eachEvent(ctx, id, func(ev contracts.RunEvent) error {
		script.Apply(ev)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return verdict.Calls(&script), nil
}
