package sqlitejournal_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/sqlitejournal"
)

func TestBackupOfAFileThatIsWrittenHoldsWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	const runs = 4
	createMany(t, j, runs)
	var acknowledged [runs]atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for i := range runs {
		writers.Go(func() {
			for last := contracts.Seq(1); ctx.Err() == nil; last += 9 {
				b := journaltest.NewBatch(journaltest.RunID(i), last, 9)
				if err := j.Append(context.WithoutCancel(ctx), journaltest.RunID(i), b); err != nil {
					t.Errorf("append: %v", err)
					return
				}
				acknowledged[i].Store(int64(last) + 9)
				time.Sleep(time.Millisecond) // what is backed up is to grow, but not without bounds
			}
		})
	}
	for round := range 3 {
		for acknowledged[0].Load() < int64(100*(round+1)) {
			if t.Failed() {
				break
			}
			time.Sleep(time.Millisecond)
		}
		var want [runs]contracts.Seq
		for i := range runs {
			want[i] = contracts.Seq(acknowledged[i].Load())
		}
		target := filepath.Join(t.TempDir(), "backup.db")
		size, err := sqlitejournal.Backup(t.Context(), path, target)
		if err != nil {
			t.Fatal(err)
		}
		wantAlone(t, target)
		copied := open(t, target, sqlitejournal.Options{})
		var events int64
		for i := range runs {
			page, err := copied.Read(t.Context(), journaltest.RunID(i), 0, 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			if page.Last < want[i] {
				t.Errorf("run %d of the backup ends at %d, %d was acknowledged before", i, page.Last, want[i])
			}
			wantHistory(t, copied, i, page.Last)
			events += int64(page.Last)
		}
		if size.Runs != runs || size.Events != events {
			t.Errorf("the backup is told to hold %+v, it holds %d runs and %d events", size, runs, events)
		}
		create(t, copied, runs+1) // a journal like any other
		closeJournal(t, copied)
	}
	stop()
	writers.Wait()
}

func TestBackupOfAnotherProcessesFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), crashPath+"="+path)
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := output.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	drained := background(func() error { _, err := io.Copy(io.Discard, output); return err })
	target := filepath.Join(t.TempDir(), "backup.db")
	size, err := sqlitejournal.Backup(t.Context(), path, target)
	if err != nil || size.Runs == 0 || size.Events == 0 {
		t.Errorf("the backup holds %+v, %v", size, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-drained; err != nil {
		t.Errorf("read what it printed: %v", err)
	}
	_ = cmd.Wait() // killed
}

func TestBackupOfAFileThatNobodyServes(t *testing.T) {
	t.Parallel()
	path, _ := filled(t)
	for range 2 {
		target := filepath.Join(t.TempDir(), "a ü?#%20 backup.db")
		if err := os.WriteFile(target+".partial", []byte("of a backup that was killed"), 0o600); err != nil {
			t.Fatal(err)
		}
		size, err := sqlitejournal.Backup(t.Context(), path, target)
		if err != nil {
			t.Fatal(err)
		}
		if size.Runs != 3 || size.Events != 21 {
			t.Errorf("the backup holds %+v, want 3 runs and 21 events", size)
		}
		wantAlone(t, target)
		copied := open(t, target, sqlitejournal.Options{})
		for i := range 3 {
			wantHistory(t, copied, i, 7)
		}
		closeJournal(t, copied)
	}
}

func TestBackupReplacesNothing(t *testing.T) {
	t.Parallel()
	path, whole := filled(t)
	target := filepath.Join(t.TempDir(), "backup.db")
	if err := os.WriteFile(target, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitejournal.Backup(t.Context(), path, target); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error is %v, want fs.ErrExist", err)
	}
	if content, err := os.ReadFile(target); err != nil || string(content) != "precious" { //nolint:gosec // a file of this test
		t.Errorf("the target holds %q, %v", content, err)
	}
	if _, err := sqlitejournal.Backup(t.Context(), path, path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error is %v, want fs.ErrExist", err)
	}
	readsTrue(t, path, whole, "the source")
}

func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context //nolint:containedctx // a case of a table
		damage func(t *testing.T, path string)
		want   any
	}{
		"a damaged source": {t.Context(), statement(`UPDATE chunks SET body = x'00' WHERE place = (2 << 32 | 2)`), &journal.DamagedError{}},
		"a newer schema":   {t.Context(), func(t *testing.T, path string) { t.Helper(); execute(t, path, `PRAGMA user_version = 1000`) }, sqlitejournal.ErrNewerSchema},
		"another program's file": {t.Context(), func(t *testing.T, path string) {
			t.Helper()
			execute(t, path, `PRAGMA application_id = 1`)
		}, sqlitejournal.ErrForeignFile},
		"a file that is not there": {t.Context(), func(t *testing.T, path string) {
			t.Helper()
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, fs.ErrNotExist},
		"when its context ends": {ended, func(*testing.T, string) {}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, _ := filled(t)
			c.damage(t, path)
			target := filepath.Join(t.TempDir(), "backup.db")
			_, err := sqlitejournal.Backup(c.ctx, path, target)
			switch want := c.want.(type) {
			case *journal.DamagedError:
				if !errors.As(err, &want) {
					t.Errorf("error is %v, want a DamagedError", err)
				}
			case error:
				if !errors.Is(err, want) {
					t.Errorf("error is %v, want %v", err, want)
				}
			}
			left, err := os.ReadDir(filepath.Dir(target))
			if err != nil || len(left) != 0 {
				t.Errorf("the backup that failed left %v, %v", left, err)
			}
		})
	}
}

// wantAlone fails the test unless there is nothing beside the file at path.
func wantAlone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("beside the backup lies more: %v", entries)
	}
}
