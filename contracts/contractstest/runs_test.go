package contractstest_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/contracts/runstate"
)

// TestRuns holds every built run against the contract and the invariants.
func TestRuns(t *testing.T) {
	for _, run := range contractstest.Runs() {
		t.Run(run.Name, func(t *testing.T) {
			if _, err := contracts.Decode[contracts.TaskSpec](contractstest.Document(run.Task)); err != nil {
				t.Errorf("the task is not valid: %s", contractstest.Document(err))
			}
			for _, ev := range run.Events {
				line := contractstest.Document(ev)
				if err := contracts.Validate(contracts.KindRunEvent, line); err != nil {
					t.Fatalf("event %d is not valid: %s", ev.Seq, contractstest.Document(err))
				}
				read, err := contracts.DecodeEvent(line)
				if err != nil {
					t.Fatalf("event %d: %v", ev.Seq, err)
				}
				if again := contractstest.Document(read); !bytes.Equal(again, line) {
					t.Errorf("event %d changes on its way:\n%s\n%s", ev.Seq, line, again)
				}
			}
			if err := runstate.Check(slices.Values(run.Events)); err != nil && !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("the stream breaks an invariant: %v", err)
			}
		})
	}
}

// TestTools holds the built tools against the contract.
func TestTools(t *testing.T) {
	for _, tool := range []*contracts.ToolSpec{contractstest.ToolSpec(), contractstest.EngineTool("publish")} {
		if _, err := contracts.Decode[contracts.ToolSpec](contractstest.Document(tool)); err != nil {
			t.Errorf("%s: %s", tool.Name, contractstest.Document(err))
		}
	}
}
