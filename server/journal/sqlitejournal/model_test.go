package sqlitejournal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/sqlitejournal"
)

// How much `make soak` asks for; `make test` does with less.
var (
	modelSteps = flag.Int("steps", 120, "how many random steps each walk of TestJournalDoesWhatItsModelDoes takes") //nolint:gochecknoglobals // a flag of the test binary
	modelSeed  = flag.Uint64("seed", 0, "the seed of these walks; 0 for any")                                       //nolint:gochecknoglobals // a flag of the test binary
)

// TestJournalDoesWhatItsModelDoes takes random steps, some of them at once, some on a disk that is full for a while, and
// holds whatever the journal says against a model that lies in memory. Now and then the journal is closed, or what a kill
// would leave is copied, and opened again.
func TestJournalDoesWhatItsModelDoes(t *testing.T) {
	t.Parallel()
	seed := *modelSeed
	if seed == 0 {
		seed = rand.Uint64() //nolint:gosec // any seed will do
	}
	for name, opts := range map[string]sqlitejournal.Options{
		"as it is served":               {},
		"that settles at every turn":    sqlitejournal.SettlingAt(4<<10, sqlitejournal.Options{}),
		"that remembers a single head":  sqlitejournal.RememberingHeads(1, sqlitejournal.Options{}),
		"that settles and forgets much": sqlitejournal.RememberingHeads(2, sqlitejournal.SettlingAt(40<<10, sqlitejournal.Options{})),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", seed)
			m := newModel(t, opts, rand.New(rand.NewPCG(seed, uint64(len(name))))) //nolint:gosec // a test's dice
			defer func() { closeJournal(t, m.j) }()
			for step := 0; step < *modelSteps && !t.Failed(); step++ {
				m.step()
				if t.Failed() {
					t.Errorf("at step %d", step)
				}
			}
			m.compareAll()
			m.reopen(false)
			m.compareAll()
		})
	}
}

// model is what a journal should hold, and the journal.
type model struct {
	t      *testing.T
	dice   *rand.Rand
	disk   *disk
	opts   sqlitejournal.Options
	path   string
	j      *sqlitejournal.Journal
	now    atomic.Int64 // the clock of the leases, in milliseconds
	runs   []*modelRun
	faulty bool // the disk may be full in this step
}

// modelRun is what a run should be.
type modelRun struct {
	i       int
	events  [][]byte
	summary contracts.Summary
	key     string
	batches []journal.Stored // those with an origin
	lease   journal.Lease    // the last, if any
	dropped bool
	epoch   int64
	pruned  bool // or being pruned
	gone    bool // pruned whole
}

// outcome is a write that is under way.
type outcome struct {
	what  string
	write func() error
	want  error  // the refusal that the model expects
	apply func() // what the model does where the journal did it
}

func newModel(t *testing.T, opts sqlitejournal.Options, dice *rand.Rand) *model {
	t.Helper()
	m := &model{t: t, dice: dice, disk: newDisk(t), path: filepath.Join(t.TempDir(), "journal.db")}
	m.now.Store(1_800_000_000_000)
	opts.Now = func() time.Time { return time.UnixMilli(m.now.Load()) }
	m.opts = sqlitejournal.OnVFS(m.disk.name, opts)
	m.j = open(t, m.path, m.opts)
	return m
}

// step takes one step.
func (m *model) step() {
	m.t.Helper()
	switch n := m.dice.IntN(100); {
	case n < 40:
		m.write(1)
	case n < 55:
		m.write(2 + m.dice.IntN(6))
	case n < 60:
		m.fillDisk()
		m.write(1 + m.dice.IntN(4))
		m.disk.set(nil, nil)
		m.faulty = false
	case n < 62:
		m.now.Add(int64(m.dice.IntN(3000)))
	case n < 63:
		if m.dice.IntN(3) == 0 { // seldom enough for the log to lose its beginning in between
			m.reopen(m.dice.IntN(3) > 0)
		}
	case n < 74:
		m.compareList()
	case n < 76:
		m.compareFinished()
	case n < 77:
		wantWhole(m.t, m.j)
	default:
		if r := m.any(); r != nil {
			m.compare(r)
		}
	}
}

