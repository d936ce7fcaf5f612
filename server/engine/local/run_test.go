package local_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/engine/enginetest"
	"axiom25/server/engine/local"
)

// document writes a task as a client sends it.
func document(t *testing.T, plan string, more map[string]any) []byte {
	t.Helper()
	inputs := []any{
		map[string]any{"name": "salaries", "text": "who,pay\nada,4711421\ngrace,4242424\n", "media_type": "text/csv", "sensitive": true},
		map[string]any{"name": "rates", "data": map[string]any{"vat": 0.19, "big": 1234567.891, "list": []any{1, "two", nil}}},
		map[string]any{"name": "plan", "data": json.RawMessage(plan)},
	}
	doc := map[string]any{
		"schema_version": contracts.Version, "goal": "compute", "inputs": inputs,
		"allowed_tools": []string{"sql_query", "calculator", "json_query", "sign_off"},
	}
	maps.Copy(doc, more)
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func run(t *testing.T, plan string, more map[string]any) (events []contracts.RunEvent, done *contracts.DoneData) {
	t.Helper()
	h := enginetest.Open(t, 0, &local.Engine{})
	events = h.Await(t, h.Submit(t, document(t, plan, more)), nil)
	return events, enginetest.Done(t, events)
}

func calculator(id, expression string) string {
	return fmt.Sprintf(`{"id":%q,"tool":"calculator","args":{"expression":%q}}`, id, expression)
}

func TestRun_templates(t *testing.T) {
	for template, want := range map[string]string{
		"plain":                             "plain",
		"":                                  "",
		"{{inputs.rates#/vat}}":             "0.19",
		"{{inputs.rates#/vat | %.1f}}":      "0.2",
		"{{inputs.rates#/big | %,.2f}}":     "1,234,567.89",
		"{{inputs.rates#/big | %,d}} ~":     "1,234,568 ~",
		"{{inputs.rates#/big | %.2e}}":      "1.23e+06",
		"{{inputs.rates#/big | %f}}":        "1234567.891000",
		"{{inputs.rates#/list}}":            `[1,"two",null]`,
		"{{inputs.rates#/list/1}}":          "two",
		"{{steps.minus#/value | %,.0f}}":    "-12,345",
		"{{ steps.minus#/value }} } {":      "-12345 } {",
		strings.Repeat("long words ", 5000): strings.Repeat("long words ", 5000),
		strings.Repeat("日本語", 300):          strings.Repeat("日本語", 300),
	} {
		t.Run(template[:min(len(template), 32)], func(t *testing.T) {
			answer, err := json.Marshal(template)
			if err != nil {
				t.Fatal(err)
			}
			events, done := run(t, `{"steps":[`+calculator("minus", "-12345")+`],"answers":[`+string(answer)+`]}`, nil)
			if done.Status != contracts.StateSucceeded || done.Output == nil || *done.Output != want {
				t.Fatalf("ended %s with %.80v, want %.80s", done.Status, done.Output, want)
			}
			if n := len(enginetest.Of[*contracts.TokenData](events)); n > 401 {
				t.Errorf("the answer came in %d pieces", n)
			}
		})
	}
}

func TestRun_usage(t *testing.T) {
	events, done := run(t, `{"steps":[],"answers":["two words"]}`, nil)
	var thought, answer int64
	for _, d := range enginetest.Of[*contracts.ThoughtData](events) {
		thought += int64(len(d.Delta)+3) / 4
	}
	for _, d := range enginetest.Of[*contracts.TokenData](events) {
		answer += int64(len(d.Delta)+3) / 4
	}
	if answer != 3 { // "two ", "words": 1 + 2
		t.Errorf("the answer counts %d tokens", answer)
	}
	if done.Used.TokensReasoning != thought || done.Used.TokensOut != thought+answer || done.Used.CostMicroUSD != 0 {
		t.Errorf("usage %+v, want %d reasoning and %d answer", done.Used, thought, answer)
	}
}

func TestRun_failures(t *testing.T) {
	t.Parallel()
	broken := `{"steps":[` + calculator("bad", "1/0") + `,{"id":"next","tool":"calculator","args":{"expression":"x","variables":{"x":{"$from":"steps.bad#/value"}}}},` +
		`{"id":"odd","tool":"calculator","args":{"expression":"x","variables":{"x":{"$from":"steps.good#/nothing"}}}},` + calculator("good", "1") + `],`
	for name, tc := range map[string]struct {
		plan   string
		status contracts.State
		output string
		calls  int
	}{
		"the answer needs what failed":       {broken + `"answers":["{{steps.bad#/value}}"]}`, contracts.StateFailed, "", 2},
		"the answer needs what did not run":  {broken + `"answers":["{{steps.next#/value}}"]}`, contracts.StateFailed, "", 2},
		"the answer needs what is not there": {broken + `"answers":["{{steps.good#/other}}"]}`, contracts.StateFailed, "", 2},
		"the answer writes no number":        {broken + `"answers":["{{inputs.rates#/list | %d}}"]}`, contracts.StateFailed, "", 2},
		"a fallback":                         {broken + `"answers":["{{steps.odd#/value}}"],"fallback":"Only {{steps.good#/value}}."}`, contracts.StateSucceeded, "Only 1.", 2},
		"a fallback that fails as well":      {broken + `"answers":["{{steps.odd#/value}}"],"fallback":"{{steps.bad#/value}}"}`, contracts.StateFailed, "", 2},
		"the answer needs nothing of it":     {broken + `"answers":["{{steps.good#/value}}"]}`, contracts.StateSucceeded, "1", 2},
		"an argument that the tool refuses":  {`{"steps":[{"id":"bad","tool":"calculator","args":{}}],"answers":["{{steps.bad}}"]}`, contracts.StateFailed, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events, done := run(t, tc.plan, nil)
			if done.Status != tc.status || (done.Output != nil) != (tc.output != "") || (done.Output != nil && *done.Output != tc.output) {
				t.Errorf("ended %s with %v, want %s with %q", done.Status, done.Output, tc.status, tc.output)
			}
			if n := len(enginetest.Of[*contracts.ToolStartData](events)); n != tc.calls {
				t.Errorf("%d calls, want %d", n, tc.calls)
			}
			failures := enginetest.Of[*contracts.ErrorData](events)
			if tc.status == contracts.StateFailed && (len(failures) != 1 || !failures[0].Has(contracts.ProblemEngineFailed) || !failures[0].Fatal) {
				t.Errorf("the errors are %+v, want one fatal engine-failed", failures)
			}
		})
	}
}

