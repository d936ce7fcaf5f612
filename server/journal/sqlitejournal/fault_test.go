package sqlitejournal_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/sqlitejournal"
)

func TestAcknowledgedAppendWasFsynced(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	j, _ := d.open(t, sqlitejournal.Options{})
	defer closeJournal(t, j)
	before, _ := d.walSyncs()
	create(t, j, 1)
	const appends = 50
	for last := range contracts.Seq(appends) {
		extend(t, j, last+1)
		after, dirty := d.walSyncs()
		if dirty {
			t.Fatalf("append %d was acknowledged before what it wrote was fsynced", last)
		}
		if after <= before {
			t.Fatalf("append %d was acknowledged without an fsync", last)
		}
		before = after
	}
}

func TestAcknowledgedAppendSurvivesLossOfPower(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	d.safe = t.TempDir()
	j, _ := d.open(t, sqlitejournal.Options{})
	defer closeJournal(t, j)
	create(t, j, 1)
	// Enough to pass a checkpoint: the log is copied into the file and starts over.
	body := bytes.Repeat([]byte("x"), 256<<10)
	for last := contracts.Seq(1); last < 42; last++ {
		b := journaltest.NewBatch(journaltest.RunID(1), last, 1)
		b.Events[0] = body
		if err := j.Append(t.Context(), journaltest.RunID(1), b); err != nil {
			t.Fatal(err)
		}
		if last%10 != 0 && last < 38 {
			continue
		}
		after := filepath.Join(t.TempDir(), "journal.db")
		func() {
			d.mu.Lock() // a checkpoint may be under way
			defer d.mu.Unlock()
			copyFile(t, filepath.Join(d.safe, "journal.db"), after)
			copyFile(t, filepath.Join(d.safe, "journal.db-wal"), after+"-wal")
		}()
		restarted := open(t, after, sqlitejournal.Options{})
		page, err := restarted.Read(t.Context(), journaltest.RunID(1), 1, 1000, 1<<30)
		if err != nil || page.Last != last+1 || len(page.Events) != int(last) {
			t.Fatalf("%d events to %d are left, %v, want %d", len(page.Events), page.Last, err, last)
		}
		for _, event := range page.Events {
			if !bytes.Equal(event.JSON, body) {
				t.Fatalf("event %d is another", event.Seq)
			}
		}
		closeJournal(t, restarted)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.syncs[main] == 0 {
		t.Error("no checkpoint was passed")
	}
}

func TestWritesThatWaitShareAnFsync(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	j, _ := d.open(t, sqlitejournal.Options{})
	defer closeJournal(t, j)
	const runs = 20
	createMany(t, j, runs)
	gate := newGate()
	d.set(nil, gate.wait)
	before, _ := d.walSyncs()
	first := background(func() error { return appendOne(t.Context(), j, 0, 1) })
	gate.awaitArrival(t)
	var others []chan error
	for i := 1; i < runs; i++ {
		others = append(others, background(func() error { return appendOne(t.Context(), j, i, 1) }))
	}
	// One with a conflict among them: it alone fails.
	conflicting := background(func() error { return appendOne(t.Context(), j, 1, 99) })
	awaitQueue(t, j, runs)
	gate.open()
	for _, outcome := range append(others, first) {
		if err := <-outcome; err != nil {
			t.Errorf("append: %v", err)
		}
	}
	var conflict *journal.ConflictError
	if err := <-conflicting; !errors.As(err, &conflict) {
		t.Errorf("error is %v, want a ConflictError", err)
	}
	if after, _ := d.walSyncs(); after-before != 2 {
		t.Errorf("%d appends took %d fsyncs, want 2", runs, after-before)
	}
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]sqlitejournal.Options{
		"by writes": {Queue: 2},
		"by bytes":  {QueueBytes: 2500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDisk(t)
			j, _ := d.open(t, opts)
			defer closeJournal(t, j)
			createMany(t, j, 4)
			gate := newGate()
			d.set(nil, gate.wait)
			outcomes := []chan error{background(func() error { return appendOne(t.Context(), j, 0, 1) })}
			gate.awaitArrival(t)
			for i := 1; i < 3; i++ {
				outcomes = append(outcomes, background(func() error { return appendOne(t.Context(), j, i, 1) }))
			}
			awaitQueue(t, j, 2)
			large := journaltest.NewBatch(journaltest.RunID(3), 1, 10)
			if err := j.Append(t.Context(), journaltest.RunID(3), large); !errors.Is(err, journal.ErrBusy) {
				t.Errorf("error is %v, want ErrBusy", err)
			}
			gate.open()
			for _, outcome := range outcomes {
				if err := <-outcome; err != nil {
					t.Errorf("append: %v", err)
				}
			}
			if err := j.Append(t.Context(), journaltest.RunID(3), large); err != nil {
				t.Errorf("append once the queue is empty: %v", err)
			}
			wantHistory(t, j, 3, 11)
		})
	}
}

