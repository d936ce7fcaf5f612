package natsjournal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// The stages of a run, as its row in the list stream knows them. They only grow.
const (
	stageCreated = iota // the run exists if it has a chunk
	stageEnded          // the row holds the last summary
	stagePruning        // the tombstone is there
	stagePruned         // nothing else is left
)

// row is what the list stream holds of a run. It is a projection: written before the run exists, and again when the run
// has ended and when it was pruned. The run's last chunk decides until it has ended.
type row struct {
	Stage   int             `json:"stage"`
	State   contracts.State `json:"state"`
	Created contracts.Time  `json:"created"`
	Ended   contracts.Time  `json:"ended,omitzero"`
	Last    contracts.Seq   `json:"last,omitzero"`
	Summary json.RawMessage `json:"summary"`
}

// endedRow returns the row of a run that ended with this summary.
func endedRow(stage int, s contracts.Summary) (row, error) {
	text, err := json.Marshal(s)
	return row{Stage: stage, State: s.State, Created: s.CreatedAt, Ended: s.UpdatedAt, Last: s.LastSeq, Summary: text}, err
}

// putRow writes a run's row, unless the one that is there is of a later stage.
func (j *Journal) putRow(ctx context.Context, r row, id contracts.RunID) error {
	payload, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode row of run %s: %w", id, err)
	}
	subject := j.layout.list(id)
	w := write{subject: subject, id: j.nextID()}
	w.data = seal(subject, w.id, payload)
	for {
		_, err := j.list.put(ctx, w, recordID)
		moved, isMoved := errors.AsType[*movedError](err)
		if !isMoved {
			return err
		}
		if have, err := readRow(moved.Now); err == nil && (have.Stage > r.Stage || have.Stage == r.Stage && have.Last > r.Last) {
			return nil
		}
		w.expect = moved.Now.seq
	}
}

// noteEnd writes the row of a run whose last chunk this is, while its appender goes on. Should it fail, who lists the run sees
// that it has ended all the same, and notes it again.
func (j *Journal) noteEnd(c chunk) {
	j.list.tasks.Go(func() {
		s, err := c.decodeSummary()
		if err != nil {
			return
		}
		if r, err := endedRow(stageEnded, s); err == nil {
			_ = j.putRow(context.Background(), r, c.run) // see above
		}
	})
}

// readRow reads a row.
func readRow(m message) (row, error) {
	var r row
	_, payload, err := open(m)
	if err == nil {
		err = json.Unmarshal(payload, &r)
	}
	return r, err
}

// summary returns the row's summary.
func (r row) summary(id contracts.RunID) (contracts.Summary, error) {
	var s contracts.Summary
	if err := json.Unmarshal(r.Summary, &s); err != nil {
		return s, errors.Join(&journal.DamagedError{Run: id}, err)
	}
	return s, nil
}

// entry is what the index knows of a run. It is never changed.
type entry struct {
	id             contracts.RunID
	stage          int
	state          contracts.State // from stageEnded on
	created, ended contracts.Time
	last           contracts.Seq // from stageEnded on
	damaged        bool          // the row is: created is not known
	ahead          bool          // of the row, which does not say yet that the run ended: its last chunk does
}

// index holds the ids of all runs in order, since the list stream has them in the order in which they were written: some
// 200 bytes a run. It is read from the list stream once, and then what was written since.
type index struct {
	journal *Journal
	turn    chan struct{} // holds a token while nobody reads the list stream

	// Only who has the turn uses these. The slice is never changed.
	next    uint64
	entries []*entry
}

func newIndex(j *Journal) *index {
	x := &index{journal: j, turn: make(chan struct{}, 1)}
	x.turn <- struct{}{}
	return x
}

