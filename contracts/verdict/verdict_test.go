package verdict_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/contracts/runstate"
	"axiom25/contracts/verdict"
)

// must and should are assertions that pass or fail on the answer "yes".
func must(id string, passes bool) contracts.Assertion {
	want := `"yes"`
	if !passes {
		want = `"no"`
	}
	return contracts.Assertion{
		ID: id, Type: contracts.AssertEquals, Target: "output", Value: json.RawMessage(want), Severity: contracts.SeverityMust,
	}
}

func should(id string, passes bool, weight *int64) contracts.Assertion {
	a := must(id, passes)
	a.Severity, a.Weight = contracts.SeverityShould, weight
	return a
}

func broken(id string) contracts.Assertion {
	return contracts.Assertion{ID: id, Type: contracts.AssertContains, Target: "output#/x", Value: json.RawMessage(`"x"`)}
}

func exact(reference string, weight int64, floor *float64) contracts.Scorer {
	return contracts.Scorer{ID: "s", Type: contracts.ScoreExact, Reference: &reference, Weight: weight, Floor: floor, Samples: 1}
}

func like(reference string, floor *float64) contracts.Scorer {
	s := exact(reference, 1, floor)
	s.Type = contracts.ScoreSimilarity
	return s
}

func TestDecision(t *testing.T) {
	type list = []contracts.Assertion
	type scorers = []contracts.Scorer
	none := math.NaN() // no score
	one := verdict.Standing{ReflectionPasses: 1}
	tests := []struct {
		name     string
		contract contracts.VerifyContract
		channel  contracts.Channel
		standing verdict.Standing
		outcome  contracts.Outcome
		score    float64
	}{
		{"0: a refusal that is accepted", contracts.VerifyContract{Assertions: list{must("a", true)}, PassAt: 1, OnModelRefusal: contracts.ModelRefusalAccept}, contracts.ChannelRefusal, one, contracts.OutcomePass, 1},
		{"0: a refusal that is accepted and does not do", contracts.VerifyContract{Assertions: list{must("a", false)}, PassAt: 1, OnModelRefusal: contracts.ModelRefusalAccept}, contracts.ChannelRefusal, one, contracts.OutcomeRevise, 0},
		{"0: a refusal that fails", contracts.VerifyContract{Assertions: list{must("a", true)}, OnModelRefusal: contracts.ModelRefusalFail}, contracts.ChannelRefusal, one, contracts.OutcomeFail, none},
		{"0: a refusal that refuses", contracts.VerifyContract{Assertions: list{must("a", true)}, OnModelRefusal: contracts.ModelRefusalRefuse}, contracts.ChannelRefusal, one, contracts.OutcomeRefuse, none},
		{"0: a refusal comes before an error", contracts.VerifyContract{Assertions: list{broken("a")}, OnModelRefusal: contracts.ModelRefusalRefuse}, contracts.ChannelRefusal, one, contracts.OutcomeRefuse, none},
		{"1: a check that errors", contracts.VerifyContract{Assertions: list{must("a", true), broken("b")}}, contracts.ChannelAnswer, one, contracts.OutcomeError, none},
		{"1: a should that errors", contracts.VerifyContract{Assertions: list{must("a", true), {ID: "b", Severity: contracts.SeverityShould}}}, contracts.ChannelAnswer, one, contracts.OutcomeError, none},
		{"1: a judge that is not there", contracts.VerifyContract{Scorers: scorers{{ID: "s", Type: contracts.ScoreRubric, Weight: 1}}}, contracts.ChannelAnswer, one, contracts.OutcomeError, none},
		{"1: an error comes before refuse_below", contracts.VerifyContract{Assertions: list{broken("a"), must("b", false)}, RefuseBelow: 0.9, PassAt: 0.9}, contracts.ChannelAnswer, one, contracts.OutcomeError, none},
		{"2: the share of musts", contracts.VerifyContract{Assertions: list{must("a", true), must("b", true), must("c", false), must("d", true)}, PassAt: 0.7}, contracts.ChannelAnswer, one, contracts.OutcomeRevise, 0.75},
		{"2: the weighted mean", contracts.VerifyContract{Assertions: list{should("a", true, new(int64(3))), should("b", false, nil)}, PassAt: 0.75}, contracts.ChannelAnswer, one, contracts.OutcomePass, 0.75},
		{"2: musts have no weight", contracts.VerifyContract{Assertions: list{must("a", true), should("b", false, nil)}, PassAt: 0.5}, contracts.ChannelAnswer, one, contracts.OutcomeRevise, 0},
		{"2: assertions and scorers", contracts.VerifyContract{Assertions: list{should("a", true, nil)}, Scorers: scorers{exact("no", 3, nil)}, PassAt: 0.25}, contracts.ChannelAnswer, one, contracts.OutcomePass, 0.25},
		{"2: a similar text", contracts.VerifyContract{Scorers: scorers{like("yet", nil)}, PassAt: 0.6}, contracts.ChannelAnswer, one, contracts.OutcomePass, 2.0 / 3},
		{"3: below refuse_below", contracts.VerifyContract{Assertions: list{should("a", false, nil), must("b", true)}, RefuseBelow: 0.1, PassAt: 0.5}, contracts.ChannelAnswer, one, contracts.OutcomeRefuse, 0},
		{"3: at refuse_below", contracts.VerifyContract{Assertions: list{must("a", true), must("b", false)}, RefuseBelow: 0.5, PassAt: 0.5}, contracts.ChannelAnswer, one, contracts.OutcomeRevise, 0.5},
		{"4: all holds", contracts.VerifyContract{Assertions: list{must("a", true)}, Scorers: scorers{exact("yes", 1, new(1.0))}, PassAt: 1}, contracts.ChannelAnswer, one, contracts.OutcomePass, 1},
		{"4: a pass needs no pass left", contracts.VerifyContract{Assertions: list{must("a", true)}, PassAt: 1}, contracts.ChannelAnswer, verdict.Standing{Draining: true}, contracts.OutcomePass, 1},
		{"4: a must fails", contracts.VerifyContract{Assertions: list{must("a", false), should("b", true, nil)}, PassAt: 0.5}, contracts.ChannelAnswer, one, contracts.OutcomeRevise, 1},
		{"4: a check without severity is a must", contracts.VerifyContract{Assertions: list{{ID: "a", Type: contracts.AssertEquals, Target: "output", Value: json.RawMessage(`"no"`)}}, PassAt: 0}, contracts.ChannelAnswer, one, contracts.OutcomeRevise, 0},
		{"4: below a floor", contracts.VerifyContract{Assertions: list{should("a", true, new(int64(9)))}, Scorers: scorers{like("yet", new(0.9))}, PassAt: 0.5}, contracts.ChannelAnswer, one, contracts.OutcomeRevise, (9 + 2.0/3) / 10},
		{"4: below pass_at", contracts.VerifyContract{Assertions: list{should("a", true, nil), should("b", false, nil)}, PassAt: 0.51}, contracts.ChannelAnswer, one, contracts.OutcomeRevise, 0.5},
		{"5: no pass is left", contracts.VerifyContract{Assertions: list{must("a", false)}, PassAt: 1}, contracts.ChannelAnswer, verdict.Standing{Pass: 2, ReflectionPasses: 2}, contracts.OutcomeFail, 0},
		{"5: the last pass", contracts.VerifyContract{Assertions: list{must("a", false)}, PassAt: 1}, contracts.ChannelAnswer, verdict.Standing{Pass: 1, ReflectionPasses: 2}, contracts.OutcomeRevise, 0},
		{"5: the run drains", contracts.VerifyContract{Assertions: list{must("a", false)}, PassAt: 1}, contracts.ChannelAnswer, verdict.Standing{ReflectionPasses: 2, Draining: true}, contracts.OutcomeFail, 0},
		{"a contract that checks nothing", contracts.VerifyContract{PassAt: 0.8}, contracts.ChannelAnswer, verdict.Standing{}, contracts.OutcomeFail, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := verdict.Judge(&test.contract, verdict.Evidence{Output: "yes", Channel: test.channel}, test.standing)
			if got.Outcome != test.outcome {
				t.Fatalf("outcome = %s, want %s (%+v)", got.Outcome, test.outcome, got.Results)
			}
			if math.IsNaN(test.score) != (got.Score == nil) {
				t.Errorf("score = %v, want %v", got.Score, test.score)
			}
			if got.Score != nil && math.Abs(*got.Score-test.score) > 1e-12 {
				t.Errorf("score = %v, want %v", *got.Score, test.score)
			}
			if got.Final != (got.Outcome != contracts.OutcomeRevise) || got.Pass != test.standing.Pass {
				t.Errorf("verdict = %+v", got)
			}
			if len(got.Results) != len(test.contract.Assertions)+len(test.contract.Scorers) {
				t.Errorf("%d results", len(got.Results))
			}
			for _, r := range got.Results {
				if skipped := r.Status == contracts.CheckSkipped; skipped != (test.name[0] == '0' && got.Score == nil) {
					t.Errorf("result = %+v", r)
				}
			}
		})
	}
}

