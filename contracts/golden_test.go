package contracts_test

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

var update = flag.Bool("update", false, "write the golden problems")

// TestGoldenProblems compares whole problems, byte for byte: people read them, and programs compare their codes. A
// document testdata/problems/NAME.KIND.json has its problem in NAME.KIND.problem.json.
func TestGoldenProblems(t *testing.T) {
	const folder = "testdata/problems"
	stored := os.DirFS(folder)
	documents, err := fs.Glob(stored, "*.json")
	if err != nil || len(documents) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	for _, path := range documents {
		if strings.HasSuffix(path, ".problem.json") {
			continue
		}
		name := strings.TrimSuffix(path, ".json")
		t.Run(name, func(t *testing.T) {
			doc, err := fs.ReadFile(stored, path)
			if err != nil {
				t.Fatal(err)
			}
			kind, err := contracts.ParseKind(name[strings.LastIndexByte(name, '.')+1:])
			if err != nil {
				t.Fatal(err)
			}
			got := append(contractstest.Document(contracts.Validate(kind, doc)), '\n')
			golden := strings.TrimSuffix(path, ".json") + ".problem.json"
			if *update {
				if err := os.WriteFile(filepath.Join(folder, golden), got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := fs.ReadFile(stored, golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
