package intake_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"axiom25/contracts"
	"axiom25/server/intake"
	"axiom25/server/journal"
	"axiom25/server/journal/faultjournal"
)

// briefLeases makes leases as short as they can be.
func briefLeases(c *intake.Config) { c.LeaseTTL, c.NodeTTL = time.Second, time.Second }

// claim asks for a run without waiting; it returns nil where there is none.
func (d *door) claim(wait time.Duration) *contracts.Claimed {
	d.t.Helper()
	c, err := d.Claim(d.t.Context(), contracts.ClaimRequest{Backend: contracts.ExternalEngine, Worker: "w", WaitMS: wait.Milliseconds()})
	if err != nil {
		d.t.Fatalf("Claim = %v", problemText(err))
	}
	return c
}

// mustClaim expects a run.
func (d *door) mustClaim(want contracts.RunID) intake.Token {
	d.t.Helper()
	c := d.claim(10 * time.Second)
	if c == nil || c.RunID != want {
		d.t.Fatalf("claimed %+v, want run %s", c, want)
	}
	return intake.Token(c.Lease.Token)
}

const thought = `thought {"id":"t","delta":"x"}`

func TestClaim(t *testing.T) {
	t.Parallel()

	t.Run("gives the oldest run, with all that is needed", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		first, second := d.create(withTools), d.create("")
		c := d.claim(0)
		if c == nil || c.RunID != first {
			t.Fatalf("claimed %+v, want %s", c, first)
		}
		if string(c.Task) != task(withTools) || len(c.Tools) != 2 || c.LastSeq != 2 || c.EngineSeq != 0 || c.Limits.MaxTokens == 0 {
			t.Errorf("claimed %+v", c)
		}
		if c.Lease.Holder != "engine:external/w" || c.Lease.Epoch != 1 || c.Lease.TTLMS != 30_000 || c.Lease.ExpiresAt <= contracts.TimeOf(now()) {
			t.Errorf("lease %+v", c.Lease)
		}
		d.wantStory(first, "queued(submitted)", "running(started)")
		if s, err := d.Snapshot(t.Context(), first); err != nil || s.Lease != contracts.LeaseHeld {
			t.Errorf("snapshot lease %q, %v", s.Lease, err)
		}
		d.mustClaim(second)
		if c := d.claim(0); c != nil {
			t.Errorf("a third claim got %s", c.RunID)
		}
	})

	t.Run("a run of another engine is nobody's to claim", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		d.create(`,"backend":{"prefer":["local"]}`)
		if c := d.claim(0); c != nil {
			t.Errorf("claimed %s", c.RunID)
		}
		_, err := d.Claim(t.Context(), contracts.ClaimRequest{Backend: "local"})
		wantProblem(t, err, contracts.ProblemUnavailable)
	})

	t.Run("a run that ended, or was begun without a lease, is not given out", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		cancelled, begun := d.create(""), d.create("")
		if err := d.Cancel(t.Context(), cancelled, contracts.CancelRequest{}); err != nil {
			t.Fatal(err)
		}
		d.mustReport(begun, thought)
		if c := d.claim(0); c != nil {
			t.Errorf("claimed %s", c.RunID)
		}
		d.mustReport(begun, thought) // and goes on without one
	})

	t.Run("of many who wait one gets a run, and who waited longest", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		const claimers = 20
		got := make(chan contracts.RunID, claimers)
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range claimers {
			all.Go(func() {
				c, err := d.Claim(ctx, contracts.ClaimRequest{Backend: contracts.ExternalEngine, WaitMS: 30_000})
				switch {
				case errors.Is(err, context.Canceled):
				case err != nil || c == nil:
					t.Errorf("Claim = %v, %v", c, problemText(err))
				default:
					got <- c.RunID
				}
			})
		}
		var created []contracts.RunID
		for range claimers / 2 {
			created = append(created, d.create(""))
		}
		var claimed []contracts.RunID
		for range created {
			claimed = append(claimed, <-got)
		}
		stop()
		all.Wait()
		slices.Sort(claimed)
		if len(got) > 0 || !slices.Equal(claimed, created) {
			t.Errorf("claimed %v and %d more, created %v", claimed, len(got), created)
		}
	})

	t.Run("a claim that cannot be stored leaves the run to the next", func(t *testing.T) {
		t.Parallel()
		faults, withFaults := faulty()
		d := open(t, withFaults)
		id := d.create("")
		(*faults).Fail(faultjournal.OpAppend, 1, journal.ErrBusy)
		_, err := d.Claim(t.Context(), contracts.ClaimRequest{Backend: contracts.ExternalEngine})
		if !errors.Is(err, journal.ErrBusy) {
			t.Fatalf("Claim = %v", err)
		}
		d.mustClaim(id)
	})
}

