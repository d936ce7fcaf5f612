package intake

import (
	"context"
	"errors"
	"fmt"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// CreateOptions is what comes beside a TaskSpec.
type CreateOptions struct {
	// IdempotencyKey, where not empty, makes the same request again give the same run.
	IdempotencyKey string
	// Traceparent is the W3C Trace Context of the request, or empty.
	Traceparent string
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

// create makes a run from what Decode made of doc.
func (in *Intake) create(ctx context.Context, doc []byte, task *contracts.TaskSpec, o CreateOptions) (c contracts.Created, replayed bool, err error) {
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
	digest, err := contracts.DigestJSON(doc)
	if err != nil {
		return contracts.Created{}, false, fmt.Errorf("digest of a valid task: %w", err)
	}
	ulid, err := in.newULID()
	if err != nil {
		return contracts.Created{}, false, fmt.Errorf("new run id: %w", err)
	}
	id := contracts.RunID("run_" + ulid)
	header := in.header(task, tools, digest, choice.Name)
	header.Traceparent = o.Traceparent

	err = in.store(ctx, id, doc, task, header, o.IdempotencyKey)
	if taken, ok := errors.AsType[*journal.KeyTakenError](err); ok {
		return in.replay(ctx, taken, digest)
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
	if err := in.journal.Create(ctx, stored, journal.Batch{Events: t.lines, Summary: row}); err != nil {
		r.unload()
		return fmt.Errorf("create run %s: %w", id, err)
	}
	r.loaded = true
	in.stored(r, t)
	return nil
}

// replay answers a request whose idempotency key made a run before.
func (in *Intake) replay(ctx context.Context, taken *journal.KeyTakenError, digest contracts.Digest) (contracts.Created, bool, error) {
	if taken.TaskDigest != digest {
		return contracts.Created{}, false, contracts.NewProblem(contracts.ProblemIdempotencyConflict, "the idempotency key belongs to a run with another task")
	}
	stored, err := in.journal.Run(ctx, taken.Run)
	if err != nil {
		return contracts.Created{}, false, fmt.Errorf("replay of run %s: %w", taken.Run, err)
	}
	return contracts.Created{RunID: taken.Run, State: stored.Summary.State, Links: contracts.LinksOf(taken.Run)}, true, nil
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
