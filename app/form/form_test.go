package form_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"axiom25/app/document"
	"axiom25/app/form"
	"axiom25/contracts"
	"axiom25/docs"
	"axiom25/docs/examples"
)

// built draws the form of a task.
func built(text string, problems ...form.Problem) []form.Drawn {
	read := document.Read(text)
	return form.Build(form.TaskSpec(), read, form.Presets(read), problems)
}

// row finds a row by its pointer and control.
func row(t *testing.T, drawn []form.Drawn, pointer string, control form.Control) *form.Row {
	t.Helper()
	for i := range drawn {
		for n := range drawn[i].Rows {
			if r := &drawn[i].Rows[n]; r.Pointer == pointer && r.Control == control {
				return r
			}
		}
	}
	t.Fatalf("there is no %s at %s", control, pointer)
	return nil
}

func TestSet(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, pointer string
		control       form.Control
		value, want   string
	}{
		"a text":                   {`{"goal":"a"}`, "/goal", form.Area, "b\n\"c\"", `{"goal":"b\n\"c\""}`},
		"a text that is kept":      {`{"goal":"a"}`, "/goal", form.Area, "", `{"goal":""}`},
		"a number as it is typed":  {`{"budget":{"max_tokens":1}}`, "/budget/max_tokens", form.Number, " 1e3 ", `{"budget":{"max_tokens":1e3}}`},
		"what is no number":        {`{"budget":{"max_tokens":1}}`, "/budget/max_tokens", form.Number, "1 2", `{"budget":{"max_tokens":"1 2"}}`},
		"an override taken out":    {`{"goal":"g","budget":{"max_tokens":1}}`, "/budget/max_tokens", form.Number, "", `{"goal":"g"}`},
		"nothing taken out":        {`{"goal":"g"}`, "/budget/max_tokens", form.Number, "", `{"goal":"g"}`},
		"a choice":                 {`{"goal":"g"}`, "/profile", form.Choice, "tight", `{"goal":"g","profile":"tight"}`},
		"a flag":                   {`{"inputs":[{"name":"a","text":""}]}`, "/inputs/0/sensitive", form.Flag, "true", `{"inputs":[{"name":"a","text":"","sensitive":true}]}`},
		"a flag taken out":         {`{"inputs":[{"sensitive":true,"name":"a"}]}`, "/inputs/0/sensitive", form.Flag, "", `{"inputs":[{"name":"a"}]}`},
		"JSON":                     {`{"inputs":[{"data":1}]}`, "/inputs/0/data", form.JSON, `[1.50]`, `{"inputs":[{"data":[1.50]}]}`},
		"text that is JSON":        {`{"inputs":[{"text":"[1.50]"}]}`, "/inputs/0", form.Content, "data", `{"inputs":[{"data":[1.50]}]}`},
		"text that is none":        {`{"inputs":[{"text":"a b"}]}`, "/inputs/0", form.Content, "data", `{"inputs":[{"data":"a b"}]}`},
		"data as text":             {`{"inputs":[{"data":{"a":1}}]}`, "/inputs/0", form.Content, "text", `{"inputs":[{"text":"{\"a\":1}"}]}`},
		"no content":               {`{"inputs":[{"name":"a"}]}`, "/inputs/0", form.Content, "uri", `{"inputs":[{"name":"a","uri":""}]}`},
		"more than one content":    {`{"inputs":[{"uri":"u","data":1,"text":"t"}]}`, "/inputs/0", form.Content, "text", `{"inputs":[{"text":"t"}]}`},
		"one that is chosen again": {`{"inputs":[{"text":"t"}]}`, "/inputs/0", form.Content, "text", `{"inputs":[{"text":"t"}]}`},
		"lines": {
			`{"verification":{"scorers":[{"type":"label","labels":["x"]}]}}`, "/verification/scorers/0/labels", form.Lines, " a \n\nb",
			`{"verification":{"scorers":[{"type":"label","labels":["a","b"]}]}}`,
		},
		"a bound": {
			`{"verification":{"assertions":[{"type":"length"}]}}`, "/verification/assertions/0/value/min", form.Number, "2",
			`{"verification":{"assertions":[{"type":"length","value":{"min":2}}]}}`,
		},
	} {
		got, err := form.Set(document.Read(c.text), row(t, built(c.text), c.pointer, c.control), c.value)
		if err != nil || got != c.want {
			t.Errorf("%s: %s becomes %s, %v; want %s", name, c.text, got, err, c.want)
		}
	}
	text := `{"inputs":[{"data":1}]}`
	if _, err := form.Set(document.Read(text), row(t, built(text), "/inputs/0/data", form.JSON), `[1`); !errors.Is(err, document.ErrNoJSON) {
		t.Errorf("what is no JSON gives %v", err)
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	const text = `{"inputs":[{"name":"input-2"},{"name":"b"}],"allowed_tools":["x","y"],"labels":{"a":"1"}}`
	read, drawn := document.Read(text), built(text)
	check := func(what, got string, err error, want string) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", what, got, err, want)
		}
	}
	got, pointer, err := form.Append(read, row(t, drawn, "/inputs", form.Add))
	check("adds", got, err, strings.Replace(text, `{"name":"b"}`, `{"name":"b"},{"name":"input-1","text":""}`, 1))
	if pointer != "/inputs/2" {
		t.Errorf("added at %s", pointer)
	}
	got, err = form.Remove(read, row(t, drawn, "/inputs/1", form.Item))
	check("removes", got, err, strings.Replace(text, `,{"name":"b"}`, "", 1))
	got, err = form.Move(read, "/inputs", 1, -1)
	check("moves", got, err, strings.Replace(text, `{"name":"input-2"},{"name":"b"}`, `{"name":"b"},{"name":"input-2"}`, 1))
	got, err = form.Pick(read, row(t, drawn, "/allowed_tools", form.Picks), "z", true)
	check("picks", got, err, strings.Replace(text, `"y"`, `"y","z"`, 1))
	got, err = form.Pick(read, row(t, drawn, "/allowed_tools", form.Picks), "x", false)
	check("unpicks", got, err, strings.Replace(text, `"x",`, "", 1))
	got, err = form.Pick(read, row(t, drawn, "/backend/prefer", form.Picks), "local", true)
	check("picks the first", got, err, strings.Replace(text, `}}`, `},"backend":{"prefer":["local"]}}`, 1))
	got, pointer, err = form.Append(read, row(t, drawn, "/labels", form.Add))
	check("adds a label at "+pointer, got, err, strings.Replace(text, `"a":"1"`, `"a":"1","label-1":""`, 1))
	got, err = form.Rename(read, row(t, drawn, "/labels/a", form.Pair), "b/c")
	check("renames", got, err, strings.Replace(text, `"a":"1"`, `"b/c":"1"`, 1))
	const two = `{"labels":{"a":"","b":""}}`
	if _, err := form.Rename(document.Read(two), row(t, built(two), "/labels/a", form.Pair), "b"); !errors.Is(err, form.ErrTaken) {
		t.Errorf("a name that is taken gives %v", err)
	}
	got, err = form.Fix(document.Read(`{"gaol":"x","profile":"mx"}`), &form.Problem{Pointer: "#/gaol", Guess: "goal", Renames: true})
	check("takes a name", got, err, `{"goal":"x","profile":"mx"}`)
	got, err = form.Fix(document.Read(`{"gaol":"x","profile":"mx"}`), &form.Problem{Pointer: "#/profile", Guess: "max"})
	check("takes a value", got, err, `{"gaol":"x","profile":"max"}`)
}

