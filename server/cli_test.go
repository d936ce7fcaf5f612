package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"axiom25/contracts"
)

// said is what a command left behind.
type said struct {
	code           int
	stdout, stderr string
}

// lines returns the lines of the standard output.
func (s said) lines() []string { return strings.Split(strings.TrimSuffix(s.stdout, "\n"), "\n") }

// command is an axiom25 at work.
type command struct {
	*exec.Cmd
	stdout, stderr safeBuffer
}

// start begins a command; env are assignments beside the test's own environment.
func start(t *testing.T, stdin string, env []string, args ...string) *command {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	t.Cleanup(cancel)
	c := &command{Cmd: exec.CommandContext(ctx, binary, args...)} //nolint:gosec // the test's own binary
	c.Env = append(os.Environ(), env...)
	c.Stdin = strings.NewReader(stdin)
	c.Stdout, c.Stderr = &c.stdout, &c.stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// end waits for the command.
func (c *command) end(t *testing.T) said {
	t.Helper()
	err := c.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return said{code: c.ProcessState.ExitCode(), stdout: c.stdout.String(), stderr: c.stderr.String()}
}

// axiom25 runs a command to its end.
func axiom25(t *testing.T, stdin string, args ...string) said {
	t.Helper()
	return start(t, stdin, nil, args...).end(t)
}

// localTask is a task for the local engine without steps: it gives these answers, one a pass. contract is the value of
// verification and budget that of budget; empty leaves them out.
func localTask(contract, budget string, answers ...string) string {
	quoted := make([]string, len(answers))
	for i, a := range answers {
		quoted[i] = fmt.Sprintf("%q", a)
	}
	task := `{"schema_version":2,"goal":"Answer","inputs":[{"name":"plan","data":{"steps":[],"answers":[` +
		strings.Join(quoted, ",") + `]}}]`
	if contract != "" {
		task += `,"verification":` + contract
	}
	if budget != "" {
		task += `,"budget":` + budget
	}
	return task + "}"
}

// must42 is a contract that only the answer 42 meets.
const must42 = `{"assertions":[{"id":"is_42","type":"equals","value":"42"}]}`

func TestRunTellsTheOutcomeByItsExitCode(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	cases := map[string]struct {
		task string
		code int
		says string
	}{
		"succeeded":         {localTask(must42, "", "42"), 0, "succeeded"},
		"succeeded, second": {localTask(must42, "", "41", "42"), 0, "revise"},
		"failed":            {localTask(must42, `{"reflection_passes":0}`, "41"), 3, "failed"},
		"refused": {
			localTask(`{"assertions":[{"id":"is_42","type":"equals","value":"42"}],"refuse_below":0.5}`, "", "41"), 4, "refused",
		},
		"exhausted": {localTask("", `{"max_tokens":1,"on_exhausted":"stop"}`, "a long answer of many words"), 5, "exhausted"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := axiom25(t, c.task, "run", "-", "--server", s.url)
			if got.code != c.code || !strings.Contains(got.stdout, c.says) {
				t.Errorf("exit code %d, want %d and %q in\n%s%s", got.code, c.code, c.says, got.stdout, got.stderr)
			}
			if strings.Contains(got.stdout, "\x1b") {
				t.Error("control sequences go where no terminal is")
			}
		})
	}
}

