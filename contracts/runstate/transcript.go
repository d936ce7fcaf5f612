package runstate

import (
	"encoding/json"
	"strings"

	"axiom25/contracts"
)

// Transcript is a run as a viewer shows it: the fold that keeps the texts. It believes what it is told, since
// State is what judges, and it never fails; an event that it has seen, and one of an unknown type, change
// nothing. The zero value is a run before its first event. It is for one goroutine at a time; what its methods
// return must not be changed, and is overtaken by the next Apply.
type Transcript struct {
	entries  []Entry
	messages []*TranscriptMessage
	calls    []*TranscriptCall
	statuses []TranscriptStatus
	verdicts []TranscriptVerdict
	errors   []TranscriptError

	byMessage map[string]int
	byCall    map[string]int

	lastSeq contracts.Seq
	used    contracts.Usage
	done    *contracts.DoneData
}

// Part is a kind of thing that a Transcript holds.
type Part string

// The parts of a transcript. PartBudget and PartDone are there once, the others in lists.
const (
	PartNone    Part = ""
	PartStatus  Part = "status"
	PartMessage Part = "message"
	PartCall    Part = "call"
	PartVerdict Part = "verdict"
	PartError   Part = "error"
	PartBudget  Part = "budget"
	PartDone    Part = "done"
)

// Change says what an event changed, so that a viewer draws that alone.
type Change struct {
	// Part is what changed; PartNone where nothing did.
	Part Part
	// Index is its place in the list of its kind.
	Index int
	// New says that it was added.
	New bool
	// Restarted says that a message or a call began a new attempt, which discards what it said before.
	Restarted bool
	// Delta is the text that a message grew by.
	Delta string
}

// Entry is a place in the order in which things first appeared.
type Entry struct {
	Part  Part
	Index int
}

// TranscriptMessage is a thought or an answer with its text.
type TranscriptMessage struct {
	ID     string
	Branch contracts.Branch
	// Seq and Time are the first event's.
	Seq  contracts.Seq
	Time contracts.Time
	// Answer says that Channel applies, else Kind does.
	Answer  bool
	Kind    contracts.ThoughtKind
	Channel contracts.Channel
	Attempt int64
	Final   bool
	text    strings.Builder
	// before is the text of a clone that has not grown yet; text is then empty.
	before string
	// shared says that a clone holds the message too: it is copied before it changes.
	shared bool
}

// Text is what the last attempt said so far. It takes no copy.
func (m *TranscriptMessage) Text() string {
	if m.before != "" {
		return m.before
	}
	return m.text.String()
}

// TranscriptCall is a tool call: its last attempt.
type TranscriptCall struct {
	CallID     string
	Branch     contracts.Branch
	Tool       contracts.ToolRef
	ToolDigest contracts.Digest
	// Seq is the first attempt's start; Attempt, StartedSeq and StartedAt are the last attempt's.
	Seq        contracts.Seq
	Attempt    int64
	StartedSeq contracts.Seq
	StartedAt  contracts.Time
	// Args are the arguments as shown: the edited ones after an edit.
	Args json.RawMessage
	Gate contracts.Gate
	// Approval is what a human is asked, and Decision, By the answer; nil and empty where there is none.
	Approval *contracts.ApprovalRequest
	Decision contracts.Decision
	By       string
	// End is the last attempt's end; nil while it is open.
	End *contracts.ToolEndData
	// EndedSeq and EndedAt are that end's, or 0.
	EndedSeq contracts.Seq
	EndedAt  contracts.Time
	// shared says that a clone holds the call too: it is copied before it changes.
	shared bool
}

// Pending reports whether the call waits for a human.
func (c *TranscriptCall) Pending() bool {
	return c.End == nil && c.Gate == contracts.GateAsk && c.Decision == ""
}

// TranscriptStatus is a change of state.
type TranscriptStatus struct {
	*contracts.StatusData
	Seq  contracts.Seq
	Time contracts.Time
}

// TranscriptVerdict is a verdict.
type TranscriptVerdict struct {
	*contracts.VerdictData
	Seq  contracts.Seq
	Time contracts.Time
}

// TranscriptError is an error that did not belong to a call's end.
type TranscriptError struct {
	*contracts.ErrorData
	Branch contracts.Branch
	Seq    contracts.Seq
	Time   contracts.Time
}

// LastSeq is the last event's; 0 before the first. It is what a viewer resumes from.
func (t *Transcript) LastSeq() contracts.Seq { return t.lastSeq }

// Entries are the statuses, messages, calls, verdicts and errors in the order in which they first appeared.
func (t *Transcript) Entries() []Entry { return t.entries }

// Messages are the thoughts and answers in the order in which they first appeared.
func (t *Transcript) Messages() []*TranscriptMessage { return t.messages }

// Message returns the message with this id, or nil.
func (t *Transcript) Message(id string) *TranscriptMessage {
	if i, ok := t.byMessage[id]; ok {
		return t.messages[i]
	}
	return nil
}

// Call returns the call with this id, or nil.
func (t *Transcript) Call(id string) *TranscriptCall {
	if i, ok := t.byCall[id]; ok {
		return t.calls[i]
	}
	return nil
}

// Calls are the tool calls in the order in which they first started.
func (t *Transcript) Calls() []*TranscriptCall { return t.calls }

// Statuses are the changes of state in their order.
func (t *Transcript) Statuses() []TranscriptStatus { return t.statuses }

