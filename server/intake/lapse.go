package intake

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Expiry is what becomes of a run that has begun when its external engine's lease expires.
type Expiry string

// What can become of such a run.
const (
	// ExpiryRequeue lets another engine claim it.
	ExpiryRequeue Expiry = "requeue"
	// ExpiryEnd ends it as failed.
	ExpiryEnd Expiry = "end"
)

// The words of the errors that tell that a run has lost its engine.
const (
	lostByServer = "the server that ran the engine stopped"
	lostByEngine = "the engine's lease has expired"
)

// lapse does what is due in a run that nobody may hold any more: a queued one is offered, or started; one that has begun
// loses its engine, and is offered again or ended. Whoever else thought so is first, or finds the run as this leaves it.
func (in *Intake) lapse(ctx context.Context, id contracts.RunID) error {
	r, err := in.acquireLatest(ctx, id)
	if err != nil {
		return err
	}
	defer in.release(r)
	if r.state.Phase().Terminal() {
		return nil
	}
	r.lease.known = false
	l, err := in.leaseOf(ctx, r)
	if err != nil {
		return err
	}
	in.deadlines.set(r.id, in.nextDeadline(r))
	queued := r.state.Phase() == contracts.StateQueued
	switch {
	case l.Epoch != 0:
		return nil
	case r.external() && r.open():
		in.openings.offer(r.id)
		return nil
	case r.external() && r.summary.Lease == "":
		return nil // whoever carries it out never claimed it
	case !r.external() && queued:
		in.engines.Start(r.id, r.state.Header().Backend)
		return nil
	}
	// The lease of this server is the fence: what the engine before still has on its way comes too late.
	if _, err := in.take(ctx, r, in.node, in.nodeTTL); err != nil {
		if _, busy := errors.AsType[*journal.HeldError](err); busy {
			return nil
		}
		return err
	}
	switch {
	case !r.external():
		return in.abandon(ctx, r, lostByServer)
	case in.expiry == ExpiryEnd:
		return in.abandon(ctx, r, lostByEngine)
	}
	return in.reopen(ctx, r, lostByEngine+"; another engine may go on")
}

// underLease makes what this server writes under the run's lease, which it holds itself or is about to give up.
func (in *Intake) underLease(r *run, mark contracts.LeaseState, build func(t *turn) error) func(t *turn) error {
	epoch := r.lease.Epoch
	return func(t *turn) error {
		t.epoch, t.mark = epoch, mark
		if t.run.state.Phase().Terminal() {
			return nil
		}
		return build(t)
	}
}

// reopen tells that a run has lost its engine, gives up its lease, which the caller has put into r.lease, and lets
// another engine claim it. A run that drains has nobody to wait for, and ends. The caller holds the run.
func (in *Intake) reopen(ctx context.Context, r *run, detail string) error {
	_, err := in.turnOf(ctx, r, author{}, in.underLease(r, contracts.LeaseOpen, func(t *turn) error {
		if t.run.state.Phase() == contracts.StateDraining {
			t.mark = ""
			return t.finish(drainedStatus(t.run.state.Drained()), nil)
		}
		cause := contracts.NewProblem(contracts.ProblemEngineLost, detail)
		if err := t.add("", &contracts.ErrorData{Problem: *cause, Retry: contracts.RetryRetrying}); err != nil {
			return err
		}
		return t.settle()
	}))
	return in.giveUp(ctx, r, err)
}

// abandon ends a run that has lost its engine under a lease that this server has taken. The caller holds the run.
func (in *Intake) abandon(ctx context.Context, r *run, detail string) error {
	_, err := in.turnOf(ctx, r, author{}, in.underLease(r, "", func(t *turn) error {
		cause := contracts.NewProblem(contracts.ProblemEngineLost, detail)
		return t.fail("", &contracts.ErrorData{Problem: *cause, Fatal: true, Retry: contracts.RetryNone})
	}))
	return in.giveUp(ctx, r, err)
}

// giveUp drops the run's lease after a turn that gave err, and lets engines know where it can be claimed now.
func (in *Intake) giveUp(ctx context.Context, r *run, err error) error {
	if r.lease.Epoch != 0 {
		err = errors.Join(err, in.drop(ctx, r))
	}
	if r.loaded {
		in.announce(r)
		in.deadlines.set(r.id, in.nextDeadline(r))
	}
	return err
}