func TestContextThatEndsWhileAWriteWaits(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	j, _ := d.open(t, sqlitejournal.Options{})
	defer closeJournal(t, j)
	createMany(t, j, 2)
	gate := newGate()
	d.set(nil, gate.wait)
	ctx, cancel := context.WithCancel(t.Context())
	taken := background(func() error { return appendOne(ctx, j, 0, 1) })
	gate.awaitArrival(t)
	waiting := background(func() error { return appendOne(ctx, j, 1, 1) })
	awaitQueue(t, j, 1)
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("the append that waited gives %v, want context.Canceled", err)
	}
	gate.open()
	if err := <-taken; err != nil {
		t.Errorf("the append that was under way gives %v, want its own result", err)
	}
	wantHistory(t, j, 0, 2)
	wantHistory(t, j, 1, 1)
}

func TestCloseWaitsForWhatWasAccepted(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	j, path := d.open(t, sqlitejournal.Options{})
	createMany(t, j, 2)
	gate := newGate()
	d.set(nil, gate.wait)
	outcomes := []chan error{background(func() error { return appendOne(t.Context(), j, 0, 1) })}
	gate.awaitArrival(t)
	outcomes = append(outcomes, background(func() error { return appendOne(t.Context(), j, 1, 1) }))
	awaitQueue(t, j, 1)
	closed := background(j.Close)
	for !errors.Is(j.Ready(t.Context()), journal.ErrUnavailable) {
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-closed:
		t.Errorf("Close returned before the writes did: %v", err)
		closed <- err
	default:
	}
	gate.open()
	for _, outcome := range append(outcomes, closed) {
		if err := <-outcome; err != nil {
			t.Error(err)
		}
	}
	j = open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	wantHistory(t, j, 0, 2)
	wantHistory(t, j, 1, 2)
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	j, path := d.open(t, sqlitejournal.Options{})
	create(t, j, 1)
	d.set(failing(wal, sqlite3.SQLITE_FULL), nil)
	for range 3 {
		if err := appendOne(t.Context(), j, 1, 1); !errors.Is(err, journal.ErrFull) {
			t.Fatalf("append to a full disk gives %v, want ErrFull", err)
		}
		wantHistory(t, j, 1, 1)
	}
	if err := j.Ready(t.Context()); !errors.Is(err, journal.ErrFull) {
		t.Errorf("ready gives %v, want ErrFull", err)
	}
	d.set(nil, nil)
	if err := j.Ready(t.Context()); err != nil {
		t.Errorf("ready once there is room: %v", err)
	}
	extend(t, j, 1)
	wantHistory(t, j, 1, 2)
	closeJournal(t, j)
	j = open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	wantHistory(t, j, 1, 2)
}

func TestFullDiskFailsOnlyTheWritesThatMeetIt(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	j, _ := d.open(t, sqlitejournal.Options{})
	defer closeJournal(t, j)
	createMany(t, j, 3)
	gate := newGate()
	d.set(nil, gate.wait)
	first := background(func() error { return appendOne(t.Context(), j, 0, 1) })
	gate.awaitArrival(t)
	small := background(func() error { return appendOne(t.Context(), j, 1, 1) })
	large := background(func() error {
		b := journaltest.NewBatch(journaltest.RunID(2), 1, 1)
		b.Events[0] = bytes.Repeat([]byte("x"), 1<<20)
		return j.Append(t.Context(), journaltest.RunID(2), b)
	})
	awaitQueue(t, j, 2)
	// Room for some pages a transaction: a commit fsyncs the log, and then there is room again.
	var mu sync.Mutex
	room := 20
	d.set(func(file string) int32 {
		mu.Lock()
		defer mu.Unlock()
		if file != wal {
			return sqlite3.SQLITE_OK
		}
		if room--; room < 0 {
			room = 20
			return sqlite3.SQLITE_FULL
		}
		return sqlite3.SQLITE_OK
	}, gate.wait)
	gate.open()
	if err := errors.Join(<-first, <-small); err != nil {
		t.Errorf("small append: %v", err)
	}
	if err := <-large; !errors.Is(err, journal.ErrFull) {
		t.Errorf("large append gives %v, want ErrFull", err)
	}
	wantHistory(t, j, 1, 2)
	wantHistory(t, j, 2, 1)
}