func TestLease(t *testing.T) {
	t.Parallel()

	t.Run("only its holder reports", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		holder := d.As(d.mustClaim(id))
		if _, err := holder.Append(t.Context(), id, engineEvents(t, thought), nil); err != nil {
			t.Fatal(problemText(err))
		}
		story := d.story(id)
		for name, token := range map[string]intake.Token{"none": "", "no token": "x", "another secret": "1.x", "another epoch": "2.x"} {
			_, err := d.As(token).Append(t.Context(), id, engineEvents(t, thought), nil)
			wantProblem(t, err, contracts.ProblemLeaseLost)
			_, err = d.As(token).Answer(t.Context(), id, contracts.Answer{MessageID: "m", Channel: contracts.ChannelAnswer, Text: "x"})
			wantProblem(t, err, contracts.ProblemLeaseLost)
			_, err = d.As(token).Renew(t.Context(), id)
			wantProblem(t, err, contracts.ProblemLeaseLost)
			err = d.As(token).Release(t.Context(), id)
			wantProblem(t, err, contracts.ProblemLeaseLost)
			if token != "" {
				_, err = d.As(token).TaskFor(t.Context(), id)
				wantProblem(t, err, contracts.ProblemLeaseLost)
			}
			if got := d.story(id); !slices.Equal(got, story) {
				t.Fatalf("%s left %q", name, got[len(story):])
			}
		}
		if _, err := holder.Answer(t.Context(), id, contracts.Answer{MessageID: "m", Channel: contracts.ChannelAnswer, Text: "x"}); err != nil {
			t.Fatal(problemText(err))
		}
		if err := holder.Release(t.Context(), id); err != nil {
			t.Errorf("Release of an ended run = %v", problemText(err))
		}
		d.wantWhole(id)
	})

	t.Run("its holder reads the whole task", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		const withKey = `,"inputs":[{"name":"key","text":"open sesame","sensitive":true}]`
		id := d.create(withKey)
		token := d.mustClaim(id)
		whole, err := d.As(token).TaskFor(t.Context(), id)
		if err != nil || string(whole.Shown) != task(withKey) {
			t.Errorf("task %s, %v", whole.Shown, err)
		}
		shown, err := d.As("").TaskFor(t.Context(), id)
		if err != nil || string(shown.Shown) == task(withKey) {
			t.Errorf("task without the lease %s, %v", shown.Shown, err)
		}
	})

	t.Run("reports renew it, and its time is over without", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			d := open(t, briefLeases)
			d.keepDeadlines()
			id := d.create("")
			holder := d.As(d.mustClaim(id))
			for range 8 {
				if _, err := holder.Append(t.Context(), id, engineEvents(t, thought), nil); err != nil {
					t.Fatal(problemText(err))
				}
				time.Sleep(250 * time.Millisecond)
			}
			next := d.mustClaim(id)
			before := d.story(id)
			_, err := holder.Append(t.Context(), id, engineEvents(t, thought), nil)
			wantProblem(t, err, contracts.ProblemLeaseLost)
			if _, err := holder.Renew(t.Context(), id); err == nil {
				t.Error("a lost lease was renewed")
			}
			if got := d.story(id); !slices.Equal(got, before) {
				t.Errorf("an expired holder left %q", got[len(before):])
			}
			if _, err := d.As(next).Answer(t.Context(), id, contracts.Answer{MessageID: "m", Channel: contracts.ChannelAnswer, Text: "x"}); err != nil {
				t.Fatal(problemText(err))
			}
			d.wantWhole(id)
			want := []string{"queued(submitted)", "running(started)"}
			for range 8 {
				want = append(want, "thought")
			}
			d.wantStory(id, append(want, "error fatal=false", "tick", "tick", "done succeeded")...)
		})
	})

	t.Run("its end may end the run", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			d := open(t, briefLeases, func(c *intake.Config) { c.Expiry = intake.ExpiryEnd })
			d.keepDeadlines()
			id := d.create("")
			d.mustClaim(id)
			d.awaitEnd(id)
			d.wantStory(id, "queued(submitted)", "running(started)", "tick", "error fatal=true", "done failed")
			d.wantWhole(id)
		})
	})

	t.Run("a run that drains when it is over ends", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			d := open(t, briefLeases, func(c *intake.Config) { c.DrainGrace = time.Hour })
			d.keepDeadlines()
			id := d.create("")
			d.mustClaim(id)
			if err := d.Cancel(t.Context(), id, contracts.CancelRequest{}); err != nil {
				t.Fatal(err)
			}
			d.awaitEnd(id)
			if done := d.wantWhole(id); done.Status != contracts.StateCancelled {
				t.Errorf("ended %s", done.Status)
			}
		})
	})

	t.Run("given back, it lets another go on", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		first := d.As(d.mustClaim(id))
		if err := first.Release(t.Context(), id); err != nil {
			t.Fatal(problemText(err))
		}
		if s, err := d.Snapshot(t.Context(), id); err != nil || s.Lease != contracts.LeaseOpen {
			t.Errorf("snapshot lease %q, %v", s.Lease, err)
		}
		_, err := first.Append(t.Context(), id, engineEvents(t, thought), nil)
		wantProblem(t, err, contracts.ProblemLeaseLost)
		_, err = d.report(id, thought)
		wantProblem(t, err, contracts.ProblemLeaseLost)
		second := d.As(d.mustClaim(id))
		if _, err := second.Append(t.Context(), id, engineEvents(t, thought), nil); err != nil {
			t.Error(problemText(err))
		}
		d.wantStory(id, "queued(submitted)", "running(started)", "error fatal=false", "tick", "thought")
	})

	t.Run("it outlives the server, and lapses after", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			d := open(t, briefLeases)
			held, silent := d.create(""), d.create("")
			holder, lost := d.mustClaim(held), d.mustClaim(silent)
			again, err := intake.New(d.config(briefLeases))
			if err != nil {
				t.Fatal(err)
			}
			d.Intake = again
			if err := d.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			d.keepDeadlines()
			for range 6 {
				if _, err := d.As(holder).Append(t.Context(), held, engineEvents(t, thought), nil); err != nil {
					t.Fatal(problemText(err))
				}
				time.Sleep(250 * time.Millisecond)
			}
			d.mustClaim(silent)
			_, err = d.As(lost).Append(t.Context(), silent, engineEvents(t, thought), nil)
			wantProblem(t, err, contracts.ProblemLeaseLost)
		})
	})
}

