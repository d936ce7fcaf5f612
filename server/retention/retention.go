// Package retention lets go of finished runs that are older than a policy allows, or more than fit its bound of space.
//
// It takes whole runs only, the one that ended first before the others, and never a run that lives. What is left of a run
// is its row in lists. It works in small slices and rests after each for as long as the slice took, so that appends go
// first. A process that ends in the middle of a run leaves it to the next sweep.
package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Policy says what is kept. The zero value keeps everything.
type Policy struct {
	// Age is how long a run is kept after its end; 0 keeps it for ever.
	Age time.Duration
	// Bytes is what the journal may take; 0 is no bound. Above it the oldest finished runs go, whatever their age, until
	// the journal takes less or none is left.
	Bytes int64
}

// DefaultEvery is how long a Keeper rests between two sweeps.
const DefaultEvery = time.Minute

// Config is what a Keeper is made of. Every field without a default is required.
type Config struct {
	Journal journal.Retention
	Policy  Policy
	Log     *slog.Logger
	// Now is the clock.
	Now func() time.Time
	// Pruned, where not nil, is told of each run that was pruned whole, by what is left of it.
	Pruned func(contracts.Summary)
	// Every is how long it rests between two sweeps; DefaultEvery where zero.
	Every time.Duration
}

// Keeper holds a journal to a policy.
type Keeper struct {
	cfg Config
}

// New returns a keeper. Run must be called for it to do anything.
func New(cfg Config) (*Keeper, error) {
	if cfg.Journal == nil || cfg.Log == nil || cfg.Now == nil {
		return nil, errors.New("retention: journal, log and clock are required")
	}
	if cfg.Policy.Age < 0 || cfg.Policy.Bytes < 0 {
		return nil, errors.New("retention: an age and a bound of space are 0 or more")
	}
	if cfg.Every == 0 {
		cfg.Every = DefaultEvery
	}
	if cfg.Pruned == nil {
		cfg.Pruned = func(contracts.Summary) {}
	}
	return &Keeper{cfg: cfg}, nil
}

// Run sweeps now and then until ctx ends. It returns the context's error. A sweep that fails is logged, and the next one
// goes on where it stopped.
func (k *Keeper) Run(ctx context.Context) error {
	if k.cfg.Policy == (Policy{}) {
		<-ctx.Done()
		return ctx.Err()
	}
	for {
		pruned, err := k.Sweep(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch {
		case err != nil:
			k.cfg.Log.LogAttrs(ctx, slog.LevelError, "runs could not be pruned", slog.Int("pruned", pruned), slog.String("error", err.Error()))
		case pruned > 0:
			k.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "pruned", slog.Int("runs", pruned))
		}
		if err := rest(ctx, k.cfg.Every); err != nil {
			return err
		}
	}
}

// sweepPage is how many finished runs are looked at together.
const sweepPage = 100

// Sweep prunes what the policy does not keep, and returns how many runs.
func (k *Keeper) Sweep(ctx context.Context) (pruned int, err error) {
	now := contracts.TimeOf(k.cfg.Now())
	if k.cfg.Policy.Age > 0 {
		pruned, err = k.pruneAll(ctx, now.Add(-k.cfg.Policy.Age.Milliseconds()), func() (bool, error) { return true, nil })
		if err != nil {
			return pruned, err
		}
	}
	if k.cfg.Policy.Bytes == 0 {
		return pruned, nil
	}
	more, err := k.pruneAll(ctx, now.Add(1), func() (bool, error) {
		size, err := k.cfg.Journal.Size(ctx)
		return size.Bytes > k.cfg.Policy.Bytes, err
	})
	return pruned + more, err
}

// pruneAll prunes the runs that ended before an instant, while due says that the next one is to go.
func (k *Keeper) pruneAll(ctx context.Context, before contracts.Time, due func() (bool, error)) (pruned int, err error) {
	for {
		runs, err := k.cfg.Journal.Finished(ctx, before, sweepPage)
		if err != nil {
			return pruned, fmt.Errorf("look for finished runs: %w", err)
		}
		if len(runs) == 0 {
			return pruned, nil
		}
		for i := range runs {
			if goes, err := due(); err != nil || !goes {
				return pruned, err
			}
			if err := k.prune(ctx, runs[i].RunID); err != nil {
				return pruned, fmt.Errorf("prune run %s: %w", runs[i].RunID, err)
			}
			pruned++
			runs[i].Pruned = true
			k.cfg.Pruned(runs[i])
		}
	}
}

// prune lets go of one run, slice by slice.
func (k *Keeper) prune(ctx context.Context, id contracts.RunID) error {
	for {
		began := k.cfg.Now()
		more, err := k.cfg.Journal.Prune(ctx, id, journal.MaxPruneRows)
		if errors.Is(err, journal.ErrNotFound) { // another node was first
			more, err = false, nil
		}
		if err != nil {
			return err
		}
		if !more {
			return nil
		}
		if err := rest(ctx, k.cfg.Now().Sub(began)); err != nil {
			return err
		}
	}
}

// rest waits, or returns the context's error when it ends.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
