package intake_test

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"axiom25/contracts"
)

// wantsEight is a VerifyContract that wants an 8 in the answer; more is members of it, each beginning with a comma.
func wantsEight(more string) string {
	return `,"verification":{"assertions":[{"id":"says","type":"contains","value":"8"}]` + more + `}`
}

func TestAnswer(t *testing.T) {
	t.Parallel()

	t.Run("without a contract", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		d.mustReport(id, `token {"id":"m","delta":"eight "}`, `token {"id":"m","delta":"planets","final":true}`)
		j, err := d.answer(id, "m", "eight planets")
		if err != nil {
			t.Fatal(problemText(err))
		}
		d.wantStory(id, "queued(submitted)", "running(started)", "token", "token", "tick", "done succeeded")
		done := d.wantWhole(id)
		if j.Verdict != nil || j.Done == nil || j.Seq != 6 || *done.Output != "eight planets" || done.MessageID != "m" ||
			done.OutputHash != contracts.DigestText("eight planets") || done.VerdictSeq != 0 {
			t.Errorf("Judged = %+v, done = %+v", j, done)
		}
	})

	t.Run("what a verdict looks at of the meter stands in the journal before it", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(`,"verification":{"assertions":[{"id":"cheap","type":"usage_max","target":"usage#/tokens_out","value":{"limit":5}}]}`)
		d.mustReport(id, `budget {"used":{"tokens_out":3}}`)
		d.mustReport(id, `budget {"used":{"tokens_out":7}}`)
		if j, err := d.answer(id, "m", "x"); err != nil || j.Verdict.Results[0].Status != contracts.CheckFail {
			t.Fatalf("Judged = %+v, %v", j, problemText(err))
		}
		events := d.events(id)
		for i, ev := range events {
			if _, ok := ev.Data.(*contracts.VerdictData); !ok {
				continue
			}
			if b, ok := events[i-1].Data.(*contracts.BudgetData); !ok || b.Used.TokensOut != 7 {
				t.Errorf("before the verdict stands %+v", events[i-1].Data)
			}
		}
	})

	t.Run("a refusal that nothing allows fails", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		_, err := d.Answer(t.Context(), id, contracts.Answer{MessageID: "m", Channel: contracts.ChannelRefusal, Text: "no"})
		if err != nil {
			t.Fatal(problemText(err))
		}
		if done := d.wantWhole(id); done.Status != contracts.StateFailed {
			t.Errorf("done = %+v", done)
		}
	})

	t.Run("a check that fails first and passes after a revision", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(wantsEight(""))
		j, err := d.answer(id, "m1", "seven")
		if err != nil || j.Verdict.Outcome != contracts.OutcomeRevise || j.Verdict.Final || j.Done != nil {
			t.Fatalf("first = %+v, %v", j, problemText(err))
		}
		d.mustReport(id, `thought {"id":"t","delta":"look again","kind":"reflection","final":true}`)
		j, err = d.answer(id, "m2", "8")
		if err != nil || j.Verdict.Outcome != contracts.OutcomePass || j.Verdict.Pass != 1 || j.Done.Status != contracts.StateSucceeded {
			t.Fatalf("second = %+v, %v", j, problemText(err))
		}
		d.wantStory(id, "queued(submitted)", "running(started)", "verdict 0 revise", "thought", "verdict 1 pass", "tick", "done succeeded")
		done := d.wantWhole(id)
		if done.VerdictSeq != 5 || done.Used.Reflections != 1 || *done.Output != "8" {
			t.Errorf("done = %+v", done)
		}
	})

	t.Run("no passes left", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(wantsEight("") + `,"profile":"tight"`)
		j, err := d.answer(id, "m1", "seven")
		if err != nil || j.Verdict.Outcome != contracts.OutcomeFail || j.Done.Status != contracts.StateFailed || *j.Done.Output != "seven" {
			t.Fatalf("Answer = %+v, %v", j, problemText(err))
		}
		d.wantWhole(id)
	})

	t.Run("a score below refuse_below withholds the answer", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(wantsEight(`,"refuse_below":0.5`))
		j, err := d.answer(id, "m1", "seven")
		if err != nil || j.Verdict.Outcome != contracts.OutcomeRefuse || j.Done.Status != contracts.StateRefused || j.Done.Output != nil {
			t.Fatalf("Answer = %+v, %v", j, problemText(err))
		}
		d.wantWhole(id)
	})

	for onError, want := range map[string]contracts.State{"fail": contracts.StateFailed, "refuse": contracts.StateRefused} {
		t.Run("a check that cannot be evaluated ends "+onError, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			id := d.create(`,"verification":{"assertions":[{"id":"a","type":"equals","target":"output#/n","value":8}],"on_error":"` + onError + `"}`)
			j, err := d.answer(id, "m1", "not JSON")
			if err != nil || j.Verdict.Outcome != contracts.OutcomeError || j.Verdict.Score != nil || j.Done.Status != want {
				t.Fatalf("Answer = %+v, %v", j, problemText(err))
			}
			d.wantWhole(id)
		})
	}

	t.Run("calls are judged by what the journal shows", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools + `,"verification":{"assertions":[{"id":"n","type":"equals","target":"tool:lookup#/n","value":8},` +
			`{"id":"order","type":"tool_sequence","value":["lookup"]}]}`)
		d.mustReport(id, `tool_start {"call_id":"c","tool":"lookup","args":{}}`, `tool_end {"call_id":"c","status":"ok","output":{"n":8}}`)
		j, err := d.answer(id, "m", "eight")
		if err != nil || j.Verdict.Outcome != contracts.OutcomePass {
			t.Fatalf("Answer = %+v, %v", j, problemText(err))
		}
		d.wantWhole(id)
	})

	t.Run("a revision needs a message of its own", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(wantsEight(""))
		if j, err := d.answer(id, "m", "nine"); err != nil || j.Verdict.Outcome != contracts.OutcomeRevise {
			t.Fatalf("Answer = %+v, %v", j, problemText(err))
		}
		_, err := d.answer(id, "m", "8")
		p := wantProblem(t, err, contracts.ProblemIllegalTransition)
		if len(p.Errors) != 1 || p.Errors[0].Pointer != "#/message_id" || p.Errors[0].Params["invariant"] != 12 {
			t.Errorf("problem = %s", problemText(err))
		}
		if j, err := d.answer(id, "m2", "8"); err != nil || j.Done == nil {
			t.Fatalf("Answer = %+v, %v", j, problemText(err))
		}
		d.wantWhole(id)
	})

	t.Run("the answer must be what was streamed", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		d.mustReport(id, `token {"id":"m","delta":"eight"}`, `thought {"id":"t","delta":"hm"}`)
		for pointer, a := range map[string]contracts.Answer{
			"#/text":       {MessageID: "m", Channel: contracts.ChannelAnswer, Text: "nine"},
			"#/message_id": {MessageID: "t", Channel: contracts.ChannelAnswer, Text: "hm"},
		} {
			_, err := d.Answer(t.Context(), id, a)
			p := wantProblem(t, err, contracts.ProblemInvalidDocument)
			if p.Errors[0].Pointer != pointer || p.Errors[0].Code != contracts.CodeAnswerMismatch {
				t.Errorf("problem = %s", problemText(err))
			}
		}
		if s := d.story(id); len(s) != 4 {
			t.Errorf("a refused answer left %q", s)
		}
	})

	for policy, want := range map[string][]string{
		"stop":     {"warn active_ms", "warn wall_ms", "draining(active_ms)", "done exhausted"},
		"finalize": {"warn active_ms", "warn wall_ms", "draining(active_ms)", "verdict 0 pass", "done exhausted"},
	} {
		t.Run("an answer that comes after the wall limit, and before its timer: "+policy, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal.db")
			synctest.Test(t, func(t *testing.T) {
				d := openAt(t, path) // whose clock nobody keeps
				id := d.create(`,"budget":{"max_wall_ms":1000,"on_exhausted":"` + policy + `"}` + wantsEight(""))
				d.mustReport(id, `thought {"id":"t","delta":"","final":true}`)
				time.Sleep(time.Second)
				j, err := d.answer(id, "m", "8")
				if err != nil || j.Done == nil || j.Done.Status != contracts.StateExhausted || (j.Verdict != nil) != (policy == "finalize") {
					t.Fatalf("Answer = %+v, %v", j, problemText(err))
				}
				d.wantStory(id, append([]string{"queued(submitted)", "running(started)", "thought"}, want...)...)
				d.wantWhole(id)
			})
		})
	}

	t.Run("an answer ends a run once", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		if _, err := d.answer(id, "m", "8"); err != nil {
			t.Fatal(problemText(err))
		}
		_, err := d.answer(id, "m", "8")
		wantProblem(t, err, contracts.ProblemRunFinished)
		_, err = d.answer("run_01hzzzzzzzzzzzzzzzzzzzzzzz", "m", "8")
		wantProblem(t, err, contracts.ProblemNotFound)
	})
}