// any returns a run, most often one of the youngest; nil where there is none.
func (m *model) any() *modelRun {
	if len(m.runs) == 0 {
		return nil
	}
	if m.dice.IntN(4) > 0 {
		return m.runs[len(m.runs)-1-m.dice.IntN(min(4, len(m.runs)))]
	}
	return m.runs[m.dice.IntN(len(m.runs))]
}

// fillDisk lets some writes to SQLite's log pass and fails some behind them, for lack of room.
func (m *model) fillDisk() {
	m.faulty = true
	var n atomic.Int64
	from := 1 + m.dice.Int64N(30)
	until := from + 1 + m.dice.Int64N(20)
	m.disk.set(func(file string) int32 {
		if at := n.Add(1); file == wal && from <= at && at < until {
			return sqlite3.SQLITE_FULL
		}
		return sqlite3.SQLITE_OK
	}, nil)
}

// write makes n writes at once, each to another run, and holds their outcomes against the model's.
func (m *model) write(n int) {
	m.t.Helper()
	var writes []outcome
	taken := map[*modelRun]bool{}
	for range n {
		r := m.any()
		if r == nil || m.dice.IntN(12) == 0 {
			writes = append(writes, m.create(n == 1))
			continue
		}
		if !taken[r] {
			taken[r] = true
			writes = append(writes, m.change(r))
		}
	}
	got := make([]error, len(writes))
	var wg sync.WaitGroup
	for i := range writes {
		wg.Go(func() { got[i] = writes[i].write() })
	}
	wg.Wait()
	for i, w := range writes {
		switch err := got[i]; {
		case m.faulty && errors.Is(err, journal.ErrFull):
		case err == nil && w.want == nil:
			w.apply()
		case !same(err, w.want):
			m.t.Errorf("%s gives %v, want %v", w.what, err, w.want)
		}
	}
}

// same reports whether an error is the one that was expected, with the same end of the run where it has one.
func same(got, want error) bool {
	conflict, ok := errors.AsType[*journal.ConflictError](want)
	if !ok {
		if _, ok := errors.AsType[*journal.HeldError](want); ok {
			_, ok = errors.AsType[*journal.HeldError](got)
			return ok
		}
		if taken, ok := errors.AsType[*journal.KeyTakenError](want); ok {
			is, ok := errors.AsType[*journal.KeyTakenError](got)
			return ok && is.Run == taken.Run
		}
		return want != nil && errors.Is(got, want)
	}
	is, ok := errors.AsType[*journal.ConflictError](got)
	return ok && *is == *conflict
}

// create makes a new run, at times under the key of another, or one that exists.
func (m *model) create(keys bool) outcome {
	r := &modelRun{i: m.dice.IntN(1 << 30)}
	run := journaltest.NewRun(r.i)
	if keys && m.dice.IntN(2) == 0 {
		r.key = fmt.Sprintf("key%d", m.dice.IntN(8))
	}
	run.Key = r.key
	b := m.batch(r, 1+m.dice.IntN(3))
	b.Summary.CreatedAt = contracts.Time(1000 + m.dice.IntN(1000))
	b.Summary.Goal = fmt.Sprintf("count the planets of star %d", m.dice.IntN(5))
	b.Summary.Labels = map[string]string{"team": fmt.Sprintf("team%d", m.dice.IntN(3))}
	o := outcome{what: fmt.Sprintf("create %d", r.i)}
	o.write = func() error { return m.j.Create(m.t.Context(), run, b) }
	for _, other := range m.runs {
		if r.key != "" && other.key == r.key && !other.pruned {
			o.want = &journal.KeyTakenError{Run: journaltest.RunID(other.i)}
		}
	}
	o.apply = func() {
		r.grow(b)
		m.runs = append(m.runs, r)
	}
	return o
}

// batch returns the next batch of a run, at times with an origin, or too large for the log, or with another state.
func (m *model) batch(r *modelRun, events int) journal.Batch {
	b := journaltest.NewBatch(journaltest.RunID(r.i), contracts.Seq(len(r.events)), events)
	if len(r.events) > 0 {
		b.Summary.CreatedAt, b.Summary.Goal, b.Summary.Labels, b.Summary.State = r.summary.CreatedAt, r.summary.Goal, r.summary.Labels, r.summary.State
	}
	b.Summary.UpdatedAt = contracts.Time(5000 + m.dice.IntN(5000))
	b.Summary.Used.TokensOut = m.dice.Int64N(1000)
	switch m.dice.IntN(40) {
	case 0:
		b.Events[0] = bytes.Repeat([]byte("x"), 17<<10)
	case 1:
		b.Summary.State = contracts.StateWaiting
	case 2:
		b.Summary.State = contracts.StateRunning
	case 3:
		if m.dice.IntN(3) == 0 {
			b.Summary.State = contracts.StateFailed
		}
	}
	if m.dice.IntN(3) == 0 {
		b.Origin = &journal.Origin{After: contracts.Seq(m.dice.IntN(len(r.events) + 1)), Digest: contracts.DigestText(b.Events[0])}
	}
	return b
}