func TestRun_branches(t *testing.T) {
	plan := `{"steps":[` + strings.Join([]string{calculator("a", "1"), calculator("b", "2"), calculator("c", "3"), calculator("d", "4")}, ",") + `],"answers":["x"]}`
	for width, want := range map[int64][]contracts.Branch{1: {"", "", "", ""}, 2: {"a", "b", "c", "d"}, 4: {"a", "b", "c", "d"}} {
		events, done := run(t, plan, map[string]any{"budget": map[string]any{"branch_width": width}})
		var branches []contracts.Branch
		for _, ev := range events {
			if ev.Type == contracts.EventToolStart {
				branches = append(branches, ev.Branch)
			}
		}
		slices.Sort(branches)
		if !slices.Equal(branches, want) || done.Used.Branches > width {
			t.Errorf("width %d: branches %q, at most %d at once", width, branches, done.Used.Branches)
		}
	}
}

func TestRun_sensitive(t *testing.T) {
	plan := `{"steps":[
		{"id":"sum","tool":"sql_query","args":{"sql":"SELECT sum(pay) AS s FROM salaries","tables":["inputs.salaries"]}},
		{"id":"copy","tool":"json_query","args":{"query":".","data":{"$from":"inputs.salaries"}}},
		{"id":"tax","tool":"calculator","args":{"expression":"0.1 * s","variables":{"s":{"$from":"steps.sum#/rows/0/0"}}}},
		{"id":"open","tool":"sql_query","args":{"sql":"SELECT count(*) FROM salaries"}}],
		"answers":["Done."]}`
	events, done := run(t, plan, nil)
	if done.Status != contracts.StateSucceeded {
		t.Fatalf("ended %s", done.Status)
	}
	statuses := map[string]contracts.CallStatus{}
	for _, end := range enginetest.Of[*contracts.ToolEndData](events) {
		statuses[end.CallID] = end.Status
	}
	if want := map[string]contracts.CallStatus{"sum": "ok", "copy": "ok", "tax": "ok", "open": "error"}; fmt.Sprint(statuses) != fmt.Sprint(want) {
		t.Errorf("calls ended %v, want %v", statuses, want)
	}
	for _, ev := range events {
		line, err := contracts.Encode(ev)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"4711421", "4242424", "8953845", "grace"} {
			if strings.Contains(string(line), secret) {
				t.Errorf("event %d shows what is sensitive: %s", ev.Seq, line)
			}
		}
	}
}

