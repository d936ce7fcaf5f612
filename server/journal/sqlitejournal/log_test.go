package sqlitejournal_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/sqlitejournal"
)

// abandoned makes the files that a process leaves which is killed after it appended to three runs: events 1..last[i] of run
// i were acknowledged. With checkpointed all of it lies in the file and nothing in SQLite's log.
func abandoned(t *testing.T, checkpointed bool) (db, log []byte, last [3]contracts.Seq) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	fill(t, path)
	j := open(t, path, sqlitejournal.Options{})
	last = [3]contracts.Seq{7, 7, 7}
	for round := range 12 {
		i := round % 3
		b := journaltest.NewBatch(journaltest.RunID(i), last[i], 1+round%4)
		b.Summary.Labels = map[string]string{"team": "sky"}
		if i == 1 {
			b.Origin = &journal.Origin{After: last[i], Digest: contracts.DigestText("request")}
		}
		if err := j.Append(t.Context(), journaltest.RunID(i), b); err != nil {
			t.Fatal(err)
		}
		last[i] += contracts.Seq(len(b.Events))
	}
	if checkpointed {
		execute(t, path, `PRAGMA wal_checkpoint(TRUNCATE)`)
	}
	for _, f := range []struct {
		name string
		into *[]byte
	}{{path, &db}, {path + wal[len(main):], &log}} {
		content, err := os.ReadFile(f.name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		*f.into = content
	}
	closeJournal(t, j)
	return db, log, last
}

