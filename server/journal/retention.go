package journal

import (
	"context"
	"errors"

	"axiom25/contracts"
)

// MaxPruneRows bounds one slice of a pruning.
const MaxPruneRows = 500

// ErrUnfinished says that a run has not ended and therefore cannot be pruned.
var ErrUnfinished = errors.New("journal: the run has not ended")

// Size is how much a journal holds.
type Size struct {
	// Runs counts those whose events are there, Tombstones those that were pruned.
	Runs, Tombstones int64
	// Events counts the stored events. It may be an estimate where counting would read them all; Verify counts.
	Events int64
	// Bytes is what the store takes, in bytes: of disk, or of the quota that it has.
	Bytes int64
}

// Retention is the part of a journal that lets go of what is old.
type Retention interface {
	// Finished returns runs that have ended before an instant and that were not pruned whole, the one that ended first
	// first; at most limit of them, 1..500. A run whose pruning was interrupted comes again.
	Finished(ctx context.Context, before contracts.Time, limit int) ([]contracts.Summary, error)
	// Prune takes away what a finished run consists of, but for its summary, which stays in lists with Pruned set. It
	// deletes at most maxRows rows, 1..MaxPruneRows, in one transaction and between appends that wait; more says that the
	// next call goes on. From the first call on Read and Batch of the run give ErrPruned, Run gives it with the Summary
	// alone, Append gives ErrPruned, and its idempotency key is free. A run that was pruned whole gives false and nil.
	// Errors: ErrNotFound, ErrUnfinished, ErrBusy, ErrFull, ErrUnavailable, ErrUnknown.
	Prune(ctx context.Context, id contracts.RunID, maxRows int) (more bool, err error)
	// Size returns how much the journal holds.
	Size(ctx context.Context) (Size, error)
	// Verify reads everything that is stored, holds it against its checksums and calls visit for each damage, with a
	// *DamagedError or another error that says where it is. It returns what it counted. It holds no transaction for long:
	// appends go on meanwhile. Where visit returns an error Verify ends with it.
	Verify(ctx context.Context, visit func(damage error) error) (Size, error)
}
