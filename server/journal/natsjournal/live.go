package natsjournal

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"axiom25/contracts"
	"axiom25/server/journal"
)

const (
	// watchPending bounds the messages, and watchBytes the bytes, that wait for one watcher. What is more is lost, and
	// noticed.
	watchPending = 4096
	watchBytes   = 64 << 20
	// settleAfter is when what was disturbed is looked at a second time: interest takes a moment to reach every server of
	// a cluster, and a leader that was just elected may not have published again what it stored.
	settleAfter = time.Second
)

// watch tells watchers of what was published again, and compares what they were told with what is stored: now and then,
// and when something happened that can lose messages. One goroutine compares, from start to stop.
type watch struct {
	journal *Journal
	sweep   time.Duration
	bell    chan struct{} // holds a token when there is something to look at
	quit    context.CancelFunc
	done    sync.WaitGroup

	mu    sync.Mutex
	due   sight
	runs  map[*runWatcher]struct{}
	lists map[*listWatcher]struct{}
	tools map[*toolWatcher]struct{}
}

// sight is what is to be looked at.
type sight struct {
	all bool
	// again has all of it looked at once more after settleAfter.
	again bool
	runs  map[contracts.RunID]bool
}

// with returns both.
func (s sight) with(other sight) sight {
	runs := maps.Clone(s.runs)
	if runs == nil {
		runs = map[contracts.RunID]bool{}
	}
	maps.Copy(runs, other.runs)
	return sight{all: s.all || other.all, again: s.again || other.again, runs: runs}
}

// none reports whether there is nothing to look at.
func (s sight) none() bool { return !s.all && len(s.runs) == 0 }

func newWatch(j *Journal, sweep time.Duration) *watch {
	return &watch{
		journal: j, sweep: sweep, bell: make(chan struct{}, 1), quit: func() {},
		runs: map[*runWatcher]struct{}{}, lists: map[*listWatcher]struct{}{}, tools: map[*toolWatcher]struct{}{},
	}
}

