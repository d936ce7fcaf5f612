// Package journal says what a durable store of runs guarantees. Every implementation passes journaltest.
//
// A run is a gapless sequence of events, numbered from 1, that only grows. The journal stores the bytes it is
// given and gives back the same bytes; what they mean is decided before (package intake).
package journal

import (
	"context"
	"errors"
	"fmt"

	"axiom25/contracts"
)

// Limits of one append. A caller that exceeds them gets ErrTooLarge. They are about twice what an engine may report
// at once (contracts.MaxBatchEvents and contracts.MaxBatchBytes), since what the server adds joins the same append.
const (
	MaxBatchEvents = 2048
	MaxBatchBytes  = 8 << 20
)

var (
	// ErrNotFound says that there is no such run, tool or batch.
	ErrNotFound = errors.New("journal: not found")
	// ErrPruned says that the run existed and that its events were deleted by retention.
	ErrPruned = errors.New("journal: history pruned")
	// ErrEmpty says that a batch has no events. Nothing was stored.
	ErrEmpty = errors.New("journal: batch without events")
	// ErrTooLarge says that a batch exceeds MaxBatchEvents or MaxBatchBytes. Nothing was stored.
	ErrTooLarge = errors.New("journal: batch too large")
	// ErrBusy says that the queue of waiting appends is full, or that the cluster which keeps the journal has nobody to
	// answer: a read can give it then too. Nothing was stored; try again later.
	ErrBusy = errors.New("journal: queue full")
	// ErrFull says that the disk is full. Nothing was stored; the journal goes on serving reads, and a later
	// append may succeed.
	ErrFull = errors.New("journal: disk full")
	// ErrUnavailable says that the journal takes no more writes until the process is restarted, after a failed
	// fsync or a close. It goes on serving reads unless it was closed. Nothing was stored.
	ErrUnavailable = errors.New("journal: not writable")
	// ErrUnknown says that it is not known whether the append was stored. The same append tried again settles
	// it: it either succeeds or meets its own events as a conflict.
	ErrUnknown = errors.New("journal: outcome unknown")
	// ErrLocked says that another process holds the store.
	ErrLocked = errors.New("journal: in use by another process")
)

// ConflictError says that an append named another end of the run than the journal has. Nothing was stored.
type ConflictError struct {
	Run contracts.RunID
	// Last is the last seq of the run.
	Last contracts.Seq
}

// Error implements error.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("journal: run %s ends at %d", e.Run, e.Last)
}

// KeyTakenError says that the idempotency key of a new run belongs to another run. Nothing was stored.
type KeyTakenError struct {
	Run        contracts.RunID
	TaskDigest contracts.Digest
}

// Error implements error.
func (e *KeyTakenError) Error() string {
	return fmt.Sprintf("journal: the idempotency key belongs to run %s", e.Run)
}

// DamagedError says that stored bytes do not match their checksum, or are missing. What lies before From, and
// was asked for, was read whole. Run is empty where a tool is damaged, or where the damage hides which run it is.
type DamagedError struct {
	Run  contracts.RunID
	From contracts.Seq
}

// Error implements error.
func (e *DamagedError) Error() string {
	if e.Run == "" {
		return "journal: what is stored is damaged"
	}
	return fmt.Sprintf("journal: run %s is damaged from event %d on", e.Run, e.From)
}

// Run is what is stored once, when a run is created.
type Run struct {
	ID contracts.RunID
	// Task is the TaskSpec's bytes as they were sent.
	Task       []byte
	TaskDigest contracts.Digest
	// Key is the idempotency key, or empty. It belongs to the run for as long as the run exists.
	Key string
	// Summary is the run's row in lists, as of the last append. Create takes it from the first Batch and ignores
	// the one here.
	Summary contracts.Summary
}

// Batch is what one append stores, all or nothing.
type Batch struct {
	// After is the last seq of the run before the batch; the first event of the batch gets After+1.
	After contracts.Seq
	// Events are the encoded events in order, at least one: JSON without a newline. The journal does not look
	// into them, and keeps no reference to them once the append has returned.
	Events [][]byte
	// Summary replaces the run's row in the same transaction. The journal sets RunID and LastSeq. Goal, Labels
	// and CreatedAt should be those of the run's first batch, which are the ones that Query looks at.
	Summary contracts.Summary
	// Origin is kept with the batch where an engine may send it again; nil elsewhere.
	Origin *Origin
	// Epoch, where not 0, is that of the lease under which the batch is written. The append is refused with ErrLeaseLost
	// where a lease with a greater epoch was taken and its holder has appended, and may be as soon as it was taken.
	Epoch int64
}

// Origin identifies an engine's request, so that the same request again gets the same answer.
type Origin struct {
	// After is the cursor that the engine named.
	After contracts.Seq
	// Digest is that of the request's body.
	Digest contracts.Digest
}

// Stored is the place of a batch that was stored with an Origin.
type Stored struct {
	Origin      Origin
	First, Last contracts.Seq
}