func TestRun_exhausted(t *testing.T) {
	t.Parallel()
	steps := `{"steps":[` + calculator("a", "1") + "," + calculator("b", "2") + "," + calculator("c", "3") + `],"answers":["all"]%s}`
	for name, tc := range map[string]struct {
		more   string
		budget map[string]any
		output string
	}{
		"its own words":             {`,"exhausted":"Just {{steps.a#/value}}."`, map[string]any{"max_tool_calls": 1, "branch_width": 1}, "Just 1."},
		"words that cannot be said": {`,"exhausted":"{{steps.c#/value}}"`, map[string]any{"max_tool_calls": 2, "branch_width": 1}, "The budget ran out (tool_calls) before the answer was complete. Computed: a, b. Not computed: c."},
		"no call at all":            {"", map[string]any{"max_tool_calls": 0}, "The budget ran out (tool_calls) before the answer was complete. Computed: nothing. Not computed: a, b, c."},
		"tokens":                    {"", map[string]any{"max_tokens": 60, "reserve_tokens": 20, "branch_width": 1}, "The budget ran out (tokens) before the answer was complete. Computed: nothing. Not computed: a, b, c."},
		"stop":                      {"", map[string]any{"max_tool_calls": 1, "branch_width": 1, "on_exhausted": "stop"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, done := run(t, fmt.Sprintf(steps, tc.more), map[string]any{"budget": tc.budget})
			if done.Status != contracts.StateExhausted {
				t.Errorf("ended %s", done.Status)
			}
			if (done.Output == nil) != (tc.output == "") || (done.Output != nil && *done.Output != tc.output) {
				t.Errorf("answered %v, want %q", done.Output, tc.output)
			}
		})
	}
}

func TestRun_verified(t *testing.T) {
	contract := map[string]any{"release": "verified", "assertions": []any{map[string]any{"id": "a", "type": "contains", "value": "good"}}}
	events, done := run(t, `{"answers":["bad","good"]}`, map[string]any{"verification": contract})
	if done.Status != contracts.StateSucceeded || done.Output == nil || *done.Output != "good" {
		t.Errorf("ended %s with %v", done.Status, done.Output)
	}
	for _, token := range enginetest.Of[*contracts.TokenData](events) {
		if strings.Contains(token.Delta, "bad") {
			t.Error("an answer that did not pass was shown")
		}
	}
	if done.Used.Reflections != 1 {
		t.Errorf("%d reflections", done.Used.Reflections)
	}
	_, done = run(t, `{"answers":["bad"]}`, map[string]any{"verification": contract})
	if done.Status != contracts.StateFailed || done.Used.Reflections != 2 {
		t.Errorf("a plan without another answer ends %s after %d reflections", done.Status, done.Used.Reflections)
	}
}

func TestRun_cancelled(t *testing.T) {
	t.Parallel()
	wait := `{"steps":[{"id":"ask","tool":"sign_off","args":{"statement":"s"}}],"answers":["x"]}`
	slow := `{"answers":["` + strings.Repeat("word ", 500) + `"]}`
	for name, tc := range map[string]struct {
		plan string
		at   contracts.EventType
	}{"while a human is asked": {wait, contracts.EventToolStart}, "while it answers": {slow, contracts.EventToken}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := enginetest.Open(t, 0, &local.Engine{Pace: 20 * time.Millisecond})
			id := h.Submit(t, document(t, tc.plan, nil))
			cancelled := false
			begun := time.Now() //nolint:forbidigo // the test measures
			events := h.Await(t, id, func(ev contracts.RunEvent) {
				if ev.Type == tc.at && !cancelled {
					cancelled = true
					if err := h.Cancel(t.Context(), id, contracts.CancelRequest{}); err != nil {
						t.Error(err)
					}
				}
			})
			if done := enginetest.Done(t, events); done.Status != contracts.StateCancelled {
				t.Errorf("ended %s", done.Status)
			}
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("took %v, as if the engine had not let go", took)
			}
		})
	}
}
