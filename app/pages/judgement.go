package pages

import (
	"fmt"
	"strings"

	"axiom25/app/parts"
	"axiom25/app/store"
)

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func marksOf(places []store.Place) []parts.Mark {
	marks := make([]parts.Mark, len(places))
	for i, place := range places {
		marks[i] = parts.Mark{
			Start: place.Start, End: place.End, Line: place.Line, Column: place.Column,
			Pointer: place.Pointer, Detail: place.Detail, Code: string(place.Code),
		}
		marks[i].Guess, _ = place.Params["did_you_mean"].(string) // absent where nothing is near
	}
	return marks
}

func truncated(j store.Judgement) bool {
	return j.Problem != nil && j.Problem.Truncated != nil && *j.Problem.Truncated
}

// judgementWords says a judgement to a reader.
func judgementWords(j store.Judgement, valid string) string {
	switch n := len(j.Places); {
	case j.Blank():
		return "Nothing to check yet"
	case j.Valid:
		return valid
	case n == 0:
		return orElse(j.Problem.Detail, j.Problem.Title)
	case n == 1:
		return "1 problem"
	default:
		return fmt.Sprintf("%d problems", n)
	}
}

// readiness is the class that a judgement is shown in.
func readiness(j store.Judgement) string {
	switch {
	case j.Blank():
		return "blank"
	case j.Valid:
		return "valid"
	}
	return "invalid"
}
