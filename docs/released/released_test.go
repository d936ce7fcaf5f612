package released_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/docs"
	"axiom25/docs/released"
)

// repository is the root, seen from this package.
const repository = "../.."

// TestThePromisesAreKept holds the contracts as they are to what was released.
func TestThePromisesAreKept(t *testing.T) {
	if err := released.Check(repository, contracts.JSONSchemaIn); err != nil {
		t.Error(err)
	}
	lock, err := os.ReadFile("schemas.lock")
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"v1 ", "v2 "} {
		if !bytes.Contains(lock, []byte(version)) {
			t.Errorf("%s is not locked", version)
		}
	}
}

// TestWhatIsServedIsWhatIsLocked holds the schemas that a server shows to the lock: they differ in descriptions alone.
func TestWhatIsServedIsWhatIsLocked(t *testing.T) {
	served := func(kind contracts.Kind, version int) ([]byte, error) {
		schema, ok := docs.Schema(fmt.Sprintf("v%d", version), string(kind))
		if !ok {
			return nil, contracts.ErrUnknownKind
		}
		return undescribed(t, schema), nil
	}
	if err := released.Check(repository, served); err != nil {
		t.Error(err)
	}
}

// undescribed takes the descriptions out of a schema.
func undescribed(t *testing.T, schema []byte) []byte {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(schema))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	strip(v)
	return contractstest.Document(v)
}

// strip takes the descriptions out of what was read. A member that is called description is a schema, not a text.
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

// planted is contracts.JSONSchemaIn with one place of one contract changed.
func planted(t *testing.T, kind contracts.Kind, version int, from, to string) released.Source {
	t.Helper()
	return func(k contracts.Kind, v int) ([]byte, error) {
		schema, err := contracts.JSONSchemaIn(k, v)
		if err != nil || k != kind || v != version {
			return schema, err
		}
		if !bytes.Contains(schema, []byte(from)) {
			t.Errorf("%s/v%d has no %s", kind, version, from)
		}
		return bytes.Replace(schema, []byte(from), []byte(to), 1), nil
	}
}

// TestAPlantedChangeIsNamed plants changes of each sort in the contracts: the message names the contract, the place and
// what became of it.
func TestAPlantedChangeIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		kind     contracts.Kind
		version  int
		from, to string
		is       error
		says     string
	}{
		"an input field":   {contracts.KindBudget, 2, `"warn_pct": {`, `"warn_ms": {}, "warn_pct": {`, released.ErrBroken, "budget/v2 #/properties/warn_ms: input field added"},
		"a rename":         {contracts.KindBudget, 2, `"max_tokens": {`, `"tokens": {`, released.ErrBroken, "budget/v2 #/properties/tokens: field renamed: was max_tokens"},
		"a bound":          {contracts.KindBudget, 2, `"maximum": 86400000`, `"maximum": 3600000`, released.ErrBroken, "budget/v2 #/properties/max_wall_ms/maximum: rule tightened: 3600000, was 86400000"},
		"an enum":          {contracts.KindTaskSpec, 2, `"tight",`, `"tight", "tiny",`, released.ErrBroken, `taskspec/v2 #/properties/profile/enum: value added to a closed enum: "tiny"`},
		"an event's field": {contracts.KindRunEvent, 2, `"delta": {`, `"lang": {"type": "string"}, "delta": {`, released.ErrUnreleased, "properties/lang: optional event field added"},
		"an event's type":  {contracts.KindRunEvent, 2, `"status",`, `"status", "note",`, released.ErrUnreleased, `runevent/v2 #/properties/type/enum: event type added: "note"`},
		"a required field": {contracts.KindRunEvent, 2, `"delta"` + "\n", `"delta", "final"` + "\n", released.ErrBroken, "field became required: final"},
		"an older version": {contracts.KindToolSpec, 1, `"medium",`, `"middle",`, released.ErrBroken, `toolspec/v1 #/properties/trust_level/enum: value added to a closed enum: "middle"`},
		"its spelling":     {contracts.KindToolSpec, 1, "\"low\",\n", "\"low\",\n\n", nil, ""},
		"its order":        {contracts.KindTaskSpec, 1, `"tight",`, ``, released.ErrBroken, `taskspec/v1 #/properties/profile/enum: value removed from an enum: "tight"`},
	} {
		t.Run(name, func(t *testing.T) {
			err := released.Check(repository, planted(t, c.kind, c.version, c.from, c.to))
			if !errors.Is(err, c.is) || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v with %s", err, c.is, c.says)
			}
		})
	}
	gone := func(kind contracts.Kind, version int) ([]byte, error) {
		if kind == contracts.KindBudget {
			return nil, contracts.ErrUnknownKind
		}
		return contracts.JSONSchemaIn(kind, version)
	}
	if err := released.Check(repository, gone); !errors.Is(err, released.ErrBroken) || !strings.Contains(err.Error(), "budget/v1: the contract is gone") ||
		!strings.Contains(err.Error(), "budget/v2: the contract is gone") {
		t.Errorf("got %v", err)
	}
}

