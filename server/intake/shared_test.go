package intake_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/server/fanout"
	"axiom25/server/intake"
	"axiom25/server/journal"
)

// shared is a journal that several doors write to. Its changes are told by whoever appends.
type shared struct {
	journal.Journal

	mu    sync.Mutex
	rows  map[int]func(contracts.Summary)
	runs  map[int]watchedRun
	count int
}

type watchedRun struct {
	id      contracts.RunID
	changed func(journal.Change)
}

var _ journal.Live = (*shared)(nil)

func share(j journal.Journal) *shared {
	return &shared{Journal: j, rows: make(map[int]func(contracts.Summary)), runs: make(map[int]watchedRun)}
}

func (s *shared) Create(ctx context.Context, run journal.Run, first journal.Batch) error {
	err := s.Journal.Create(ctx, run, first)
	if err == nil {
		s.tell(run.ID, first)
	}
	return err
}

func (s *shared) Append(ctx context.Context, id contracts.RunID, b journal.Batch) error {
	err := s.Journal.Append(ctx, id, b)
	if err == nil {
		s.tell(id, b)
	}
	return err
}

func (s *shared) tell(id contracts.RunID, b journal.Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.rows {
		row := b.Summary
		row.RunID = id
		f(row)
	}
	for _, w := range s.runs {
		if w.id == id {
			w.changed(journal.Change{Run: id, Last: b.After + contracts.Seq(len(b.Events)), State: b.Summary.State})
		}
	}
}

func watchIn[T any](s *shared, set map[int]T, f T) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	n := s.count
	set[n] = f
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(set, n)
	}
}

func (s *shared) WatchRun(_ context.Context, id contracts.RunID, changed func(journal.Change)) (func(), error) {
	stop := watchIn(s, s.runs, watchedRun{id, changed})
	s.mu.Lock()
	defer s.mu.Unlock()
	changed(journal.Change{Run: id})
	return stop, nil
}

func (s *shared) WatchRuns(_ context.Context, changed func(contracts.Summary)) (func(), error) {
	return watchIn(s, s.rows, changed), nil
}

func (s *shared) WatchTools(context.Context, func()) (func(), error) { return func() {}, nil }

// twoDoors are two servers over one journal; the second has engines of its own.
func twoDoors(tb testing.TB) (a, b *door) {
	tb.Helper()
	a = openWithTools(tb, func(c *intake.Config) { c.Journal = share(c.Journal) })
	other := *a
	b = &other
	b.hands = &hands{}
	b.hub = fanout.New(a.journal)
	var err error
	b.Intake, err = intake.New(b.config())
	if err != nil {
		tb.Fatal(err)
	}
	return a, b
}

