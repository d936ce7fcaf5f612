package contracts_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// at is where the components of these tests stand.
const at = "#/$defs/"

// compiledComponents returns a function that compiles the schema of one component.
func compiledComponents(t *testing.T) func(name string) *jsonschema.Schema {
	t.Helper()
	components, err := contracts.Components(at, nil)
	if err != nil {
		t.Fatal(err)
	}
	defs := make(map[string]json.RawMessage)
	for _, c := range components {
		defs[c.Name] = c.Schema
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(contractstest.Document(map[string]any{"$defs": defs})))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseRegexpEngine(ecmaRegexp)
	if err := compiler.AddResource("urn:components", doc); err != nil {
		t.Fatal(err)
	}
	return func(name string) *jsonschema.Schema {
		t.Helper()
		schema, err := compiler.Compile("urn:components" + at + name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return schema
	}
}

// TestComponents compiles each schema, with whatever it refers to, and compares the order with what is promised.
func TestComponents(t *testing.T) {
	t.Parallel()
	components, err := contracts.Components(at, func(structName, field string) string { return structName + "." + field })
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(components, func(a, b contracts.Component) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("not sorted")
	}
	compile := compiledComponents(t)
	for _, c := range components {
		compile(c.Name)
		if !bytes.Contains(c.Schema, []byte(`"description":"`)) {
			t.Errorf("%s: nothing is described: %s", c.Name, c.Schema)
		}
	}
}

// TestComponentsJudge holds documents against the schemas of requests and answers.
func TestComponentsJudge(t *testing.T) {
	t.Parallel()
	compile := compiledComponents(t)
	event := string(contractstest.Document(contractstest.SucceededRun().Events[0]))
	tool := string(contractstest.Document(contractstest.ToolSpec()))
	for name, c := range map[string]struct {
		schema, doc string
		valid       bool
	}{
		"an engine's line":            {"EngineEvent", `{"schema_version":2,"type":"token","data":{"id":"m","delta":"x"}}`, true},
		"a line of the server's type": {"EngineEvent", `{"schema_version":2,"type":"verdict","data":{}}`, false},
		"a line with another body":    {"EngineEvent", `{"schema_version":2,"type":"tool_start","data":{"id":"m","delta":"x"}}`, false},
		"a line that says more":       {"EngineEvent", `{"schema_version":2,"type":"token","data":{"id":"m","delta":"x","more":1}}`, false},
		"an event that says more":     {"RunEvent", strings.Replace(event, `"data":{`, `"data":{"more":1,`, 1), true},
		"an event with another body":  {"RunEvent", strings.Replace(event, `"type":"status"`, `"type":"token"`, 1), false},
		"an edit":                     {"ApprovalDecision", `{"decision":"edit","args":{}}`, true},
		"an edit without arguments":   {"ApprovalDecision", `{"decision":"edit"}`, false},
		"an approval with arguments":  {"ApprovalDecision", `{"decision":"approve","args":{}}`, false},
		"a page":                      {"EventPage", `{"events":[` + event + `],"last_seq":1}`, true},
		"a page of a broken event":    {"EventPage", `{"events":[{}],"last_seq":1}`, false},
		"a list without a limit":      {"ToolList", `{"tools":[{"spec":` + tool + `,"digest":"` + string(contracts.DigestText("")) + `","gate":"allow"}]}`, true},
		"a list of nothing":           {"ToolList", `{}`, false},
		"a list of something else":    {"ToolList", `{"tools":[{"spec":{}}]}`, false},
		"a run that is nowhere":       {"Created", `{"run_id":"` + string(contractstest.RunID(1)) + `","state":"lost","links":{"self":"","task":"","stream":"","events":"","page":""}}`, false},
	} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(c.doc))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := compile(c.schema).Validate(doc); (err == nil) != c.valid {
			t.Errorf("%s: %v, want valid %v", name, err, c.valid)
		}
	}
}
