package runstate

import (
	"slices"

	"axiom25/contracts"
)

// undoLog holds what a State was at Begin, as far as it changed since. What every event changes is copied at
// Begin; a message or an attempt is copied when it first changes, so that a recording costs what it touches.
type undoLog struct {
	recording bool
	// generation numbers the recordings, from 1.
	generation uint64

	core     core
	verdicts int
	open     []*attempt
	alive    []aliveBranch
	// messages and attempts are earlier values, added the ids of what was not there before.
	messages []savedMessage
	attempts []savedAttempt
	added    []string
	replaced []replacedCall
}

type savedMessage struct {
	place *message
	value message
}

type savedAttempt struct {
	place *attempt
	value attempt
}

// replacedCall is the attempt that a new one took the place of, or nil.
type replacedCall struct {
	id       string
	approval contracts.ApprovalID
	earlier  *attempt
}

// Begin starts recording what Apply changes, until Commit or Rollback. It panics when already recording.
func (s *State) Begin() {
	u := &s.undo
	if u.recording {
		panic("runstate: Begin while recording")
	}
	u.recording = true
	u.generation++
	u.core = s.core
	u.verdicts = len(s.verdicts)
	u.open = append(u.open[:0], s.open...)
	u.alive = append(u.alive[:0], s.alive...)
}

// Commit keeps what was applied since Begin.
func (s *State) Commit() { s.undo.reset() }

// Rollback restores the state as it was at Begin. Without a Begin it does nothing.
func (s *State) Rollback() {
	u := &s.undo
	if !u.recording {
		return
	}
	s.core = u.core
	clear(s.verdicts[u.verdicts:])
	s.verdicts = s.verdicts[:u.verdicts]
	s.open = append(s.open[:0], u.open...)
	s.alive = append(s.alive[:0], u.alive...)
	for _, m := range u.messages {
		*m.place = m.value
	}
	for _, a := range u.attempts {
		*a.place = a.value
	}
	for _, id := range u.added {
		delete(s.messages, id)
	}
	// backwards: a call can be retried more than once in one recording
	for _, r := range slices.Backward(u.replaced) {
		if r.earlier == nil {
			delete(s.calls, r.id)
		} else {
			s.calls[r.id] = r.earlier
		}
		delete(s.approvals, r.approval)
	}
	s.recent = nil
	u.reset()
}

// reset empties the log and keeps its memory, but nothing that it refers to.
func (u *undoLog) reset() {
	u.recording = false
	u.core = core{}
	clear(u.open)
	clear(u.messages)
	clear(u.attempts)
	clear(u.added)
	clear(u.replaced)
	u.messages, u.attempts = u.messages[:0], u.attempts[:0]
	u.added, u.replaced = u.added[:0], u.replaced[:0]
}

// addedMessage records that m was not there before.
func (u *undoLog) addedMessage(m *message) {
	if u.recording {
		m.saved = u.generation
		u.added = append(u.added, m.id)
	}
}

// replacedCall records that a takes the place of earlier, which may be nil.
func (u *undoLog) replacedCall(a, earlier *attempt) {
	if !u.recording {
		return
	}
	a.saved = u.generation
	r := replacedCall{id: a.CallID, earlier: earlier}
	if a.Approval != nil {
		r.approval = a.Approval.ID
	}
	u.replaced = append(u.replaced, r)
}

// saveMessage records a message that is about to change. The hash goes on in a clone of itself.
func (s *State) saveMessage(m *message) {
	if !s.undo.recording || m.saved == s.undo.generation {
		return
	}
	m.saved = s.undo.generation
	s.undo.messages = append(s.undo.messages, savedMessage{place: m, value: *m})
	m.text = m.text.clone()
}

// saveAttempt records an attempt that is about to change.
func (s *State) saveAttempt(a *attempt) {
	if !s.undo.recording || a.saved == s.undo.generation {
		return
	}
	a.saved = s.undo.generation
	s.undo.attempts = append(s.undo.attempts, savedAttempt{place: a, value: *a})
}
