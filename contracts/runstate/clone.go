package runstate

import (
	"maps"
	"slices"
	"strings"
)

// Clone returns a State that stands where s does and goes on by itself: what is applied to one is never seen in the other. It
// costs what is open, and an entry for what is not; messages that are final and attempts that have ended change no more and
// are shared. It panics while s is recording.
func (s *State) Clone() *State {
	if s.undo.recording {
		panic("runstate: Clone while recording")
	}
	c := &State{
		core: s.core, verdicts: slices.Clip(s.verdicts), alive: slices.Clone(s.alive),
		messages: maps.Clone(s.messages), calls: maps.Clone(s.calls), approvals: maps.Clone(s.approvals),
		open: slices.Clone(s.open),
	}
	// The texts go on in the clone's own hashes.
	for id, m := range s.messages {
		if !m.final {
			own := *m
			own.saved, own.text = 0, m.text.clone()
			c.messages[id] = &own
		}
	}
	for i, a := range s.open {
		own := *a
		own.saved = 0
		c.open[i] = &own
		if s.calls[a.CallID] == a {
			c.calls[a.CallID] = &own
		}
		if a.Approval != nil && s.approvals[a.Approval.ID] == a {
			c.approvals[a.Approval.ID] = &own
		}
	}
	return c
}

// Clone returns a Transcript that stands where t does and goes on by itself: what is applied to one is never seen in the
// other. No text is copied before it grows in the clone. What is final or has ended is shared until one of the two changes
// it all the same, which only a stream that breaks an invariant does.
func (t *Transcript) Clone() *Transcript {
	c := &Transcript{
		entries: slices.Clip(t.entries), statuses: slices.Clip(t.statuses), verdicts: slices.Clip(t.verdicts),
		errors: slices.Clip(t.errors), messages: slices.Clone(t.messages), calls: slices.Clone(t.calls),
		byMessage: maps.Clone(t.byMessage), byCall: maps.Clone(t.byCall),
		lastSeq: t.lastSeq, used: t.used, done: t.done,
	}
	for i, m := range t.messages {
		if m.Final {
			m.shared = true
		} else {
			c.messages[i] = m.clone()
		}
	}
	for i, call := range t.calls {
		if call.End != nil {
			call.shared = true
		} else {
			own := *call
			c.calls[i] = &own
		}
	}
	return c
}

// clone returns a message of its own with the same text, which is not copied before it grows.
func (m *TranscriptMessage) clone() *TranscriptMessage {
	return &TranscriptMessage{
		ID: m.ID, Branch: m.Branch, Seq: m.Seq, Time: m.Time, Answer: m.Answer, Kind: m.Kind, Channel: m.Channel,
		Attempt: m.Attempt, Final: m.Final, before: m.Text(),
	}
}

// grow adds to the text.
func (m *TranscriptMessage) grow(delta string) {
	if m.before != "" {
		m.text = strings.Builder{}
		m.text.WriteString(m.before)
		m.before = ""
	}
	m.text.WriteString(delta)
}

// restart empties the text.
func (m *TranscriptMessage) restart() { m.before, m.text = "", strings.Builder{} }

// ownMessage is the message at a place, which may be changed.
func (t *Transcript) ownMessage(i int) *TranscriptMessage {
	if t.messages[i].shared {
		t.messages[i] = t.messages[i].clone()
	}
	return t.messages[i]
}

// ownCall is the call at a place, which may be changed.
func (t *Transcript) ownCall(i int) *TranscriptCall {
	if t.calls[i].shared {
		own := *t.calls[i]
		own.shared = false
		t.calls[i] = &own
	}
	return t.calls[i]
}
