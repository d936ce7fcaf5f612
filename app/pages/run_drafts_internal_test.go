package pages

import (
	"testing"

	"axiom25/app/store"
	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// verdictOf is a verdict on a message.
func verdictOf(pass int64, outcome contracts.Outcome, score float64) runstate.TranscriptVerdict {
	return runstate.TranscriptVerdict{VerdictData: &contracts.VerdictData{Pass: pass, Outcome: outcome, Score: &score}}
}

func TestAnswerSentence(t *testing.T) {
	t.Parallel()
	output := "the answer"
	refused := verdictOf(0, contracts.OutcomeRefuse, 0.1)
	for name, c := range map[string]struct {
		fold store.Fold
		want string
	}{
		"queued":  {store.Fold{State: contracts.StateQueued}, "No answer yet: the run waits for an engine."},
		"running": {store.Fold{State: contracts.StateRunning, Drafts: []store.Message{{ID: "m"}}}, ""},
		"exhausted without an answer": {
			store.Fold{Reason: contracts.ReasonTokens, Done: &contracts.DoneData{Status: contracts.StateExhausted}},
			"The run ended without an answer: it reached its token limit.",
		},
		"cancelled": {
			store.Fold{Reason: contracts.ReasonCancel, Done: &contracts.DoneData{Status: contracts.StateCancelled}},
			"The run ended without an answer: stopped by a cancellation.",
		},
		"withheld": {
			store.Fold{Verdicts: []runstate.TranscriptVerdict{refused}, Done: &contracts.DoneData{Status: contracts.StateRefused}},
			"The answer was withheld: its score of 0.10 is too low to be shown.",
		},
		"a refusal by the model": {
			store.Fold{Done: &contracts.DoneData{Status: contracts.StateFailed, MessageID: "m", Output: &output}},
			"This answer was not accepted: the model declined to answer.",
		},
		"succeeded": {store.Fold{Done: &contracts.DoneData{Status: contracts.StateSucceeded, Output: &output}}, ""},
	} {
		d := sortDrafts(&c.fold)
		if got := answerSentence(&c.fold, &d); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSortDrafts(t *testing.T) {
	t.Parallel()
	revised, refused := verdictOf(0, contracts.OutcomeRevise, 0.62), verdictOf(1, contracts.OutcomeRefuse, 0)
	f := store.Fold{Drafts: []store.Message{
		{ID: "m1", Attempt: 1, Discarded: true}, {ID: "m1", Attempt: 2, Verdict: &revised}, {ID: "a", Branch: "a"}, {ID: "m2"},
	}}
	d := sortDrafts(&f)
	if len(d.current) != 2 || d.current[0].ID != "a" || d.current[1].ID != "m2" || len(d.earlier) != 2 {
		t.Errorf("of two branches: %+v", d)
	}
	if got := draftTitle(d.earlier[1]); got != "attempt 1, revised: verdict 0.62" {
		t.Errorf("a revised draft is called %q", got)
	}
	f.Drafts[3].Verdict = &refused
	for _, m := range append(sortDrafts(&f).current, sortDrafts(&f).earlier...) {
		if m.ID == "m2" {
			t.Error("a refused draft is shown")
		}
	}
}

func TestFilterCalls(t *testing.T) {
	t.Parallel()
	call := func(id, tool string, attempt int64, status contracts.CallStatus) store.Call {
		c := store.Call{TranscriptCall: runstate.TranscriptCall{CallID: id, Tool: contracts.ToolRef(tool), Attempt: attempt}}
		if status != "" {
			c.End = &contracts.ToolEndData{Status: status}
		}
		return c
	}
	calls := []store.Call{
		call("a", "x", 1, contracts.CallError), call("a", "x", 2, contracts.CallOK), call("b", "y", 1, ""),
	}
	for filter, want := range map[[2]string]int{{}: 3, {"ok"}: 1, {"", "x"}: 2, {"running", "y"}: 1, {"error", "y"}: 0} {
		if got := filterCalls(calls, filter[0], filter[1]); len(got) != want {
			t.Errorf("%v lists %d calls, want %d", filter, len(got), want)
		}
	}
	if all := filterCalls(calls, "", ""); all[0].attempts != 2 || all[1].attempts != 2 || all[2].attempts != 1 {
		t.Errorf("attempts are counted as %d, %d, %d", all[0].attempts, all[1].attempts, all[2].attempts)
	}
}
