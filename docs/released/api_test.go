package released_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/docs/released"
)

// oasdiff is where make builds it.
const oasdiff = repository + "/bin/tools/oasdiff-1.35.0"

// TestAPlantedChangeOfTheAPIIsNamed plants changes in the OpenAPI document.
func TestAPlantedChangeOfTheAPIIsNamed(t *testing.T) {
	tool, err := filepath.Abs(oasdiff)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tool); err != nil {
		t.Skip("oasdiff is not built: make compatible does")
	}
	document, err := os.ReadFile(repository + "/docs/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.MkdirAll(root+"/docs/api", 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(document []byte) {
		if err := os.WriteFile(root+"/docs/api/openapi.json", document, 0o600); err != nil { //nolint:gosec // in the test's own folder
			t.Fatal(err)
		}
	}
	write(document)
	if err := released.CheckAPI(t.Context(), root, tool, contracts.Version); err != nil {
		t.Errorf("nothing was promised: %v", err)
	}
	if _, err := released.Release(root, contracts.JSONSchemaIn); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ from, to, says string }{
		"nothing":        {``, ``, ""},
		"a new route":    {`"/engines": {`, `"/motors": {"get": {"responses": {"200": {"description": "x"}}}}, "/engines": {`, ""},
		"an event type":  {"\"status\",\n              \"thought\",", `"status", "note", "thought",`, ""},
		"a route gone":   {`"/engines": {`, `"/motors": {`, "api path removed"},
		"another status": {`"201": {`, `"202": {`, "removed the success response with the status `201`"},
		"a field gone":   {`"run_id": {`, `"id": {`, "removed the required property"},
		"a query gone":   {`"name": "limit"`, `"name": "count"`, "deleted the `query` request parameter `limit`"},
		"a tighter rule": {`"maximum": 86400000`, `"maximum": 100`, "max was decreased"},
		"no document":    {`{`, `[`, "generated.json"},
	} {
		t.Run(name, func(t *testing.T) {
			if !bytes.Contains(document, []byte(c.from)) {
				t.Fatalf("the document has no %s", c.from)
			}
			write(bytes.Replace(document, []byte(c.from), []byte(c.to), 1))
			err := released.CheckAPI(t.Context(), root, tool, contracts.Version)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if name != "no document" && err != nil && !errors.Is(err, released.ErrBroken) {
				t.Errorf("got %v", err)
			}
			if err := released.CheckAPI(t.Context(), root, tool, contracts.Version+1); err != nil {
				t.Errorf("a version that is being made: %v", err)
			}
		})
	}
	if err := released.CheckAPI(t.Context(), root, root+"/none", contracts.Version); err == nil {
		t.Error("without the program it passes")
	}
}
