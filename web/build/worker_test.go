package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"axiom25/docs"
)

// TestTheWorkerLeavesTheAPIAlone holds the service worker's own list of what is no page against the description of the API: a path
// that it lacks would be answered with a page once the server is gone, and would pass through the worker.
func TestTheWorkerLeavesTheAPIAlone(t *testing.T) {
	t.Parallel()
	worker, err := os.ReadFile("../worker.js")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?s)const api =\s*/(.*?)/;\n`).FindSubmatch(worker)
	if list == nil {
		t.Fatal("the worker has no list of what is no page")
	}
	api := regexp.MustCompile(strings.ReplaceAll(string(list[1]), `\/`, "/"))
	pages := regexp.MustCompile(pagePattern())
	var description struct {
		Paths map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(docs.OpenAPI, &description); err != nil {
		t.Fatal(err)
	}
	if len(description.Paths) < 20 {
		t.Fatalf("the description has %d paths", len(description.Paths))
	}
	placeholder := regexp.MustCompile(`\{[^}]+\}`)
	for path := range description.Paths {
		for _, name := range []string{"run_01m8gahqy15qqmarrbcd6p9qqw", "sql_query@1.0.0", "a"} {
			address := placeholder.ReplaceAllString(path, name)
			if !api.MatchString(address) || pages.MatchString(address) {
				t.Errorf("the worker takes %s for a page", address)
			}
		}
	}
	for _, page := range []string{"/new", "/catalog", "/r/run_01m8gahqy15qqmarrbcd6p9qqw", "/reference/taskspec", "/runners", "/a/page/of/tomorrow"} {
		if api.MatchString(page) {
			t.Errorf("the worker takes %s for the API's", page)
		}
	}
}
