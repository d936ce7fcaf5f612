package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"axiom25/contracts"
	"axiom25/server/fanout"
	"axiom25/server/journal"
)

const runID contracts.RunID = "run_01jz0000000000000000000000"

// memory is a journal of one run that keeps events in memory. Only Read is there.
type memory struct {
	journal.Reader

	mu     sync.Mutex
	events [][]byte
	state  contracts.State
	err    error // returned by Read, with what it would have read
	reads  int
	// afterRead, where set, is called once when a page was read and before it is returned.
	afterRead func()
}

func (m *memory) Read(ctx context.Context, _ contracts.RunID, after contracts.Seq, maxEvents, maxBytes int) (journal.Page, error) {
	if err := ctx.Err(); err != nil {
		return journal.Page{}, err
	}
	m.mu.Lock()
	m.reads++
	page := journal.Page{Last: contracts.Seq(len(m.events)), State: m.state}
	size := 0
	for seq := after + 1; seq <= page.Last && len(page.Events) < maxEvents; seq++ {
		event := m.events[seq-1]
		if size += len(event); size > maxBytes && len(page.Events) > 0 {
			break
		}
		page.Events = append(page.Events, journal.Event{Seq: seq, JSON: event})
	}
	err, hook := m.err, m.afterRead
	m.afterRead = nil
	m.mu.Unlock()
	if hook != nil {
		hook()
	}
	return page, err
}

// store appends n events without telling anyone, and returns the first seq and the events.
func (m *memory) store(n int) (contracts.Seq, [][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	first := contracts.Seq(len(m.events) + 1)
	for range n {
		m.events = append(m.events, fmt.Appendf(nil, `{"seq":%d,"data":{"delta":"é\n"}}`, len(m.events)+1))
	}
	return first, m.events[first-1:]
}

// finish appends the last event.
func (m *memory) finish() (contracts.Seq, [][]byte) {
	first, events := m.store(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = contracts.StateSucceeded
	return first, events
}

func (m *memory) readCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reads
}

// wire is what a viewer that sees everything from after on receives.
func (m *memory) wire(after contracts.Seq) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	for i := int(after); i < len(m.events); i++ {
		fmt.Fprintf(&b, "id: %d\ndata: %s\n\n", i+1, m.events[i])
	}
	return b.String()
}

func publish(h *fanout.Hub, first contracts.Seq, events [][]byte) {
	h.Publish(runID, first, events, false)
}

// seqs drains what is ready.
func seqs(t *testing.T, c *fanout.Cursor) []contracts.Seq {
	t.Helper()
	var got []contracts.Seq
	for {
		frames, err := c.Poll(t.Context())
		if err != nil {
			t.Fatalf("Poll: %v", err)
		}
		if len(frames) == 0 {
			return got
		}
		for _, f := range frames {
			got = append(got, f.Seq)
		}
	}
}

func wantSeqs(t *testing.T, got []contracts.Seq, first, last contracts.Seq) {
	t.Helper()
	if len(got) != int(last-first+1) {
		t.Fatalf("got %d frames %v, want %d..%d", len(got), got, first, last)
	}
	for i, seq := range got {
		if seq != first+contracts.Seq(i) {
			t.Fatalf("got %v, want %d..%d", got, first, last)
		}
	}
}

func TestFrame(t *testing.T) {
	m := &memory{}
	m.events = [][]byte{[]byte(`{"type":"token","data":{"delta":"a<b>&\u2028 é"}}`)}
	c := fanout.New(m).Follow(runID, 0)
	defer c.Close()
	frames, err := c.Next(t.Context())
	if err != nil || len(frames) != 1 {
		t.Fatalf("Next = %d frames, %v", len(frames), err)
	}
	want := "id: 1\ndata: " + string(m.events[0]) + "\n\n"
	if got := string(frames[0].SSE); got != want {
		t.Errorf("SSE = %q, want %q", got, want)
	}
	if got := string(frames[0].JSON); got != string(m.events[0]) {
		t.Errorf("JSON = %q, want the stored bytes", got)
	}
}

