package intake

import (
	"context"
	"errors"
	"fmt"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/server/journal"
)

// turn is one batch of a run in the making: events are stamped, folded and encoded as they are added, and
// stored together, or taken back together. It is made and ended by Intake.turn.
type turn struct {
	in     *Intake
	run    *run
	now    contracts.Time
	events []contracts.RunEvent
	// before is the run's last event before the batch.
	before contracts.Seq
	lines  [][]byte
	bytes  int
	// reported is the engine's count including what this batch reports.
	reported contracts.EngineUsage
	// origin is stored with the batch.
	origin *journal.Origin
	// read is the last reading of the meter in this batch.
	read *contracts.Usage
}

// conflictRetries is how often a turn is made anew after another writer was first.
const conflictRetries = 3

// turn locks a run, lets build add events, and stores them. Where build returns an error nothing is stored; where
// it adds nothing, nothing is either. Another writer's append makes it start over with the new state.
func (in *Intake) turn(ctx context.Context, id contracts.RunID, origin *journal.Origin, build func(t *turn) error) (*turn, error) {
	r, err := in.acquire(ctx, id)
	if err != nil {
		return nil, err
	}
	defer in.release(r)
	for attempt := 1; ; attempt++ {
		t, err := in.tryTurn(ctx, r, origin, build)
		var conflict *journal.ConflictError
		if !errors.As(err, &conflict) || attempt == conflictRetries {
			return t, err
		}
		if err := in.load(ctx, r); err != nil {
			return nil, err
		}
	}
}

// tryTurn makes one batch and stores it. After an error that leaves it open what the journal holds, the fold is
// forgotten.
func (in *Intake) tryTurn(ctx context.Context, r *run, origin *journal.Origin, build func(t *turn) error) (*turn, error) {
	t := &turn{in: in, run: r, now: max(in.clock(), r.state.LastTime()), before: r.state.LastSeq(), reported: r.reported, origin: origin}
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
	err := in.journal.Append(ctx, r.id, journal.Batch{
		After: t.events[0].Seq - 1, Events: t.lines, Summary: row, Origin: t.origin,
	})
	if err != nil {
		r.state.Rollback()
		var conflict *journal.ConflictError
		if errors.As(err, &conflict) || errors.Is(err, journal.ErrUnknown) {
			r.unload()
		}
		return nil, fmt.Errorf("append to run %s: %w", r.id, err)
	}
	r.state.Commit()
	in.stored(r, t)
	return t, nil
}

// stored makes a durable batch known: to the door itself, to viewers, to the clock.
func (in *Intake) stored(r *run, t *turn) {
	r.reported = t.reported
	for i := range t.events {
		r.note(t.events[i])
	}
	in.hub.Publish(r.id, t.events[0].Seq, t.lines, r.state.Phase().Terminal())
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
	if t.tickDue(used) {
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
func (t *turn) tickDue(used contracts.Usage) bool {
	s := t.run.state
	return used != s.Used(t.now, contracts.EngineUsage{}) && t.now.Sub(s.LastTick()) >= tickEvery
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
