package engine

import (
	"fmt"

	"axiom25/contracts"
)

// unavailable collects what a task asks for in vain.
type unavailable []contracts.FieldError

// add says what is not there at a pointer, once.
func (u *unavailable) add(code contracts.Code, pointer string, args ...any) {
	at := fmt.Sprintf(pointer, args...)
	for _, e := range *u {
		if e.Pointer == at {
			return
		}
	}
	*u = append(*u, contracts.FieldError{Pointer: at, Code: code})
}

// problem returns what was collected, or nil.
func (u *unavailable) problem() error {
	if p := contracts.DocumentProblem(contracts.ProblemUnavailable, "TaskSpec", *u...); p != nil {
		return p
	}
	return nil
}
