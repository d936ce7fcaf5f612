package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"axiom25/contracts"
	"axiom25/server/fanout"
	"axiom25/server/journal"
)

// live is a journal of one run that several processes write to: events are stored in it directly, and its news are
// whatever a test makes of them.
type live struct {
	journal.Journal
	*memory

	mu      sync.Mutex
	changed map[int]func(journal.Change)
	rows    map[int]func(contracts.Summary)
	next    int
	fail    error
}

func newLive() *live {
	return &live{
		memory: &memory{}, changed: make(map[int]func(journal.Change)), rows: make(map[int]func(contracts.Summary)),
	}
}

func (l *live) Read(ctx context.Context, id contracts.RunID, after contracts.Seq, maxEvents, maxBytes int) (journal.Page, error) {
	return l.memory.Read(ctx, id, after, maxEvents, maxBytes)
}

func (l *live) WatchRun(_ context.Context, _ contracts.RunID, changed func(journal.Change)) (func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return nil, l.fail
	}
	l.next++
	key := l.next
	l.changed[key] = changed
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.changed, key)
	}, nil
}

func (l *live) WatchRuns(_ context.Context, changed func(contracts.Summary)) (func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return nil, l.fail
	}
	l.next++
	key := l.next
	l.rows[key] = changed
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.rows, key)
	}, nil
}

func (l *live) WatchTools(context.Context, func()) (func(), error) { return func() {}, nil }

// tell hands a change to those who watch, one at a time.
func (l *live) tell(change journal.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, changed := range l.changed {
		changed(change)
	}
}

func (l *live) watched() (runs, lists int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.changed), len(l.rows)
}

// last is the change that every watch is told of within seconds, whatever was lost.
func (l *live) last() journal.Change {
	l.memory.mu.Lock()
	defer l.memory.mu.Unlock()
	return journal.Change{Run: runID, Last: contracts.Seq(len(l.events)), State: l.state}
}

func TestAnotherProcessAppends(t *testing.T) {
	t.Parallel()
	t.Run("what a change carries is not read again", func(t *testing.T) {
		t.Parallel()
		l := newLive()
		l.store(1)
		c := fanout.New(l).Follow(runID, 0)
		defer c.Close()
		wantSeqs(t, seqs(t, c), 1, 1)
		reads := l.readCount()
		first, events := l.store(3)
		l.tell(journal.Change{Run: runID, Last: 4, First: first, Events: events, State: contracts.StateRunning})
		wantSeqs(t, seqs(t, c), 2, 4)
		if got := l.readCount(); got != reads {
			t.Errorf("%d reads for what the change carried", got-reads)
		}
	})
	t.Run("a hint without events makes cursors read", func(t *testing.T) {
		t.Parallel()
		l := newLive()
		l.store(1)
		h := fanout.New(l)
		c := h.Follow(runID, 0)
		defer c.Close()
		wantSeqs(t, seqs(t, c), 1, 1)
		publish(h, 1, l.events[:1])
		l.store(2)
		l.tell(l.last())
		wantSeqs(t, seqs(t, c), 2, 3)
	})
	t.Run("a hint of the end ends a viewer that has seen all", func(t *testing.T) {
		t.Parallel()
		l := newLive()
		l.store(1)
		c := fanout.New(l).Follow(runID, 0)
		defer c.Close()
		wantSeqs(t, seqs(t, c), 1, 1)
		l.finish()
		first, events := contracts.Seq(2), l.events[1:2]
		l.tell(journal.Change{Run: runID, Last: 2, First: first, Events: events, State: contracts.StateRunning})
		wantSeqs(t, seqs(t, c), 2, 2)
		l.tell(l.last())
		wantEnd(t, c, 0)
	})
	t.Run("a reader that is behind for a moment is no other journal", func(t *testing.T) {
		t.Parallel()
		l := newLive()
		l.store(2)
		c := fanout.New(l).Follow(runID, 0)
		defer c.Close()
		wantSeqs(t, seqs(t, c), 1, 2)
		first, events := l.store(2)
		l.tell(journal.Change{Run: runID, Last: 4, First: first, Events: events})
		wantSeqs(t, seqs(t, c), 3, 4)
		l.events = l.events[:2] // as a replica that lags has it
		l.tell(journal.Change{Run: runID, Last: 5})
		wantSeqs(t, seqs(t, c), 5, 4) // nothing, and no error
	})
	t.Run("a run is watched while somebody follows it", func(t *testing.T) {
		t.Parallel()
		l := newLive()
		l.store(1)
		h := fanout.New(l)
		a, b := h.Follow(runID, 0), h.Follow(runID, 0)
		seqs(t, a)
		seqs(t, b)
		if runs, _ := l.watched(); runs != 1 {
			t.Errorf("%d watches for one run", runs)
		}
		a.Close()
		if runs, _ := l.watched(); runs != 1 {
			t.Errorf("%d watches while one viewer is left", runs)
		}
		b.Close()
		if runs, _ := l.watched(); runs != 0 {
			t.Errorf("%d watches are left", runs)
		}
	})
	t.Run("a watch that fails is tried again", func(t *testing.T) {
		t.Parallel()
		l := newLive()
		l.store(1)
		l.fail = journal.ErrUnavailable
		c := fanout.New(l).Follow(runID, 0)
		defer c.Close()
		if _, err := c.Poll(t.Context()); !errors.Is(err, journal.ErrUnavailable) {
			t.Fatalf("Poll = %v, want ErrUnavailable", err)
		}
		l.fail = nil
		wantSeqs(t, seqs(t, c), 1, 1)
	})
}

