package runstate

import (
	"slices"

	"axiom25/contracts"
)

// message is a thought or an answer.
type message struct {
	id      string
	branch  contracts.Branch
	answer  bool
	channel contracts.Channel
	attempt int64
	text    text
	final   bool
	// saved is the recording in which the undo log got the message's earlier value.
	saved uint64
}

// attempt is one attempt of a call.
type attempt struct {
	Call
	saved uint64
}

// What a State, a message with its running hash, an attempt and a verdict take on a 64-bit machine, beside their
// strings and with their share of the maps, in bytes; an estimate for State.Size.
const (
	stateSize   = 1024 + scratchLength
	messageSize = 400
	attemptSize = 500
	verdictSize = 128
	resultSize  = 64
)

// scratchLength is how much of a text goes to its hash at a time, in bytes.
const scratchLength = 1024

// Apply folds one event. When the event breaks an invariant it returns a *Violation and changes nothing.
func (s *State) Apply(ev contracts.RunEvent) error {
	if v := s.judge(&ev); v != nil {
		return v
	}
	s.fold(&ev)
	return nil
}

// fold changes the state by an event that keeps every invariant.
func (s *State) fold(ev *contracts.RunEvent) {
	if s.lastSeq == 0 {
		s.run, s.version, s.createdAt = ev.RunID, ev.SchemaVersion, ev.Time
		s.peak = 1
		s.size = stateSize
	}
	s.lastSeq, s.lastTime = ev.Seq, ev.Time

	switch d := ev.Data.(type) {
	case *contracts.StatusData:
		s.foldStatus(ev, d)
	case *contracts.ThoughtData:
		s.foldText(ev.Branch, delta{id: d.ID, text: d.Delta, attempt: d.Attempt, final: d.Final})
	case *contracts.TokenData:
		s.foldText(ev.Branch, delta{
			id: d.ID, text: d.Delta, attempt: d.Attempt, final: d.Final, answer: true, channel: d.Channel,
		})
	case *contracts.ToolStartData:
		s.foldToolStart(ev, d)
	case *contracts.ApprovalData:
		s.foldApproval(d)
	case *contracts.ToolEndData:
		s.foldToolEnd(d)
	case *contracts.BudgetData:
		s.foldBudget(ev, d)
	case *contracts.VerdictData:
		s.foldVerdict(ev, d)
	case *contracts.ErrorData:
		if d.Fatal {
			s.fatal = d
		}
	case *contracts.DoneData:
		s.enter(d.Status, ev.Time)
		s.used = d.Used
		s.done = d
	}
}

// enter changes the state and keeps the time spent running.
func (s *State) enter(to contracts.State, at contracts.Time) {
	s.activeMS = s.activeAt(at)
	s.phase = to
	s.runningSince = at
}

func (s *State) foldStatus(ev *contracts.RunEvent, d *contracts.StatusData) {
	s.enter(d.State, ev.Time)
	switch d.State {
	case contracts.StateQueued:
		s.header = d
		s.limits = *d.Limits
		s.head = d.TaskDigest
	case contracts.StateDraining:
		s.drained, s.drainedAt = d.Reason, ev.Time
	case contracts.StateRunning, contracts.StateWaiting:
	case contracts.StateSucceeded, contracts.StateRefused, contracts.StateFailed, contracts.StateCancelled,
		contracts.StateExhausted:
	}
}

// delta is what thoughts and tokens have in common.
type delta struct {
	id      string
	text    string
	attempt int64
	final   bool
	answer  bool
	channel contracts.Channel
}

func (s *State) foldText(branch contracts.Branch, d delta) {
	m := s.message(d.id)
	if m == nil {
		m = &message{id: d.id, branch: branch, answer: d.answer, channel: d.channel, attempt: d.attempt}
		s.addMessage(m)
		s.openOn(branch)
		s.openMessages++
	} else {
		s.saveMessage(m)
	}
	if d.attempt > m.attempt {
		m.attempt, m.channel, m.text = d.attempt, d.channel, text{}
	}
	if s.scratch == nil {
		s.scratch = make([]byte, scratchLength)
	}
	m.text.add(d.text, s.scratch)
	if d.final {
		s.closeMessage(m)
	}
}

