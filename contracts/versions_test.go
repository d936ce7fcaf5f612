package contracts_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	v1 "axiom25/contracts/v1"
)

// rowsOfV1 are documents of version 1 and what is wrong with them by its own rules.
var rowsOfV1 = map[contracts.Kind][]row{
	contracts.KindTaskSpec: {
		{"valid", taskV1(``), nil},
		{"required", `{"schema_version":1}`, []string{"#/goal required"}},
		{"version twice", `{"schema_version":1,"goal":"x","schema_version":2}`, []string{"#/schema_version duplicate_key"}},
		{"version as 1.0", `{"schema_version":1.0,"goal":"x"}`, nil},
		{"inputs", taskV1(`"inputs":{"a":"text","b":{"c":[1,null]},"c":null,"0":0}`), nil},
		{"inputs of version 2", taskV1(`"inputs":[{"name":"a","text":"x"}]`), []string{"#/inputs type"}},
		{"input names", taskV1(`"inputs":{"a b":1,".c":2,"":3,"ok":4}`), []string{"#/inputs/ rule.ident", "#/inputs/.c rule.ident", "#/inputs/a%20b rule.ident"}},
		{"input twice", taskV1(`"inputs":{"a":1,"a":2}`), []string{"#/inputs/a duplicate_key"}},
		{"a number that rounds", taskV1(`"inputs":{"a":{"b":9007199254740993}}`), []string{"#/inputs/a/b number"}},
		{"64 inputs", taskV1(`"inputs":{` + members(64) + `}`), nil},
		{"65 inputs", taskV1(`"inputs":{` + members(65) + `}`), []string{"#/inputs rule.max"}},
		{"preference", taskV1(`"backend_pref":"local"`), nil},
		{"empty preference", taskV1(`"backend_pref":""`), []string{"#/backend_pref rule.notblank"}},
		{"long preference", taskV1(`"backend_pref":"` + strings.Repeat("x", 129) + `"`), []string{"#/backend_pref rule.max"}},
		{"backend of version 2", taskV1(`"backend":{}`), []string{"#/backend unknown_field"}},
		{"budget", taskV1(`"budget":{"tokens":1,"time_s":1,"width":1,"reflection":0}`), nil},
		{"greatest budget", taskV1(`"budget":{"tokens":9007199254740991,"time_s":86400,"width":64,"reflection":20}`), nil},
		{"budget of version 2", taskV1(`"budget":{"max_tokens":1}`), []string{"#/budget/max_tokens unknown_field"}},
		{"budget rules", taskV1(`"budget":{"tokens":0,"time_s":86401,"width":65,"reflection":-1}`), []string{
			"#/budget/reflection rule.gte", "#/budget/time_s rule.lte", "#/budget/tokens rule.gte", "#/budget/width rule.lte",
		}},
		{"half a second", taskV1(`"budget":{"time_s":0.5}`), []string{"#/budget/time_s integer"}},
		{"embedded version", taskV1(`"budget":{"schema_version":1},"verification":{"schema_version":1,"assertions":[{"id":"a","type":"equals","value":1}]}`), nil},
		{"embedded version 2", taskV1(`"budget":{"schema_version":2}`), []string{"#/budget/schema_version rule.version"}},
		{"nothing to verify", taskV1(`"verification":{}`), []string{"#/verification verify.no_checks"}},
		{"target not allowed", taskV1(`"allowed_tools":["b"],"verification":{"assertions":[{"id":"a","type":"tool_called","target":"tool:a"}]}`), []string{"#/verification/assertions/0/target target.not_allowed"}},
		{"a field and a rule between fields", taskV1(`"profile":"mx","verification":{"refusal_threshold":2,"scorers":[{"id":"a","type":"rubric"}]}`), []string{
			"#/profile rule.oneof", "#/verification/refusal_threshold rule.lte", "#/verification/scorers/0/rubric required_with",
		}},
		{"depth 31", taskV1(`"inputs":{"a":` + nested(29) + `}`), nil},
		{"depth 32", taskV1(`"inputs":{"a":` + nested(30) + `}`), []string{"# depth"}},
		{"as large as it may be", padded(taskV1(``), v1.MaxDocumentBytes), nil},
		{"a byte larger", padded(taskV1(``), v1.MaxDocumentBytes+1), []string{"# size"}},
	},
	contracts.KindBudget: {
		{"valid", `{"schema_version":1,"tokens":5,"time_s":60}`, nil},
		{"nothing", `{"schema_version":1}`, nil},
		{"of version 2", `{"schema_version":1,"on_exhausted":"stop"}`, []string{"#/on_exhausted unknown_field"}},
	},
	contracts.KindVerifyContract: {
		{"valid", `{"schema_version":1,"assertions":[{"id":"a","type":"equals","value":1}]}`, nil},
		{"threshold", `{"schema_version":1,"refusal_threshold":1,"assertions":[{"id":"a","type":"equals","value":1}]}`, nil},
		{"no checks", `{"schema_version":1,"refusal_threshold":0.5}`, []string{"# verify.no_checks"}},
		{"of version 2", `{"schema_version":1,"pass_at":0.5,"refuse_below":0.1,"assertions":[{"id":"a","type":"equals","value":1}]}`, []string{"#/pass_at unknown_field", "#/refuse_below unknown_field"}},
		{"weight", `{"schema_version":1,"assertions":[{"id":"a","type":"equals","value":1,"weight":3}]}`, []string{"#/assertions/0/weight only_with"}},
		{"ids", `{"schema_version":1,"scorers":[{"id":"a","type":"exact","reference":""},{"id":"a","type":"exact","reference":""}]}`, []string{"#/scorers/1/id rule.unique"}},
	},
	contracts.KindToolSpec: {
		{"valid", toolV1(`"trust_level":"high"`), nil},
		{"of version 2", toolV1(`"trust":"reviewed"`), []string{"#/trust unknown_field"}},
		{"trust of version 2", toolV1(`"trust_level":"reviewed"`), []string{"#/trust_level rule.oneof"}},
		{"transport of version 2", toolV1(`"transport":{"type":"builtin"}`), []string{"#/transport/type rule.oneof"}},
		{"never", toolV1(`"approval":"never"`), []string{"#/approval tool.gate_never"}},
		{"never at medium trust", toolV1(`"approval":"never","trust_level":"medium"`), nil},
		{"never masked by a broken trust", toolV1(`"approval":"never","trust_level":"lwo"`), []string{"#/trust_level rule.oneof"}},
		{"attempts", toolV1(`"effect":"write","limits":{"max_attempts":2}`), []string{"#/limits/max_attempts tool.attempts"}},
		{"url", toolV1(`"transport":{"type":"mcp"}`), []string{"#/transport/url required_with"}},
	},
	contracts.KindRunEvent: {
		{"no version 1", strings.Replace(event("token", `{"id":"m","delta":"x"}`), ":2,", ":1,", 1), []string{"#/schema_version unsupported_version"}},
	},
}

