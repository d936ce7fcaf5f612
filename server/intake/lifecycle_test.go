package intake_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/fanout"
	"axiom25/server/intake"
	"axiom25/server/journal"
	"axiom25/server/journal/faultjournal"
)

func TestCancel(t *testing.T) {
	t.Parallel()

	t.Run("a queued run ends at once", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		if err := d.Cancel(t.Context(), id, contracts.CancelRequest{}); err != nil {
			t.Fatal(problemText(err))
		}
		d.wantStory(id, "queued(submitted)", "done cancelled")
		d.wantWhole(id)
		wantProblem(t, d.Cancel(t.Context(), id, contracts.CancelRequest{}), contracts.ProblemRunFinished)
	})

	t.Run("a running run drains, and may be cancelled again meanwhile", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools)
		d.mustReport(id, `tool_start {"call_id":"c","tool":"lookup","args":{}}`)
		for range 2 {
			if err := d.Cancel(t.Context(), id, contracts.CancelRequest{Reason: "enough"}); err != nil {
				t.Fatal(problemText(err))
			}
		}
		if err := d.Leave(t.Context(), id); err != nil {
			t.Fatal(problemText(err))
		}
		d.wantStory(id, "queued(submitted)", "running(started)", "start c allow", "tick", "draining(cancel)", "end c cancelled", "tick", "done cancelled")
		d.wantWhole(id)
	})

	t.Run("a waiting call is cancelled with its run", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id, request := d.ask("")
		if err := d.Cancel(t.Context(), id, contracts.CancelRequest{}); err != nil {
			t.Fatal(problemText(err))
		}
		d.wantStory(id, "queued(submitted)", "running(started)", "start c1 ask", "waiting(approval)", "tick", "draining(cancel)", "cancelled c1", "end c1 cancelled")
		err := d.Decide(t.Context(), id, request.ID, contracts.ApprovalDecision{Decision: contracts.VerbApprove})
		wantProblem(t, err, contracts.ProblemApprovalDecided)
		if j, err := d.answer(id, "m", "late"); err != nil || j.Done.Status != contracts.StateCancelled {
			t.Errorf("Answer = %+v, %v", j, problemText(err))
		}
		d.wantWhole(id)
	})

	t.Run("an unknown run", func(t *testing.T) {
		t.Parallel()
		wantProblem(t, open(t).Cancel(t.Context(), "run_01hzzzzzzzzzzzzzzzzzzzzzzz", contracts.CancelRequest{}), contracts.ProblemNotFound)
	})
}

func TestEnd(t *testing.T) {
	t.Parallel()

	t.Run("an engine's fatal error ends the run", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id, _ := d.ask("")
		d.mustReport(id, `tool_start@b {"call_id":"c2","tool":"lookup","args":{}}`)
		d.mustReport(id, `error {"type":"/problems/engine-failed","title":"The model is gone","status":502,"fatal":true}`)
		story := d.story(id)
		want := []string{"cancelled c1", "end c1 cancelled", "tick", "error fatal=true", "end c2 cancelled", "done failed"}
		if !equal(story[len(story)-len(want):], want) {
			t.Errorf("story %q", story)
		}
		d.wantWhole(id)
		_, err := d.report(id, `thought {"id":"t","delta":"x"}`)
		wantProblem(t, err, contracts.ProblemRunFinished)
	})

	t.Run("nothing follows a fatal error in its batch", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		_, err := d.report(id, `error {"type":"about:blank","title":"x","status":500,"fatal":true}`, `thought {"id":"t","delta":"x"}`)
		wantProblem(t, err, contracts.ProblemIllegalTransition)
		d.wantStory(id, "queued(submitted)")
	})

	t.Run("another error does not", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		d.mustReport(id, `error {"type":"about:blank","title":"slow","status":503,"retry":"retrying","retry_after_ms":50}`)
		d.wantStory(id, "queued(submitted)", "running(started)", "error fatal=false")
	})

	t.Run("an in-process engine that fails, before and after it began", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		for _, begin := range []bool{false, true} {
			id := d.create(`,"backend":{"prefer":["local"]}`)
			if begin {
				if err := d.Start(t.Context(), id); err != nil {
					t.Fatal(problemText(err))
				}
			}
			for range 2 {
				if err := d.Fail(t.Context(), id, contracts.ProblemEngineFailed, "it broke"); err != nil {
					t.Fatal(problemText(err))
				}
			}
			if done := d.wantWhole(id); done.Status != contracts.StateFailed {
				t.Errorf("done = %+v", done)
			}
			if s, err := d.Snapshot(t.Context(), id); err != nil || s.FatalError == nil || s.FatalError.Detail != "it broke" {
				t.Errorf("snapshot = %+v, %v", s, err)
			}
			wantProblem(t, d.Start(t.Context(), id), contracts.ProblemRunFinished)
		}
	})

	t.Run("an engine that leaves a live run has failed", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(`,"backend":{"prefer":["local"]}`)
		if err := d.Start(t.Context(), id); err != nil {
			t.Fatal(problemText(err))
		}
		for range 2 {
			if err := d.Leave(t.Context(), id); err != nil {
				t.Fatal(problemText(err))
			}
		}
		d.wantStory(id, "queued(submitted)", "running(started)", "tick", "error fatal=true", "done failed")
		d.wantWhole(id)
	})
}

