package main_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/server/journal/natsjournal/natstest"
)

// TestRunsMoveToAnotherServer exports what a server recorded and imports it elsewhere, where it reads the same.
func TestRunsMoveToAnotherServer(t *testing.T) {
	t.Parallel()
	from, into := t.TempDir(), t.TempDir()
	s := startServer(t, from)
	finished := s.create(t, localTask(must42, "", "41", "42"))
	s.done(t, finished)
	going := s.create(t, externalTask)
	s.report(t, going, tokenLine("half "))
	wanted := map[contracts.RunID][]string{}
	for id, n := range map[contracts.RunID]int{finished: 0, going: 3} {
		frames, err := s.view(t.Context(), id, 0, n)
		if err != nil && n == 0 {
			t.Fatal(err)
		}
		wanted[id] = frames
	}
	if got := axiom25(t, "", "export", "--data", from); got.code != 1 || !strings.Contains(got.stderr, "another server uses") {
		t.Errorf("export beside a server: exit code %d\n%s", got.code, got.stderr)
	}
	s.stop(t)

	file := filepath.Join(t.TempDir(), "runs.ndjson")
	if got := axiom25(t, "", "export", "--data", from, "-o", file); got.code != 0 || !strings.Contains(got.stderr, "exported 2 runs") {
		t.Fatalf("export: exit code %d\n%s", got.code, got.stderr)
	}
	if got := axiom25(t, "", "export", "--data", from, "-o", file); got.code != 1 {
		t.Errorf("export onto a file that exists: exit code %d\n%s", got.code, got.stderr)
	}
	if got := axiom25(t, "", "import", "--data", into, file); got.code != 0 || !strings.Contains(got.stderr, "added 2 runs") {
		t.Fatalf("import: exit code %d\n%s", got.code, got.stderr)
	}
	if got := axiom25(t, "", "check", "--data", into); got.code != 0 || got.stdout != "" {
		t.Errorf("check: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	s = startServer(t, into)
	for id, frames := range wanted {
		got, err := s.view(t.Context(), id, 0, len(frames))
		if err != nil && len(got) < len(frames) {
			t.Fatal(err)
		}
		if !slices.Equal(got, frames) {
			t.Errorf("run %s reads\n%s\nwant\n%s", id, strings.Join(got, "\n"), strings.Join(frames, "\n"))
		}
	}
	s.report(t, going, tokenLine("whole"))
}

func TestExportSelectsAndSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, data)
	labelled := s.create(t, strings.Replace(externalTask, `"schema_version":2`, `"schema_version":2,"labels":{"team":"b"}`, 1))
	other := s.create(t, externalTask)
	s.stop(t)

	for name, c := range map[string]struct {
		args []string
		want []contracts.RunID
	}{
		"all":        {nil, []contracts.RunID{other, labelled}},
		"by label":   {[]string{"--label", "team:b"}, []contracts.RunID{labelled}},
		"by name":    {[]string{labelled.String()}, []contracts.RunID{labelled}},
		"by state":   {[]string{"--state", "failed"}, nil},
		"from then":  {[]string{"--since", "2100-01-01T00:00:00Z"}, nil},
		"until then": {[]string{"--until", "2000-01-01T00:00:00Z"}, nil},
	} {
		got := axiom25(t, "", append([]string{"export", "--data", data}, c.args...)...)
		var runs []contracts.RunID
		for line := range strings.Lines(got.stdout) {
			var l struct {
				Run *struct {
					RunID contracts.RunID `json:"run_id"`
				} `json:"run"`
			}
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatalf("%s: %v in %s", name, err, line)
			}
			if l.Run != nil {
				runs = append(runs, l.Run.RunID)
			}
		}
		if got.code != 0 || !slices.Equal(runs, c.want) {
			t.Errorf("%s: exit code %d and %v, want %v\n%s", name, got.code, runs, c.want, got.stderr)
		}
	}
	for name, args := range map[string][]string{
		"no state": {"--state", "asleep"},
		"no label": {"--label", "team"},
		"no time":  {"--since", "yesterday"},
		"no id":    {"run_7"},
		"no run":   {"run_01jq0000000000000000000000"},
	} {
		if got := axiom25(t, "", append([]string{"export", "--data", data}, args...)...); got.code != 1 {
			t.Errorf("%s: exit code %d, want 1\n%s", name, got.code, got.stderr)
		}
	}
	if got := axiom25(t, `{"export":{"format":1}}`, "import", "--data", t.TempDir(), "-"); got.code != 2 {
		t.Errorf("import of a file that ends early: exit code %d, want 2\n%s", got.code, got.stderr)
	}
}

// TestNothingIsMadeByReading mistypes the directory, and the names in a cluster.
func TestNothingIsMadeByReading(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "typo")
	for _, args := range [][]string{{"check"}, {"export"}, {"backup", t.TempDir()}} {
		if got := axiom25(t, "", append(args, "--data", data)...); got.code != 1 || !strings.Contains(got.stderr, "there is no journal") {
			t.Errorf("%s: exit code %d, want 1\n%s", args[0], got.code, got.stderr)
		}
		if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s made the directory: %v", args[0], err)
		}
	}

	nats := natstest.Start(t, natstest.Options{})
	for _, args := range [][]string{{"check"}, {"export"}} {
		for range 2 { // the second one finds what the first one made
			got := axiom25(t, "", append(args, "--journal", nats.URL()+"/?prefix=typo")...)
			if got.code != 1 || !strings.Contains(got.stderr, "there is no store") {
				t.Errorf("%s of a cluster: exit code %d, want 1\n%s", args[0], got.code, got.stderr)
			}
		}
	}
}

// TestCheckFindsDamage flips a bit in the middle of a run.
func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, data)
	const mark = "a text that is easy to find in the file"
	id := s.create(t, externalTask)
	s.report(t, id, tokenLine(mark))
	s.must(t, http.MethodPost, "/runs/"+id.String()+"/cancel", "{}", nil)
	s.stop(t)

	path := filepath.Join(data, "axiom25.db")
	content, err := os.ReadFile(path) //nolint:gosec // the test's own file
	if err != nil {
		t.Fatal(err)
	}
	spoiled := strings.ReplaceAll(string(content), mark, strings.ToUpper(mark))
	if spoiled == string(content) {
		t.Fatal("the text is not in the file")
	}
	if err := os.WriteFile(path, []byte(spoiled), 0o600); err != nil { //nolint:gosec // the test's own file
		t.Fatal(err)
	}
	got := axiom25(t, "", "check", "--data", data)
	if got.code != 2 || !strings.Contains(got.stdout, id.String()) {
		t.Errorf("check: exit code %d, want 2 and the run in\n%s%s", got.code, got.stdout, got.stderr)
	}
	got = axiom25(t, "", "export", "--data", data)
	if got.code != 2 || !strings.Contains(got.stdout, `{"left_out":{"run_id":"`+id.String()+`","reason":"damaged"}}`) {
		t.Errorf("export: exit code %d, want 2 and the run left out in\n%s%s", got.code, got.stdout, got.stderr)
	}
}