func TestTailBehindTheEndTellsTheOutcome(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	id := s.create(t, externalTask)
	s.report(t, id, `{"schema_version":2,"type":"error","data":{"type":"/problems/engine-failed","title":"x","status":500,"detail":"x","fatal":true}}`)
	last := len(s.history(t, id))
	got := axiom25(t, "", "tail", id.String(), "--after", strconv.Itoa(last), "--server", s.url)
	if got.code != 3 || got.stdout != "" {
		t.Errorf("exit code %d, want that of a failed run, and nothing shown\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestRunPrintsTheEventsAsTheyAre(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	got := axiom25(t, localTask(must42, "", "41", "42"), "run", "-", "--json", "--server", s.url)
	if got.code != 0 {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	lines := got.lines()
	checkStream(t, lines)
	id := decodeAll(t, lines[:1])[0].RunID
	if !slices.Equal(lines, s.history(t, id)) {
		t.Error("the lines are not the journal's")
	}

	t.Run("and tail from any event on", func(t *testing.T) {
		t.Parallel()
		got := axiom25(t, "", "tail", id.String(), "--after", "3", "--json", "--server", s.url)
		if got.code != 0 || !slices.Equal(got.lines(), lines[3:]) {
			t.Errorf("exit code %d, %d lines; want the %d behind event 3\n%s", got.code, len(got.lines()), len(lines)-3, got.stderr)
		}
	})
	t.Run("and a saved stream is valid", func(t *testing.T) {
		t.Parallel()
		got := axiom25(t, got.stdout, "validate", "-")
		if got.code != 0 || got.stdout != "-: valid runevent\n" {
			t.Errorf("exit code %d\n%s", got.code, got.stdout)
		}
		broken := slices.Delete(slices.Clone(lines), 2, 3)
		got = axiom25(t, strings.Join(broken, "\n"), "validate", "--contract", "runevent", "-")
		if got.code != 2 || !strings.HasPrefix(got.stdout, "-:3:1: ") {
			t.Errorf("exit code %d, want 2 and line 3\n%s", got.code, got.stdout)
		}
	})
}

func TestRunWithoutATaskThatStands(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	cases := map[string]struct {
		args   []string
		stdin  string
		code   int
		stderr string
	}{
		"invalid document": {
			[]string{"run", "-", "--server", s.url}, "{\n  \"schema_version\": 2,\n  \"goal\": 7\n}", 2, `(?m)^-:3:11: #/goal: `,
		},
		"no server":        {[]string{"run", "-", "--server", "http://127.0.0.1:1"}, localTask("", "", "x"), 1, `^axiom25: `},
		"no file":          {[]string{"run", filepath.Join(t.TempDir(), "none.json"), "--server", s.url}, "", 1, `^axiom25: `},
		"no argument":      {[]string{"run"}, "", 1, `^axiom25: `},
		"unknown flag":     {[]string{"run", "-", "--no-such"}, "", 1, `^axiom25: `},
		"unknown command":  {[]string{"walk"}, "", 1, `^axiom25: `},
		"not a run id":     {[]string{"tail", "7", "--server", s.url}, "", 1, `^axiom25: `},
		"no such run":      {[]string{"tail", "run_01jq0000000000000000000000", "--server", s.url}, "", 1, `^axiom25: There is nothing here`},
		"open to everyone": {[]string{"serve", "--addr", "0.0.0.0:0", "--data", t.TempDir()}, "", 1, `--token`},
		"not a ceiling":    {[]string{"serve", "--ceiling", "max_tokens=many", "--data", t.TempDir()}, "", 1, `--ceiling`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := axiom25(t, c.stdin, c.args...)
			if got.code != c.code || !regexp.MustCompile(c.stderr).MatchString(got.stderr) {
				t.Errorf("exit code %d, want %d and %q in\n%s%s", got.code, c.code, c.stderr, got.stdout, got.stderr)
			}
		})
	}
}

func TestServeHoldsTasksToItsCeiling(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), "--ceiling", "max_tokens=200000,max_tool_calls=100")
	got := axiom25(t, localTask("", `{"max_tokens":200001}`, "x"), "run", "-", "--server", s.url)
	if got.code != 2 || !strings.Contains(got.stderr, "#/budget/max_tokens: ") {
		t.Errorf("exit code %d, want 2 and the pointer in\n%s", got.code, got.stderr)
	}
	if got := axiom25(t, localTask("", `{"max_tokens":200000}`, "x"), "run", "-", "--server", s.url); got.code != 0 {
		t.Errorf("exit code %d at the ceiling\n%s", got.code, got.stderr)
	}
}

func TestServeAsksForItsToken(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), "--token", "hunter2hunter2")
	if r := s.send(t, http.MethodGet, "/runs", ""); r.status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", r.status)
	}
	if got := axiom25(t, localTask("", "", "x"), "run", "-", "--server", s.url); got.code != 1 {
		t.Errorf("exit code %d without a token\n%s", got.code, got.stderr)
	}
	got := start(t, localTask("", "", "x"), []string{"AXIOM25_TOKEN=hunter2hunter2"}, "run", "-", "--server", s.url).end(t)
	if got.code != 0 {
		t.Errorf("exit code %d with the token\n%s", got.code, got.stderr)
	}
	if strings.Contains(s.log.String(), "hunter2") {
		t.Error("the token stands in the log")
	}
}

