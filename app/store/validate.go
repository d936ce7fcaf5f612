package store

import (
	"bytes"
	"errors"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"axiom25/contracts"
)

// Judgement is what a document was found to be. The zero value says that there is no document.
type Judgement struct {
	// Valid says that it keeps every rule.
	Valid bool
	// Problem is what is wrong, or nil.
	Problem *contracts.Problem
	// Places has one entry for each of the problem's errors.
	Places []Place
}

// Blank reports whether there is no document.
func (j Judgement) Blank() bool { return !j.Valid && j.Problem == nil }

// Place is where an error of a document stands in its text.
type Place struct {
	contracts.FieldError
	// Start and End are the bytes that show it.
	Start, End int
	// Line and Column are where it begins, both from 1; columns count characters.
	Line, Column int
}

// Judge holds a document against a contract, by the code that the server uses, here in the browser.
func Judge(kind contracts.Kind, document string) Judgement {
	if strings.TrimSpace(document) == "" {
		return Judgement{}
	}
	text := []byte(document)
	var err error
	measured("validate "+string(kind), func() { err = contracts.Validate(kind, text) })
	if err == nil {
		return Judgement{Valid: true}
	}
	problem, ok := errors.AsType[*contracts.Problem](err)
	if !ok {
		return Judgement{Problem: contracts.NewProblem(contracts.ProblemInternal, err.Error())}
	}
	j := Judgement{Problem: problem}
	for _, e := range problem.Errors {
		j.Places = append(j.Places, placeOf(text, e))
	}
	return j
}

// placeOf finds where an error stands: at its value, or, where that is missing, at the deepest value around it
// that exists.
func placeOf(text []byte, e contracts.FieldError) Place {
	p := Place{FieldError: e}
	if e.Offset != nil {
		p.Start = min(max(int(*e.Offset), 0), len(text))
	} else {
		p.Start = nearest(text, e.Pointer)
	}
	p.End = p.Start + valueLength(text[p.Start:])
	p.Line, p.Column = contracts.Position(text, int64(p.Start))
	return p
}

// nearest returns where the deepest existing value on the way to pointer begins.
func nearest(text []byte, pointer string) int {
	target, err := url.PathUnescape(strings.TrimPrefix(pointer, "#"))
	if err != nil {
		return 0
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true))
	best, depth := 0, -1
	for {
		from := int(decoder.InputOffset())
		token, err := decoder.ReadToken()
		if err != nil {
			return best
		}
		if kind, index := decoder.StackIndex(decoder.StackDepth()); kind == '{' && index%2 == 1 {
			continue // a member's name
		}
		if k := token.Kind(); k == '}' || k == ']' {
			continue
		}
		at := string(decoder.StackPointer())
		if len(at) > depth && (at == target || strings.HasPrefix(target, at+"/")) {
			best, depth = from+skipped(text[from:]), len(at)
		}
	}
}

// skipped counts the bytes before a value: white space, a comma, a colon.
func skipped(text []byte) int {
	return len(text) - len(bytes.TrimLeft(text, " \t\r\n,:"))
}

// valueLength is how much of a value is marked: a scalar to its end, a container by its bracket.
func valueLength(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	switch text[0] {
	case '{', '[', '}', ']', '\n':
		return 1
	case '"':
		for i := 1; i < len(text); i++ {
			switch text[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			case '\n':
				return i
			}
		}
		return len(text)
	}
	if end := bytes.IndexAny(text, " \t\r\n,:]}"); end > 0 {
		return end
	}
	return len(text)
}
