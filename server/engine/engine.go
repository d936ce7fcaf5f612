// Package engine holds what carries runs out: the Engine interface, the registry that chooses one for a task,
// and the supervisor that keeps an in-process engine's runs.
package engine

import (
	"context"

	"axiom25/contracts"
)

// External is the name of the engine that is any program reporting over HTTP.
const External = "external"

// Engine carries runs out inside this process.
type Engine interface {
	// Describe names the engine and what it can do.
	Describe() contracts.Engine
	// Check says before a run is created whether the engine can carry the task out. The error is a
	// *contracts.Problem whose pointers are into the task.
	Check(task *contracts.TaskSpec) error
	// Run carries one run out and returns when it has given its final answer, or when it cannot go on. ctx ends
	// when the run must stop at once (cancelled, exhausted with on_exhausted=stop, or the server shuts down). A
	// returned error other than the context's becomes a fatal error event.
	Run(ctx context.Context, run *Run) error
}

// Door is the part of package intake that an engine reports through.
type Door interface {
	// Append stores what the engine reports. See intake.Intake.Append.
	Append(ctx context.Context, id contracts.RunID, events []contracts.EngineEvent) (contracts.Appended, error)
	// Answer ends a pass. See intake.Intake.Answer.
	Answer(ctx context.Context, id contracts.RunID, a contracts.Answer) (contracts.Judged, error)
}

// Run is one run in an engine's hands.
type Run struct {
	ID contracts.RunID
	// Task is the whole task, sensitive inputs included.
	Task *contracts.TaskSpec
	// Limits is the effective budget.
	Limits contracts.Limits
	// Tools are the allowed tools' definitions as pinned, by exact reference.
	Tools map[contracts.ToolRef]*contracts.ToolSpec
}
