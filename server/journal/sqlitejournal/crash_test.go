package sqlitejournal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/sqlitejournal"
)

// crashPath, in the environment, makes the test binary the process that
// TestKilledProcessLosesNothingAcknowledged kills.
const crashPath = "SQLITEJOURNAL_TEST_CRASH_PATH"

// crashRuns is how many runs that process appends to at once.
const crashRuns = 8

func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		fmt.Fprintln(os.Stderr, appendUntilKilled(context.Background(), path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// appendUntilKilled appends to all runs at once, and prints the run's number and last seq after each append
// that was acknowledged. It returns only with an error.
func appendUntilKilled(ctx context.Context, path string) error {
	j, err := sqlitejournal.Open(ctx, path, sqlitejournal.Options{})
	if err != nil {
		return err
	}
	var printing sync.Mutex
	failed := make(chan error)
	for i := range crashRuns {
		go func() { failed <- appendForever(ctx, j, i, &printing) }()
	}
	return <-failed
}

// appendForever appends to run i, from where it ends, batches of changing size.
func appendForever(ctx context.Context, j journal.Journal, i int, printing *sync.Mutex) error {
	run := journaltest.NewRun(i)
	err := j.Create(ctx, run, journaltest.NewBatch(run.ID, 0, 1))
	last := contracts.Seq(1)
	if exists, ok := errors.AsType[*journal.ConflictError](err); ok {
		last, err = exists.Last, nil
	}
	for size := 1; err == nil; size = size%30 + 7 {
		printing.Lock()
		fmt.Println(i, last)
		printing.Unlock()
		err = j.Append(ctx, run.ID, journaltest.NewBatch(run.ID, last, size))
		last += contracts.Seq(size)
	}
	return err
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	for round := range 6 {
		acknowledged := killInMidWrite(t, path, time.Duration(20+rand.N(250))*time.Millisecond) //nolint:gosec // any moment will do
		j := open(t, path, sqlitejournal.Options{})
		for i, seq := range acknowledged {
			page, err := j.Read(t.Context(), journaltest.RunID(i), 0, 1<<20, 1<<30)
			if err != nil {
				t.Fatalf("round %d: read run %d: %v", round, i, err)
			}
			if page.Last < seq {
				t.Errorf("round %d: run %d ends at %d, %d was acknowledged", round, i, page.Last, seq)
			}
			wantHistory(t, j, i, page.Last)
		}
		closeJournal(t, j)
	}
}

// killInMidWrite starts the process, kills it some time after its first acknowledgement, and returns the last
// acknowledged seq of each run.
func killInMidWrite(t *testing.T, path string, after time.Duration) [crashRuns]contracts.Seq {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), crashPath+"="+path)
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acknowledged [crashRuns]contracts.Seq
	var kill *time.Timer
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		var i int
		var seq contracts.Seq
		if _, err := fmt.Sscan(lines.Text(), &i, &seq); err != nil {
			continue // the line that the kill cut
		}
		acknowledged[i] = max(acknowledged[i], seq)
		if kill == nil {
			kill = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
	}
	if err := cmd.Wait(); err == nil || kill == nil {
		t.Fatalf("the process ended by itself: %v", err)
	}
	return acknowledged
}

func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := open(t, path, sqlitejournal.Options{})
	if _, err := sqlitejournal.Open(t.Context(), path, sqlitejournal.Options{}); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("second open gives %v, want ErrLocked", err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), crashPath+"="+path)
	if output, err := cmd.CombinedOutput(); err == nil || len(output) == 0 {
		t.Errorf("another process opened the file: %s", output)
	}
	create(t, j, 1)
	closeJournal(t, j)
	j = open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	wantHistory(t, j, 1, 1)
}