// TestNewsOfAnotherProcessAreHints stores events in a journal that other processes write to, and loses, doubles and
// reorders the news of them. Every viewer sees every event once, in order, and ends.
func TestNewsOfAnotherProcessAreHints(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { hearsay(t, seed) })
		})
	}
}

func hearsay(t *testing.T, seed uint64) {
	t.Helper()
	r := random(seed, 0)
	l := newLive()
	h := fanout.NewWith(l, fanout.Options{
		WindowFrames: 1 + r.IntN(40), WindowBytes: 100 + r.IntN(4000), BatchFrames: 1 + r.IntN(20), PageReaders: 1 + r.IntN(3),
	})
	const total = 300
	l.store(1)
	var all, news sync.WaitGroup
	stop := make(chan struct{})
	news.Go(func() { // the last event is never kept from a watch for long
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Second):
				l.tell(l.last())
			}
		}
	})
	all.Go(func() {
		r := random(seed, 1)
		var late []journal.Change
		for sent := 1; sent <= total; {
			n := min(1+r.IntN(12), total+1-sent)
			first, events := l.store(n)
			sent += n
			if sent > total {
				l.memory.mu.Lock()
				l.state = contracts.StateSucceeded
				l.memory.mu.Unlock()
			}
			change := l.last()
			change.First, change.Events = first, events
			switch r.IntN(6) {
			case 0: // lost
			case 1: // late, out of order
				late = append(late, change)
			case 2: // without what it tells of
				l.tell(journal.Change{Run: runID, Last: change.Last, State: change.State})
			case 3: // twice, and by this process too
				h.Publish(runID, first, events, change.State.Terminal())
				l.tell(change)
				l.tell(change)
			case 4: // a part of it
				cut := r.IntN(len(events) + 1)
				change.First, change.Events = first+contracts.Seq(cut), events[cut:]
				l.tell(change)
			default:
				l.tell(change)
			}
			if len(late) > 0 && r.IntN(3) == 0 {
				for _, i := range r.Perm(len(late)) {
					l.tell(late[i])
				}
				late = nil
			}
			time.Sleep(time.Duration(r.IntN(1000)) * time.Microsecond)
		}
	})
	viewers := make([]strings.Builder, 8)
	for i := range viewers {
		r := random(seed, 2+i)
		all.Go(func() {
			time.Sleep(time.Duration(r.IntN(20_000)) * time.Microsecond)
			for after := contracts.Seq(0); after <= total; {
				var err error
				if after, err = view(t.Context(), h, r, after, &viewers[i]); err != nil {
					t.Errorf("viewer %d: %v", i, err)
					return
				}
			}
		})
	}
	start := time.Now() //nolint:forbidigo // the bubble's clock
	all.Wait()
	close(stop)
	news.Wait()
	for i := range viewers {
		if got, want := viewers[i].String(), l.wire(0); got != want {
			t.Errorf("viewer %d saw other bytes:\n%.300s\nwant\n%.300s", i, got, want)
		}
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("the viewers were kept waiting for %s", took)
	}
	if runs, _ := l.watched(); runs != 0 {
		t.Errorf("%d watches are left", runs)
	}
}

