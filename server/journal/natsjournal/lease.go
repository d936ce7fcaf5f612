package natsjournal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// leaseRecord is what the subject of a run's lease holds. A lease's epoch is the place of the message that took it in
// the stream, which only grows. JetStream deletes the message some time after it has expired; whether it has is told by
// the time of a barrier, so that the clocks of servers do not matter.
type leaseRecord struct {
	Holder string `json:"holder"`
	// Epoch is 0 in the message that took the lease.
	Epoch   int64          `json:"epoch,omitzero"`
	Expires contracts.Time `json:"expires"`
}

// heldLease is a lease as it was read.
type heldLease struct {
	journal.Lease
	place uint64
}

// readLease reads a lease.
func (j *Journal) readLease(m message) (heldLease, error) {
	var r leaseRecord
	id := contracts.RunID(lastToken(m.subject))
	_, payload, err := open(m)
	if err == nil {
		err = json.Unmarshal(payload, &r)
	}
	if err != nil {
		return heldLease{}, fmt.Errorf("lease: %w", &journal.DamagedError{Run: id})
	}
	l := heldLease{Lease: journal.Lease{Run: id, Holder: r.Holder, Epoch: r.Epoch, Expires: r.Expires}, place: m.seq}
	if l.Epoch == 0 {
		l.Epoch = int64(m.seq) //nolint:gosec // a stream has fewer messages
	}
	return l, nil
}

// leaseNow returns the lease of a run, whose place is 0 where there is none, and the time by the store's clock.
func (j *Journal) leaseNow(ctx context.Context, id contracts.RunID) (l heldLease, now contracts.Time, err error) {
	subject := j.layout.lease(id)
	got, at, err := j.lease.last(ctx, 0, subject)
	if err != nil {
		return l, 0, fmt.Errorf("lease of run %s: %w", id, err)
	}
	if at.IsZero() {
		return l, 0, journal.ErrFull // no room for a barrier, and none for a lease
	}
	if m, found := got[subject]; found {
		l, err = j.readLease(m)
	}
	return l, contracts.Time(at.UnixMilli()), err
}

// putLease writes a lease behind a place.
func (j *Journal) putLease(ctx context.Context, l journal.Lease, ttl time.Duration, expect uint64) (place uint64, err error) {
	payload, err := json.Marshal(leaseRecord{l.Holder, l.Epoch, l.Expires})
	if err != nil {
		return 0, err
	}
	subject, id := j.layout.lease(l.Run), j.nextID()
	return j.lease.put(ctx, write{subject: subject, id: id, data: seal(subject, id, payload), expect: expect, ttl: ttl + time.Second}, recordID)
}

// after returns the instant ttl after another.
func after(now contracts.Time, ttl time.Duration) contracts.Time {
	return now + contracts.Time(ttl.Milliseconds())
}

// TakeLease implements journal.Leases.
func (j *Journal) TakeLease(ctx context.Context, id contracts.RunID, holder string, ttl time.Duration) (journal.Lease, error) {
	leave, err := j.enterWrite(ctx)
	if err != nil {
		return journal.Lease{}, err
	}
	defer leave()
	if len(holder) > journal.MaxHolderBytes {
		return journal.Lease{}, fmt.Errorf("holder of run %s: %w", id, journal.ErrTooLarge)
	}
	ttl = max(ttl, journal.MinLeaseTTL)
	if _, err := j.living(ctx, id); err != nil {
		return journal.Lease{}, err
	}
	for {
		held, now, err := j.leaseNow(ctx, id)
		if err != nil {
			return journal.Lease{}, err
		}
		if held.place != 0 && held.Expires > now {
			return journal.Lease{}, &journal.HeldError{Lease: held.Lease}
		}
		l := journal.Lease{Run: id, Holder: holder, Expires: after(now, ttl)}
		place, err := j.putLease(ctx, l, ttl, held.place)
		if _, moved := errors.AsType[*movedError](err); moved {
			continue
		}
		if err != nil {
			return journal.Lease{}, fmt.Errorf("take lease of run %s: %w", id, err)
		}
		l.Epoch = int64(place) //nolint:gosec // a stream has fewer messages
		return l, nil
	}
}

