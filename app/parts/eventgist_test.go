package parts_test

import (
	"encoding/json"
	"strings"
	"testing"

	"axiom25/app/parts"
	"axiom25/contracts"
)

func TestEventGist(t *testing.T) {
	t.Parallel()
	score, output := 0.62, "The sum\nis 4."
	receipt := &contracts.Receipt{Tool: "sql_query@1.0.0", LatencyMS: 40}
	for name, c := range map[string]struct {
		data contracts.EventData
		want string
	}{
		"the first event": {
			&contracts.StatusData{
				State: contracts.StateQueued, Reason: contracts.ReasonSubmitted, Backend: "local", Profile: contracts.ProfileTight,
				Tools:      map[string]contracts.Digest{"a@1.0.0": "", "b@1.0.0": ""},
				ForkedFrom: &contracts.ForkOrigin{RunID: "run_01m81tqkhryw3vmma10cpw1nqk", Seq: 12},
			},
			"queued: submitted, local engine, tight, 2 tools, forked from run_01m8…1nqk at event 12",
		},
		"a change of state":  {&contracts.StatusData{State: contracts.StateWaiting, Reason: contracts.ReasonApproval}, "waiting: approval"},
		"a thought":          {&contracts.ThoughtData{Delta: "first\n\tthen", Attempt: 1, Kind: contracts.ThoughtReasoning}, "first⏎⇥then"},
		"a plan":             {&contracts.ThoughtData{Delta: "a", Attempt: 1, Kind: contracts.ThoughtPlan}, "plan: a"},
		"a token":            {&contracts.TokenData{Delta: " sum", Attempt: 1, Channel: contracts.ChannelAnswer}, " sum"},
		"a token that ends":  {&contracts.TokenData{Delta: "4.\r\n", Attempt: 2, Channel: contracts.ChannelAnswer, Final: true}, "attempt 2, the last piece: 4.␍⏎"},
		"nothing but an end": {&contracts.TokenData{Attempt: 1, Channel: contracts.ChannelAnswer, Final: true}, "the last piece"},
		"a refusal":          {&contracts.TokenData{Delta: "No.", Attempt: 1, Channel: contracts.ChannelRefusal}, "refusal: No."},
		"a call": {
			&contracts.ToolStartData{Tool: "sql_query@1.0.0", Args: json.RawMessage(`{"sql":"SELECT 1"}`), Attempt: 1, Gate: contracts.GateAllow},
			`sql_query@1.0.0 {"sql":"SELECT 1"}`,
		},
		"a call that asks": {
			&contracts.ToolStartData{Tool: "deploy@2.1.0", Args: json.RawMessage(`{}`), Attempt: 2, Gate: contracts.GateAsk},
			`asks a human: attempt 2: deploy@2.1.0 {}`,
		},
		"a call that is not allowed": {
			&contracts.ToolStartData{Tool: "rm", Args: json.RawMessage(`{}`), Attempt: 1, Gate: contracts.GateDeny}, `not allowed: rm {}`,
		},
		"a decision": {&contracts.ApprovalData{Decision: contracts.DecisionEdited, By: "ann", Args: json.RawMessage(`{"a":1}`)}, `edited by ann: {"a":1}`},
		"a lapse":    {&contracts.ApprovalData{Decision: contracts.DecisionExpired}, `expired`},
		"a result": {
			&contracts.ToolEndData{Status: contracts.CallOK, Output: json.RawMessage(`[1]`), Receipt: receipt}, "sql_query@1.0.0 ok, 40 ms: [1]",
		},
		"a cut result": {
			&contracts.ToolEndData{Status: contracts.CallOK, Output: json.RawMessage(`"a"`), Truncated: true, Receipt: receipt}, `sql_query@1.0.0 ok, 40 ms, cut: "a"`,
		},
		"a failed call": {
			&contracts.ToolEndData{Status: contracts.CallError, Error: &contracts.Problem{Title: "No route", Detail: "to host"}, Receipt: receipt},
			"sql_query@1.0.0 error, 40 ms: No route: to host",
		},
		"a reading": {
			&contracts.BudgetData{Phase: contracts.BudgetTick, Used: contracts.Usage{TokensIn: 5000, TokensOut: 100, ToolCalls: 1, WallMS: 1400}},
			"5.1 k tokens, 1 call, 1.4 s",
		},
		"a warning": {
			&contracts.BudgetData{Phase: contracts.BudgetWarn, Dimension: contracts.DimensionTokens, Used: contracts.Usage{ToolCalls: 2, CostMicroUSD: 1_250_000}},
			"warning for tokens: 0 tokens, 2 calls, 0 ms, $1.25",
		},
		"a verdict": {
			&contracts.VerdictData{Pass: 1, Outcome: contracts.OutcomeRevise, Score: &score, Results: []contracts.CheckResult{
				{Status: contracts.CheckPass}, {Status: contracts.CheckFail},
			}},
			"pass 2 to be revised, score 0.62, 1 of 2 checks passed",
		},
		"an error": {
			&contracts.ErrorData{Problem: contracts.Problem{Title: "Too many requests"}, Retry: contracts.RetryRetrying, RetryAfterMS: 3000},
			"tried again in 3 s: Too many requests",
		},
		"the last error":    {&contracts.ErrorData{Problem: contracts.Problem{Title: "Lost"}, Fatal: true}, "ends the run: Lost"},
		"an end":            {&contracts.DoneData{Status: contracts.StateSucceeded, Output: &output}, "succeeded: The sum⏎is 4."},
		"an end without":    {&contracts.DoneData{Status: contracts.StateRefused}, "refused"},
		"what is not known": {contracts.UnknownData{Type: "dream", Raw: json.RawMessage(`{"a":1}`)}, `{"a":1}`},
		"a long text": {
			&contracts.TokenData{Delta: strings.Repeat("é", 5000), Attempt: 1, Channel: contracts.ChannelAnswer}, strings.Repeat("é", 200) + "…",
		},
		"a long value": {
			&contracts.ToolEndData{Status: contracts.CallOK, Output: json.RawMessage(`"` + strings.Repeat("😀", 5000) + `"`)},
			`ok: "` + strings.Repeat("😀", 199) + "…",
		},
	} {
		if got := parts.EventGist(&contracts.RunEvent{Data: c.data}); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSinceStart(t *testing.T) {
	t.Parallel()
	for ms, want := range map[int64]string{
		-5: "+0:00.000", 12_345: "+0:12.345", 125_007: "+2:05.007", 3_725_345: "+1:02:05.345", 90_061_001: "+25:01:01.001",
	} {
		if got := parts.SinceStart(ms); got != want {
			t.Errorf("%d ms: %q, want %q", ms, got, want)
		}
	}
}

func TestGrouped(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1\u202f000", 41_207: "41\u202f207", 1_000_000: "1\u202f000\u202f000"} {
		if got := parts.Grouped(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
