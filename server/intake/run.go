package intake

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/server/journal"
)

// run is a run as the door knows it: the fold of its events and what the fold cannot know. Everything but id
// is guarded by mu, which is held from the fold of a batch to its fan-out.
type run struct {
	id contracts.RunID

	mu     sync.Mutex
	loaded bool
	doc    []byte // the TaskSpec's bytes as sent
	task   *contracts.TaskSpec
	state  *runstate.State
	// summary holds what never changes in the run's row; the rest is filled in by row.
	summary contracts.Summary
	// reported is what the engine counted last. It is ahead of the journal by at most a second.
	reported contracts.EngineUsage
	// engineSeq is the last event that the engine wrote.
	engineSeq contracts.Seq
	secrets   secrets
	// placed are the batches of engines that memory knows of.
	placed placements
	// lease is what is known of the run's lease.
	lease held
	// shown is the last event that viewers on this server were told of, where unsettled says that an append behind it
	// had an unknown outcome.
	shown     contracts.Seq
	unsettled bool

	// The cache's own, guarded by its lock.
	holders int
	size    int64
	place   *list.Element
}

// dirty reports whether the engine reported something that no event shows yet.
func (r *run) dirty() bool {
	if !r.loaded || r.state.Phase().Terminal() {
		return false
	}
	shown := r.state.Used(r.state.LastTime(), contracts.EngineUsage{})
	ahead := r.state.Used(r.state.LastTime(), r.reported)
	return ahead != shown
}

// row is the run's row in lists as of now.
func (r *run) row() contracts.Summary {
	row := r.summary
	row.State = r.state.Phase()
	row.UpdatedAt = r.state.LastTime()
	row.LastSeq = r.state.LastSeq()
	row.Used = r.state.Used(r.state.LastTime(), contracts.EngineUsage{})
	row.Approvals = 0
	for _, call := range r.state.OpenCalls() {
		if call.Pending() {
			row.Approvals++
		}
	}
	return row
}

// snapshot is the run as GET /runs/{id} shows it.
func (r *run) snapshot() contracts.Snapshot {
	s := r.state.Snapshot()
	s.Goal = r.task.Goal
	s.Labels = r.task.Labels
	s.Lease = r.summary.Lease
	return s
}

// pinnedTools returns the definitions of the allowed tools that are still what they were when the run began.
func (r *run) pinnedTools(c Catalogue) map[contracts.ToolRef]*contracts.ToolSpec {
	pinned := r.state.Header().Tools
	specs := make(map[contracts.ToolRef]*contracts.ToolSpec, len(pinned))
	for ref, digest := range pinned {
		entry, ok := c.Entry(contracts.ToolRef(ref))
		if ok && entry.Digest == digest {
			specs[contracts.ToolRef(ref)] = &entry.Spec
		}
	}
	return specs
}

// acquire locks a run and makes sure that its fold is loaded. The caller must release it.
func (in *Intake) acquire(ctx context.Context, id contracts.RunID) (*run, error) {
	r := in.runs.hold(id)
	r.mu.Lock()
	var err error
	switch {
	case !r.loaded:
		err = in.load(ctx, r)
	case r.state.Phase().Terminal():
		err = in.checkKept(ctx, r)
	}
	if err != nil {
		in.release(r)
		return nil, err
	}
	return r, nil
}

// acquireLatest is acquire with the fold as of now, whichever server wrote last.
func (in *Intake) acquireLatest(ctx context.Context, id contracts.RunID) (*run, error) {
	r, err := in.acquire(ctx, id)
	if err != nil || in.live == nil {
		return r, err
	}
	if _, err := in.catchUp(ctx, r); err != nil {
		in.release(r)
		return nil, err
	}
	return r, nil
}

// checkKept forgets the fold of a run whose history retention has deleted meanwhile. The error is journal.ErrPruned then.
func (in *Intake) checkKept(ctx context.Context, r *run) error {
	_, err := in.journal.Run(ctx, r.id)
	if errors.Is(err, journal.ErrPruned) || errors.Is(err, journal.ErrNotFound) {
		r.unload()
		return fmt.Errorf("run %s: %w", r.id, err)
	}
	return nil // damage is no matter of a fold that was made before
}

// release unlocks a run and lets the cache drop it when memory is short.
func (in *Intake) release(r *run) {
	var size int64
	if r.loaded {
		size = r.state.Size() + 2*int64(len(r.doc))
	}
	pinned := r.dirty() || r.unsettled
	r.mu.Unlock()
	in.runs.drop(r, size, pinned)
}

// load folds a run's journal.
func (in *Intake) load(ctx context.Context, r *run) error {
	stored, err := in.journal.Run(ctx, r.id)
	if errors.Is(err, journal.ErrNotFound) {
		return contracts.NewProblem(contracts.ProblemNotFound, "there is no such run")
	}
	if err != nil {
		return fmt.Errorf("load run %s: %w", r.id, err)
	}
	task, err := contracts.Decode[contracts.TaskSpec](stored.Task)
	if err != nil {
		return fmt.Errorf("load run %s: stored task: %w", r.id, err)
	}
	r.adopt(stored.Task, task, stored.Summary)
	r.loaded = true
	if _, err := in.catchUp(ctx, r); err != nil {
		return fmt.Errorf("load run %s: %w", r.id, err)
	}
	r.placed = placements{from: r.state.LastSeq()}
	r.unsettled = false
	return nil
}

