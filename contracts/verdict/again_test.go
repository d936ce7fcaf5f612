package verdict_test

import (
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/verdict"
)

func TestAgain(t *testing.T) {
	t.Parallel()
	contract := contracts.VerifyContract{
		Assertions: []contracts.Assertion{must("a", true), should("b", false, nil)}, PassAt: 0.5,
		Scorers: []contracts.Scorer{exact("yes", 3, nil)},
	}
	evidence := verdict.Evidence{Output: "yes", Channel: contracts.ChannelAnswer}
	standing := verdict.Standing{Pass: 1, ReflectionPasses: 2}
	honest := func() contracts.VerdictData { return verdict.Judge(&contract, evidence, standing) }

	t.Run("what comes out as recorded is the same", func(t *testing.T) {
		t.Parallel()
		recorded := honest()
		if r := verdict.Again(&contract, evidence, standing, &recorded, true); !r.Same() || r.Unknown() != 0 || len(r.Checks) != 3 {
			t.Errorf("review = %+v", r)
		}
	})

	for name, change := range map[string]func(v *contracts.VerdictData){
		"a":       func(v *contracts.VerdictData) { v.Results[0].Status = contracts.CheckFail },
		"b":       func(v *contracts.VerdictData) { v.Results[1].Reason = "something else" },
		"s":       func(v *contracts.VerdictData) { v.Results = v.Results[:2] },
		"z":       func(v *contracts.VerdictData) { v.Results = append(v.Results, contracts.CheckResult{ID: "z"}) },
		"outcome": func(v *contracts.VerdictData) { v.Outcome = contracts.OutcomeFail },
		"score":   func(v *contracts.VerdictData) { v.Score = nil },
		"pass":    func(v *contracts.VerdictData) { v.Pass = 0 },
		"final":   func(v *contracts.VerdictData) { v.Final = false },
	} {
		t.Run(name+" that was recorded otherwise differs alone", func(t *testing.T) {
			t.Parallel()
			recorded := honest()
			change(&recorded)
			r := verdict.Again(&contract, evidence, standing, &recorded, true)
			if len(r.Differences) != 1 || r.Differences[0].What != name {
				t.Errorf("differences = %+v", r.Differences)
			}
		})
	}

	t.Run("without the text the recorded results are believed, and the decision is made anew", func(t *testing.T) {
		t.Parallel()
		recorded := honest()
		r := verdict.Again(&contract, verdict.Evidence{Channel: contracts.ChannelAnswer}, standing, &recorded, false)
		if !r.Same() || r.Unknown() != 3 || r.Checks[0].Unknown != verdict.UnknownText {
			t.Errorf("review = %+v", r)
		}
		recorded.Outcome, recorded.Final = contracts.OutcomeRevise, false
		if r = verdict.Again(&contract, verdict.Evidence{Channel: contracts.ChannelAnswer}, standing, &recorded, false); len(r.Differences) != 2 {
			t.Errorf("an outcome that does not follow from its results: %+v", r.Differences)
		}
		recorded.Results[2].Score = nil
		if r = verdict.Again(&contract, verdict.Evidence{}, standing, &recorded, false); r.Same() {
			t.Error("a result without a score is believed")
		}
	})

	t.Run("what an engine judged is believed", func(t *testing.T) {
		t.Parallel()
		score := 0.9
		rubric := contracts.VerifyContract{PassAt: 0.8, Scorers: []contracts.Scorer{{ID: "r", Type: contracts.ScoreRubric, Weight: 1}}}
		recorded := contracts.VerdictData{
			Pass: 1, Outcome: contracts.OutcomePass, Score: &score, Final: true,
			Results: []contracts.CheckResult{{ID: "r", Status: contracts.CheckPass, Score: &score}},
		}
		r := verdict.Again(&rubric, evidence, standing, &recorded, true)
		if !r.Same() || r.Checks[0].Unknown != verdict.UnknownJudge {
			t.Errorf("review = %+v", r)
		}
	})

	t.Run("a refusal decides without its checks", func(t *testing.T) {
		t.Parallel()
		declined := verdict.Evidence{Channel: contracts.ChannelRefusal}
		recorded := verdict.Judge(&contract, declined, standing)
		if r := verdict.Again(&contract, declined, standing, &recorded, false); !r.Same() || r.Unknown() != 0 {
			t.Errorf("review = %+v", r)
		}
	})
}

func TestLooksAt(t *testing.T) {
	t.Parallel()
	for target, want := range map[contracts.Target][2]bool{
		"output": {}, "usage#/tokens_in": {false, true}, "tool:sql_query": {true, false},
	} {
		c := contracts.VerifyContract{Assertions: []contracts.Assertion{{ID: "a", Type: contracts.AssertContains, Target: target}}}
		if calls, usage := verdict.LooksAt(&c); calls != want[0] || usage != want[1] {
			t.Errorf("%s: calls %v, usage %v", target, calls, usage)
		}
	}
	order := contracts.VerifyContract{Assertions: []contracts.Assertion{{ID: "a", Type: contracts.AssertToolSequence, Target: "output"}}}
	if calls, _ := verdict.LooksAt(&order); !calls {
		t.Error("a sequence of tools is not taken for a check on calls")
	}
}
