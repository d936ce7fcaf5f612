package runstate

import (
	"slices"

	"axiom25/contracts"
)

// invariants are the rules that a stream of events keeps; invariant n stands at n−1. Each says what is wrong
// with an event, or nothing. They are asked in order, so that a rule may rely on those before it.
//
// An event of an unknown type, and one behind done, is held against the first three and the last only.
var invariants = [...]func(s *State, ev *contracts.RunEvent) (wrong string){
	(*State).gapless,
	(*State).oneRun,
	(*State).forwardInTime,
	(*State).legalType,
	(*State).legalChange,
	(*State).growingText,
	(*State).onItsBranch,
	(*State).pairedCalls,
	(*State).heldByGate,
	(*State).chainedReceipts,
	(*State).withinBudget,
	(*State).judgedInTurn,
	(*State).scoredUnlessErrored,
	(*State).endsAsJudged,
	(*State).stopsWhenFatal,
	(*State).answersAsStreamed,
	(*State).releasedWhenVerified,
	(*State).doneIsLast,
}

// judge holds an event against the invariants and returns the first that it breaks, or nil.
func (s *State) judge(ev *contracts.RunEvent) *Violation {
	_, unknown := ev.Data.(contracts.UnknownData)
	envelopeOnly := unknown || s.done != nil
	for i, wrong := range invariants {
		if envelopeOnly && i >= 3 && i < len(invariants)-1 {
			continue
		}
		if detail := wrong(s, ev); detail != "" {
			return &Violation{Invariant: i + 1, Seq: ev.Seq, Detail: detail}
		}
	}
	return nil
}

// gapless is invariant 1: seq counts from 1 without a gap.
func (s *State) gapless(ev *contracts.RunEvent) string {
	if ev.Seq != s.lastSeq+1 {
		return "seq must follow the last event's without a gap"
	}
	return ""
}

// oneRun is invariant 2: one run, one version.
func (s *State) oneRun(ev *contracts.RunEvent) string {
	switch {
	case s.lastSeq == 0:
		return ""
	case ev.RunID != s.run:
		return "the event belongs to another run"
	case ev.SchemaVersion != s.version:
		return "the event is of another version than the first"
	}
	return ""
}

// forwardInTime is invariant 3: time never goes back.
func (s *State) forwardInTime(ev *contracts.RunEvent) string {
	if s.lastSeq != 0 && ev.Time < s.lastTime {
		return "time goes back"
	}
	return ""
}

// legalType is invariant 4: the type of the event is legal in the state that the run is in, and the body
// belongs to it.
func (s *State) legalType(ev *contracts.RunEvent) string {
	if ev.Data == nil || ev.Data.EventType() != ev.Type || !isEventBody(ev.Data) {
		return "the body does not belong to the event's type"
	}
	if !legalIn(s.phase, ev.Type) {
		return "the run's state does not allow an event of this type"
	}
	return ""
}

// isEventBody reports whether data is one that a journal holds, and not an engine's line.
func isEventBody(data contracts.EventData) bool {
	switch data.(type) {
	case *contracts.StatusData, *contracts.ThoughtData, *contracts.TokenData, *contracts.ToolStartData,
		*contracts.ApprovalData, *contracts.ToolEndData, *contracts.BudgetData, *contracts.VerdictData,
		*contracts.ErrorData, *contracts.DoneData:
		return true
	}
	return false
}

// legalIn is the table of the types that each state allows.
func legalIn(phase contracts.State, t contracts.EventType) bool {
	switch phase {
	case "":
		return t == contracts.EventStatus
	case contracts.StateQueued:
		return t == contracts.EventStatus || t == contracts.EventError || t == contracts.EventDone
	case contracts.StateRunning:
		return true
	case contracts.StateWaiting:
		return t != contracts.EventThought && t != contracts.EventToken &&
			t != contracts.EventToolStart && t != contracts.EventVerdict
	case contracts.StateDraining:
		return t != contracts.EventToolStart && t != contracts.EventStatus
	case contracts.StateSucceeded, contracts.StateRefused, contracts.StateFailed, contracts.StateCancelled,
		contracts.StateExhausted:
	}
	return false
}

