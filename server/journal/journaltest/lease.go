package journaltest

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// long is a time to live that no test outlives.
const long = 10 * time.Minute

// leaseTests wait for real clocks, some of them for seconds: they run side by side.
var leaseTests = map[string]func(s *suite){
	"have one holder at a time": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		held := s.take(t, id, "node:a", long)
		if held.Run != id || held.Holder != "node:a" || held.Epoch < 1 || held.Expires == 0 {
			t.Errorf("lease is %+v, want one of %s for node:a", held, id)
		}
		for _, holder := range []string{"node:b", "node:a"} {
			_, err := s.TakeLease(t.Context(), id, holder, long)
			var refused *journal.HeldError
			if !errors.As(err, &refused) {
				t.Fatalf("%s takes a held lease: %v, want a HeldError", holder, err)
			}
			wantLease(t, "HeldError", refused.Lease, held)
		}
		s.wantLeaseOf(t, id, held)
	},
	"concern one run": func(s *suite) {
		t := s.t
		s.createMany(t, 3)
		var want []journal.Lease
		for i := range 3 {
			want = append(want, s.take(t, RunID(i), "node:a", long))
		}
		s.drop(t, want[1])
		s.wantNoLease(t, RunID(1))
		s.wantLeaseOf(t, RunID(0), want[0])
		s.wantLeaseOf(t, RunID(2), want[2])
	},
	"need a run, and a name that fits": func(s *suite) {
		t := s.t
		_, err := s.TakeLease(t.Context(), RunID(1), "node:a", long)
		wantError(t, err, journal.ErrNotFound)
		s.wantNoLease(t, RunID(1))
		id := s.create(t, 1, 1)
		_, err = s.TakeLease(t.Context(), id, strings.Repeat("x", journal.MaxHolderBytes+1), long)
		wantError(t, err, journal.ErrTooLarge)
		holder := strings.Repeat("ä/*>. ", journal.MaxHolderBytes/7)
		s.wantLeaseOf(t, id, s.take(t, id, holder, long))
	},
	"are listed by run": func(s *suite) {
		t := s.t
		s.createMany(t, 6)
		s.wantLeases(t)
		leases := map[int]journal.Lease{}
		for _, i := range []int{4, 1, 5, 0} {
			leases[i] = s.take(t, RunID(i), "node:a", long)
		}
		s.wantLeases(t, leases[0], leases[1], leases[4], leases[5])
		s.drop(t, leases[4])
		s.wantLeases(t, leases[0], leases[1], leases[5])
		s.reopen(t)
		s.wantLeases(t, leases[0], leases[1], leases[5])
	},
	"end when they are dropped": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		first := s.take(t, id, "node:a", long)
		s.drop(t, first)
		s.wantNoLease(t, id)
		_, err := s.RenewLease(t.Context(), first, long)
		wantError(t, err, journal.ErrLeaseLost)
		s.wantNoLease(t, id)
		second := s.take(t, id, "node:b", long)
		s.drop(t, first) // lost already
		s.wantLeaseOf(t, id, second)
		_, err = s.RenewLease(t.Context(), first, long)
		wantError(t, err, journal.ErrLeaseLost)
		s.wantLeaseOf(t, id, second)
	},
	"last for their time and no longer": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		began := time.Now() //nolint:forbidigo // the store's clock is real
		first := s.take(t, id, "node:a", time.Second)
		s.awaitNoLease(t, id)
		if lasted := time.Since(began); lasted < time.Second {
			t.Errorf("a lease of 1 s lasted %v", lasted)
		}
		_, err := s.RenewLease(t.Context(), first, long)
		wantError(t, err, journal.ErrLeaseLost)
		s.wantLeases(t)
		s.drop(t, first)
		second := s.take(t, id, "node:a", long)
		if second.Epoch <= first.Epoch {
			t.Errorf("epoch %d follows %d", second.Epoch, first.Epoch)
		}
	},
	"last a second at least": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		began := time.Now() //nolint:forbidigo // the store's clock is real
		held := s.take(t, id, "node:a", time.Nanosecond)
		if _, err := s.RenewLease(t.Context(), held, -time.Hour); err != nil {
			t.Fatalf("renew: %v", err)
		}
		s.awaitNoLease(t, id)
		if lasted := time.Since(began); lasted < journal.MinLeaseTTL {
			t.Errorf("the lease lasted %v, want at least %v", lasted, journal.MinLeaseTTL)
		}
	},
	"last on when they are renewed": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		first := s.take(t, id, "node:a", 2*time.Second)
		renewed, err := s.RenewLease(t.Context(), first, long)
		if err != nil {
			t.Fatal(err)
		}
		wantLease(t, "renewed lease", renewed, first)
		if renewed.Expires <= first.Expires {
			t.Errorf("the lease ended at %v and ends at %v once renewed", first.Expires.Std(), renewed.Expires.Std())
		}
		time.Sleep(3 * time.Second)
		s.wantLeaseOf(t, id, renewed)
		if _, err := s.RenewLease(t.Context(), renewed, long); err != nil {
			t.Errorf("renew again: %v", err)
		}
	},
	"survive reopening": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		held := s.take(t, id, "node:a", long)
		s.reopen(t)
		s.wantLeaseOf(t, id, held)
		_, err := s.TakeLease(t.Context(), id, "node:b", long)
		if _, ok := errors.AsType[*journal.HeldError](err); !ok {
			t.Errorf("a held lease is taken after reopening: %v, want a HeldError", err)
		}
		if _, err := s.RenewLease(t.Context(), held, long); err != nil {
			t.Errorf("renew: %v", err)
		}
		s.drop(t, held)
		s.wantNoLease(t, id)
	},
	"have epochs that grow for ever": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		var last int64
		for round := range 6 {
			held := s.take(t, id, "node:a", long)
			if held.Epoch <= last {
				t.Fatalf("epoch %d follows %d", held.Epoch, last)
			}
			if last = held.Epoch; round%2 == 0 {
				s.extend(t, id, contracts.Seq(1+round/2), 1)
			}
			s.drop(t, held)
			if round%3 == 2 {
				s.reopen(t)
			}
		}
	},
	"are taken by one of many": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		var last int64
		for range 3 {
			var won atomic.Pointer[journal.Lease]
			atOnce(16, func(int) {
				held, err := s.TakeLease(t.Context(), id, "node:a", long)
				var refused *journal.HeldError
				switch {
				case err == nil && !won.CompareAndSwap(nil, &held):
					t.Error("two takers won")
				case err != nil && !errors.As(err, &refused):
					t.Errorf("take: %v", err)
				}
			})
			held := won.Load()
			if held == nil {
				t.Fatal("nobody won")
			}
			if held.Epoch <= last {
				t.Fatalf("epoch %d follows %d", held.Epoch, last)
			}
			last = held.Epoch
			s.wantLeaseOf(t, id, *held)
			s.drop(t, *held)
		}
	},
	"fence the holder before": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		old := s.take(t, id, "node:a", long)
		s.appendUnder(t, old, 1)
		s.drop(t, old)
		s.appendUnder(t, old, 2) // nobody took it since
		fresh := s.take(t, id, "node:b", long)
		s.appendUnder(t, fresh, 3)
		for range 2 {
			late := NewBatch(id, 4, 1)
			late.Epoch = old.Epoch
			wantError(t, s.Append(t.Context(), id, late), journal.ErrLeaseLost)
			s.wantHistory(t, id, 4)
			s.reopen(t)
		}
		s.appendUnder(t, fresh, 4)
		s.extend(t, id, 5, 1) // epoch 0: under no lease
		s.appendUnder(t, fresh, 6)
		s.wantHistory(t, id, 7)
		other := s.create(t, 2, 1)
		s.appendUnder(t, s.take(t, other, "node:a", long), 1)
	},
}

