// Package faultjournal wraps a journal and makes chosen calls fail, wait, or lose their answer, so that those
// above can be tested against what disks do. Without faults it behaves as the journal that it wraps.
package faultjournal

import (
	"context"
	"slices"
	"sync"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Op names an operation: a method of journal.Journal.
type Op string

// The operations.
const (
	OpRun        Op = "Run"
	OpRead       Op = "Read"
	OpBatch      Op = "Batch"
	OpByKey      Op = "ByKey"
	OpList       Op = "List"
	OpTools      Op = "Tools"
	OpCreate     Op = "Create"
	OpAppend     Op = "Append"
	OpPutTool    Op = "PutTool"
	OpDeleteTool Op = "DeleteTool"
	OpTakeLease  Op = "TakeLease"
	OpRenewLease Op = "RenewLease"
	OpDropLease  Op = "DropLease"
	OpLeaseOf    Op = "LeaseOf"
	OpListLeases Op = "ListLeases"
	OpFinished   Op = "Finished"
	OpPrune      Op = "Prune"
	OpSize       Op = "Size"
	OpVerify     Op = "Verify"
	OpReady      Op = "Ready"
	OpClose      Op = "Close"
)

// Every stands for each call, in place of the number of one.
const Every = 0

// Journal is a journal with faults. Its methods may be called from any number of goroutines, those that set
// faults included. New makes it.
type Journal struct {
	inner journal.Journal

	mu     sync.Mutex
	calls  map[Op]int
	faults []fault
}

var _ journal.Journal = (*Journal)(nil)

// fault is what happens to one call of an operation, or to every one.
type fault struct {
	op   Op
	call int // as Journal.calls counts it, or Every

	err    error         // returned in place of the call's result
	stored bool          // with err: the call is made, and its success hidden
	delay  time.Duration // waited before the call
	gate   *Gate         // waited for before the call
}

// New returns inner with no faults.
func New(inner journal.Journal) *Journal {
	return &Journal{inner: inner, calls: map[Op]int{}}
}

// Fail makes the nth call of op from now, counted from 1, or Every, return err and do nothing.
func (j *Journal) Fail(op Op, nth int, err error) { j.add(nth, fault{op: op, err: err}) }

// Unknown makes the nth call of op from now, or Every, return journal.ErrUnknown: after it stored what it was
// given, or without. A call that would have failed by itself returns its own error.
func (j *Journal) Unknown(op Op, nth int, stored bool) {
	j.add(nth, fault{op: op, err: journal.ErrUnknown, stored: stored})
}

// Delay makes the nth call of op from now, or Every, wait before it does its work. A context that ends
// meanwhile ends the call.
func (j *Journal) Delay(op Op, nth int, d time.Duration) { j.add(nth, fault{op: op, delay: d}) }

// Block makes the nth call of op from now, or Every, wait at a gate before it does its work. A context that
// ends meanwhile ends the call.
func (j *Journal) Block(op Op, nth int) *Gate {
	gate := &Gate{arrived: make(chan struct{}), released: make(chan struct{})}
	j.add(nth, fault{op: op, gate: gate})
	return gate
}

// Clear takes back every fault. Calls that wait already go on waiting.
func (j *Journal) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.faults = nil
}

// Calls returns how many calls of op were made, those that failed included.
func (j *Journal) Calls(op Op) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.calls[op]
}

// Gate is where calls wait that Block stopped.
type Gate struct {
	arrive, release   sync.Once
	arrived, released chan struct{}
}

// Arrived is closed when the first call has come to the gate.
func (g *Gate) Arrived() <-chan struct{} { return g.arrived }

// Release opens the gate for good. It may be called again.
func (g *Gate) Release() { g.release.Do(func() { close(g.released) }) }

// add puts a fault behind those that are set already, of which the first that fits a call wins.
func (j *Journal) add(nth int, f fault) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f.call = Every
	if nth != Every {
		f.call = j.calls[f.op] + nth
	}
	j.faults = append(j.faults, f)
}

// next counts a call and returns its fault, which is the zero value where it has none.
func (j *Journal) next(op Op) fault {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls[op]++
	i := slices.IndexFunc(j.faults, func(f fault) bool {
		return f.op == op && (f.call == Every || f.call == j.calls[op])
	})
	if i < 0 {
		return fault{}
	}
	return j.faults[i]
}

// do makes a call of op with its fault.
func (j *Journal) do(ctx context.Context, op Op, call func() error) error {
	f := j.next(op)
	if err := f.wait(ctx); err != nil {
		return err
	}
	if f.err == nil {
		return call()
	}
	if f.stored {
		if err := call(); err != nil {
			return err
		}
	}
	return f.err
}

