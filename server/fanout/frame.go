package fanout

import (
	"bytes"
	"strconv"

	"github.com/tmaxmax/go-sse"

	"axiom25/contracts"
)

// Frame is one event, encoded once for all viewers. Its bytes are shared and must not be changed.
type Frame struct {
	Seq contracts.Seq
	// JSON is the event as the journal holds it.
	JSON []byte
	// SSE is the event as a frame of a text/event-stream (WHATWG HTML, section 9.2): an id line, a data line
	// with JSON, and an empty line.
	SSE []byte
}

// frameOverhead is the most that an encoded frame is longer than its event: the two field names, an id of 16
// digits (2^53 − 1) and the line ends.
const frameOverhead = len("id: \ndata: \n\n") + 16

// newFrame encodes an event. There is deliberately no event field: the type is in the data, a listener for a
// named type would miss every type that it does not know, and `event: error` would look like a broken
// connection to an EventSource.
func newFrame(seq contracts.Seq, event []byte) Frame {
	m := sse.Message{ID: sse.ID(strconv.FormatInt(int64(seq), 10))}
	m.AppendData(string(event))

	b := bytes.NewBuffer(make([]byte, 0, len(event)+frameOverhead))
	_, _ = m.WriteTo(b) // a bytes.Buffer takes every write
	return Frame{Seq: seq, JSON: event, SSE: b.Bytes()}
}

// size is what the frame costs in memory, in bytes.
func (f Frame) size() int { return len(f.JSON) + len(f.SSE) }