// take takes the lease of a run.
func (s *suite) take(t *testing.T, id contracts.RunID, holder string, ttl time.Duration) journal.Lease {
	t.Helper()
	held, err := s.TakeLease(t.Context(), id, holder, ttl)
	if err != nil {
		t.Fatalf("take the lease of %s: %v", id, err)
	}
	return held
}

// drop ends a lease.
func (s *suite) drop(t *testing.T, l journal.Lease) {
	t.Helper()
	if err := s.DropLease(t.Context(), l); err != nil {
		t.Fatalf("drop the lease of %s: %v", l.Run, err)
	}
}

// appendUnder appends an event under a lease.
func (s *suite) appendUnder(t *testing.T, l journal.Lease, after contracts.Seq) {
	t.Helper()
	b := NewBatch(l.Run, after, 1)
	b.Epoch = l.Epoch
	if err := s.Append(t.Context(), l.Run, b); err != nil {
		t.Fatalf("append to %s after %d under lease %d: %v", l.Run, after, l.Epoch, err)
	}
}

// wantLease fails the test unless got is the lease, which may have been renewed.
func wantLease(t *testing.T, what string, got, want journal.Lease) {
	t.Helper()
	if got.Run != want.Run || got.Holder != want.Holder || got.Epoch != want.Epoch || got.Expires < want.Expires {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// wantLeaseOf fails the test unless the run's lease is this one.
func (s *suite) wantLeaseOf(t *testing.T, id contracts.RunID, want journal.Lease) {
	t.Helper()
	got, err := s.LeaseOf(t.Context(), id)
	if err != nil {
		t.Fatalf("lease of %s: %v", id, err)
	}
	wantLease(t, "lease of "+id.String(), got, want)
}

// wantNoLease fails the test where somebody holds a lease of the run.
func (s *suite) wantNoLease(t *testing.T, id contracts.RunID) {
	t.Helper()
	_, err := s.LeaseOf(t.Context(), id)
	wantError(t, err, journal.ErrNotFound)
}

// awaitNoLease returns when nobody holds a lease of the run any more.
func (s *suite) awaitNoLease(t *testing.T, id contracts.RunID) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) { //nolint:forbidigo // the store's clock is real
		_, err := s.LeaseOf(t.Context(), id)
		switch {
		case errors.Is(err, journal.ErrNotFound):
			return
		case err != nil:
			t.Fatalf("lease of %s: %v", id, err)
		case time.Since(began) > patience:
			t.Fatalf("the lease of %s does not end", id)
		}
	}
}

// wantLeases fails the test unless the list holds these leases and no others.
func (s *suite) wantLeases(t *testing.T, want ...journal.Lease) {
	t.Helper()
	got, err := s.ListLeases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d leases are listed, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		wantLease(t, "listed lease", got[i], want[i])
	}
}