// legalChange is invariant 5: the change of state is legal. The run begins queued, with its limits and its
// task's digest. It drains for a limit or a cancellation. It waits only when nothing can go on without a
// human: a call waits, every open call waits, and no message is open.
func (s *State) legalChange(ev *contracts.RunEvent) string {
	d, ok := ev.Data.(*contracts.StatusData)
	if !ok {
		return ""
	}
	if !legalFrom(s.phase, d.State) {
		return "the run cannot change to this state from the one that it is in"
	}
	switch d.State {
	case contracts.StateQueued:
		if d.Limits == nil || d.TaskDigest == "" {
			return "the run begins without its limits or its task's digest"
		}
	case contracts.StateDraining:
		if !d.Reason.Exhausted() && d.Reason != contracts.ReasonCancel {
			return "a run drains for a limit or a cancellation only"
		}
	case contracts.StateWaiting:
		working := func(a *attempt) bool { return !a.Pending() }
		if len(s.open) == 0 || s.openMessages > 0 || slices.ContainsFunc(s.open, working) {
			return "a run waits only when nothing can go on without a human"
		}
	case contracts.StateRunning:
	case contracts.StateSucceeded, contracts.StateRefused, contracts.StateFailed, contracts.StateCancelled,
		contracts.StateExhausted:
	}
	return ""
}

// legalFrom is the table of the changes of state; done is not among them.
func legalFrom(from, to contracts.State) bool {
	switch to {
	case contracts.StateQueued:
		return from == ""
	case contracts.StateRunning:
		return from == contracts.StateQueued || from == contracts.StateWaiting
	case contracts.StateWaiting:
		return from == contracts.StateRunning
	case contracts.StateDraining:
		return from == contracts.StateQueued || from == contracts.StateRunning || from == contracts.StateWaiting
	case contracts.StateSucceeded, contracts.StateRefused, contracts.StateFailed, contracts.StateCancelled,
		contracts.StateExhausted:
	}
	return false
}

// growingText is invariant 6: a higher attempt discards what the message said before, a lower one never comes,
// and nothing follows the message's final event or its verdict. A message stays a thought or an answer, and an
// attempt stays on its channel.
func (s *State) growingText(ev *contracts.RunEvent) string {
	var d delta
	switch data := ev.Data.(type) {
	case *contracts.ThoughtData:
		d = delta{id: data.ID, attempt: data.Attempt}
	case *contracts.TokenData:
		d = delta{id: data.ID, attempt: data.Attempt, answer: true, channel: data.Channel}
	default:
		return ""
	}
	m := s.message(d.id)
	switch {
	case m == nil:
		return ""
	case m.final:
		return "the message is final"
	case m.answer != d.answer:
		return "a message is either a thought or an answer"
	case d.attempt < m.attempt:
		return "the attempt was given up for a higher one"
	case d.attempt == m.attempt && d.channel != m.channel:
		return "an attempt stays on its channel"
	}
	return ""
}

// onItsBranch is invariant 7: an id stays on its branch.
func (s *State) onItsBranch(ev *contracts.RunEvent) string {
	branch := ev.Branch
	switch d := ev.Data.(type) {
	case *contracts.ThoughtData:
		branch = s.branchOfMessage(d.ID, branch)
	case *contracts.TokenData:
		branch = s.branchOfMessage(d.ID, branch)
	case *contracts.ToolStartData:
		branch = s.branchOfCall(d.CallID, branch)
	case *contracts.ApprovalData:
		branch = s.branchOfCall(d.CallID, branch)
	case *contracts.ToolEndData:
		branch = s.branchOfCall(d.CallID, branch)
	}
	if branch != ev.Branch {
		return "the id belongs to another branch"
	}
	return ""
}

func (s *State) branchOfMessage(id string, otherwise contracts.Branch) contracts.Branch {
	if m := s.message(id); m != nil {
		return m.branch
	}
	return otherwise
}

func (s *State) branchOfCall(id string, otherwise contracts.Branch) contracts.Branch {
	if a, ok := s.calls[id]; ok {
		return a.Branch
	}
	return otherwise
}

// pairedCalls is invariant 8: every tool_start has exactly one tool_end before done. A retry is the same
// tool's next attempt, after the end of the one before.
func (s *State) pairedCalls(ev *contracts.RunEvent) string {
	switch d := ev.Data.(type) {
	case *contracts.ToolStartData:
		a, known := s.calls[d.CallID]
		switch {
		case !known && d.Attempt != 1:
			return "the first attempt of a call is 1"
		case !known:
			return ""
		case !a.Ended:
			return "the call has not ended"
		case d.Attempt != a.Attempt+1:
			return "a retry is the call's next attempt"
		case d.Tool != a.Tool:
			return "a retry is a call of the same tool"
		}
	case *contracts.ToolEndData:
		if a, known := s.calls[d.CallID]; !known || a.Ended {
			return "no such call is open"
		}
	case *contracts.DoneData:
		if len(s.open) > 0 {
			return "a call has not ended"
		}
	}
	return ""
}