func TestFailureAtCommitStopsWritesUntilRestart(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(d *disk){
		"failed fsync": func(d *disk) { d.set(nil, failing(wal, sqlite3.SQLITE_IOERR_FSYNC)) },
		"failed write": func(d *disk) { d.set(failing(wal, sqlite3.SQLITE_IOERR_WRITE), nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDisk(t)
			j, path := d.open(t, sqlitejournal.Options{})
			create(t, j, 1)
			extend(t, j, 1)
			fail(d)
			if err := appendOne(t.Context(), j, 1, 2); !errors.Is(err, journal.ErrUnknown) {
				t.Fatalf("append gives %v, want ErrUnknown", err)
			}
			d.set(nil, nil)
			for range 2 {
				if err := appendOne(t.Context(), j, 1, 2); !errors.Is(err, journal.ErrUnavailable) {
					t.Errorf("later append gives %v, want ErrUnavailable", err)
				}
			}
			if err := j.Ready(t.Context()); !errors.Is(err, journal.ErrUnavailable) {
				t.Errorf("ready gives %v, want ErrUnavailable", err)
			}
			wantHistory(t, j, 1, 2)
			d.mu.Lock()
			writes := d.writes
			d.mu.Unlock()
			closeJournal(t, j)
			if d.writes != writes {
				t.Errorf("Close wrote %d times to a disk that had failed", d.writes-writes)
			}

			j = open(t, path, sqlitejournal.Options{})
			defer closeJournal(t, j)
			// The same append tried again settles it.
			err := appendOne(t.Context(), j, 1, 2)
			var conflict *journal.ConflictError
			if err != nil && (!errors.As(err, &conflict) || conflict.Last != 3) {
				t.Fatalf("append after the restart: %v", err)
			}
			wantHistory(t, j, 1, 3)
		})
	}
}

func TestFailedFsyncFailsAllThatWait(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	j, _ := d.open(t, sqlitejournal.Options{})
	defer closeJournal(t, j)
	createMany(t, j, 3)
	gate := newGate()
	d.set(nil, func(file string) int32 {
		gate.wait(file)
		return sqlite3.SQLITE_IOERR_FSYNC
	})
	first := background(func() error { return appendOne(t.Context(), j, 0, 1) })
	gate.awaitArrival(t)
	second := background(func() error { return appendOne(t.Context(), j, 1, 1) })
	awaitQueue(t, j, 1)
	gate.open()
	if err := <-first; !errors.Is(err, journal.ErrUnknown) {
		t.Errorf("append under way gives %v, want ErrUnknown", err)
	}
	if err := <-second; !errors.Is(err, journal.ErrUnavailable) || errors.Is(err, journal.ErrUnknown) {
		t.Errorf("append that waited gives %v, want ErrUnavailable", err)
	}
}

func TestCheckpointThatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fail func(d *disk)
		want error
	}{
		"at fsync stops writes":          {func(d *disk) { d.set(nil, failing(main, sqlite3.SQLITE_IOERR_FSYNC)) }, journal.ErrUnavailable},
		"at write stops writes":          {func(d *disk) { d.set(failing(main, sqlite3.SQLITE_IOERR_WRITE), nil) }, journal.ErrUnavailable},
		"for lack of room stops nothing": {func(d *disk) { d.set(failing(main, sqlite3.SQLITE_FULL), nil) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDisk(t)
			j, path := d.open(t, sqlitejournal.Options{})
			create(t, j, 1)
			c.fail(d)
			var err error
			stored := contracts.Seq(1)
			for ; stored < 600 && err == nil; stored++ {
				err = appendOne(t.Context(), j, 1, stored)
			}
			if err != nil {
				stored--
			}
			if !errors.Is(err, c.want) {
				t.Fatalf("append %d gives %v, want %v", stored, err, c.want)
			}
			wantHistory(t, j, 1, stored)
			d.set(nil, nil)
			closeJournal(t, j)
			j = open(t, path, sqlitejournal.Options{})
			defer closeJournal(t, j)
			wantHistory(t, j, 1, stored)
		})
	}
}

