package intake

import (
	"container/heap"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/server/journal"
)

// deadlineRetry is how long after a failed attempt a deadline is tried again, for instance while the disk is
// full.
const deadlineRetry = time.Second

// keepers is how many runs with something due are looked after at once: one whose journal is slow holds up none but
// itself, as long as there are fewer of its kind.
const keepers = 8

// Run keeps deadlines (limits and warnings of time, approvals, the grace of draining runs, readings of the meter, leases of
// external engines) until ctx ends, and, where other servers write to the journal, takes up the runs that they leave behind.
// It returns the context's error once all that it began has ended.
func (in *Intake) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	due := make(chan contracts.RunID)
	for range keepers {
		group.Go(func() error {
			for id := range due {
				in.meet(ctx, id)
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(due)
		return in.keepDeadlines(ctx, due)
	})
	if in.live != nil {
		group.Go(func() error { return in.watch(ctx) })
		group.Go(func() error {
			in.sweep(ctx)
			return ctx.Err()
		})
	}
	return group.Wait()
}

// keepDeadlines hands out the runs in which something is due until ctx ends.
func (in *Intake) keepDeadlines(ctx context.Context, due chan<- contracts.RunID) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		id, at, ok := in.deadlines.first()
		wait := time.Hour
		if ok {
			wait = at.Std().Sub(in.now())
		}
		if ok && wait <= 0 {
			// A turn sets the run's next deadline; where it fails, or takes long, the run is looked at again later.
			in.deadlines.set(id, in.clock().Add(deadlineRetry.Milliseconds()))
			if !in.deadlines.begin(id) {
				continue
			}
			select {
			case due <- id:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-in.deadlines.changed:
		case <-timer.C:
		}
	}
}

// meet does what is due in a run.
func (in *Intake) meet(ctx context.Context, id contracts.RunID) {
	defer in.deadlines.end(id)
	expired := false
	err := in.turn(ctx, id, author{}, func(t *turn) error {
		expired = t.run.leaseOver(t.now)
		return t.meetDeadlines()
	})
	if err == nil && expired {
		err = in.lapse(ctx, id)
	}
	switch problem, isProblem := errors.AsType[*contracts.Problem](err); {
	case err == nil, ctx.Err() != nil:
		return
	case isProblem && problem.Has(contracts.ProblemNotFound), errors.Is(err, journal.ErrPruned):
		in.deadlines.set(id, 0)
		return
	}
	in.deadlines.set(id, in.clock().Add(deadlineRetry.Milliseconds()))
	in.log.LogAttrs(ctx, slog.LevelError, "a deadline could not be kept", slog.String("run", id.String()), slog.String("error", err.Error()))
}

// leaseOver reports whether the lease of an external engine seems to have expired: whoever claimed the run has to be
// asked after.
func (r *run) leaseOver(now contracts.Time) bool {
	if !r.external() || r.state.Phase().Terminal() || r.summary.Lease != contracts.LeaseHeld {
		return false
	}
	return !r.lease.known || r.lease.Epoch == 0 || r.lease.Expires <= now
}

// meetDeadlines adds what the passing of time leads to.
func (t *turn) meetDeadlines() error {
	s := t.run.state
	if s.Phase().Terminal() {
		return nil
	}
	if s.Phase() == contracts.StateDraining && t.now >= s.DrainedAt().Add(t.in.drainGrace.Milliseconds()) {
		return t.finish(drainedStatus(s.Drained()), nil)
	}
	// The wall limit ends waiting calls too, and by the drain; so look at the limits before the calls.
	if _, reached := s.Reached(t.used()); !reached {
		for _, call := range s.OpenCalls() {
			if !call.Pending() || t.now < call.Approval.ExpiresAt {
				continue
			}
			if err := t.expire(call); err != nil {
				return err
			}
		}
	}
	return t.settle()
}

