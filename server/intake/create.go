package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// CreateOptions is what comes beside a TaskSpec.
type CreateOptions struct {
	// IdempotencyKey, where not empty, makes the same request again give the same run.
	IdempotencyKey string
	// Traceparent is the W3C Trace Context of the request, or empty.
	Traceparent string

	// forkedFrom is where a fork leaves its parent.
	forkedFrom *contracts.ForkOrigin
}

// Create makes a run from a TaskSpec's bytes. replayed says that the idempotency key had made it before.
// Problems: those of contracts.Decode, tool-unknown, over-ceiling, unavailable, idempotency-conflict. Their pointers are
// those of doc, in whichever version it was sent.
func (in *Intake) Create(ctx context.Context, doc []byte, o CreateOptions) (c contracts.Created, replayed bool, err error) {
	task, err := contracts.Decode[contracts.TaskSpec](doc)
	if err != nil {
		return contracts.Created{}, false, err
	}
	c, replayed, err = in.create(ctx, doc, task, o)
	return c, replayed, contracts.AsSent(contracts.KindTaskSpec, doc, err)
}

// create makes a run from what Decode made of doc. A key that is taken is looked at before anything that may have changed
// since it was: the catalogue, the ceiling, the engines.
func (in *Intake) create(ctx context.Context, doc []byte, task *contracts.TaskSpec, o CreateOptions) (c contracts.Created, replayed bool, err error) {
	digest, err := contracts.DigestJSON(doc)
	if err != nil {
		return contracts.Created{}, false, fmt.Errorf("digest of a valid task: %w", err)
	}
	if o.IdempotencyKey != "" {
		id, made, err := in.journal.ByKey(ctx, o.IdempotencyKey)
		if err == nil {
			return in.replay(ctx, &journal.KeyTakenError{Run: id, TaskDigest: made}, digest, o.forkedFrom)
		}
		if !errors.Is(err, journal.ErrNotFound) {
			return contracts.Created{}, false, fmt.Errorf("look up an idempotency key: %w", err)
		}
	}
	tools, err := task.CheckTools(in.catalogue)
	if err != nil {
		return contracts.Created{}, false, err
	}
	if err := task.CheckCeiling(in.ceiling); err != nil {
		return contracts.Created{}, false, err
	}
	choice, err := in.engines.Choose(task, tools)
	if err != nil {
		return contracts.Created{}, false, err
	}
	ulid, err := in.newULID()
	if err != nil {
		return contracts.Created{}, false, fmt.Errorf("new run id: %w", err)
	}
	id := contracts.RunID("run_" + ulid)
	header := in.header(task, tools, digest, choice.Name)
	header.Traceparent, header.ForkedFrom = o.Traceparent, o.forkedFrom

	err = in.store(ctx, id, doc, task, header, o.IdempotencyKey)
	if taken, ok := errors.AsType[*journal.KeyTakenError](err); ok {
		return in.replay(ctx, taken, digest, o.forkedFrom)
	}
	if err != nil {
		return contracts.Created{}, false, err
	}
	if choice.InProcess {
		in.engines.Start(id, choice.Name)
	}
	return contracts.Created{RunID: id, State: contracts.StateQueued, Links: contracts.LinksOf(id)}, false, nil
}

// header is the body of a run's first event: what the run is held to.
func (in *Intake) header(task *contracts.TaskSpec, tools map[contracts.ToolRef]*contracts.ToolSpec, digest contracts.Digest, backend string) *contracts.StatusData {
	limits := task.Budget.Effective(task.Profile)
	h := &contracts.StatusData{
		State: contracts.StateQueued, Reason: contracts.ReasonSubmitted, TaskDigest: digest,
		Limits: &limits, Profile: task.Profile, Backend: backend,
	}
	if task.Verification != nil {
		h.Release = task.Verification.Release
	}
	for ref := range tools {
		entry, ok := in.catalogue.Entry(ref)
		if !ok {
			continue // deleted since it was checked; a call of it will be denied
		}
		if h.Tools == nil {
			h.Tools = make(map[string]contracts.Digest, len(tools))
		}
		h.Tools[string(ref)] = entry.Digest
	}
	return h
}

// goalShown is how many characters of a goal a list shows.
const goalShown = 200

// store makes the run's first event and creates the run with it.
func (in *Intake) store(ctx context.Context, id contracts.RunID, doc []byte, task *contracts.TaskSpec, header *contracts.StatusData, key string) error {
	r := in.runs.hold(id)
	r.mu.Lock()
	defer in.release(r)

	now := in.clock()
	r.adopt(doc, task, contracts.Summary{
		RunID: id, Goal: cutRunes(task.Goal, goalShown), Backend: header.Backend, Profile: task.Profile,
		Labels: task.Labels, CreatedAt: now, Limits: *header.Limits,
	})
	t := &turn{in: in, run: r, now: now}
	if err := t.add("", header); err != nil {
		r.unload()
		return err
	}
	row := r.row()
	stored := journal.Run{ID: id, Task: doc, TaskDigest: header.TaskDigest, Key: key, Summary: row}
	first := journal.Batch{Events: t.lines, Summary: row}
	err := in.journal.Create(ctx, stored, first)
	if errors.Is(err, journal.ErrUnknown) {
		err = in.settle(ctx, id, first, func(ctx context.Context) error { return in.journal.Create(ctx, stored, first) })
	}
	if err != nil {
		r.unload()
		return fmt.Errorf("create run %s: %w", id, err)
	}
	r.loaded = true
	in.stored(r, t)
	return nil
}

