package engine

import (
	"fmt"

	"axiom25/contracts"
)

// The codes of what a task asks for that this server does not have. They stand in problems of type unavailable.
const (
	// CodeEngineUnknown marks an engine that this server does not have.
	CodeEngineUnknown contracts.Code = "engine.unknown"
	// CodeEngineDown marks an engine that cannot be given runs now.
	CodeEngineDown contracts.Code = "engine.unavailable"
	// CodeEngineNeeds marks a capability that no engine of the task's choice has.
	CodeEngineNeeds contracts.Code = "engine.needs"
	// CodeTransport marks a tool that the chosen engine cannot call.
	CodeTransport contracts.Code = "tool.transport"
	// CodeJudge marks a scorer that needs a judge.
	CodeJudge contracts.Code = "scorer.judge"
)

// unavailable collects what a task asks for in vain.
type unavailable []contracts.FieldError

func (u *unavailable) add(code contracts.Code, detail, pointer string, args ...any) {
	*u = append(*u, contracts.FieldError{Pointer: fmt.Sprintf(pointer, args...), Code: code, Detail: detail})
}

// problem returns what was collected, or nil.
func (u *unavailable) problem() error {
	errs := *u
	if len(errs) == 0 {
		return nil
	}
	detail := "1 problem"
	if len(errs) > 1 {
		detail = fmt.Sprintf("%d problems", len(errs))
	}
	p := contracts.NewProblem(contracts.ProblemUnavailable, detail)
	p.Schema = fmt.Sprintf("taskspec/v%d", contracts.Version)
	p.Errors = errs
	if len(errs) > contracts.MaxFieldErrors {
		p.Errors = errs[:contracts.MaxFieldErrors]
	}
	truncated := len(errs) > contracts.MaxFieldErrors
	p.Truncated = &truncated
	return p
}
