package apidoc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/docs"
	"axiom25/server/apidoc"
	"axiom25/server/apidoc/apidoctest"
)

// published is where make packages puts the packages that publish the meta-schemas.
const published = "../../bin/npm/node_modules/"

// metaSchema compiles the meta-schema in a file of a published package.
func metaSchema(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	raw, err := os.ReadFile(published + file) //nolint:gosec // a file of the pinned packages
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the meta-schema is missing; `make packages` fetches it: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseRegexpEngine(apidoctest.Regexp)
	if err := c.AddResource("urn:meta-schema", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("urn:meta-schema")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// generated returns both documents without descriptions of fields, which change nothing.
func generated(t *testing.T) (openAPI, asyncAPI []byte) {
	t.Helper()
	openAPI, err := apidoc.OpenAPI(nil)
	if err != nil {
		t.Fatal(err)
	}
	asyncAPI, err = apidoc.AsyncAPI(nil)
	if err != nil {
		t.Fatal(err)
	}
	return openAPI, asyncAPI
}

// TestMetaSchemas holds the documents that the server serves against what OpenAPI and AsyncAPI publish, and sees that it
// would notice a fault.
func TestMetaSchemas(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meta, break1, break2 string
		doc                  []byte
	}{
		"OpenAPI":  {"@seriousme/openapi-schema-validator/schemas/v3.1/schema.json", `"operationId":`, `"operationID":`, docs.OpenAPI},
		"AsyncAPI": {"@asyncapi/specs/schemas/3.0.0.json", `"action": "send"`, `"action": "sends"`, docs.AsyncAPI},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			meta := metaSchema(t, c.meta)
			if err := meta.Validate(read(t, c.doc)); err != nil {
				t.Errorf("%v", err)
			}
			broken := bytes.Replace(c.doc, []byte(c.break1), []byte(c.break2), 1)
			if bytes.Equal(broken, c.doc) {
				t.Fatalf("the document has no %s", c.break1)
			}
			if err := meta.Validate(read(t, broken)); err == nil {
				t.Errorf("%s for %s went unnoticed", c.break2, c.break1)
			}
		})
	}
}

func read(t *testing.T, doc []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// walk calls visit for every object of a document with its pointer, apart from examples, which are documents of their own.
func walk(v any, pointer string, visit func(pointer string, object map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(pointer, v)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if name == "example" || strings.HasPrefix(pointer, "/components/examples/") || name == "examples" && strings.Contains(pointer, "/messages/") {
				continue
			}
			walk(v[name], pointer+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), visit)
		}
	case []any:
		for i, elem := range v {
			walk(elem, pointer+"/"+string(contractstest.Document(i)), visit)
		}
	}
}

// TestReferences follows every $ref, and sees that every component is referred to.
func TestReferences(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string][]byte{"OpenAPI": docs.OpenAPI, "AsyncAPI": docs.AsyncAPI} {
		doc, err := apidoctest.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		const draft = "https://json-schema.org/draft/2020-12/schema" // which every validator has
		refs := make(map[string]bool)
		root := read(t, raw)
		walk(root, "", func(pointer string, object map[string]any) {
			ref, ok := object["$ref"].(string)
			if !ok || ref == draft {
				return
			}
			refs[strings.TrimPrefix(ref, "#")] = true
			if !strings.HasPrefix(ref, "#/") || doc.At(ref[1:]) == nil {
				t.Errorf("%s: %s refers to %s, which is not there", name, pointer, ref)
			}
		})
		if len(refs) < 10 {
			t.Errorf("%s: %d references", name, len(refs))
		}
		components, _ := doc.At("/components/schemas").(map[string]any)
		for schema := range components {
			// What a route is still to be built for is described already.
			soon := slices.Contains([]string{"ForkRequest", "ClaimRequest"}, schema)
			if at := "/components/schemas/" + schema; !refs[at] && !soon {
				t.Errorf("%s: nothing refers to %s", name, at)
			}
		}
	}
}

// TestSchemasAreSound compiles every schema of the documents, which holds it against the meta-schema of JSON Schema.
func TestSchemasAreSound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw   []byte
		draft *jsonschema.Draft
	}{
		"OpenAPI":  {docs.OpenAPI, jsonschema.Draft2020},
		"AsyncAPI": {docs.AsyncAPI, jsonschema.Draft7}, // the one that AsyncAPI's own schemas extend
	} {
		doc, err := apidoctest.ParseDraft(c.raw, c.draft)
		if err != nil {
			t.Fatal(err)
		}
		schemas := 0
		walk(read(t, c.raw), "", func(pointer string, object map[string]any) {
			for _, member := range []string{"schema", "x-itemSchema", "payload", "headers"} {
				_, ok := object[member].(map[string]any)
				if !ok || member == "headers" && name == "OpenAPI" {
					continue
				}
				schemas++
				if _, err := doc.Compile(pointer + "/" + member); err != nil {
					t.Errorf("%s: %s/%s: %v", name, pointer, member, err)
				}
			}
		})
		if schemas < 10 {
			t.Errorf("%s: %d schemas", name, schemas)
		}
	}
}

