package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// leaseClock is the clock that leases end by. It shows the system's time as of its start, and from there runs at the
// system's speed whatever the system's time is set to: a clock that jumps neither ends a lease nor makes it last.
type leaseClock struct {
	now   func() time.Time
	start time.Time
}

func newLeaseClock(now func() time.Time) leaseClock { return leaseClock{now: now, start: now()} }

// time returns what the clock shows. The difference is taken of monotonic readings, where now has them.
func (c leaseClock) time() contracts.Time {
	return contracts.TimeOf(c.start.Add(c.now().Sub(c.start)))
}

// leaseMS returns a time to live in milliseconds.
func leaseMS(ttl time.Duration) int64 { return max(ttl, journal.MinLeaseTTL).Milliseconds() }

// Statements about leases that readers and the writer share.
const (
	leaseColumns   = `run, holder, epoch, expires, ttl, sum`
	selectLease    = `SELECT ` + leaseColumns + ` FROM leases WHERE run = ?`
	selectLeases   = `SELECT ` + leaseColumns + ` FROM leases WHERE expires > ? ORDER BY run`
	clampLeases    = `SELECT ` + leaseColumns + ` FROM leases WHERE expires > ? + ttl`
	deleteLeaseRow = `DELETE FROM leases WHERE run = ?`
)

// lease is a row of leases.
type lease struct {
	journal.Lease
	ttl int64
}

// scanLease reads leaseColumns and verifies the checksum.
func scanLease(row scanner) (lease, error) {
	var l lease
	var sum checksum
	if err := row.Scan(&l.Run, &l.Holder, &l.Epoch, &l.Expires, &l.ttl, &sum); err != nil {
		return lease{}, err
	}
	if sum != sumLease(l) {
		return lease{}, &journal.DamagedError{Run: l.Run}
	}
	return l, nil
}

// readLease returns the lease of a run that lasts at an instant; ok is false where there is none. A damaged row counts as
// none: the next lease has a greater epoch all the same, since runs keeps it.
func readLease(ctx context.Context, stmt querier, id contracts.RunID, at contracts.Time) (l lease, ok bool, err error) {
	l, err = scanLease(stmt.QueryRowContext(ctx, id.String()))
	var damaged *journal.DamagedError
	switch {
	case errors.Is(err, sql.ErrNoRows), errors.As(err, &damaged):
		return lease{}, false, nil
	case err != nil:
		return lease{}, false, readError(err, id, 0)
	}
	return l, l.Expires > at, nil
}

// TakeLease implements journal.Leases.
func (j *Journal) TakeLease(ctx context.Context, id contracts.RunID, holder string, ttl time.Duration) (journal.Lease, error) {
	if len(holder) > journal.MaxHolderBytes {
		return journal.Lease{}, fmt.Errorf("take the lease of run %s: a holder of %d bytes: %w", id, len(holder), journal.ErrTooLarge)
	}
	op := &takeLeaseWrite{lease: lease{Lease: journal.Lease{Run: id, Holder: strings.Clone(holder)}, ttl: leaseMS(ttl)}}
	if err := j.write(ctx, op); err != nil {
		return journal.Lease{}, err
	}
	return op.lease.Lease, nil
}

// takeLeaseWrite is Journal.TakeLease.
type takeLeaseWrite struct {
	lease lease
}

// weight implements operation.
func (*takeLeaseWrite) weight() (events, bytes int) { return 1, 0 }

// apply implements operation.
func (op *takeLeaseWrite) apply(w *writer) (refusal, err error) {
	id := op.lease.Run
	h, refusal := w.head(id)
	if refusal != nil {
		return refusal, nil
	}
	if h.pruned {
		return prunedRun(id), nil
	}
	now := w.clock.time()
	held, ok, err := readLease(context.Background(), w.stmt.leaseOfRun, id, now)
	if err != nil {
		return err, nil
	}
	if ok {
		return &journal.HeldError{Lease: held.Lease}, nil
	}
	if err := w.settle(id); err != nil {
		return nil, err
	}
	_, summary, err := readRun(context.Background(), w.stmt.runByID, w.stmt.taskOfRun, id)
	if err != nil {
		return err, nil
	}
	h.epoch++
	if err := exec(w.stmt.updateRunEpoch, h.epoch, int64(sumRun(id, h, summary)), h.n); err != nil {
		return nil, fmt.Errorf("count the lease of run %s: %w", id, err)
	}
	op.lease.Epoch, op.lease.Expires = h.epoch, now+contracts.Time(op.lease.ttl)
	if err := w.putLease(op.lease); err != nil {
		return nil, err
	}
	w.remember(id, h)
	return nil, nil
}

