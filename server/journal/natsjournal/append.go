package natsjournal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// runStream returns the stream that a run lies in.
func (j *Journal) runStream(id contracts.RunID) *stream { return j.runs[j.layout.shard(id)] }

// Append implements journal.Journal.
func (j *Journal) Append(ctx context.Context, id contracts.RunID, b journal.Batch) error {
	c, err := newChunk(id, b)
	if err != nil {
		return err
	}
	leave, err := j.enterWrite(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if !validRun(id) {
		return fmt.Errorf("run %s: %w", id, journal.ErrNotFound)
	}
	slot, unlock, err := j.heads.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	c.id = j.nextID()
	fresh := false
	for {
		if !slot.known {
			if err := j.load(ctx, id, slot); err != nil {
				return err
			}
			fresh = true
		}
		refusal := slot.head.refuse(c)
		if refusal != nil && fresh {
			return refusal
		}
		if refusal != nil {
			slot.known = false // another server may have written
			continue
		}
		stored, err := j.store(ctx, slot, c)
		if stored || err != nil {
			return err
		}
		fresh = true
	}
}

// refuse returns why a chunk cannot be appended behind the head, or nil.
func (h head) refuse(c chunk) error {
	switch {
	case h.place == 0 || h.kind == chunkVoid:
		return fmt.Errorf("run %s: %w", c.run, journal.ErrNotFound)
	case h.kind == chunkTombstone:
		return fmt.Errorf("run %s: %w", c.run, journal.ErrPruned)
	case c.epoch != 0 && c.epoch < h.epoch:
		return fmt.Errorf("run %s: %w", c.run, journal.ErrLeaseLost)
	case c.first != h.last+1:
		return &journal.ConflictError{Run: c.run, Last: h.last}
	}
	return nil
}

// store puts a chunk behind the head of a run and moves the head, or finds that the run has moved: then it moves the
// head to where the run ends and returns false without an error.
func (j *Journal) store(ctx context.Context, slot *headSlot, c chunk) (stored bool, err error) {
	before := slot.head
	c.epoch = max(c.epoch, before.epoch)
	c.link = before.link
	slot.known = false
	place, err := j.runStream(c.run).put(ctx, write{
		subject: j.layout.run(c.run), id: c.id, data: c.encode(), expect: before.place,
	}, chunkID(c.run))
	moved, isMoved := errors.AsType[*movedError](err)
	switch {
	case err == nil:
		if c.state.Terminal() {
			j.noteEnd(c) //nolint:contextcheck // what was stored is noted, whoever has gone
		}
		slot.head = head{place: place, kind: c.kind, last: c.last, epoch: c.epoch, link: c.link}
		if c.origin != nil {
			slot.head.link = place
		}
		slot.known = true
		return true, nil
	case !isMoved:
		if errors.Is(err, journal.ErrUnknown) {
			j.hint(c.run)
		}
		return false, err
	}
	// Somebody wrote behind the place that this chunk expected: this chunk and others after it, or others alone.
	if moved.Now.seq == 0 {
		slot.head, slot.known = head{}, true
		return false, nil
	}
	tail, err := decodeChunk(c.run, moved.Now)
	if err != nil {
		return false, &journal.DamagedError{Run: c.run}
	}
	slot.head, slot.known = headOf(tail), true
	mine, err := j.follows(ctx, c, before.place)
	if err != nil {
		slot.known = false
		return false, fmt.Errorf("%w: %w", journal.ErrUnknown, err)
	}
	if mine {
		j.hint(c.run)
		if c.state.Terminal() {
			j.noteEnd(c) //nolint:contextcheck // what was stored is noted, whoever has gone
		}
	}
	return mine, nil
}

// follows reports whether a chunk is what follows a place on its run's subject. Something does.
func (j *Journal) follows(ctx context.Context, c chunk, place uint64) (bool, error) {
	ctx, cancel := settling(ctx)
	defer cancel()
	var next message
	err := retry(ctx, func(ctx context.Context) error {
		got, _, err := j.wire.get(ctx, j.runStream(c.run).name, getRequest{Seq: place + 1, NextBySubj: j.layout.run(c.run)})
		if errors.Is(err, errNoMessage) {
			return errStale
		}
		if err != nil {
			return err
		}
		next = got[0]
		return nil
	})
	return chunkID(c.run)(next) == c.id, err
}

// chunkID reads the ids of a run's chunks.
func chunkID(run contracts.RunID) func(m message) string {
	return func(m message) string {
		c, _ := decodeChunk(run, m) // what is damaged has no id
		return c.id
	}
}

// hint tells those who watch a run to look at it: what became of an append was not known for a while.
func (j *Journal) hint(id contracts.RunID) {
	_ = j.nc.PublishMsg(&nats.Msg{Subject: j.layout.live(id)}) // lost hints cost some seconds
}

// Create implements journal.Journal. It writes in an order that a crash cannot break: the idempotency key is reserved
// and the row for lists is written, both of which count for nothing without the run, then the first chunk, which is the
// run.
func (j *Journal) Create(ctx context.Context, run journal.Run, first journal.Batch) error {
	if first.After != 0 {
		return &journal.ConflictError{Run: run.ID}
	}
	c, err := newChunk(run.ID, first)
	if err != nil {
		return err
	}
	if !validRun(run.ID) {
		return fmt.Errorf("create run: %q cannot be an id", run.ID)
	}
	leave, err := j.enterWrite(ctx)
	if err != nil {
		return err
	}
	defer leave()
	slot, unlock, err := j.heads.lock(ctx, run.ID)
	if err != nil {
		return err
	}
	defer unlock()
	c.id, c.task = j.nextID(), encodeTask(run)
	if err := j.load(ctx, run.ID, slot); err != nil {
		return err
	}
	if slot.head.place != 0 {
		return j.refuseCreate(ctx, run, slot.head)
	}
	release := func() {}
	if run.Key != "" {
		if release, err = j.reserveKey(ctx, run); err != nil {
			return err
		}
	}
	if err := j.putRow(ctx, row{Summary: c.summary, State: contracts.StateQueued, Created: first.Summary.CreatedAt}, run.ID); err != nil {
		release()
		return err
	}
	stored, err := j.store(ctx, slot, c)
	if err != nil && !errors.Is(err, journal.ErrUnknown) {
		release()
	}
	if !stored && err == nil {
		return j.refuseCreate(ctx, run, slot.head)
	}
	return err
}

// refuseCreate returns why a run cannot be created whose subject ends at h.
func (j *Journal) refuseCreate(ctx context.Context, run journal.Run, h head) error {
	if h.kind != chunkVoid {
		return &journal.ConflictError{Run: run.ID, Last: h.last}
	}
	owner, digest, err := j.byKey(ctx, run.Key)
	if errors.Is(err, journal.ErrNotFound) {
		return fmt.Errorf("run %s was given up for another with its key: %w", run.ID, journal.ErrBusy)
	}
	if err != nil {
		return err
	}
	return &journal.KeyTakenError{Run: owner, TaskDigest: digest}
}

// keyRecord is what an idempotency key's subject holds.
type keyRecord struct {
	Run    contracts.RunID  `json:"run"`
	Digest contracts.Digest `json:"digest"`
}

// recordID reads the ids of records.
func recordID(m message) string {
	id, _, _ := open(m) // what is damaged has no id
	return id
}

// keyWait is how many times, with a pause of lastPause after each, a create waits for another that reserved its key.
const keyWait = 8

// reserveKey gives the run's key to it, and returns what gives it back while the run does not exist. A key belongs to
// the run that its record names if that run exists; the record of one that does not is that of a create which goes on,
// or was given up, or crashed. It is waited for, and then its run is made impossible by a chunkVoid, which the run's
// first chunk cannot follow: only then the key is taken over. Errors: *journal.KeyTakenError and those of put.
func (j *Journal) reserveKey(ctx context.Context, run journal.Run) (release func(), err error) {
	subject := j.layout.key(run.Key)
	payload, err := json.Marshal(keyRecord{run.ID, run.TaskDigest})
	if err != nil {
		return nil, err
	}
	id := j.nextID()
	w := write{subject: subject, id: id, data: seal(subject, id, payload)}
	for try := 0; ; try++ {
		place, err := j.keys.put(ctx, w, recordID)
		moved, isMoved := errors.AsType[*movedError](err)
		if err == nil {
			return func() { _ = j.keys.remove(context.WithoutCancel(ctx), place) }, nil // what stays is repaired by whoever meets it
		}
		if !isMoved {
			return nil, err
		}
		w.expect = 0
		if moved.Now.seq == 0 {
			continue
		}
		owner, err := readKey(moved.Now)
		if err != nil {
			return nil, err
		}
		switch tail, err := j.tail(ctx, owner.Run); {
		case owner.Run == run.ID:
			return func() {}, nil
		case err == nil && tail.kind == chunkEvents:
			return nil, &journal.KeyTakenError{Run: owner.Run, TaskDigest: owner.Digest}
		case err == nil: // pruned or made impossible
			w.expect = moved.Now.seq
		case !errors.Is(err, journal.ErrNotFound):
			return nil, err
		case try < keyWait:
			if !sleep(ctx, lastPause) {
				return nil, ctx.Err()
			}
		default:
			if err := j.makeImpossible(ctx, owner.Run); err != nil {
				return nil, err
			}
		}
	}
}

// makeImpossible keeps a run from ever being created, unless it is created first.
func (j *Journal) makeImpossible(ctx context.Context, id contracts.RunID) error {
	c := chunk{kind: chunkVoid, run: id, id: j.nextID()}
	_, err := j.runStream(id).put(ctx, write{subject: j.layout.run(id), id: c.id, data: c.encode()}, chunkID(id))
	if _, moved := errors.AsType[*movedError](err); moved {
		return nil
	}
	return err
}

// readKey reads the record of a key.
func readKey(m message) (keyRecord, error) {
	var record keyRecord
	_, payload, err := open(m)
	if err != nil {
		return record, &journal.DamagedError{}
	}
	if err := json.Unmarshal(payload, &record); err != nil {
		return record, errors.Join(&journal.DamagedError{}, err)
	}
	return record, nil
}