// grow appends a batch.
func (r *modelRun) grow(b journal.Batch) {
	first := contracts.Seq(len(r.events)) + 1
	r.events = append(r.events, b.Events...)
	r.summary = b.Summary
	r.summary.RunID, r.summary.LastSeq = journaltest.RunID(r.i), contracts.Seq(len(r.events))
	if b.Origin != nil {
		r.batches = append(r.batches, journal.Stored{Origin: *b.Origin, First: first, Last: contracts.Seq(len(r.events))})
	}
}

// change writes to a run that exists.
func (m *model) change(r *modelRun) outcome {
	switch n := m.dice.IntN(20); {
	case n < 14:
		return m.append(r)
	case n < 15:
		return m.createAgain(r)
	case n < 19:
		return m.changeLease(r)
	default:
		return m.prune(r)
	}
}

// append appends to a run, at times behind a wrong end, or under a lease that is lost.
func (m *model) append(r *modelRun) outcome {
	id := journaltest.RunID(r.i)
	b := m.batch(r, 1+m.dice.IntN(4))
	last := b.After
	if m.dice.IntN(10) == 0 {
		b.After = max(0, last+contracts.Seq(m.dice.IntN(5)-2))
	}
	if m.dice.IntN(3) == 0 {
		b.Epoch = max(0, r.epoch-int64(m.dice.IntN(2)))
	}
	o := outcome{what: fmt.Sprintf("append to %d behind %d under %d", r.i, b.After, b.Epoch)}
	o.write = func() error { return m.j.Append(m.t.Context(), id, b) }
	switch {
	case r.pruned:
		o.want = journal.ErrPruned
	case b.Epoch != 0 && b.Epoch < r.epoch:
		o.want = journal.ErrLeaseLost
	case b.After != last:
		o.want = &journal.ConflictError{Run: id, Last: last}
	}
	o.apply = func() { r.grow(b) }
	return o
}

// createAgain creates a run that exists.
func (m *model) createAgain(r *modelRun) outcome {
	id := journaltest.RunID(r.i)
	return outcome{
		what: fmt.Sprintf("create %d again", r.i),
		write: func() error {
			return m.j.Create(m.t.Context(), journaltest.NewRun(r.i), journaltest.NewBatch(id, 0, 1))
		},
		want: &journal.ConflictError{Run: id, Last: contracts.Seq(len(r.events))},
	}
}

// changeLease takes, renews or drops the lease of a run.
func (m *model) changeLease(r *modelRun) outcome {
	now, id := contracts.Time(m.now.Load()), journaltest.RunID(r.i)
	held := r.lease.Epoch != 0 && !r.dropped && !r.pruned && r.lease.Expires > now
	ttl := time.Duration(1+m.dice.IntN(5)) * time.Second
	var got journal.Lease
	switch m.dice.IntN(3) {
	case 0:
		o := outcome{what: fmt.Sprintf("take the lease of %d", r.i)}
		o.write = func() (err error) {
			got, err = m.j.TakeLease(m.t.Context(), id, "node:a", ttl)
			return err
		}
		switch {
		case r.pruned:
			o.want = journal.ErrPruned
		case held:
			o.want = &journal.HeldError{}
		}
		o.apply = func() {
			r.epoch++
			r.dropped = false
			r.lease = journal.Lease{Run: id, Holder: "node:a", Epoch: r.epoch, Expires: now + contracts.Time(ttl.Milliseconds())}
			if got != r.lease {
				m.t.Errorf("the lease is %+v, want %+v", got, r.lease)
			}
		}
		return o
	case 1:
		o := outcome{what: fmt.Sprintf("renew the lease of %d", r.i)}
		o.write = func() (err error) {
			got, err = m.j.RenewLease(m.t.Context(), r.lease, ttl)
			return err
		}
		if !held {
			o.want = journal.ErrLeaseLost
			r.lease.Run = id
		}
		o.apply = func() { r.lease.Expires = now + contracts.Time(ttl.Milliseconds()) }
		return o
	default:
		dropped := r.lease
		dropped.Run = id
		return outcome{
			what:  fmt.Sprintf("drop the lease of %d", r.i),
			write: func() error { return m.j.DropLease(m.t.Context(), dropped) },
			apply: func() { r.dropped = true },
		}
	}
}

