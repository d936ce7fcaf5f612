package reference_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/docs/handbook"
	"axiom25/docs/reference"
)

func readBook(t *testing.T) *handbook.Book {
	t.Helper()
	book, err := reference.Book(repository)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// TestTheBookSaysWhatThePagesSay holds every row of every table of docs/contracts against the book, and the other way round.
func TestTheBookSaysWhatThePagesSay(t *testing.T) {
	t.Parallel()
	plain := strings.NewReplacer(`\|`, "|", "*required*", "required")
	for _, c := range readBook(t).Contracts {
		page, err := os.ReadFile(filepath.Join(repository, "docs", "contracts", c.Kind+"_schema.md"))
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		fields, _, _ := strings.Cut(string(page), "\n## Problems\n")
		for line := range strings.Lines(fields) {
			if !strings.HasPrefix(line, "| `") {
				continue
			}
			cells := strings.Split(strings.Trim(strings.ReplaceAll(line, `\|`, "\x00"), "| \n"), " | ")
			for i := range cells {
				cells[i] = plain.Replace(strings.ReplaceAll(strings.TrimSpace(cells[i]), "\x00", "|"))
			}
			if at := strings.IndexByte(cells[1], '['); at >= 0 { // a link to the struct
				name, _, _ := strings.Cut(cells[1][at+1:], "]")
				cells[1] = cells[1][:at] + name
			}
			cells[3] = strings.ReplaceAll(cells[3], "`", "")
			want = append(want, strings.Join(cells, " | "))
		}
		for _, s := range c.Structs {
			if !strings.Contains(fields, "\n### "+s.Name+"\n") {
				t.Errorf("%s: the page has no %s", c.Kind, s.Name)
			}
			for _, rule := range s.Between {
				if !strings.Contains(fields, "\n- "+rule+"\n") {
					t.Errorf("%s: the page has no rule %q", c.Kind, rule)
				}
			}
			for _, f := range s.Fields {
				got = append(got, strings.Join([]string{"`" + f.Name + "`", f.Type, strings.Join(f.Rules, "; "), f.Default, f.Meaning}, " | "))
				if len(f.Pointers) == 0 || !strings.HasSuffix(f.Pointers[0], "/"+f.Name) {
					t.Errorf("%s: %s.%s stands at %v", c.Kind, s.Name, f.Name, f.Pointers)
				}
			}
		}
		if !slices.Equal(got, want) {
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Errorf("%s: the book says\n%s\nthe page\n%s", c.Kind, got[i], want[i])
					break
				}
			}
			t.Errorf("%s: the book has %d fields, the page %d", c.Kind, len(got), len(want))
		}
		if !strings.Contains(fields, "\n"+c.Example+"\n") {
			t.Errorf("%s: the page has another example", c.Kind)
		}
	}
}

// TestTheBookHasEveryRuleAndProblem compares it with the closed lists.
func TestTheBookHasEveryRuleAndProblem(t *testing.T) {
	t.Parallel()
	book := readBook(t)
	for i, info := range contracts.Codes() {
		if c := book.Codes[i]; c.Code != string(info.Code) || c.Detail != info.Detail {
			t.Errorf("code %d is %+v, want %+v", i, c, info)
		}
	}
	for i, info := range contracts.ProblemTypes() {
		p := book.Problems[i]
		var example contracts.Problem
		if err := json.Unmarshal([]byte(p.Example), &example); err != nil || !example.Has(info.Type) {
			t.Errorf("%s: its example is %s, %v", info.Type, p.Example, err)
		}
		if p.Type != string(info.Type) || p.Title != info.Title || p.Status != info.Status || p.Meaning == "" || p.Advice == "" {
			t.Errorf("problem %d is %+v, want %+v", i, p, info)
		}
	}
	if len(book.Invariants) != 18 || len(book.Events) != 10 {
		t.Errorf("%d invariants and %d types of events", len(book.Invariants), len(book.Events))
	}
	structs := make(map[string]bool)
	for _, s := range book.Contracts[4].Structs {
		structs[s.Name] = true
	}
	for _, e := range book.Events {
		if !structs[e.Struct] || e.Writer == "" || e.Says == "" {
			t.Errorf("an event is %+v", e)
		}
	}
}

// TestTheBookHasTheAPI compares its routes with the OpenAPI document.
func TestTheBookHasTheAPI(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join(repository, "docs", "api", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		Paths map[string]map[string]struct {
			ID          string `json:"operationId"`
			Summary     string `json:"summary"`
			Description string `json:"description"`
			Parameters  []struct {
				Name        string `json:"name"`
				In          string `json:"in"`
				Description string `json:"description"`
			} `json:"parameters"`
			RequestBody *struct {
				Content map[string]any `json:"content"`
			} `json:"requestBody"`
			Responses map[string]struct {
				Content map[string]any `json:"content"`
			} `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(content, &api); err != nil {
		t.Fatal(err)
	}
	said := 0
	for _, methods := range api.Paths {
		said += len(methods)
	}
	book := readBook(t)
	if said != len(book.Routes) {
		t.Errorf("the document has %d operations, the book %d", said, len(book.Routes))
	}
	for _, r := range book.Routes {
		o, ok := api.Paths[r.Path][strings.ToLower(r.Method)]
		if !ok || o.ID != r.ID || o.Summary != r.Summary || o.Description != r.Description || len(o.Parameters) != len(r.Parameters) {
			t.Errorf("%s %s is another one in the document: %+v", r.Method, r.Path, o)
			continue
		}
		for i, p := range r.Parameters {
			if q := o.Parameters[i]; q.Name != p.Name || q.In != p.In || q.Description != p.About || p.Type == "" || p.Example == "" {
				t.Errorf("%s: parameter %+v, in the document %+v", r.ID, p, q)
			}
		}
		if (o.RequestBody != nil) != (r.Body != nil) || r.Body != nil && len(o.RequestBody.Content) != len(r.Body.Contents) {
			t.Errorf("%s: another body", r.ID)
		}
		statuses := make(map[string]bool)
		for _, a := range r.Answers {
			statuses[strconv.Itoa(a.Status)] = true
			if len(o.Responses[strconv.Itoa(a.Status)].Content) != len(a.Contents) {
				t.Errorf("%s: another answer %d", r.ID, a.Status)
			}
		}
		for _, name := range r.Problems {
			i := slices.IndexFunc(book.Problems, func(p handbook.Problem) bool { return p.Type == name })
			if i < 0 {
				t.Errorf("%s: no problem %s", r.ID, name)
				continue
			}
			statuses[fmt.Sprint(book.Problems[i].Status)] = true
		}
		if len(statuses) != len(o.Responses) {
			t.Errorf("%s: %d statuses, in the document %d", r.ID, len(statuses), len(o.Responses))
		}
	}
}