// heldByGate is invariant 9: a denied call ends denied, and an asked one has its approval before its end. A
// gate lets only the tools through that were pinned when the run began, in the definition that was pinned.
func (s *State) heldByGate(ev *contracts.RunEvent) string {
	switch d := ev.Data.(type) {
	case *contracts.ToolStartData:
		return s.gateOfStart(d)
	case *contracts.ApprovalData:
		a, known := s.calls[d.CallID]
		if !known || !a.Pending() || a.Approval.ID != d.ID {
			return "no such approval is pending"
		}
		if (d.Decision == contracts.DecisionEdited) != (d.Args != nil) {
			return "edited arguments come with the decision edited, and with no other"
		}
	case *contracts.ToolEndData:
		return gateOfEnd(&s.calls[d.CallID].Call, d.Status)
	}
	return ""
}

// gateOfStart is heldByGate for a call that starts.
func (s *State) gateOfStart(d *contracts.ToolStartData) string {
	if (d.Gate == contracts.GateAsk) != (d.Approval != nil) {
		return "an approval is requested by gate ask, and by no other"
	}
	if d.Approval != nil && s.approvals[d.Approval.ID] != nil {
		return "the approval belongs to another call"
	}
	if d.Gate != contracts.GateDeny && (d.ToolDigest == "" || s.header.Tools[string(d.Tool)] != d.ToolDigest) {
		return "the tool is not one that was pinned when the run began"
	}
	return ""
}

// gateOfEnd is heldByGate for a call that ends.
func gateOfEnd(c *Call, status contracts.CallStatus) string {
	var held bool
	switch c.Gate {
	case contracts.GateDeny:
		held = status == contracts.CallDenied
	case contracts.GateAllow:
		held = status != contracts.CallDenied
	case contracts.GateAsk:
		switch c.Decision {
		case contracts.DecisionApproved, contracts.DecisionEdited:
			held = status != contracts.CallDenied
		case contracts.DecisionDenied:
			held = status == contracts.CallDenied
		case contracts.DecisionExpired:
			held = status == contracts.CallTimeout
		case contracts.DecisionCancelled:
			held = status == contracts.CallCancelled
		}
	}
	if !held {
		return "the call's gate and its approval do not lead to this end"
	}
	return ""
}

// chainedReceipts is invariant 10: the receipt chain verifies, each receipt says what the stream shows, and done
// states the chain's length and head.
func (s *State) chainedReceipts(ev *contracts.RunEvent) string {
	switch d := ev.Data.(type) {
	case *contracts.ToolEndData:
		if faults := judgeReceipt(&s.calls[d.CallID].Call, d, ev.Time, s.head); len(faults) > 0 {
			return string(faults[0])
		}
	case *contracts.DoneData:
		if d.Receipts != s.receipts || d.ReceiptsHead != s.head {
			return "done does not state the end of the receipt chain"
		}
	}
	return ""
}

// withinBudget is invariant 11, in five parts:
//
//   - usage never shrinks, its counts are those of the stream and its times no longer than the stream;
//   - one warning a dimension;
//   - no call beyond max_tool_calls and no branch beyond branch_width;
//   - after the first reading that reaches a limit the run drains, or fails for good, before anything else but
//     another reading happens. The server judges the budget behind an engine's events, in the same append, so
//     that this binds the server alone; and it never writes an end that reached a limit without having drained,
//     but for a fatal error and a cancellation;
//   - a run that drained for a limit ends exhausted, unless a fatal error ended it, and no other run does.
func (s *State) withinBudget(ev *contracts.RunEvent) string {
	if wrong := s.drainsWhenReached(ev); wrong != "" {
		return wrong
	}
	switch d := ev.Data.(type) {
	case *contracts.ThoughtData:
		return s.widthFor(d.ID, ev.Branch)
	case *contracts.TokenData:
		return s.widthFor(d.ID, ev.Branch)
	case *contracts.ToolStartData:
		if s.toolCalls >= s.limits.MaxToolCalls {
			return "more calls than max_tool_calls"
		}
		return s.width(ev.Branch)
	case *contracts.BudgetData:
		if d.Phase == contracts.BudgetWarn {
			bit := warnBit(d.Dimension)
			if bit == 0 || s.warned&bit != 0 {
				return "a warning is about one dimension, once"
			}
		}
		return s.metered(d.Used, ev.Time)
	case *contracts.DoneData:
		if wrong := s.endsForLimit(d); wrong != "" {
			return wrong
		}
		return s.metered(d.Used, ev.Time)
	}
	return ""
}