// replay answers a request whose idempotency key made a run before. A fork is the same request only from the same place.
func (in *Intake) replay(ctx context.Context, taken *journal.KeyTakenError, digest contracts.Digest, from *contracts.ForkOrigin) (contracts.Created, bool, error) {
	conflict := contracts.NewProblem(contracts.ProblemIdempotencyConflict, "the idempotency key belongs to a run with another task")
	if taken.TaskDigest != digest {
		return contracts.Created{}, false, conflict
	}
	stored, err := in.journal.Run(ctx, taken.Run)
	if err != nil {
		return contracts.Created{}, false, fmt.Errorf("replay of run %s: %w", taken.Run, err)
	}
	made, err := in.originOf(ctx, taken.Run)
	if err != nil {
		return contracts.Created{}, false, err
	}
	if (made == nil) != (from == nil) || made != nil && *made != *from {
		return contracts.Created{}, false, conflict
	}
	return contracts.Created{RunID: taken.Run, State: stored.Summary.State, Links: contracts.LinksOf(taken.Run)}, true, nil
}

// originOf returns where a run left its parent, or nil where it is no fork.
func (in *Intake) originOf(ctx context.Context, id contracts.RunID) (*contracts.ForkOrigin, error) {
	page, err := in.journal.Read(ctx, id, 0, 1, 1)
	if err != nil {
		return nil, fmt.Errorf("read how run %s began: %w", id, err)
	}
	for _, first := range page.Events {
		ev, err := contracts.DecodeEvent(first.JSON)
		if err != nil {
			return nil, fmt.Errorf("read how run %s began: %w", id, err)
		}
		if header, ok := ev.Data.(*contracts.StatusData); ok {
			return header.ForkedFrom, nil
		}
	}
	return nil, nil //nolint:nilnil // a run that is no fork
}

// Fork makes a run that starts where another stood at an event. doc is the task's document, or nil for the parent's.
// Problems: those of Create, with pointers into doc behind #/task; not-found, and invalid-document where the parent has no
// such event. A parent whose history was deleted gives journal.ErrPruned.
func (in *Intake) Fork(ctx context.Context, parent contracts.RunID, seq contracts.Seq, doc []byte, o CreateOptions) (c contracts.Created, replayed bool, err error) {
	stored, err := in.journal.Run(ctx, parent)
	if errors.Is(err, journal.ErrNotFound) {
		return contracts.Created{}, false, contracts.NewProblem(contracts.ProblemNotFound, "there is no such run")
	}
	if err != nil {
		return contracts.Created{}, false, fmt.Errorf("fork run %s: %w", parent, err)
	}
	if last := stored.Summary.LastSeq; seq > last {
		return contracts.Created{}, false, contracts.DocumentProblem(contracts.ProblemInvalidDocument, "ForkRequest",
			contracts.FieldError{Pointer: "#/seq", Code: contracts.CodeLte, Params: map[string]any{"max": last}})
	}
	own := doc != nil
	if !own {
		doc = stored.Task
	}
	task, err := contracts.Decode[contracts.TaskSpec](doc)
	if err == nil {
		o.forkedFrom = &contracts.ForkOrigin{RunID: parent, Seq: seq}
		c, replayed, err = in.create(ctx, doc, task, o)
		err = contracts.AsSent(contracts.KindTaskSpec, doc, err)
	}
	if own {
		err = within("#/task", err)
	}
	return c, replayed, err
}

// within moves the pointers of a problem into a member of the document that holds it. The offsets are those of the
// member's own bytes, and go.
func within(at string, err error) error {
	p, ok := errors.AsType[*contracts.Problem](err)
	if !ok || len(p.Errors) == 0 {
		return err
	}
	moved := *p
	moved.Errors = slices.Clone(p.Errors)
	for i := range moved.Errors {
		e := &moved.Errors[i]
		e.Pointer, e.Offset = at+strings.TrimPrefix(e.Pointer, "#"), nil
		e.Related = slices.Clone(e.Related)
		for n := range e.Related {
			e.Related[n] = at + strings.TrimPrefix(e.Related[n], "#")
		}
	}
	return &moved
}

// cutRunes returns the first n characters of s.
func cutRunes(s string, n int) string {
	count := 0
	for i := range s {
		if count == n {
			return s[:i]
		}
		count++
	}
	return s
}