func TestLogStaysBounded(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	j, path := d.open(t, sqlitejournal.Options{})
	defer closeJournal(t, j)
	create(t, j, 1)
	last := contracts.Seq(1)
	large := bytes.Repeat([]byte("x"), 1<<20)
	for range 40 {
		b := journaltest.NewBatch(journaltest.RunID(1), last, 1)
		b.Events[0] = large
		if err := j.Append(t.Context(), journaltest.RunID(1), b); err != nil {
			t.Fatal(err)
		}
		last++
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		if limit := int64(24 << 20); info.Size() > limit {
			t.Fatalf("the log has %d bytes after %d MiB, want at most %d", info.Size(), last-1, limit)
		}
	}
}

// gate stops fsyncs of the log.
type gate struct {
	arrived chan struct{}
	opened  chan struct{}
}

func newGate() *gate {
	return &gate{arrived: make(chan struct{}, 1), opened: make(chan struct{})}
}

// wait is a hook.
func (g *gate) wait(file string) int32 {
	if file == wal {
		select {
		case g.arrived <- struct{}{}:
		default:
		}
		<-g.opened
	}
	return sqlite3.SQLITE_OK
}

// awaitArrival returns when an fsync stands at the gate.
func (g *gate) awaitArrival(t *testing.T) {
	t.Helper()
	select {
	case <-g.arrived:
	case <-time.After(30 * time.Second):
		t.Fatal("no fsync")
	}
}

func (g *gate) open() { close(g.opened) }

// background runs f in a goroutine and returns where its outcome comes.
func background(f func() error) chan error {
	outcome := make(chan error, 1)
	go func() { outcome <- f() }()
	return outcome
}

// awaitQueue returns when n writes wait.
func awaitQueue(t *testing.T, j *sqlitejournal.Journal, n int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); sqlitejournal.Waiting(j) != n; time.Sleep(time.Millisecond) { //nolint:forbidigo // a deadline of the test
		if time.Now().After(deadline) { //nolint:forbidigo // a deadline of the test
			t.Fatalf("%d writes wait, want %d", sqlitejournal.Waiting(j), n)
		}
	}
}

// create creates run i with one event.
func create(t *testing.T, j journal.Journal, i int) {
	t.Helper()
	run := journaltest.NewRun(i)
	if err := j.Create(t.Context(), run, journaltest.NewBatch(run.ID, 0, 1)); err != nil {
		t.Fatalf("create run %d: %v", i, err)
	}
}

// createMany creates runs 0..n-1 with one event each.
func createMany(t *testing.T, j journal.Journal, n int) {
	t.Helper()
	for i := range n {
		create(t, j, i)
	}
}

// appendOne appends an event to run i behind last.
func appendOne(ctx context.Context, j journal.Journal, i int, last contracts.Seq) error {
	return j.Append(ctx, journaltest.RunID(i), journaltest.NewBatch(journaltest.RunID(i), last, 1))
}

// extend appends an event to run 1 behind last.
func extend(t *testing.T, j journal.Journal, last contracts.Seq) {
	t.Helper()
	if err := appendOne(t.Context(), j, 1, last); err != nil {
		t.Fatalf("append after %d: %v", last, err)
	}
}