// wait returns when the fault lets its call go on, or with the context's error.
func (f fault) wait(ctx context.Context) error {
	if f.delay > 0 {
		timer := time.NewTimer(f.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if f.gate == nil {
		return nil
	}
	f.gate.arrive.Do(func() { close(f.gate.arrived) })
	select {
	case <-f.gate.released:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run implements journal.Reader.
func (j *Journal) Run(ctx context.Context, id contracts.RunID) (run journal.Run, err error) {
	err = j.do(ctx, OpRun, func() error {
		run, err = j.inner.Run(ctx, id)
		return err
	})
	return run, err
}

// Read implements journal.Reader.
func (j *Journal) Read(ctx context.Context, id contracts.RunID, after contracts.Seq, maxEvents, maxBytes int) (page journal.Page, err error) {
	err = j.do(ctx, OpRead, func() error {
		page, err = j.inner.Read(ctx, id, after, maxEvents, maxBytes)
		return err
	})
	return page, err
}

// Batch implements journal.Reader.
func (j *Journal) Batch(ctx context.Context, id contracts.RunID, after contracts.Seq) (stored journal.Stored, err error) {
	err = j.do(ctx, OpBatch, func() error {
		stored, err = j.inner.Batch(ctx, id, after)
		return err
	})
	return stored, err
}

// ByKey implements journal.Reader.
func (j *Journal) ByKey(ctx context.Context, key string) (id contracts.RunID, task contracts.Digest, err error) {
	err = j.do(ctx, OpByKey, func() error {
		id, task, err = j.inner.ByKey(ctx, key)
		return err
	})
	return id, task, err
}

// List implements journal.Reader.
func (j *Journal) List(ctx context.Context, q journal.Query) (runs []contracts.Summary, err error) {
	err = j.do(ctx, OpList, func() error {
		runs, err = j.inner.List(ctx, q)
		return err
	})
	return runs, err
}

// Tools implements journal.Reader.
func (j *Journal) Tools(ctx context.Context) (tools []journal.Tool, err error) {
	err = j.do(ctx, OpTools, func() error {
		tools, err = j.inner.Tools(ctx)
		return err
	})
	return tools, err
}

// Create implements journal.Journal.
func (j *Journal) Create(ctx context.Context, run journal.Run, first journal.Batch) error {
	return j.do(ctx, OpCreate, func() error { return j.inner.Create(ctx, run, first) })
}

// Append implements journal.Journal.
func (j *Journal) Append(ctx context.Context, id contracts.RunID, b journal.Batch) error {
	return j.do(ctx, OpAppend, func() error { return j.inner.Append(ctx, id, b) })
}

// PutTool implements journal.Journal.
func (j *Journal) PutTool(ctx context.Context, t journal.Tool) error {
	return j.do(ctx, OpPutTool, func() error { return j.inner.PutTool(ctx, t) })
}

// DeleteTool implements journal.Journal.
func (j *Journal) DeleteTool(ctx context.Context, name, version string) error {
	return j.do(ctx, OpDeleteTool, func() error { return j.inner.DeleteTool(ctx, name, version) })
}

// TakeLease implements journal.Leases.
func (j *Journal) TakeLease(ctx context.Context, id contracts.RunID, holder string, ttl time.Duration) (l journal.Lease, err error) {
	err = j.do(ctx, OpTakeLease, func() error {
		l, err = j.inner.TakeLease(ctx, id, holder, ttl)
		return err
	})
	return l, err
}

// RenewLease implements journal.Leases.
func (j *Journal) RenewLease(ctx context.Context, l journal.Lease, ttl time.Duration) (renewed journal.Lease, err error) {
	err = j.do(ctx, OpRenewLease, func() error {
		renewed, err = j.inner.RenewLease(ctx, l, ttl)
		return err
	})
	return renewed, err
}

// DropLease implements journal.Leases.
func (j *Journal) DropLease(ctx context.Context, l journal.Lease) error {
	return j.do(ctx, OpDropLease, func() error { return j.inner.DropLease(ctx, l) })
}

// LeaseOf implements journal.Leases.
func (j *Journal) LeaseOf(ctx context.Context, id contracts.RunID) (l journal.Lease, err error) {
	err = j.do(ctx, OpLeaseOf, func() error {
		l, err = j.inner.LeaseOf(ctx, id)
		return err
	})
	return l, err
}

// ListLeases implements journal.Leases.
func (j *Journal) ListLeases(ctx context.Context) (leases []journal.Lease, err error) {
	err = j.do(ctx, OpListLeases, func() error {
		leases, err = j.inner.ListLeases(ctx)
		return err
	})
	return leases, err
}

// Finished implements journal.Retention.
func (j *Journal) Finished(ctx context.Context, before contracts.Time, limit int) (runs []contracts.Summary, err error) {
	err = j.do(ctx, OpFinished, func() error {
		runs, err = j.inner.Finished(ctx, before, limit)
		return err
	})
	return runs, err
}

// Prune implements journal.Retention.
func (j *Journal) Prune(ctx context.Context, id contracts.RunID, maxRows int) (more bool, err error) {
	err = j.do(ctx, OpPrune, func() error {
		more, err = j.inner.Prune(ctx, id, maxRows)
		return err
	})
	return more, err
}

// Size implements journal.Retention.
func (j *Journal) Size(ctx context.Context) (size journal.Size, err error) {
	err = j.do(ctx, OpSize, func() error {
		size, err = j.inner.Size(ctx)
		return err
	})
	return size, err
}

// Verify implements journal.Retention.
func (j *Journal) Verify(ctx context.Context, visit func(damage error) error) (size journal.Size, err error) {
	err = j.do(ctx, OpVerify, func() error {
		size, err = j.inner.Verify(ctx, visit)
		return err
	})
	return size, err
}

// Ready implements journal.Journal.
func (j *Journal) Ready(ctx context.Context) error {
	return j.do(ctx, OpReady, func() error { return j.inner.Ready(ctx) })
}

// Close implements journal.Journal.
func (j *Journal) Close() error {
	return j.do(context.Background(), OpClose, j.inner.Close)
}
