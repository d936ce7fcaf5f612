package docs_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/docs"
)

var update = flag.Bool("update", false, "write the table of codes in problems.md")

// TestProblem holds every section against the type that it is about: the example is a problem of that type.
func TestProblem(t *testing.T) {
	for _, kind := range contracts.ProblemTypes() {
		name := kind.Type
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
	const head = "| code | detail |\n|---|---|\n"
	var table strings.Builder
	for _, code := range contracts.Codes() {
		fmt.Fprintf(&table, "| `%s` | %s |\n", code.Code, code.Detail)
	}
	page, err := os.ReadFile("problems.md")
	if err != nil {
		t.Fatal(err)
	}
	before, got, ok := strings.Cut(string(page), head)
	if !ok {
		t.Fatal("problems.md has no table of codes")
	}
	if *update {
		if err := os.WriteFile("problems.md", []byte(before+head+table.String()), 0o600); err != nil { //nolint:gosec // the page beside this test
			t.Fatal(err)
		}
		return
	}
	if got != table.String() {
		t.Error("problems.md lists other codes than package contracts; run go test ./docs -update")
	}
}
