package builtin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"axiom25/contracts"
	"axiom25/server/tools"
	"axiom25/server/tools/builtin"
)

func text(name, mediaType, s string) contracts.Input {
	return contracts.Input{Name: name, MediaType: mediaType, Text: &s}
}

func data(name, doc string) contracts.Input {
	return contracts.Input{Name: name, Data: json.RawMessage(doc)}
}

// call carries a call out and holds the output against the tool's own schema.
func call(t *testing.T, tool tools.Builtin, args string, inputs ...contracts.Input) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := tool.Call(ctx, json.RawMessage(args), inputs)
	if err != nil {
		return "", err
	}
	conforms(t, tool.Spec().OutputSchema, out)
	return string(out), nil
}

func conforms(t *testing.T, schema, doc json.RawMessage) {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("s.json", parsed); err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MustCompile("s.json").Validate(value); err != nil {
		t.Errorf("%s does not conform to its schema: %v", doc, err)
	}
}

// args writes arguments with one text.
func args(t *testing.T, name, value string) string {
	t.Helper()
	doc, err := json.Marshal(map[string]string{name: value})
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

func TestAll(t *testing.T) {
	for _, tool := range builtin.All() {
		spec := tool.Spec()
		t.Run(spec.Name, func(t *testing.T) {
			if spec.Transport.Type != contracts.TransportBuiltin || spec.Trust != contracts.TrustBuiltin || spec.OpenWorld || !spec.Idempotent {
				t.Errorf("spec %+v is not that of a builtin tool of a closed world", spec)
			}
			if bytes.ContainsAny(spec.InputSchema, "\n\t") || bytes.ContainsAny(spec.OutputSchema, "\n\t") {
				t.Error("a schema is not compact JSON")
			}
			wantGate := contracts.GateAllow
			if spec.Name == "sign_off" {
				wantGate = contracts.GateAsk
			}
			if spec.Gate() != wantGate {
				t.Errorf("gate %q, want %q", spec.Gate(), wantGate)
			}
			doc, err := contracts.Encode(spec)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := contracts.Decode[contracts.ToolSpec](doc); err != nil {
				t.Errorf("the spec breaks its contract: %v", err)
			}
			if _, err := tool.Call(t.Context(), json.RawMessage(`[]`), nil); !errors.Is(err, tools.ErrArguments) {
				t.Errorf("arguments of another shape give %v, want ErrArguments", err)
			}
		})
	}
}

func TestSignOff(t *testing.T) {
	got, err := call(t, builtin.NewSignOff(), `{"statement":"Earth is the densest planet.","figures":{"density":5513}}`)
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Statement string           `json:"statement"`
		Digest    contracts.Digest `json:"digest"`
	}
	if err := json.Unmarshal([]byte(got), &out); err != nil {
		t.Fatal(err)
	}
	if out.Statement != "Earth is the densest planet." || out.Digest != contracts.DigestText("Earth is the densest planet.") {
		t.Errorf("output %s does not repeat the statement with its digest", got)
	}
}
