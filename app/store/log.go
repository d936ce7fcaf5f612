package store

import (
	"slices"

	"axiom25/app/timeline"
	"axiom25/contracts"
)

// Log is the events of a run as they were sent, as far as the browser keeps them: the text of the newest, up to
// logBytes, and a Brief of every one. It is for the goroutine that draws. Its zero value is empty.
type Log struct {
	pages    []logPage
	bytes    int
	evicted  int // pages whose text was let go of, the oldest first
	branches []contracts.Branch
	types    []contracts.EventType
	timeline timeline.Model
}

// logBytes bounds the texts that a log keeps, in bytes: some 130 000 tokens.
const logBytes = 24 << 20

// logPage is how many events are kept and let go of together.
const pageEvents = 512

// logPage is pageEvents events in a row; the last page of a log grows.
type logPage struct {
	text   []byte // their lines, one behind the other; nil where it was let go of
	briefs []logBrief
}

// logBrief is a Brief in 20 bytes.
type logBrief struct {
	time   contracts.Time
	end    uint32 // of its line within the page's text
	typ    uint16 // an index
	branch uint32 // an index
}

// Brief is what a row of a list needs of an event without reading its text.
type Brief struct {
	Seq    contracts.Seq
	Time   contracts.Time
	Type   contracts.EventType
	Branch contracts.Branch
}

// Add appends the event that follows the last one; line is what was sent. It keeps a copy.
func (l *Log) Add(ev *contracts.RunEvent, line string) {
	if n := len(l.pages); n == 0 || len(l.pages[n-1].briefs) == pageEvents {
		if n > 0 {
			l.pages[n-1].text = slices.Clip(l.pages[n-1].text)
		}
		l.pages = append(l.pages, logPage{briefs: make([]logBrief, 0, pageEvents)})
	}
	page := &l.pages[len(l.pages)-1]
	page.text = append(page.text, line...)
	page.briefs = append(page.briefs, logBrief{
		time: ev.Time, end: uint32(len(page.text)), //nolint:gosec // a page holds pageEvents lines of at most 1 MiB
		typ: uint16(indexOf(&l.types, ev.Type)), branch: uint32(indexOf(&l.branches, ev.Branch)), //nolint:gosec // few
	})
	l.timeline.Add(ev)
	l.bytes += len(line)
	for l.bytes > logBytes && l.evicted < len(l.pages)-1 {
		l.bytes -= len(l.pages[l.evicted].text)
		l.pages[l.evicted].text = nil
		l.evicted++
	}
}

// indexOf returns where a value stands in a list, to which it is added where it is new. A run has few types and branches.
func indexOf[T comparable](list *[]T, value T) int {
	if i := slices.Index(*list, value); i >= 0 {
		return i
	}
	*list = append(*list, value)
	return len(*list) - 1
}

// Last is the position of the newest event; 0 before the first.
func (l *Log) Last() contracts.Seq {
	n := len(l.pages)
	if n == 0 {
		return 0
	}
	return contracts.Seq((n-1)*pageEvents + len(l.pages[n-1].briefs))
}

// Timeline is the run on its clock, of all events. A reset of the stream makes it another one.
func (l *Log) Timeline() *timeline.Model { return &l.timeline }

// First is the position of the oldest event whose text is kept; 1 before the first.
func (l *Log) First() contracts.Seq { return contracts.Seq(l.evicted*pageEvents + 1) }

// Branches are the branches of the events, in the order in which they appeared.
func (l *Log) Branches() []contracts.Branch { return slices.Clone(l.branches) }

// Brief returns the outline of the event at seq, which must be within 1..Last.
func (l *Log) Brief(seq contracts.Seq) Brief {
	b := l.pages[int(seq-1)/pageEvents].briefs[int(seq-1)%pageEvents]
	return Brief{Seq: seq, Time: b.time, Type: l.types[b.typ], Branch: l.branches[b.branch]}
}

// Line returns the event at seq as it was sent. ok is false where its text is not kept.
func (l *Log) Line(seq contracts.Seq) (line []byte, ok bool) {
	if seq < l.First() || seq > l.Last() {
		return nil, false
	}
	page, at := &l.pages[int(seq-1)/pageEvents], int(seq-1)%pageEvents
	start := uint32(0)
	if at > 0 {
		start = page.briefs[at-1].end
	}
	end := page.briefs[at].end
	return page.text[start:end:end], true
}

// Event reads the event at seq. ok is false where its text is not kept.
func (l *Log) Event(seq contracts.Seq) (ev contracts.RunEvent, ok bool) {
	line, ok := l.Line(seq)
	if !ok {
		return contracts.RunEvent{}, false
	}
	ev, err := contracts.DecodeEvent(line)
	return ev, err == nil
}
