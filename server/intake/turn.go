package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/server/journal"
)

// author is on whose behalf a batch is made. The zero value is the server, which needs no lease.
type author struct {
	// engine says that an engine reports: the batch is held against the run's lease.
	engine bool
	// token is the lease that the engine names, or empty.
	token Token
	// origin is stored with the batch.
	origin *journal.Origin
}

// turn is one batch of a run in the making: events are stamped, folded and encoded as they are added, and
// stored together, or taken back together. It is made and ended by Intake.turn.
type turn struct {
	in     *Intake
	run    *run
	by     author
	now    contracts.Time
	events []contracts.RunEvent
	// before is the run's last event before the batch.
	before contracts.Seq
	lines  [][]byte
	bytes  int
	// reported is the engine's count including what this batch reports.
	reported contracts.EngineUsage
	// epoch is that of the lease under which the batch is stored, or 0.
	epoch int64
	// mark, where not empty, is what the batch makes of the run's lease.
	mark contracts.LeaseState
	// engineSeq is the engine's last event once the batch is stored.
	engineSeq contracts.Seq
	// read is the last reading of the meter in this batch.
	read *contracts.Usage
}

// conflictRetries is how often a turn is made anew after another writer was first.
const conflictRetries = 5

// turn locks a run, lets build add events, and stores them. Where build returns an error nothing is stored; where
// it adds nothing, nothing is either. build is called again where another writer was first, with the new state; and,
// where other servers write to the journal, before a refusal: it may rest on a state that is no longer the last.
func (in *Intake) turn(ctx context.Context, id contracts.RunID, by author, build func(t *turn) error) error {
	r, err := in.acquire(ctx, id)
	if err != nil {
		return err
	}
	defer in.release(r)
	_, err = in.turnOf(ctx, r, by, build)
	return err
}

// turnOf is turn for a run that the caller has acquired.
func (in *Intake) turnOf(ctx context.Context, r *run, by author, build func(t *turn) error) (*turn, error) {
	fresh := in.live == nil
	for attempt := 1; ; attempt++ {
		t, err := in.tryTurn(ctx, r, by, build)
		_, conflict := errors.AsType[*journal.ConflictError](err)
		stale := !fresh && (err != nil || len(t.lines) == 0) && r.loaded
		if !conflict && !stale || attempt == conflictRetries {
			return t, err
		}
		grown, catchErr := in.catchUp(ctx, r)
		if catchErr != nil {
			return nil, catchErr
		}
		if !conflict && !grown {
			return t, err
		}
		fresh = true
	}
}

// tryTurn makes one batch and stores it. After an error that leaves it open what the journal holds, the fold is
// forgotten.
func (in *Intake) tryTurn(ctx context.Context, r *run, by author, build func(t *turn) error) (*turn, error) {
	t := &turn{in: in, run: r, by: by, now: max(in.clock(), r.state.LastTime()), before: r.state.LastSeq(), reported: r.reported}
	if err := t.authorize(ctx); err != nil {
		return nil, err
	}
	r.state.Begin()
	if err := build(t); err != nil {
		r.state.Rollback()
		return nil, err
	}
	if len(t.lines) == 0 {
		r.state.Commit()
		r.reported = t.reported
		in.deadlines.set(r.id, in.nextDeadline(r))
		return t, nil
	}
	row := r.row()
	if t.mark != "" {
		row.Lease = t.mark
	}
	batch := journal.Batch{After: t.before, Events: t.lines, Summary: row, Origin: by.origin, Epoch: t.epoch}
	err := in.journal.Append(ctx, r.id, batch)
	if errors.Is(err, journal.ErrUnknown) {
		err = in.settle(ctx, r.id, batch, func(ctx context.Context) error { return in.journal.Append(ctx, r.id, batch) })
	}
	if err != nil {
		r.state.Rollback()
		return nil, in.notStored(r, err)
	}
	r.state.Commit()
	in.stored(r, t)
	return t, nil
}

// notStored does what an append that failed asks for, and returns its error.
func (in *Intake) notStored(r *run, err error) error {
	switch {
	case errors.Is(err, journal.ErrLeaseLost):
		r.lease = held{}
		return leaseLost()
	case errors.Is(err, journal.ErrUnknown):
		// What was stored after all is shown by whoever reads the run next: the clock does, soon.
		r.unsettled = true
		r.unload()
		in.deadlines.set(r.id, in.clock().Add(deadlineRetry.Milliseconds()))
	}
	return fmt.Errorf("append to run %s: %w", r.id, err)
}

// How an append of unknown outcome is settled.
const (
	settleTries = 4
	settlePause = 50 * time.Millisecond
	settleTime  = 5 * time.Second
)