func TestViewersShareAPage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		m.store(5)
		h := fanout.New(m)
		read := make(chan struct{})
		m.afterRead = func() { <-read }
		const viewers = 20
		var all sync.WaitGroup
		for range viewers {
			all.Go(func() {
				c := h.Follow(runID, 0)
				defer c.Close()
				wantSeqs(t, seqs(t, c), 1, 5)
			})
		}
		synctest.Wait()
		close(read)
		all.Wait()
		if got := m.readCount(); got != 1 {
			t.Errorf("%d readings of one page", got)
		}
		if stats := h.Stats(); stats.Replayed != int64(viewers*len(m.wire(0))) {
			t.Errorf("%d bytes count as replayed, want %d times %d", stats.Replayed, viewers, len(m.wire(0)))
		}
	})
}

// TestAPageOutlivesItsReader has the viewer go whose reading others wait for.
func TestAPageOutlivesItsReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		m.store(3)
		h := fanout.NewWith(m, fanout.Options{PageReaders: 1})
		block := make(chan struct{})
		m.afterRead = func() { <-block }
		other := h.Follow("run_other", 0)
		defer other.Close()
		var all sync.WaitGroup
		all.Go(func() { _, _ = other.Poll(t.Context()) }) // takes the one turn
		synctest.Wait()

		ctx, cancel := context.WithCancel(t.Context())
		first, second := h.Follow(runID, 0), h.Follow(runID, 0)
		defer first.Close()
		defer second.Close()
		all.Go(func() {
			if _, err := first.Poll(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("Poll = %v, want the context's error", err)
			}
		})
		synctest.Wait()
		all.Go(func() { wantSeqs(t, seqs(t, second), 1, 3) })
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(block)
		all.Wait()
	})
}

func TestLag(t *testing.T) {
	t.Parallel()
	m := &memory{}
	m.store(1)
	h := fanout.New(m)
	slow, fast := h.Follow(runID, 0), h.Follow(runID, 0)
	defer slow.Close()
	defer fast.Close()
	seqs(t, slow)
	for range 7 {
		first, events := m.store(1)
		publish(h, first, events)
	}
	seqs(t, fast)
	if got := h.Stats().Lag; got != 7 {
		t.Errorf("the viewers are %d behind at most, want 7", got)
	}
}

// row is a run's row.
func row(run string, seq contracts.Seq, state contracts.State) contracts.Summary {
	return contracts.Summary{RunID: contracts.RunID(run), LastSeq: seq, State: state}
}

// told drains what a follower of the list is told, as "run@seq".
func told(t *testing.T, c *fanout.RowCursor, limit int) []string {
	t.Helper()
	var got []string
	for {
		rows, all, fell := c.Take(limit)
		if fell {
			got = append(got, "fell")
			continue
		}
		for _, r := range rows {
			mark := ""
			if r.Moved {
				mark = "!"
			}
			got = append(got, fmt.Sprintf("%s@%d%s", r.Summary.RunID, r.Summary.LastSeq, mark))
		}
		if all {
			return got
		}
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	const running, waiting = contracts.StateRunning, contracts.StateWaiting
	type step struct {
		publish []contracts.Summary
		want    []string
	}
	for name, c := range map[string]struct {
		limit int
		steps []step
	}{
		"in the order of their change": {10, []step{
			{[]contracts.Summary{row("b", 1, running), row("a", 1, running)}, []string{"b@1!", "a@1!"}},
			{nil, nil},
		}},
		"a busy run has one row": {10, []step{
			{[]contracts.Summary{row("a", 1, running), row("b", 1, running), row("a", 2, running), row("a", 3, running)}, []string{"b@1!", "a@3!"}},
			{[]contracts.Summary{row("a", 4, running)}, []string{"a@4"}},
			{[]contracts.Summary{row("a", 5, waiting), row("a", 6, waiting)}, []string{"a@6!"}},
		}},
		"an older row is no news": {10, []step{
			{[]contracts.Summary{row("a", 5, running)}, []string{"a@5!"}},
			{[]contracts.Summary{row("a", 4, waiting), row("a", 5, running)}, nil},
			{[]contracts.Summary{{RunID: "a", LastSeq: 5, State: running, Pruned: true}}, []string{"a@5"}},
		}},
		"who fell behind has to read anew": {2, []step{
			{[]contracts.Summary{row("a", 1, running), row("b", 1, running), row("c", 1, running)}, []string{"fell"}},
			{[]contracts.Summary{row("a", 2, running)}, []string{"a@2!"}},
			{[]contracts.Summary{row("a", 3, running), row("a", 4, running), row("a", 5, running)}, []string{"a@5"}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := fanout.NewWith(&memory{}, fanout.Options{Rows: c.limit})
			for _, limit := range []int{1, 100} {
				viewer, err := h.FollowRows(t.Context(), fanout.NewBell())
				if err != nil {
					t.Fatal(err)
				}
				for i, step := range c.steps {
					for _, s := range step.publish {
						h.PublishRow(s)
					}
					if got := told(t, viewer, limit); !slices.Equal(got, step.want) {
						t.Errorf("limit %d, step %d: told %v, want %v", limit, i+1, got, step.want)
					}
				}
				viewer.Close()
				viewer.Close()
			}
			if got := h.Stats().ListViewers; got != 0 {
				t.Errorf("%d viewers are left", got)
			}
		})
	}
}

func TestRowsRing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fanout.New(&memory{})
		bell := fanout.NewBell()
		c, err := h.FollowRows(t.Context(), bell)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		told(t, c, 10)
		h.PublishRow(row("a", 1, contracts.StateRunning))
		h.PublishRow(row("a", 2, contracts.StateRunning))
		if err := bell.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := bell.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("rung twice for one turn: %v", err)
		}
		if got := told(t, c, 10); !slices.Equal(got, []string{"a@2!"}) {
			t.Errorf("told %v", got)
		}
	})
}