// Verdicts are the verdicts in their order.
func (t *Transcript) Verdicts() []TranscriptVerdict { return t.verdicts }

// Errors are the errors in their order.
func (t *Transcript) Errors() []TranscriptError { return t.errors }

// Used is the last reading of the meter.
func (t *Transcript) Used() contracts.Usage { return t.used }

// Done is the end of the run, or nil while it lives.
func (t *Transcript) Done() *contracts.DoneData { return t.done }

// State is where the run stands; empty before the first event.
func (t *Transcript) State() contracts.State {
	if t.done != nil {
		return t.done.Status
	}
	if n := len(t.statuses); n > 0 {
		return t.statuses[n-1].State
	}
	return ""
}

// Apply folds one event and says what changed.
func (t *Transcript) Apply(ev contracts.RunEvent) Change {
	if ev.Seq <= t.lastSeq {
		return Change{}
	}
	t.lastSeq = ev.Seq
	switch d := ev.Data.(type) {
	case *contracts.StatusData:
		t.statuses = append(t.statuses, TranscriptStatus{StatusData: d, Seq: ev.Seq, Time: ev.Time})
		return t.appeared(PartStatus, len(t.statuses))
	case *contracts.ThoughtData:
		m := &TranscriptMessage{ID: d.ID, Attempt: d.Attempt, Kind: d.Kind}
		return t.say(&ev, m, d.Delta, d.Final)
	case *contracts.TokenData:
		m := &TranscriptMessage{ID: d.ID, Attempt: d.Attempt, Answer: true, Channel: d.Channel}
		return t.say(&ev, m, d.Delta, d.Final)
	case *contracts.ToolStartData:
		return t.start(&ev, d)
	case *contracts.ApprovalData:
		return t.decide(d)
	case *contracts.ToolEndData:
		return t.end(&ev, d)
	case *contracts.BudgetData:
		t.used = d.Used
		return Change{Part: PartBudget}
	case *contracts.VerdictData:
		t.verdicts = append(t.verdicts, TranscriptVerdict{VerdictData: d, Seq: ev.Seq, Time: ev.Time})
		return t.appeared(PartVerdict, len(t.verdicts))
	case *contracts.ErrorData:
		t.errors = append(t.errors, TranscriptError{ErrorData: d, Branch: ev.Branch, Seq: ev.Seq, Time: ev.Time})
		return t.appeared(PartError, len(t.errors))
	case *contracts.DoneData:
		t.done, t.used = d, d.Used
		return Change{Part: PartDone}
	}
	return Change{}
}

// appeared adds the last of n things of a kind to the entries.
func (t *Transcript) appeared(part Part, n int) Change {
	t.entries = append(t.entries, Entry{Part: part, Index: n - 1})
	return Change{Part: part, Index: n - 1, New: true}
}

// say adds delta to the message that said names, which is taken over where it is new.
func (t *Transcript) say(ev *contracts.RunEvent, said *TranscriptMessage, delta string, final bool) Change {
	i, known := t.byMessage[said.ID]
	change := Change{Part: PartMessage, Index: i}
	if !known {
		said.Branch, said.Seq, said.Time = ev.Branch, ev.Seq, ev.Time
		if t.byMessage == nil {
			t.byMessage = make(map[string]int)
		}
		t.byMessage[said.ID] = len(t.messages)
		t.messages = append(t.messages, said)
		change = t.appeared(PartMessage, len(t.messages))
	}
	m := t.ownMessage(change.Index)
	if said.Attempt > m.Attempt {
		m.Attempt, m.Kind, m.Channel = said.Attempt, said.Kind, said.Channel
		m.restart()
		change.Restarted = true
	}
	m.grow(delta)
	m.Final = m.Final || final
	change.Delta = delta
	return change
}

// start adds a call, or begins its next attempt.
func (t *Transcript) start(ev *contracts.RunEvent, d *contracts.ToolStartData) Change {
	c := TranscriptCall{
		CallID: d.CallID, Branch: ev.Branch, Tool: d.Tool, ToolDigest: d.ToolDigest, Seq: ev.Seq,
		Attempt: d.Attempt, StartedSeq: ev.Seq, StartedAt: ev.Time, Args: d.Args, Gate: d.Gate, Approval: d.Approval,
	}
	if i, known := t.byCall[d.CallID]; known {
		c.Seq = t.calls[i].Seq
		*t.ownCall(i) = c
		return Change{Part: PartCall, Index: i, Restarted: true}
	}
	if t.byCall == nil {
		t.byCall = make(map[string]int)
	}
	t.byCall[d.CallID] = len(t.calls)
	t.calls = append(t.calls, &c)
	return t.appeared(PartCall, len(t.calls))
}

// decide adds a human's decision to its call.
func (t *Transcript) decide(d *contracts.ApprovalData) Change {
	i, known := t.byCall[d.CallID]
	if !known {
		return Change{}
	}
	c := t.ownCall(i)
	c.Decision, c.By = d.Decision, d.By
	if d.Decision == contracts.DecisionEdited {
		c.Args = d.Args
	}
	return Change{Part: PartCall, Index: i}
}

// end adds the end to its call.
func (t *Transcript) end(ev *contracts.RunEvent, d *contracts.ToolEndData) Change {
	i, known := t.byCall[d.CallID]
	if !known {
		return Change{}
	}
	c := t.ownCall(i)
	c.End, c.EndedSeq, c.EndedAt = d, ev.Seq, ev.Time
	return Change{Part: PartCall, Index: i}
}