// drainsWhenReached is the part of withinBudget that says what may follow a reading at its limit.
func (s *State) drainsWhenReached(ev *contracts.RunEvent) string {
	if !s.reached || s.phase == contracts.StateDraining {
		return ""
	}
	switch d := ev.Data.(type) {
	case *contracts.BudgetData:
		return ""
	case *contracts.StatusData:
		if d.State == contracts.StateDraining {
			return ""
		}
	case *contracts.ErrorData:
		if d.Fatal {
			return ""
		}
	case *contracts.ToolEndData, *contracts.DoneData:
		if s.fatal != nil {
			return ""
		}
	}
	return "a limit was reached: the run drains before anything else happens"
}

// endsForLimit is the part of withinBudget about done.
func (s *State) endsForLimit(d *contracts.DoneData) string {
	exhausted := d.Status == contracts.StateExhausted
	byError := s.fatal != nil && d.Status == contracts.StateFailed
	switch {
	case exhausted && !s.drained.Exhausted():
		return "a run that did not drain for a limit is not exhausted"
	case s.drained.Exhausted() && !exhausted && !byError:
		return "a run that drained for a limit is exhausted"
	}
	if s.drained == "" && !byError && d.Status != contracts.StateCancelled {
		if _, reached := s.Reached(d.Used); reached {
			return "a limit was reached: the run drains before it ends"
		}
	}
	return ""
}

// widthFor holds a message that may be new against the branch width.
func (s *State) widthFor(id string, branch contracts.Branch) string {
	if s.message(id) != nil {
		return ""
	}
	return s.width(branch)
}

// width holds something that opens on a branch against the branch width.
func (s *State) width(branch contracts.Branch) string {
	if s.BranchesWith(branch) > s.limits.BranchWidth {
		return "more branches alive than branch_width"
	}
	return ""
}

// metered is the part of withinBudget about a reading of the meter.
func (s *State) metered(u contracts.Usage, now contracts.Time) string {
	last := s.used
	switch {
	case u.TokensIn < last.TokensIn, u.TokensOut < last.TokensOut, u.TokensCached < last.TokensCached,
		u.TokensReasoning < last.TokensReasoning, u.WallMS < last.WallMS, u.ActiveMS < last.ActiveMS,
		u.CostMicroUSD < last.CostMicroUSD:
		return "usage shrinks"
	case u.WallMS > now.Sub(s.createdAt), u.ActiveMS > s.activeAt(now):
		return "usage claims more time than has passed"
	case u.ToolCalls != s.toolCalls, u.Branches != s.peak, u.Reflections != s.reflections:
		return "usage does not count what the stream shows"
	}
	return ""
}

// judgedInTurn is invariant 12: verdicts count their passes from 0, none follows a final one, and the judged
// text, where it stands in the stream, hashes to what the verdict says. Only a run with a contract is judged,
// each pass with a message of its own, and a revision is granted only while one remains and the run does not
// drain.
func (s *State) judgedInTurn(ev *contracts.RunEvent) string {
	d, ok := ev.Data.(*contracts.VerdictData)
	if !ok {
		return ""
	}
	revise := d.Outcome == contracts.OutcomeRevise
	switch {
	case s.header.Release == "":
		return "the run has no contract to be judged by"
	case len(s.verdicts) > 0 && s.verdicts[len(s.verdicts)-1].Final:
		return "a final verdict stands"
	case d.Pass != int64(len(s.verdicts)):
		return "passes are counted from 0"
	case d.Final == revise:
		return "a verdict is final unless it asks for a revision"
	case revise && (d.Pass >= s.limits.ReflectionPasses || s.phase == contracts.StateDraining):
		return "no further pass may begin"
	case slices.ContainsFunc(s.verdicts, func(v contracts.VerdictData) bool { return v.MessageID == d.MessageID }):
		return "the message was judged before"
	}
	if m := s.message(d.MessageID); m != nil && (!m.answer || m.text.digest() != d.OutputHash) {
		return "the judged text is not the one that was streamed"
	}
	return ""
}