func TestRecover(t *testing.T) {
	t.Parallel()
	d := openWithTools(t)
	begun := d.create(`,"backend":{"prefer":["local"]}`)
	if err := d.Start(t.Context(), begun); err != nil {
		t.Fatal(problemText(err))
	}
	queued := d.create(`,"backend":{"prefer":["local"]}`)
	external := d.create("")
	d.mustReport(external, `thought {"id":"t","delta":"x"}`)
	finished := d.create("")
	if _, err := d.answer(finished, "m", "8"); err != nil {
		t.Fatal(problemText(err))
	}
	before := d.story(finished)
	if err := d.journal.Close(); err != nil {
		t.Fatal(err)
	}

	d2 := openAt(t, d.path)
	if err := d2.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	d2.wantStory(begun, "queued(submitted)", "running(started)", "tick", "error fatal=true", "done failed")
	s, err := d2.Snapshot(t.Context(), begun)
	if err != nil || !s.FatalError.Has(contracts.ProblemEngineLost) {
		t.Errorf("snapshot = %+v, %v", s.FatalError, err)
	}
	d2.wantWhole(begun)
	if got := d2.hands.startedRuns(); len(got) != 1 || got[0] != queued {
		t.Errorf("started = %v, want %s", got, queued)
	}
	d2.mustReport(external, `thought {"id":"t","delta":"y"}`)
	d2.wantStory(external, "queued(submitted)", "running(started)", "thought", "thought")
	d2.wantStory(finished, before...)
}

// A run that no engine is free for keeps its limits, after a restart too.
func TestRecover_queued(t *testing.T) {
	t.Parallel()
	d := open(t)
	queued := d.create(`,"backend":{"prefer":["local"]},"budget":{"max_wall_ms":1000,"max_active_ms":1000}`)
	if err := d.journal.Close(); err != nil {
		t.Fatal(err)
	}
	d2 := openAt(t, d.path, func(c *intake.Config) { c.Now = func() time.Time { return now().Add(time.Minute) } })
	if err := d2.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	d2.keepDeadlines()
	for end := now().Add(5 * time.Second); now().Before(end) && len(d2.events(queued)) == 1; {
		time.Sleep(time.Millisecond)
	}
	d2.wantStory(queued, "queued(submitted)", "draining(wall_ms)", "tick", "done exhausted")
	d2.wantWhole(queued)
}

// spotted is a journal in which the rows of some runs are damaged.
type spotted struct {
	journal.Journal
	damaged []contracts.RunID
	// nameless says that the damage hides which run it is.
	nameless bool
}