// What another server appended counts at once, though this one has folded the run before.
func TestTwoServers(t *testing.T) {
	t.Parallel()

	t.Run("each knows what the other stored", func(t *testing.T) {
		t.Parallel()
		a, b := twoDoors(t)
		id := a.create(withTools)
		b.mustReport(id, `tool_start {"call_id":"c","tool":"send","args":{"to":"x"}}`)
		snapshot, err := a.Snapshot(t.Context(), id)
		if err != nil || snapshot.State != contracts.StateWaiting || len(snapshot.OpenCalls) != 1 {
			t.Fatalf("snapshot %+v, %v", snapshot, err)
		}
		if err := a.Decide(t.Context(), id, snapshot.OpenCalls[0].Approval.ID, contracts.ApprovalDecision{Decision: contracts.VerbApprove}); err != nil {
			t.Fatal(problemText(err))
		}
		b.mustReport(id, `tool_end {"call_id":"c","status":"ok","output":{}}`) // refused, had it not learnt of the approval
		if err := a.Cancel(t.Context(), id, contracts.CancelRequest{}); err != nil {
			t.Fatal(problemText(err))
		}
		_, err = b.report(id, `tool_start {"call_id":"d","tool":"lookup","args":{"q":"x"}}`)
		wantProblem(t, err, contracts.ProblemIllegalTransition)
		if _, err := b.answer(id, "m", "x"); err != nil {
			t.Fatal(problemText(err))
		}
		err = a.Cancel(t.Context(), id, contracts.CancelRequest{})
		wantProblem(t, err, contracts.ProblemRunFinished)
		a.wantWhole(id)
	})

	t.Run("a lease that one gave out, the other knows", func(t *testing.T) {
		t.Parallel()
		a, b := twoDoors(t)
		id := a.create("")
		if _, err := b.Snapshot(t.Context(), id); err != nil { // folded while nobody had claimed it
			t.Fatal(err)
		}
		token := a.mustClaim(id)
		_, err := b.report(id, thought)
		wantProblem(t, err, contracts.ProblemLeaseLost)
		for i, d := range []*door{b, a, b} {
			if _, err := d.As(token).Append(t.Context(), id, engineEvents(t, thought), nil); err != nil {
				t.Fatalf("report %d: %v", i, problemText(err))
			}
		}
		if err := b.As(token).Release(t.Context(), id); err != nil {
			t.Fatal(problemText(err))
		}
		_, err = a.As(token).Append(t.Context(), id, engineEvents(t, thought), nil)
		wantProblem(t, err, contracts.ProblemLeaseLost)
	})

	t.Run("a request that one answered, the other answers alike", func(t *testing.T) {
		t.Parallel()
		a, b := twoDoors(t)
		id := a.create("")
		origin := &journal.Origin{After: 0, Digest: contracts.DigestText("body")}
		first, err := a.Append(t.Context(), id, engineEvents(t, thought), origin)
		if err != nil {
			t.Fatal(problemText(err))
		}
		again, err := b.Append(t.Context(), id, engineEvents(t, thought), origin)
		if err != nil || again.Seq != first.Seq || len(again.Events) != len(first.Events) {
			t.Errorf("again %+v, %v", again, problemText(err))
		}
		b.wantStory(id, "queued(submitted)", "running(started)", "thought")
	})

	t.Run("an engine waits at one for what another creates", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			a, b := twoDoors(t)
			b.keepDeadlines()
			claimed := make(chan *contracts.Claimed)
			go func() { claimed <- b.claim(20 * time.Second) }()
			synctest.Wait()
			id := a.create("")
			if c := <-claimed; c == nil || c.RunID != id {
				t.Errorf("claimed %+v, want %s", c, id)
			}
		})
	})

	t.Run("a dead server's runs are ended or begun, and its engines' runs offered", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			a, b := twoDoors(t)
			begun, queued := a.create(`,"backend":{"prefer":["local"]}`), a.create(`,"backend":{"prefer":["local"]}`)
			lease, err := a.Hold(t.Context(), begun)
			if err != nil {
				t.Fatal(err)
			}
			dead := a.As(intake.Token(lease.Token))
			if err := dead.Start(t.Context(), begun); err != nil {
				t.Fatal(problemText(err))
			}
			external := a.create("")
			lost := a.mustClaim(external)
			if err := b.Recover(t.Context()); err != nil { // it starts, and leaves the leases of others alone
				t.Fatal(err)
			}
			b.wantStory(begun, "queued(submitted)", "running(started)")
			if _, err := dead.Renew(t.Context(), begun); err != nil {
				t.Fatal(problemText(err))
			}
			b.keepDeadlines()
			time.Sleep(time.Minute)
			synctest.Wait()
			b.wantWhole(begun)
			b.wantStory(begun, "queued(submitted)", "running(started)", "tick", "error fatal=true", "done failed")
			if started := b.hands.startedRuns(); !slices.Contains(started, queued) || slices.Contains(started, begun) {
				t.Errorf("started %v, want %s", started, queued)
			}
			_, err = dead.Append(t.Context(), begun, engineEvents(t, thought), nil)
			wantProblem(t, err, contracts.ProblemRunFinished)
			b.mustClaim(external)
			_, err = a.As(lost).Append(t.Context(), external, engineEvents(t, thought), nil)
			wantProblem(t, err, contracts.ProblemLeaseLost)
		})
	})

	t.Run("a dead server's deadlines are kept", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			a, b := twoDoors(t)
			b.keepDeadlines()
			draining := a.create("")
			a.mustReport(draining, thought)
			if err := a.Cancel(t.Context(), draining, contracts.CancelRequest{}); err != nil {
				t.Fatal(err)
			}
			silent := a.create(`,"budget":{"max_wall_ms":20000,"max_active_ms":20000,"on_exhausted":"stop"}`)
			a.mustReport(silent, thought)
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			for id, want := range map[contracts.RunID]contracts.State{draining: contracts.StateCancelled, silent: contracts.StateExhausted} {
				if done := b.wantWhole(id); done.Status != want {
					t.Errorf("ended %s, want %s", done.Status, want)
				}
			}
		})
	})
}