// TestFieldsFollowTheType shows for each type the fields that it takes, and what does not fit it as it is written.
func TestFieldsFollowTheType(t *testing.T) {
	t.Parallel()
	for assertion, want := range map[string]string{
		`{"type":"contains","value":"x"}`:         "value area",
		`{"type":"contains"}`:                     "value area",
		`{"type":"contains","value":1}`:           "value json",
		`{"type":"matches","value":"x"}`:          "value line",
		`{"type":"length"}`:                       "value/min number,value/max number",
		`{"type":"length","value":"x"}`:           "value json",
		`{"type":"tool_called","value":{}}`:       "value/min number,value/max number",
		`{"type":"usage_max","value":{"a":1}}`:    "value/limit number",
		`{"type":"tool_sequence","value":["a"]}`:  "value lines",
		`{"type":"tool_sequence","value":{}}`:     "value json",
		`{"type":"json_schema","value":true}`:     "value json",
		`{"type":"equals","value":[1]}`:           "value json",
		`{"value":[1]}`:                           "value json",
		`{"type":"no_such_type","value":{"a":1}}`: "value json",
	} {
		var got []string
		for _, d := range built(`{"verification":{"assertions":[` + assertion + `]}}`) {
			for _, r := range d.Rows {
				if below, ok := strings.CutPrefix(r.Pointer, "/verification/assertions/0/value"); ok {
					got = append(got, "value"+below+" "+string(r.Control))
				}
			}
		}
		if strings.Join(got, ",") != want {
			t.Errorf("%s has %v, want %s", assertion, got, want)
		}
	}
	shown := func(text, pointer string) bool {
		return slices.ContainsFunc(built(text), func(d form.Drawn) bool {
			return slices.ContainsFunc(d.Rows, func(r form.Row) bool { return r.Pointer == pointer })
		})
	}
	for text, want := range map[string]bool{
		`{"verification":{"scorers":[{"type":"exact"}]}}`:                false,
		`{"verification":{"scorers":[{"type":"rubric"}]}}`:               true,
		`{"verification":{"scorers":[{"type":"exact","rubric":"why"}]}}`: true, // for its problem to stand somewhere
	} {
		if got := shown(text, "/verification/scorers/0/rubric"); got != want {
			t.Errorf("%s shows a rubric: %t", text, got)
		}
	}
}

