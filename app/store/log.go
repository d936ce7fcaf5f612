package store

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"axiom25/app/timeline"
	"axiom25/contracts"
)

// Log is the events of a run as they were sent, as far as the browser keeps them: the text of the newest, up to
// logBytes, and a Brief of every one. It is for the goroutine that draws. Its zero value is empty.
type Log struct {
	pages    []logPage
	bytes    int
	evicted  int    // pages whose text was let go of, the oldest first
	again    []int  // pages of those whose text was read again, the latest last
	head     string // how each event's line begins, up to its seq
	branches []contracts.Branch
	types    []contracts.EventType
	scratch  []byte
	timeline timeline.Model
}

const (
	// logBytes bounds the texts that a log keeps, in bytes: some 200 000 tokens.
	logBytes = 16 << 20
	// pageEvents is how many events are kept and let go of together, and againMost how many pages are kept that were
	// read again.
	pageEvents = 512
	againMost  = 8
)

// logPage is pageEvents events in a row; the last page of a log grows.
type logPage struct {
	// text is what cannot be told from the briefs, one event behind the other: of most events what follows `"data":`. It is nil
	// where it was let go of.
	text   []byte
	briefs []logBrief
}

// logBrief is a Brief in 24 bytes.
type logBrief struct {
	time   contracts.Time
	end    uint32 // of its text within the page's
	whole  bool   // its text is the whole line
	typ    uint8  // an index
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
	if l.head == "" {
		l.head = fmt.Sprintf(`{"schema_version":%d,"run_id":"%s","seq":`, ev.SchemaVersion, ev.RunID)
	}
	if n := len(l.pages); n == 0 || len(l.pages[n-1].briefs) == pageEvents {
		if n > 0 {
			l.pages[n-1].text = slices.Clip(l.pages[n-1].text)
		}
		l.pages = append(l.pages, logPage{briefs: make([]logBrief, 0, pageEvents)})
	}
	page := &l.pages[len(l.pages)-1]
	b := logBrief{
		time: ev.Time, typ: uint8(indexOf(&l.types, ev.Type)), branch: uint32(indexOf(&l.branches, ev.Branch)), //nolint:gosec // few
	}
	page.briefs = append(page.briefs, b)
	kept := l.short(l.Last(), line)
	page.text = append(page.text, kept...)
	stored := &page.briefs[len(page.briefs)-1]
	stored.whole = len(kept) == len(line)
	stored.end = uint32(len(page.text)) //nolint:gosec // a page holds pageEvents lines of at most 1 MiB
	l.timeline.Add(ev)
	l.bytes += len(kept)
	for l.bytes > logBytes && l.evicted < len(l.pages)-1 {
		l.bytes -= len(l.pages[l.evicted].text)
		l.pages[l.evicted].text = nil
		l.evicted++
	}
}

// short leaves out of a line what the event's brief says too, where the line is written as the server writes it.
func (l *Log) short(seq contracts.Seq, line string) string {
	l.scratch = l.appendEnvelope(l.scratch[:0], seq)
	if strings.HasPrefix(line, string(l.scratch)) {
		return line[len(l.scratch):]
	}
	return line
}

// appendEnvelope writes an event as far as its data.
func (l *Log) appendEnvelope(b []byte, seq contracts.Seq) []byte {
	brief := l.Brief(seq)
	b = append(b, l.head...)
	b = strconv.AppendInt(b, int64(seq), 10)
	b = append(b, `,"time":"`...)
	b = append(b, brief.Time.String()...)
	b = append(append(b, `","type":"`...), brief.Type...)
	if brief.Branch != "" {
		b = append(append(b, `","branch":"`...), brief.Branch...)
	}
	return append(b, `","data":`...)
}

// pageOf is the first event of the page that holds one.
func pageOf(seq contracts.Seq) contracts.Seq { return (seq-1)/pageEvents*pageEvents + 1 }

// Restore takes the text of events back that was let go of: of the page of events that begins at first. It
// reports whether they are the events that were there.
func (l *Log) Restore(first contracts.Seq, lines []string) bool {
	at := int(first-1) / pageEvents
	if pageOf(first) != first || at >= l.evicted || len(lines) != pageEvents || l.pages[at].text != nil {
		return false
	}
	var text []byte
	for i, line := range lines {
		text = append(text, l.short(first+contracts.Seq(i), line)...)
		if uint32(len(text)) != l.pages[at].briefs[i].end { //nolint:gosec // as in Add
			return false
		}
	}
	l.pages[at].text = text
	l.again = append(l.again, at)
	if len(l.again) > againMost {
		l.pages[l.again[0]].text = nil
		l.again = slices.Delete(l.again, 0, 1)
	}
	return true
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

// First is the position from which on every text is kept; 1 before the first. Some before it may have been read again.
func (l *Log) First() contracts.Seq { return contracts.Seq(l.evicted*pageEvents + 1) }

// Branches are the branches of the events, in the order in which they appeared.
func (l *Log) Branches() []contracts.Branch { return slices.Clone(l.branches) }

// Brief returns the outline of the event at seq, which must be within 1..Last.
func (l *Log) Brief(seq contracts.Seq) Brief {
	b := l.pages[int(seq-1)/pageEvents].briefs[int(seq-1)%pageEvents]
	return Brief{Seq: seq, Time: b.time, Type: l.types[b.typ], Branch: l.branches[b.branch]}
}

// stored returns what is kept of the event at seq.
func (l *Log) stored(seq contracts.Seq) (text []byte, whole, ok bool) {
	if seq < 1 || seq > l.Last() {
		return nil, false, false
	}
	page, at := &l.pages[int(seq-1)/pageEvents], int(seq-1)%pageEvents
	if page.text == nil {
		return nil, false, false
	}
	start := uint32(0)
	if at > 0 {
		start = page.briefs[at-1].end
	}
	b := page.briefs[at]
	return page.text[start:b.end:b.end], b.whole, true
}

// Line returns the event at seq as it was sent. ok is false where its text is not kept.
func (l *Log) Line(seq contracts.Seq) (line []byte, ok bool) {
	text, whole, ok := l.stored(seq)
	if !ok || whole {
		return text, ok
	}
	line = l.appendEnvelope(make([]byte, 0, len(l.head)+len(text)+100), seq)
	return append(line, text...), true
}

// Data returns the JSON of the data of the event at seq, which must not be changed. ok is false where its text is not kept.
func (l *Log) Data(seq contracts.Seq) (data []byte, ok bool) {
	text, whole, ok := l.stored(seq)
	if !ok {
		return nil, false
	}
	if whole {
		_, text, _ = bytes.Cut(text, []byte(`"data":`))
	}
	return bytes.TrimSuffix(text, []byte("}")), true
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
