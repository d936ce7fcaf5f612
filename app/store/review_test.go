package store_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"axiom25/app/store"
	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/contracts/runstate"
)

// foldedRun folds a whole run whose events were changed on their way.
func foldedRun(t *testing.T, r contractstest.Run, change func(line string) string) store.Run {
	t.Helper()
	var f store.Folder
	for _, ev := range r.Events {
		if _, _, err := f.Add([]byte(change(string(contractstest.Document(ev))))); err != nil {
			t.Fatalf("%s, event %d: %v", r.Name, ev.Seq, err)
		}
	}
	fold := f.Fold()
	return store.Run{Fold: fold, Head: fold, Task: contractstest.Document(r.Task)}
}

func unchanged(line string) string { return line }

// within changes a text in the events of a type.
func within(kind contracts.EventType, old, by string) func(string) string {
	return func(line string) string {
		if strings.Contains(line, `"type":"`+string(kind)+`"`) {
			return strings.ReplaceAll(line, old, by)
		}
		return line
	}
}

func TestChain(t *testing.T) {
	t.Parallel()

	t.Run("the receipts of an honest run fit, and end as it says", func(t *testing.T) {
		t.Parallel()
		for _, r := range contractstest.Runs() {
			run := foldedRun(t, r, unchanged)
			chain, done := run.Fold.Chain, run.Fold.Done
			if len(chain.Broken) > 0 || !chain.Ends(done) || chain.Head != done.ReceiptsHead {
				t.Errorf("%s: chain = %+v, done = %d %s", r.Name, chain, done.Receipts, done.ReceiptsHead)
			}
		}
	})

	for name, c := range map[string]struct {
		run    contractstest.Run
		change func(string) string
		faults []runstate.ReceiptFault
	}{
		"a result that was changed": {
			contractstest.SucceededRun(), within(contracts.EventToolEnd, "274", "275"), []runstate.ReceiptFault{runstate.FaultResult},
		},
		"a cost that was changed": {
			contractstest.SucceededRun(), within(contracts.EventToolEnd, `"cost_microusd":0`, `"cost_microusd":7`),
			[]runstate.ReceiptFault{runstate.FaultHash},
		},
		"arguments that were changed": {
			contractstest.SucceededRun(), within(contracts.EventToolStart, "DESC", "ASC"), []runstate.ReceiptFault{runstate.FaultArgs},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fold := foldedRun(t, c.run, c.change).Fold
			if n := len(fold.Chain.Broken); n != 1 {
				t.Fatalf("%d receipts do not fit: %+v", n, fold.Chain.Broken)
			}
			broken := fold.Chain.Broken[0]
			if !slices.Equal(broken.Faults, c.faults) || broken.Place != 1 || broken.CallID != "c1" || broken.Attempt != 1 {
				t.Errorf("broken = %+v, want %v of the first attempt of c1", broken, c.faults)
			}
			if !slices.Equal(fold.Calls[0].Faults, c.faults) || fold.Violation == nil {
				t.Errorf("the call has the faults %v, violation %v", fold.Calls[0].Faults, fold.Violation)
			}
		})
	}

	t.Run("a fault leaves the receipts behind it as they are", func(t *testing.T) {
		t.Parallel()
		changed := false
		fold := foldedRun(t, contractstest.ParallelRun(), func(line string) string {
			if changed || !strings.Contains(line, `"type":"tool_end"`) {
				return line
			}
			changed = true
			return strings.Replace(line, `"cost_microusd":`, `"cost_microusd":1`, 1)
		}).Fold
		if n := fold.Chain.Receipts; n < 2 || len(fold.Chain.Broken) != 1 || !fold.Chain.Ends(fold.Done) {
			t.Errorf("chain = %+v", fold.Chain)
		}
	})
}

