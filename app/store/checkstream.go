package store

import (
	"errors"
	"io"
	"strings"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// Stream is what the lines of a saved stream were found to be.
type Stream struct {
	// Events is how many lines hold an event, Wrong how many of them are not valid.
	Events, Wrong int
	// Lines are the first of those that are not, in their order; see MaxWrongLines.
	Lines []WrongLine
	// State is how far the run was folded.
	State *runstate.State
	// Broken is the invariant that the run breaks, and BrokenLine the line of the event, 0 where the run breaks it by its end.
	Broken     *runstate.Violation
	BrokenLine int
	// Failed says why the lines could not all be read, or not be folded; nil where they were, whatever came of it.
	Failed error
}

// WrongLine is a line that is not a valid event.
type WrongLine struct {
	// Number is the line's, from 1.
	Number int
	// Problem is what is wrong, as the server says it of the line alone.
	Problem *contracts.Problem
	// Places are where, in the whole text.
	Places []Place
}

// MaxWrongLines is how many lines that are wrong a Stream lists.
const MaxWrongLines = 100

// checkStream judges each line by itself, and then the run by all of them.
func checkStream(text string, pause func(float64) bool) *Stream {
	s := &Stream{}
	var numbers []int // of the events since the stream last began, in their order
	reader := &pausing{text: text, share: 0.5, pause: pause}
	lines := newLineStarts(text)
	for line, err := range runstate.Lines(reader) {
		if err != nil {
			s.Failed = err
			break
		}
		if line.JSON == nil {
			numbers = numbers[:0]
			continue
		}
		s.Events++
		numbers = append(numbers, line.Number)
		if problem := problemIn(line.JSON); problem != nil {
			s.Wrong++
			if len(s.Lines) < MaxWrongLines {
				s.Lines = append(s.Lines, wrongLine(line, problem, lines.start(line.Number)))
			}
		}
	}
	if s.Failed != nil {
		return s
	}
	var err error
	s.State, err = runstate.CheckNDJSON(&pausing{text: text, from: 0.5, share: 0.5, pause: pause})
	if broken, ok := errors.AsType[*runstate.Violation](err); ok {
		s.Broken = broken
		if next := int(s.State.LastSeq()); next < len(numbers) {
			s.BrokenLine = numbers[next]
		}
		return s
	}
	s.Failed = err
	return s
}

func problemIn(event []byte) *contracts.Problem {
	err := contracts.Validate(contracts.KindRunEvent, event)
	if err == nil {
		return nil
	}
	if problem, ok := errors.AsType[*contracts.Problem](err); ok {
		return problem
	}
	return contracts.NewProblem(contracts.ProblemInternal, err.Error())
}

// wrongLine places a line's problem in the whole text; start is where the line begins.
func wrongLine(line runstate.Line, problem *contracts.Problem, start int) WrongLine {
	w := WrongLine{Number: line.Number, Problem: problem}
	for _, p := range placesOf(string(line.JSON), problem.Errors) {
		p.Line, p.Column = line.Number, p.Column+line.Column
		p.Start, p.End = p.Start+start+line.Column, p.End+start+line.Column
		w.Places = append(w.Places, p)
	}
	return w
}

// lineStarts finds where the lines of a text begin, for rising numbers.
type lineStarts struct {
	text           string
	number, offset int
}

func newLineStarts(text string) *lineStarts { return &lineStarts{text: text, number: 1} }

// LineAt returns the bytes of a line, counted from 1, without its end.
func LineAt(text string, number int) (start, end int) {
	start = newLineStarts(text).start(number)
	if length := strings.IndexByte(text[start:], '\n'); length >= 0 {
		return start, start + length
	}
	return start, len(text)
}

func (l *lineStarts) start(number int) int {
	for ; l.number < number; l.number++ {
		l.offset += strings.IndexByte(l.text[l.offset:], '\n') + 1
	}
	return l.offset
}

// errStopped ends a check that nobody waits for any more.
var errStopped = errors.New("the check was stopped")

// pausing reads a text and lets others work in between.
type pausing struct {
	text        string
	read        int
	from, share float64
	pause       func(done float64) bool
}

// Read implements io.Reader.
func (p *pausing) Read(b []byte) (int, error) {
	if p.read == len(p.text) {
		return 0, io.EOF
	}
	if p.pause != nil && !p.pause(p.from+p.share*float64(p.read)/float64(len(p.text))) {
		return 0, errStopped
	}
	n := copy(b[:min(len(b), checkChunk)], p.text[p.read:])
	p.read += n
	return n, nil
}

// checkChunk is how many bytes are judged between two looks at the clock.
const checkChunk = 16 << 10
