package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"axiom25/contracts"
)

// taskIn is a task for the local engine in a version of the contracts.
func taskIn(version int) string {
	const plan = `{"steps":[],"answers":["42"]}`
	if version == 1 {
		return `{"schema_version":1,"goal":"Answer","inputs":{"plan":` + plan + `}}`
	}
	return fmt.Sprintf(`{"schema_version":%d,"goal":"Answer","inputs":[{"name":"plan","data":%s}]}`, version, plan)
}

// TestTheCommandLineTakesBothVersions sends tasks of the version before, the current one and the one to come.
func TestTheCommandLineTakesBothVersions(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	for _, version := range []int{1, 2} {
		if got := axiom25(t, taskIn(version), "run", "-", "--server", s.url); got.code != 0 || !strings.Contains(got.stdout, "succeeded") {
			t.Errorf("run of version %d: exit code %d\n%s%s", version, got.code, got.stdout, got.stderr)
		}
		if got := axiom25(t, taskIn(version), "validate", "-"); got.code != 0 {
			t.Errorf("validate of version %d: exit code %d\n%s%s", version, got.code, got.stdout, got.stderr)
		}
		if got := axiom25(t, taskIn(version), "migrate", "-"); got.code != 0 {
			t.Errorf("migrate of version %d: exit code %d\n%s%s", version, got.code, got.stdout, got.stderr)
		}
	}
	const unsupported = "-:1:19: #/schema_version: must be one of the supported versions (unsupported_version); supported: 1 2\n"
	for _, args := range [][]string{
		{"run", "-", "--server", s.url},
		{"validate", "-"},
		{"migrate", "-"},
		{"migrate", "-", "--contracts-version", "1"},
	} {
		got := axiom25(t, taskIn(3), args...)
		if got.code != 2 || !strings.Contains(got.stdout+got.stderr, unsupported) {
			t.Errorf("%q of version 3: exit code %d\n%s%s", args, got.code, got.stdout, got.stderr)
		}
	}
}

// TestServeWritesTheVersionBefore starts a server for programs that read version 1.
func TestServeWritesTheVersionBefore(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), "--contracts-version", "1")
	for _, version := range []int{1, 2} {
		id := s.create(t, taskIn(version))
		shown := s.send(t, http.MethodGet, "/runs/"+id.String()+"/task", "")
		if shown.status != http.StatusOK || !strings.Contains(string(shown.body), `"schema_version":1`) {
			t.Errorf("the task of version %d: %d %s", version, shown.status, shown.body)
		}
		if end := s.done(t, id); end.State != contracts.StateSucceeded {
			t.Errorf("the run of version %d: %+v", version, end)
		}
	}
	var list struct {
		Tools   []any `json:"tools"`
		LeftOut []struct {
			Errors []contracts.FieldError `json:"errors"`
		} `json:"left_out"`
	}
	s.must(t, http.MethodGet, "/tools", "", &list)
	if len(list.Tools) != 0 || len(list.LeftOut) == 0 {
		t.Errorf("%d tools are listed and %d left out; version 1 has no builtin ones", len(list.Tools), len(list.LeftOut))
	}
	for _, tool := range list.LeftOut {
		if len(tool.Errors) == 0 || tool.Errors[0].Code != contracts.CodeVersionLoss {
			t.Errorf("left out for %+v", tool.Errors)
		}
	}
	if got := axiom25(t, "", "serve", "--contracts-version", "3", "--data", t.TempDir()); got.code != 1 ||
		got.stderr != "axiom25: --contracts-version: want 1 or 2\n" {
		t.Errorf("exit code %d\n%s", got.code, got.stderr)
	}
}