func taskV1(more string) string { return join(`"schema_version":1,"goal":"Count the planets."`, more) }

func toolV1(more string) string {
	return strings.Replace(tool(more), `"schema_version":2`, `"schema_version":1`, 1)
}

// padded returns a document with white space up to a size in bytes.
func padded(doc string, size int) string { return doc + strings.Repeat(" ", size-len(doc)) }

func TestDecodeByTheRulesOfTheVersionSent(t *testing.T) {
	for kind, list := range rowsOfV1 {
		for _, r := range list {
			t.Run(string(kind)+"/"+r.name, func(t *testing.T) {
				err := contracts.Validate(kind, []byte(r.doc))
				if got := found(t, err); !slices.Equal(got, r.want) {
					t.Errorf("got  %q\nwant %q\n%s", got, r.want, contractstest.Document(err))
				}
				var p *contracts.Problem
				if errors.As(err, &p) && p.Has(contracts.ProblemInvalidDocument) && p.Schema != string(kind)+"/v1" {
					t.Errorf("held against %s", p.Schema)
				}
			})
		}
	}
}

// TestRelatedIsTheAuthorsOwn looks at the other pointers of a rule between fields.
func TestRelatedIsTheAuthorsOwn(t *testing.T) {
	var p *contracts.Problem
	if err := contracts.Validate(contracts.KindToolSpec, []byte(toolV1(`"approval":"never"`))); !errors.As(err, &p) || len(p.Errors) != 1 {
		t.Fatalf("got %v", err)
	}
	if want := []string{"#/trust_level", "#/effect"}; !slices.Equal(p.Errors[0].Related, want) {
		t.Errorf("related to %q, want %q", p.Errors[0].Related, want)
	}
}