func TestStatus(t *testing.T) {
	tests := []struct {
		outcome contracts.Outcome
		onError contracts.OnCheckError
		want    contracts.State
	}{
		{contracts.OutcomePass, contracts.CheckErrorFail, contracts.StateSucceeded},
		{contracts.OutcomeRefuse, contracts.CheckErrorFail, contracts.StateRefused},
		{contracts.OutcomeFail, contracts.CheckErrorRefuse, contracts.StateFailed},
		{contracts.OutcomeError, contracts.CheckErrorFail, contracts.StateFailed},
		{contracts.OutcomeError, contracts.CheckErrorRefuse, contracts.StateRefused},
		{contracts.OutcomeError, "", contracts.StateFailed},
		{contracts.OutcomeRevise, contracts.CheckErrorFail, ""},
	}
	for _, test := range tests {
		c := contracts.VerifyContract{OnError: test.onError}
		if got := verdict.Status(&c, contracts.VerdictData{Outcome: test.outcome}); got != test.want {
			t.Errorf("Status(%s, %s) = %q, want %q", test.outcome, test.onError, got, test.want)
		}
	}
}

func TestScorers(t *testing.T) {
	long := strings.Repeat("ü", 8192)
	tests := []struct {
		name   string
		scorer contracts.Scorer
		output string
		status contracts.CheckStatus
		score  float64
	}{
		{"the same", exact("a", 1, nil), "a", contracts.CheckPass, 1},
		{"another", exact("a", 1, nil), "a ", contracts.CheckFail, 0},
		{"another above its floor", exact("a", 1, new(0.0)), "b", contracts.CheckPass, 0},
		{"similar", like("kitten", new(0.5)), "sitting", contracts.CheckPass, 4.0 / 7},
		{"similar, below the contract's threshold", like("kitten", nil), "sitting", contracts.CheckFail, 4.0 / 7},
		{"characters and not bytes", like("über", nil), "uber", contracts.CheckFail, 0.75},
		{"nothing and nothing", like("", nil), "", contracts.CheckPass, 1},
		{"something and nothing", like("", nil), "abc", contracts.CheckFail, 0},
		{"nothing and something", like("abc", nil), "", contracts.CheckFail, 0},
		{"as long as may be", like("", nil), long, contracts.CheckFail, 0},
		{"too long an answer", like("", nil), long + "x", contracts.CheckError, 0},
		{"too long a reference", like(long+"x", nil), "", contracts.CheckError, 0},
		{"no reference", contracts.Scorer{ID: "s", Type: contracts.ScoreExact}, "", contracts.CheckError, 0},
		{"nothing to be similar to", contracts.Scorer{ID: "s", Type: contracts.ScoreSimilarity}, "", contracts.CheckError, 0},
		{"a rubric", contracts.Scorer{ID: "s", Type: contracts.ScoreRubric}, "", contracts.CheckError, 0},
		{"a label", contracts.Scorer{ID: "s", Type: contracts.ScoreLabel}, "", contracts.CheckError, 0},
		{"an unknown judge", contracts.Scorer{ID: "s", Type: "oracle"}, "", contracts.CheckError, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := contracts.VerifyContract{Scorers: []contracts.Scorer{test.scorer}, PassAt: 0.8}
			got := verdict.Judge(&c, text(test.output), verdict.Standing{}).Results[0]
			if got.Status != test.status || got.ID != "s" {
				t.Fatalf("result = %+v, want %s", got, test.status)
			}
			if test.status == contracts.CheckError {
				if got.Score != nil || got.Reason == "" {
					t.Errorf("result = %+v", got)
				}
				return
			}
			if got.Score == nil || *got.Score != test.score {
				t.Errorf("score = %v, want %v", got.Score, test.score)
			}
		})
	}
}