func TestHold(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.create(`,"backend":{"prefer":["local"]}`)
	lease, err := d.Hold(t.Context(), id)
	if err != nil || lease.TTLMS != intake.DefaultNodeTTL.Milliseconds() {
		t.Fatalf("Hold = %+v, %v", lease, err)
	}
	var held *journal.HeldError
	if _, err := d.Hold(t.Context(), id); !errors.As(err, &held) {
		t.Errorf("a second Hold = %v", err)
	}
	_, err = d.report(id, thought)
	wantProblem(t, err, contracts.ProblemLeaseLost)
	engine := d.As(intake.Token(lease.Token))
	if err := engine.Start(t.Context(), id); err != nil {
		t.Fatal(problemText(err))
	}
	if _, err := engine.Renew(t.Context(), id); err != nil {
		t.Error(problemText(err))
	}

	// A server that is alone with its journal knows that the holder is dead: itself, before it was started again.
	again, err := intake.New(d.config())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.wantStory(id, "queued(submitted)", "running(started)", "tick", "error fatal=true", "done failed")
	d.wantWhole(id)
}

// awaitEnd waits until a run has ended.
func (d *door) awaitEnd(id contracts.RunID) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 20*time.Second)
	defer cancel()
	cursor := d.hub.Follow(id, 0)
	defer cursor.Close()
	for {
		if _, err := cursor.Next(ctx); ctx.Err() != nil {
			d.t.Fatalf("the run goes on: %q", d.story(id))
		} else if err != nil {
			return
		}
	}
}

