// Package timeline lays a run out on a clock: a bar for each message, each attempt of a call and each wait, in a lane a
// branch; marks for what happened at an instant; the hours in which nothing happened; and the readings of the meter. A Model
// is folded event by event. A Clock turns times into pixels and back, long pauses folded. A Scene is what is visible of a
// model through a window, and costs what is drawn, not what was said.
//
// The package is plain arithmetic: it knows no browser.
package timeline

import "axiom25/contracts"

// Kind says what a bar stands for.
type Kind uint8

// The kinds of bars.
const (
	// Thought is one attempt of a thought, Answer one of an answer.
	Thought Kind = iota
	Answer
	// Call is one attempt of a tool call.
	Call
	// Wait is the time that the run itself spends queued or waiting.
	Wait
)

// Bar is something that took time.
type Bar struct {
	Kind   Kind
	Branch contracts.Branch
	// Name is a thought's kind, an answer's channel, a call's tool, or the state that the run waits in.
	Name string
	// ID is the message's or the call's, and Attempt counts from 1; empty and 0 for a wait.
	ID      string
	Attempt int64
	// Seq and Start are the first event's. EndSeq and End are those of the event that closed it; 0 while it is open.
	Seq, EndSeq contracts.Seq
	Start, End  contracts.Time
	// Status is how a call ended.
	Status contracts.CallStatus
	// Discarded says that the next attempt of the message closed it.
	Discarded bool
	// Asked says that a call waits for a human from its start on, up to DecidedSeq at Decided; 0 before.
	Asked      bool
	Decision   contracts.Decision
	DecidedSeq contracts.Seq
	Decided    contracts.Time

	row *row
}

// MarkKind says what a mark stands for.
type MarkKind uint8

// The kinds of marks.
const (
	// StateMark is a change of the run's state that begins no wait, its end included; Name is the state.
	StateMark MarkKind = iota
	// VerdictMark is a judgement; Name is its outcome.
	VerdictMark
	// ErrorMark is an error that belongs to no call's end; Name is its title.
	ErrorMark
	// WarnMark is the warning of a limit; Name is the dimension.
	WarnMark
)

// Mark is something that happened at an instant.
type Mark struct {
	Kind   MarkKind
	Branch contracts.Branch
	Name   string
	Seq    contracts.Seq
	Time   contracts.Time
	// Fatal says that an error ended the run.
	Fatal bool
}

// Reading is what the meter showed.
type Reading struct {
	Seq          contracts.Seq
	Time         contracts.Time
	Tokens       int64
	CostMicroUSD int64
}

// Gap is a time in which nothing was at work and nothing happened: no message was open, and every open call waited for a human.
type Gap struct{ From, To contracts.Time }

// shortestGap is the shortest pause that is kept, in milliseconds: shorter ones are never worth a notch.
const shortestGap = 20

// Moment is a position in a run, and the time that the clock shows there: the last event's, or later while the run lives.
type Moment struct {
	Seq  contracts.Seq
	Time contracts.Time
}

// Model is a run on its clock. Its zero value is a run before its first event. It is for one goroutine at a time.
type Model struct {
	start, last contracts.Time
	lastSeq     contracts.Seq
	bars        []Bar
	marks       []Mark
	readings    []Reading
	gaps        []Gap
	lanes       lanes
	texts       map[string]int // the open bar of a message
	calls       map[string]int // the open bar of a call
	wait        int            // the place of the run's open wait behind 1; 0 for none
	working     int            // how many open bars are at work
	ended       bool
}

// Start is the time of the first event, and Last that of the newest.
func (m *Model) Start() contracts.Time { return m.start }

// Last is the time of the newest event.
func (m *Model) Last() contracts.Time { return m.last }

// LastSeq is the position of the newest event.
func (m *Model) LastSeq() contracts.Seq { return m.lastSeq }

// Ended reports whether the run is over.
func (m *Model) Ended() bool { return m.ended }

