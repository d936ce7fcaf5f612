package natsjournal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Finished implements journal.Retention.
func (j *Journal) Finished(ctx context.Context, before contracts.Time, limit int) ([]contracts.Summary, error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	entries, err := j.settledIndex(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for finished runs: %w", err)
	}
	var ended []*entry
	for _, e := range entries {
		if (e.stage == stageEnded || e.stage == stagePruning) && e.ended < before {
			ended = append(ended, e)
		}
	}
	slices.SortFunc(ended, func(a, b *entry) int { return cmp.Or(cmp.Compare(a.ended, b.ended), cmp.Compare(a.id, b.id)) })
	ended = ended[:min(len(ended), max(limit, 1), listMost)]
	rows, damage, err := j.fetch(ctx, ended)
	if err != nil {
		return nil, fmt.Errorf("look for finished runs: %w", err)
	}
	var runs []contracts.Summary
	for _, e := range ended {
		if damage[e.id] != nil {
			continue // Verify tells
		}
		if l := rows[e.id]; l.exists {
			runs = append(runs, l.summary)
		}
	}
	return runs, nil
}

// settledIndex returns the index with the runs marked as ended whose rows do not say so yet: their last chunks are read.
func (j *Journal) settledIndex(ctx context.Context) ([]*entry, error) {
	loaded, err := j.index.load(ctx)
	if err != nil {
		return nil, err
	}
	entries := slices.Clone(loaded)
	var open []*entry
	at := map[contracts.RunID]int{}
	for i, e := range entries {
		if e.stage == stageCreated {
			open, at[e.id] = append(open, e), i
		}
	}
	for chunk := range slices.Chunk(open, listMost) {
		rows, _, err := j.fetch(ctx, chunk)
		if err != nil {
			return nil, err
		}
		for id, l := range rows {
			e := *entries[at[id]]
			e.ahead = true
			if e.last = l.summary.LastSeq; l.tail.state.Terminal() {
				j.noteEnd(l.tail.chunk) //nolint:contextcheck // what was stored is noted, whoever has gone
				e.stage, e.state, e.ended = stageEnded, l.summary.State, l.summary.UpdatedAt
			}
			if l.summary.Pruned {
				e.stage = stagePruning
			}
			entries[at[id]] = &e
		}
	}
	return entries, nil
}

