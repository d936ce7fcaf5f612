package intake_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"axiom25/contracts"
	"axiom25/server/intake"
	"axiom25/server/journal"
	"axiom25/server/journal/faultjournal"
)

func TestBudget(t *testing.T) {
	t.Parallel()

	t.Run("tokens: one warning, then the end", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(`,"budget":{"max_tokens":100,"on_exhausted":"stop"}`)
		d.mustReport(id, `budget {"used":{"tokens_in":79}}`)
		d.mustReport(id, `budget {"used":{"tokens_in":80}}`)
		d.mustReport(id, `budget {"used":{"tokens_in":81}}`)
		d.mustReport(id, `budget {"used":{"tokens_in":81,"tokens_out":40}}`)
		d.wantStory(id, "queued(submitted)", "running(started)", "tick", "warn tokens", "tick", "draining(tokens)", "done exhausted")
		done := d.wantWhole(id)
		if done.Used.Tokens() != 121 {
			t.Errorf("the overshoot is not recorded: %+v", done.Used)
		}
		_, err := d.report(id, `budget {"used":{"tokens_in":200}}`)
		wantProblem(t, err, contracts.ProblemRunFinished)
	})

	t.Run("the reserve buys one last answer", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools + `,"budget":{"max_tokens":100,"reserve_tokens":20,"warn_pct":99}` + wantsEight(""))
		d.mustReport(id, `budget {"used":{"tokens_in":80}}`)
		d.wantStory(id, "queued(submitted)", "running(started)", "warn tokens", "draining(tokens)")
		_, err := d.report(id, `tool_start {"call_id":"c","tool":"lookup","args":{}}`)
		wantProblem(t, err, contracts.ProblemIllegalTransition)
		d.mustReport(id, `token {"id":"m","delta":"8","final":true}`)
		j, err := d.answer(id, "m", "8")
		if err != nil || j.Verdict.Outcome != contracts.OutcomePass || j.Done.Status != contracts.StateExhausted || *j.Done.Output != "8" {
			t.Fatalf("Answer = %+v, %v", j, problemText(err))
		}
		d.wantWhole(id)
	})

	t.Run("a failed check while draining is not revised", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(`,"budget":{"max_tokens":100,"warn_pct":99}` + wantsEight(""))
		d.mustReport(id, `budget {"used":{"tokens_in":100}}`)
		j, err := d.answer(id, "m", "seven")
		if err != nil || j.Verdict.Outcome != contracts.OutcomeFail || j.Done.Status != contracts.StateExhausted {
			t.Fatalf("Answer = %+v, %v", j, problemText(err))
		}
		d.wantWhole(id)
	})

	t.Run("cost", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(`,"budget":{"max_cost_microusd":10,"on_exhausted":"stop"}`)
		d.mustReport(id, `budget {"used":{"cost_microusd":10}}`)
		d.wantStory(id, "queued(submitted)", "running(started)", "warn cost_microusd", "draining(cost_microusd)", "done exhausted")
		d.wantWhole(id)
	})

	t.Run("calls and branches are warned about and may be used up", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools + `,"budget":{"max_tool_calls":1,"branch_width":2}`)
		d.mustReport(id, `tool_start@b {"call_id":"c","tool":"lookup","args":{}}`, `tool_end {"call_id":"c","status":"ok","output":{}}`)
		if _, err := d.answer(id, "m", "8"); err != nil {
			t.Fatal(problemText(err))
		}
		d.wantStory(id, "queued(submitted)", "running(started)", "start c allow", "end c ok", "warn tool_calls", "warn branches", "tick", "done succeeded")
		d.wantWhole(id)
	})
}

// inBubble runs a test with a clock of its own, over a journal on disk.
func inBubble(t *testing.T, f func(t *testing.T, d *door), change ...func(*intake.Config)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	synctest.Test(t, func(t *testing.T) {
		d := openAt(t, path, change...)
		d.shelf.put(t, lookup)
		d.shelf.put(t, send)
		d.keepDeadlines()
		f(t, d)
	})
}