// TestRelease releases into a folder of its own: what is compatible is promised too, what is not is refused, and an older
// version stays what it was.
func TestRelease(t *testing.T) {
	root := t.TempDir()
	lock := filepath.Join(root, "docs/released/schemas.lock")
	read := func() string {
		content, err := os.ReadFile(lock) //nolint:gosec // in the test's own folder
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	if gained, err := released.Release(root, contracts.JSONSchemaIn); err != nil || gained != nil {
		t.Fatalf("the first release: %q, %v", gained, err)
	}
	first := read()
	if stored, err := os.ReadFile("schemas.lock"); err != nil || string(stored) != first {
		t.Errorf("the lock is not what a release of this code writes: %v", err)
	}

	more := planted(t, contracts.KindRunEvent, contracts.Version, `"delta": {`, `"lang": {"type": "string"}, "delta": {`)
	if err := released.Check(root, more); !errors.Is(err, released.ErrUnreleased) {
		t.Errorf("before it is released: %v", err)
	}
	if gained, err := released.Release(root, more); err != nil || len(gained) != 1 || !strings.HasSuffix(gained[0], "optional event field added") {
		t.Errorf("gained %q, %v", gained, err)
	}
	if err := released.Check(root, more); err != nil {
		t.Errorf("once it is released: %v", err)
	}
	if err := released.Check(root, contracts.JSONSchemaIn); !errors.Is(err, released.ErrBroken) {
		t.Errorf("what was released cannot be taken back: %v", err)
	}
	second := read()
	for line := range strings.Lines(first) {
		if kept := strings.Contains(second, line); kept == strings.HasPrefix(line, "v2 runevent") {
			t.Errorf("kept %v: %s", kept, line)
		}
	}

	for _, version := range []int{1, 2} {
		worse := planted(t, contracts.KindToolSpec, version, `"description": {`, `"summary": {`)
		if gained, err := released.Release(root, worse); !errors.Is(err, released.ErrBroken) || gained != nil || read() != second {
			t.Errorf("a breaking change of version %d was released: %q, %v", version, gained, err)
		}
	}

	copied := filepath.Join(root, "docs/released/v1/budget.json")
	for name, spoil := range map[string]func() error{
		"a copy":  func() error { return os.WriteFile(copied, []byte(`{}`), 0o600) },
		"no copy": func() error { return os.Remove(copied) },
		"a copy beside": func() error {
			return os.WriteFile(filepath.Join(root, "docs/released/v1/memo.json"), []byte(`{}`), 0o600)
		},
		"a line": func() error { return os.WriteFile(lock, []byte("v1 budget\n"), 0o600) },
	} {
		kept, err := os.ReadFile(copied) //nolint:gosec // in the test's own folder
		if err = errors.Join(err, spoil()); err != nil {
			t.Fatal(err)
		}
		_, releaseErr := released.Release(root, more)
		if err := released.Check(root, more); !errors.Is(err, released.ErrTampered) || !errors.Is(releaseErr, released.ErrTampered) {
			t.Errorf("%s: %v, %v", name, err, releaseErr)
		}
		_ = os.Remove(filepath.Join(root, "docs/released/v1/memo.json"))
		if err := errors.Join(os.WriteFile(copied, kept, 0o600), os.WriteFile(lock, []byte(second), 0o600)); err != nil { //nolint:gosec // in the test's own folder
			t.Fatal(err)
		}
	}
}