func (s *State) closeMessage(m *message) {
	m.text.close()
	m.final = true
	s.openMessages--
	s.closeOn(m.branch)
}

func (s *State) foldToolStart(ev *contracts.RunEvent, d *contracts.ToolStartData) {
	a := &attempt{Call: Call{
		OpenCall: contracts.OpenCall{
			CallID: d.CallID, Tool: d.Tool, Branch: ev.Branch, Attempt: d.Attempt,
			StartedAt: ev.Time, Gate: d.Gate, Approval: d.Approval,
		},
		ToolDigest: d.ToolDigest,
		Args:       d.Args,
	}}
	s.addAttempt(a)
	s.toolCalls++
	s.openOn(ev.Branch)
}

func (s *State) foldApproval(d *contracts.ApprovalData) {
	a := s.calls[d.CallID]
	s.saveAttempt(a)
	a.Decision, a.By = d.Decision, d.By
	if d.Decision == contracts.DecisionEdited {
		s.size += int64(len(d.Args) - len(a.Args))
		a.Args = d.Args
	}
}

func (s *State) foldToolEnd(d *contracts.ToolEndData) {
	a := s.calls[d.CallID]
	s.saveAttempt(a)
	a.Ended = true
	s.size -= int64(len(a.Args))
	a.Args = nil
	s.open = slices.DeleteFunc(s.open, func(o *attempt) bool { return o == a })
	s.closeOn(a.Branch)
	s.receipts++
	s.head = d.Receipt.Hash
}

func (s *State) foldBudget(ev *contracts.RunEvent, d *contracts.BudgetData) {
	s.used = d.Used
	s.lastTick = ev.Time
	if d.Phase == contracts.BudgetWarn {
		s.warned |= warnBit(d.Dimension)
	}
	if _, reached := s.Reached(d.Used); reached {
		s.reached = true
	}
}

func (s *State) foldVerdict(ev *contracts.RunEvent, d *contracts.VerdictData) {
	s.verdicts = append(s.verdicts, *d)
	s.verdictSeq = ev.Seq
	s.size += verdictSize + int64(len(d.Results))*resultSize
	if d.Outcome == contracts.OutcomeRevise {
		s.reflections++
	}
	if m := s.message(d.MessageID); m != nil && !m.final {
		s.saveMessage(m)
		s.closeMessage(m)
	}
}

// message finds a message, or nil.
func (s *State) message(id string) *message {
	if s.recent == nil || s.recent.id != id {
		s.recent = s.messages[id]
	}
	return s.recent
}

func (s *State) addMessage(m *message) {
	if s.messages == nil {
		s.messages = make(map[string]*message)
	}
	s.messages[m.id] = m
	s.recent = m
	s.size += messageSize + int64(len(m.id)+len(m.branch))
	s.undo.addedMessage(m)
}

func (s *State) addAttempt(a *attempt) {
	if s.calls == nil {
		s.calls = make(map[string]*attempt)
		s.approvals = make(map[contracts.ApprovalID]*attempt)
	}
	s.undo.replacedCall(a, s.calls[a.CallID])
	s.calls[a.CallID] = a
	if a.Approval != nil {
		s.approvals[a.Approval.ID] = a
	}
	s.open = append(s.open, a)
	s.size += attemptSize + int64(len(a.CallID)+len(a.Branch)+len(a.Tool)+len(a.Args))
}

// openOn counts something that opened on a branch.
func (s *State) openOn(branch contracts.Branch) {
	i := slices.IndexFunc(s.alive, func(a aliveBranch) bool { return a.branch == branch })
	if i >= 0 {
		s.alive[i].open++
		return
	}
	s.alive = append(s.alive, aliveBranch{branch: branch, open: 1})
	s.peak = max(s.peak, s.BranchesAlive())
}

// closeOn counts something that closed on a branch.
func (s *State) closeOn(branch contracts.Branch) {
	i := slices.IndexFunc(s.alive, func(a aliveBranch) bool { return a.branch == branch })
	s.alive[i].open--
	if s.alive[i].open == 0 {
		s.alive = slices.Delete(s.alive, i, i+1)
	}
}