// settle tries a write of unknown outcome again until its outcome is known, whoever waits for it: nil where it is stored,
// once. It gives up after a while, with journal.ErrUnknown.
func (in *Intake) settle(ctx context.Context, id contracts.RunID, b journal.Batch, again func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	for try := 1; ; try++ {
		err := again(ctx)
		_, conflict := errors.AsType[*journal.ConflictError](err)
		switch {
		case conflict, errors.Is(err, journal.ErrLeaseLost):
			return in.unlessOwn(ctx, id, b, err)
		case !errors.Is(err, journal.ErrUnknown) && ctx.Err() == nil, try == settleTries:
			return err
		}
		pause := time.NewTimer(settlePause << try)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("settle an append of run %s: %w", id, journal.ErrUnknown)
		}
	}
}

// unlessOwn returns nil where the events behind an append's place are its own, else refusal.
func (in *Intake) unlessOwn(ctx context.Context, id contracts.RunID, b journal.Batch, refusal error) error {
	page, err := in.journal.Read(ctx, id, b.After, len(b.Events), journal.MaxBatchBytes)
	if err != nil {
		return fmt.Errorf("settle an append of run %s: %w", id, errors.Join(journal.ErrUnknown, err))
	}
	if len(page.Events) < len(b.Events) {
		return refusal
	}
	for i := range b.Events {
		if !bytes.Equal(page.Events[i].JSON, b.Events[i]) {
			return refusal
		}
	}
	return nil
}

// stored makes a durable batch known: to the door itself, to viewers, to engines that wait, to the clock.
func (in *Intake) stored(r *run, t *turn) {
	r.reported = t.reported
	for i := range t.events {
		r.note(t.events[i])
	}
	t.engineSeq = r.engineSeq
	if t.mark != "" {
		r.summary.Lease = t.mark
	}
	r.placed.add(t.by.origin, t.events[0].Seq, t.lastSeq())
	in.show(r, t.events[0].Seq, t.lines)
	in.announce(r)
	in.deadlines.set(r.id, in.nextDeadline(r))
}

// add stamps, folds and encodes one event. The error is a *runstate.Violation where the run's state does not
// allow it.
func (t *turn) add(branch contracts.Branch, data contracts.EventData) error {
	ev := contracts.RunEvent{
		SchemaVersion: contracts.Version, RunID: t.run.id, Seq: t.run.state.LastSeq() + 1, Time: t.now,
		Type: data.EventType(), Branch: branch, Data: data,
	}
	if err := t.run.state.Apply(ev); err != nil {
		return err
	}
	line, err := contracts.Encode(ev)
	if err != nil {
		return fmt.Errorf("encode event %d: %w", ev.Seq, err)
	}
	if err := legible(ev, line); err != nil {
		return err
	}
	t.bytes += len(line)
	if len(t.lines) == journal.MaxBatchEvents || t.bytes > journal.MaxBatchBytes {
		return contracts.NewProblem(contracts.ProblemTooLarge, "the events of one append, with what the server adds to them, take too much room")
	}
	t.events = append(t.events, ev)
	t.lines = append(t.lines, line)
	return nil
}

// status adds a change of state.
func (t *turn) status(s contracts.State, why contracts.StatusReason) error {
	return t.add("", &contracts.StatusData{State: s, Reason: why})
}

// used is the meter as of this turn.
func (t *turn) used() contracts.Usage { return t.run.state.Used(t.now, t.reported) }

// wake makes sure that an engine's work is legal: the first report of an engine claims a queued run, and an
// engine that goes on shows that the run does not wait for a human alone.
func (t *turn) wake() error {
	switch t.run.state.Phase() {
	case contracts.StateQueued:
		return t.status(contracts.StateRunning, contracts.ReasonStarted)
	case contracts.StateWaiting:
		return t.status(contracts.StateRunning, contracts.ReasonResumed)
	case contracts.StateRunning, contracts.StateDraining, contracts.StateSucceeded, contracts.StateRefused,
		contracts.StateFailed, contracts.StateCancelled, contracts.StateExhausted:
	}
	return nil
}

// settle adds what follows from the batch: warnings, the drain when a limit is reached, a reading of the meter
// where one is due, and the wait for a human when nothing else goes on.
func (t *turn) settle() error {
	s := t.run.state
	phase := s.Phase()
	if phase == "" || phase.Terminal() {
		return nil
	}
	used := t.used()
	if phase == contracts.StateQueued {
		if d, reached := s.Reached(used); reached {
			return t.drain(reasonOf(d))
		}
		return nil
	}
	for _, d := range s.Warnings(used) {
		t.read = &used
		if err := t.add("", &contracts.BudgetData{Phase: contracts.BudgetWarn, Dimension: d, Used: used}); err != nil {
			return err
		}
	}
	if d, reached := s.Reached(used); reached && phase != contracts.StateDraining {
		return t.drain(reasonOf(d))
	}
	if t.tickDue() {
		if err := t.tick(); err != nil {
			return err
		}
	}
	if phase == contracts.StateRunning && s.OpenMessages() == 0 && allPending(s.OpenCalls()) {
		return t.status(contracts.StateWaiting, contracts.ReasonApproval)
	}
	return nil
}