// TestSimilarityIsAMetric holds the distance against its laws on random texts.
func TestSimilarityIsAMetric(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's repeatable choices
	word := func() string {
		letters := make([]rune, random.IntN(12))
		for i := range letters {
			letters[i] = rune("abü"[random.IntN(2)])
		}
		return string(letters)
	}
	score := func(a, b string) float64 {
		c := contracts.VerifyContract{Scorers: []contracts.Scorer{like(b, nil)}}
		return *verdict.Judge(&c, text(a), verdict.Standing{}).Results[0].Score
	}
	for range 500 {
		a, b := word(), word()
		if s := score(a, b); s != score(b, a) || s < 0 || s > 1 || (s == 1) != (a == b) {
			t.Fatalf("similarity of %q and %q = %v, the other way %v", a, b, s, score(b, a))
		}
	}
}

// TestJudgeIsDeterministic judges random contracts and answers twice.
func TestJudgeIsDeterministic(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a test's repeatable choices
	types := []contracts.AssertionType{"equals", "contains", "matches", "json_schema", "length", "tool_called", "tool_sequence", "usage_max"}
	targets := []contracts.Target{"output", "output#/planets", "usage#/tokens_in", "tool:search", "tool:search#/n", "tool:hidden"}
	values := []string{``, `"Saturn"`, `"^."`, `{"min":1}`, `{"limit":50}`, `["search"]`, `{"type":"object"}`, `1`}
	seen := make(map[contracts.Outcome]int)
	for range 2000 {
		c := contracts.VerifyContract{PassAt: random.Float64(), RefuseBelow: random.Float64() / 4}
		for range 1 + random.IntN(2) {
			a := contracts.Assertion{
				ID: "a", Type: types[random.IntN(len(types))], Target: targets[random.IntN(len(targets))],
				Value: json.RawMessage(values[random.IntN(len(values))]), Negate: random.IntN(2) == 0,
			}
			if random.IntN(2) == 0 {
				a.Severity, a.Weight = contracts.SeverityShould, new(int64(1+random.IntN(1000)))
			}
			c.Assertions = append(c.Assertions, a)
		}
		s := verdict.Standing{Pass: int64(random.IntN(3)), ReflectionPasses: 2, Draining: random.IntN(4) == 0}
		first := verdict.Judge(&c, evidence(), s)
		if again := verdict.Judge(&c, evidence(), s); !reflect.DeepEqual(first, again) {
			t.Fatalf("judged twice:\n%+v\n%+v", first, again)
		}
		seen[first.Outcome]++
	}
	for _, o := range []contracts.Outcome{contracts.OutcomePass, contracts.OutcomeRevise, contracts.OutcomeRefuse, contracts.OutcomeFail, contracts.OutcomeError} {
		if seen[o] == 0 {
			t.Errorf("no outcome %s among %v", o, seen)
		}
	}
}