func TestDecodeLiftsToTheCurrentVersion(t *testing.T) {
	got, err := contracts.Decode[contracts.TaskSpec]([]byte(taskV1(`"inputs":{"b":" x","a":[1]},"backend_pref":"local","allowed_tools":["t"],
		"budget":{"schema_version":1,"tokens":10,"time_s":3,"width":2,"reflection":0},
		"verification":{"refusal_threshold":0.9,"assertions":[{"id":"a","type":"contains","value":"x"}],"scorers":[{"id":"s","type":"exact","reference":"x"}]},
		"labels":{"k":"v"}`)))
	if err != nil {
		t.Fatal(err)
	}
	text, reference, tokens, wall, width, none := " x", "x", int64(10), int64(3000), int64(2), int64(0)
	want := &contracts.TaskSpec{
		SchemaVersion: contracts.Version, Goal: "Count the planets.",
		Inputs:       []contracts.Input{{Name: "a", Data: json.RawMessage(`[1]`)}, {Name: "b", Text: &text}},
		AllowedTools: []contracts.ToolRef{"t"},
		Backend:      contracts.BackendPolicy{Prefer: []string{"local"}, Fallback: contracts.FallbackListed},
		Profile:      contracts.ProfileBalanced,
		Budget: &contracts.Budget{
			SchemaVersion: contracts.Version, MaxTokens: &tokens, MaxWallMS: &wall, BranchWidth: &width, ReflectionPasses: &none,
		},
		Verification: &contracts.VerifyContract{
			Assertions: []contracts.Assertion{{
				ID: "a", Type: contracts.AssertContains, Target: "output", Value: json.RawMessage(`"x"`), Severity: contracts.SeverityMust,
			}},
			Scorers: []contracts.Scorer{{ID: "s", Type: contracts.ScoreExact, Reference: &reference, Weight: 1, Samples: 1}},
			PassAt:  0.9, RefuseBelow: 0.9, OnError: contracts.CheckErrorFail, OnModelRefusal: contracts.ModelRefusalFail,
			Release: contracts.ReleaseStream,
		},
		Labels: map[string]string{"k": "v"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %s\nwant %s", contractstest.Document(got), contractstest.Document(want))
	}
	for level, trust := range map[string]contracts.Trust{
		`"trust_level":"low"`: contracts.TrustUntrusted, `"trust_level":"medium"`: contracts.TrustReviewed,
		`"trust_level":"high"`: contracts.TrustTrusted, ``: contracts.TrustUntrusted,
	} {
		got, err := contracts.Decode[contracts.ToolSpec]([]byte(toolV1(level)))
		if err != nil || got.Trust != trust || got.SchemaVersion != contracts.Version {
			t.Errorf("%s: got %+v, %v; want trust %s", level, got, err, trust)
		}
	}
}

// TestTaskWithinARequest shows that a task names its version wherever it stands, and is judged once.
func TestTaskWithinARequest(t *testing.T) {
	fork := func(task string) string { return `{"schema_version":2,"seq":1,"task":` + task + `}` }
	for name, c := range map[string]struct {
		doc  string
		want []string
	}{
		"version 1":           {fork(taskV1(`"inputs":{"a":"x"},"backend_pref":"local"`)), nil},
		"version 2":           {fork(task(`"inputs":[{"name":"a","text":"x"}]`)), nil},
		"wrong in version 1":  {`{"seq":0,"task":` + taskV1(`"inputs":{"a b":1},"budgt":{}`) + `}`, []string{"#/seq rule.gte", "#/task/budgt unknown_field", "#/task/inputs/a%20b rule.ident"}},
		"wrong in version 2":  {`{"seq":0,"task":` + task(`"inputs":{},"verification":{}`) + `}`, []string{"#/seq rule.gte", "#/task/inputs type", "#/task/verification verify.no_checks"}},
		"wrong around a task": {`{"sq":0,"task":` + taskV1(``) + `}`, []string{"#/seq required", "#/sq unknown_field"}},
		"version 3":           {fork(`{"schema_version":3,"goal":"x"}`), []string{"#/task/schema_version unsupported_version"}},
		"no object":           {fork(`[]`), []string{"#/task type"}},
		"null":                {fork(`null`), []string{"#/task null"}},
		"too deep":            {fork(taskV1(`"inputs":{"a":` + nested(30) + `}`)), []string{"# depth"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := contracts.Decode[contracts.ForkRequest]([]byte(c.doc))
			if list := found(t, err); !slices.Equal(list, c.want) {
				t.Fatalf("got  %q\nwant %q", list, c.want)
			}
			if err == nil && (got.Task.SchemaVersion != contracts.Version || *got.Task.Inputs[0].Text != "x") {
				t.Errorf("got %+v", got.Task)
			}
			var p *contracts.Problem
			if !errors.As(err, &p) {
				return
			}
			for _, e := range p.Errors {
				name := e.Pointer[strings.LastIndexByte(e.Pointer, '/')+1:]
				if e.Code == contracts.CodeUnknownField && !strings.HasPrefix(c.doc[*e.Offset:], `"`+name) {
					t.Errorf("%s is not at %d", e.Pointer, *e.Offset)
				}
			}
		})
	}
}

// TestAsSent turns what a server found in a lifted task into what its author can act on.
func TestAsSent(t *testing.T) {
	doc := []byte(taskV1(`"inputs":{"plan":{"steps":[]},"b":1},"backend_pref":"x","budget":{"tokens":5},"verification":{"refusal_threshold":0.9,"scorers":[{"id":"a","type":"exact","reference":""}]}`))
	errs := func(pointers ...string) (list []contracts.FieldError) {
		for _, p := range pointers {
			list = append(list, contracts.FieldError{Pointer: p, Code: contracts.CodeOverCeiling, Detail: "x", Related: []string{p}})
		}
		return list
	}
	problem := &contracts.Problem{Schema: "taskspec/v2", Errors: errs("#/inputs/1/data/steps/0", "#/backend", "#/backend/prefer/0",
		"#/budget/max_tokens", "#/inputs", "#/inputs/0", "#/verification/pass_at", "#/allowed_tools/0", "#")}
	want := &contracts.Problem{Schema: "taskspec/v1", Errors: errs("#", "#/allowed_tools/0", "#/backend_pref", "#/backend_pref",
		"#/budget/tokens", "#/inputs", "#/inputs/b", "#/inputs/plan/steps/0", "#/verification/refusal_threshold")}
	before := string(contractstest.Document(problem))
	if got := contracts.AsSent(contracts.KindTaskSpec, doc, problem); !reflect.DeepEqual(got, error(want)) {
		t.Errorf("got  %s\nwant %s", contractstest.Document(got), contractstest.Document(want))
	}
	if string(contractstest.Document(problem)) != before {
		t.Error("the problem that was given has changed")
	}
	if got := contracts.AsSent(contracts.KindTaskSpec, []byte(task(``)), problem); got != error(problem) { //nolint:errorlint // the same one
		t.Errorf("a problem of the current version became %v", got)
	}
	other := errors.New("other")
	if got := contracts.AsSent(contracts.KindTaskSpec, doc, other); got != other { //nolint:errorlint // the same one
		t.Errorf("another error became %v", got)
	}
	if got := contracts.AsSent(contracts.KindTaskSpec, doc, nil); got != nil {
		t.Errorf("no error became %v", got)
	}
}

func TestMigrate(t *testing.T) {
	for name, c := range map[string]struct {
		kind      contracts.Kind
		doc, want string
		changes   []contracts.Change
	}{
		"a task": {
			contracts.KindTaskSpec,
			"{\n  \"goal\": \"x\\u0041\", \"schema_version\": 1,\n  \"inputs\": {\"b\": \"t\", \"a\": {\"n\": 1.50}},\n  \"backend_pref\": \"local\",\n  \"budget\": {\"time_s\": 6e1, \"tokens\": 1e3}, \"profile\": \"max\"\n}",
			`{"goal":"x\u0041","schema_version":2,"inputs":[{"name":"a","data":{"n":1.50}},{"name":"b","text":"t"}],"backend":{"prefer":["local"]},"budget":{"max_wall_ms":60000,"max_tokens":1e3},"profile":"max"}`,
			[]contracts.Change{
				{"#/schema_version", "#/schema_version", "the version is 2"},
				{"#/inputs/a", "#/inputs/0/data", "an element of a list, with its name and its data"},
				{"#/inputs/b", "#/inputs/1/text", "an element of a list, with its name and its text"},
				{"#/backend_pref", "#/backend/prefer/0", "the first of the preferred engines"},
				{"#/budget/time_s", "#/budget/max_wall_ms", "renamed, in milliseconds"},
				{"#/budget/tokens", "#/budget/max_tokens", "renamed"},
			},
		},
		"no inputs": {
			contracts.KindTaskSpec, `{"schema_version":1,"goal":"x","inputs":{},"labels":{"tokens":"x"}}`,
			`{"schema_version":2,"goal":"x","inputs":[],"labels":{"tokens":"x"}}`,
			[]contracts.Change{{"#/schema_version", "#/schema_version", "the version is 2"}, {"#/inputs", "#/inputs", "the object is a list"}},
		},
		"a budget": {
			contracts.KindBudget, `{"width":2,"reflection":0,"schema_version":1}`, `{"branch_width":2,"reflection_passes":0,"schema_version":2}`,
			[]contracts.Change{
				{"#/width", "#/branch_width", "renamed"},
				{"#/reflection", "#/reflection_passes", "renamed"},
				{"#/schema_version", "#/schema_version", "the version is 2"},
			},
		},
		"a contract": {
			contracts.KindVerifyContract, `{"schema_version":1,"refusal_threshold":0.81,"assertions":[{"id":"a","type":"equals","value":{"trust_level":"low"}}]}`,
			`{"schema_version":2,"refuse_below":0.81,"pass_at":0.81,"assertions":[{"id":"a","type":"equals","value":{"trust_level":"low"}}]}`,
			[]contracts.Change{
				{"#/schema_version", "#/schema_version", "the version is 2"},
				{"#/refusal_threshold", "#/refuse_below", "renamed"},
				{"#/refusal_threshold", "#/pass_at", "raised from its default to refuse_below"},
			},
		},
		"a tool": {
			contracts.KindToolSpec, toolV1(`"trust_level":"medium"`), tool(`"trust":"reviewed"`),
			[]contracts.Change{
				{"#/schema_version", "#/schema_version", "the version is 2"},
				{"#/trust_level", "#/trust", "renamed; medium is reviewed"},
			},
		},
		"a current task":  {contracts.KindTaskSpec, " " + task(``), " " + task(``), nil},
		"a current event": {contracts.KindRunEvent, event("token", `{"id":"m","delta":"x"}`), event("token", `{"id":"m","delta":"x"}`), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, changes, err := contracts.Migrate(c.kind, []byte(c.doc))
			if err != nil || string(got) != c.want {
				t.Fatalf("got  %s, %v\nwant %s", got, err, c.want)
			}
			if !slices.Equal(changes, c.changes) {
				t.Errorf("got  %q\nwant %q", changes, c.changes)
			}
			if err := contracts.Validate(c.kind, got); err != nil {
				t.Errorf("what came out is not valid: %v", err)
			}
		})
	}
	t.Run("what is not valid", func(t *testing.T) {
		out, changes, err := contracts.Migrate(contracts.KindBudget, []byte(`{"schema_version":1,"tokens":0}`))
		if got := found(t, err); out != nil || changes != nil || !slices.Equal(got, []string{"#/tokens rule.gte"}) {
			t.Errorf("got %s, %v, %q", out, changes, got)
		}
	})
	t.Run("what is no contract", func(t *testing.T) {
		if _, _, err := contracts.Migrate("memo", []byte(`{}`)); !errors.Is(err, contracts.ErrUnknownKind) {
			t.Errorf("got %v", err)
		}
	})
}