// Bars are all bars in the order in which they began. The reader must not change them.
func (m *Model) Bars() []Bar { return m.bars }

// Marks are all marks in their order. The reader must not change them.
func (m *Model) Marks() []Mark { return m.marks }

// Gaps are the pauses between events, in their order.
func (m *Model) Gaps() []Gap { return m.gaps }

// Readings are the readings of the meter, in their order.
func (m *Model) Readings() []Reading { return m.readings }

// Add takes in the event that follows the last one.
func (m *Model) Add(ev *contracts.RunEvent) {
	if m.lastSeq == 0 {
		m.start = ev.Time
		m.lanes.of("") // the root is always the first
	} else if m.working == 0 && ev.Time.Sub(m.last) >= shortestGap {
		m.gaps = append(m.gaps, Gap{From: m.last, To: ev.Time})
	}
	m.last, m.lastSeq = max(m.last, ev.Time), ev.Seq
	switch d := ev.Data.(type) {
	case *contracts.StatusData:
		m.changeState(ev, d.State)
	case *contracts.ThoughtData:
		m.say(ev, Bar{Kind: Thought, Name: string(d.Kind), ID: d.ID, Attempt: d.Attempt}, d.Final)
	case *contracts.TokenData:
		m.say(ev, Bar{Kind: Answer, Name: string(d.Channel), ID: d.ID, Attempt: d.Attempt}, d.Final)
	case *contracts.ToolStartData:
		m.startCall(ev, d)
	case *contracts.ApprovalData:
		m.decide(ev, d)
	case *contracts.ToolEndData:
		if i, ok := m.calls[d.CallID]; ok {
			m.bars[i].Status = d.Status
			delete(m.calls, d.CallID)
			m.close(i, ev)
		}
	case *contracts.BudgetData:
		m.read(ev, d.Used)
		if d.Phase == contracts.BudgetWarn {
			m.mark(ev, WarnMark, string(d.Dimension))
		}
	case *contracts.VerdictData:
		m.mark(ev, VerdictMark, string(d.Outcome))
		if i, ok := m.texts[d.MessageID]; ok {
			delete(m.texts, d.MessageID)
			m.close(i, ev) // a judged message is closed (contracts, invariant 6)
		}
	case *contracts.ErrorData:
		m.mark(ev, ErrorMark, d.Title).Fatal = d.Fatal
	case *contracts.DoneData:
		m.end(ev, d)
	}
}

// mark adds a mark to the lane of the event's branch.
func (m *Model) mark(ev *contracts.RunEvent, kind MarkKind, name string) *Mark {
	l := m.lanes.of(ev.Branch)
	l.marks = append(l.marks, int32(len(m.marks))) //nolint:gosec // a browser holds fewer than 2³¹ marks
	m.marks = append(m.marks, Mark{Kind: kind, Branch: ev.Branch, Name: name, Seq: ev.Seq, Time: ev.Time})
	return &m.marks[len(m.marks)-1]
}

// read keeps what the meter shows.
func (m *Model) read(ev *contracts.RunEvent, used contracts.Usage) {
	m.readings = append(m.readings, Reading{Seq: ev.Seq, Time: ev.Time, Tokens: used.Tokens(), CostMicroUSD: used.CostMicroUSD})
}

func (m *Model) changeState(ev *contracts.RunEvent, state contracts.State) {
	m.endWait(ev)
	if state == contracts.StateQueued || state == contracts.StateWaiting {
		m.wait = 1 + m.open(ev, Bar{Kind: Wait, Name: string(state)})
		return
	}
	m.mark(ev, StateMark, string(state))
}

func (m *Model) endWait(ev *contracts.RunEvent) {
	if m.wait > 0 {
		m.close(m.wait-1, ev)
		m.wait = 0
	}
}