func (s *spotted) List(ctx context.Context, q journal.Query) ([]contracts.Summary, error) {
	rows, err := s.Journal.List(ctx, q)
	for i := range rows {
		switch {
		case !slices.Contains(s.damaged, rows[i].RunID):
		case s.nameless:
			return rows[:i], &journal.DamagedError{}
		default:
			return rows[:i], &journal.DamagedError{Run: rows[i].RunID}
		}
	}
	return rows, err
}

// A damaged row costs its own run, and not the server or the runs beside it.
func TestRecover_damaged(t *testing.T) {
	t.Parallel()
	for name, nameless := range map[string]bool{"a run that is named": false, "a run that is not": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			runs := make([]contracts.RunID, 3) // from the oldest to the newest, which is listed first
			for i := range runs {
				runs[i] = d.create(`,"backend":{"prefer":["local"]}`)
			}
			if err := d.journal.Close(); err != nil {
				t.Fatal(err)
			}
			d2 := openAt(t, d.path, func(c *intake.Config) {
				c.Journal = &spotted{Journal: c.Journal, damaged: runs[1:2], nameless: nameless}
			})
			if err := d2.Recover(t.Context()); err != nil {
				t.Fatalf("Recover = %v", err)
			}
			want := []contracts.RunID{runs[2], runs[0]}
			if nameless {
				want = want[:1]
			}
			if got := d2.hands.startedRuns(); !slices.Equal(got, want) {
				t.Errorf("started = %v, want %v", got, want)
			}
		})
	}
}

