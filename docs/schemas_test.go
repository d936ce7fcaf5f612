package docs_test

import (
	"encoding/json"
	"testing"

	"axiom25/contracts"
	"axiom25/docs"
)

func TestSchema(t *testing.T) {
	for _, kind := range contracts.Kinds() {
		schema, ok := docs.Schema("v2", string(kind))
		if !ok || !json.Valid(schema) {
			t.Errorf("Schema(v2, %s) = %.40q, %v", kind, schema, ok)
		}
	}
	for _, name := range []string{"", "..", "no-such", "budget.json"} {
		if schema, ok := docs.Schema("v2", name); ok {
			t.Errorf("Schema(v2, %q) = %.40q", name, schema)
		}
	}
}
