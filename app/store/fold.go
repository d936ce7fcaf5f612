package store

import (
	"errors"
	"maps"
	"slices"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// ErrGap says that an event does not follow the last one: the stream must be opened again from there.
var ErrGap = errors.New("events are missing")

// Fold is what a stream has said, as a page shows it. It is a value: later events never change an earlier Fold.
type Fold struct {
	// State is where the run stands, and Reason why.
	State  contracts.State
	Reason contracts.StatusReason
	// Header is the body of the first event: profile, backend, limits and pinned tools.
	Header contracts.StatusData
	// Limits is the effective budget.
	Limits contracts.Limits
	// CreatedAt and LastTime are the times of the first and the last event, LastSeq the last event's position.
	CreatedAt, LastTime contracts.Time
	LastSeq             contracts.Seq
	// Used is what was used up to the last event, or by a run that has ended.
	Used contracts.Usage
	// Drafts are the answers in the order in which they began, each attempt on its own; the last is the one
	// that counts. Thoughts are the thoughts likewise.
	Drafts, Thoughts []Message
	// Calls are the attempts of tool calls: each call's in a row, in the order in which the calls first started.
	Calls []Call
	// Chain is what came of checking the receipts.
	Chain Chain
	// Verdicts are the judgements, one a pass, and Grounds what each can be judged again by, at the same place.
	Verdicts []runstate.TranscriptVerdict
	Grounds  []Grounds
	// Errors are the errors that were reported.
	Errors []runstate.TranscriptError
	// Done is the end, or nil while the run lives.
	Done *contracts.DoneData
	// Violation is the first invariant that the stream broke, or nil.
	Violation *runstate.Violation
}

// Message is one attempt of a thought or of an answer.
type Message struct {
	ID      string
	Branch  contracts.Branch
	Attempt int64
	// Kind is a thought's kind, Channel an answer's channel.
	Kind    contracts.ThoughtKind
	Channel contracts.Channel
	Text    string
	// Final says that nothing is added any more, Discarded that a later attempt took its place.
	Final, Discarded bool
	// Verdict is the judgement of the message, or nil.
	Verdict *runstate.TranscriptVerdict
	// Seq is the position of the message's first event.
	Seq contracts.Seq
}

// Call is one attempt of a tool call.
type Call struct {
	runstate.TranscriptCall
	// Discarded says that a later attempt took its place.
	Discarded bool
	// Faults are what does not fit in its receipt.
	Faults []runstate.ReceiptFault
}

// Pending are the calls that wait for a human.
func (f Fold) Pending() []Call {
	var pending []Call
	for _, c := range f.Calls {
		if c.Pending() {
			pending = append(pending, c)
		}
	}
	return pending
}

// Answer is the draft that counts, or nil before the first.
func (f Fold) Answer() *Message {
	if len(f.Drafts) == 0 {
		return nil
	}
	return &f.Drafts[len(f.Drafts)-1]
}

// Live reports whether events can still follow.
func (f Fold) Live() bool { return f.LastSeq > 0 && f.Done == nil }

// UsedAt is what is used at a time after the last event: while the run lives, time goes on.
func (f Fold) UsedAt(now contracts.Time) contracts.Usage {
	used := f.Used
	if !f.Live() {
		return used
	}
	since := max(now.Sub(f.LastTime), 0)
	used.WallMS += since
	if f.State == contracts.StateRunning {
		used.ActiveMS += since
	}
	return used
}

// Folder folds a stream event by event. The zero value stands before the first.
type Folder struct {
	state      runstate.State
	transcript runstate.Transcript
	violation  *runstate.Violation

	createdAt, lastTime contracts.Time

	// lostTexts and lostCalls are the attempts that later ones took the place of, by the id that they share.
	lostTexts map[string][]Message
	lostCalls map[string][]Call

	chain   Chain
	grounds []Grounds

	lists lists
}

// lists are what most events leave as it is, as the last Fold got it: it is made anew where an event has changed it, and else
// handed out again. Nothing of it is written to once it was handed out.
type lists struct {
	drafts, thoughts []Message
	calls            []Call
	// What an event has changed since.
	draftsStale, thoughtsStale, callsStale bool
}

// stale notes what an event has changed.
func (f *Folder) stale(change runstate.Change) {
	switch change.Part {
	case runstate.PartMessage:
		if f.transcript.Messages()[change.Index].Answer {
			f.lists.draftsStale = true
		} else {
			f.lists.thoughtsStale = true
		}
	case runstate.PartVerdict:
		f.lists.draftsStale = true // each has its verdict
	case runstate.PartCall, runstate.PartDone:
		f.lists.callsStale = true // the end can find faults in the chain of receipts
	case runstate.PartNone, runstate.PartStatus, runstate.PartError, runstate.PartBudget:
	}
}

// Clone returns a Folder that stands where f does and goes on by itself. No text is copied.
func (f *Folder) Clone() *Folder {
	c := &Folder{
		state: *f.state.Clone(), transcript: *f.transcript.Clone(), violation: f.violation,
		createdAt: f.createdAt, lastTime: f.lastTime,
		lostTexts: maps.Clone(f.lostTexts), lostCalls: maps.Clone(f.lostCalls),
		chain: f.chain.shown(), grounds: slices.Clip(f.grounds), lists: f.lists,
	}
	// What follows in f must not land behind what c holds.
	for id, lost := range c.lostTexts {
		c.lostTexts[id] = slices.Clip(lost)
	}
	for id, lost := range c.lostCalls {
		c.lostCalls[id] = slices.Clip(lost)
	}
	return c
}

// LastSeq is the position of the last event that was added.
func (f *Folder) LastSeq() contracts.Seq { return f.transcript.LastSeq() }

// Add folds one event as it was sent, and returns it. What it has seen it skips: isNew is then false. It returns ErrGap for
// an event that does not follow; an event that cannot be read is an error too.
func (f *Folder) Add(line []byte) (ev contracts.RunEvent, isNew bool, err error) {
	if ev, err = contracts.DecodeEvent(line); err != nil {
		return ev, false, err
	}
	last := f.LastSeq()
	switch {
	case ev.Seq <= last:
		return ev, false, nil
	case ev.Seq > last+1:
		return ev, false, ErrGap
	case last == 0:
		f.createdAt = ev.Time
	}
	f.lastTime = ev.Time
	f.ground(&ev)
	fits := f.check(ev)
	f.keep(ev)
	f.stale(f.transcript.Apply(ev))
	f.link(&ev, fits)
	return ev, true, nil
}

// check holds the event against the invariants of a run, and reports whether it keeps them. A stream that breaks one is shown
// all the same, with the violation beside it; of what follows the checker knows nothing.
func (f *Folder) check(ev contracts.RunEvent) bool {
	if f.violation != nil {
		return false
	}
	if v, ok := errors.AsType[*runstate.Violation](f.state.Apply(ev)); ok {
		f.violation = v
	}
	return f.violation == nil
}

// keep saves what the event discards: the transcript holds the last attempts alone.
func (f *Folder) keep(ev contracts.RunEvent) {
	switch d := ev.Data.(type) {
	case *contracts.ThoughtData:
		f.keepText(d.ID, d.Attempt)
	case *contracts.TokenData:
		f.keepText(d.ID, d.Attempt)
	case *contracts.ToolStartData:
		if c := f.transcript.Call(d.CallID); c != nil {
			if f.lostCalls == nil {
				f.lostCalls = make(map[string][]Call)
			}
			f.lostCalls[c.CallID] = append(f.lostCalls[c.CallID], f.callOf(c, true))
		}
	}
}

func (f *Folder) keepText(id string, attempt int64) {
	m := f.transcript.Message(id)
	if m == nil || attempt <= m.Attempt {
		return
	}
	if f.lostTexts == nil {
		f.lostTexts = make(map[string][]Message)
	}
	lost := messageOf(m)
	lost.Discarded = true
	f.lostTexts[id] = append(f.lostTexts[id], lost)
}

// Fold returns the state so far. It copies what is listed and has changed, never what was said.
func (f *Folder) Fold() Fold {
	t := &f.transcript
	v := Fold{
		State: t.State(), CreatedAt: f.createdAt, LastTime: f.lastTime, LastSeq: t.LastSeq(),
		Used: t.Used(), Verdicts: slices.Clone(t.Verdicts()), Errors: slices.Clone(t.Errors()),
		Done: t.Done(), Violation: f.violation, Chain: f.chain.shown(), Grounds: slices.Clone(f.grounds),
	}
	if statuses := t.Statuses(); len(statuses) > 0 {
		v.Header = *statuses[0].StatusData
		v.Reason = statuses[len(statuses)-1].Reason
		if v.Header.Limits != nil {
			v.Limits = *v.Header.Limits
		}
	}
	if v.Live() && v.Violation == nil {
		v.Used = f.state.Used(f.lastTime, contracts.EngineUsage{})
	}
	f.list(v.Verdicts)
	v.Drafts, v.Thoughts, v.Calls = f.lists.drafts, f.lists.thoughts, f.lists.calls
	return v
}

// list makes those lists anew that have changed.
func (f *Folder) list(verdicts []runstate.TranscriptVerdict) {
	l := &f.lists
	if l.draftsStale || l.thoughtsStale {
		judged := make(map[string]*runstate.TranscriptVerdict, len(verdicts))
		for i := range verdicts {
			judged[verdicts[i].MessageID] = &verdicts[i]
		}
		var drafts, thoughts []Message
		for _, m := range f.transcript.Messages() {
			switch {
			case m.Answer && l.draftsStale:
				message := messageOf(m)
				message.Verdict = judged[m.ID]
				drafts = append(append(drafts, f.lostTexts[m.ID]...), message)
			case !m.Answer && l.thoughtsStale:
				thoughts = append(append(thoughts, f.lostTexts[m.ID]...), messageOf(m))
			}
		}
		if l.draftsStale {
			l.drafts, l.draftsStale = slices.Clip(drafts), false
		}
		if l.thoughtsStale {
			l.thoughts, l.thoughtsStale = slices.Clip(thoughts), false
		}
	}
	if l.callsStale {
		calls := make([]Call, 0, len(f.transcript.Calls()))
		for _, c := range f.transcript.Calls() {
			calls = append(append(calls, f.lostCalls[c.CallID]...), f.callOf(c, false))
		}
		l.calls, l.callsStale = slices.Clip(calls), false
	}
}

func (f *Folder) callOf(c *runstate.TranscriptCall, discarded bool) Call {
	return Call{TranscriptCall: *c, Discarded: discarded, Faults: f.chain.faultsAt(c.EndedSeq)}
}

func messageOf(m *runstate.TranscriptMessage) Message {
	return Message{
		ID: m.ID, Branch: m.Branch, Attempt: m.Attempt, Kind: m.Kind, Channel: m.Channel,
		Text: m.Text(), Final: m.Final, Seq: m.Seq,
	}
}
