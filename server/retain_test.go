package main_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"axiom25/contracts"
)

// TestOldRunsGo finishes a run under one policy and starts the server again under another.
func TestOldRunsGo(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, data)
	old := s.create(t, localTask(must42, "", "41", "42"))
	s.done(t, old)
	live := s.create(t, externalTask)
	s.report(t, live, tokenLine("still "))
	s.stop(t)

	s = startServer(t, data, "--retain", "1ms")
	pruned := func() bool {
		var row contracts.Summary
		s.must(t, http.MethodGet, "/runs/"+old.String(), "", &row)
		return row.Pruned && row.State == contracts.StateSucceeded
	}
	s.await(t, live, "alone", func(snapshot) bool { return pruned() })
	for _, path := range []string{"/stream", "/events", "/task"} {
		if r := s.send(t, http.MethodGet, "/runs/"+old.String()+path, ""); r.status != http.StatusGone || !strings.Contains(string(r.body), "history-pruned") {
			t.Errorf("GET %s of a pruned run: %d %s", path, r.status, r.body)
		}
	}
	var list contracts.RunList
	s.must(t, http.MethodGet, "/runs", "", &list)
	if len(list.Runs) != 2 || list.Runs[0].Pruned || !list.Runs[1].Pruned {
		t.Errorf("the list shows %+v, want the live run and what is left of the other", list.Runs)
	}
	s.report(t, live, tokenLine("going"))
	s.answer(t, live, "still going")
	s.done(t, live)
	s.stop(t)
	if got := axiom25(t, "", "check", "--data", data); got.code != 0 {
		t.Errorf("check: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := axiom25(t, "", "export", "--data", data); got.code != 2 || !strings.Contains(got.stdout, `"reason":"pruned"`) {
		t.Errorf("export: exit code %d, want 2 and the pruned run named\n%s", got.code, got.stderr)
	}
}

func TestRetentionFlagsAreRead(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{
		{"--retain", "-1h"}, {"--retain", "monday"}, {"--retain-bytes", "-1"}, {"--retain-bytes", "20GB"}, {"--retain-bytes", "9999999999TiB"},
	} {
		if got := axiom25(t, "", append([]string{"serve", "--data", t.TempDir()}, flags...)...); got.code != 1 || !strings.Contains(got.stderr, flags[0]) {
			t.Errorf("%v: exit code %d, want 1 and the flag in\n%s", flags, got.code, got.stderr)
		}
	}
}

// TestBackupOfARunningServer copies a journal while an engine reports to it.
func TestBackupOfARunningServer(t *testing.T) {
	t.Parallel()
	data, copied := t.TempDir(), filepath.Join(t.TempDir(), "monday")
	s := startServer(t, data)
	id := s.create(t, externalTask)
	for range 20 {
		s.report(t, id, tokenLine("before "))
	}
	before := s.history(t, id)
	if got := axiom25(t, "", "backup", "--data", data, copied); got.code != 0 || !strings.Contains(got.stderr, "copied 1 runs") {
		t.Fatalf("backup: exit code %d\n%s", got.code, got.stderr)
	}
	s.report(t, id, tokenLine("after "))
	if got := axiom25(t, "", "backup", "--data", data, copied); got.code != 1 || !strings.Contains(got.stderr, "has a journal already") {
		t.Errorf("backup onto a backup: exit code %d\n%s", got.code, got.stderr)
	}
	if got := axiom25(t, "", "backup", "--data", t.TempDir(), filepath.Join(t.TempDir(), "x")); got.code != 1 || !strings.Contains(got.stderr, "there is no journal") {
		t.Errorf("backup of nothing: exit code %d\n%s", got.code, got.stderr)
	}
	if got := axiom25(t, "", "check", "--data", copied); got.code != 0 {
		t.Errorf("check of the backup: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	restored := startServer(t, copied)
	if got := restored.history(t, id); strings.Join(got, "\n") != strings.Join(before, "\n") {
		t.Errorf("the backup has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(before, "\n"))
	}
}
