package main_test

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"axiom25/contracts"
)

// waitingTask is a local run that waits for a human: it is alive, in the server's own hands, for as long as the test
// wants.
const waitingTask = `{"schema_version":2,"goal":"Have it signed","allowed_tools":["sign_off"],"inputs":[{"name":"plan","data":{
	"steps":[{"id":"sign","tool":"sign_off","args":{"statement":"It is so."}}],
	"answers":["Signed: {{steps.sign#/statement}}"],"fallback":"Nobody signed."}}]}`

func TestKillLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, data)
	local := s.create(t, waitingTask)
	s.await(t, local, "waiting", func(r snapshot) bool { return r.State == contracts.StateWaiting })
	external := s.create(t, externalTask)

	// Engines report in the open while the server is killed: what was answered must be there afterwards.
	const engines = 4
	runs := make([]contracts.RunID, engines)
	acknowledged := make([]string, engines)
	for i := range runs {
		runs[i] = s.create(t, externalTask)
	}
	s.report(t, external, tokenLine("before the crash"))
	var wg sync.WaitGroup
	enough := make(chan struct{}, engines*100)
	for i, id := range runs {
		wg.Go(func() {
			for n := 0; ; n++ {
				delta := fmt.Sprintf("%d ", n)
				res, err := http.Post(s.url+"/runs/"+id.String()+"/events", "application/x-ndjson", strings.NewReader(tokenLine(delta))) //nolint:noctx // the server's end is what ends it
				if err != nil {
					return
				}
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK {
					t.Errorf("append: %s", res.Status)
					return
				}
				acknowledged[i] += delta
				enough <- struct{}{}
			}
		})
	}
	for range engines * 25 {
		<-enough
	}
	s.kill(t)
	wg.Wait()

	s = startServer(t, data)
	for i, id := range runs {
		var text string
		for _, ev := range decodeAll(t, s.history(t, id)) {
			if token, ok := ev.Data.(*contracts.TokenData); ok {
				text += token.Delta
			}
		}
		if !strings.HasPrefix(text, acknowledged[i]) {
			t.Errorf("run %d: %q was acknowledged, and the journal has %q", i, acknowledged[i], text)
		}
	}

	// The run in the server's own hands ends honestly.
	got := s.snapshot(t, local)
	if got.State != contracts.StateFailed || got.FatalError == nil || !got.FatalError.Has(contracts.ProblemEngineLost) {
		t.Errorf("the local run is %s with %+v, want failed with engine-lost", got.State, got.FatalError)
	}
	checkStream(t, s.history(t, local))

	// A viewer of a run that goes on gets its whole history, though nothing new happens.
	last := int(s.snapshot(t, external).LastSeq)
	frames, err := s.view(t.Context(), external, 0, last)
	if !errors.Is(err, errCut) || !slices.Equal(frames, s.history(t, external)) {
		t.Errorf("a viewer after the crash got %d events of %d, %v", len(frames), last, err)
	}

	// Its engine goes on where it was.
	s.report(t, external, tokenLine(", and after it"))
	s.answer(t, external, "before the crash, and after it")
	if got := s.done(t, external); got.State != contracts.StateSucceeded {
		t.Errorf("the external run ended %s", got.State)
	}
	checkStream(t, s.history(t, external))
}

func TestTwoServersDoNotShareAJournal(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	startServer(t, data)
	out, err := exec.CommandContext(t.Context(), binary, "serve", "--addr", "127.0.0.1:0", "--data", data).CombinedOutput() //nolint:gosec // the test's own binary
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || strings.Contains(string(out), listening) {
		t.Fatalf("second server: %v\n%s", err, out)
	}
}

func TestInterruptIsClean(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, data)
	finished := s.create(t, externalTask)
	s.answer(t, finished, "done")
	open := s.create(t, externalTask)
	s.report(t, open, tokenLine("to be continued"))
	local := s.create(t, waitingTask)
	s.await(t, local, "waiting", func(r snapshot) bool { return r.State == contracts.StateWaiting })

	// A viewer must not keep the server from stopping.
	ended := make(chan error, 1)
	watching := make(chan struct{})
	go func() {
		if frames, err := s.view(t.Context(), open, 0, 1); !errors.Is(err, errCut) || len(frames) != 1 {
			t.Errorf("first event: %v", err)
		}
		close(watching)
		_, err := s.view(t.Context(), open, 1, 0)
		ended <- err
	}()
	<-watching
	want := s.history(t, finished)
	s.stop(t)
	if err := <-ended; err != nil {
		t.Errorf("the viewer's stream ended with %v", err)
	}

	s = startServer(t, data)
	if !slices.Equal(s.history(t, finished), want) {
		t.Error("a finished run reads differently after a restart")
	}
	if got := s.snapshot(t, open); got.State != contracts.StateRunning {
		t.Errorf("the external run is %s, want running", got.State)
	}
	if got := s.snapshot(t, local); got.State != contracts.StateFailed {
		t.Errorf("the local run is %s, want failed", got.State)
	}
	checkStream(t, s.history(t, local))
}

// TestFsyncLiesBeforeEveryAcknowledgement watches the server's system calls: between two answers to appends there is a
// write to the journal and then an fsync that has returned.
func TestFsyncLiesBeforeEveryAcknowledgement(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed; make test installs it")
	}
	if err := exec.CommandContext(t.Context(), strace, "-o", os.DevNull, "true").Run(); err != nil { //nolint:gosec // the strace of this machine
		t.Skipf("this machine does not allow tracing: %v", err)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	s := startProcess(t, strace, "-f", "-y", "-s", "24", "-e", "trace=fsync,fdatasync,write,pwrite64", "-o", trace,
		binary, "serve", "--addr", "127.0.0.1:0", "--data", t.TempDir())
	id := s.create(t, externalTask)
	const appends = 20
	for i := range appends {
		s.report(t, id, tokenLine(fmt.Sprintf("%d ", i)))
	}
	interruptChild(t, s.cmd.Process.Pid)
	<-s.exited

	f, err := os.Open(trace) //nolint:gosec // the test's own file
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	var answers, unsynced int
	var written, synced bool
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.Contains(line, "sync(") && strings.Contains(line, "= 0"),
			strings.Contains(line, "sync resumed>") && strings.Contains(line, "= 0"):
			synced = synced || written
		case strings.Contains(line, "pwrite64(") && strings.Contains(line, "-wal>"):
			written, synced = true, false
		case strings.Contains(line, `"HTTP/1.1 20`):
			answers++
			if !written || !synced {
				unsynced++
				t.Errorf("answer %d: journal written %v, then synced %v", answers, written, synced)
			}
			written, synced = false, false
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if want := appends + 1; answers != want {
		t.Errorf("%d answers were traced, want %d", answers, want)
	}
}

// interruptChild does to the one child of a process what Ctrl-C does.
func interruptChild(t *testing.T, parent int) {
	t.Helper()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(child, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
}
