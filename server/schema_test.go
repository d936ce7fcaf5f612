package main_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"axiom25/contracts"
)

func TestSchemaPrintsEachContract(t *testing.T) {
	t.Parallel()
	for _, kind := range contracts.Kinds() {
		printsSchema(t, contracts.SchemaPath(kind), string(kind))
		for _, version := range contracts.SchemaVersions(kind) {
			printsSchema(t, contracts.SchemaPathIn(kind, version), "--contracts-version", strconv.Itoa(version), string(kind))
		}
	}
	for _, args := range [][]string{
		{"schema"},
		{"schema", "no-such"},
		{"schema", "budget", "taskspec"},
		{"schema", "budget", "--contracts-version", "3"},
		{"schema", "budget", "--contracts-version", "0"},
		{"schema", "runevent", "--contracts-version", "1"},
	} {
		got := axiom25(t, "", args...)
		if got.code != 1 || got.stdout != "" || strings.TrimSpace(got.stderr) == "" {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q; want 1 and a reason", args, got.code, got.stdout, got.stderr)
		}
	}
}

// printsSchema runs the command and looks at the address that the schema says it has.
func printsSchema(t *testing.T, path string, args ...string) {
	t.Helper()
	got := axiom25(t, "", append([]string{"schema"}, args...)...)
	var schema struct {
		ID string `json:"$id"`
	}
	err := json.Unmarshal([]byte(got.stdout), &schema)
	if got.code != 0 || got.stderr != "" || err != nil || schema.ID != path {
		t.Errorf("%q: exit code %d, $id %q, %v; stderr: %s", args, got.code, schema.ID, err, got.stderr)
	}
}