// TestExamples holds every example against its schema.
func TestExamples(t *testing.T) {
	t.Parallel()
	open, err := apidoctest.Parse(docs.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	async, err := apidoctest.ParseDraft(docs.AsyncAPI, jsonschema.Draft7)
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	check := func(doc *apidoctest.Document, schema string, example any) {
		examples++
		if err := doc.Validate(schema, contractstest.Document(example)); err != nil {
			t.Errorf("the example of %s: %v", schema, err)
		}
	}
	walk(read(t, docs.OpenAPI), "", func(pointer string, object map[string]any) {
		if object["schema"] == nil {
			return
		}
		if example, ok := object["example"]; ok {
			check(open, pointer+"/schema", example)
			if text, lines := example.(string); lines && object["x-itemSchema"] != nil {
				for line := range strings.Lines(text) {
					check(open, pointer+"/x-itemSchema", json.RawMessage(line))
				}
			}
		}
		shown, _ := object["examples"].(map[string]any)
		for name := range shown {
			at := open.Resolve(pointer + "/examples/" + name)
			check(open, pointer+"/schema", open.At(at+"/value"))
		}
	})
	messages, _ := async.At("/components/messages").(map[string]any)
	for name := range messages {
		at := "/components/messages/" + name
		if example := async.At(at + "/examples/0/payload"); example != nil {
			check(async, at+"/payload", example)
		}
	}
	if examples < 100 {
		t.Errorf("%d examples", examples)
	}
}

// TestExamplesAreValid asks the validators about the examples of what people send and of events: they know rules that no
// schema says.
func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	events := make(map[contracts.EventType]bool)
	for _, op := range apidoc.Operations() {
		if op.Body != nil {
			for _, content := range op.Body.Contents {
				if err := valid(op.ID, content); err != nil {
					t.Errorf("%s: %v", op.ID, err)
				}
			}
		}
		for _, answer := range op.Answers {
			for _, content := range answer.Contents {
				for _, frame := range content.Frames {
					ev, ok := frame.Example.(contracts.RunEvent)
					if !ok {
						continue
					}
					events[ev.Type] = true
					if err := contracts.Validate(contracts.KindRunEvent, contractstest.Document(ev)); err != nil || frame.Name != string(ev.Type) {
						t.Errorf("%s: an event of type %s: %v", frame.Name, ev.Type, err)
					}
				}
			}
		}
	}
	if len(events) != 10 {
		t.Errorf("%d types of events, want every one: %v", len(events), events)
	}
}

// valid asks the validator of an operation's body about its example.
func valid(operation string, content apidoc.Content) error {
	raw := contractstest.Document(content.Example)
	if text, ok := content.Example.(string); ok {
		raw = []byte(text)
	}
	var err error
	switch operation {
	case "createRun", "validateDocument":
		err = contracts.Validate(contracts.KindTaskSpec, raw)
	case "putTool":
		err = contracts.Validate(contracts.KindToolSpec, raw)
	case "appendEvents":
		_, err = contracts.DecodeEngineEvents(raw)
	case "answerRun":
		_, err = contracts.Decode[contracts.Answer](raw)
	case "cancelRun":
		_, err = contracts.Decode[contracts.CancelRequest](raw)
	case "claimRun":
		_, err = contracts.Decode[contracts.ClaimRequest](raw)
	case "forkRun":
		_, err = contracts.Decode[contracts.ForkRequest](raw)
	case "decideApproval":
		_, err = contracts.Decode[contracts.ApprovalDecision](raw)
	default:
		err = errors.New("no validator is known for its body")
	}
	return err
}

// TestProblems compares the components with the closed list of problem types.
func TestProblems(t *testing.T) {
	t.Parallel()
	doc, err := apidoctest.Parse(docs.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	responses, _ := doc.At("/components/responses").(map[string]any)
	types := contracts.ProblemTypes()
	if len(responses) != len(types) {
		t.Errorf("%d responses for %d types", len(responses), len(types))
	}
	for _, info := range types {
		var p contracts.Problem
		raw := contractstest.Document(doc.At("/components/examples/" + string(info.Type) + "/value"))
		if err := json.Unmarshal(raw, &p); err != nil || !p.Has(info.Type) || p.Status != info.Status {
			t.Errorf("the example of %s: %s, %v", info.Type, raw, err)
		}
		if responses[string(info.Type)] == nil {
			t.Errorf("no response %s", info.Type)
		}
	}
}

// TestTable looks for what the table of operations can get wrong.
func TestTable(t *testing.T) {
	t.Parallel()
	ids := make(map[string]bool)
	braces := regexp.MustCompile(`\{([a-z]+)\}`)
	for _, op := range apidoc.Operations() {
		if ids[op.ID] || op.ID == "" || op.Summary == "" || op.Tag == "" || len(op.Answers) == 0 {
			t.Errorf("%s %s: its id %q is taken, or something is missing", op.Method, op.Path, op.ID)
		}
		ids[op.ID] = true
		var inPath, named []string
		for _, found := range braces.FindAllStringSubmatch(op.Path, -1) {
			inPath = append(inPath, found[1])
		}
		for _, p := range op.Parameters {
			if p.In == "path" {
				named = append(named, p.Name)
			}
		}
		if !slices.Equal(inPath, named) {
			t.Errorf("%s: the path has the parameters %q, the table %q", op.ID, inPath, named)
		}
		if len(op.Problems) > 0 && op.Body != nil && !slices.Contains(op.Problems, contracts.ProblemUnsupportedMediaType) {
			t.Errorf("%s: takes a body, and no media type is wrong", op.ID)
		}
	}
}

// TestDeterministic writes the documents twice.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	open1, async1 := generated(t)
	open2, async2 := generated(t)
	if !bytes.Equal(open1, open2) || !bytes.Equal(async1, async2) {
		t.Error("written twice, the documents differ")
	}
	if bytes.Equal(open1, docs.OpenAPI) {
		t.Error("no field is described")
	}
}
