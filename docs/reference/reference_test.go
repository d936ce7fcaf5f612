package reference_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/docs/reference"
)

// repository is the root, seen from this package.
const repository = "../.."

func TestFilesAreFresh(t *testing.T) {
	if err := reference.Check(repository); err != nil {
		t.Error(err)
	}
}

// TestCheckNamesWhatIsStale writes the files elsewhere and spoils them.
func TestCheckNamesWhatIsStale(t *testing.T) {
	root := t.TempDir()
	if err := reference.Check(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a source: %v", err)
	}
	for _, folder := range []string{"contracts", "contracts/v1"} {
		sources, err := filepath.Glob(filepath.Join(repository, folder, "*.go"))
		if err != nil || os.Mkdir(filepath.Join(root, folder), 0o700) != nil {
			t.Fatal(err)
		}
		for _, path := range sources {
			source, err := os.ReadFile(path) //nolint:gosec // the source beside this package
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, folder, filepath.Base(path)), source, 0o600); err != nil { //nolint:gosec // into the test's own folder
				t.Fatal(err)
			}
		}
	}
	if err := reference.Write(root); err != nil {
		t.Fatal(err)
	}
	if err := reference.Check(root); err != nil {
		t.Errorf("just written: %v", err)
	}
	const page, schema = "docs/contracts/budget_schema.md", "docs/schemas/v2/taskspec.json"
	if err := errors.Join(os.WriteFile(filepath.Join(root, page), []byte("# Budget\n"), 0o600), os.Remove(filepath.Join(root, schema))); err != nil {
		t.Fatal(err)
	}
	err := reference.Check(root)
	if !errors.Is(err, reference.ErrStale) || !strings.HasSuffix(err.Error(), ": "+page+", "+schema) {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(filepath.Join(root, "contracts", "broken.go"), []byte("package"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := reference.Write(root); err == nil {
		t.Error("a source that is no Go was read")
	}
}

// TestPages looks at what people read: an example that holds, and a meaning for every field.
func TestPages(t *testing.T) {
	files, err := reference.Files(repository)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range contracts.Kinds() {
		page := string(files["docs/contracts/"+string(kind)+"_schema.md"])
		_, example, _ := strings.Cut(page, "```json\n")
		example, _, _ = strings.Cut(example, "\n```")
		documents := []string{example}
		if kind == contracts.KindRunEvent {
			documents = strings.Split(example, "\n")
			if len(documents) != 10 {
				t.Errorf("%d events, want one of each type", len(documents))
			}
		}
		for _, doc := range documents {
			if err := contracts.Validate(kind, []byte(doc)); err != nil {
				t.Errorf("%s: the example: %v", kind, err)
			}
		}
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, "| `") && strings.Count(line, " | ") == 4 && strings.Contains(line, "|  |\n") {
				t.Errorf("%s: a field without a meaning: %s", kind, line)
			}
		}
		codes, err := contracts.CodesOf(kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, info := range codes {
			if !strings.Contains(page, "| `"+string(info.Code)+"` | ") {
				t.Errorf("%s: the page lacks the code %s", kind, info.Code)
			}
		}
	}
}

// TestDescriptionsChangeNothing compares the schemas with those that the agreement with the validator is proven for.
func TestDescriptionsChangeNothing(t *testing.T) {
	files, err := reference.Files(repository)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range contracts.Kinds() {
		for _, version := range contracts.SchemaVersions(kind) {
			bare, err := contracts.JSONSchemaIn(kind, version)
			if err != nil {
				t.Fatal(err)
			}
			described := files["docs"+contracts.SchemaPathIn(kind, version)]
			if bytes.Equal(bare, described) {
				t.Errorf("%s/v%d: nothing is described", kind, version)
			}
			if !reflect.DeepEqual(undescribed(t, described), undescribed(t, bare)) {
				t.Errorf("%s/v%d: more than descriptions differ", kind, version)
			}
		}
	}
}

// undescribed returns a schema without its descriptions. (A member that is called description is a schema, not a text.)
func undescribed(t *testing.T, schema []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(schema, &v); err != nil {
		t.Fatal(err)
	}
	strip(v)
	return v
}

func strip(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, isText := v["description"].(string); isText {
			delete(v, "description")
		}
		for _, member := range v {
			strip(member)
		}
	case []any:
		for _, elem := range v {
			strip(elem)
		}
	}
}
