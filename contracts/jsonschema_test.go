package contracts_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
)

func compile(t *testing.T, schema string) *contracts.Schema {
	t.Helper()
	s, err := contracts.CompileSchema([]byte(schema))
	if err != nil {
		t.Fatalf("%s: %q", schema, found(t, err))
	}
	return s
}

func listed(errs []contracts.FieldError) []string {
	var list []string
	for _, e := range errs {
		keyword, _ := e.Params["keyword"].(string)
		list = append(list, strings.TrimSpace(e.Pointer+" "+string(e.Code)+" "+keyword))
	}
	return list
}

func TestSchemaValidate(t *testing.T) {
	const person = `{"type":"object","required":["name"],"additionalProperties":false,"properties":{
		"name":{"type":"string","pattern":"^[A-Z]","maxLength":5},"age":{"type":"integer","minimum":0,"multipleOf":1},
		"tags":{"type":"array","uniqueItems":true,"items":{"$ref":"#/$defs/tag"}},
		"one":{"oneOf":[{"type":"string"},{"const":1}]},"not":{"not":{"type":"null"}},"never":false},
		"$defs":{"tag":{"enum":["a","b"]}}}`
	s := compile(t, person)
	for doc, want := range map[string][]string{
		`{"name":"Ada"}`:                     nil,
		`{"name":"Ada","age":3.0,"tags":[]}`: nil,
		`{}`:                                 {"#/name schema.mismatch required"},
		`[]`:                                 {"# schema.mismatch type"},
		`{"name":"ada"}`:                     {"#/name schema.mismatch pattern"},
		`{"name":"Adalbert","x":1,"y z":2}`:  {"#/name schema.mismatch maxLength", "#/x schema.mismatch additionalProperties", "#/y%20z schema.mismatch additionalProperties"},
		`{"name":"A","age":-1,"tags":["c"]}`: {"#/age schema.mismatch minimum", "#/tags/0 schema.mismatch enum"},
		`{"name":"A","tags":["a","a"]}`:      {"#/tags schema.mismatch uniqueItems"},
		`{"name":"A","one":2}`:               {"#/one schema.mismatch oneOf"},
		`{"name":"A","not":null}`:            {"#/not schema.mismatch not"},
		`{"name":"A","never":1}`:             {"#/never schema.mismatch false"},
		`{"name":"A",}`:                      {"# syntax"},
		`{"name":"A"} {}`:                    {"# trailing_bytes"},
		`{"name":"A","name":"B"}`:            {"#/name duplicate_key"},
		`{"name":"A","age":1e999999999}`:     {"#/age number"},
		nested(40):                           {"# depth"},
		strings.Repeat(" ", 1<<20) + `{}`:    {"# size"},
	} {
		if got := listed(s.Validate([]byte(doc))); !slices.Equal(got, want) {
			t.Errorf("%.60s: got %q, want %q", doc, got, want)
		}
	}
}

func TestCompileSchemaRefuses(t *testing.T) {
	for schema, want := range map[string]string{
		`{`:                     "# syntax",
		`1`:                     "# schema.invalid type",
		`{"type":"strin"}`:      "#/type schema.invalid",
		`{"$ref":"other.json"}`: "#/$ref schema.ref",
		`{"$ref":"https://json-schema.org/draft/2020-12/schema"}`:     "#/$ref schema.ref",
		`{"$dynamicRef":"https://example.org"}`:                       "#/$dynamicRef schema.ref",
		`{"allOf":[{"$ref":"#/$defs/x"}]}`:                            "#/allOf/0/$ref schema.invalid $ref",
		`{"prefixItems":[true],"allOf":[{"$ref":"#/prefixItems/1"}]}`: "#/allOf/0/$ref schema.invalid $ref",
		`{"title":"x","$ref":"#/title/x"}`:                            "#/$ref schema.invalid $ref",
		`{"$ref":"#nowhere"}`:                                         "# schema.invalid $ref",
		`{"pattern":"` + strings.Repeat("a", 4097) + `"}`:             "#/pattern value.regexp",
		`{"pattern":"(` + strings.Repeat("a", 1000) + `){1000}"}`:     "#/pattern value.regexp",
		`{"minimum":1e999}`:                                           "#/minimum number",
		`{"$schema":"https://json-schema.org/draft/2019-09/schema"}`:  "#/$schema schema.invalid $schema",
	} {
		_, err := contracts.CompileSchema([]byte(schema))
		var p *contracts.Problem
		if !errors.As(err, &p) || !p.Has(contracts.ProblemInvalidDocument) || len(p.Errors) == 0 {
			t.Errorf("%.60s: got %v", schema, err)
			continue
		}
		if got := listed(p.Errors)[0]; !strings.HasPrefix(got, want) {
			t.Errorf("%.60s: got %q, want %q", schema, got, want)
		}
	}
}

func TestSchemasThatPass(t *testing.T) {
	for _, schema := range []string{
		`true`, `{}`, `{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://example.org/a","$ref":"#/$defs/a","$defs":{"a":{"$anchor":"x"}}}`,
		`{"$ref":"#x","$defs":{"a":{"$anchor":"x"}}}`,
		`{"patternProperties":{"^a":{"type":"string"}},"propertyNames":{"maxLength":3},"dependentSchemas":{"a":{"minProperties":2}}}`,
		`{"if":{"type":"string"},"then":{"minLength":1},"else":{"contains":{"const":1}},"unevaluatedProperties":false}`,
	} {
		compile(t, schema).Validate([]byte(`{"a":"b"}`))
	}
}

// TestSchemaStepsAreBounded holds a value of some depth against a schema that looks twice at each level: 2^30 steps,
// were they not counted.
func TestSchemaStepsAreBounded(t *testing.T) {
	s := compile(t, `{"anyOf":[{"items":{"$ref":"#"},"minItems":2},{"items":{"$ref":"#"},"minItems":2},true]}`)
	want := []string{"# schema.steps"}
	if got := listed(s.Validate([]byte(nested(30)))); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := s.Validate([]byte(`[]`)); got != nil {
		t.Errorf("the schema is spoilt: %q", listed(got))
	}
}

func TestSchemaThatNeverEnds(t *testing.T) {
	s := compile(t, `{"allOf":[{"$ref":"#"}]}`)
	if got := listed(s.Validate([]byte(`1`))); !slices.Equal(got, []string{"# schema.mismatch $ref"}) {
		t.Errorf("got %q", got)
	}
}

func TestCompileRegexp(t *testing.T) {
	re, err := contracts.CompileRegexp(`^(a|b){2,3}$`)
	if err != nil || !re.MatchString("abb") || re.MatchString("abba") {
		t.Errorf("got %v, %v", re, err)
	}
	for _, expression := range []string{`(`, `(?=a)`, strings.Repeat("a", 4097), `(` + strings.Repeat("a", 1000) + `){1000}`, `(` + strings.Repeat("a?b", 1000) + `){10,}`} {
		if _, err := contracts.CompileRegexp(expression); !errors.Is(err, contracts.ErrRegexp) {
			t.Errorf("%.20s: got %v", expression, err)
		}
	}
}
