package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Feed is an engine that reports one batch after another. It is for one goroutine.
//
// It takes a batch only while nobody else has reported since its own last one; so an engine that lost its connection and
// came back by another one cannot be overtaken by what is still on its way from the first. Where it comes back with the
// cursor of the last acknowledgement that it saw, the batches that were stored behind that cursor are recognized as they
// come again, and acknowledged as they were.
type Feed struct {
	h   Holder
	run contracts.RunID
	// at is the last acknowledgement, and engineSeq the last event of an engine that this feed knows of.
	at, engineSeq contracts.Seq
	// past is what was stored behind the cursor, until the engine has sent it all again; nil from then on.
	past *pastReports
}

// Feed begins behind the cursor after, or behind the engine's last event where after is nil. The lease, where the run has
// one, is renewed. Problems: not-found, lease-lost, sequence-conflict where the cursor is ahead, run-finished where nothing
// is left to be recognized.
func (h Holder) Feed(ctx context.Context, id contracts.RunID, after *contracts.Seq) (*Feed, error) {
	r, err := h.in.acquireLatest(ctx, id)
	if err != nil {
		return nil, err
	}
	defer h.in.release(r)
	f := &Feed{h: h, run: id, at: r.engineSeq, engineSeq: r.engineSeq}
	if after != nil {
		if *after > r.state.LastSeq() {
			return nil, cursorConflict(r)
		}
		f.at = *after
	}
	if f.at < r.engineSeq {
		f.past = &pastReports{in: h.in, run: id, task: r.task, after: f.at, until: r.engineSeq}
	}
	if r.state.Phase().Terminal() {
		if f.past == nil {
			return nil, runFinished()
		}
		return f, nil
	}
	l, err := h.in.leaseFor(ctx, r, h.token)
	if err != nil || l.Epoch == 0 {
		return f, err
	}
	return f, h.in.renew(ctx, r)
}

// At is the last acknowledgement: the cursor to come back with.
func (f *Feed) At() contracts.Seq { return f.at }

// Beat renews the engine's lease, where it has one.
func (f *Feed) Beat(ctx context.Context) error {
	if f.h.token == "" {
		return nil
	}
	_, err := f.h.Renew(ctx, f.run)
	return err
}

// Append stores batches in as few appends as it can, and returns the cursor behind each of them. Each batch is stored whole
// or not at all, and judged as if it came alone. Where one is refused, those before it are stored and acknowledged, those
// behind it are not looked at, and the error is that of Holder.Report.
func (f *Feed) Append(ctx context.Context, batches [][]contracts.EngineEvent) (acks []contracts.Seq, err error) {
	for f.past != nil && len(batches) > 0 {
		known, err := f.recognize(ctx, batches[0])
		if err != nil {
			return acks, err
		}
		if !known {
			f.past = nil
			break
		}
		acks = append(acks, f.at)
		batches = batches[1:]
	}
	for size := len(batches); len(batches) > 0; {
		stored, err := f.store(ctx, batches[:size])
		if err == nil {
			acks = append(acks, stored...)
			batches = batches[size:]
			size = len(batches)
			continue
		}
		if size == 1 {
			if over, ok := errors.AsType[*overLimitError](err); ok {
				err = f.h.refuseOverLimit(ctx, f.run, over)
			}
			return acks, err
		}
		// The one that was refused has its own append, so that its refusal is its own.
		size = max(len(stored), 1)
	}
	return acks, nil
}

// store stores batches in one append. Where one is refused nothing is stored, and acks are those of the ones before it.
func (f *Feed) store(ctx context.Context, batches [][]contracts.EngineEvent) (acks []contracts.Seq, err error) {
	t, err := f.h.turn(ctx, f.run, nil, func(t *turn) error {
		acks = acks[:0]
		if t.run.engineSeq != f.engineSeq {
			return cursorConflict(t.run)
		}
		for _, batch := range batches {
			if err := t.report(batch); err != nil {
				return err
			}
			acks = append(acks, t.lastSeq())
		}
		return nil
	})
	if err != nil {
		return acks, err
	}
	if len(t.events) > 0 {
		f.engineSeq = t.engineSeq
	}
	f.at = t.lastSeq()
	return acks, nil
}