// prune takes a slice of a run away.
func (m *model) prune(r *modelRun) outcome {
	o := outcome{what: fmt.Sprintf("prune %d", r.i)}
	more := false
	rows := 1 + m.dice.IntN(20)
	o.write = func() (err error) {
		more, err = m.j.Prune(m.t.Context(), journaltest.RunID(r.i), rows)
		return err
	}
	if !r.summary.State.Terminal() {
		o.want = journal.ErrUnfinished
	}
	o.apply = func() {
		if r.gone && more {
			m.t.Errorf("%s goes on after its end", o.what)
		}
		r.pruned, r.summary.Pruned, r.gone = true, true, !more
	}
	return o
}

// reopen closes the journal and opens it again, or opens what a kill would have left.
func (m *model) reopen(kill bool) {
	m.t.Helper()
	if kill {
		for sqlitejournal.Setting(m.t, m.j, "freelist_count") > 256 { // pages are given back while nothing else is written
			time.Sleep(time.Millisecond)
		}
		m.path = snapshot(m.t, m.path)
	}
	closeJournal(m.t, m.j)
	m.j = open(m.t, m.path, m.opts)
}

// compareAll compares everything.
func (m *model) compareAll() {
	m.t.Helper()
	for _, r := range m.runs {
		m.compare(r)
		if !r.pruned {
			page, err := m.j.Read(m.t.Context(), journaltest.RunID(r.i), 0, 1<<20, 1<<30)
			m.comparePage(r, page, err, 0, 1<<20, 1<<30)
		}
	}
	m.compareFinished()
	wantWhole(m.t, m.j)
}

// compare reads a run from some cursor, its row, its lease and one of its batches.
func (m *model) compare(r *modelRun) {
	m.t.Helper()
	id := journaltest.RunID(r.i)
	after := contracts.Seq(m.dice.IntN(len(r.events)+3) - 1)
	maxEvents, maxBytes := 1+m.dice.IntN(len(r.events)+2), 1+m.dice.IntN(20_000)
	page, err := m.j.Read(m.t.Context(), id, after, maxEvents, maxBytes)
	m.comparePage(r, page, err, max(after, 0), maxEvents, maxBytes)
	run, err := m.j.Run(m.t.Context(), id)
	if r.pruned != errors.Is(err, journal.ErrPruned) || !r.pruned && err != nil {
		m.t.Errorf("run %d: pruned is %t, and it gives %v", r.i, r.pruned, err)
	}
	m.compareSummary(run.Summary, r.summary)
	if !r.pruned && (run.Key != r.key || !bytes.Equal(run.Task, journaltest.NewRun(r.i).Task)) {
		m.t.Errorf("run %d has key %q and task %s", r.i, run.Key, run.Task)
	}
	lease, err := m.j.LeaseOf(m.t.Context(), id)
	held := r.lease.Epoch != 0 && !r.dropped && !r.pruned && r.lease.Expires > contracts.Time(m.now.Load())
	if held != (err == nil) || held && lease != r.lease {
		m.t.Errorf("the lease of run %d is %+v, %v, want %t, %+v", r.i, lease, err, held, r.lease)
	}
	if len(r.batches) == 0 || r.pruned {
		return
	}
	origin := r.batches[m.dice.IntN(len(r.batches))].Origin.After
	var want journal.Stored
	for _, b := range r.batches {
		if b.Origin.After == origin {
			want = b
		}
	}
	if got, err := m.j.Batch(m.t.Context(), id, origin); err != nil || got != want {
		m.t.Errorf("the batch of run %d that named %d is %+v, %v, want %+v", r.i, origin, got, err, want)
	}
}