// mine returns the lease as it is now where it is still the one given; journal.ErrLeaseLost where it is not.
func (j *Journal) mine(ctx context.Context, l journal.Lease) (heldLease, contracts.Time, error) {
	if !validRun(l.Run) {
		return heldLease{}, 0, journal.ErrLeaseLost
	}
	held, now, err := j.leaseNow(ctx, l.Run)
	if err == nil && (held.place == 0 || held.Epoch != l.Epoch || held.Holder != l.Holder || held.Expires <= now) {
		err = fmt.Errorf("lease of run %s: %w", l.Run, journal.ErrLeaseLost)
	}
	return held, now, err
}

// RenewLease implements journal.Leases.
func (j *Journal) RenewLease(ctx context.Context, l journal.Lease, ttl time.Duration) (journal.Lease, error) {
	leave, err := j.enterWrite(ctx)
	if err != nil {
		return journal.Lease{}, err
	}
	defer leave()
	ttl = max(ttl, journal.MinLeaseTTL)
	for {
		held, now, err := j.mine(ctx, l)
		if err != nil {
			return journal.Lease{}, err
		}
		renewed := held.Lease
		renewed.Expires = after(now, ttl)
		_, err = j.putLease(ctx, renewed, ttl, held.place)
		if _, moved := errors.AsType[*movedError](err); moved {
			continue
		}
		if err != nil {
			return journal.Lease{}, fmt.Errorf("renew lease of run %s: %w", l.Run, err)
		}
		return renewed, nil
	}
}

// DropLease implements journal.Leases.
func (j *Journal) DropLease(ctx context.Context, l journal.Lease) error {
	leave, err := j.enterWrite(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for {
		held, _, err := j.mine(ctx, l)
		if errors.Is(err, journal.ErrLeaseLost) {
			return nil
		}
		if err != nil {
			return err
		}
		// Where it is renewed meanwhile, the message of its place is gone, and what is there now is met again.
		if err := j.lease.remove(ctx, held.place); err != nil {
			return fmt.Errorf("drop lease of run %s: %w", l.Run, err)
		}
	}
}

// LeaseOf implements journal.Leases.
func (j *Journal) LeaseOf(ctx context.Context, id contracts.RunID) (journal.Lease, error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return journal.Lease{}, err
	}
	defer leave()
	if !validRun(id) {
		return journal.Lease{}, fmt.Errorf("lease of run %s: %w", id, journal.ErrNotFound)
	}
	held, now, err := j.leaseNow(ctx, id)
	if err == nil && (held.place == 0 || held.Expires <= now) {
		err = fmt.Errorf("lease of run %s: %w", id, journal.ErrNotFound)
	}
	if err != nil {
		return journal.Lease{}, err
	}
	return held.Lease, nil
}

// ListLeases implements journal.Leases.
func (j *Journal) ListLeases(ctx context.Context) ([]journal.Lease, error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	found := map[contracts.RunID]heldLease{}
	_, now, err := j.lease.scan(ctx, 0, func(m message) error {
		if !strings.HasPrefix(m.subject, j.layout.lease("")) {
			return nil // another server's barrier
		}
		l, err := j.readLease(m)
		if err == nil {
			found[l.Run] = l
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list leases: %w", err)
	}
	var leases []journal.Lease
	for _, l := range found {
		if l.Expires > contracts.Time(now.UnixMilli()) {
			leases = append(leases, l.Lease)
		}
	}
	slices.SortFunc(leases, func(a, b journal.Lease) int { return cmp.Compare(a.Run, b.Run) })
	return leases, nil
}