// allPending reports whether there are calls and each of them waits for a human.
func allPending(calls []runstate.Call) bool {
	for _, call := range calls {
		if !call.Pending() {
			return false
		}
	}
	return len(calls) > 0
}

// tickEvery is the shortest time between two readings of the meter, in milliseconds.
const tickEvery = 1000

// tickDue reports whether the engine counted more than the journal shows and the last reading is old enough.
func (t *turn) tickDue() bool {
	return t.countedMore() && t.now.Sub(t.run.state.LastTick()) >= tickEvery
}

// countedMore reports whether the engine counted more than the journal shows.
func (t *turn) countedMore() bool {
	return t.used() != t.run.state.Used(t.now, contracts.EngineUsage{})
}

// tick adds a reading of the meter, unless the batch shows the same one already.
func (t *turn) tick() error {
	used := t.used()
	if t.read != nil && *t.read == used {
		return nil
	}
	t.read = &used
	return t.add("", &contracts.BudgetData{Phase: contracts.BudgetTick, Used: used})
}

// reasonOf is the reason for draining when a dimension is reached.
func reasonOf(d contracts.Dimension) contracts.StatusReason { return contracts.StatusReason(d) }

// drain lets the run end: no new call from here on. Calls that wait for a human are ended. Where the budget
// says stop, or where no engine is there to finish, the run ends at once; else the engine has its grace.
func (t *turn) drain(why contracts.StatusReason) error {
	s := t.run.state
	unclaimed := s.Phase() == contracts.StateQueued
	if !unclaimed {
		if err := t.tick(); err != nil {
			return err
		}
	}
	if err := t.status(contracts.StateDraining, why); err != nil {
		return err
	}
	decision := contracts.DecisionCancelled
	if why == contracts.ReasonWall {
		decision = contracts.DecisionExpired
	}
	if err := t.endPending(decision); err != nil {
		return err
	}
	stop := why.Exhausted() && s.Limits().OnExhausted == contracts.ExhaustedStop
	if stop || unclaimed {
		return t.finish(drainedStatus(why), nil)
	}
	return nil
}

// drainedStatus is how a run ends that drained for a reason.
func drainedStatus(why contracts.StatusReason) contracts.State {
	if why == contracts.ReasonCancel {
		return contracts.StateCancelled
	}
	return contracts.StateExhausted
}

// ending is the answer that a run ends with.
type ending struct {
	messageID  string
	text       string
	shown      bool // the text may stand in done
	verdictSeq contracts.Seq
}

// finish ends open calls, reads the meter a last time and adds done.
func (t *turn) finish(status contracts.State, end *ending) error {
	if err := t.closeRun(); err != nil {
		return err
	}
	return t.done(status, end)
}

// closeRun adds what must stand before the last events: decisions for calls that wait, the end of open calls
// and a last reading of the meter, where the run's state allows one.
func (t *turn) closeRun() error {
	s := t.run.state
	if s.Phase() == contracts.StateQueued {
		return nil
	}
	if err := t.endPending(contracts.DecisionCancelled); err != nil {
		return err
	}
	if err := t.endOpenCalls(); err != nil {
		return err
	}
	return t.tick()
}

// endOpenCalls ends what is still open as cancelled.
func (t *turn) endOpenCalls() error {
	for _, call := range t.run.state.OpenCalls() {
		if err := t.endCall(call, callEnd{status: contracts.CallCancelled}); err != nil {
			return err
		}
	}
	return nil
}

// done adds the last event.
func (t *turn) done(status contracts.State, end *ending) error {
	receipts, head := t.run.state.Receipts()
	data := &contracts.DoneData{Status: status, Used: t.used(), Receipts: receipts, ReceiptsHead: head}
	if end != nil {
		data.MessageID = end.messageID
		data.OutputHash = contracts.DigestText(end.text)
		data.VerdictSeq = end.verdictSeq
		if end.shown {
			data.Output = &end.text
		}
	}
	return t.add("", data)
}

// fail ends the run with a fatal error. Nothing but tool_end and done may follow one, so that decisions and the
// meter come before it.
func (t *turn) fail(branch contracts.Branch, cause *contracts.ErrorData) error {
	if t.run.state.Phase() != contracts.StateQueued {
		if err := t.endPending(contracts.DecisionCancelled); err != nil {
			return err
		}
		if err := t.tick(); err != nil {
			return err
		}
	}
	if err := t.add(branch, cause); err != nil {
		return err
	}
	if err := t.endOpenCalls(); err != nil {
		return err
	}
	return t.done(contracts.StateFailed, nil)
}