// liveStates are those in which something can still happen.
var liveStates = []contracts.State{ //nolint:gochecknoglobals // a constant that Go cannot say
	contracts.StateQueued, contracts.StateRunning, contracts.StateWaiting, contracts.StateDraining,
}

// surveyPage is how many unfinished runs are read at once.
const surveyPage = 500

// Recover takes up what it finds in the journal: queued runs are offered to external engines, or started; the deadlines
// of all are kept. Where this server is the only one that writes to the journal, leases of servers are those of dead
// ones, and the runs that their engines had begun are ended as engine-lost; where others write too, their leases must
// expire first. It is called once, before the server listens. A run that is damaged is left as it is and logged, so that
// the server can show the others; where damage hides which run it is, so are the older ones.
func (in *Intake) Recover(ctx context.Context) error {
	leases, err := in.journal.ListLeases(ctx)
	if err != nil {
		return err
	}
	for _, l := range leases {
		if in.live != nil || !isNode(l) {
			continue
		}
		if err := in.journal.DropLease(ctx, l); err != nil {
			return err
		}
	}
	return in.survey(ctx, func(row *contracts.Summary, l journal.Lease) error {
		return in.takeUp(ctx, row, l)
	})
}

// isNode reports whether a lease is that of a server's own engine.
func isNode(l journal.Lease) bool { return strings.HasPrefix(l.Holder, nodePrefix) }

