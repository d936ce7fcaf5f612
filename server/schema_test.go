package main_test

import (
	"encoding/json"
	"strings"
	"testing"

	"axiom25/contracts"
)

func TestSchemaPrintsEachContract(t *testing.T) {
	t.Parallel()
	for _, kind := range contracts.Kinds() {
		got := axiom25(t, "", "schema", string(kind))
		var schema struct {
			ID string `json:"$id"`
		}
		err := json.Unmarshal([]byte(got.stdout), &schema)
		if got.code != 0 || got.stderr != "" || err != nil || schema.ID != contracts.SchemaPath(kind) {
			t.Errorf("%s: exit code %d, $id %q, %v; stderr: %s", kind, got.code, schema.ID, err, got.stderr)
		}
	}
	for _, args := range [][]string{{"schema"}, {"schema", "no-such"}, {"schema", "budget", "taskspec"}} {
		got := axiom25(t, "", args...)
		if got.code != 1 || got.stdout != "" || strings.TrimSpace(got.stderr) == "" {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q; want 1 and a reason", args, got.code, got.stdout, got.stderr)
		}
	}
}
