package sqlitejournal

import (
	"context"
	"errors"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// TakeLease implements journal.Leases.
func (j *Journal) TakeLease(context.Context, contracts.RunID, string, time.Duration) (journal.Lease, error) {
	return journal.Lease{}, errors.ErrUnsupported
}

// RenewLease implements journal.Leases.
func (j *Journal) RenewLease(context.Context, journal.Lease, time.Duration) (journal.Lease, error) {
	return journal.Lease{}, errors.ErrUnsupported
}

// DropLease implements journal.Leases.
func (j *Journal) DropLease(context.Context, journal.Lease) error { return errors.ErrUnsupported }

// LeaseOf implements journal.Leases.
func (j *Journal) LeaseOf(context.Context, contracts.RunID) (journal.Lease, error) {
	return journal.Lease{}, errors.ErrUnsupported
}

// ListLeases implements journal.Leases.
func (j *Journal) ListLeases(context.Context) ([]journal.Lease, error) {
	return nil, errors.ErrUnsupported
}
