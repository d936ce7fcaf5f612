package docs_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"axiom25/contracts"
	"axiom25/docs"
)

func TestSchema(t *testing.T) {
	for _, kind := range contracts.Kinds() {
		for _, version := range contracts.SchemaVersions(kind) {
			schema, ok := docs.Schema(fmt.Sprintf("v%d", version), string(kind))
			if !ok || !json.Valid(schema) {
				t.Errorf("Schema(v%d, %s) = %.40q, %v", version, kind, schema, ok)
			}
		}
	}
	if schema, ok := docs.Schema("v1", string(contracts.KindRunEvent)); ok {
		t.Errorf("Schema(v1, runevent) = %.40q: events begin with version 2", schema)
	}
	for _, name := range []string{"", "..", "no-such", "budget.json"} {
		if schema, ok := docs.Schema("v2", name); ok {
			t.Errorf("Schema(v2, %q) = %.40q", name, schema)
		}
	}
}