// load returns the runs in ascending order of ids: all that were created before load was called, and ids of runs that
// may not exist.
func (x *index) load(ctx context.Context) ([]*entry, error) {
	select {
	case <-x.turn:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { x.turn <- struct{}{} }()
	var fresh []*entry
	next, _, err := x.journal.list.scan(ctx, x.next, func(m message) error {
		e := &entry{id: contracts.RunID(lastToken(m.subject))}
		if !strings.HasPrefix(m.subject, x.journal.layout.list("")) {
			return nil // another server's barrier
		}
		if r, err := readRow(m); err != nil {
			e.damaged = true
		} else {
			e.stage, e.state, e.created, e.ended, e.last = r.Stage, r.State, r.Created, r.Ended, r.Last
		}
		fresh = append(fresh, e)
		return nil
	})
	x.next = next // what was read is read, also where the scan was interrupted
	x.merge(fresh)
	return x.entries, err
}

// merge takes up entries, of which a later one of the same run replaces an earlier.
func (x *index) merge(fresh []*entry) {
	if len(fresh) == 0 {
		return
	}
	byID := func(a, b *entry) int { return cmp.Compare(a.id, b.id) }
	slices.SortStableFunc(fresh, byID)
	merged := make([]*entry, 0, len(x.entries)+len(fresh))
	old := x.entries
	for i, e := range fresh {
		if i+1 < len(fresh) && fresh[i+1].id == e.id {
			continue
		}
		n, found := slices.BinarySearchFunc(old, e, byID)
		merged = append(append(merged, old[:n]...), e)
		if found {
			n++
		}
		old = old[n:]
	}
	x.entries = append(merged, old...)
}

// listed is a run as a list shows it.
type listed struct {
	exists  bool
	summary contracts.Summary
	tail    stored // where the run's last chunk was read
}

// fetch returns the rows of some runs as of now, as many as entries. Errors: *journal.DamagedError in damage, by run.
func (j *Journal) fetch(ctx context.Context, entries []*entry) (rows map[contracts.RunID]listed, damage map[contracts.RunID]error, err error) {
	subjects := make([][]string, len(j.runs)+1) // by shard, and those of the list stream
	for _, e := range entries {
		if n := j.layout.shard(e.id); e.stage == stageCreated || e.ahead {
			subjects[n] = append(subjects[n], j.layout.run(e.id))
		} else {
			subjects[len(j.runs)] = append(subjects[len(j.runs)], j.layout.list(e.id))
		}
	}
	answers := make([]map[string]message, len(subjects))
	group, ctx := errgroup.WithContext(ctx)
	for i, s := range append(slices.Clone(j.runs), j.list) {
		if len(subjects[i]) == 0 {
			continue
		}
		group.Go(func() error {
			answer, _, err := s.last(ctx, 0, subjects[i]...)
			answers[i] = answer
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	rows, damage = make(map[contracts.RunID]listed, len(entries)), map[contracts.RunID]error{}
	for i, answer := range answers {
		for subject, m := range answer {
			id := contracts.RunID(lastToken(subject))
			l, err := j.listedOf(id, m, i == len(j.runs))
			if err != nil {
				damage[id] = err
				continue
			}
			rows[id] = l
		}
	}
	return rows, damage, nil
}

// listedOf reads a run's row, or its last chunk.
func (j *Journal) listedOf(id contracts.RunID, m message, isRow bool) (l listed, err error) {
	if isRow {
		r, err := readRow(m)
		if err != nil {
			return l, &journal.DamagedError{Run: id}
		}
		l.summary, err = r.summary(id)
		l.exists = true
		return l, err
	}
	c, err := decodeChunk(id, m)
	if err != nil {
		return l, &journal.DamagedError{Run: id}
	}
	if c.kind == chunkVoid {
		return l, nil
	}
	l.exists, l.tail = true, c
	l.summary, err = c.decodeSummary()
	return l, err
}

// listMost is the most that a list returns, and about how many runs are looked at together.
const listMost = 500

// List implements journal.Reader.
func (j *Journal) List(ctx context.Context, q journal.Query) ([]contracts.Summary, error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	entries, err := j.index.load(ctx)
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	if q.Before != "" {
		n, _ := slices.BinarySearchFunc(entries, q.Before, func(e *entry, id contracts.RunID) int { return cmp.Compare(e.id, id) })
		entries = entries[:n]
	}
	limit := min(max(q.Limit, 1), listMost)
	var runs []contracts.Summary
	for window := max(limit, 32); len(runs) < limit && len(entries) > 0; window = min(2*window, listMost) {
		var candidates []*entry
		for ; len(entries) > 0 && len(candidates) < window; entries = entries[:len(entries)-1] {
			if e := entries[len(entries)-1]; e.mayMatch(q) {
				candidates = append(candidates, e)
			}
		}
		rows, damage, err := j.fetch(ctx, candidates)
		if err != nil {
			return nil, fmt.Errorf("list runs: %w", err)
		}
		for _, e := range candidates {
			if err := damage[e.id]; err != nil {
				return runs, err
			}
			l := rows[e.id]
			if l.tail.kind == chunkEvents && l.tail.state.Terminal() {
				j.noteEnd(l.tail.chunk) //nolint:contextcheck // what was stored is noted, whoever has gone
			}
			if l.exists && matches(q, l.summary) && len(runs) < limit {
				runs = append(runs, l.summary)
			}
		}
	}
	return runs, nil
}

// mayMatch reports whether a run can be one that a query selects, as far as the index knows.
func (e *entry) mayMatch(q journal.Query) bool {
	if e.damaged {
		return true
	}
	return withinTime(q, e.created) && (e.stage == stageCreated || len(q.States) == 0 || slices.Contains(q.States, e.state))
}

// withinTime reports whether a query's span of time holds an instant.
func withinTime(q journal.Query, created contracts.Time) bool {
	return (q.Since == 0 || created >= q.Since) && (q.Until == 0 || created < q.Until)
}

// matches reports whether a query selects a run.
func matches(q journal.Query, s contracts.Summary) bool {
	if len(q.States) > 0 && !slices.Contains(q.States, s.State) || !withinTime(q, s.CreatedAt) {
		return false
	}
	for name, value := range q.Labels {
		if have, ok := s.Labels[name]; !ok || have != value {
			return false
		}
	}
	text := lowerASCII(q.Text)
	return text == "" || strings.Contains(lowerASCII(s.Goal), text) || strings.Contains(lowerASCII(string(s.RunID)), text)
}

// lowerASCII is strings.ToLower for ASCII alone.
func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}