func TestAnswer_verified(t *testing.T) {
	t.Parallel()

	t.Run("tokens come after the pass and hold the whole text", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(wantsEight(`,"release":"verified"`))
		_, err := d.report(id, `token {"id":"m","delta":"8"}`)
		wantProblem(t, err, contracts.ProblemIllegalTransition)
		text := "8" + strings.Repeat("é", 5000)
		if _, err := d.answer(id, "m", text); err != nil {
			t.Fatal(problemText(err))
		}
		d.wantStory(id, "queued(submitted)", "running(started)", "verdict 0 pass", "token", "token", "token", "tick", "done succeeded")
		done := d.wantWhole(id)
		var streamed strings.Builder
		for _, ev := range d.events(id) {
			if token, ok := ev.Data.(*contracts.TokenData); ok {
				streamed.WriteString(token.Delta)
			}
		}
		if streamed.String() != text || *done.Output != text {
			t.Error("the streamed text, the output and the answer differ")
		}
	})

	t.Run("nothing of a failed answer is shown", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(wantsEight(`,"release":"verified"`) + `,"profile":"tight"`)
		if _, err := d.answer(id, "m", "seven"); err != nil {
			t.Fatal(problemText(err))
		}
		d.wantStory(id, "queued(submitted)", "running(started)", "verdict 0 fail", "tick", "done failed")
		if done := d.wantWhole(id); done.Output != nil {
			t.Errorf("output = %q", *done.Output)
		}
	})

	t.Run("an empty answer that passes", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(`,"verification":{"assertions":[{"id":"a","type":"length","value":{"max":3}}],"release":"verified"}`)
		if _, err := d.answer(id, "m", ""); err != nil {
			t.Fatal(problemText(err))
		}
		d.wantStory(id, "queued(submitted)", "running(started)", "verdict 0 pass", "token", "tick", "done succeeded")
		d.wantWhole(id)
	})
}