// pass lets time go by and the door do what is due.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestDeadlines(t *testing.T) {
	t.Parallel()

	t.Run("wall time warns and ends", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, d *door) {
			t.Helper()
			id := d.create(`,"budget":{"max_wall_ms":10000,"on_exhausted":"stop"}`)
			d.mustReport(id, `thought {"id":"t","delta":"x"}`)
			pass(8*time.Second - time.Millisecond)
			d.wantStory(id, "queued(submitted)", "running(started)", "thought")
			pass(2 * time.Millisecond)
			d.wantStory(id, "queued(submitted)", "running(started)", "thought", "warn active_ms", "warn wall_ms")
			pass(3 * time.Second)
			if done := d.wantWhole(id); done.Status != contracts.StateExhausted || done.Used.WallMS != 10_000 {
				t.Errorf("done = %+v", done)
			}
		})
	})

	t.Run("a queued run that nobody claims ends at the wall", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(_ *testing.T, d *door) {
			id := d.create(`,"budget":{"max_wall_ms":10000}`)
			pass(10*time.Second + time.Millisecond)
			d.wantStory(id, "queued(submitted)", "draining(wall_ms)", "tick", "done exhausted")
			d.wantWhole(id)
		})
	})

	t.Run("active time stands still while a human decides", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, d *door) {
			t.Helper()
			id, request := d.ask(`,"budget":{"max_active_ms":5000,"on_exhausted":"stop"}`)
			pass(time.Minute)
			if s, err := d.Snapshot(t.Context(), id); err != nil || s.State != contracts.StateWaiting || s.Used.ActiveMS != 0 {
				t.Fatalf("snapshot = %+v, %v", s.Summary, err)
			}
			if err := d.Decide(t.Context(), id, request.ID, contracts.ApprovalDecision{Decision: contracts.VerbApprove}); err != nil {
				t.Fatal(problemText(err))
			}
			pass(6 * time.Second)
			done := d.wantWhole(id)
			if done.Status != contracts.StateExhausted || done.Used.ActiveMS != 5000 || done.Used.WallMS != 65_000 {
				t.Errorf("done = %+v", done)
			}
		})
	})

	t.Run("a draining run has its grace and no more", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, d *door) {
			t.Helper()
			id := d.create(withTools + `,"budget":{"max_tokens":10,"warn_pct":99}`)
			d.mustReport(id, `tool_start {"call_id":"c","tool":"lookup","args":{}}`, `budget {"used":{"tokens_in":10}}`)
			pass(10*time.Second - time.Millisecond)
			if s, _ := d.Snapshot(t.Context(), id); s.State != contracts.StateDraining {
				t.Fatalf("state = %s", s.State)
			}
			pass(2 * time.Millisecond)
			d.wantStory(id, "queued(submitted)", "running(started)", "start c allow", "warn tokens", "draining(tokens)", "end c cancelled", "tick", "done exhausted")
			d.wantWhole(id)
		})
	})

	t.Run("the meter is read once a second at most, and nothing is held back for longer", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, d *door) {
			t.Helper()
			id := d.create("")
			for i := range 30 {
				d.mustReport(id, `budget {"used":{"tokens_in":`+string(rune('1'+i%9))+`0}}`)
				pass(100 * time.Millisecond)
			}
			pass(2 * time.Second)
			var times []contracts.Time
			for _, ev := range d.events(id) {
				if ev.Type == contracts.EventBudget {
					times = append(times, ev.Time)
				}
			}
			for i := 1; i < len(times); i++ {
				if times[i].Sub(times[i-1]) < 1000 {
					t.Errorf("readings at %v and %v", times[i-1], times[i])
				}
			}
			if s, _ := d.Snapshot(t.Context(), id); s.Used.TokensIn != 90 || len(times) < 2 {
				t.Errorf("used = %+v after %d readings", s.Used, len(times))
			}
		})
	})

	t.Run("a deadline that cannot be kept is tried again", func(t *testing.T) {
		t.Parallel()
		faults, withFaults := faulty()
		inBubble(t, func(t *testing.T, d *door) {
			t.Helper()
			id := d.create(`,"budget":{"max_wall_ms":1000,"on_exhausted":"stop","warn_pct":99}`)
			d.mustReport(id, `thought {"id":"t","delta":"x"}`)
			(*faults).Fail(faultjournal.OpAppend, faultjournal.Every, journal.ErrFull)
			pass(5 * time.Second)
			(*faults).Clear()
			pass(2 * time.Second)
			if done := d.wantWhole(id); done.Status != contracts.StateExhausted {
				t.Errorf("done = %+v", done)
			}
		}, withFaults)
	})
}
