package form_test

import (
	"errors"
	"slices"
	"testing"

	"axiom25/app/document"
	"axiom25/app/form"
	"axiom25/contracts"
	"axiom25/docs"
)

// fullTool has every member of a ToolSpec, so that its form has every row.
const fullTool = `{"schema_version":2,"name":"n","version":"1.0.0","description":"d","input_schema":{"type":"object"},"output_schema":{},
	"effect":"read","idempotent":true,"open_world":false,"transport":{"type":"http","url":"https://t.example"},"auth":{"type":"api_key",
	"secret_ref":"secret://a","in":"header","name":"k","issuer":"https://i.example","scopes":["a"]},"trust":"untrusted","approval":"auto",
	"limits":{"timeout_ms":1,"max_attempts":1,"max_result_bytes":1},"redact":["/a"]}`

func toolForm(text string, problems ...form.Problem) []form.Drawn {
	return form.Build(form.ToolSpec(), document.Read(text), nil, problems)
}

// TestTheToolFormHasEveryMember holds the table against the schema: each leaf of it has a row, and each row a description.
func TestTheToolFormHasEveryMember(t *testing.T) {
	t.Parallel()
	text, ok := docs.Schema("v2", "toolspec")
	if !ok {
		t.Fatal("there is no schema")
	}
	schema := document.Read(string(text))
	drawn := toolForm(fullTool)
	help := form.Help(schema, drawn)
	var rows []string
	for _, d := range drawn {
		for _, r := range d.Rows {
			rows = append(rows, r.Pointer)
			if help[r.ID] == "" {
				t.Errorf("%s is not described", r.ID)
			}
			if !r.Present {
				t.Errorf("%s is no member of a ToolSpec", r.Pointer)
			}
		}
	}
	whole := document.Read(fullTool)
	for _, member := range schema.Find("/properties").Children() {
		switch at := "/" + member.Name; member.Name {
		case "schema_version": // the reader has no choice
		case "transport", "auth", "limits":
			for _, within := range whole.Find(at).Children() {
				if !slices.Contains(rows, at+"/"+within.Name) {
					t.Errorf("%s/%s has no row", at, within.Name)
				}
			}
		default:
			if !slices.Contains(rows, at) {
				t.Errorf("%s has no row", at)
			}
		}
	}
}

func TestTheToolFormShowsWhatTheKindsNeed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`{}`:                                  {},
		`{"transport":{"type":"engine"}}`:     {},
		`{"transport":{"type":"mcp"}}`:        {"/transport/url"},
		`{"transport":{"url":"https://x"}}`:   {"/transport/url"}, // what is there is shown, so that it can go
		`{"auth":{"type":"none"}}`:            {},
		`{"auth":{"type":"mtls"}}`:            {"/auth/secret_ref"},
		`{"auth":{"type":"api_key"}}`:         {"/auth/secret_ref", "/auth/in", "/auth/name"},
		`{"auth":{"type":"oidc","name":"x"}}`: {"/auth/secret_ref", "/auth/name", "/auth/issuer", "/auth/scopes"},
	} {
		got := []string{}
		for _, d := range toolForm(text) {
			for _, r := range d.Rows {
				if (d.Name == "transport" || d.Name == "auth") && r.Pointer != "/"+d.Name+"/type" {
					got = append(got, r.Pointer)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s shows %v, want %v", text, got, want)
		}
	}
}

func TestEveryProblemOfAToolHasItsPlace(t *testing.T) {
	t.Parallel()
	const rest = `"version":"1.0.0","description":"d","input_schema":{"type":"object"},"effect":"read"`
	for text, want := range map[string]string{
		`{"schema_version":2,"name":"?",` + rest + `}`:                                                                  "field%2Fname",
		`{"schema_version":3,"name":"n",` + rest + `}`:                                                                  "form-tool",
		`{"schema_version":2,"name":"n","transport":{"type":"http","url":"ftp://x"},` + rest + `}`:                      "field%2Ftransport%2Furl",
		`{"schema_version":2,"name":"n","transport":{"odd":1},` + rest + `}`:                                            "form-transport",
		`{"schema_version":2,"name":"n","limits":{"timeout_ms":0},` + rest + `}`:                                        "field%2Flimits%2Ftimeout_ms",
		`{"schema_version":2,"name":"n","open_world":"no",` + rest + `}`:                                                "field%2Fopen_world",
		`{"schema_version":2,"name":"n","version":"1.0.0","description":"d","input_schema":{"type":1},"effect":"read"}`: "field%2Finput_schema",
	} {
		p, ok := errors.AsType[*contracts.Problem](contracts.Validate(contracts.KindToolSpec, []byte(text)))
		if !ok || len(p.Errors) == 0 {
			t.Fatalf("%s: %+v", text, p)
		}
		problems := []form.Problem{{Pointer: p.Errors[0].Pointer, Code: string(p.Errors[0].Code), Detail: p.Errors[0].Detail}}
		toolForm(text, problems...)
		if problems[0].Field != want {
			t.Errorf("%s: %s stands at %q, want %q", text, problems[0].Pointer, problems[0].Field, want)
		}
	}
}

func TestAChoiceOfTrueAndFalseIsNoText(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"false": `{"open_world":false}`, "true": `{"open_world":true}`, "": `{}`, "no": `{"open_world":"no"}`} {
		r := row(t, toolForm(`{"open_world":true}`), "/open_world", form.Amount)
		if got, err := form.Set(document.Read(`{"open_world":true}`), r, value); err != nil || got != want {
			t.Errorf("%q gives %s, %v, want %s", value, got, err, want)
		}
	}
	r := row(t, toolForm(`{}`), "/limits/timeout_ms", form.Number)
	if got, err := form.Set(document.Read(`{"limits":{"timeout_ms":1}}`), r, "true"); err != nil || got != `{"limits":{"timeout_ms":"true"}}` {
		t.Errorf("a number that is none gives %s, %v", got, err)
	}
}
