package retention_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/server/journal"
	"axiom25/server/retention"
)

// clock is the bubble's within a synctest, and asked for nothing without.
func clock() time.Time { return time.Now() } //nolint:forbidigo // the one place

// shelf is a journal of finished runs, each of which has as many rows as its bytes.
type shelf struct {
	journal.Retention
	runs []contracts.Summary
	rows map[contracts.RunID]int64
	slow time.Duration

	mu    sync.Mutex // guards what a test changes while a keeper runs
	fail  error
	calls int
}

// attempts counts the calls of Prune, and makes those that follow fail with err.
func (s *shelf) attempts(err error) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
	return s.calls
}

// newShelf returns runs that ended an hour after each other, the first one an hour from now.
func newShelf(rows ...int64) *shelf {
	s := &shelf{rows: make(map[contracts.RunID]int64)}
	for i, n := range rows {
		id := contractstest.RunID(i + 1)
		end := contracts.TimeOf(clock().Add(time.Duration(i+1) * time.Hour))
		s.runs = append(s.runs, contracts.Summary{RunID: id, State: contracts.StateSucceeded, UpdatedAt: end})
		s.rows[id] = n
	}
	return s
}

func (s *shelf) Finished(_ context.Context, before contracts.Time, limit int) ([]contracts.Summary, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []contracts.Summary
	for _, run := range s.runs {
		if run.UpdatedAt < before && len(found) < limit {
			found = append(found, run)
		}
	}
	return found, nil
}

func (s *shelf) Prune(_ context.Context, id contracts.RunID, maxRows int) (bool, error) {
	time.Sleep(s.slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls++; s.fail != nil {
		return false, s.fail
	}
	if s.rows[id] = max(0, s.rows[id]-int64(maxRows)); s.rows[id] > 0 {
		return true, nil
	}
	s.runs = slices.DeleteFunc(s.runs, func(run contracts.Summary) bool { return run.RunID == id })
	return false, nil
}

func (s *shelf) Size(context.Context) (journal.Size, error) {
	var size journal.Size
	for _, n := range s.rows {
		size.Bytes += n
	}
	return size, nil
}

// kept are the runs that are left, by their numbers.
func (s *shelf) kept() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := []int{}
	for i := range 10 {
		if slices.ContainsFunc(s.runs, func(run contracts.Summary) bool { return run.RunID == contractstest.RunID(i+1) }) {
			kept = append(kept, i+1)
		}
	}
	return kept
}

func keeper(t *testing.T, s *shelf, p retention.Policy, pruned func(contracts.Summary)) *retention.Keeper {
	t.Helper()
	k, err := retention.New(retention.Config{
		Journal: s, Policy: p, Log: slog.New(slog.DiscardHandler), Now: clock, Pruned: pruned,
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSweep(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, test := range []struct {
		name   string
		policy retention.Policy
		rows   []int64
		kept   []int
		pruned int
	}{
		{"nothing goes without a policy", retention.Policy{}, []int64{10, 10, 10}, []int{1, 2, 3}, 0},
		{"what is older than the age goes", retention.Policy{Age: day - 150*time.Minute}, []int64{10, 10, 10, 10}, []int{3, 4}, 2},
		{"an age that nothing has keeps all", retention.Policy{Age: day}, []int64{10, 10}, []int{1, 2}, 0},
		{"the oldest go until the rest fits", retention.Policy{Bytes: 1500}, []int64{1000, 600, 400, 500}, []int{2, 3, 4}, 1},
		{"what fits stays", retention.Policy{Bytes: 30}, []int64{10, 10, 10}, []int{1, 2, 3}, 0},
		{"age first, then space", retention.Policy{Age: day - 90*time.Minute, Bytes: 25}, []int64{10, 10, 10, 10}, []int{3, 4}, 2},
		{"a bound that nothing fits leaves none", retention.Policy{Bytes: 1}, []int64{10, 10}, []int{}, 2},
		{"a run of many rows goes in slices", retention.Policy{Bytes: 1}, []int64{2600}, []int{}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShelf(test.rows...)
				told := 0
				k := keeper(t, s, test.policy, func(row contracts.Summary) {
					if row.Pruned {
						told++
					}
				})
				time.Sleep(day)
				pruned, err := k.Sweep(t.Context())
				if err != nil || pruned != test.pruned || told != pruned {
					t.Fatalf("Sweep = %d, %v and told of %d; want %d", pruned, err, told, test.pruned)
				}
				if got := s.kept(); !slices.Equal(got, test.kept) {
					t.Errorf("kept %v, want %v", got, test.kept)
				}
			})
		})
	}
}

func TestSlicesRestAsLongAsTheyTook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(5 * journal.MaxPruneRows)
		s.slow = 20 * time.Millisecond
		k := keeper(t, s, retention.Policy{Bytes: 1}, nil)
		time.Sleep(2 * time.Hour)
		began := clock()
		if _, err := k.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took, want := clock().Sub(began), 9*s.slow; s.calls != 5 || took != want {
			t.Errorf("%d slices took %v, want 5 in %v", s.calls, took, want)
		}
	})
}

func TestRunSweepsAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(10)
		s.attempts(journal.ErrBusy)
		k := keeper(t, s, retention.Policy{Age: time.Hour}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- k.Run(ctx) }()
		time.Sleep(150 * time.Minute)
		synctest.Wait()
		if n := s.attempts(nil); n < 2 || len(s.kept()) != 1 {
			t.Fatalf("%d attempts left %v, want several that left the run", n, s.kept())
		}
		time.Sleep(retention.DefaultEvery)
		synctest.Wait()
		if len(s.kept()) != 0 {
			t.Errorf("kept %v after the journal took writes again", s.kept())
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v, want the context's error", err)
		}
	})
}

func TestNewRefusesWhatItCannotKeep(t *testing.T) {
	t.Parallel()
	whole := retention.Config{Journal: newShelf(), Log: slog.New(slog.DiscardHandler), Now: clock}
	for name, spoil := range map[string]func(*retention.Config){
		"no journal":     func(c *retention.Config) { c.Journal = nil },
		"no log":         func(c *retention.Config) { c.Log = nil },
		"no clock":       func(c *retention.Config) { c.Now = nil },
		"negative age":   func(c *retention.Config) { c.Policy.Age = -1 },
		"negative bytes": func(c *retention.Config) { c.Policy.Bytes = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := whole
			spoil(&cfg)
			if k, err := retention.New(cfg); err == nil {
				t.Errorf("New = %v, want an error", k)
			}
		})
	}
}
