// Package intake is the only way into the journal: everything that becomes an event passes here, is held
// against the contracts, the catalogue, the budget and the run's state, is stored, and only then shown.
package intake

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"axiom25/contracts"
	"axiom25/server/fanout"
	"axiom25/server/journal"
)

// Engines chooses who carries a run out.
type Engines interface {
	// Choose returns the engine for a task, or a *contracts.Problem: unavailable, or invalid-document where the
	// engine cannot carry this task out.
	Choose(task *contracts.TaskSpec) (Choice, error)
	// Start hands a created run to an in-process engine. It returns at once.
	Start(id contracts.RunID, engine string)
}

// Choice is the engine that a task is given to.
type Choice struct {
	// Name is the engine's.
	Name string
	// InProcess says that it runs inside this server and dies with it.
	InProcess bool
}

// Catalogue is what intake needs of package tools.
type Catalogue interface{ contracts.Catalogue }

// Config is what an Intake is made of. Every field without a default is required.
type Config struct {
	Journal   journal.Journal
	Hub       *fanout.Hub
	Catalogue Catalogue
	Engines   Engines
	Log       *slog.Logger
	// Now is the clock; time.Now where nil.
	Now func() time.Time
	// Ceiling is the most that a task may ask for; the max profile where zero.
	Ceiling contracts.Limits
	// ApprovalTTL is how long a human may take; 10 minutes where zero.
	ApprovalTTL time.Duration
	// DrainGrace is how long an engine may take to finish a draining run; 10 seconds where zero.
	DrainGrace time.Duration
	// CacheBytes bounds the memory of the folded runs that are kept; 64 MiB where zero.
	CacheBytes int64
}

// Intake is the door. Its methods may be called from any number of goroutines.
//
// An error that is the client's fault is a *contracts.Problem; the journal's sentinel errors are passed on
// wrapped.
type Intake struct{}

// New returns a door. Run must be called for deadlines to be kept.
func New(cfg Config) (*Intake, error) { return nil, errors.ErrUnsupported }

// Run keeps deadlines (wall and active time, approvals, drain grace, budget ticks) until ctx ends.
func (in *Intake) Run(ctx context.Context) error { return errors.ErrUnsupported }

// Recover ends the runs that an earlier process of this server left to an in-process engine, and takes up the
// deadlines of the others. It is called once, before the server listens.
func (in *Intake) Recover(ctx context.Context) error { return errors.ErrUnsupported }

// CreateOptions is what comes beside a TaskSpec.
type CreateOptions struct {
	// IdempotencyKey, where not empty, makes the same request again give the same run.
	IdempotencyKey string
	// Traceparent is the W3C Trace Context of the request, or empty.
	Traceparent string
}

// Create makes a run from a TaskSpec's bytes. replayed says that the idempotency key had made it before.
// Problems: those of contracts.Decode, tool-unknown, over-ceiling, unavailable, idempotency-conflict.
func (in *Intake) Create(ctx context.Context, doc []byte, o CreateOptions) (c contracts.Created, replayed bool, err error) {
	return contracts.Created{}, false, errors.ErrUnsupported
}

// Start writes running for a queued run whose in-process engine begins.
func (in *Intake) Start(ctx context.Context, id contracts.RunID) error { return errors.ErrUnsupported }

// Append stores what an engine reports; all events or none. origin makes the request idempotent where not
// nil. Problems: not-found, run-finished, illegal-transition, sequence-conflict.
func (in *Intake) Append(ctx context.Context, id contracts.RunID, events []contracts.EngineEvent, origin *journal.Origin) (contracts.Appended, error) {
	return contracts.Appended{}, errors.ErrUnsupported
}

// Answer judges an engine's answer. Problems: not-found, run-finished, illegal-transition, invalid-document
// where the text is not what was streamed.
func (in *Intake) Answer(ctx context.Context, id contracts.RunID, a contracts.Answer) (contracts.Judged, error) {
	return contracts.Judged{}, errors.ErrUnsupported
}

// Cancel asks a run to end. Problems: not-found, run-finished.
func (in *Intake) Cancel(ctx context.Context, id contracts.RunID, r contracts.CancelRequest) error {
	return errors.ErrUnsupported
}

// Decide answers a waiting call. Problems: not-found, run-finished, approval-decided, approval-expired,
// invalid-document where edited arguments do not fit the tool.
func (in *Intake) Decide(ctx context.Context, id contracts.RunID, approval contracts.ApprovalID, d contracts.ApprovalDecision) error {
	return errors.ErrUnsupported
}

// Fail ends a run whose in-process engine gave up or died: a fatal error of type t, then done failed. A run
// that has ended is left alone.
func (in *Intake) Fail(ctx context.Context, id contracts.RunID, t contracts.ProblemType, detail string) error {
	return errors.ErrUnsupported
}

// Snapshot returns a run folded up to its last event. Problems: not-found.
func (in *Intake) Snapshot(ctx context.Context, id contracts.RunID) (contracts.Snapshot, error) {
	return contracts.Snapshot{}, errors.ErrUnsupported
}

// Task returns a run's TaskSpec with what an in-process engine needs to carry it out.
func (in *Intake) Task(ctx context.Context, id contracts.RunID) (Task, error) {
	return Task{}, errors.ErrUnsupported
}

// Task is a run's TaskSpec and what was settled when it was created.
type Task struct {
	// Spec is the task, sensitive inputs included.
	Spec *contracts.TaskSpec
	// Shown is the document as it was sent, with the content of sensitive inputs left out.
	Shown []byte
	// Limits is the effective budget.
	Limits contracts.Limits
	// Tools are the allowed tools' definitions as pinned, by exact reference.
	Tools map[contracts.ToolRef]*contracts.ToolSpec
	// Backend is the engine that the run was given to.
	Backend string
}
