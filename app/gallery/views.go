package gallery

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/contracts/verdict"
)

// viewEntries are the parts of a run's views.
func viewEntries(approval contracts.ApprovalID, long string) []Entry {
	const run = contracts.RunID("run_01m81tqkhryw3vmma10cpw1nqk")
	receipt := &contracts.Receipt{
		CallID: "c3", Tool: "fetch@1.0.0", ToolDigest: contracts.DigestText("tool"), Attempt: 2, Status: contracts.CallError,
		Args: []byte(`{}`), ArgsHash: contracts.DigestText("{}"), LatencyMS: 1200, CostMicroUSD: 1500,
		Approval: &contracts.ReceiptApproval{By: "console", Decision: contracts.DecisionEdited, Edited: true},
		Prev:     contracts.DigestText("before"), Hash: contracts.DigestText("x"),
	}
	return []Entry{
		{"Answer", "growing", func() app.UI { return &parts.Answer{Text: "The sum is", Growing: true} }},
		{"Answer", "hostile", func() app.UI { return &parts.Answer{Text: "<script>alert(1)</script>"} }},
		{"Answer", "long, of a branch", func() app.UI { return &parts.Answer{Text: long, Heading: "branch a.b"} }},
		{"Answer", "a refusal", func() app.UI { return &parts.Answer{Text: "I cannot help with that.", Refusal: true} }},
		{"Approval", "asked", func() app.UI {
			return &parts.Approval{ID: approval, Tool: "deploy@2.1.0", Args: []byte(`{"service":"billing"}`), Remaining: "expires in 9 min"}
		}},
		{"Approval", "being sent", func() app.UI {
			return &parts.Approval{ID: approval, Tool: "deploy@2.1.0", Args: []byte(`{}`), Sending: true}
		}},
		{"Approval", "decided too late", func() app.UI {
			return &parts.Approval{
				ID: approval, Tool: "deploy@2.1.0", Args: []byte(`{}`), Settled: "was denied by alice.",
				Refused: "Your decision came too late: the call was decided elsewhere.",
			}
		}},
		{"Approval", "decided elsewhere, unnoticed", func() app.UI {
			return &parts.Approval{ID: approval, Tool: "deploy@2.1.0", Args: []byte(`{}`), Settled: "was denied by alice."}
		}},
		{"CheckLine", "passed", func() app.UI {
			return &parts.CheckLine{Tone: contracts.CheckPass, Words: "Chain verified here: 9 receipts", Detail: "head abc"}
		}},
		{"CheckLine", "failed", func() app.UI { return &parts.CheckLine{Tone: contracts.CheckFail, Words: "recomputed here: differs"} }},
		{"Fold", "a draft", func() app.UI {
			return &parts.Fold{Key: "a1", Title: "attempt 1, revised: verdict 0.62", Note: "The sum", Text: long, Tone: "draft"}
		}},
		{"ForkLink", "from an event", func() app.UI { return &parts.ForkLink{Run: run, Seq: 42} }},
		{"GrowingText", "growing", func() app.UI { return &parts.GrowingText{Class: "answer-text", Text: "The sum", Growing: true} }},
		{"Pager", "in the middle", func() app.UI { return &parts.Pager{From: 51, To: 100, All: 10_000} }},
		{"Receipt", "that fits", func() app.UI { return &parts.Receipt{Receipt: receipt} }},
		{"Receipt", "that was changed", func() app.UI {
			return &parts.Receipt{Receipt: receipt, Faults: []runstate.ReceiptFault{runstate.FaultPrev, runstate.FaultHash}}
		}},
		{"ToolCall", "open", func() app.UI {
			return &parts.ToolCall{ID: "c1", Attempt: 1, Attempts: 1, Tool: "sql_query@1.0.0", Args: []byte(`{"sql":"SELECT 1"}`)}
		}},
		{"ToolCall", "waiting", func() app.UI {
			return &parts.ToolCall{ID: "c2", Attempt: 1, Attempts: 1, Tool: "deploy@2.1.0", Branch: "a.b", Args: []byte(`{}`), Waiting: true}
		}},
		{"ToolCall", "failed on its second attempt", func() app.UI {
			return &parts.ToolCall{
				ID: "c3", Attempt: 2, Attempts: 3, Tool: "fetch@1.0.0", Args: []byte(`{}`), Status: contracts.CallError, Took: "1.2 s",
				Error: "The tool call failed: no such host", Receipt: receipt, Faults: []runstate.ReceiptFault{runstate.FaultHash}, Open: true,
			}
		}},
		{"ToolCall", "cut", func() app.UI {
			return &parts.ToolCall{
				ID: "c4", Attempt: 1, Attempts: 1, Tool: "fetch@1.0.0", Args: []byte(`{}`), Output: []byte(`"` + long + `"`), Truncated: true,
				Status: contracts.CallOK, Took: "40 ms", ResultBytes: 1_200_000, Decision: "approved by console", Gate: "a human is asked",
				Page: "/r/" + run.String(), Started: 3, Ended: 5, Open: true,
			}
		}},
		{"Verdict", "an error, without a score", func() app.UI {
			return &parts.Verdict{Outcome: contracts.OutcomeError, Score: -1, Results: []contracts.CheckResult{
				{ID: "schema", Status: contracts.CheckError, Reason: "the target was cut"}, {ID: "judge", Status: contracts.CheckSkipped},
			}}
		}},
		{"Verdict", "between the thresholds, and other than recorded", func() app.UI {
			return &parts.Verdict{
				Pass: 1, Outcome: contracts.OutcomeRevise, Score: 0.62, PassAt: 0.8, RefuseBelow: 0.2,
				Results: []contracts.CheckResult{{ID: "names", Status: contracts.CheckFail, Reason: long}},
				Again:   parts.CheckLine{Tone: contracts.CheckFail, Words: "recomputed here: differs"}, Notes: map[string]string{"names": "same"},
				Differences: []verdict.Difference{{What: "score", Recorded: "0.62", Again: "0.7"}},
			}
		}},
		{"VerdictLine", "passed", func() app.UI {
			return &parts.VerdictLine{Outcome: contracts.OutcomePass, Words: "Pass 2 passed, score 1.00", Href: "/r/x?view=verdict"}
		}},
	}
}
