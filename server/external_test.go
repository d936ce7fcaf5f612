package main_test

import (
	"encoding/json"
	"os/exec"
	"testing"

	"axiom25/contracts"
)

func TestAnEngineIsAFewLinesOfShell(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	id := s.create(t, `{"schema_version":2,"goal":"Count the words","backend":{"prefer":["external"]},`+
		`"inputs":[{"name":"poem","text":"so much depends upon a red wheel barrow"}],`+
		`"verification":{"assertions":[{"id":"count","type":"matches","value":"^[0-9]+ words$"}]}}`)

	out, err := exec.CommandContext(t.Context(), "testdata/engine.sh", s.url).CombinedOutput() //nolint:gosec // the test's own script
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var judged struct {
		Verdict *contracts.VerdictData `json:"verdict"`
		Done    *contracts.DoneData    `json:"done"`
	}
	if err := json.Unmarshal(out, &judged); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if judged.Verdict == nil || judged.Verdict.Outcome != contracts.OutcomePass {
		t.Errorf("verdict %+v, want a pass", judged.Verdict)
	}
	got := s.done(t, id)
	if got.State != contracts.StateSucceeded || got.Done.Output == nil || *got.Done.Output != "8 words" {
		t.Errorf("run ended %s with %+v", got.State, got.Done)
	}
	if got.Used.TokensIn != 8 || got.Used.TokensOut != 2 {
		t.Errorf("used %+v, want 8 tokens in and 2 out", got.Used)
	}
	checkStream(t, s.history(t, id))
}
