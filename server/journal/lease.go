package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"axiom25/contracts"
)

// The bounds of a lease.
const (
	// MinLeaseTTL is the shortest time that a lease lasts: the granularity of the coarsest store.
	MinLeaseTTL = time.Second
	// MaxHolderBytes bounds the name of a holder.
	MaxHolderBytes = 256
)

// ErrLeaseLost says that a lease has expired, was dropped, or that somebody else took one on the run since. Nothing was
// stored.
var ErrLeaseLost = errors.New("journal: lease lost")

// Lease is the right to carry a run out, for a time. A run has one holder at most.
type Lease struct {
	Run contracts.RunID
	// Holder says who has it, in the words of whoever took it; at most MaxHolderBytes.
	Holder string
	// Epoch is the fencing token, 1 or more: each lease of a run has a greater one than those before it, whoever took
	// them and whether they were dropped or expired.
	Epoch int64
	// Expires is when the lease ends unless it is renewed, by the store's clock.
	Expires contracts.Time
}

// HeldError says that somebody holds the lease of a run. Nothing was stored.
type HeldError struct {
	Lease Lease
}

// Error implements error.
func (e *HeldError) Error() string {
	return fmt.Sprintf("journal: %s holds run %s", e.Lease.Holder, e.Lease.Run)
}

// Leases is the part of a journal that says who carries a run out.
//
// A lease is a promise between processes, not a lock: what keeps an old holder from writing is Batch.Epoch. Times to
// live below MinLeaseTTL are taken as MinLeaseTTL.
type Leases interface {
	// TakeLease gives the run's lease to holder for ttl. Errors: ErrNotFound, *HeldError while a lease of the run has
	// not expired, even one of the same holder; ErrPruned, ErrTooLarge for a name of more
	// than MaxHolderBytes, ErrBusy, ErrFull, ErrUnavailable, ErrUnknown.
	TakeLease(ctx context.Context, id contracts.RunID, holder string, ttl time.Duration) (Lease, error)
	// RenewLease makes a lease last for ttl from now and returns it; run, holder and epoch stay. Errors: ErrLeaseLost,
	// ErrBusy, ErrFull, ErrUnavailable, ErrUnknown.
	RenewLease(ctx context.Context, l Lease, ttl time.Duration) (Lease, error)
	// DropLease ends a lease before its time. One that is lost already gives nil. Errors: ErrBusy, ErrFull,
	// ErrUnavailable, ErrUnknown.
	DropLease(ctx context.Context, l Lease) error
	// LeaseOf returns the lease of a run. Errors: ErrNotFound where nobody holds one.
	LeaseOf(ctx context.Context, id contracts.RunID) (Lease, error)
	// ListLeases returns the leases that have not expired, ordered by run.
	ListLeases(ctx context.Context) ([]Lease, error)
}