// recognize reports whether a batch was stored before, and moves behind it. Usage has no event of its own: it is counted
// again, which changes nothing where it was counted.
func (f *Feed) recognize(ctx context.Context, batch []contracts.EngineEvent) (known bool, err error) {
	var usage []contracts.EngineEvent
	matched := 0
	for i := range batch {
		if _, ok := batch[i].Data.(*contracts.EngineBudget); ok {
			usage = append(usage, batch[i])
			continue
		}
		stored, err := f.past.next(ctx)
		if err != nil {
			return false, fmt.Errorf("read what run %s holds: %w", f.run, err)
		}
		switch {
		case stored == nil && matched == 0:
			return false, nil
		case stored == nil || !sameReport(&batch[i], stored):
			p := contracts.NewProblem(contracts.ProblemSequenceConflict, "the run holds other events behind the cursor than those that were sent again")
			expected := f.engineSeq
			p.Expected = &expected
			return false, p
		}
		matched++
		f.at = stored.Seq
	}
	if len(usage) == 0 {
		return true, nil
	}
	_, err = f.h.Report(ctx, f.run, usage, nil)
	if p, ok := errors.AsType[*contracts.Problem](err); ok && p.Has(contracts.ProblemRunFinished) {
		return true, nil
	}
	return true, err
}

// sameReport reports whether an event is what a line of an engine became. What the server may have changed is not looked
// at: a call is known by its id and attempt.
func sameReport(line *contracts.EngineEvent, stored *contracts.RunEvent) bool {
	if line.Branch != stored.Branch && line.Type != contracts.EventToolEnd { // the end of a call stands on the call's branch
		return false
	}
	switch data := line.Data.(type) {
	case *contracts.ThoughtData:
		was, ok := stored.Data.(*contracts.ThoughtData)
		return ok && *was == *data
	case *contracts.TokenData:
		was, ok := stored.Data.(*contracts.TokenData)
		return ok && *was == *data
	case *contracts.EngineToolStart:
		was, ok := stored.Data.(*contracts.ToolStartData)
		return ok && was.CallID == data.CallID && was.Attempt == data.Attempt
	case *contracts.EngineToolEnd:
		was, ok := stored.Data.(*contracts.ToolEndData)
		return ok && was.CallID == data.CallID
	case *contracts.ErrorData:
		was, ok := stored.Data.(*contracts.ErrorData)
		return ok && sameJSON(was, data)
	}
	return false
}

// sameJSON reports whether two values are written alike.
func sameJSON(a, b any) bool {
	x, errX := contracts.Encode(a)
	y, errY := contracts.Encode(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// pastReports are an engine's events behind a cursor, read in bounded pages.
type pastReports struct {
	in           *Intake
	run          contracts.RunID
	task         *contracts.TaskSpec
	after, until contracts.Seq
	page         []journal.Event
}

// next returns the next of them, or nil behind the last.
func (p *pastReports) next(ctx context.Context) (*contracts.RunEvent, error) {
	for p.after < p.until {
		if len(p.page) == 0 {
			page, err := p.in.journal.Read(ctx, p.run, p.after, readPageEvents, readPageBytes)
			if err != nil {
				return nil, err
			}
			if len(page.Events) == 0 {
				return nil, nil //nolint:nilnil // nothing is left
			}
			p.page = page.Events
		}
		line := p.page[0]
		p.page, p.after = p.page[1:], line.Seq
		ev, err := contracts.DecodeEvent(line.JSON)
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", line.Seq, err)
		}
		if writtenByEngine(ev, p.task) {
			return &ev, nil
		}
	}
	return nil, nil //nolint:nilnil // nothing is left
}
