package intake

import (
	"context"
	"errors"
	"fmt"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/contracts/verdict"
	"axiom25/server/journal"
)

// Answer is Holder.Answer for an engine without a lease.
func (in *Intake) Answer(ctx context.Context, id contracts.RunID, a contracts.Answer) (contracts.Judged, error) {
	return in.As("").Answer(ctx, id, a)
}

// Answer judges an engine's answer and ends the run unless a revision is due. Problems: not-found,
// run-finished, illegal-transition (an open call), lease-lost, invalid-document where the text is not what was streamed.
//
// Without a VerifyContract an answer succeeds unverified; a refusal fails, which is what a contract that says
// nothing else would decide.
func (h Holder) Answer(ctx context.Context, id contracts.RunID, a contracts.Answer) (contracts.Judged, error) {
	var judged contracts.Judged
	past, err := h.in.pastCalls(ctx, id)
	if err != nil {
		return contracts.Judged{}, err
	}
	t, err := h.turn(ctx, id, nil, func(t *turn) error {
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
		v, err := t.judge(ctx, a, past)
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
		return runFinished()
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
func (t *turn) judge(ctx context.Context, a contracts.Answer, past *callRecord) (*contracts.VerdictData, error) {
	s := t.run.state
	contract := t.run.task.Verification
	if _, usage := verdict.LooksAt(contract); usage && t.countedMore() {
		// A verdict is a function of what the journal shows: what the engine has counted since the last reading belongs there first.
		if err := t.tick(); err != nil {
			return nil, err
		}
	}
	evidence := verdict.Evidence{Output: a.Text, Channel: a.Channel, Used: t.used()}
	if past != nil {
		if err := t.in.readCalls(ctx, t.run.id, past); err != nil {
			return nil, fmt.Errorf("evidence of run %s: %w", t.run.id, err)
		}
		evidence.Calls = verdict.Calls(&past.script)
	}
	v := verdict.Judge(contract, evidence, verdict.StandingOf(s))
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

// callRecord is what a verdict may look at of a run's tool calls: how each ended, and of each tool the output of the call
// that started last of those that have ended. So it holds as many outputs as there are tools, however many calls.
type callRecord struct {
	script runstate.Transcript
	// after is the last event that was looked at.
	after contracts.Seq
	// started numbers the calls in the order in which they first started.
	started map[string]int
	// shown is, of each tool, the ended call that started last.
	shown map[contracts.ToolRef]*endedCall
	tools map[string]contracts.ToolRef
}

// endedCall is a call whose output is kept.
type endedCall struct {
	started int
	end     *contracts.ToolEndData
}

// pastCalls reads the calls of a run up to now where its contract looks at them, else nil. It is called before the run is
// locked, so that the lock is held for what comes in between alone.
func (in *Intake) pastCalls(ctx context.Context, id contracts.RunID) (*callRecord, error) {
	r, err := in.acquire(ctx, id)
	if err != nil {
		return nil, err
	}
	looks := false
	if r.task.Verification != nil && !r.state.Phase().Terminal() {
		looks, _ = verdict.LooksAt(r.task.Verification)
	}
	in.release(r)
	if !looks {
		return nil, nil //nolint:nilnil // nobody asks for calls
	}
	past := &callRecord{started: make(map[string]int), shown: make(map[contracts.ToolRef]*endedCall), tools: make(map[string]contracts.ToolRef)}
	if err := in.readCalls(ctx, id, past); err != nil {
		return nil, fmt.Errorf("evidence of run %s: %w", id, err)
	}
	return past, nil
}

// readCalls takes in what the journal holds behind a record.
func (in *Intake) readCalls(ctx context.Context, id contracts.RunID, c *callRecord) error {
	return in.eachLine(ctx, id, c.after, func(line journal.Event) error {
		ev, err := contracts.DecodeEvent(line.JSON)
		if err != nil {
			return fmt.Errorf("event %d: %w", line.Seq, err)
		}
		c.after = line.Seq
		c.take(ev)
		return nil
	})
}

// take takes in one event. Texts are no matter of calls.
func (c *callRecord) take(ev contracts.RunEvent) {
	switch data := ev.Data.(type) {
	case *contracts.ToolStartData:
		if _, again := c.started[data.CallID]; !again {
			c.started[data.CallID] = len(c.started)
		}
		c.tools[data.CallID] = data.Tool
	case *contracts.ToolEndData:
		c.keepLast(data)
	case *contracts.ApprovalData:
	default:
		return
	}
	c.script.Apply(ev)
}

// keepLast lets go of the output that nobody can ask for once a call has ended.
func (c *callRecord) keepLast(end *contracts.ToolEndData) {
	tool, started := c.tools[end.CallID], c.started[end.CallID]
	last := c.shown[tool]
	if last != nil && last.started > started {
		end.Output = nil
		return
	}
	if last != nil && last.started < started {
		last.end.Output = nil
	}
	c.shown[tool] = &endedCall{started: started, end: end}
}