// putLease stores a lease in the place of the one before.
func (w *writer) putLease(l lease) error {
	err := exec(w.stmt.putLease, l.Run.String(), l.Holder, l.Epoch, int64(l.Expires), l.ttl, int64(sumLease(l)))
	if err != nil {
		return fmt.Errorf("put the lease of run %s: %w", l.Run, err)
	}
	return nil
}

// RenewLease implements journal.Leases.
func (j *Journal) RenewLease(ctx context.Context, l journal.Lease, ttl time.Duration) (journal.Lease, error) {
	op := &renewLeaseWrite{lease: lease{Lease: l, ttl: leaseMS(ttl)}}
	if err := j.write(ctx, op); err != nil {
		return journal.Lease{}, err
	}
	return op.lease.Lease, nil
}

// renewLeaseWrite is Journal.RenewLease.
type renewLeaseWrite struct {
	lease lease
}

// weight implements operation.
func (*renewLeaseWrite) weight() (events, bytes int) { return 1, 0 }

// apply implements operation.
func (op *renewLeaseWrite) apply(w *writer) (refusal, err error) {
	now := w.clock.time()
	held, ok, err := readLease(context.Background(), w.stmt.leaseOfRun, op.lease.Run, now)
	if err != nil {
		return err, nil
	}
	if !ok || held.Epoch != op.lease.Epoch {
		return lostLease(op.lease.Run, op.lease.Epoch), nil
	}
	op.lease.Holder, op.lease.Expires = held.Holder, now+contracts.Time(op.lease.ttl)
	return nil, w.putLease(op.lease)
}

// DropLease implements journal.Leases.
func (j *Journal) DropLease(ctx context.Context, l journal.Lease) error {
	return j.write(ctx, &dropLeaseWrite{lease: l})
}

// dropLeaseWrite is Journal.DropLease.
type dropLeaseWrite struct {
	lease journal.Lease
}

// weight implements operation.
func (*dropLeaseWrite) weight() (events, bytes int) { return 1, 0 }

// apply implements operation.
func (op *dropLeaseWrite) apply(w *writer) (refusal, err error) {
	if err := exec(w.stmt.deleteLease, op.lease.Run.String(), op.lease.Epoch); err != nil {
		return nil, fmt.Errorf("drop the lease of run %s: %w", op.lease.Run, err)
	}
	return nil, nil
}

// lostLease says that a lease with another epoch was taken, or none lasts.
func lostLease(id contracts.RunID, epoch int64) error {
	return fmt.Errorf("lease %d of run %s: %w", epoch, id, journal.ErrLeaseLost)
}

// LeaseOf implements journal.Leases.
func (j *Journal) LeaseOf(ctx context.Context, id contracts.RunID) (found journal.Lease, err error) {
	err = j.read(func() error {
		l, ok, err := readLease(ctx, j.reader.leaseOfRun, id, j.clock.time())
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("lease of run %s: %w", id, journal.ErrNotFound)
		}
		found = l.Lease
		return nil
	})
	return found, err
}

// ListLeases implements journal.Leases.
func (j *Journal) ListLeases(ctx context.Context) (leases []journal.Lease, err error) {
	err = j.read(func() error {
		leases, err = j.reader.listLeases(ctx, j.clock.time())
		return err
	})
	return leases, err
}

func (r *reader) listLeases(ctx context.Context, at contracts.Time) (leases []journal.Lease, err error) {
	rows, err := r.leases.QueryContext(ctx, int64(at))
	if err != nil {
		return nil, readError(err, "", 0)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		l, err := scanLease(rows)
		if _, damaged := errors.AsType[*journal.DamagedError](err); damaged {
			continue // as in readLease
		}
		if err != nil {
			return nil, readError(err, "", 0)
		}
		leases = append(leases, l.Lease)
	}
	if err := rows.Err(); err != nil {
		return nil, readError(err, "", 0)
	}
	return leases, nil
}

// clampLeases makes no lease last longer than it was given for: the system's clock may have been set back since the file
// was closed.
func (w *writer) clampLeases() error {
	now := w.clock.time()
	rows, err := w.conn.QueryContext(context.Background(), clampLeases, int64(now))
	if err != nil {
		return fmt.Errorf("read leases: %w", err)
	}
	var far []lease
	for rows.Next() {
		l, err := scanLease(rows)
		if _, damaged := errors.AsType[*journal.DamagedError](err); damaged {
			continue
		}
		if err != nil {
			return errors.Join(fmt.Errorf("read leases: %w", err), rows.Close())
		}
		far = append(far, l)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("read leases: %w", err)
	}
	for _, l := range far {
		l.Expires = now + contracts.Time(l.ttl)
		if err := w.putLease(l); err != nil {
			return err
		}
	}
	return nil
}