// catchUp folds what the journal holds behind the fold, and reports whether that was anything. After an error the fold is
// forgotten. What an append of unknown outcome left is shown to the viewers that wait for it.
func (in *Intake) catchUp(ctx context.Context, r *run) (grown bool, err error) {
	before := r.state.LastSeq()
	err = in.eachLine(ctx, r.id, before, func(line journal.Event) error {
		ev, err := contracts.DecodeEvent(line.JSON)
		if err != nil {
			return fmt.Errorf("event %d: %w", line.Seq, err)
		}
		if err := r.state.Apply(ev); err != nil {
			return err
		}
		r.note(ev)
		if r.unsettled && line.Seq > r.shown {
			in.show(r, line.Seq, [][]byte{line.JSON})
		}
		return nil
	})
	if err != nil {
		r.unload()
		return false, err
	}
	if r.state.LastSeq() == before {
		return false, nil
	}
	if before > 0 { // another server wrote: its leases and its batches are not in memory
		r.lease = held{}
		r.placed = placements{from: r.state.LastSeq()}
		err = in.refreshMark(ctx, r)
	}
	return true, err
}

// refreshMark reads again what the run's row says of its lease.
func (in *Intake) refreshMark(ctx context.Context, r *run) error {
	stored, err := in.journal.Run(ctx, r.id)
	if err != nil {
		r.unload()
		return err
	}
	r.summary.Lease = stored.Summary.Lease
	return nil
}

// show tells viewers of stored events. Where other servers write too, viewers learn of those by the hub's own watch.
func (in *Intake) show(r *run, first contracts.Seq, lines [][]byte) {
	r.shown = first + contracts.Seq(len(lines)) - 1
	in.hub.Publish(r.id, first, lines, r.state.Phase().Terminal())
	in.hub.PublishRow(r.row())
}

// adopt makes r a run of this task before its first event.
func (r *run) adopt(doc []byte, task *contracts.TaskSpec, summary contracts.Summary) {
	r.doc, r.task, r.summary = doc, task, summary
	r.state = new(runstate.State)
	r.reported = contracts.EngineUsage{}
	r.engineSeq = 0
	r.secrets = secretsOf(task)
	r.placed = placements{}
	r.lease = held{}
}

// unload forgets the fold; the next holder reads it again from the journal.
func (r *run) unload() {
	r.loaded = false
	r.state = nil
}

// note keeps what the fold does not: the engine's last event.
func (r *run) note(ev contracts.RunEvent) {
	if writtenByEngine(ev, r.task) {
		r.engineSeq = ev.Seq
	}
}

// writtenByEngine reports whether an event tells what an engine did, as opposed to what the server added.
func writtenByEngine(ev contracts.RunEvent, task *contracts.TaskSpec) bool {
	switch data := ev.Data.(type) {
	case *contracts.ThoughtData, *contracts.ToolStartData:
		return true
	case *contracts.TokenData:
		return task.Verification == nil || task.Verification.Release != contracts.ReleaseVerified
	case *contracts.ToolEndData:
		byHuman := data.Receipt != nil && data.Receipt.Approval != nil &&
			(data.Receipt.Approval.Decision == contracts.DecisionExpired || data.Receipt.Approval.Decision == contracts.DecisionCancelled)
		return data.Status != contracts.CallDenied && !byHuman
	case *contracts.ErrorData:
		return !data.Has(contracts.ProblemEngineLost) && !data.Has(contracts.ProblemEngineFailed)
	}
	return false
}

// readPage is how much of a journal is read at once while a run is folded.
const (
	readPageEvents = 1000
	readPageBytes  = 1 << 20
)

// eachLine reads a run behind a cursor.
func (in *Intake) eachLine(ctx context.Context, id contracts.RunID, after contracts.Seq, visit func(journal.Event) error) error {
	for {
		page, err := in.journal.Read(ctx, id, after, readPageEvents, readPageBytes)
		if err != nil {
			return err
		}
		for _, line := range page.Events {
			if err := visit(line); err != nil {
				return err
			}
			after = line.Seq
		}
		if after >= page.Last || len(page.Events) == 0 {
			return nil
		}
	}
}

// runCache keeps the folds of runs under a limit of memory, least recently used first out. A run that somebody
// holds is never dropped.
type runCache struct {
	limit int64

	mu   sync.Mutex
	runs map[contracts.RunID]*run
	idle *list.List // of *run that nobody holds, least recently used first
	size int64      // of the idle ones
}

func newRunCache(limit int64) *runCache {
	return &runCache{limit: limit, runs: make(map[contracts.RunID]*run), idle: list.New()}
}

// hold returns the run with this id and keeps it until drop.
func (c *runCache) hold(id contracts.RunID) *run {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.runs[id]
	if !ok {
		r = &run{id: id}
		c.runs[id] = r
	}
	if r.place != nil {
		c.idle.Remove(r.place)
		c.size -= r.size
		r.place = nil
	}
	r.holders++
	return r
}

// drop gives back what hold returned. size is the memory that it takes, 0 for a run that is not loaded; a
// pinned run holds what the journal does not and stays whatever the limit.
func (c *runCache) drop(r *run, size int64, pinned bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.holders--
	if r.holders > 0 || pinned {
		return
	}
	if size == 0 {
		delete(c.runs, r.id)
		return
	}
	r.size = size
	r.place = c.idle.PushBack(r)
	c.size += size
	for c.size > c.limit {
		oldest := c.idle.Remove(c.idle.Front()).(*run) //nolint:errcheck,forcetypeassert // the list holds runs only
		oldest.place = nil
		c.size -= oldest.size
		delete(c.runs, oldest.id)
	}
}