// faulty returns a change of a door's configuration that puts faults between the door and its journal, and where
// they will be.
func faulty() (**faultjournal.Journal, func(*intake.Config)) {
	faults := new(*faultjournal.Journal)
	return faults, func(c *intake.Config) {
		*faults = faultjournal.New(c.Journal)
		c.Journal = *faults
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()

	t.Run("what was not stored was not done", func(t *testing.T) {
		t.Parallel()
		faults, withFaults := faulty()
		d := open(t, withFaults)
		id := d.create("")
		(*faults).Fail(faultjournal.OpAppend, 1, journal.ErrFull)
		_, err := d.report(id, `token {"id":"m","delta":"a"}`, `budget {"used":{"tokens_in":5}}`)
		if !errors.Is(err, journal.ErrFull) {
			t.Fatalf("Append = %v", err)
		}
		d.mustReport(id, `token {"id":"m","delta":"b"}`)
		if _, err := d.answer(id, "m", "b"); err != nil {
			t.Fatalf("the lost token was folded: %v", problemText(err))
		}
		if done := d.wantWhole(id); done.Used.TokensIn != 0 {
			t.Errorf("used = %+v", done.Used)
		}
	})

	for name, stored := range map[string]bool{"was stored": true, "was not stored": false} {
		line := `thought {"id":"t","delta":"once"}`
		origin := &journal.Origin{After: 0, Digest: contracts.DigestText(line)}

		t.Run("an append of unknown outcome that "+name+" is settled at once", func(t *testing.T) {
			t.Parallel()
			faults, withFaults := faulty()
			d := open(t, withFaults)
			id := d.create("")
			viewer := d.hub.Follow(id, 1)
			defer viewer.Close()
			(*faults).Unknown(faultjournal.OpAppend, 1, stored)
			first, err := d.Append(t.Context(), id, engineEvents(t, line), origin)
			if err != nil {
				t.Fatalf("Append = %v", problemText(err))
			}
			if frames, err := viewer.Next(t.Context()); err != nil || len(frames) != 2 {
				t.Errorf("the viewer saw %d events, %v", len(frames), err)
			}
			again, err := d.Append(t.Context(), id, engineEvents(t, line), origin)
			if err != nil || again.Seq != first.Seq {
				t.Fatalf("the same again = %d, %v; want %d", again.Seq, problemText(err), first.Seq)
			}
			d.wantStory(id, "queued(submitted)", "running(started)", "thought")
		})

		t.Run("an append whose outcome stays unknown for a while and that "+name+" is settled later", func(t *testing.T) {
			t.Parallel()
			faults, withFaults := faulty()
			d := open(t, withFaults)
			d.keepDeadlines()
			id := d.create("")
			viewer := d.hub.Follow(id, 1)
			defer viewer.Close()
			(*faults).Unknown(faultjournal.OpAppend, faultjournal.Every, stored)
			_, err := d.Append(t.Context(), id, engineEvents(t, line), origin)
			if stored && err != nil || !stored && !errors.Is(err, journal.ErrUnknown) {
				t.Fatalf("Append = %v", problemText(err))
			}
			(*faults).Clear()
			if _, err := d.Append(t.Context(), id, engineEvents(t, line), origin); err != nil {
				t.Fatalf("the same again = %v", problemText(err))
			}
			d.wantStory(id, "queued(submitted)", "running(started)", "thought")
			if frames, err := viewer.Next(t.Context()); err != nil || len(frames) != 2 {
				t.Errorf("the viewer saw %d events, %v", len(frames), err)
			}
		})
	}

	t.Run("what an append of unknown outcome left is shown without another append", func(t *testing.T) {
		t.Parallel()
		faults, withFaults := faulty()
		d := open(t, withFaults)
		d.keepDeadlines()
		id := d.create("")
		viewer := d.hub.Follow(id, 1)
		defer viewer.Close()
		if frames, err := viewer.Poll(t.Context()); err != nil || len(frames) != 0 {
			t.Fatalf("the viewer saw %d events, %v", len(frames), err)
		}
		(*faults).Unknown(faultjournal.OpAppend, faultjournal.Every, true)
		(*faults).Fail(faultjournal.OpRead, 1, journal.ErrBusy) // so that the append cannot find its own events
		if _, err := d.report(id, `thought {"id":"t","delta":"once"}`); !errors.Is(err, journal.ErrUnknown) {
			t.Fatalf("Append = %v", problemText(err))
		}
		(*faults).Clear()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if frames, err := viewer.Next(ctx); err != nil || len(frames) == 0 {
			t.Errorf("the viewer saw %d events, %v", len(frames), err)
		}
	})

	t.Run("another writer's append is read before one's own", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		d.mustReport(id, `thought {"id":"t","delta":"x"}`)
		other, err := intake.New(intake.Config{
			Journal: d.journal, Hub: fanout.New(d.journal), Catalogue: d.shelf, Engines: d.hands, Log: quiet(), Now: now,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Append(t.Context(), id, engineEvents(t, `thought {"id":"t","delta":"y"}`), nil); err != nil {
			t.Fatal(problemText(err))
		}
		d.mustReport(id, `thought {"id":"t","delta":"z"}`)
		d.wantStory(id, "queued(submitted)", "running(started)", "thought", "thought", "thought")
	})
}

func TestViewers(t *testing.T) {
	t.Parallel()
	var hub *fanout.Hub
	d := open(t, func(c *intake.Config) {
		hub = fanout.New(c.Journal)
		c.Hub = hub
	})
	id := d.create("")
	viewer := hub.Follow(id, 0)
	defer viewer.Close()
	var seen bytes.Buffer
	read := func(until contracts.Seq) {
		t.Helper()
		for {
			frames, err := viewer.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range frames {
				seen.Write(f.JSON)
				if f.Seq == until {
					return
				}
			}
		}
	}
	read(1)
	a := d.mustReport(id, `thought {"id":"t","delta":"x"}`)
	read(a.Seq)
	j, err := d.answer(id, "m", "8")
	if err != nil {
		t.Fatal(problemText(err))
	}
	read(j.Seq)
	var stored bytes.Buffer
	page, err := d.journal.Read(t.Context(), id, 0, 100, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range page.Events {
		stored.Write(ev.JSON)
	}
	if !bytes.Equal(seen.Bytes(), stored.Bytes()) {
		t.Errorf("seen\n%s\nstored\n%s", seen.Bytes(), stored.Bytes())
	}
}
