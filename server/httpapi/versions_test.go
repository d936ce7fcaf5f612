package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/server/httpapi"
)

// earlier lets a server write version 1.
func earlier(c *httpapi.Config) { c.ContractsVersion = 1 }

// sendTask creates a run and returns where its task is.
func (h *house) sendTask(t *testing.T, doc string) string {
	t.Helper()
	return want[contracts.Created](t, h.do(http.MethodPost, "/runs", doc), http.StatusCreated).Links.Task
}

// TestTasksInVersion1 asks for tasks of both versions where version 1 is written.
func TestTasksInVersion1(t *testing.T) {
	t.Parallel()
	h := open(t, earlier)
	const old = `{ "schema_version":1, "goal":"g", "inputs":{"b":"x","a":[1]} }`
	for sent, shown := range map[string]string{
		old: old,
		`{"schema_version":2,"goal":"g","inputs":[{"name":"a","text":"x"}],"budget":{"max_wall_ms":60000}}`: `{"schema_version":1,"goal":"g","inputs":{"a":"x"},"profile":"balanced","budget":{"time_s":60}}`,
	} {
		path := h.sendTask(t, sent)
		if got := h.do(http.MethodGet, path, ""); got.status != http.StatusOK || got.body != shown {
			t.Errorf("%d %s, want %s", got.status, got.body, shown)
		} else if err := contracts.Validate(contracts.KindTaskSpec, []byte(got.body)); err != nil {
			t.Error(err)
		}
	}
	for sent, lost := range map[string][]string{
		`{"schema_version":2,"goal":"g","budget":{"max_wall_ms":1500}}`:                            {"#/budget/max_wall_ms"},
		`{"schema_version":2,"goal":"g","inputs":[{"name":"a","text":"secret","sensitive":true}]}`: {"#/inputs/0/sensitive"},
	} {
		got := h.do(http.MethodGet, h.sendTask(t, sent), "")
		p := wantProblem(t, got, contracts.ProblemNotAcceptable)
		if pointers := pointersOf(p.Errors); !slices.Equal(pointers, lost) || p.Schema != "taskspec/v1" || strings.Contains(got.body, "secret") {
			t.Errorf("lost %q, want %q: %s", pointers, lost, got.body)
		}
	}
}

func pointersOf(errs []contracts.FieldError) []string {
	var pointers []string
	for _, e := range errs {
		pointers = append(pointers, e.Pointer)
	}
	return pointers
}

// earlierTool is an entry of the catalogue in version 1.
type earlierTool struct {
	Spec   json.RawMessage  `json:"spec"`
	Digest contracts.Digest `json:"digest"`
	Gate   contracts.Gate   `json:"gate"`
}

// TestToolsInVersion1 sets and reads tools of both versions where version 1 is written.
func TestToolsInVersion1(t *testing.T) {
	t.Parallel()
	h := open(t, earlier)
	const old = `{"schema_version":1,"name":"old","version":"1.0.0","description":"d","input_schema":{"type":"object"},"effect":"read"}`
	entry := want[earlierTool](t, h.do(http.MethodPut, "/tools/old", old), http.StatusCreated)
	again := want[earlierTool](t, h.do(http.MethodPut, "/tools/old", old), http.StatusOK)
	shown := want[earlierTool](t, h.do(http.MethodGet, "/tools/old", ""), http.StatusOK)
	for _, e := range []earlierTool{entry, again, shown} {
		spec, err := contracts.Decode[contracts.ToolSpec](e.Spec)
		if err != nil || !strings.Contains(string(e.Spec), `"schema_version":1`) || spec.Name != "old" || e.Gate != contracts.GateAsk || e.Digest == "" {
			t.Errorf("got %s, %+v, %v", e.Spec, e, err)
		}
	}
	// As much of an input schema as version 2 may nest, which is a level more than version 1.
	const levels = contracts.MaxDepth - 3
	deep := fmt.Sprintf(`{"schema_version":2,"name":"deep","version":"1.0.0","description":"d","effect":"read","input_schema":{"type":"object","const":%s}}`,
		strings.Repeat("[", levels+1)+strings.Repeat("]", levels+1))
	if got := h.do(http.MethodPut, "/tools/deep", deep); got.status != http.StatusCreated || !strings.Contains(got.body, `"trust":"untrusted"`) {
		t.Errorf("what version 1 cannot say was answered with %d %s", got.status, got.body)
	}
	p := wantProblem(t, h.do(http.MethodGet, "/tools/deep", ""), contracts.ProblemNotAcceptable)
	if p.Schema != "toolspec/v1" || len(p.Errors) != 1 || p.Errors[0].Code != contracts.CodeDepth {
		t.Errorf("got %+v", p)
	}
	list := want[struct {
		Tools   []earlierTool `json:"tools"`
		LeftOut []struct {
			Name    string                 `json:"name"`
			Version string                 `json:"version"`
			Errors  []contracts.FieldError `json:"errors"`
		} `json:"left_out"`
	}](t, h.do(http.MethodGet, "/tools", ""), http.StatusOK)
	if len(list.Tools) != 1 || string(list.Tools[0].Spec) != string(shown.Spec) {
		t.Errorf("listed %+v", list.Tools)
	}
	if len(list.LeftOut) != 1 || list.LeftOut[0].Name != "deep" || list.LeftOut[0].Version != "1.0.0" || len(list.LeftOut[0].Errors) != 1 {
		t.Errorf("left out %+v", list.LeftOut)
	}
}

