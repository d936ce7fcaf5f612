// Package engine holds what carries runs out: the Engine interface, the registry that chooses one for a task,
// and the supervisor that keeps the runs of in-process engines.
//
// An in-process engine reports through the same door as an external one, and is trusted with as little: the
// door gates, meters and ends its runs. What the supervisor adds is that no run is left hanging: an engine that
// returns, fails, panics or is stopped with the server has its run ended in its stead, and says why.
package engine

import (
	"context"

	"axiom25/contracts"
)

// External is the name of the engine that is any program reporting over HTTP.
const External = contracts.ExternalEngine

// Engine carries runs out inside this process. Its methods may be called from any number of goroutines.
type Engine interface {
	// Describe names the engine and what it can do.
	Describe() contracts.Engine
	// Check says before a run is created whether the engine can carry the task out. The error is a
	// *contracts.Problem whose pointers are into the task.
	Check(task *contracts.TaskSpec) error
	// Run carries one run out and returns when it has given its final answer, or when it cannot go on; every
	// goroutine that it started has ended by then. ctx ends when the run must stop at once (cancelled, exhausted
	// with on_exhausted=stop, failed, or the server shuts down). A returned error other than the context's becomes
	// a fatal error event, for viewers to read: it names places, never data.
	Run(ctx context.Context, run *Run) error
}
