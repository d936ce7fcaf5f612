package runstate

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"axiom25/contracts"
)

// Check folds a whole stream, which must end with done, and returns the first *Violation.
func Check(events iter.Seq[contracts.RunEvent]) error {
	var s State
	for ev := range events {
		if err := s.Apply(ev); err != nil {
			return err
		}
	}
	return s.whole()
}

// whole returns a *Violation unless the stream ended with done.
func (s *State) whole() error {
	if s.done != nil {
		return nil
	}
	return &Violation{Invariant: len(invariants), Seq: s.lastSeq, Detail: "the stream does not end with done"}
}

// maxLine is more than an event can take, in bytes: 1 MiB and the field name of a frame.
const maxLine = 1<<20 + 1<<10

// Line is a line of a saved stream that holds an event, or that begins the stream anew.
type Line struct {
	// Number is the line's, from 1.
	Number int
	// JSON is the event, valid until the next line is read. It is nil where the stream begins anew: what came before is void.
	JSON []byte
	// Column is where the event begins in the line, in bytes, from 0.
	Column int
}

// Lines reads the events of a stream. A line is an event, or a line of a saved text/event-stream (WHATWG HTML, section 9.2):
// of those the data lines are read and named control frames are not. The error is the reader's, or says that a line is too long;
// it comes last.
func Lines(r io.Reader) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxLine)
		control := false
		for n := 1; lines.Scan(); n++ {
			line := bytes.TrimSuffix(lines.Bytes(), []byte("\r"))
			if name, isName := bytes.CutPrefix(line, []byte("event:")); isName {
				control = true
				if string(bytes.TrimSpace(name)) == "reset" && !yield(Line{Number: n}, nil) {
					return
				}
				continue
			}
			if len(line) == 0 {
				control = false
				continue
			}
			doc := event(line)
			if doc == nil || control {
				continue
			}
			if !yield(Line{Number: n, JSON: doc, Column: len(line) - len(doc)}, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Line{}, errors.Join(errors.New("read events"), err))
		}
	}
}

// CheckNDJSON reads a whole stream as Lines does and holds it against the invariants as Check does. It returns what it folded,
// with an error that is a *Violation, a *contracts.Problem wrapped with the number of its line, or the reader's.
func CheckNDJSON(r io.Reader) (*State, error) {
	s := new(State)
	for line, err := range Lines(r) {
		if err != nil {
			return s, err
		}
		if line.JSON == nil {
			s = new(State)
			continue
		}
		ev, err := contracts.DecodeEvent(line.JSON)
		if err != nil {
			return s, fmt.Errorf("line %d: %w", line.Number, err)
		}
		if err := s.Apply(ev); err != nil {
			return s, err
		}
	}
	return s, s.whole()
}

// event returns the JSON of a line that holds an event: the line itself, or the value of a data field; nil
// where the line is a comment or another field.
func event(line []byte) []byte {
	if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
		return data
	}
	for _, other := range []string{":", "id:", "retry:"} {
		if bytes.HasPrefix(line, []byte(other)) {
			return nil
		}
	}
	return line
}