// wantHistory fails the test unless run i is whole and ends at last.
func wantHistory(t *testing.T, j journal.Journal, i int, last contracts.Seq) {
	t.Helper()
	page, err := j.Read(t.Context(), journaltest.RunID(i), 0, 1<<20, 1<<30)
	if err != nil {
		t.Fatalf("read run %d: %v", i, err)
	}
	want := journaltest.NewBatch(journaltest.RunID(i), 0, int(last)).Events
	if page.Last != last || len(page.Events) != len(want) {
		t.Fatalf("run %d has %d events and ends at %d, want %d", i, len(page.Events), page.Last, last)
	}
	for k, event := range page.Events {
		if event.Seq != contracts.Seq(k+1) || !bytes.Equal(event.JSON, want[k]) {
			t.Fatalf("event %d of run %d is (%d, %s), want %s", k+1, i, event.Seq, event.JSON, want[k])
		}
	}
}

// closeJournal closes j.
func closeJournal(t *testing.T, j *sqlitejournal.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// copyFile copies a file.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from) //nolint:gosec // a file of this test
	if err == nil {
		err = os.WriteFile(to, content, 0o600) //nolint:gosec // a file of this test
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestFullDiskFailsLeasesAndPruningsToo(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	j, path := d.open(t, sqlitejournal.Options{})
	createMany(t, j, 2)
	held, err := j.TakeLease(t.Context(), journaltest.RunID(0), "node:a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	end := journaltest.NewBatch(journaltest.RunID(1), 1, 1)
	end.Summary.State = contracts.StateFailed
	if err := j.Append(t.Context(), journaltest.RunID(1), end); err != nil {
		t.Fatal(err)
	}
	writes := map[string]func() error{
		"TakeLease": func() error {
			_, err := j.TakeLease(t.Context(), journaltest.RunID(1), "node:b", time.Hour)
			return err
		},
		"RenewLease": func() error {
			_, err := j.RenewLease(t.Context(), held, 2*time.Hour)
			return err
		},
		"DropLease": func() error { return j.DropLease(t.Context(), held) },
		"Prune": func() error {
			_, err := j.Prune(t.Context(), journaltest.RunID(1), 1)
			return err
		},
	}
	d.set(failing(wal, sqlite3.SQLITE_FULL), nil)
	for name, write := range writes {
		if err := write(); !errors.Is(err, journal.ErrFull) {
			t.Errorf("%s gives %v, want ErrFull", name, err)
		}
	}
	if got, err := j.LeaseOf(t.Context(), journaltest.RunID(0)); err != nil || got != held {
		t.Errorf("the lease is %+v, %v, want %+v", got, err, held)
	}
	wantHistory(t, j, 1, 2)
	d.set(nil, failing(wal, sqlite3.SQLITE_IOERR_FSYNC))
	if err := writes["Prune"](); !errors.Is(err, journal.ErrUnknown) {
		t.Errorf("a pruning whose fsync fails gives %v, want ErrUnknown", err)
	}
	d.set(nil, nil)
	for name, write := range writes {
		if err := write(); !errors.Is(err, journal.ErrUnavailable) {
			t.Errorf("%s after a failed fsync gives %v, want ErrUnavailable", name, err)
		}
	}
	closeJournal(t, j)
	j = open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	if err := writes["DropLease"](); err != nil {
		t.Errorf("drop the lease after the restart: %v", err)
	}
	for more := true; more; {
		var err error
		if more, err = j.Prune(t.Context(), journaltest.RunID(1), 1); err != nil {
			t.Fatal(err)
		}
	}
	wantHistory(t, j, 0, 1)
	wantWhole(t, j)
}

func TestFullDiskKeepsWhatWasLoggedReadable(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	j, path := d.open(t, sqlitejournal.Options{})
	create(t, j, 1)
	last := contracts.Seq(1)
	for ; last < 20; last++ {
		extend(t, j, last)
	}
	// The append that would settle the run does not fit.
	end := journaltest.NewBatch(journaltest.RunID(1), last, 1)
	end.Summary.State = contracts.StateFailed
	d.set(failing(wal, sqlite3.SQLITE_FULL), nil)
	if err := j.Append(t.Context(), journaltest.RunID(1), end); !errors.Is(err, journal.ErrFull) {
		t.Fatalf("append to a full disk gives %v, want ErrFull", err)
	}
	wantHistory(t, j, 1, last)
	d.set(nil, nil)
	if err := j.Append(t.Context(), journaltest.RunID(1), end); err != nil {
		t.Fatal(err)
	}
	wantHistory(t, j, 1, last+1)
	closeJournal(t, j)
	j = open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	wantHistory(t, j, 1, last+1)
}