// say opens the bar of a message with its first event, and closes it with its last.
func (m *Model) say(ev *contracts.RunEvent, said Bar, final bool) {
	i, known := m.texts[said.ID]
	if known && said.Attempt > m.bars[i].Attempt {
		m.bars[i].Discarded = true
		m.close(i, ev)
		known = false
	}
	if !known {
		i = m.open(ev, said)
		if m.texts == nil {
			m.texts = make(map[string]int)
		}
		m.texts[said.ID] = i
	}
	if final {
		delete(m.texts, said.ID)
		m.close(i, ev)
	}
}

func (m *Model) startCall(ev *contracts.RunEvent, d *contracts.ToolStartData) {
	if i, known := m.calls[d.CallID]; known {
		m.close(i, ev) // a stream that breaks the rules is drawn all the same
	}
	if m.calls == nil {
		m.calls = make(map[string]int)
	}
	m.calls[d.CallID] = m.open(ev, Bar{
		Kind: Call, Name: string(d.Tool), ID: d.CallID, Attempt: d.Attempt, Asked: d.Gate == contracts.GateAsk,
	})
}

func (m *Model) decide(ev *contracts.RunEvent, d *contracts.ApprovalData) {
	i, known := m.calls[d.CallID]
	if !known || !m.bars[i].Asked || m.bars[i].DecidedSeq > 0 {
		return
	}
	b := &m.bars[i]
	b.Decision, b.DecidedSeq, b.Decided = d.Decision, ev.Seq, ev.Time
	m.working++
}

// end closes whatever is open: nothing follows.
func (m *Model) end(ev *contracts.RunEvent, d *contracts.DoneData) {
	m.endWait(ev)
	for i := range m.bars {
		if m.bars[i].EndSeq == 0 {
			m.close(i, ev)
		}
	}
	m.texts, m.calls, m.ended = nil, nil, true
	m.read(ev, d.Used)
	m.mark(ev, StateMark, string(d.Status))
}

// open begins a bar in the first row of its lane that is free.
func (m *Model) open(ev *contracts.RunEvent, b Bar) (index int) {
	b.Branch, b.Seq, b.Start = ev.Branch, ev.Seq, ev.Time
	b.row = m.lanes.of(ev.Branch).free(b.Start)
	if b.works() {
		m.working++
	}
	m.bars = append(m.bars, b)
	b.row.add(len(m.bars)-1, m.bars)
	return len(m.bars) - 1
}

func (m *Model) close(i int, ev *contracts.RunEvent) {
	b := &m.bars[i]
	if b.works() {
		m.working--
	}
	b.EndSeq, b.End = ev.Seq, ev.Time
	b.row.open, b.row.until = false, ev.Time
}

// works reports whether an open bar is at work: a wait is not, nor is a call that nobody has decided about.
func (b *Bar) works() bool { return b.Kind != Wait && (!b.Asked || b.DecidedSeq > 0) }

// OpenAt reports whether the bar has not ended at a moment.
func (b *Bar) OpenAt(at Moment) bool { return b.EndSeq == 0 || b.EndSeq > at.Seq }

// EndAt is where the bar ends as seen at a moment.
func (b *Bar) EndAt(at Moment) contracts.Time {
	if b.OpenAt(at) {
		return max(at.Time, b.Start)
	}
	return b.End
}

// WaitedUntil is the end of the time that a call has waited for a human as seen at a moment; its start where it did not wait.
func (b *Bar) WaitedUntil(at Moment) contracts.Time {
	switch {
	case !b.Asked:
		return b.Start
	case b.DecidedSeq > 0 && b.DecidedSeq <= at.Seq:
		return b.Decided
	}
	return b.EndAt(at)
}

// Bad reports whether the bar is of a call that went wrong, as seen at a moment.
func (b *Bar) Bad(at Moment) bool { return !b.OpenAt(at) && b.bad() }

func (b *Bar) bad() bool {
	return b.Kind == Call && b.Status != "" && b.Status != contracts.CallOK && b.Status != contracts.CallCancelled
}
