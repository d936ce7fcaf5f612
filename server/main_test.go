package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/apidoc/apidoctest"
	"axiom25/web"
)

// startTimeout and stopTimeout bound how long a server may take; a machine that runs many tests at once is slow.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
	runTimeout   = 60 * time.Second
)

// binary is the program under test, built once with the race detector.
var binary string //nolint:gochecknoglobals // TestMain has no other way to tell the tests

// TestMain builds the program, or is the process of a floor.
func TestMain(m *testing.M) {
	if kind := os.Getenv(floorVariable); kind != "" {
		fmt.Fprintln(os.Stderr, runFloor(kind, os.Args[1:]))
		os.Exit(1)
	}
	flag.Parse()
	os.Exit(withBinary(m))
}

// withBinary builds the console where it is missing and the program, runs the tests and removes the program.
func withBinary(m *testing.M) int {
	dir, err := os.MkdirTemp("", "axiom25-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system removes what is left in its folder for such things

	if _, _, err := web.Load(); errors.Is(err, web.ErrNotBuilt) {
		if err := goTool("run", "axiom25/web/build"); err != nil {
			fmt.Fprintln(os.Stderr, "build the console:", err)
			return 1
		}
	}
	binary = filepath.Join(dir, "axiom25")
	if err := goTool("build", "-race", "-o", binary, "axiom25/server"); err != nil {
		fmt.Fprintln(os.Stderr, "build the program:", err)
		return 1
	}
	return m.Run()
}

// goTool runs the go command.
func goTool(args ...string) error {
	cmd := exec.CommandContext(context.Background(), "go", args...) //nolint:gosec // the test's own arguments
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// server is a running `axiom25 serve`.
type server struct {
	url string
	cmd *exec.Cmd
	// exited is closed when the process has ended; err is then how.
	exited chan struct{}
	err    error
	log    *safeBuffer
}

// safeBuffer is a buffer that a process writes to while a test reads.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns what was written.
func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// listening is what a server prints when it can be reached, before its address.
const listening = "Axiom25 is listening on "

// startServer starts a server over a data directory on a free port and waits until it listens. The test's end kills it
// where the test has not ended it before, and shows its log where the test failed.
//
// Between a test and its server stands a proxy that holds every answer against the OpenAPI and AsyncAPI documents,
// whoever asked: the test, curl, a browser. A test that names --addr speaks to the server itself, as benchmarks do.
func startServer(tb testing.TB, data string, flags ...string) *server {
	tb.Helper()
	s := startProcess(tb, binary, append([]string{"serve", "--addr", "127.0.0.1:0", "--data", data}, flags...)...)
	if _, measures := tb.(*testing.B); !measures && !slices.Contains(flags, "--addr") {
		s.url = apidoctest.Watch(tb).Proxy(tb, s.url)
	}
	return s
}

// ownAddress are the flags of a server that is to come back at its address: its url is then its own.
func ownAddress() []string { return []string{"--addr", "127.0.0.1:0"} }

// startProcess starts a program that prints where it listens.
func startProcess(tb testing.TB, program string, args ...string) *server {
	tb.Helper()
	s := &server{cmd: exec.Command(program, args...), exited: make(chan struct{}), log: &safeBuffer{}} //nolint:gosec,noctx // the test's own binary, ended below
	s.cmd.Stderr = s.log
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	address := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if url, ok := strings.CutPrefix(lines.Text(), listening); ok {
				address <- url
			}
		}
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	tb.Cleanup(func() {
		s.kill(tb)
		if tb.Failed() {
			tb.Logf("server log:\n%s", s.log)
		}
	})
	select {
	case s.url = <-address:
	case <-s.exited:
		tb.Fatalf("server ended: %v\n%s", s.err, s.log)
	case <-time.After(startTimeout):
		tb.Fatal("server did not start")
	}
	return s
}

// stop ends the server as Ctrl-C does, and fails the test where that is not clean.
func (s *server) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.exited:
	case <-time.After(stopTimeout):
		t.Fatalf("server did not stop\n%s", s.log)
	}
	if s.err != nil {
		t.Fatalf("server stopped with %v\n%s", s.err, s.log)
	}
}

// kill ends the server at once, as a power cut would.
func (s *server) kill(tb testing.TB) {
	tb.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Error(err)
	}
	<-s.exited
}

// reply is an answer of the server.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send makes one request; a body that starts with { or [ is sent as JSON.
func (s *server) send(tb testing.TB, method, path, body string) reply {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), runTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	content, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{status: res.StatusCode, header: res.Header, body: content}
}

// must is send, for a request that succeeds; the answer is read into out where that is not nil.
func (s *server) must(tb testing.TB, method, path, body string, out any) {
	tb.Helper()
	r := s.send(tb, method, path, body)
	if r.status >= http.StatusBadRequest {
		tb.Fatalf("%s %s: %d %s", method, path, r.status, r.body)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(r.body, out); err != nil {
		tb.Fatalf("%s %s: %v in %s", method, path, err, r.body)
	}
}

// create submits a task.
func (s *server) create(tb testing.TB, task string) contracts.RunID {
	tb.Helper()
	var created contracts.Created
	s.must(tb, http.MethodPost, "/runs", task, &created)
	return created.RunID
}

// snapshot is GET /runs/{id} as the wire has it.
type snapshot struct {
	State      contracts.State         `json:"state"`
	LastSeq    contracts.Seq           `json:"last_seq"`
	Used       contracts.Usage         `json:"used"`
	OpenCalls  []contracts.OpenCall    `json:"open_calls"`
	Verdicts   []contracts.VerdictData `json:"verdicts"`
	Done       *contracts.DoneData     `json:"done"`
	FatalError *contracts.Problem      `json:"fatal_error"`
}

// snapshot reads a run.
func (s *server) snapshot(t *testing.T, id contracts.RunID) snapshot {
	t.Helper()
	var out snapshot
	s.must(t, http.MethodGet, "/runs/"+id.String(), "", &out)
	return out
}

// await reads a run until it is as wanted, and returns it.
func (s *server) await(t *testing.T, id contracts.RunID, what string, wanted func(snapshot) bool) snapshot {
	t.Helper()
	for deadline := time.Now().Add(runTimeout); ; time.Sleep(20 * time.Millisecond) { //nolint:forbidigo // a test's patience is measured in real time
		got := s.snapshot(t, id)
		if wanted(got) {
			return got
		}
		if time.Now().After(deadline) { //nolint:forbidigo // as above
			t.Fatalf("run %s did not become %s: %+v", id, what, got)
		}
	}
}

// done waits for a run's end.
func (s *server) done(t *testing.T, id contracts.RunID) snapshot {
	t.Helper()
	return s.await(t, id, "done", func(s snapshot) bool { return s.Done != nil })
}
