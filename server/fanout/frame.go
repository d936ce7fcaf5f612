package fanout

import (
	"strconv"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Frame is one event, encoded once for all viewers. Its bytes are shared and must not be changed.
type Frame struct {
	Seq contracts.Seq
	// JSON is the event as the journal holds it. It is a part of SSE.
	JSON []byte
	// SSE is the event as a frame of a text/event-stream (WHATWG HTML, section 9.2): an id line, a data line
	// with JSON, and an empty line.
	SSE []byte
}

// The pieces of a frame. There is deliberately no event field: the type is in the data, a listener for a named type
// would miss every type that it does not know, and `event: error` would look like a broken connection to an EventSource.
const (
	idField   = "id: "
	dataField = "\ndata: "
	frameEnd  = "\n\n"
)

// frameOverhead is the most that an encoded frame is longer than its event: an id has at most 16 digits (2^53 − 1).
const frameOverhead = len(idField) + 16 + len(dataField) + len(frameEnd)

// newFrame encodes an event, which is one line of JSON.
func newFrame(seq contracts.Seq, event []byte) Frame {
	f, _ := appendFrame(make([]byte, 0, len(event)+frameOverhead), seq, event)
	return f
}

// appendFrame encodes an event behind what b holds.
func appendFrame(b []byte, seq contracts.Seq, event []byte) (Frame, []byte) {
	start := len(b)
	b = append(b, idField...)
	b = strconv.AppendInt(b, int64(seq), 10)
	b = append(b, dataField...)
	data := len(b)
	b = append(b, event...)
	end := len(b)
	b = append(b, frameEnd...)
	return Frame{Seq: seq, JSON: b[data:end:end], SSE: b[start:len(b):len(b)]}, b
}

// encodeWire encodes events into one piece of memory, frame behind frame; size is what wireSize says of them.
func encodeWire(events []journal.Event, size int) []byte {
	b := make([]byte, 0, size)
	for _, ev := range events {
		_, b = appendFrame(b, ev.Seq, ev.JSON)
	}
	return b
}

// wireSize is how long the frames of events are together.
func wireSize(events []journal.Event) int {
	size := len(events) * (len(idField) + len(dataField) + len(frameEnd))
	for _, ev := range events {
		size += digits(ev.Seq) + len(ev.JSON)
	}
	return size
}

// digits is how long a seq is in decimal.
func digits(seq contracts.Seq) int {
	n := 1
	for ; seq >= 10; seq /= 10 {
		n++
	}
	return n
}

// framesOf takes what encodeWire made of events apart.
func framesOf(events []journal.Event, wire []byte) []Frame {
	frames := make([]Frame, len(events))
	for i, ev := range events {
		data := len(idField) + digits(ev.Seq) + len(dataField)
		end := data + len(ev.JSON)
		size := end + len(frameEnd)
		frames[i] = Frame{Seq: ev.Seq, JSON: wire[data:end:end], SSE: wire[:size:size]}
		wire = wire[size:]
	}
	return frames
}

// size is what the frame costs in memory, in bytes.
func (f Frame) size() int { return len(f.SSE) }