// leave puts the files of a killed process into a directory of their own.
func leave(t *testing.T, db, log []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal.db")
	if err := errors.Join(os.WriteFile(path, db, 0o600), os.WriteFile(path+"-wal", log, 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenSettlesWhatAKilledProcessLogged(t *testing.T) {
	t.Parallel()
	for _, checkpointed := range []bool{false, true} {
		t.Run(fmt.Sprintf("checkpointed %t", checkpointed), func(t *testing.T) {
			t.Parallel()
			db, log, last := abandoned(t, checkpointed)
			path := leave(t, db, log)
			j := open(t, path, sqlitejournal.Options{})
			for i, seq := range last {
				wantHistory(t, j, i, seq)
			}
			stored, err := j.Batch(t.Context(), journaltest.RunID(1), 7)
			if err != nil || stored.First != 8 {
				t.Errorf("the batch that named 7 begins at %d, %v, want 8", stored.First, err)
			}
			run, err := j.Run(t.Context(), journaltest.RunID(2))
			if err != nil || run.Summary.LastSeq != last[2] {
				t.Errorf("the summary ends at %d, %v, want %d", run.Summary.LastSeq, err, last[2])
			}
			wantWhole(t, j)
			if err := appendOne(t.Context(), j, 0, last[0]); err != nil {
				t.Fatal(err)
			}
			closeJournal(t, j)
			j = open(t, path, sqlitejournal.Options{})
			defer closeJournal(t, j)
			wantHistory(t, j, 0, last[0]+1)
		})
	}
}

// wantWhole fails the test where Verify finds damage.
func wantWhole(t *testing.T, j journal.Journal) {
	t.Helper()
	if _, err := j.Verify(t.Context(), func(damage error) error {
		t.Errorf("damaged: %v", damage)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedLogIsRefused(t *testing.T) {
	t.Parallel()
	db, log, _ := abandoned(t, true)
	for name, damage := range map[string]string{
		"a row's body":          `UPDATE log SET body = substr(body, 1, length(body) - 1) WHERE k = (SELECT max(k) FROM log)`,
		"a row's place":         `UPDATE log SET k = k + 1 WHERE k = (SELECT max(k) FROM log)`,
		"the first row is gone": `DELETE FROM log WHERE k = (SELECT min(k) FROM log)`,
		"the last row is gone":  `DELETE FROM log WHERE k = (SELECT max(k) FROM log)`,
		"all rows are gone":     `DELETE FROM log`,
		"the span is gone":      `DELETE FROM log_span`,
		"the span is too short": `UPDATE log_span SET last = last - 1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := leave(t, db, log)
			execute(t, path, damage)
			for range 2 { // the refusal takes nothing away that the next one would see
				j, err := sqlitejournal.Open(t.Context(), path, sqlitejournal.Options{})
				if err == nil {
					closeJournal(t, j)
				}
				if _, ok := errors.AsType[*journal.DamagedError](err); !ok {
					t.Errorf("the file is opened with %v, want a DamagedError", err)
				}
			}
		})
	}
}

func TestDamagedRunOfAKilledProcessLeavesTheOthersWhole(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"its row":         `UPDATE runs SET goal = 'another' WHERE n = 2`,
		"its row is gone": `DELETE FROM runs WHERE n = 2`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, log, last := abandoned(t, true)
			path := leave(t, db, log)
			execute(t, path, damage)
			j := open(t, path, sqlitejournal.Options{})
			defer closeJournal(t, j)
			wantHistory(t, j, 0, last[0])
			wantHistory(t, j, 2, last[2])
			_, err := j.Read(t.Context(), journaltest.RunID(1), 0, 100, 1<<20)
			wantDamaged(t, "Read", err, 1)
		})
	}
}

func TestReadsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	path, _ := filled(t)
	j := open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	id := journaltest.RunID(1)
	for name, read := range map[string]func() error{
		"Run":        func() error { _, err := j.Run(ctx, id); return err },
		"Read":       func() error { _, err := j.Read(ctx, id, 0, 10, 1000); return err },
		"Batch":      func() error { _, err := j.Batch(ctx, id, 0); return err },
		"ByKey":      func() error { _, _, err := j.ByKey(ctx, "key1"); return err },
		"List":       func() error { _, err := j.List(ctx, journal.Query{Limit: 1}); return err },
		"Tools":      func() error { _, err := j.Tools(ctx); return err },
		"LeaseOf":    func() error { _, err := j.LeaseOf(ctx, id); return err },
		"ListLeases": func() error { _, err := j.ListLeases(ctx); return err },
		"Finished":   func() error { _, err := j.Finished(ctx, 1<<40, 10); return err },
		"Size":       func() error { _, err := j.Size(ctx); return err },
		"Verify":     func() error { _, err := j.Verify(ctx, func(damage error) error { return damage }); return err },
		"Ready":      func() error { return j.Ready(ctx) },
	} {
		if err := read(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s gives %v, want context.Canceled", name, err)
		}
	}
	wantHistory(t, j, 1, 7)
}

func TestDamagedRunIsLeftOutOfThoseThatHaveEnded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	fill(t, path)
	finish(t, path)
	execute(t, path, `UPDATE runs SET goal = 'another' WHERE n = 2`)
	j := open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	runs, err := j.Finished(t.Context(), 1<<50, 10)
	if err != nil || len(runs) != 2 {
		t.Errorf("%d runs have ended, %v, want the two that are whole", len(runs), err)
	}
	_, err = j.Prune(t.Context(), journaltest.RunID(1), 10)
	wantDamaged(t, "Prune", err, 0)
}

// TestRunThatCannotSettleFailsAlone puts a chunk where an append belongs that is in the log.
func TestRunThatCannotSettleFailsAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := open(t, path, sqlitejournal.Options{})
	createMany(t, j, 2)
	extend(t, j, 1)
	execute(t, path, `INSERT INTO chunks (place, last, sum, body) VALUES (2 << 32 | 2, 9, 0, x'')`)
	end := journaltest.NewBatch(journaltest.RunID(1), 2, 1)
	end.Summary.State = contracts.StateFailed
	if err := j.Append(t.Context(), journaltest.RunID(1), end); err == nil {
		t.Error("an append settled behind a chunk that is not the run's")
	}
	if _, err := j.TakeLease(t.Context(), journaltest.RunID(1), "node:a", time.Hour); err == nil {
		t.Error("a lease settled a run that cannot settle")
	}
	if _, err := j.Prune(t.Context(), journaltest.RunID(1), 1); err == nil {
		t.Error("a pruning settled a run that cannot settle")
	}
	if err := appendOne(t.Context(), j, 0, 1); err != nil {
		t.Errorf("append to another run: %v", err)
	}
	wantHistory(t, j, 0, 2)
	if err := j.Close(); err == nil {
		t.Error("Close has nothing to say")
	}
	if _, err := sqlitejournal.Open(t.Context(), path, sqlitejournal.Options{}); !isDamaged(err) {
		t.Errorf("the file is opened with %v, want a DamagedError", err)
	}
	execute(t, path, `DELETE FROM chunks WHERE place = (2 << 32 | 2)`)
	j = open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	wantHistory(t, j, 0, 2)
	wantHistory(t, j, 1, 2)
}

// isDamaged reports whether err is a *journal.DamagedError.
func isDamaged(err error) bool {
	_, ok := errors.AsType[*journal.DamagedError](err)
	return ok
}

// snapshot copies the files of a journal that is open while nothing is written: what a kill leaves.
func snapshot(t *testing.T, path string) (copied string) {
	t.Helper()
	copied = filepath.Join(t.TempDir(), "journal.db")
	copyFile(t, path, copied)
	copyFile(t, path+wal[len(main):], copied+wal[len(main):])
	return copied
}

func TestFullDiskWhileSettlingLosesNothing(t *testing.T) {
	t.Parallel()
	for _, kill := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed %t", kill), func(t *testing.T) {
			t.Parallel()
			d := newDisk(t)
			j, path := d.open(t, sqlitejournal.Options{})
			createMany(t, j, 2)
			for last := contracts.Seq(1); last < 20; last++ {
				extend(t, j, last)
			}
			end := journaltest.NewBatch(journaltest.RunID(1), 20, 1)
			end.Summary.State = contracts.StateFailed
			d.set(failing(wal, sqlite3.SQLITE_FULL), nil)
			if err := j.Append(t.Context(), journaltest.RunID(1), end); !errors.Is(err, journal.ErrFull) {
				t.Fatalf("append to a full disk gives %v, want ErrFull", err)
			}
			d.set(nil, nil)
			// Rows of the log that are behind run 1 are deleted meanwhile.
			for last := contracts.Seq(1); last < 200; last++ {
				if err := appendOne(t.Context(), j, 0, last); err != nil {
					t.Fatal(err)
				}
			}
			wantHistory(t, j, 1, 20)
			if kill {
				path = snapshot(t, path)
			}
			closeJournal(t, j)
			j = open(t, path, sqlitejournal.Options{})
			defer closeJournal(t, j)
			wantHistory(t, j, 0, 200)
			wantHistory(t, j, 1, 20)
		})
	}
}

func TestFullDiskAtOpenLosesNothing(t *testing.T) {
	t.Parallel()
	db, log, last := abandoned(t, false)
	path := leave(t, db, log)
	d := newDisk(t)
	// Room for the page that SQLite writes at every opening, and once for no more: what is less than the log would fit.
	var written, synced atomic.Int64
	d.set(func(file string) int32 {
		if file == wal && synced.Load() == 1 && written.Add(1) == 1 {
			return sqlite3.SQLITE_FULL
		}
		return sqlite3.SQLITE_OK
	}, func(file string) int32 {
		if file == wal {
			synced.Add(1)
		}
		return sqlite3.SQLITE_OK
	})
	if j, err := sqlitejournal.Open(t.Context(), path, sqlitejournal.OnVFS(d.name, sqlitejournal.Options{})); !errors.Is(err, journal.ErrFull) {
		if err == nil {
			closeJournal(t, j)
		}
		t.Fatalf("the file is opened with %v, want ErrFull", err)
	}
	j := open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	for i, seq := range last {
		wantHistory(t, j, i, seq)
	}
}

func TestLogIsBoundedBesideARunThatRests(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := open(t, path, sqlitejournal.Options{})
	createMany(t, j, 2)
	if err := appendOne(t.Context(), j, 0, 1); err != nil {
		t.Fatal(err)
	}
	body := bytes.Repeat([]byte("x"), 15<<10)
	for last := contracts.Seq(1); last < 900; last++ {
		b := journaltest.NewBatch(journaltest.RunID(1), last, 1)
		b.Events[0] = body
		if err := j.Append(t.Context(), journaltest.RunID(1), b); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	var size int
	row := db.QueryRowContext(t.Context(), `SELECT sum(length(body)) FROM log`)
	if err := errors.Join(row.Scan(&size), db.Close()); err != nil {
		t.Fatal(err)
	}
	if limit := 9 << 20; size > limit {
		t.Errorf("the log has %d bytes, want at most %d", size, limit)
	}
	wantHistory(t, j, 0, 2)
	closeJournal(t, j)
}

// TestRowsOfTheLogStayForTheTailsThatNeedThem lets one run grow and others rest between two appends, long enough for the log to
// lose its beginning again and again.
func TestRowsOfTheLogStayForTheTailsThatNeedThem(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64() //nolint:gosec // any seed will do
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test's dice
	path := filepath.Join(t.TempDir(), "journal.db")
	j := open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	const runs = 4
	createMany(t, j, runs)
	last := [runs]contracts.Seq{1, 1, 1, 1}
	for step := range 600 {
		i := 0
		switch dice.IntN(12) {
		case 0:
			i = dice.IntN(runs)
		case 1: // a lease settles its run
			lease, err := j.TakeLease(t.Context(), journaltest.RunID(dice.IntN(runs)), "node:a", time.Hour)
			if err := errors.Join(err, j.DropLease(t.Context(), lease)); err != nil {
				t.Fatal(err)
			}
		}
		if err := appendOne(t.Context(), j, i, last[i]); err != nil {
			t.Fatal(err)
		}
		last[i]++
		if step%60 != 59 {
			continue
		}
		killed := open(t, snapshot(t, path), sqlitejournal.Options{Readers: 1})
		for i := range runs {
			wantHistory(t, killed, i, last[i])
		}
		closeJournal(t, killed)
	}
}

// TestEndsThatAreForgottenAreReadAnew has the writer forget the end of a run between two writes of one transaction.
func TestEndsThatAreForgottenAreReadAnew(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	j, _ := d.open(t, sqlitejournal.RememberingHeads(1, sqlitejournal.Options{}))
	defer closeJournal(t, j)
	createMany(t, j, 3)
	old, err := j.TakeLease(t.Context(), journaltest.RunID(1), "node:a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	extend(t, j, 1)
	if err := j.DropLease(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	gate := newGate()
	d.set(nil, gate.wait)
	outcomes := []chan error{background(func() error { return appendOne(t.Context(), j, 0, 1) })}
	gate.awaitArrival(t)
	late := journaltest.NewBatch(journaltest.RunID(1), 2, 1)
	late.Epoch = old.Epoch
	for i, write := range []func() error{
		func() error {
			_, err := j.TakeLease(t.Context(), journaltest.RunID(1), "node:b", time.Hour)
			return err
		},
		func() error { return appendOne(t.Context(), j, 2, 1) },
		func() error { return j.Append(t.Context(), journaltest.RunID(1), late) },
	} {
		outcomes = append(outcomes, background(write))
		awaitQueue(t, j, i+1)
	}
	gate.open()
	for _, outcome := range outcomes[:3] {
		if err := <-outcome; err != nil {
			t.Error(err)
		}
	}
	if err := <-outcomes[3]; !errors.Is(err, journal.ErrLeaseLost) {
		t.Errorf("an append under the lease before gives %v, want ErrLeaseLost", err)
	}
	wantHistory(t, j, 1, 2)
}

// TestDamageToAKilledProcessesFileNeverShortensARun flips bits anywhere in a file that a killed process left with its log
// in it, and cuts it anywhere. The file is refused, or each run is whole, or it says that it is damaged.
func TestDamageToAKilledProcessesFileNeverShortensARun(t *testing.T) {
	t.Parallel()
	db, _, last := abandoned(t, true)
	seed := uint64(time.Now().UnixNano())    //nolint:forbidigo // any seed; a failure names it
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // any place will do
	path := filepath.Join(t.TempDir(), "journal.db")
	for range samples() {
		damaged := bytes.Clone(db)
		at := random.IntN(len(db))
		what := fmt.Sprintf("seed %d: bit of byte %d flipped", seed, at)
		if random.IntN(4) == 0 {
			damaged, what = damaged[:at], fmt.Sprintf("seed %d: cut at %d", seed, at)
		} else {
			damaged[at] ^= 1 << random.IntN(8)
		}
		wantWholeOrDamaged(t, path, damaged, nil, last, last, what)
	}
}

// TestDamagedWriteAheadLogLosesNothingButItsEnd does the same to SQLite's log. What it may take is what the package comment
// says: the commits from the damage on, and all of them together, so that each run ends where it once ended.
func TestDamagedWriteAheadLogLosesNothingButItsEnd(t *testing.T) {
	t.Parallel()
	db, log, last := abandoned(t, false)
	if len(log) == 0 {
		t.Fatal("there is no log")
	}
	seed := uint64(time.Now().UnixNano())    //nolint:forbidigo // any seed; a failure names it
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // any place will do
	path := filepath.Join(t.TempDir(), "journal.db")
	for range samples() {
		damaged := bytes.Clone(log)
		at := random.IntN(len(log))
		what := fmt.Sprintf("seed %d: bit of byte %d of the log flipped", seed, at)
		if random.IntN(4) == 0 {
			damaged, what = damaged[:at], fmt.Sprintf("seed %d: log cut at %d", seed, at)
		} else {
			damaged[at] ^= 1 << random.IntN(8)
		}
		wantWholeOrDamaged(t, path, db, damaged, [3]contracts.Seq{7, 7, 7}, last, what)
	}
}

// wantWholeOrDamaged puts a file and its log into place and reads every run. It fails the test where a run has other events
// than it was given, or ends before atLeast or behind last without saying that it is damaged.
func wantWholeOrDamaged(t *testing.T, path string, db, log []byte, atLeast, last [3]contracts.Seq, what string) {
	t.Helper()
	for name, content := range map[string][]byte{path: db, path + "-wal": log} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j, err := sqlitejournal.Open(t.Context(), path, sqlitejournal.Options{Readers: 1})
	if err != nil {
		return
	}
	defer func() { _ = j.Close() }() // what damage does to the end of a journal is not the point
	for i := range 3 {
		id := journaltest.RunID(i)
		page, err := j.Read(t.Context(), id, 0, 1000, 1<<20)
		want := journaltest.NewBatch(id, 0, int(last[i])).Events
		for k, event := range page.Events {
			if k >= len(want) || !bytes.Equal(event.JSON, want[k]) {
				t.Fatalf("%s: event %d of run %d is %s", what, k+1, i, event.JSON)
			}
		}
		var d *journal.DamagedError
		switch n := contracts.Seq(len(page.Events)); {
		case errors.As(err, &d):
		case err != nil:
			t.Errorf("%s: read run %d: %v", what, i, err)
		case n != page.Last || n < atLeast[i] || n > last[i]:
			t.Errorf("%s: run %d has %d of %d events, %d were acknowledged", what, i, n, page.Last, last[i])
		}
	}
}

func TestFileOfTheFirstSchemaIsMigrated(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	first, err := os.ReadFile("schema/0001_runs.sql")
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlitejournal.Migrate(t, path, []string{string(first)}); err != nil {
		t.Fatal(err)
	}
	sqlitejournal.FillFirstSchema(t, path, journaltest.NewRun(1), journaltest.NewBatch(journaltest.RunID(1), 0, 3), contracts.StateFailed)
	j := open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	wantHistory(t, j, 1, 3)
	wantWhole(t, j)
	runs, err := j.Finished(t.Context(), 1_700_000_000_001, 10)
	if err != nil || len(runs) != 1 || runs[0].RunID != journaltest.RunID(1) {
		t.Errorf("%d runs have ended, %v, want run 1", len(runs), err)
	}
	if runs, err = j.Finished(t.Context(), 1_700_000_000_000, 10); err != nil || len(runs) != 0 {
		t.Errorf("%d runs have ended before the run did, %v", len(runs), err)
	}
}

func TestLeasesDoNotFollowTheSystemsClock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	now := time.Now() //nolint:forbidigo // a clock to begin with
	clock := func() time.Time { return now }
	j := open(t, path, sqlitejournal.Options{Now: clock})
	createMany(t, j, 2)
	for i := range 2 {
		if _, err := j.TakeLease(t.Context(), journaltest.RunID(i), "node:a", time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(59 * time.Second)
	wantHeld(t, j, 0, true)
	now = now.Add(time.Second)
	wantHeld(t, j, 0, false)
	if _, err := j.TakeLease(t.Context(), journaltest.RunID(0), "node:b", time.Minute); err != nil {
		t.Fatal(err)
	}
	closeJournal(t, j)

	// The clock is set back by a day while nobody looks: no lease lasts longer than it was given for.
	now = now.Add(-24 * time.Hour)
	j = open(t, path, sqlitejournal.Options{Now: clock})
	wantHeld(t, j, 0, true)
	wantHeld(t, j, 1, true) // it had ended, and may last once more
	now = now.Add(time.Minute)
	wantHeld(t, j, 0, false)
	wantHeld(t, j, 1, false)
	lease, err := j.TakeLease(t.Context(), journaltest.RunID(0), "node:c", time.Minute)
	if err != nil || lease.Epoch != 3 {
		t.Errorf("the third lease has epoch %d, %v, want 3", lease.Epoch, err)
	}
	closeJournal(t, j)

	// Set forward, it ends them; their epochs stay.
	now = now.Add(48 * time.Hour)
	j = open(t, path, sqlitejournal.Options{Now: clock})
	defer closeJournal(t, j)
	wantHeld(t, j, 0, false)
	if lease, err = j.TakeLease(t.Context(), journaltest.RunID(0), "node:d", time.Minute); err != nil || lease.Epoch != 4 {
		t.Errorf("the fourth lease has epoch %d, %v, want 4", lease.Epoch, err)
	}
}

// wantHeld fails the test unless run i has a lease, or has none.
func wantHeld(t *testing.T, j journal.Journal, i int, want bool) {
	t.Helper()
	_, err := j.LeaseOf(t.Context(), journaltest.RunID(i))
	if err != nil && !errors.Is(err, journal.ErrNotFound) {
		t.Fatal(err)
	}
	if held := err == nil; held != want {
		t.Errorf("run %d has a lease: %t, want %t", i, held, want)
	}
}

func TestDamagedLeaseCountsAsNone(t *testing.T) {
	t.Parallel()
	j := damaged(t, statement(`UPDATE leases SET expires = expires + 1`))
	wantHeld(t, j, 1, false)
	if leases, err := j.ListLeases(t.Context()); err != nil || len(leases) != 0 {
		t.Errorf("leases are %v, %v, want none", leases, err)
	}
	lease, err := j.TakeLease(t.Context(), journaltest.RunID(1), "node:b", time.Minute)
	if err != nil || lease.Epoch != 2 {
		t.Errorf("the next lease is %+v, %v, want epoch 2", lease, err)
	}
}

// pragma returns what a pragma says of a file.
func pragma(t *testing.T, path, name string) (value int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value), db.Close()); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestPruningGivesPagesBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := open(t, path, sqlitejournal.Options{})
	create(t, j, 1)
	last := contracts.Seq(1)
	for range 12 {
		b := journaltest.NewBatch(journaltest.RunID(1), last, 1)
		b.Events[0] = bytes.Repeat([]byte("x"), 1<<20)
		if err := j.Append(t.Context(), journaltest.RunID(1), b); err != nil {
			t.Fatal(err)
		}
		last++
	}
	end := journaltest.NewBatch(journaltest.RunID(1), last, 1)
	end.Summary.State = contracts.StateFailed
	if err := j.Append(t.Context(), journaltest.RunID(1), end); err != nil {
		t.Fatal(err)
	}
	before := pragma(t, path, "page_count")
	slices := 0
	for more := true; more; slices++ {
		var err error
		if more, err = j.Prune(t.Context(), journaltest.RunID(1), journal.MaxPruneRows); err != nil {
			t.Fatal(err)
		}
	}
	if slices < 6 {
		t.Errorf("12 MiB were pruned in %d slices", slices)
	}
	deadline := time.Now().Add(30 * time.Second)                                  //nolint:forbidigo // a deadline of the test
	for pragma(t, path, "page_count") > before/4 && time.Now().Before(deadline) { //nolint:forbidigo // a deadline of the test
		time.Sleep(5 * time.Millisecond)
	}
	if after := pragma(t, path, "page_count"); after > before/4 {
		t.Errorf("the file has %d pages, and had %d before everything was pruned", after, before)
	}
	size, err := j.Size(t.Context())
	if err != nil || size.Bytes > 1<<20 || size.Tombstones != 1 {
		t.Errorf("size is %+v, %v", size, err)
	}
	wantWhole(t, j)
	closeJournal(t, j)
}