func TestFollow(t *testing.T) {
	t.Run("what was published is not read again", func(t *testing.T) {
		m := &memory{}
		h := fanout.New(m)
		m.store(3)
		c := h.Follow(runID, 0)
		defer c.Close()
		wantSeqs(t, seqs(t, c), 1, 3)
		reads := m.readCount()
		first, events := m.store(5)
		publish(h, first, events)
		wantSeqs(t, seqs(t, c), 4, 8)
		if got := m.readCount(); got != reads {
			t.Errorf("%d reads of the journal for what the window holds", got-reads)
		}
	})
	t.Run("frames are shared by viewers", func(t *testing.T) {
		m := &memory{}
		h := fanout.New(m)
		a, b := h.Follow(runID, 0), h.Follow(runID, 0)
		defer a.Close()
		defer b.Close()
		publish(h, 1, [][]byte{[]byte(`{}`)})
		fa, errA := a.Next(t.Context())
		fb, errB := b.Next(t.Context())
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if &fa[0].SSE[0] != &fb[0].SSE[0] {
			t.Error("the event was encoded twice")
		}
	})
	t.Run("an event that is published while the journal is read comes once", func(t *testing.T) {
		m := &memory{}
		h := fanout.New(m)
		m.store(2)
		c := h.Follow(runID, 0)
		defer c.Close()
		m.afterRead = func() { // the page in hand does not have event 3
			first, events := m.store(1)
			publish(h, first, events)
		}
		wantSeqs(t, seqs(t, c), 1, 3)
	})
	t.Run("an event that is read before it is published comes once", func(t *testing.T) {
		m := &memory{}
		h := fanout.New(m)
		first, events := m.store(3)
		c := h.Follow(runID, 0)
		defer c.Close()
		wantSeqs(t, seqs(t, c), 1, 3)
		publish(h, first, events)
		wantSeqs(t, seqs(t, c), 4, 3) // nothing
		first, events = m.store(1)
		publish(h, first, events)
		wantSeqs(t, seqs(t, c), 4, 4)
	})
	t.Run("a viewer that fell out of the window goes on in the journal", func(t *testing.T) {
		m := &memory{}
		h := fanout.NewWith(m, fanout.Options{WindowFrames: 4})
		slow := h.Follow(runID, 0)
		defer slow.Close()
		for range 5 {
			first, events := m.store(3)
			publish(h, first, events)
		}
		wantSeqs(t, seqs(t, slow), 1, 15)
	})
	t.Run("the window is bounded by bytes", func(t *testing.T) {
		m := &memory{}
		h := fanout.NewWith(m, fanout.Options{WindowBytes: 1})
		c := h.Follow(runID, 0)
		defer c.Close()
		first, events := m.store(3)
		publish(h, first, events)
		wantSeqs(t, seqs(t, c), 1, 3)
		if m.readCount() == 0 {
			t.Error("the window held more than its bytes")
		}
	})
	t.Run("a publication that is missing is made up from the journal", func(t *testing.T) {
		m := &memory{}
		h := fanout.New(m)
		c := h.Follow(runID, 0)
		defer c.Close()
		first, events := m.store(2)
		publish(h, first, events)
		wantSeqs(t, seqs(t, c), 1, 2)
		m.store(2)
		first, events = m.store(2)
		publish(h, first, events)
		wantSeqs(t, seqs(t, c), 3, 6)
	})
	t.Run("a batch is bounded by frames", func(t *testing.T) {
		m := &memory{}
		h := fanout.NewWith(m, fanout.Options{BatchFrames: 2})
		c := h.Follow(runID, 0)
		defer c.Close()
		first, events := m.store(5)
		publish(h, first, events)
		for _, want := range []int{2, 2, 1} {
			frames, err := c.Next(t.Context())
			if err != nil || len(frames) != want {
				t.Fatalf("Next = %d frames, %v, want %d", len(frames), err, want)
			}
		}
	})
	t.Run("a batch is bounded by bytes but has one frame", func(t *testing.T) {
		m := &memory{}
		h := fanout.NewWith(m, fanout.Options{BatchBytes: 1})
		c := h.Follow(runID, 0)
		defer c.Close()
		first, events := m.store(2)
		publish(h, first, events)
		frames, err := c.Next(t.Context())
		if err != nil || len(frames) != 1 {
			t.Fatalf("Next = %d frames, %v, want 1", len(frames), err)
		}
	})
	t.Run("a cursor below zero is the beginning", func(t *testing.T) {
		m := &memory{}
		m.store(1)
		c := fanout.New(m).Follow(runID, -7)
		defer c.Close()
		wantSeqs(t, seqs(t, c), 1, 1)
	})
}

func TestEnd(t *testing.T) {
	t.Run("a viewer that saw the last event live", func(t *testing.T) {
		m := &memory{}
		h := fanout.New(m)
		c := h.Follow(runID, 0)
		defer c.Close()
		first, events := m.finish()
		h.Publish(runID, first, events, true)
		wantEnd(t, c, 1)
	})
	t.Run("a viewer that read the last event", func(t *testing.T) {
		m := &memory{}
		m.store(3)
		m.finish()
		c := fanout.New(m).Follow(runID, 0)
		defer c.Close()
		wantEnd(t, c, 4)
	})
	t.Run("a viewer that comes when all was seen", func(t *testing.T) {
		m := &memory{}
		m.finish()
		c := fanout.New(m).Follow(runID, 1)
		defer c.Close()
		wantEnd(t, c, 0)
	})
	t.Run("a cursor ahead of the run", func(t *testing.T) {
		m := &memory{}
		m.store(2)
		c := fanout.New(m).Follow(runID, 3)
		defer c.Close()
		_, err := c.Next(t.Context())
		var ahead *fanout.AheadError
		if !errors.As(err, &ahead) || ahead.Run != runID || ahead.Last != 2 {
			t.Fatalf("Next = %v, want AheadError with last 2", err)
		}
		if !strings.Contains(ahead.Error(), "ends at 2") {
			t.Errorf("Error() = %q", ahead)
		}
	})
}