func TestFork(t *testing.T) {
	t.Parallel()
	d := open(t)
	parent := d.create(`,"labels":{"a":"b"}`)
	d.mustReport(parent, thought, thought)
	fork := func(seq contracts.Seq, doc string, key string) (contracts.Created, bool, error) {
		return d.Fork(t.Context(), parent, seq, []byte(doc)[:len(doc):len(doc)], intake.CreateOptions{IdempotencyKey: key})
	}
	child, replayed, err := d.Fork(t.Context(), parent, 3, nil, intake.CreateOptions{IdempotencyKey: "k"})
	if err != nil || replayed {
		t.Fatalf("Fork = %v, %v", replayed, problemText(err))
	}
	first := body[*contracts.StatusData](t, d.events(child.RunID)[0])
	if first.ForkedFrom == nil || *first.ForkedFrom != (contracts.ForkOrigin{RunID: parent, Seq: 3}) {
		t.Errorf("forked from %+v", first.ForkedFrom)
	}
	if got, err := d.Task(t.Context(), child.RunID); err != nil || string(got.Shown) != task(`,"labels":{"a":"b"}`) {
		t.Errorf("task %s, %v", got.Shown, err)
	}
	d.wantStory(parent, "queued(submitted)", "running(started)", "thought", "thought")
	again, replayed, err := d.Fork(t.Context(), parent, 3, nil, intake.CreateOptions{IdempotencyKey: "k"})
	if err != nil || !replayed || again.RunID != child.RunID {
		t.Errorf("the same again = %+v, %v, %v", again, replayed, problemText(err))
	}
	_, _, err = d.Fork(t.Context(), parent, 2, nil, intake.CreateOptions{IdempotencyKey: "k"})
	wantProblem(t, err, contracts.ProblemIdempotencyConflict)
	_, _, err = d.Create(t.Context(), []byte(task(`,"labels":{"a":"b"}`)), intake.CreateOptions{IdempotencyKey: "k"})
	wantProblem(t, err, contracts.ProblemIdempotencyConflict)

	other, _, err := fork(1, `{"schema_version":1,"goal":"older","inputs":{"a":"b"}}`, "")
	if err != nil {
		t.Fatal(problemText(err))
	}
	if s, err := d.Snapshot(t.Context(), other.RunID); err != nil || s.Goal != "older" || s.ForkedFrom.Seq != 1 {
		t.Errorf("snapshot %+v, %v", s, err)
	}
	_, _, err = fork(5, `{"schema_version":2,"goal":"x"}`, "")
	if p := wantProblem(t, err, contracts.ProblemInvalidDocument); len(p.Errors) != 1 || p.Errors[0].Pointer != "#/seq" {
		t.Errorf("problem %+v", p)
	}
	_, _, err = fork(1, `{"schema_version":1,"goal":"x","budget":{"tokens":999999999}}`, "")
	if p := wantProblem(t, err, contracts.ProblemOverCeiling); len(p.Errors) != 1 || p.Errors[0].Pointer != "#/task/budget/tokens" {
		t.Errorf("problem %+v", p)
	}
	_, _, err = d.Fork(t.Context(), "run_00000000000000000000000000", 1, nil, intake.CreateOptions{})
	wantProblem(t, err, contracts.ProblemNotFound)
}

// A key that is taken is answered although the task could not be created any more.
func TestCreate_replaysBeforeItJudges(t *testing.T) {
	t.Parallel()
	d := openWithTools(t)
	doc := []byte(task(withTools))
	first, _, err := d.Create(t.Context(), doc, intake.CreateOptions{IdempotencyKey: "k"})
	if err != nil {
		t.Fatal(problemText(err))
	}
	d.shelf.remove("lookup@1.0.0")
	d.hands.refusal = errors.New("no engine")
	again, replayed, err := d.Create(t.Context(), doc, intake.CreateOptions{IdempotencyKey: "k"})
	if err != nil || !replayed || again.RunID != first.RunID {
		t.Errorf("Create = %+v, %v, %v", again, replayed, problemText(err))
	}
}

