package local_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/server/engine/local"
)

// task returns a task with a plan and a few inputs.
func task(plan string, sensitive ...string) *contracts.TaskSpec {
	note, uri := "seven", "https://example.org/x"
	t := &contracts.TaskSpec{
		SchemaVersion: contracts.Version, Goal: "g", AllowedTools: []contracts.ToolRef{"calculator", "json_query@1.0.0"},
		Inputs: []contracts.Input{
			{Name: "note", Text: &note},
			{Name: "facts", Data: json.RawMessage(`{"a/b":[1,{"~":2}]}`)},
			{Name: "far", URI: uri, Digest: contracts.DigestText("x")},
			{Name: "plan", Data: json.RawMessage(plan)},
		},
	}
	for i := range t.Inputs {
		for _, name := range sensitive {
			t.Inputs[i].Sensitive = t.Inputs[i].Sensitive || t.Inputs[i].Name == name
		}
	}
	return t
}

// one returns a plan of one step with these arguments.
func one(args string) string {
	return `{"steps":[{"id":"s","tool":"calculator","args":` + args + `}],"answers":["x"]}`
}

func TestEngine_Check(t *testing.T) {
	chain := `{"steps":[{"id":"a","tool":"json_query","args":{"input":"inputs.facts","query":"."}},` +
		`{"id":"b","tool":"calculator","args":{"expression":"x","variables":{"x":{"$from":"steps.a#/results/0"}}}}],"answers":["%s"]}`
	for name, tc := range map[string]struct {
		plan      string
		sensitive []string
		want      []string // code at pointer, within the plan
	}{
		"a plan":                       {plan: fmt.Sprintf(chain, "{{steps.b#/value | %,.2f}} {{inputs.facts#/a~1b/1/~0}} {{inputs.note}}")},
		"no steps":                     {plan: `{"answers":["x"]}`},
		"no object":                    {plan: `[]`, want: []string{"type @"}},
		"no answers":                   {plan: `{}`, want: []string{"required @/answers"}},
		"an empty list of answers":     {plan: `{"answers":[]}`, want: []string{"required @/answers"}},
		"too many answers":             {plan: `{"answers":["x"` + strings.Repeat(`,"x"`, 21) + `]}`, want: []string{"rule.max @/answers"}},
		"members of other types":       {plan: `{"steps":{},"answers":[1],"fallback":2,"exhausted":[]}`, want: []string{"type @/answers/0", "type @/exhausted", "type @/fallback", "type @/steps"}},
		"unknown members":              {plan: `{"answers":["x"],"stesp":[],"a/b":1}`, want: []string{"unknown_field @/a~1b", "unknown_field @/stesp"}},
		"a step without anything":      {plan: `{"steps":[{}],"answers":["x"]}`, want: []string{"required @/steps/0/id"}},
		"a step that is a text":        {plan: `{"steps":["s"],"answers":["x"]}`, want: []string{"type @/steps/0"}},
		"a step without a tool":        {plan: `{"steps":[{"id":"s"}],"answers":["x"]}`, want: []string{"required @/steps/0/tool"}},
		"a bad id":                     {plan: `{"steps":[{"id":"a.b","tool":"calculator"}],"answers":["x"]}`, want: []string{"plan.step @/steps/0/id"}},
		"equal ids":                    {plan: `{"steps":[{"id":"s","tool":"calculator"},{"id":"s","tool":"calculator"}],"answers":["x"]}`, want: []string{"rule.unique @/steps/1/id"}},
		"a tool that is not allowed":   {plan: `{"steps":[{"id":"s","tool":"sql_query"}],"answers":["x"]}`, want: []string{"target.not_allowed @/steps/0/tool"}},
		"another version":              {plan: `{"steps":[{"id":"s","tool":"json_query@2.0.0"}],"answers":["x"]}`, want: []string{"target.not_allowed @/steps/0/tool"}},
		"arguments that are a list":    {plan: one(`[]`), want: []string{"type @/steps/0/args"}},
		"an unknown step":              {plan: one(`{"a":[{"$from":"steps.t"}]}`), want: []string{"plan.reference @/steps/0/args/a/0/$from"}},
		"an unknown input":             {plan: one(`{"a":{"$from":"inputs.t"}}`), want: []string{"plan.reference @/steps/0/args/a/$from"}},
		"an input without content":     {plan: one(`{"a":{"$from":"inputs.far"}}`), want: []string{"plan.reference @/steps/0/args/a/$from"}},
		"a pointer to nothing":         {plan: one(`{"a":{"$from":"inputs.facts#/a~1b/2"}}`), want: []string{"plan.reference @/steps/0/args/a/$from"}},
		"a pointer through a text":     {plan: one(`{"a":{"$from":"inputs.note#/0"}}`), want: []string{"plan.reference @/steps/0/args/a/$from"}},
		"a pointer with a leading 0":   {plan: one(`{"a":{"$from":"inputs.facts#/a~1b/00"}}`), want: []string{"plan.reference @/steps/0/args/a/$from"}},
		"a pointer that is none":       {plan: one(`{"a":{"$from":"inputs.facts#a"}}`), want: []string{"plan.reference @/steps/0/args/a/$from"}},
		"a pointer with a bad escape":  {plan: one(`{"a":{"$from":"inputs.facts#/~2"}}`), want: []string{"plan.reference @/steps/0/args/a/$from"}},
		"a reference to something":     {plan: one(`{"a":{"$from":"env.PATH"}}`), want: []string{"plan.reference @/steps/0/args/a/$from"}},
		"a reference that is no text":  {plan: one(`{"a":{"$from":5}}`), want: []string{"plan.reference @/steps/0/args/a/$from"}},
		"a reference with company":     {plan: one(`{"a":{"$from":"inputs.note","b":1}}`), want: []string{"plan.reference @/steps/0/args/a/$from"}},
		"a step that waits for itself": {plan: one(`{"a":{"$from":"steps.s#/value"}}`), want: []string{"plan.cycle @/steps/0"}},
		"a longer cycle": {
			plan: `{"steps":[{"id":"a","tool":"calculator","args":{"x":{"$from":"steps.b"}}},{"id":"b","tool":"calculator","args":{"x":{"$from":"steps.a"}}},{"id":"c","tool":"calculator","args":{"x":{"$from":"steps.a"}}}],"answers":["x"]}`,
			want: []string{"plan.cycle @/steps/0", "plan.cycle @/steps/1"},
		},
		"an open placeholder":          {plan: `{"answers":["{{steps.s"]}`, want: []string{"plan.template @/answers/0"}},
		"a placeholder of nothing":     {plan: `{"answers":["{{}}"]}`, want: []string{"plan.template @/answers/0"}},
		"an unknown format":            {plan: `{"answers":["{{inputs.note | %s}}","{{inputs.note | %.2d}}"]}`, want: []string{"plan.template @/answers/0", "plan.template @/answers/1"}},
		"a template of an unknown":     {plan: `{"answers":["x"],"fallback":"{{steps.s}}","exhausted":"{{inputs.x}}"}`, want: []string{"plan.reference @/exhausted", "plan.reference @/fallback"}},
		"a template that is too long":  {plan: `{"answers":["` + strings.Repeat("x", 70000) + `"]}`, want: []string{"rule.maxbytes @/answers/0"}},
		"a sensitive source":           {plan: fmt.Sprintf(chain, "{{inputs.facts#/a~1b/0}}"), sensitive: []string{"facts"}, want: []string{"plan.sensitive @/answers/0"}},
		"a sensitive source, by steps": {plan: fmt.Sprintf(chain, "{{steps.b#/value}}"), sensitive: []string{"facts"}, want: []string{"plan.sensitive @/answers/0"}},
		"sensitive, but not shown":     {plan: fmt.Sprintf(chain, "done"), sensitive: []string{"facts"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := (&local.Engine{}).Check(task(tc.plan, tc.sensitive...))
			var got []string
			problem := (*contracts.Problem)(nil)
			if errors.As(err, &problem) {
				if !problem.Has(contracts.ProblemInvalidDocument) {
					t.Errorf("the problem is %s", problem.Type)
				}
				for _, e := range problem.Errors {
					got = append(got, string(e.Code)+" @"+strings.TrimPrefix(e.Pointer, "#/inputs/3/data"))
				}
			} else if err != nil {
				t.Fatalf("got %T", err)
			}
			if fmt.Sprint(got) != fmt.Sprint(tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
	without := task(`{}`)
	without.Inputs = without.Inputs[:3]
	asText, hidden := task(`{}`), task(`{"answers":["x"]}`, "plan")
	text := `{"answers":["x"]}`
	asText.Inputs[3].Data, asText.Inputs[3].Text = nil, &text
	for name, tc := range map[string]struct {
		task *contracts.TaskSpec
		want string
	}{
		"no plan":          {without, "plan.missing @#/inputs"},
		"a plan as text":   {asText, "plan.missing @#/inputs/3"},
		"a sensitive plan": {hidden, "plan.missing @#/inputs/3"},
	} {
		problem := (*contracts.Problem)(nil)
		if err := (&local.Engine{}).Check(tc.task); !errors.As(err, &problem) || len(problem.Errors) != 1 ||
			string(problem.Errors[0].Code)+" @"+problem.Errors[0].Pointer != tc.want {
			t.Errorf("%s: got %+v, want %s", name, err, tc.want)
		}
	}
}