// TestBothVersionsAreTaken sends each document in the version before, the current one and the one to come.
func TestBothVersionsAreTaken(t *testing.T) {
	t.Parallel()
	h := open(t)
	parent := want[contracts.Created](t, h.do(http.MethodPost, "/runs", `{"schema_version":2,"goal":"g"}`), http.StatusCreated)
	tool := func(version int) string {
		return fmt.Sprintf(`{"schema_version":%d,"name":"t%[1]d","version":"1.0.0","description":"d","input_schema":{"type":"object"},"effect":"read"}`, version)
	}
	task := func(version int) string { return fmt.Sprintf(`{"schema_version":%d,"goal":"g"}`, version) }
	for name, c := range map[string]struct {
		method, path string
		doc          func(version int) string
		status       int
		pointer      string
		supported    []int
	}{
		"a task":        {http.MethodPost, "/runs", task, http.StatusCreated, "#/schema_version", []int{1, 2}},
		"a fork's task": {http.MethodPost, "/runs/" + parent.RunID.String() + "/fork", func(version int) string { return `{"schema_version":2,"seq":1,"task":` + task(version) + `}` }, http.StatusCreated, "#/task/schema_version", []int{1, 2}},
		"a tool":        {http.MethodPut, "", tool, http.StatusCreated, "#/schema_version", []int{1, 2}},
		"taskspec":      {http.MethodPost, "/validate/taskspec", task, http.StatusNoContent, "#/schema_version", []int{1, 2}},
		"budget":        {http.MethodPost, "/validate/budget", func(version int) string { return fmt.Sprintf(`{"schema_version":%d}`, version) }, http.StatusNoContent, "#/schema_version", []int{1, 2}},
		"verifycontract": {http.MethodPost, "/validate/verifycontract", func(version int) string {
			return fmt.Sprintf(`{"schema_version":%d,"scorers":[{"id":"a","type":"exact","reference":"x"}]}`, version)
		}, http.StatusNoContent, "#/schema_version", []int{1, 2}},
		"toolspec": {http.MethodPost, "/validate/toolspec", tool, http.StatusNoContent, "#/schema_version", []int{1, 2}},
		"an event": {http.MethodPost, "/validate/runevent", func(version int) string {
			return fmt.Sprintf(`{"schema_version":%d,"run_id":%q,"seq":1,"time":"2026-01-02T03:04:05.678Z","type":"token","data":{"id":"m","delta":"x"}}`, version, parent.RunID)
		}, http.StatusNoContent, "#/schema_version", []int{2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, version := range []int{1, 2, 3} {
				path := c.path
				if path == "" {
					path = fmt.Sprintf("/tools/t%d", version)
				}
				got := h.do(c.method, path, c.doc(version))
				if slices.Contains(c.supported, version) {
					if got.status != c.status {
						t.Errorf("version %d: %d %s", version, got.status, got.body)
					}
					continue
				}
				p := wantProblem(t, got, contracts.ProblemUnsupportedVersion)
				if p.Requested == nil || *p.Requested != int64(version) || !slices.Equal(p.Supported, c.supported) ||
					!slices.Equal(pointersOf(p.Errors), []string{c.pointer}) {
					t.Errorf("version %d: %s", version, got.body)
				}
			}
		})
	}
}
