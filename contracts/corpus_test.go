package contracts_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// corpus holds documents of every version that was released, as VERSION/CONTRACT/valid/NAME.json with what each becomes
// in NAME.migrated.json, and VERSION/CONTRACT/invalid/NAME.json with the problem in NAME.problem.json. What stands there
// was promised: documents are added, and no expectation is changed as long as its version is read.
const corpus = "testdata/corpus"

// TestCorpus holds the promises of every version, byte for byte.
func TestCorpus(t *testing.T) {
	stored := os.DirFS(corpus)
	for _, version := range []string{"v1", "v2"} {
		for _, kind := range contracts.Kinds() {
			if version == "v1" && kind == contracts.KindRunEvent {
				continue // events begin with version 2
			}
			t.Run(version+"/"+string(kind), func(t *testing.T) {
				folder := path.Join(version, string(kind))
				for _, name := range documents(t, stored, path.Join(folder, "valid")) {
					t.Run(path.Base(name), func(t *testing.T) { checkValid(t, stored, kind, name) })
				}
				for _, name := range documents(t, stored, path.Join(folder, "invalid")) {
					t.Run(path.Base(name), func(t *testing.T) { checkInvalid(t, stored, kind, name) })
				}
			})
		}
	}
}

// documents returns the documents of a folder, without their expectations and endings.
func documents(tb testing.TB, stored fs.FS, folder string) []string {
	tb.Helper()
	files, err := fs.Glob(stored, folder+"/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatalf("%s holds no documents: %v", folder, err)
	}
	var names []string
	for _, file := range files {
		name := strings.TrimSuffix(file, ".json")
		if path.Ext(name) == "" {
			names = append(names, name)
		}
	}
	return names
}

func checkValid(t *testing.T, stored fs.FS, kind contracts.Kind, name string) {
	t.Helper()
	doc, err := fs.ReadFile(stored, name+".json")
	if err != nil {
		t.Fatal(err)
	}
	migrated, changes, err := contracts.Migrate(kind, doc)
	if err != nil {
		t.Fatalf("%s", contractstest.Document(err))
	}
	if !strings.HasPrefix(name, fmt.Sprintf("v%d/", contracts.Version)) {
		expect(t, stored, name+".migrated.json", append(slices.Clip(migrated), '\n'))
	} else if !bytes.Equal(migrated, doc) || changes != nil {
		t.Errorf("a current document becomes %s", migrated)
	}
	if err := contracts.Validate(kind, migrated); err != nil {
		t.Errorf("what it becomes is not valid: %s", contractstest.Document(err))
	}
}

func checkInvalid(t *testing.T, stored fs.FS, kind contracts.Kind, name string) {
	t.Helper()
	doc, err := fs.ReadFile(stored, name+".json")
	if err != nil {
		t.Fatal(err)
	}
	var problem *contracts.Problem
	if err := contracts.Validate(kind, doc); !errors.As(err, &problem) {
		t.Fatalf("got %v", err)
	}
	expect(t, stored, name+".problem.json", append(contractstest.Document(problem), '\n'))
}

// expect compares with a file of the corpus, or writes it.
func expect(t *testing.T, stored fs.FS, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join(corpus, name), got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := fs.ReadFile(stored, name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s\ngot  %s\nwant %s", name, got, want)
	}
}