// start starts to compare.
func (w *watch) start() error {
	advisory := "$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED."
	_, err := w.journal.nc.Subscribe(advisory+"*", func(m *nats.Msg) {
		if strings.HasPrefix(m.Subject, advisory+w.journal.layout.prefix+"_") {
			w.disturbed()
		}
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.quit = cancel
	w.done.Go(func() { w.run(ctx) })
	return nil
}

// stop ends the comparing, and every watcher.
func (w *watch) stop() {
	w.quit()
	w.done.Wait()
	w.mu.Lock()
	var watchers []*watcher
	for r := range w.runs {
		watchers = append(watchers, &r.watcher)
	}
	for l := range w.lists {
		watchers = append(watchers, &l.watcher)
	}
	for t := range w.tools {
		watchers = append(watchers, &t.watcher)
	}
	w.mu.Unlock()
	for _, watcher := range watchers {
		watcher.end()
	}
}

// disturbed has everything looked at, twice.
func (w *watch) disturbed() { w.look(sight{all: true, again: true}) }

// look adds to what is to be looked at.
func (w *watch) look(s sight) {
	w.mu.Lock()
	w.due = w.due.with(s)
	w.mu.Unlock()
	select {
	case w.bell <- struct{}{}:
	default:
	}
}

// lookAt has a run looked at.
func (w *watch) lookAt(id contracts.RunID, again bool) {
	w.look(sight{again: again, runs: map[contracts.RunID]bool{id: true}})
}

// run looks at what is due until ctx ends.
func (w *watch) run(ctx context.Context) {
	// Servers that start together should not look together.
	sweep := time.NewTimer(w.sweep/2 + rand.N(w.sweep)) //nolint:gosec // any moment will do
	defer sweep.Stop()
	settle := time.NewTimer(w.sweep)
	defer settle.Stop()
	var later sight
	for {
		var now sight
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			now.all = true
			sweep.Reset(w.sweep)
		case <-settle.C:
			now, later = later, sight{}
			now.again = false
		case <-w.bell:
			w.mu.Lock()
			now, w.due = w.due, sight{}
			w.mu.Unlock()
		}
		if now.none() {
			continue
		}
		if err := w.compare(ctx, now); err != nil || now.again {
			if later.none() {
				settle.Reset(settleAfter)
			}
			later = later.with(now)
		}
	}
}

// compare looks at the store and tells the watchers what they were not told.
func (w *watch) compare(ctx context.Context, s sight) error {
	ctx, cancel := context.WithTimeout(ctx, 2*attemptTimeout)
	defer cancel()
	w.mu.Lock()
	runs := map[contracts.RunID][]*runWatcher{}
	for r := range w.runs {
		if s.all || s.runs[r.id] {
			runs[r.id] = append(runs[r.id], r)
		}
	}
	lists, tools := slices.Collect(maps.Keys(w.lists)), slices.Collect(maps.Keys(w.tools))
	w.mu.Unlock()
	err := w.compareRuns(ctx, runs)
	if len(lists) > 0 {
		err = errors.Join(err, w.compareLists(ctx, lists))
	}
	if len(tools) > 0 && s.all {
		err = errors.Join(err, w.compareTools(ctx, tools))
	}
	return err
}

// compareRuns looks at the ends of runs.
func (w *watch) compareRuns(ctx context.Context, runs map[contracts.RunID][]*runWatcher) error {
	byShard := make([][]string, len(w.journal.runs))
	for id := range runs {
		n := w.journal.layout.shard(id)
		byShard[n] = append(byShard[n], w.journal.layout.run(id))
	}
	for n, subjects := range byShard {
		for some := range slices.Chunk(subjects, lastMax) {
			got, _, err := w.journal.runs[n].last(ctx, 0, some...)
			if err != nil {
				return err
			}
			for _, subject := range some {
				change := journal.Change{Run: contracts.RunID(lastToken(subject))}
				if m, found := got[subject]; found {
					c, err := decodeChunk(change.Run, m)
					if err != nil {
						continue // who reads it is told
					}
					change.Last, change.State = c.last, c.state
				}
				for _, r := range runs[change.Run] {
					r.tell(change, false)
				}
			}
		}
	}
	return nil
}

// compareLists looks at what runs were written to since it looked the last time.
func (w *watch) compareLists(ctx context.Context, lists []*listWatcher) error {
	for n := range w.journal.runs {
		from := lists[0].seen(n)
		for _, l := range lists {
			from = min(from, l.seen(n))
		}
		changed, next, err := w.changed(ctx, n, from)
		if err != nil {
			return err
		}
		for _, l := range lists {
			for _, m := range changed {
				l.tell(m)
			}
			l.see(n, next)
		}
	}
	return nil
}

// changed returns the last chunk of each run of a shard that was written to at or behind a place, and the place behind
// all that was looked at.
func (w *watch) changed(ctx context.Context, shard int, from uint64) (chunks map[string]message, next uint64, err error) {
	s, all := w.journal.runs[shard], w.journal.layout.prefix+".run."
	chunks, _, err = s.last(ctx, from, w.journal.layout.runsOf(shard))
	next = from
	if err == nil {
		for _, m := range chunks {
			next = max(next, m.seq+1)
		}
		return chunks, next, nil
	}
	if !errors.Is(err, errTooMany) {
		return nil, from, err
	}
	chunks = map[string]message{}
	next, _, err = s.scan(ctx, from, func(m message) error {
		if strings.HasPrefix(m.subject, all) {
			chunks[m.subject] = m
		}
		return nil
	})
	return chunks, next, err
}

// compareTools looks at the catalogue.
func (w *watch) compareTools(ctx context.Context, tools []*toolWatcher) error {
	last := uint64(0)
	_, _, err := w.journal.tools.scan(ctx, 0, func(m message) error {
		if strings.HasPrefix(m.subject, w.journal.layout.prefix+".tool.") {
			last = m.seq
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range tools {
		t.tell(last)
	}
	return nil
}

// watcher is what all watchers have in common.
type watcher struct {
	sub *nats.Subscription
	// mu is held while the watcher is called: one call at a time, none after its end.
	mu    sync.Mutex
	ended bool
}

// end ends the watcher: when it returns, no call runs and none follows.
func (w *watcher) end() {
	_ = w.sub.Unsubscribe() // its only error is that the connection is closed
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

// subscribe has f called with what is published on a subject.
func (w *watcher) subscribe(nc *nats.Conn, subject string, f nats.MsgHandler) error {
	sub, err := nc.Subscribe(subject, f)
	if err != nil {
		return err
	}
	w.sub = sub
	return sub.SetPendingLimits(watchPending, watchBytes)
}

// runWatcher is a WatchRun.
type runWatcher struct {
	watcher
	id      contracts.RunID
	changed func(journal.Change)
	told    contracts.Seq // -1 before the first call
}

// tell calls the watcher with a change, which is news or, where it was only found by looking, can be known.
func (r *runWatcher) tell(c journal.Change, news bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || !news && c.Last <= r.told {
		return
	}
	r.told = max(r.told, c.Last)
	r.changed(c)
}

// WatchRun implements journal.Live. A changed that calls stop never returns.
func (j *Journal) WatchRun(ctx context.Context, id contracts.RunID, changed func(journal.Change)) (stop func(), err error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if !validRun(id) {
		return nil, journal.ErrNotFound
	}
	r := &runWatcher{id: id, changed: changed, told: -1}
	err = r.subscribe(j.nc, j.layout.live(id), func(msg *nats.Msg) {
		m, err := storedMessage(msg)
		c, damage := decodeChunk(id, m)
		events, whole := c.splitEvents()
		if err != nil || damage != nil || !whole {
			j.watch.lookAt(id, false) // a hint
			return
		}
		r.tell(journal.Change{Run: id, Last: c.last, First: c.first, Events: events, State: c.state}, true)
	})
	if err != nil {
		return nil, err
	}
	w := j.watch
	w.mu.Lock()
	w.runs[r] = struct{}{}
	w.mu.Unlock()
	w.lookAt(id, true)
	return func() {
		r.end()
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.runs, r)
	}, nil
}

// listWatcher is a WatchRuns.
type listWatcher struct {
	watcher
	changed func(contracts.Summary)
	told    map[string]uint64 // by subject, since the last look
	next    map[int]uint64    // by shard: from where the next look goes on
}

// seen returns from where the next look at a shard goes on.
func (l *listWatcher) seen(shard int) (from uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next[shard]
}

// see notes from where the next look at a shard goes on.
func (l *listWatcher) see(shard int, from uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next[shard] = max(l.next[shard], from)
	maps.DeleteFunc(l.told, func(_ string, place uint64) bool { return place < from })
}

// tell calls the watcher with the summary of a run, unless it knows it.
func (l *listWatcher) tell(m message) {
	c, err := decodeChunk(contracts.RunID(lastToken(m.subject)), m)
	if err != nil || c.kind == chunkVoid {
		return
	}
	s, err := c.decodeSummary()
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || l.told[m.subject] >= m.seq {
		return
	}
	l.told[m.subject] = m.seq
	l.changed(s)
}

// WatchRuns implements journal.Live. A changed that calls stop never returns.
func (j *Journal) WatchRuns(ctx context.Context, changed func(contracts.Summary)) (stop func(), err error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	l := &listWatcher{changed: changed, told: map[string]uint64{}, next: map[int]uint64{}}
	for n, s := range j.runs {
		var place uint64
		err := retry(ctx, func(ctx context.Context) error {
			place, err = s.fence(ctx)
			return err
		})
		if err != nil {
			return nil, readError(ctx, err)
		}
		l.next[n] = place
	}
	err = l.subscribe(j.nc, j.layout.live("*"), func(msg *nats.Msg) {
		m, err := storedMessage(msg)
		if err != nil {
			j.watch.lookAt(contracts.RunID(lastToken(msg.Subject)), false) // a hint
			return
		}
		l.tell(m)
	})
	if err != nil {
		return nil, err
	}
	w := j.watch
	w.mu.Lock()
	w.lists[l] = struct{}{}
	w.mu.Unlock()
	w.disturbed()
	return func() {
		l.end()
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.lists, l)
	}, nil
}

// toolWatcher is a WatchTools.
type toolWatcher struct {
	watcher
	changed func()
	told    uint64
	called  bool
}

// tell calls the watcher if something was written at or behind a place that it was not told of.
func (t *toolWatcher) tell(place uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || t.called && place <= t.told {
		return
	}
	t.told, t.called = max(t.told, place), true
	t.changed()
}

// WatchTools implements journal.Live. A changed that calls stop never returns.
func (j *Journal) WatchTools(ctx context.Context, changed func()) (stop func(), err error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	t := &toolWatcher{changed: changed}
	err = t.subscribe(j.nc, j.layout.liveTools(), func(msg *nats.Msg) {
		if m, err := storedMessage(msg); err == nil {
			t.tell(m.seq)
		}
	})
	if err != nil {
		return nil, err
	}
	w := j.watch
	w.mu.Lock()
	w.tools[t] = struct{}{}
	w.mu.Unlock()
	w.disturbed()
	return func() {
		t.end()
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.tools, t)
	}, nil
}