func TestATerminalSeesTheMeter(t *testing.T) {
	t.Parallel()
	script, err := exec.LookPath("script")
	if err != nil {
		t.Skip("script, which gives a command a terminal, is not installed")
	}
	s := startServer(t, t.TempDir())
	id := s.create(t, localTask(must42, "", "41", "42"))
	s.done(t, id)
	line := fmt.Sprintf("%s tail %s --server %s", binary, id, s.url)
	out, err := exec.CommandContext(t.Context(), script, "-qec", line, os.DevNull).CombinedOutput() //nolint:gosec // the test's own binary
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !regexp.MustCompile("tokens \\d+/128000 · [^\n]*\r\x1b\\[K").Match(out) {
		t.Errorf("no meter is drawn and taken away in\n%q", out)
	}
	if last := strings.TrimSpace(string(out)[strings.LastIndex(strings.TrimSpace(string(out)), "\n")+1:]); !strings.Contains(last, "✓ succeeded") {
		t.Errorf("the last line is %q", last)
	}
}

// watching starts `axiom25 run` on an external task and waits until the run is there.
func watching(t *testing.T, s *server, flags ...string) (*command, contracts.RunID) {
	t.Helper()
	c := start(t, externalTask, []string{"AXIOM25_SERVER=" + s.url}, append([]string{"run", "-"}, flags...)...)
	pattern := regexp.MustCompile(`run_[0-9a-z]{26}`)
	for range 500 {
		if id := pattern.FindString(c.stderr.String()); id != "" && strings.Contains(c.stdout.String(), "queued") {
			return c, contracts.RunID(id)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("no run was made\n%s", c.stderr.String())
	return nil, ""
}

func TestInterruptAtTheCommandLine(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	t.Run("leaves the run going", func(t *testing.T) {
		t.Parallel()
		c, id := watching(t, s)
		if err := c.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		got := c.end(t)
		if want := "axiom25 tail " + id.String() + " --after 1"; got.code != 130 || !strings.Contains(got.stderr, want) {
			t.Errorf("exit code %d, want 130 and %q in\n%s", got.code, want, got.stderr)
		}
		if state := s.snapshot(t, id).State; state != contracts.StateQueued {
			t.Errorf("the run is %s, want queued", state)
		}
	})
	t.Run("cancels where it was told to", func(t *testing.T) {
		t.Parallel()
		c, id := watching(t, s, "--cancel-on-interrupt")
		if err := c.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if got := c.end(t); got.code != 6 {
			t.Errorf("exit code %d, want 6\n%s%s", got.code, got.stdout, got.stderr)
		}
		if state := s.snapshot(t, id).State; state != contracts.StateCancelled {
			t.Errorf("the run is %s, want cancelled", state)
		}
	})
	t.Run("another's cancellation ends the viewer", func(t *testing.T) {
		t.Parallel()
		c, id := watching(t, s)
		s.must(t, http.MethodPost, "/runs/"+id.String()+"/cancel", "{}", nil)
		if got := c.end(t); got.code != 6 {
			t.Errorf("exit code %d, want 6\n%s%s", got.code, got.stdout, got.stderr)
		}
	})
}

func TestRunSurvivesARestartOfItsServer(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, data, ownAddress()...)
	address := strings.TrimPrefix(s.url, "http://")
	c, id := watching(t, s, "--json")
	s.report(t, id, tokenLine("one "))
	s.kill(t)
	s = startServer(t, data, "--addr", address)
	s.report(t, id, tokenLine("two"))
	s.answer(t, id, "one two")
	got := c.end(t)
	if got.code != 0 || !slices.Equal(got.lines(), s.history(t, id)) {
		t.Errorf("exit code %d, %d lines of %d\n%s", got.code, len(got.lines()), len(s.history(t, id)), got.stderr)
	}
}

func TestValidateNamesThePlaces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.json", localTask(must42, "", "42"))
	bad := write("bad.json", "{\n  \"schema_version\": 2,\n  \"gaol\": \"é\",\n  \"budget\": {\"max_tokens\": 0},\n  \"goal\": \"x\"\n}\n")
	missing := write("missing.json", "{\"schema_version\": 2,\n \"assertions\": [\n  {\"type\": \"equals\"}]}")
	vague := write("vague.json", `{"schema_version":2}`)
	empty := write("empty.json", "")
	list := write("list.json", `[{"goal":"x"}]`)
	broken := write("broken.json", "{\"goal\": \"x\",\n  \"schema_version\": }")

	cases := map[string]struct {
		args []string
		code int
		want []string
	}{
		"valid":             {[]string{good}, 0, []string{good + ":valid taskspec"}},
		"every problem":     {[]string{bad}, 2, []string{bad + ":3:3: #/gaol: ", bad + ":4:28: #/budget/max_tokens: "}},
		"one of many":       {[]string{bad, good}, 2, []string{bad + ":3:3: ", bad + ":4:28: ", good + ":valid taskspec"}},
		"what is not there": {[]string{missing}, 2, []string{missing + ":3:3: #/assertions/0/id: "}},
		"not JSON":          {[]string{broken}, 2, []string{broken + ":2:21: "}},
		"nothing":           {[]string{empty, good}, 2, []string{empty + ":1:1: ", good + ":valid taskspec"}},
		"not an object":     {[]string{list}, 2, []string{list + ":1:1: #: must be of type object"}},
		"told":              {[]string{"--contract", "budget", vague}, 0, []string{vague + ":valid budget"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := axiom25(t, "", append([]string{"validate"}, c.args...)...)
			if got.code != c.code {
				t.Errorf("exit code %d, want %d\n%s%s", got.code, c.code, got.stdout, got.stderr)
			}
			for _, want := range c.want {
				want = strings.Replace(want, ":valid", ": valid", 1)
				if !strings.Contains(got.stdout, want) {
					t.Errorf("%q is not in\n%s", want, got.stdout)
				}
			}
		})
	}
	t.Run("not told", func(t *testing.T) {
		t.Parallel()
		if got := axiom25(t, "", "validate", vague); got.code != 1 || !strings.Contains(got.stderr, "--contract") {
			t.Errorf("exit code %d\n%s", got.code, got.stderr)
		}
	})
}