// wantEnd expects n frames and then io.EOF, twice.
func wantEnd(t *testing.T, c *fanout.Cursor, n int) {
	t.Helper()
	for n > 0 {
		frames, err := c.Next(t.Context())
		if err != nil {
			t.Fatalf("Next: %v with %d frames to come", err, n)
		}
		n -= len(frames)
	}
	for range 2 {
		if frames, err := c.Next(t.Context()); !errors.Is(err, io.EOF) || len(frames) != 0 {
			t.Fatalf("Next = %d frames, %v, want io.EOF", len(frames), err)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Run("the journal's error comes with the frames before it", func(t *testing.T) {
		m := &memory{err: &journal.DamagedError{Run: runID, From: 3}}
		m.store(2)
		c := fanout.New(m).Follow(runID, 0)
		defer c.Close()
		frames, err := c.Next(t.Context())
		var damaged *journal.DamagedError
		if !errors.As(err, &damaged) || len(frames) != 2 {
			t.Fatalf("Next = %d frames, %v, want 2 and *DamagedError", len(frames), err)
		}
	})
	for _, want := range []error{journal.ErrNotFound, journal.ErrPruned} {
		t.Run(want.Error(), func(t *testing.T) {
			c := fanout.New(&memory{err: want}).Follow(runID, 0)
			defer c.Close()
			if _, err := c.Next(t.Context()); !errors.Is(err, want) {
				t.Fatalf("Next = %v, want %v", err, want)
			}
		})
	}
	t.Run("a context that ends while waiting", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := &memory{}
			m.store(1)
			c := fanout.New(m).Follow(runID, 1)
			defer c.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("Next = %v, want the context's error", err)
			}
			if _, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("Next = %v again, want the context's error", err)
			}
		})
	})
}

func TestNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		h := fanout.New(m)
		m.store(1)
		c := h.Follow(runID, 1)
		defer c.Close()
		got := make(chan contracts.Seq)
		go func() {
			frames, err := c.Next(t.Context())
			if err != nil {
				t.Errorf("Next: %v", err)
			}
			got <- frames[0].Seq
		}()
		synctest.Wait()
		select {
		case seq := <-got:
			t.Fatalf("Next returned %d before anything was published", seq)
		default:
		}
		reads := m.readCount()
		publish(h, 1, m.events[:1]) // a bell for what was seen wakes nobody for long
		synctest.Wait()
		if m.readCount() != reads {
			t.Error("a bell alone led to a read of the journal")
		}
		first, events := m.store(1)
		publish(h, first, events)
		if seq := <-got; seq != 2 {
			t.Errorf("Next returned %d, want 2", seq)
		}
	})
}

func TestStats(t *testing.T) {
	m := &memory{}
	h := fanout.New(m)
	first, events := m.store(3)
	publish(h, first, events)
	a, b, other := h.Follow(runID, 0), h.Follow(runID, 0), h.Follow(runID+"x", 0)
	if got, want := h.Stats(), (fanout.Stats{Runs: 2, Viewers: 3, Published: 3}); got != want {
		t.Errorf("Stats = %+v, want %+v", got, want)
	}
	a.Close()
	a.Close()
	other.Close()
	if got, want := h.Stats(), (fanout.Stats{Runs: 1, Viewers: 1, Published: 3}); got != want {
		t.Errorf("Stats = %+v, want %+v", got, want)
	}
	b.Close()
	if got, want := h.Stats(), (fanout.Stats{Published: 3}); got != want {
		t.Errorf("Stats = %+v, want %+v", got, want)
	}
}

// TestEveryViewerSeesTheSameBytes lets viewers come at any time and cursor, be cut and resume, while events are
// published in batches of any size through windows of any size. A bell that got lost would leave the bubble
// without a goroutine that can go on, which synctest reports.
func TestEveryViewerSeesTheSameBytes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { interleave(t, seed) })
		})
	}
}

// random returns the source of one participant's choices.
func random(seed uint64, participant int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(participant))) //nolint:gosec // a failure must be found again by its seed
}

