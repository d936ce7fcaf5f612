package contracts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"axiom25/contracts"
)

func TestJSONSchema(t *testing.T) {
	for _, e := range editions() {
		kind := e.kind
		schema, err := contracts.JSONSchemaIn(kind, e.version)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := contracts.JSONSchemaIn(kind, e.version); err != nil || !bytes.Equal(again, schema) {
			t.Errorf("%s: other bytes the second time, %v", kind, err)
		}
		var root struct {
			Schema     string                     `json:"$schema"`
			ID         string                     `json:"$id"`
			Required   []string                   `json:"required"`
			Properties map[string]json.RawMessage `json:"properties"`
			Closed     *bool                      `json:"additionalProperties"`
		}
		if err := json.Unmarshal(schema, &root); err != nil {
			t.Fatal(err)
		}
		if root.ID != fmt.Sprintf("/schemas/v%d/%s.json", e.version, kind) || root.Required[0] != "schema_version" {
			t.Errorf("%s: $id %s, required %v", kind, root.ID, root.Required)
		}
		if closed := root.Closed != nil && !*root.Closed; closed == (kind == contracts.KindRunEvent) {
			t.Errorf("%s: closed: %v", kind, closed)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
		if err != nil {
			t.Fatal(err)
		}
		meta, err := jsonschema.NewCompiler().Compile(root.Schema)
		if err != nil {
			t.Fatal(err)
		}
		if err := meta.Validate(doc); err != nil {
			t.Errorf("%s: the schema breaks its meta-schema: %v", kind, err)
		}
	}
}

// TestNoContract asks for what only the five contracts have.
func TestNoContract(t *testing.T) {
	const none contracts.Kind = "receipt"
	_, schemaErr := contracts.JSONSchema(none)
	_, earlierErr := contracts.JSONSchemaIn(contracts.KindRunEvent, 1)
	_, laterErr := contracts.JSONSchemaIn(contracts.KindBudget, contracts.Version+1)
	if versions := contracts.SchemaVersions(none); versions != nil {
		t.Errorf("versions %v", versions)
	}
	_, referenceErr := contracts.Reference(none)
	_, codesErr := contracts.CodesOf(none)
	for _, err := range []error{schemaErr, earlierErr, laterErr, referenceErr, codesErr} {
		if !errors.Is(err, contracts.ErrUnknownKind) {
			t.Errorf("got %v", err)
		}
	}
}

// TestDescribedSchema puts a description where each struct and each field stands.
func TestDescribedSchema(t *testing.T) {
	schema, err := contracts.DescribedSchema(contracts.KindTaskSpec, func(structName, field string) string {
		return "about " + structName + "." + field
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"about TaskSpec.", "about TaskSpec.Goal", "about Input.URI", "about Budget.", "about Scorer.Floor"} {
		if !strings.Contains(string(schema), `"description": "`+text+`"`) {
			t.Errorf("nowhere: %s", text)
		}
	}
}

// TestReference looks at one field of each sort.
func TestReference(t *testing.T) {
	structs, err := contracts.Reference(contracts.KindTaskSpec)
	if err != nil {
		t.Fatal(err)
	}
	if structs[0].Name != "TaskSpec" {
		t.Errorf("the first is %s", structs[0].Name)
	}
	fields := make(map[string]contracts.FieldReference)
	for _, s := range structs {
		for _, f := range s.Fields {
			fields[s.Name+"."+f.Name] = f
		}
	}
	for name, want := range map[string]struct {
		words, of, preset string
		required          bool
		rules             int
	}{
		"TaskSpec.schema_version": {words: "integer", required: true, rules: 1},
		"Budget.schema_version":   {words: "integer", rules: 1},
		"TaskSpec.inputs":         {words: "list of Input", of: "Input", rules: 2},
		"TaskSpec.allowed_tools":  {words: "list of string", rules: 3},
		"TaskSpec.backend":        {words: "BackendPolicy", of: "BackendPolicy", preset: "{}"},
		"TaskSpec.labels":         {words: "object, each member string", rules: 3},
		"Input.data":              {words: "any JSON"},
		"Input.sensitive":         {words: "boolean"},
		"VerifyContract.pass_at":  {words: "number", preset: "0.8", rules: 2},
		"TaskSpec.profile":        {words: "string", preset: `"balanced"`, rules: 1},
	} {
		f := fields[name]
		if f.Type != want.words || f.Struct != want.of || f.Default != want.preset || f.Required != want.required || len(f.Rules) != want.rules {
			t.Errorf("%s: got %+v", name, f)
		}
	}
}