// nextDeadline is when something is due in a run whatever anybody does; 0 for a run that has ended.
func (in *Intake) nextDeadline(r *run) contracts.Time {
	s := r.state
	phase := s.Phase()
	if phase.Terminal() {
		return 0
	}
	limits := s.Limits()
	used := s.Used(s.LastTime(), r.reported)
	var due []contracts.Time
	at := func(t contracts.Time) { due = append(due, t) }

	if phase == contracts.StateDraining {
		at(s.DrainedAt().Add(in.drainGrace.Milliseconds()))
	} else {
		at(s.CreatedAt().Add(limits.MaxWallMS))
	}
	if phase == contracts.StateRunning {
		at(s.LastTime().Add(limits.MaxActiveMS - used.ActiveMS))
	}
	if phase == contracts.StateRunning || phase == contracts.StateWaiting {
		for _, w := range timeWarnings(s, limits, used) {
			at(w)
		}
	}
	if r.external() && r.lease.Epoch != 0 {
		at(r.lease.Expires)
	}
	if r.dirty() {
		at(max(s.LastTick().Add(tickEvery), s.LastTime()))
	}
	for _, call := range s.OpenCalls() {
		if call.Pending() {
			at(call.Approval.ExpiresAt)
		}
	}
	next := due[0]
	for _, t := range due {
		next = min(next, t)
	}
	return next
}

// timeWarnings are the instants at which a warning about time is due.
func timeWarnings(s *runstate.State, limits contracts.Limits, used contracts.Usage) []contracts.Time {
	var due []contracts.Time
	if wall := warnAt(limits.MaxWallMS, limits.WarnPct); !s.Warned(contracts.DimensionWall) {
		due = append(due, s.CreatedAt().Add(wall))
	}
	if s.Phase() == contracts.StateRunning && !s.Warned(contracts.DimensionActive) {
		due = append(due, s.LastTime().Add(max(warnAt(limits.MaxActiveMS, limits.WarnPct)-used.ActiveMS, 0)))
	}
	return due
}

// warnAt is the least amount that is pct per cent of limit or more.
func warnAt(limit, pct int64) int64 { return (limit*pct + 99) / 100 }

// deadlines is a queue of runs by the time at which something is due in them.
type deadlines struct {
	// changed holds a token after the first deadline may have changed.
	changed chan struct{}

	mu    sync.Mutex
	queue deadlineHeap
	byRun map[contracts.RunID]*deadline
	// busy are the runs that somebody looks after.
	busy map[contracts.RunID]struct{}
}

// deadline is one run's place in the queue.
type deadline struct {
	run   contracts.RunID
	at    contracts.Time
	index int
}

func newDeadlines() *deadlines {
	return &deadlines{changed: make(chan struct{}, 1), byRun: make(map[contracts.RunID]*deadline), busy: make(map[contracts.RunID]struct{})}
}

// begin says that somebody looks after a run, and reports whether nobody did.
func (d *deadlines) begin(id contracts.RunID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, busy := d.busy[id]; busy {
		return false
	}
	d.busy[id] = struct{}{}
	return true
}

// end says that nobody looks after a run any more.
func (d *deadlines) end(id contracts.RunID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.busy, id)
}

// setUnlessEarlier puts a run's deadline at an instant, unless it has an earlier one.
func (d *deadlines) setUnlessEarlier(id contracts.RunID, at contracts.Time) {
	d.mu.Lock()
	entry, known := d.byRun[id]
	earlier := known && entry.at <= at
	d.mu.Unlock()
	if !earlier {
		d.set(id, at)
	}
}

// set puts a run's deadline at an instant; 0 removes it.
func (d *deadlines) set(id contracts.RunID, at contracts.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	entry, ok := d.byRun[id]
	switch {
	case at == 0 && ok:
		heap.Remove(&d.queue, entry.index)
		delete(d.byRun, id)
		return
	case at == 0:
		return
	case ok && entry.at == at:
		return
	case ok:
		entry.at = at
		heap.Fix(&d.queue, entry.index)
	default:
		entry = &deadline{run: id, at: at}
		d.byRun[id] = entry
		heap.Push(&d.queue, entry)
	}
	if entry.index == 0 {
		select {
		case d.changed <- struct{}{}:
		default:
		}
	}
}

// first returns the run with the earliest deadline.
func (d *deadlines) first() (contracts.RunID, contracts.Time, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		return "", 0, false
	}
	return d.queue[0].run, d.queue[0].at, true
}

// deadlineHeap implements heap.Interface.
type deadlineHeap []*deadline //nolint:recvcheck // heap.Interface needs a pointer for Push and Pop alone

func (h deadlineHeap) Len() int           { return len(h) }
func (h deadlineHeap) Less(i, j int) bool { return h[i].at < h[j].at }

func (h deadlineHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *deadlineHeap) Push(x any) {
	d := x.(*deadline) //nolint:errcheck,forcetypeassert // heap.Push is only called with *deadline
	d.index = len(*h)
	*h = append(*h, d)
}

// Pop implements heap.Interface.
func (h *deadlineHeap) Pop() any {
	last := len(*h) - 1
	d := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return d
}
