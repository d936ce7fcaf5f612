package intake_test

import (
	"testing"
	"testing/synctest"
	"time"

	"axiom25/contracts"
	"axiom25/server/intake"
)

// ask makes a run with a call that waits for a human.
func (d *door) ask(more string) (contracts.RunID, contracts.ApprovalRequest) {
	d.t.Helper()
	id := d.create(withTools + more)
	a := d.mustReport(id, `tool_start {"call_id":"c1","tool":"send","args":{"to":"x"}}`)
	for _, ev := range a.Events {
		if start, ok := ev.Data.(*contracts.ToolStartData); ok {
			return id, *start.Approval
		}
	}
	d.t.Fatal("the call was not asked for")
	return "", contracts.ApprovalRequest{}
}

func TestDecide(t *testing.T) {
	t.Parallel()

	for name, row := range map[string]struct {
		decision contracts.ApprovalDecision
		then     []string
	}{
		"approve": {contracts.ApprovalDecision{Decision: contracts.VerbApprove, By: "ops"}, []string{"approved c1", "running(resumed)"}},
		"deny":    {contracts.ApprovalDecision{Decision: contracts.VerbDeny, By: "ops"}, []string{"denied c1", "end c1 denied", "running(resumed)"}},
		"edit": {
			contracts.ApprovalDecision{Decision: contracts.VerbEdit, By: "ops", Args: []byte(`{"to":"y"}`)},
			[]string{"edited c1", "running(resumed)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openWithTools(t)
			id, request := d.ask("")
			if rows, _ := d.Snapshot(t.Context(), id); rows.Approvals != 1 || rows.State != contracts.StateWaiting {
				t.Errorf("snapshot = %+v", rows.Summary)
			}
			if err := d.Decide(t.Context(), id, request.ID, row.decision); err != nil {
				t.Fatal(problemText(err))
			}
			want := append([]string{"queued(submitted)", "running(started)", "start c1 ask", "waiting(approval)"}, row.then...)
			d.wantStory(id, want...)
			wantProblem(t, d.Decide(t.Context(), id, request.ID, row.decision), contracts.ProblemApprovalDecided)

			wantArgs := `{"to":"x"}`
			if row.decision.Decision != contracts.VerbDeny {
				d.mustReport(id, `tool_end {"call_id":"c1","status":"ok","output":"sent"}`)
			}
			if row.decision.Decision == contracts.VerbEdit {
				wantArgs = `{"to":"y"}`
			}
			if _, err := d.answer(id, "m", "done"); err != nil {
				t.Fatal(problemText(err))
			}
			for _, ev := range d.events(id) {
				end, ok := ev.Data.(*contracts.ToolEndData)
				if !ok {
					continue
				}
				a := end.Receipt.Approval
				if a == nil || a.By != "ops" || a.Edited != (name == "edit") || string(end.Receipt.Args) != wantArgs {
					t.Errorf("receipt = %+v, args %s", a, end.Receipt.Args)
				}
			}
			d.wantWhole(id)
			wantProblem(t, d.Decide(t.Context(), id, request.ID, row.decision), contracts.ProblemApprovalDecided)
		})
	}

	t.Run("what there is no approval for", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id, _ := d.ask("")
		d2 := contracts.ApprovalDecision{Decision: contracts.VerbApprove}
		wantProblem(t, d.Decide(t.Context(), id, "apr_01hzzzzzzzzzzzzzzzzzzzzzzz", d2), contracts.ProblemNotFound)
		wantProblem(t, d.Decide(t.Context(), "run_01hzzzzzzzzzzzzzzzzzzzzzzz", "apr_01hzzzzzzzzzzzzzzzzzzzzzzz", d2), contracts.ProblemNotFound)
	})

	t.Run("edited arguments must fit the tool and hide nothing", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id, request := d.ask(`,"inputs":[{"name":"a","text":"s3cret-phrase","sensitive":true}]`)
		before := d.story(id)
		for name, row := range map[string]struct {
			args    string
			pointer string
			code    contracts.Code
		}{
			"wrong type":        {`{"to":7}`, "#/args/to", contracts.CodeSchemaMismatch},
			"missing":           {`{}`, "#/args/to", contracts.CodeSchemaMismatch},
			"a hidden field":    {`{"to":"y","token":"T"}`, "#/args", contracts.CodeHidden},
			"a sensitive input": {`{"to":"s3cret-phrase"}`, "#/args", contracts.CodeHidden},
		} {
			err := d.Decide(t.Context(), id, request.ID, contracts.ApprovalDecision{Decision: contracts.VerbEdit, Args: []byte(row.args)})
			p := wantProblem(t, err, contracts.ProblemInvalidDocument)
			if p.Errors[0].Pointer != row.pointer || p.Errors[0].Code != row.code {
				t.Errorf("%s: %s", name, problemText(err))
			}
		}
		d.wantStory(id, before...)
	})

	t.Run("an engine that goes on shows that the run does not wait", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id, _ := d.ask("")
		d.mustReport(id, `thought@b {"id":"t","delta":"meanwhile"}`)
		d.mustReport(id, `thought@b {"id":"t","delta":"","final":true}`)
		d.wantStory(id, "queued(submitted)", "running(started)", "start c1 ask", "waiting(approval)", "running(resumed)", "thought", "thought", "waiting(approval)")
		_, err := d.report(id, `tool_end {"call_id":"c1","status":"ok"}`)
		wantProblem(t, err, contracts.ProblemIllegalTransition)
		_, err = d.answer(id, "m", "too early")
		wantProblem(t, err, contracts.ProblemIllegalTransition)
	})
}

func TestDecide_expires(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		budget string
		want   time.Duration
		story  []string
	}{
		"after its time to live": {
			"", 5 * time.Minute,
			[]string{"expired c1", "end c1 timeout", "running(resumed)"},
		},
		"at the wall limit": {
			`,"budget":{"max_wall_ms":60000,"warn_pct":99}`, time.Minute,
			[]string{"warn wall_ms", "tick", "draining(wall_ms)", "expired c1", "end c1 timeout"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := t.TempDir() + "/journal.db"
			synctest.Test(t, func(t *testing.T) {
				d := openAt(t, path, func(c *intake.Config) { c.ApprovalTTL = 5 * time.Minute })
				d.shelf.put(t, lookup)
				d.shelf.put(t, send)
				d.keepDeadlines()
				id, request := d.ask(row.budget)
				created := d.events(id)[0].Time
				if got := request.ExpiresAt.Sub(created); got != row.want.Milliseconds() {
					t.Errorf("expires after %d ms, want %d", got, row.want.Milliseconds())
				}
				time.Sleep(row.want + time.Millisecond)
				synctest.Wait()
				story := d.story(id)
				if got := story[4:]; !equal(got, row.story) {
					t.Errorf("story\n got %q\nwant %q", got, row.story)
				}
				err := d.Decide(t.Context(), id, request.ID, contracts.ApprovalDecision{Decision: contracts.VerbApprove})
				wantProblem(t, err, contracts.ProblemApprovalExpired)
			})
		})
	}

	t.Run("a decision that comes before the clock noticed", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t, func(c *intake.Config) { c.ApprovalTTL = time.Nanosecond })
		id, request := d.ask("")
		err := d.Decide(t.Context(), id, request.ID, contracts.ApprovalDecision{Decision: contracts.VerbApprove})
		wantProblem(t, err, contracts.ProblemApprovalExpired)
		d.wantStory(id, "queued(submitted)", "running(started)", "start c1 ask", "waiting(approval)", "expired c1", "end c1 timeout", "running(resumed)")
	})
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