func TestCallsOfARun(t *testing.T) {
	s := contractstest.NewStream(contractstest.TaskSpec()).Running().
		ToolStart("a", "sql_query@1.0.0", `{"query":"x"}`).
		ToolStart("b", "sql_query@1.0.0", `{"query":"y"}`).
		ToolStart("c", "sql_query@1.0.0", `{"query":"z"}`).
		ToolEnd("b", contracts.CallOK, `"[redacted]"`).
		ToolEnd("a", contracts.CallError, "").
		ToolStart("a", "sql_query@1.0.0", `{"query":"x"}`).
		ToolEnd("a", contracts.CallOK, `[1]`)
	var transcript runstate.Transcript
	for _, ev := range s.Events() {
		transcript.Apply(ev)
	}
	want := []verdict.CallEvidence{
		{Tool: "sql_query@1.0.0", Status: contracts.CallOK, Args: []byte(`{"query":"x"}`), Output: []byte(`[1]`)},
		{Tool: "sql_query@1.0.0", Status: contracts.CallOK, Args: []byte(`{"query":"y"}`), Output: []byte(`"[redacted]"`), Redacted: true},
	}
	if got := verdict.Calls(&transcript); !reflect.DeepEqual(got, want) {
		t.Errorf("calls\n got %+v\nwant %+v", got, want)
	}
}

func BenchmarkJudge(b *testing.B) {
	c := contracts.VerifyContract{
		Assertions: []contracts.Assertion{
			{ID: "a", Type: contracts.AssertContains, Target: "output", Value: json.RawMessage(`"Saturn"`)},
			{ID: "b", Type: contracts.AssertEquals, Target: "output#/planets/1/moons", Value: json.RawMessage(`274`)},
			{ID: "c", Type: contracts.AssertToolCalled, Target: "tool:search"},
		},
		PassAt: 0.8,
	}
	e := evidence()
	b.ReportAllocs()
	for b.Loop() {
		verdict.Judge(&c, e, verdict.Standing{})
	}
}

// BenchmarkWorst judges what costs most within the bounds.
func BenchmarkWorst(b *testing.B) {
	b.Run("similarity", func(b *testing.B) {
		c := contracts.VerifyContract{Scorers: []contracts.Scorer{like(strings.Repeat("a", 8192), nil)}}
		for b.Loop() {
			verdict.Judge(&c, text(strings.Repeat("b", 8192)), verdict.Standing{})
		}
	})
	b.Run("expression", func(b *testing.B) {
		c := contracts.VerifyContract{Assertions: []contracts.Assertion{{
			ID: "a", Type: contracts.AssertMatches, Target: "output", Value: json.RawMessage(`"(x?y?){60}z"`),
		}}}
		for b.Loop() {
			verdict.Judge(&c, text(strings.Repeat("x", 1<<19)), verdict.Standing{})
		}
	})
}