func TestEveryFlagHasATwinInTheEnvironment(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"serve", "run", "tail", "validate"} {
		help := axiom25(t, "", name, "--help")
		for _, flag := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`).FindAllStringSubmatch(help.stdout, -1) {
			if flag[1] == "help" {
				continue
			}
			if want := "[AXIOM25_" + strings.ToUpper(strings.ReplaceAll(flag[1], "-", "_")) + "]"; !strings.Contains(help.stdout, want) {
				t.Errorf("%s --help does not name %s", name, want)
			}
		}
	}
	t.Run("which the command line overrules", func(t *testing.T) {
		t.Parallel()
		c := start(t, `{"schema_version":2}`, []string{"AXIOM25_CONTRACT=taskspec"}, "validate", "-", "--contract", "budget")
		if got := c.end(t); got.code != 0 || got.stdout != "-: valid budget\n" {
			t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
		}
	})
	t.Run("whose value is checked and not shown", func(t *testing.T) {
		t.Parallel()
		c := start(t, "", []string{"AXIOM25_DRAIN_GRACE=hunter2"}, "serve", "--data", t.TempDir())
		got := c.end(t)
		if got.code != 1 || !strings.Contains(got.stderr, "AXIOM25_DRAIN_GRACE") || strings.Contains(got.stderr, "hunter2") {
			t.Errorf("exit code %d\n%s", got.code, got.stderr)
		}
	})
}

func TestAnswersDoNotDriveTheTerminal(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	id := s.create(t, externalTask)
	s.report(t, id, `{"schema_version":2,"type":"token","data":{"id":"a1","delta":"a\u001b[2Jb\u009bc\u202ed"}}`)
	s.must(t, http.MethodPost, "/runs/"+id.String()+"/answer", `{"message_id":"a1","text":"a\u001b[2Jb\u009bc\u202ed"}`, nil)
	got := axiom25(t, "", "tail", id.String(), "--server", s.url)
	if got.code != 0 || !strings.Contains(got.stdout, "a[2Jbcd") || bytes.ContainsAny([]byte(got.stdout), "\x1b\u009b\u202e") {
		t.Errorf("exit code %d, output %q", got.code, got.stdout)
	}
}

// TestEveryFlagOfTheServerIsExplained holds the page for operators against the help text.
func TestEveryFlagOfTheServerIsExplained(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	help := axiom25(t, "", "serve", "--help").stdout
	flags := regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[a-z-]+)`).FindAllStringSubmatch(help, -1)
	if len(flags) < 10 {
		t.Fatalf("only %d flags in\n%s", len(flags), help)
	}
	for _, flag := range flags {
		if name := flag[1]; name != "--help" && !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/operations.md does not explain %s", name)
		}
	}
}