func TestRowsAreEncodedOnce(t *testing.T) {
	t.Parallel()
	h := fanout.New(&memory{})
	var bytes [2][]byte
	var cursors [2]*fanout.RowCursor
	for i := range cursors {
		var err error
		if cursors[i], err = h.FollowRows(t.Context(), fanout.NewBell()); err != nil {
			t.Fatal(err)
		}
		defer cursors[i].Close()
	}
	h.PublishRow(row("run_a", 1, contracts.StateRunning))
	for i, c := range cursors {
		rows, _, _ := c.Take(1)
		var err error
		if bytes[i], err = rows[0].JSON(); err != nil {
			t.Fatal(err)
		}
	}
	if &bytes[0][0] != &bytes[1][0] || !strings.Contains(string(bytes[0]), `"run_id":"run_a"`) {
		t.Errorf("two viewers have %s and %s", bytes[0], bytes[1])
	}
}

func TestRowsOfOtherProcesses(t *testing.T) {
	t.Parallel()
	l := newLive()
	h := fanout.New(l)
	a, err := h.FollowRows(t.Context(), fanout.NewBell())
	if err != nil {
		t.Fatal(err)
	}
	b, err := h.FollowRows(t.Context(), fanout.NewBell())
	if err != nil {
		t.Fatal(err)
	}
	if _, lists := l.watched(); lists != 1 {
		t.Errorf("%d watches for one list", lists)
	}
	for _, changed := range l.rows {
		changed(row("a", 3, contracts.StateRunning))
	}
	if got := told(t, b, 10); !slices.Equal(got, []string{"a@3!"}) {
		t.Errorf("told %v", got)
	}
	a.Close()
	b.Close()
	if _, lists := l.watched(); lists != 0 {
		t.Errorf("%d watches are left", lists)
	}
	l.fail = journal.ErrUnavailable
	if _, err := h.FollowRows(t.Context(), fanout.NewBell()); !errors.Is(err, journal.ErrUnavailable) || h.Stats().ListViewers != 0 {
		t.Errorf("FollowRows = %v with %d viewers, want ErrUnavailable and none", err, h.Stats().ListViewers)
	}
}

// TestABellWakesForSeveralRuns has one viewer of two runs.
func TestABellWakesForSeveralRuns(t *testing.T) {
	t.Parallel()
	m := &memory{}
	h := fanout.New(m)
	bell := fanout.NewBell()
	a, b := h.FollowBy(bell, runID, 0), h.FollowBy(bell, runID+"x", 0)
	defer a.Close()
	defer b.Close()
	for _, run := range []contracts.RunID{runID, runID + "x"} {
		h.Publish(run, 1, [][]byte{[]byte("{}")}, true)
		if err := bell.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	bell.Ring()
	<-bell.Rung()
	for _, c := range []*fanout.Cursor{a, b} {
		if frames, err := c.Poll(t.Context()); err != nil || len(frames) != 1 || c.After() != 1 || c.Replayed() != 0 {
			t.Errorf("Poll = %d frames, %v", len(frames), err)
		}
		if _, err := c.Poll(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("Poll = %v, want io.EOF", err)
		}
	}
}