// TestTwoServers_atRandom lets engines and people use two servers at once, each call at either. Nothing that was
// acknowledged is lost, repeated or out of order, every run keeps every invariant, and both servers see the same.
func TestTwoServers_atRandom(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			a, b := twoDoors(t)
			doors := []*door{a, b}
			ids := make([]contracts.RunID, 4)
			for i := range ids {
				ids[i] = doors[i%2].create(withTools)
			}
			acked := make([][]string, len(ids))
			var all sync.WaitGroup
			for i, id := range ids {
				all.Go(func() { acked[i] = reportAtRandom(t, random(seed, i), doors, id) })
				all.Go(func() { lookAtRandom(t, random(seed, 100+i), doors, id) })
			}
			all.Wait()
			for i, id := range ids {
				if err := a.Cancel(t.Context(), id, contracts.CancelRequest{}); err != nil {
					wantProblem(t, err, contracts.ProblemRunFinished)
				}
				if err := b.Leave(t.Context(), id); err != nil {
					t.Fatal(problemText(err))
				}
				wantAcked(t, a, id, acked[i])
				one, errA := a.Snapshot(t.Context(), id)
				two, errB := b.Snapshot(t.Context(), id)
				if errA != nil || errB != nil || problemJSON(one) != problemJSON(two) {
					t.Errorf("one sees\n%s %v\nthe other\n%s %v", problemJSON(one), errA, problemJSON(two), errB)
				}
			}
		})
	}
}

// random returns the source of one participant's choices.
func random(seed uint64, participant int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(participant))) //nolint:gosec // a failure must be found again by its seed
}

// problemJSON shows a value whole.
func problemJSON(v any) string {
	b, err := contracts.Encode(v)
	return fmt.Sprint(string(b), err)
}

// reportAtRandom is an engine that reports at either server, sends some batches twice, and returns what was acknowledged.
func reportAtRandom(t *testing.T, r *rand.Rand, doors []*door, id contracts.RunID) []string {
	t.Helper()
	var acked []string
	after := contracts.Seq(0)
	for n := range 60 {
		text := fmt.Sprintf(`{"id":"t%d","delta":"%d"}`, n, n)
		origin := &journal.Origin{After: after, Digest: contracts.DigestText(text)}
		for range 1 + r.IntN(2) {
			stored, err := doors[r.IntN(2)].Append(t.Context(), id, engineEvents(t, "thought "+text), origin)
			if err != nil {
				t.Errorf("batch %d of run %s: %v", n, id, problemText(err))
				return acked
			}
			after = stored.Seq
		}
		acked = append(acked, fmt.Sprint("t", n))
		if n%10 == 3 {
			call := fmt.Sprint("c", n)
			_, err := doors[r.IntN(2)].report(id, fmt.Sprintf(`tool_start {"call_id":%q,"tool":"send","args":{"to":"x"}}`, call))
			if err != nil {
				t.Errorf("call %s of run %s: %v", call, id, problemText(err))
				return acked
			}
			snapshot, err := doors[r.IntN(2)].Snapshot(t.Context(), id)
			if err != nil {
				t.Error(err)
				return acked
			}
			after = snapshot.LastSeq
		}
	}
	return acked
}

// lookAtRandom is a person who looks, and decides about every call that waits, at either server.
func lookAtRandom(t *testing.T, r *rand.Rand, doors []*door, id contracts.RunID) {
	t.Helper()
	for range 100 {
		s, err := doors[r.IntN(2)].Snapshot(t.Context(), id)
		if err != nil {
			t.Error(err)
			return
		}
		for _, call := range s.OpenCalls {
			verb := []contracts.ApprovalVerb{contracts.VerbApprove, contracts.VerbDeny}[r.IntN(2)]
			err := doors[r.IntN(2)].Decide(t.Context(), id, call.Approval.ID, contracts.ApprovalDecision{Decision: verb})
			if p, ok := errors.AsType[*contracts.Problem](err); err != nil && (!ok || !p.Has(contracts.ProblemApprovalDecided)) {
				t.Error(problemText(err))
			}
		}
		time.Sleep(time.Duration(r.IntN(3000)) * time.Microsecond)
	}
}

// wantAcked checks a run against what was acknowledged to its engine, in that order.
func wantAcked(t *testing.T, d *door, id contracts.RunID, acked []string) {
	t.Helper()
	events := d.events(id)
	if err := runstate.Check(slices.Values(events)); err != nil {
		t.Errorf("Check = %v", err)
	}
	var stored []string
	for _, ev := range events {
		if data, ok := ev.Data.(*contracts.ThoughtData); ok {
			stored = append(stored, data.ID)
		}
	}
	if !slices.Equal(stored, acked) {
		t.Errorf("stored %v\nacknowledged %v", stored, acked)
	}
}