func TestReviewVerdict(t *testing.T) {
	t.Parallel()

	t.Run("an honest verdict comes out the same", func(t *testing.T) {
		t.Parallel()
		run := foldedRun(t, judgedRun(t), unchanged)
		for i := range run.Fold.Verdicts {
			if review := store.ReviewVerdict(&run, i); review.Impossible != "" || !review.Same() || review.Unknown() > 0 {
				t.Errorf("verdict %d: %+v", i, review)
			}
		}
	})

	for name, c := range map[string]struct{ old, by, what string }{
		"a score":    {`"score":0,`, `"score":0.1,`, "score"},
		"an outcome": {`"outcome":"revise"`, `"outcome":"fail"`, "outcome"},
		"a check":    {`"id":"names-saturn","status":"fail"`, `"id":"names-saturn","status":"pass"`, "names-saturn"},
		"a text":     {`"output_hash":"sha256:`, `"output_hash":"sha256:0`, "output_hash"},
	} {
		t.Run(name+" that was changed differs", func(t *testing.T) {
			t.Parallel()
			run := foldedRun(t, judgedRun(t), unchanged)
			changed := *run.Fold.Verdicts[0].VerdictData
			document := string(contractstest.Document(changed))
			if !strings.Contains(document, c.old) {
				t.Fatalf("no %s in %s", c.old, document)
			}
			if err := json.Unmarshal([]byte(strings.Replace(document, c.old, c.by, 1)), &changed); err != nil {
				t.Fatal(err)
			}
			run.Fold.Verdicts[0].VerdictData = &changed
			review := store.ReviewVerdict(&run, 0)
			if review.Same() || review.Differences[0].What != c.what && review.Differences[len(review.Differences)-1].What != c.what {
				t.Errorf("differences = %+v, want %s", review.Differences, c.what)
			}
		})
	}

	t.Run("without its task there is nothing to judge by", func(t *testing.T) {
		t.Parallel()
		run := foldedRun(t, judgedRun(t), unchanged)
		run.Task = nil
		if review := store.ReviewVerdict(&run, 0); review.Impossible == "" {
			t.Errorf("review = %+v", review)
		}
	})

	t.Run("behind a broken invariant nobody knows where the run stood", func(t *testing.T) {
		t.Parallel()
		run := foldedRun(t, judgedRun(t), unchanged)
		run.Fold.Grounds[0].Sound = false
		if review := store.ReviewVerdict(&run, 0); review.Impossible == "" {
			t.Errorf("review = %+v", review)
		}
	})
}

func TestReadTask(t *testing.T) {
	t.Parallel()
	document := `{"schema_version":2,"goal":"g","labels":{"a":"b"},"allowed_tools":["x"],"budget":{"max_tokens":5},
		"inputs":[{"name":"t","text":"abc"},{"name":"u","uri":"https://example.org/x","media_type":"text/csv"}]}`
	task, err := store.ReadTask([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	digest, err := contracts.DigestJSON([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	if task.Digest != digest || task.Withheld || task.Labels["a"] != "b" || *task.Budget.MaxTokens != 5 || task.Version != 2 ||
		!slices.Equal(task.Tools, []string{"x"}) || task.Inputs[0].Kind != "text" || task.Inputs[1].Kind != "uri" || task.Inputs[1].MediaType != "text/csv" {
		t.Errorf("task = %+v", task)
	}

	task, err = store.ReadTask([]byte(`{"schema_version":2,"goal":"g","inputs":[{"name":"s","sensitive":true}]}`))
	if err != nil || !task.Withheld || !task.Inputs[0].Sensitive {
		t.Errorf("task = %+v, %v", task, err)
	}

	old := `{"schema_version":1,"goal":"g","inputs":{"a":"text"},"budget":{"tokens":7}}`
	task, err = store.ReadTask([]byte(old))
	if err != nil {
		t.Fatal(err)
	}
	if digest, err = contracts.DigestJSON([]byte(old)); err != nil {
		t.Fatal(err)
	}
	if task.Version != 1 || task.Digest != digest || *task.Budget.MaxTokens != 7 || task.Inputs[0].Name != "a" {
		t.Errorf("task of version 1 = %+v", task)
	}
}

func TestJudgeArgs(t *testing.T) {
	t.Parallel()
	schema, err := contracts.CompileSchema([]byte(`{"type":"object","required":["to"],"properties":{"to":{"type":"string"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for text, pointers := range map[string][]string{
		`{"to":"all"}`: nil, `{"to":5}`: {"#/to"}, `{}`: {"#/to"}, `{"to":`: {"#"}, ``: {"#"},
	} {
		var got []string
		for _, place := range store.JudgeArgs(schema, text).Places {
			got = append(got, place.Pointer)
		}
		if !slices.Equal(got, pointers) {
			t.Errorf("%s is wrong at %v, want %v", text, got, pointers)
		}
	}
	if j := store.JudgeArgs(nil, `{"anything":1}`); !j.Valid {
		t.Errorf("without a schema: %+v", j.Problem)
	}
	if j := store.JudgeArgs(nil, `{`); j.Valid {
		t.Error("without a schema what is no JSON is taken")
	}
}

// judgedRun is a run whose verdicts are those that come out: the first answer is sent back, the second passes.
func judgedRun(t *testing.T) contractstest.Run {
	t.Helper()
	r := contractstest.RevisedRun()
	for _, ev := range r.Events {
		if v, ok := ev.Data.(*contracts.VerdictData); ok && v.Results[0].Status == contracts.CheckFail {
			v.Results[0].Reason = "the target does not contain the expected text"
		}
	}
	return r
}