// comparePage holds a page against what the model gives for the same cursor and limits.
func (m *model) comparePage(r *modelRun, page journal.Page, err error, after contracts.Seq, maxEvents, maxBytes int) {
	m.t.Helper()
	if r.pruned {
		if !errors.Is(err, journal.ErrPruned) {
			m.t.Errorf("run %d was pruned, and gives %v", r.i, err)
		}
		return
	}
	var want []journal.Event
	size := 0
	for i := int(after); i < len(r.events) && len(want) < maxEvents; i++ {
		if size += len(r.events[i]); len(want) > 0 && size > maxBytes {
			break
		}
		want = append(want, journal.Event{Seq: contracts.Seq(i + 1), JSON: r.events[i]})
	}
	equal := slices.EqualFunc(page.Events, want, func(a, b journal.Event) bool { return a.Seq == b.Seq && bytes.Equal(a.JSON, b.JSON) })
	if err != nil || page.Last != contracts.Seq(len(r.events)) || page.State != r.summary.State || !equal {
		m.t.Errorf("run %d from %d, %d events, %d bytes: %d events to %d in %s, %v; want %d to %d in %s",
			r.i, after, maxEvents, maxBytes, len(page.Events), page.Last, page.State, err, len(want), len(r.events), r.summary.State)
	}
}

// compareSummary holds one row of a list against the model's.
func (m *model) compareSummary(got, want contracts.Summary) {
	m.t.Helper()
	a, errA := json.Marshal(got)
	b, errB := json.Marshal(want)
	if err := errors.Join(errA, errB); err != nil || !bytes.Equal(a, b) {
		m.t.Errorf("summary is %s, %v, want %s", a, err, b)
	}
}

// compareList lists runs by a query.
func (m *model) compareList() {
	m.t.Helper()
	q := journal.Query{Limit: 1 + m.dice.IntN(20)}
	if m.dice.IntN(2) == 0 {
		q.States = []contracts.State{contracts.StateRunning, contracts.StateFailed}[m.dice.IntN(2):]
	}
	if m.dice.IntN(3) == 0 {
		q.Labels = map[string]string{"team": fmt.Sprintf("team%d", m.dice.IntN(3))}
	}
	if m.dice.IntN(3) == 0 {
		q.Text = fmt.Sprintf("STAR %d", m.dice.IntN(5))
	}
	if m.dice.IntN(3) == 0 {
		q.Since = contracts.Time(1000 + m.dice.IntN(1000))
		q.Until = q.Since + contracts.Time(m.dice.IntN(1000))
	}
	if r := m.any(); r != nil && m.dice.IntN(3) == 0 {
		q.Before = journaltest.RunID(r.i)
	}
	var want []contracts.Summary
	for _, r := range m.runs {
		s := r.summary
		if (len(q.States) == 0 || slices.Contains(q.States, s.State)) &&
			(q.Labels == nil || s.Labels["team"] == q.Labels["team"]) &&
			(q.Text == "" || strings.Contains(s.Goal, strings.ToLower(q.Text))) &&
			(q.Since == 0 || s.CreatedAt >= q.Since) && (q.Until == 0 || s.CreatedAt < q.Until) &&
			(q.Before == "" || s.RunID < q.Before) {
			want = append(want, s)
		}
	}
	slices.SortFunc(want, func(a, b contracts.Summary) int { return strings.Compare(b.RunID.String(), a.RunID.String()) })
	want = want[:min(len(want), q.Limit)]
	got, err := m.j.List(m.t.Context(), q)
	if err != nil || len(got) != len(want) {
		m.t.Errorf("%+v lists %d runs, %v, want %d", q, len(got), err, len(want))
		return
	}
	for i := range got {
		m.compareSummary(got[i], want[i])
	}
}

// compareFinished lists runs that have ended.
func (m *model) compareFinished() {
	m.t.Helper()
	before := contracts.Time(5000 + m.dice.IntN(6000))
	want := map[contracts.RunID]bool{}
	for _, r := range m.runs {
		if r.summary.State.Terminal() && !r.gone && r.summary.UpdatedAt < before {
			want[journaltest.RunID(r.i)] = true
		}
	}
	got, err := m.j.Finished(m.t.Context(), before, 500)
	if err != nil || len(got) != len(want) {
		m.t.Errorf("%d runs have ended before %d, %v, want %d", len(got), before, err, len(want))
	}
	for i, s := range got {
		if !want[s.RunID] || i > 0 && s.UpdatedAt < got[i-1].UpdatedAt {
			m.t.Errorf("run %s is among those that have ended, or not in their order", s.RunID)
		}
	}
}