// Prune implements journal.Retention. The tombstone is the last chunk of the run; what lies before it is purged in
// slices of messages, which hold an append each.
func (j *Journal) Prune(ctx context.Context, id contracts.RunID, maxRows int) (more bool, err error) {
	leave, err := j.enterWrite(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if !validRun(id) {
		return false, fmt.Errorf("run %s: %w", id, journal.ErrNotFound)
	}
	slot, unlock, err := j.heads.lock(ctx, id)
	if err != nil {
		return false, err
	}
	defer unlock()
	tail, summary, err := j.bury(ctx, id, slot)
	if err != nil {
		return false, err
	}
	if err := j.endLease(ctx, id); err != nil {
		return false, err
	}
	s, subject := j.runStream(id), j.layout.run(id)
	state, err := s.info(ctx, subject)
	if err != nil {
		return false, err
	}
	rows, slice := state.Subjects[subject]-1, uint64(min(max(maxRows, 1), journal.MaxPruneRows))
	stage := stagePruned
	if rows > slice {
		stage = stagePruning
	}
	if rows > 0 {
		if err := s.purge(ctx, subject, max(rows, slice)-slice+1); err != nil {
			return false, fmt.Errorf("prune run %s: %w", id, err)
		}
	}
	r, err := endedRow(stage, summary)
	if err != nil {
		return false, err
	}
	if stage == stagePruned && tail.key != "" {
		if err := j.freeKey(ctx, id, tail.key); err != nil {
			return false, err
		}
	}
	if err := j.putRow(ctx, r, id); err != nil {
		return false, fmt.Errorf("prune run %s: %w", id, err)
	}
	return stage == stagePruning, nil
}

// tombstone is what the last chunk of a pruned run says beside its summary.
type tombstone struct {
	key string // the subject of the run's idempotency key, empty for none
}

// bury writes the tombstone of a run that has ended, unless it is there.
func (j *Journal) bury(ctx context.Context, id contracts.RunID, slot *headSlot) (t tombstone, s contracts.Summary, err error) {
	for {
		tail, err := j.tail(ctx, id)
		if err != nil {
			return t, s, err
		}
		if s, err = tail.decodeSummary(); tail.kind == chunkVoid {
			return t, s, fmt.Errorf("run %s: %w", id, journal.ErrNotFound)
		} else if err != nil {
			return t, s, err
		}
		if tail.kind == chunkTombstone {
			return tombstone{key: string(tail.task)}, s, nil
		}
		if !tail.state.Terminal() {
			return t, s, fmt.Errorf("run %s: %w", id, journal.ErrUnfinished)
		}
		s.Pruned = true
		first, err := j.chunkFrom(ctx, id, 1, tail.place)
		if err == nil {
			if run, err := first.decodeTask(); err == nil && run.Key != "" {
				t.key = j.layout.key(run.Key)
			}
		} else if _, damaged := errors.AsType[*journal.DamagedError](err); !damaged {
			return t, s, err
		}
		c := tail.chunk
		c.kind, c.id, c.events, c.origin, c.link, c.task = chunkTombstone, j.nextID(), nil, nil, 0, []byte(t.key)
		if c.summary, err = json.Marshal(s); err != nil {
			return t, s, err
		}
		slot.head, slot.known = headOf(tail), true
		slot.head.link = 0
		stored, err := j.store(ctx, slot, c)
		if stored || err != nil {
			return t, s, err
		}
	}
}

// endLease takes the lease of a run away, whoever holds it.
func (j *Journal) endLease(ctx context.Context, id contracts.RunID) error {
	held, _, err := j.leaseNow(ctx, id)
	if held.place == 0 {
		return err
	}
	return j.lease.remove(ctx, held.place)
}

// freeKey deletes the record of a key while it belongs to a run that was pruned. It is free already: see reserveKey.
func (j *Journal) freeKey(ctx context.Context, id contracts.RunID, subject string) error {
	m, err := j.keys.look(ctx, subject)
	if err != nil {
		return fmt.Errorf("free the key of run %s: %w", id, err)
	}
	if record, err := readKey(m); m.seq == 0 || err != nil || record.Run != id {
		return nil //nolint:nilerr // a damaged record is nobody's key
	}
	return j.keys.remove(ctx, m.seq)
}

// Size implements journal.Retention. Events are the last seqs of the runs; bytes those of one replica of each stream.
func (j *Journal) Size(ctx context.Context) (size journal.Size, err error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return size, err
	}
	defer leave()
	entries, err := j.settledIndex(ctx)
	if err != nil {
		return size, fmt.Errorf("measure the journal: %w", err)
	}
	for _, e := range entries {
		switch {
		case e.stage == stagePruning || e.stage == stagePruned:
			size.Tombstones++
		case e.last > 0:
			size.Runs++
			size.Events += int64(e.last)
		}
	}
	for _, s := range j.streams() {
		state, err := s.info(ctx, "")
		if err != nil {
			return size, fmt.Errorf("measure the journal: %w", err)
		}
		size.Bytes += state.Bytes
	}
	return size, nil
}

// Verify implements journal.Retention. It reads each stream once, from whichever replica answers: damage to one replica
// alone can stay unseen, and what one saw another may read whole. It holds some 100 bytes a run.
func (j *Journal) Verify(ctx context.Context, visit func(damage error) error) (size journal.Size, err error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return size, err
	}
	defer leave()
	v := verifier{journal: j, visit: visit, runs: map[contracts.RunID]*verifiedRun{}}
	// The rows come behind the chunks: a run that is created meanwhile has its row before its chunks.
	for _, step := range []func(context.Context) error{v.chunks, v.records, v.compare} {
		if err := step(ctx); err != nil {
			return v.size, fmt.Errorf("verify the journal: %w", err)
		}
	}
	for _, s := range j.streams() {
		state, err := s.info(ctx, "")
		if err != nil {
			return v.size, fmt.Errorf("verify the journal: %w", err)
		}
		v.size.Bytes += state.Bytes
	}
	return v.size, nil
}

// verifier is what Verify knows so far.
type verifier struct {
	journal *Journal
	visit   func(damage error) error
	size    journal.Size
	runs    map[contracts.RunID]*verifiedRun
}

// verifiedRun is what was read of a run.
type verifiedRun struct {
	row      row
	rowed    bool // there is a row
	next     contracts.Seq
	events   int64
	kind     chunkKind
	ended    bool
	damage   contracts.Seq // the first event that is missing or damaged; 0 for none
	taskGone bool
}