func TestPresetsAreWhatTheContractsSay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[string]string{
		`{}`:                                 {"max_tokens": "128000", "reserve_tokens": "4000", "on_exhausted": "finalize"},
		`{"profile":"tight"}`:                {"max_tokens": "16000", "reserve_tokens": "0", "on_exhausted": "stop", "branch_width": "1"},
		`{"profile":"nonsense"}`:             {"max_tokens": "128000"},
		`{"budget":{"max_tokens":10}}`:       {"max_tokens": "128000", "reserve_tokens": "5"},
		`{"budget":{"max_wall_ms":2000}}`:    {"max_wall_ms": "3600000", "max_active_ms": "2000"},
		`{"budget":{"on_exhausted":"stop"}}`: {"on_exhausted": "finalize", "reserve_tokens": "0"},
		`{"budget":{"max_tokens":"ten","max_cost_microusd":1,"odd":true`: {"max_tokens": "128000", "max_cost_microusd": "1000000"},
	} {
		presets := form.Presets(document.Read(text))
		for name, value := range want {
			if got := presets["/budget/"+name]; got != value {
				t.Errorf("%s: %s is %s, want %s", text, name, got, value)
			}
		}
	}
}

// TestEveryProblemHasItsPlace damages tasks and looks for each problem that the contracts find at its own field, or around it.
func TestEveryProblemHasItsPlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{ //nolint:gosec // ids of fields, no secrets
		`{"schema_version":2,"goal":""}`:                                                             "field%2Fgoal",
		`{"schema_version":3,"goal":"g"}`:                                                            "form-goal",
		`{"schema_version":2,"goal":"g","inputs":[{"name":"a"}]}`:                                    "field%2Finputs%2F0-content",
		`{"schema_version":2,"goal":"g","inputs":[{"name":"?","text":""}]}`:                          "field%2Finputs%2F0%2Fname",
		`{"schema_version":2,"goal":"g","inputs":[{"name":"a","text":"","odd":1}]}`:                  "field%2Finputs%2F0",
		`{"schema_version":2,"goal":"g","allowed_tools":["?"]}`:                                      "field%2Fallowed_tools",
		`{"schema_version":2,"goal":"g","backend":{"odd":1}}`:                                        "form-engine",
		`{"schema_version":2,"goal":"g","profile":"mx"}`:                                             "field%2Fprofile",
		`{"schema_version":2,"goal":"g","verification":{"pass_at":0.5}}`:                             "form-verification",
		`{"schema_version":2,"goal":"g","verification":{"assertions":[{"id":"a","type":"length"}]}}`: "field%2Fverification%2Fassertions%2F0",
		`{"schema_version":2,"goal":"g","labels":{"a b":"1"}}`:                                       "field%2Flabels%2Fa%20b",
		`{"schema_version":2,"goal":"g","odd":"1"}`:                                                  "",
	} {
		p, ok := errors.AsType[*contracts.Problem](contracts.Validate(contracts.KindTaskSpec, []byte(text)))
		if !ok || len(p.Errors) != 1 {
			t.Fatalf("%s: %+v", text, p)
		}
		problems := []form.Problem{{Pointer: p.Errors[0].Pointer, Code: string(p.Errors[0].Code), Detail: p.Errors[0].Detail}}
		built(text, problems...)
		if problems[0].Field != want {
			t.Errorf("%s: %s stands at %q, want %q", text, problems[0].Pointer, problems[0].Field, want)
		}
	}
}

// TestRowsOfAnything draws whatever may be written, and gives each row an id of its own.
func TestRowsOfAnything(t *testing.T) {
	t.Parallel()
	texts := []string{``, `x`, `[]`, `{"inputs":{},"labels":[],"verification":[1],"backend":"x","allowed_tools":{"a":1}}`, `{"inputs":[1,null,"x",[]],"labels":{"":1}}`}
	list, err := examples.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		texts = append(texts, string(e.Task))
	}
	for _, text := range texts {
		seen := map[string]bool{}
		for _, d := range built(text) {
			for _, r := range d.Rows {
				if seen[r.ID] {
					t.Errorf("%.40s has two rows %s", text, r.ID)
				}
				seen[r.ID] = true
			}
		}
		if len(seen) < 20 {
			t.Errorf("%.40s has %d rows", text, len(seen))
		}
	}
}

// TestEveryFieldIsDescribed looks each row of a task up in the schema that the server sends.
func TestEveryFieldIsDescribed(t *testing.T) {
	t.Parallel()
	schema, ok := docs.Schema("v2", "taskspec")
	if !ok {
		t.Fatal("there is no schema")
	}
	drawn := built(`{"inputs":[{"name":"a","uri":"x"}],"verification":{"assertions":[{"type":"contains"}],"scorers":[{"type":"label"}]}}`)
	help := form.Help(document.Read(string(schema)), drawn)
	for _, d := range drawn {
		for _, r := range d.Rows {
			if r.Control != form.Content && r.Control != form.Item && help[r.ID] == "" {
				t.Errorf("%s is not described", r.ID)
			}
		}
	}
	if got := help["field%2Finputs%2F0%2Fdigest"]; !strings.Contains(got, "hash to") {
		t.Errorf("a digest is %q", got)
	}
}