func interleave(t *testing.T, seed uint64) {
	t.Helper()
	r := random(seed, 0)
	m := &memory{}
	h := fanout.NewWith(m, fanout.Options{
		WindowFrames: 1 + r.IntN(40), WindowBytes: 100 + r.IntN(4000), BatchFrames: 1 + r.IntN(20), BatchBytes: 1 + r.IntN(2000),
	})
	const total = 400
	m.store(1)

	var all sync.WaitGroup
	all.Go(func() {
		r := random(seed, 1)
		for sent := 1; sent < total; {
			n := min(1+r.IntN(30), total-sent)
			first, events := m.store(n)
			if r.IntN(3) == 0 {
				time.Sleep(time.Duration(r.IntN(300)) * time.Microsecond) // stored, not published yet
			}
			publish(h, first, events)
			sent += n
			time.Sleep(time.Duration(r.IntN(1000)) * time.Microsecond)
		}
		first, events := m.finish()
		h.Publish(runID, first, events, true)
	})
	type viewing struct {
		after contracts.Seq
		got   strings.Builder
	}
	viewers := make([]viewing, 12)
	for i := range viewers {
		v, r := &viewers[i], random(seed, 2+i)
		all.Go(func() {
			time.Sleep(time.Duration(r.IntN(20_000)) * time.Microsecond)
			m.mu.Lock()
			v.after = contracts.Seq(r.IntN(len(m.events)))
			m.mu.Unlock()
			after := v.after
			for after <= total { // total + the last event
				var err error
				after, err = view(t.Context(), h, r, after, &v.got)
				if err != nil {
					t.Errorf("viewer %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
	for i := range viewers {
		if got, want := viewers[i].got.String(), m.wire(viewers[i].after); got != want {
			t.Errorf("viewer %d from %d saw other bytes:\n%.300s\nwant\n%.300s", i, viewers[i].after, got, want)
		}
	}
	if got := h.Stats(); got.Runs != 0 || got.Viewers != 0 {
		t.Errorf("windows without viewers: %+v", got)
	}
}

// view follows a run for a random number of batches, and returns the cursor to resume from.
func view(ctx context.Context, h *fanout.Hub, r *rand.Rand, after contracts.Seq, to *strings.Builder) (contracts.Seq, error) {
	c := h.Follow(runID, after)
	defer c.Close()
	for range 1 + r.IntN(10) {
		frames, err := c.Next(ctx)
		if errors.Is(err, io.EOF) {
			return after, nil
		}
		if err != nil {
			return after, err
		}
		for _, f := range frames {
			to.Write(f.SSE)
			after = f.Seq
		}
		time.Sleep(time.Duration(r.IntN(2000)) * time.Microsecond)
	}
	return after, nil
}

func TestPublishDoesNotWaitForViewers(t *testing.T) {
	m := &memory{}
	h := fanout.New(m)
	for range 3 {
		defer h.Follow(runID, 0).Close() // it never reads
	}
	for range 10_000 {
		first, events := m.store(1)
		publish(h, first, events) // a bell with no room would block here for ever
	}
	late := h.Follow(runID, 9_990)
	defer late.Close()
	wantSeqs(t, seqs(t, late), 9_991, 10_000)
}

// endless is a journal in which every event is the same and that ends where last says.
type endless struct {
	journal.Reader
	event []byte
	last  atomic.Int64
}

func (e *endless) Read(_ context.Context, _ contracts.RunID, after contracts.Seq, maxEvents, _ int) (journal.Page, error) {
	page := journal.Page{Last: contracts.Seq(e.last.Load())}
	for seq := after + 1; seq <= page.Last && len(page.Events) < maxEvents; seq++ {
		page.Events = append(page.Events, journal.Event{Seq: seq, JSON: e.event})
	}
	return page, nil
}

func BenchmarkPublish(b *testing.B) {
	event := []byte(`{"schema_version":2,"run_id":"` + string(runID) + `","seq":1,"type":"token","data":{"id":"m1","delta":"` + strings.Repeat("x", 100) + `"}}`)
	for _, viewers := range []int{0, 1, 1000} {
		b.Run(fmt.Sprintf("viewers=%d", viewers), func(b *testing.B) {
			stored := &endless{event: event}
			h := fanout.New(stored)
			ctx, cancel := context.WithCancel(b.Context())
			var all sync.WaitGroup
			for range viewers {
				c := h.Follow(runID, 0)
				all.Go(func() {
					defer c.Close()
					for ctx.Err() == nil {
						if _, err := c.Next(ctx); err != nil && ctx.Err() == nil {
							b.Errorf("Next: %v", err)
							return
						}
					}
				})
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(event)))
			batch := [][]byte{event}
			for b.Loop() {
				h.Publish(runID, contracts.Seq(stored.last.Add(1)), batch, false)
			}
			cancel()
			all.Wait()
		})
	}
}
