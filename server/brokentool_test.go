package main_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/sqlitejournal"
)

// TestAServerStartsWithAToolThatBreaksItsContract has a tool in its journal that an earlier version took.
func TestAServerStartsWithAToolThatBreaksItsContract(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, dir)
	if strings.Contains(s.log.String(), "breaks its contract") {
		t.Errorf("an empty catalogue: %s", s.log)
	}
	s.stop(t)
	j, err := sqlitejournal.Open(t.Context(), filepath.Join(dir, "axiom25.db"), sqlitejournal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	bad := journal.Tool{Name: "bad", Version: "1.0.0", Spec: []byte(`{"schema_version":2,"name":"bad"}`), Digest: contracts.DigestText("bad")}
	if err := j.PutTool(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	s = startServer(t, dir)
	if log := s.log.String(); !strings.Contains(log, "a stored tool breaks its contract") || !strings.Contains(log, "tool=bad@1.0.0") {
		t.Errorf("the log names no tool:\n%s", log)
	}
	if got := s.send(t, http.MethodGet, "/tools/bad@1.0.0", "").status; got != http.StatusNotFound {
		t.Errorf("the tool answers %d", got)
	}
	if list := s.send(t, http.MethodGet, "/tools", ""); list.status != http.StatusOK || strings.Contains(string(list.body), `"bad"`) {
		t.Errorf("the list answers %d: %s", list.status, list.body)
	}
	s.must(t, http.MethodDelete, "/tools/bad@1.0.0", "", nil)
}