// survey visits every run that has not ended, with its lease, whose epoch is 0 where nobody holds one. What visit returns
// is logged.
func (in *Intake) survey(ctx context.Context, visit func(row *contracts.Summary, l journal.Lease) error) error {
	query := journal.Query{States: liveStates, Limit: surveyPage}
	for {
		rows, err := in.journal.List(ctx, query)
		damaged, isDamage := errors.AsType[*journal.DamagedError](err)
		if err != nil && !isDamage {
			return err
		}
		// Leases are read after the rows: a run whose row says that it has begun had its lease before.
		leases, leaseErr := in.leasesByRun(ctx)
		if leaseErr != nil {
			return leaseErr
		}
		for i := range rows {
			if err := visit(&rows[i], leases[rows[i].RunID]); err != nil && ctx.Err() == nil {
				in.log.LogAttrs(ctx, slog.LevelError, "an unfinished run cannot be taken up",
					slog.String("run", rows[i].RunID.String()), slog.String("error", err.Error()))
			}
		}
		switch {
		case isDamage:
			in.log.LogAttrs(ctx, slog.LevelError, "the list of unfinished runs is damaged", slog.String("error", err.Error()))
			if damaged.Run == "" {
				return nil
			}
			query.Before = damaged.Run
		case len(rows) < surveyPage:
			return nil
		default:
			query.Before = rows[len(rows)-1].RunID
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// leasesByRun returns the leases that last.
func (in *Intake) leasesByRun(ctx context.Context) (map[contracts.RunID]journal.Lease, error) {
	list, err := in.journal.ListLeases(ctx)
	if err != nil {
		return nil, err
	}
	leases := make(map[contracts.RunID]journal.Lease, len(list))
	for _, l := range list {
		leases[l.Run] = l
	}
	return leases, nil
}

// takeUp takes up one unfinished run at the start, without folding it where its row says enough.
func (in *Intake) takeUp(ctx context.Context, row *contracts.Summary, l journal.Lease) error {
	external := row.Backend == contracts.ExternalEngine
	at := in.firstDue(row)
	switch {
	case l.Epoch != 0:
		at = min(at, l.Expires)
	case external && (row.State == contracts.StateQueued || row.Lease == contracts.LeaseOpen):
		in.openings.offer(row.RunID)
	case !external && row.State == contracts.StateQueued:
		in.engines.Start(row.RunID, row.Backend)
	case !external || row.Lease == contracts.LeaseHeld:
		return in.lapse(ctx, row.RunID)
	}
	in.deadlines.set(row.RunID, at)
	return nil
}

// firstDue is when something may be due in a run at the earliest, as far as its row in lists tells.
func (in *Intake) firstDue(row *contracts.Summary) contracts.Time {
	at := row.CreatedAt.Add(row.Limits.MaxWallMS)
	switch row.State {
	case contracts.StateDraining:
		return row.UpdatedAt.Add(in.drainGrace.Milliseconds())
	case contracts.StateRunning:
		at = min(at, row.UpdatedAt.Add(max(row.Limits.MaxActiveMS-row.Used.ActiveMS, 0)))
		if warn := warnAt(row.Limits.MaxActiveMS, row.Limits.WarnPct); row.Used.ActiveMS < warn {
			at = min(at, row.UpdatedAt.Add(warn-row.Used.ActiveMS))
		}
	case contracts.StateQueued:
		return at
	case contracts.StateWaiting, contracts.StateSucceeded, contracts.StateRefused, contracts.StateFailed,
		contracts.StateCancelled, contracts.StateExhausted:
	}
	if warn := row.CreatedAt.Add(warnAt(row.Limits.MaxWallMS, row.Limits.WarnPct)); row.UpdatedAt < warn {
		at = min(at, warn)
	}
	if row.Approvals > 0 { // the row does not tell when the oldest of them lapses
		at = min(at, row.UpdatedAt)
	}
	return at
}

// How often runs that other servers left behind are looked for.
const (
	sweepEvery = 5 * time.Second
	// sweepShare bounds the part of the time that goes into it: a journal with many live runs is swept less often, but at
	// least every sweepAtMost. A sweep may have waited for an election rather than worked, and just then runs wait for it.
	sweepShare  = 20
	sweepAtMost = 15 * time.Second
)

// sweepPause is how long a server rests after a sweep that took so long.
func sweepPause(took time.Duration) time.Duration {
	return min(max(sweepEvery, took*sweepShare), sweepAtMost)
}

// sweep looks, again and again until ctx ends, for runs whose server is gone: it takes up those whose lease is gone, and
// those whose deadline passed a while ago. Only where other servers write to the journal is there anything to find.
func (in *Intake) sweep(ctx context.Context) {
	pause := time.NewTimer(sweepEvery)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		began := in.now()
		err := in.survey(ctx, func(row *contracts.Summary, l journal.Lease) error { return in.inspect(ctx, row, l) })
		if err != nil && ctx.Err() == nil {
			in.log.LogAttrs(ctx, slog.LevelWarn, "runs of other servers could not be looked for", slog.String("error", err.Error()))
		}
		pause.Reset(sweepPause(in.now().Sub(began)))
	}
}

// inspect takes one run up where nobody else does.
func (in *Intake) inspect(ctx context.Context, row *contracts.Summary, l journal.Lease) error {
	now := in.clock()
	patience := in.nodeTTL.Milliseconds()
	if in.firstDue(row).Add(patience) < now && row.UpdatedAt.Add(patience) < now {
		in.deadlines.setUnlessEarlier(row.RunID, now)
	}
	if l.Epoch != 0 {
		return nil
	}
	external := row.Backend == contracts.ExternalEngine
	switch {
	case external && (row.State == contracts.StateQueued || row.Lease == contracts.LeaseOpen):
		in.openings.offer(row.RunID)
		return nil
	case external && row.Lease == "":
		return nil
	case !external && row.State == contracts.StateQueued && row.UpdatedAt.Add(patience) > now:
		return nil // the server that it was given to is about to begin it
	}
	return in.lapse(ctx, row.RunID)
}

// watch offers the runs that other servers create, or give up, to the engines that wait here. It returns when ctx ends.
func (in *Intake) watch(ctx context.Context) error {
	stop, err := in.live.WatchRuns(ctx, func(row contracts.Summary) {
		if row.Backend != contracts.ExternalEngine {
			return
		}
		open := row.State == contracts.StateQueued || !row.State.Terminal() && row.Lease == contracts.LeaseOpen
		if open {
			in.openings.offer(row.RunID)
		} else {
			in.openings.withdraw(row.RunID)
		}
	})
	if err != nil {
		return err
	}
	defer stop()
	<-ctx.Done()
	return ctx.Err()
}