func TestFeed(t *testing.T) {
	t.Parallel()
	d := openWithTools(t)
	id := d.create(withTools)
	var batches [][]contracts.EngineEvent
	for i := range 6 {
		batches = append(batches, engineEvents(t, fmt.Sprintf(`thought {"id":"t%d","delta":"x"}`, i), `budget {"used":{"tokens_in":1}}`))
	}
	batches = append(batches, engineEvents(t, `tool_start {"call_id":"c","tool":"lookup","args":{"q":"a"}}`), engineEvents(t, `tool_end {"call_id":"c","status":"ok","output":{"a":1}}`))
	start := contracts.Seq(0)
	feed, err := d.As("").Feed(t.Context(), id, &start)
	if err != nil {
		t.Fatal(problemText(err))
	}
	acks, err := feed.Append(t.Context(), batches[:5])
	if err != nil || len(acks) != 5 || acks[4] != feed.At() || !slices.IsSorted(acks) {
		t.Fatalf("acks %v, %v", acks, problemText(err))
	}
	if calls := len(d.events(id)); calls < 7 {
		t.Fatalf("%d events", calls)
	}

	// It comes back as if it had seen the second acknowledgement, and the first connection is still there.
	second, err := d.As("").Feed(t.Context(), id, &acks[1])
	if err != nil {
		t.Fatal(problemText(err))
	}
	more, err := second.Append(t.Context(), batches[2:])
	if err != nil || len(more) != len(batches)-2 {
		t.Fatalf("acks %v, %v", more, problemText(err))
	}
	_, err = feed.Append(t.Context(), batches[5:6])
	wantProblem(t, err, contracts.ProblemSequenceConflict)
	if done, err := d.answer(id, "m", "8"); err != nil || done.Done == nil {
		t.Fatal(problemText(err))
	}
	d.wantWhole(id)
	thoughts := 0
	for _, s := range d.story(id) {
		if s == "thought" {
			thoughts++
		}
	}
	if thoughts != 6 {
		t.Errorf("%d thoughts: %q", thoughts, d.story(id))
	}

	// What was stored before the end is recognized after it.
	last, err := d.As("").Feed(t.Context(), id, &acks[1])
	if err != nil {
		t.Fatal(problemText(err))
	}
	if again, err := last.Append(t.Context(), batches[2:]); err != nil || len(again) != len(batches)-2 {
		t.Errorf("acks %v, %v", again, problemText(err))
	}
	_, err = last.Append(t.Context(), batches[:1])
	wantProblem(t, err, contracts.ProblemRunFinished)
}

func TestFeed_refusesOneOfMany(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.create("")
	feed, err := d.As("").Feed(t.Context(), id, nil)
	if err != nil {
		t.Fatal(problemText(err))
	}
	good := func(n int) []contracts.EngineEvent {
		return engineEvents(t, fmt.Sprintf(`thought {"id":"t%d","delta":"x","final":true}`, n))
	}
	bad := engineEvents(t, `thought {"id":"new","delta":"x"}`, `tool_end {"call_id":"none","status":"ok"}`)
	acks, err := feed.Append(t.Context(), [][]contracts.EngineEvent{good(1), good(2), good(3), bad, good(4)})
	p := wantProblem(t, err, contracts.ProblemIllegalTransition)
	if len(acks) != 3 || len(p.Errors) != 1 || p.Errors[0].Pointer != "#/1" {
		t.Errorf("acks %v, problem %+v", acks, p)
	}
	d.wantStory(id, "queued(submitted)", "running(started)", "thought", "thought", "thought")

	other := d.create("")
	if feed, err = d.As("").Feed(t.Context(), other, nil); err != nil {
		t.Fatal(problemText(err))
	}
	ahead := contracts.Seq(7)
	_, err = d.As("").Feed(t.Context(), other, &ahead)
	wantProblem(t, err, contracts.ProblemSequenceConflict)
	if _, err := feed.Append(t.Context(), [][]contracts.EngineEvent{good(1)}); err != nil {
		t.Fatal(problemText(err))
	}
	start := contracts.Seq(0)
	if feed, err = d.As("").Feed(t.Context(), other, &start); err != nil {
		t.Fatal(problemText(err))
	}
	_, err = feed.Append(t.Context(), [][]contracts.EngineEvent{good(2)})
	wantProblem(t, err, contracts.ProblemSequenceConflict) // other events than those that are there
}