// scoredUnlessErrored is invariant 13: an errored verdict has no score, and a verdict with an errored check is
// errored.
func (s *State) scoredUnlessErrored(ev *contracts.RunEvent) string {
	d, ok := ev.Data.(*contracts.VerdictData)
	if !ok {
		return ""
	}
	errored := d.Outcome == contracts.OutcomeError
	check := slices.ContainsFunc(d.Results, func(r contracts.CheckResult) bool {
		return r.Status == contracts.CheckError
	})
	switch {
	case errored && d.Score != nil:
		return "an errored verdict has a score"
	case check && !errored:
		return "a check errored and the verdict did not"
	}
	return ""
}

// endsAsJudged is invariant 14: where a contract was set, succeeded cites a pass; refused cites a refusal, or
// an error (under on_error=refuse, which the stream does not show), and carries no output. Whatever done cites
// is the last verdict.
func (s *State) endsAsJudged(ev *contracts.RunEvent) string {
	d, ok := ev.Data.(*contracts.DoneData)
	if !ok {
		return ""
	}
	var outcome contracts.Outcome
	if d.VerdictSeq != 0 {
		v, seq := s.Verdict()
		if v == nil || seq != d.VerdictSeq {
			return "done cites a verdict that is not the last"
		}
		if d.MessageID != "" && d.MessageID != v.MessageID {
			return "done and the verdict that it cites name different messages"
		}
		if d.OutputHash != "" && d.OutputHash != v.OutputHash {
			return "done and the verdict that it cites name different texts"
		}
		outcome = v.Outcome
	}
	switch d.Status {
	case contracts.StateSucceeded:
		if s.header.Release != "" && outcome != contracts.OutcomePass {
			return "succeeded without a pass"
		}
	case contracts.StateRefused:
		if outcome != contracts.OutcomeRefuse && outcome != contracts.OutcomeError {
			return "refused without a verdict that refuses"
		}
		if d.Output != nil {
			return "a refused run shows its output"
		}
	case contracts.StateFailed, contracts.StateCancelled, contracts.StateExhausted:
	case contracts.StateQueued, contracts.StateRunning, contracts.StateWaiting, contracts.StateDraining:
		return "the run does not end in this state"
	}
	return ""
}

// stopsWhenFatal is invariant 15: after a fatal error only tool_end and done, and the run has failed unless it
// was draining already. Calls that wait for a human get their approval cancelled before the error.
func (s *State) stopsWhenFatal(ev *contracts.RunEvent) string {
	if s.fatal == nil {
		return ""
	}
	switch d := ev.Data.(type) {
	case *contracts.ToolEndData:
		return ""
	case *contracts.DoneData:
		exhausted := d.Status == contracts.StateExhausted && s.drained.Exhausted()
		cancelled := d.Status == contracts.StateCancelled && s.drained == contracts.ReasonCancel
		if d.Status == contracts.StateFailed || exhausted || cancelled {
			return ""
		}
		return "a fatal error ends a run as failed"
	}
	return "a fatal error stands"
}

// answersAsStreamed is invariant 16: the output of done is the streamed text of the last attempt.
func (s *State) answersAsStreamed(ev *contracts.RunEvent) string {
	d, ok := ev.Data.(*contracts.DoneData)
	if !ok {
		return ""
	}
	if d.Output != nil && (d.MessageID == "" || contracts.DigestText(*d.Output) != d.OutputHash) {
		return "the output needs its message and its hash"
	}
	if d.OutputHash == "" {
		return ""
	}
	if m := s.message(d.MessageID); m != nil && (!m.answer || m.text.digest() != d.OutputHash) {
		return "the output is not what was streamed"
	}
	return ""
}

// releasedWhenVerified is invariant 17: with release=verified, no text of an answer before its pass, neither
// streamed nor as output.
func (s *State) releasedWhenVerified(ev *contracts.RunEvent) string {
	if s.header == nil || s.header.Release != contracts.ReleaseVerified {
		return ""
	}
	var id string
	switch d := ev.Data.(type) {
	case *contracts.TokenData:
		id = d.ID
	case *contracts.DoneData:
		if d.Output == nil {
			return ""
		}
		id = d.MessageID
	default:
		return ""
	}
	if v, _ := s.Verdict(); v == nil || v.Outcome != contracts.OutcomePass || v.MessageID != id {
		return "an answer is shown before it passed"
	}
	return ""
}

// doneIsLast is invariant 18: done is last and unique. Check adds that it is there.
func (s *State) doneIsLast(*contracts.RunEvent) string {
	if s.done != nil {
		return "the run is done"
	}
	return ""
}
