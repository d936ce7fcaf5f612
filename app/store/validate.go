package store

import (
	"errors"
	"strings"

	"axiom25/app/document"
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
func Judge(kind contracts.Kind, text string) Judgement {
	if strings.TrimSpace(text) == "" {
		return Judgement{}
	}
	var err error
	measured("validate "+string(kind), func() { err = contracts.Validate(kind, []byte(text)) })
	if err == nil {
		return Judgement{Valid: true}
	}
	problem, ok := errors.AsType[*contracts.Problem](err)
	if !ok {
		return Judgement{Problem: contracts.NewProblem(contracts.ProblemInternal, err.Error())}
	}
	return Judgement{Problem: problem, Places: placesOf(text, problem.Errors)}
}

// placesOf finds where errors stand in a text: at their values, or, where those are missing, at the deepest values around
// them that exist.
func placesOf(text string, list []contracts.FieldError) []Place {
	read := document.Read(text)
	bytes, places := []byte(text), make([]Place, len(list))
	for i, e := range list {
		p, offset := Place{FieldError: e}, -1
		if e.Offset != nil {
			offset = max(int(*e.Offset), 0)
		}
		p.Start, p.End = read.Place(e.Pointer, offset)
		p.Line, p.Column = contracts.Position(bytes, int64(p.Start))
		places[i] = p
	}
	return places
}
