package docs_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/docs"
)

var update = flag.Bool("update", false, "write the table of codes in problems.md")

// problemTypes reads the problem types from where they are declared, so that none is forgotten.
func problemTypes(t *testing.T) []contracts.ProblemType {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../contracts/problem.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var types []contracts.ProblemType
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		name, typed := spec.Type.(*ast.Ident)
		value, literal := spec.Values[0].(*ast.BasicLit)
		if !typed || !literal || name.Name != "ProblemType" {
			return true
		}
		text, err := strconv.Unquote(value.Value)
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, contracts.ProblemType(text))
		return true
	})
	if len(types) < 20 {
		t.Fatalf("found %d problem types only", len(types))
	}
	return types
}

// TestProblem holds every section against the type that it is about: the example is a problem of that type.
func TestProblem(t *testing.T) {
	for _, name := range problemTypes(t) {
		section, ok := docs.Problem(string(name))
		if !ok {
			t.Errorf("problems.md has no section %s", name)
			continue
		}
		_, example, _ := strings.Cut(section, "```json\n")
		example, rest, _ := strings.Cut(example, "\n```")
		var p contracts.Problem
		decoder := json.NewDecoder(strings.NewReader(example))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&p); err != nil {
			t.Errorf("%s: the example: %v", name, err)
			continue
		}
		like := contracts.NewProblem(name, "")
		titled := p.Title == like.Title || p.Has(contracts.ProblemInvalidDocument)
		if p.Type != like.Type || p.Status != like.Status || !titled {
			t.Errorf("%s: the example is of type %s, %d, %q", name, p.Type, p.Status, p.Title)
		}
		if again, err := contracts.Encode(p); err != nil || string(again) != example {
			t.Errorf("%s: the server writes the example as %s, %v", name, again, err)
		}
		known := make(map[contracts.Code]bool)
		for _, code := range contracts.Codes() {
			known[code.Code] = true
		}
		for _, e := range p.Errors {
			if !known[e.Code] {
				t.Errorf("%s: the example has the code %s, which is not in the list", name, e.Code)
			}
		}
		if !strings.Contains(rest, "**What to do.** ") {
			t.Errorf("%s: nothing is said about what to do", name)
		}
	}
	for _, name := range []string{"", "Codes", "Problems", "no-such"} {
		if section, ok := docs.Problem(name); ok {
			t.Errorf("Problem(%q) = %q", name, section)
		}
	}
}

// TestCodes compares the table at the end with the closed list.
func TestCodes(t *testing.T) {
	const path, head = "problems.md", "| code | detail |\n|---|---|\n"
	var table strings.Builder
	for _, code := range contracts.Codes() {
		fmt.Fprintf(&table, "| `%s` | %s |\n", code.Code, code.Detail)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, got, ok := strings.Cut(string(page), head)
	if !ok {
		t.Fatalf("%s has no table of codes", path)
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+head+table.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != table.String() {
		t.Errorf("%s lists other codes than package contracts; run go test ./docs -update", path)
	}
}