// Event is one stored event.
type Event struct {
	Seq contracts.Seq
	// JSON is the event's bytes, as they were appended. They must not be changed.
	JSON []byte
}

// Page is a piece of a run.
type Page struct {
	// Events follow the cursor without a gap; empty at the end of the run.
	Events []Event
	// Last is the run's last seq when the page was read.
	Last contracts.Seq
	// State is the run's state at Last.
	State contracts.State
}

// Query selects runs for a list. The zero value selects all.
type Query struct {
	// States keeps runs in one of these states; empty keeps all.
	States []contracts.State
	// Labels keeps runs that have each of these labels.
	Labels map[string]string
	// Text keeps runs whose id or goal contains it, without regard to the case of ASCII letters.
	Text string
	// Since and Until keep runs created within [Since, Until); 0 leaves an end open.
	Since, Until contracts.Time
	// Before keeps runs older than this one: the cursor for the next page.
	Before contracts.RunID
	// Limit is how many runs to return, 1..500; a value outside is taken as the nearer end.
	Limit int
}

// Tool is one version of a tool in the store.
type Tool struct {
	Name, Version string
	// Spec is the ToolSpec's bytes.
	Spec   []byte
	Digest contracts.Digest
}

// Reader is the part of a journal that never changes it.
//
// Every method may be called from any number of goroutines. A read that begins after an append returned sees
// that append. No method holds a lock or a transaction when it has returned.
type Reader interface {
	// Run returns what was stored when the run was created, and its summary as of now. Errors: ErrNotFound,
	// ErrPruned with the ID and the Summary alone, *DamagedError with From 0. Damage to events is no matter of Run.
	Run(ctx context.Context, id contracts.RunID) (Run, error)
	// Read returns events behind the cursor after, at most maxEvents of them and, unless the first alone is
	// larger, at most maxBytes. A cursor at or behind the end gives an empty page. Errors: ErrNotFound,
	// ErrPruned, *DamagedError; with the latter the page holds the events before the damage.
	Read(ctx context.Context, id contracts.RunID, after contracts.Seq, maxEvents, maxBytes int) (Page, error)
	// Batch returns the place of the batch whose Origin named the cursor after; of several, the last. Errors:
	// ErrNotFound, *DamagedError.
	Batch(ctx context.Context, id contracts.RunID, after contracts.Seq) (Stored, error)
	// ByKey returns the run that an idempotency key belongs to, and the digest of its task. Errors: ErrNotFound.
	ByKey(ctx context.Context, key string) (contracts.RunID, contracts.Digest, error)
	// List returns the newest runs first, which is descending order of ids. Errors: *DamagedError, with the runs
	// before the damaged one; a query Before that run goes on behind it.
	List(ctx context.Context, q Query) ([]contracts.Summary, error)
	// Tools returns every version of every tool, ordered by name and version as text. Errors: *DamagedError.
	Tools(ctx context.Context) ([]Tool, error)
}

// Journal is a durable store of runs and of the tool catalogue.
//
// A write that returned nil is durable: it survives kill -9 of the process and, as far as the disk keeps its
// promise, a loss of power. A write that returned an error other than ErrUnknown left nothing behind. A context
// that ends while a write waits gives its error and nothing stored, or the write's own result.
type Journal interface {
	Reader
	Leases
	Retention
	// Create stores a new run with its first events: Batch.After is 0. Errors: *ConflictError where the run
	// exists or After is not 0, else *KeyTakenError, ErrEmpty, ErrTooLarge, ErrBusy, ErrFull, ErrUnavailable,
	// ErrUnknown, *DamagedError.
	Create(ctx context.Context, run Run, first Batch) error
	// Append stores a batch behind Batch.After. Appends of one run must not overlap; those of different runs may
	// and are committed together. Errors: ErrNotFound, ErrPruned, ErrLeaseLost,
	// *ConflictError, ErrEmpty, ErrTooLarge, ErrBusy, ErrFull, ErrUnavailable, ErrUnknown, *DamagedError.
	Append(ctx context.Context, id contracts.RunID, b Batch) error
	// PutTool stores a version of a tool. The same digest again changes nothing; another digest is a
	// *ToolConflictError. Other errors: ErrBusy, ErrFull, ErrUnavailable, ErrUnknown.
	PutTool(ctx context.Context, t Tool) error
	// DeleteTool removes a version, or every version where version is empty. Errors: ErrNotFound, ErrBusy,
	// ErrFull, ErrUnavailable, ErrUnknown.
	DeleteTool(ctx context.Context, name, version string) error
	// Ready returns nil while the journal can be read and written, else one of the errors of a write.
	Ready(ctx context.Context) error
	// Close waits for the writes that were accepted and the reads that run, then releases the store. Later calls
	// of other methods give ErrUnavailable; Close again gives nil.
	Close() error
}

// ToolConflictError says that a version of a tool exists with another content.
type ToolConflictError struct {
	Name, Version string
}

// Error implements error.
func (e *ToolConflictError) Error() string {
	return fmt.Sprintf("journal: tool %s@%s has another content", e.Name, e.Version)
}
