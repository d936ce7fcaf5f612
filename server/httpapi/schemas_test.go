package httpapi_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"axiom25/contracts"
)

// TestSchemas asks for the schema of each contract, which names the address that it was asked for at.
func TestSchemas(t *testing.T) {
	t.Parallel()
	h := open(t)
	var paths []string
	for _, kind := range contracts.Kinds() {
		for _, version := range contracts.SchemaVersions(kind) {
			paths = append(paths, contracts.SchemaPathIn(kind, version))
		}
	}
	for _, path := range paths {
		a := h.do("GET", path, "")
		var schema struct {
			ID string `json:"$id"`
		}
		if err := json.Unmarshal([]byte(a.body), &schema); a.status != http.StatusOK || err != nil || schema.ID != path {
			t.Errorf("%s: %d, $id %q, %v", path, a.status, schema.ID, err)
		}
		if got := a.header.Get("Content-Type"); got != contracts.SchemaMediaType {
			t.Errorf("%s: Content-Type: %s", path, got)
		}
		wantCached(t, h, path, a.header)
	}
	for _, path := range []string{"/schemas/v2/runstate.json", "/schemas/v1/runevent.json", "/schemas/v99/budget.json", "/schemas/v2/budget", "/schemas/v2/BUDGET.json"} {
		wantProblem(t, h.do("GET", path, ""), contracts.ProblemNotFound)
	}
}