// run returns what was read of a run.
func (v *verifier) run(id contracts.RunID) *verifiedRun {
	r := v.runs[id]
	if r == nil {
		r = &verifiedRun{next: 1}
		v.runs[id] = r
	}
	return r
}

// records reads the small streams.
func (v *verifier) records(ctx context.Context) error {
	j := v.journal
	for _, check := range []struct {
		stream *stream
		prefix string
		read   func(m message) error
	}{
		{j.list, j.layout.list(""), func(m message) error {
			id := contracts.RunID(lastToken(m.subject))
			r, err := readRow(m)
			if err != nil {
				return &journal.DamagedError{Run: id}
			}
			found := v.run(id)
			found.row, found.rowed = r, true
			found.row.Summary = nil
			return nil
		}},
		{j.keys, j.layout.prefix + ".key.", func(m message) error { _, err := readKey(m); return err }},
		{j.tools, j.layout.prefix + ".tool.", func(m message) error { _, err := readTool(m); return err }},
		{j.lease, j.layout.lease(""), func(m message) error { _, err := j.readLease(m); return err }},
	} {
		_, _, err := check.stream.scan(ctx, 0, func(m message) error {
			if !strings.HasPrefix(m.subject, check.prefix) {
				return nil
			}
			if damage := check.read(m); damage != nil {
				return v.visit(fmt.Errorf("%s at %d: %w", check.stream.name, m.seq, damage))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// chunks reads the runs.
func (v *verifier) chunks(ctx context.Context) error {
	for shard, s := range v.journal.runs {
		prefix := fmt.Sprintf("%s.run.%d.", v.journal.layout.prefix, shard)
		_, _, err := s.scan(ctx, 0, func(m message) error {
			if strings.HasPrefix(m.subject, prefix) {
				v.chunk(contracts.RunID(lastToken(m.subject)), m)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// chunk reads a chunk.
func (v *verifier) chunk(id contracts.RunID, m message) {
	r := v.run(id)
	c, err := decodeChunk(id, m)
	damaged := func() {
		if r.damage == 0 {
			r.damage = r.next
		}
	}
	if err != nil {
		damaged()
		return
	}
	r.kind, r.ended = c.kind, c.state.Terminal()
	if c.kind != chunkEvents {
		return
	}
	if c.first != r.next || !c.body {
		damaged()
	}
	if c.first == 1 && !c.tasks {
		r.taskGone = true
	}
	r.events += int64(c.last - c.first + 1)
	r.next = c.last + 1
}

// compare holds what was read of each run against its row, and tells of the damage.
func (v *verifier) compare(ctx context.Context) error {
	ids := make([]contracts.RunID, 0, len(v.runs))
	for id := range v.runs {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		r := v.runs[id]
		damage, err := v.judge(ctx, id, r)
		if err != nil {
			return err
		}
		if damage != nil {
			if err := v.visit(damage); err != nil {
				return err
			}
		}
	}
	return nil
}

// judge counts a run and returns what is wrong with it.
func (v *verifier) judge(ctx context.Context, id contracts.RunID, r *verifiedRun) (damage, err error) {
	if r.damage != 0 || r.taskGone || r.row.Stage >= stageEnded && r.row.Last >= r.next {
		// It may have grown since its chunks were read, or been pruned.
		tail, err := v.journal.tail(ctx, id)
		switch {
		case err == nil && tail.kind == chunkTombstone:
			r.kind, r.damage, r.taskGone = chunkTombstone, 0, false
		case err == nil:
			r.next = max(r.next, tail.last+1)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
	}
	switch {
	case r.kind == chunkVoid, r.kind == 0 && r.damage == 0 && r.row.Stage == stageCreated:
		return nil, nil // never created
	case r.kind == chunkTombstone:
		v.size.Tombstones++
		return nil, nil
	}
	v.size.Runs++
	v.size.Events += r.events
	switch {
	case r.damage != 0:
		return &journal.DamagedError{Run: id, From: r.damage}, nil
	case r.taskGone:
		return &journal.DamagedError{Run: id}, nil
	case r.row.Stage >= stageEnded && r.row.Last >= r.next:
		return &journal.DamagedError{Run: id, From: r.next}, nil
	case !r.rowed:
		return fmt.Errorf("the row for lists is missing: %w", &journal.DamagedError{Run: id}), nil
	}
	return nil, nil
}
