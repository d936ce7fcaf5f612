package local_test

import (
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/docs/examples"
	"axiom25/server/engine/enginetest"
	"axiom25/server/engine/local"
)

func example(t *testing.T, name string) []byte {
	t.Helper()
	all, err := examples.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Name == name {
			return e.Task
		}
	}
	t.Fatalf("there is no example %s", name)
	return nil
}

// decider answers every approval as it comes.
func decider(t *testing.T, h *enginetest.House, id contracts.RunID, d contracts.ApprovalDecision) func(contracts.RunEvent) {
	t.Helper()
	return func(ev contracts.RunEvent) {
		if start, ok := ev.Data.(*contracts.ToolStartData); ok && start.Approval != nil {
			if err := h.Decide(t.Context(), id, start.Approval.ID, d); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	approve := &contracts.ApprovalDecision{Decision: contracts.VerbApprove, By: "ada"}
	for name, tc := range map[string]struct {
		example  string
		decision *contracts.ApprovalDecision
		status   contracts.State
		output   string
		passes   int
		calls    int
	}{
		"side by side": {
			example: "planets", status: contracts.StateSucceeded, passes: 1, calls: 5,
			output: "Jupiter is the heaviest of the 8 planets: it has 71.2 % of their mass. Sunlight takes 4.18 hours to reach Neptune.",
		},
		"a revision": {
			example: "elements", status: contracts.StateSucceeded, passes: 2, calls: 2,
			output: "One mole of glucose has a mass of 180.16 g; its 24 atoms a molecule are of hydrogen, carbon, oxygen.",
		},
		"approved": {
			example: "sign-off", decision: approve, status: contracts.StateSucceeded, calls: 3,
			output: "Signed off: Earth is the densest planet, with 5514 kg/m³. Saturn is less dense than water. (" +
				string(contracts.DigestText("Earth is the densest planet, with 5514 kg/m³.")) + ")",
		},
		"edited": {
			example: "sign-off", status: contracts.StateSucceeded, calls: 3,
			decision: &contracts.ApprovalDecision{Decision: contracts.VerbEdit, By: "ada", Args: []byte(`{"statement":"Earth is the densest."}`)},
			output:   "Signed off: Earth is the densest. Saturn is less dense than water. (" + string(contracts.DigestText("Earth is the densest.")) + ")",
		},
		"denied": {
			example: "sign-off", decision: &contracts.ApprovalDecision{Decision: contracts.VerbDeny, By: "ada"}, status: contracts.StateSucceeded, calls: 3,
			output: "The result was computed but not signed off, so it is not given out.",
		},
		"exhausted": {
			example: "countries", status: contracts.StateExhausted, calls: 2,
			output: "The budget allowed two of five computations: Russia is the largest with 17,098,246 km², and India has the most people, 1,450.9 million. Density was not computed.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := enginetest.Open(t, 4, &local.Engine{})
			id := h.Submit(t, example(t, tc.example))
			var look func(contracts.RunEvent)
			if tc.decision != nil {
				look = decider(t, h, id, *tc.decision)
			}
			events := h.Await(t, id, look)
			done := enginetest.Done(t, events)
			if done.Status != tc.status || done.Output == nil || *done.Output != tc.output {
				for _, ev := range enginetest.Of[*contracts.ErrorData](events) {
					t.Logf("error: %s %s", ev.Title, ev.Detail)
				}
				for _, ev := range enginetest.Of[*contracts.ToolEndData](events) {
					t.Logf("%s %s %s %v", ev.CallID, ev.Status, ev.Output, ev.Error)
				}
				t.Fatalf("ended %s with %v\nwant %s with %s", done.Status, show(done.Output), tc.status, tc.output)
			}
			if n := len(enginetest.Of[*contracts.VerdictData](events)); n != tc.passes {
				t.Errorf("%d verdicts, want %d", n, tc.passes)
			}
			if n := len(enginetest.Of[*contracts.ToolStartData](events)); n != tc.calls || done.Receipts != int64(n) {
				t.Errorf("%d calls and %d receipts, want %d", n, done.Receipts, tc.calls)
			}
			if done.Used.TokensIn == 0 || done.Used.TokensOut == 0 || done.Used.TokensReasoning == 0 {
				t.Errorf("usage %+v leaves something out", done.Used)
			}
		})
	}
}

func show(s *string) string {
	if s == nil {
		return "no output"
	}
	return strings.TrimSpace(*s)
}
