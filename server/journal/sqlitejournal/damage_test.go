package sqlitejournal_test

import (
	"bytes"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/sqlitejournal"
)

// damaged makes a journal with three runs of three chunks each, lets damage change its file, and opens it
// again.
func damaged(t *testing.T, damage func(t *testing.T, path string)) *sqlitejournal.Journal {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	fill(t, path)
	damage(t, path)
	j := open(t, path, sqlitejournal.Options{})
	t.Cleanup(func() { closeJournal(t, j) })
	return j
}

// filledOnce keeps what fill puts in place: to make it takes longer than most tests that begin with it.
var filledOnce struct { //nolint:gochecknoglobals // a fixture
	once    sync.Once
	content []byte
}

// fill puts a file in place with runs 0..2 of events 1, 2..4 and 5..7, the middle batch with an origin, a lease of each, and
// a tool.
func fill(t *testing.T, path string) {
	t.Helper()
	filledOnce.once.Do(func() {
		first := filepath.Join(t.TempDir(), "journal.db")
		fillAnew(t, first)
		content, err := os.ReadFile(first) //nolint:gosec // a file of this test
		if err != nil {
			t.Fatal(err)
		}
		filledOnce.content = content
	})
	if err := os.WriteFile(path, filledOnce.content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// fillAnew makes that file.
func fillAnew(t *testing.T, path string) {
	t.Helper()
	j := open(t, path, sqlitejournal.Options{})
	for i := range 3 {
		run := journaltest.NewRun(i)
		run.Key = fmt.Sprintf("key%d", i)
		first := journaltest.NewBatch(run.ID, 0, 1)
		first.Summary.Labels = map[string]string{"team": "sky"}
		if err := j.Create(t.Context(), run, first); err != nil {
			t.Fatal(err)
		}
		b := journaltest.NewBatch(run.ID, 1, 3)
		b.Summary.Labels = first.Summary.Labels
		b.Origin = &journal.Origin{After: 0, Digest: contracts.DigestText("request")}
		if err := j.Append(t.Context(), run.ID, b); err != nil {
			t.Fatal(err)
		}
		last := journaltest.NewBatch(run.ID, 4, 3)
		last.Summary.Labels = first.Summary.Labels
		if err := j.Append(t.Context(), run.ID, last); err != nil {
			t.Fatal(err)
		}
		if _, err := j.TakeLease(t.Context(), run.ID, "node:a", time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	spec := []byte(`{"name":"calculator"}`)
	if err := j.PutTool(t.Context(), journal.Tool{Name: "calculator", Version: "1.0.0", Spec: spec, Digest: contracts.DigestText(spec)}); err != nil {
		t.Fatal(err)
	}
	closeJournal(t, j)
}

// statement returns a damage that SQLite itself carries out: the pages stay whole, what they say does not.
func statement(text string) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		t.Helper()
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		result, err := db.ExecContext(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			t.Fatalf("%s changed nothing: %v", text, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// wantDamaged fails the test unless err is a DamagedError of run 1 from seq from on.
func wantDamaged(t *testing.T, what string, err error, from contracts.Seq) {
	t.Helper()
	var d *journal.DamagedError
	if !errors.As(err, &d) {
		t.Errorf("%s gives %v, want a DamagedError", what, err)
		return
	}
	if want := (journal.DamagedError{Run: journaltest.RunID(1), From: from}); *d != want {
		t.Errorf("%s gives %+v, want %+v", what, *d, want)
	}
}

func TestDamagedChunkEndsTheHistoryThere(t *testing.T) {
	t.Parallel()
	const place = `(2 << 32 | 2)` // the chunk with events 2..4 of run 1
	for name, c := range map[string]struct {
		damage string
		intact int
	}{
		"body":             {`UPDATE chunks SET body = CAST(replace(body, 'delta', 'dalta') AS BLOB) WHERE place = ` + place, 1},
		"checksum":         {`UPDATE chunks SET sum = sum + 1 WHERE place = ` + place, 1},
		"last of the last": {`UPDATE chunks SET last = -121 WHERE place = (2 << 32 | 5)`, 4},
		"last":             {`UPDATE chunks SET last = 3 WHERE place = ` + place, 1},
		"origin":           {`UPDATE chunks SET origin_after = 1 WHERE place = ` + place, 1},
		"origin's digest":  {`UPDATE chunks SET origin_digest = 'sha256:0' WHERE place = ` + place, 1},
		"origin gone":      {`UPDATE chunks SET origin_after = NULL WHERE place = ` + place, 1},
		"missing":          {`DELETE FROM chunks WHERE place = ` + place, 1},
		"first missing":    {`DELETE FROM chunks WHERE place = (2 << 32 | 1)`, 0},
		"last missing":     {`DELETE FROM chunks WHERE place = (2 << 32 | 5)`, 4},
		"all missing":      {`DELETE FROM chunks WHERE place >> 32 = 2`, 0},
		"of another run":   {`UPDATE chunks SET (last, origin_after, origin_digest, sum, body) = (SELECT last, origin_after, origin_digest, sum, body FROM chunks WHERE place = (1 << 32 | 2)) WHERE place = ` + place, 1},
		"at another place": {`UPDATE chunks SET place = place + 1 WHERE place = ` + place, 1},
		"beyond the end":   {`INSERT INTO chunks (place, last, sum, body) VALUES (2 << 32 | 8, 9, 0, x'')`, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := damaged(t, statement(c.damage))
			from := contracts.Seq(c.intact + 1)
			id := journaltest.RunID(1)
			page, err := j.Read(t.Context(), id, 0, 100, 1<<20)
			wantDamaged(t, "Read", err, from)
			want := journaltest.NewBatch(id, 0, c.intact).Events
			if len(page.Events) != c.intact {
				t.Fatalf("%d events before the damage, want %d", len(page.Events), c.intact)
			}
			for i, event := range page.Events {
				if !bytes.Equal(event.JSON, want[i]) {
					t.Errorf("event %d is %s, want %s", i+1, event.JSON, want[i])
				}
			}
			// A page that ends before the damage does not meet it; one behind the damaged cursor does.
			if c.intact > 1 {
				if page, err := j.Read(t.Context(), id, 0, c.intact-1, 1<<20); err != nil || len(page.Events) != c.intact-1 {
					t.Errorf("page before the damage: %d events, %v", len(page.Events), err)
				}
			}
			if _, err := j.Read(t.Context(), id, contracts.Seq(c.intact), 100, 1<<20); err == nil {
				t.Error("a page that begins at the damage is not damaged")
			}
			wantHistory(t, j, 0, 7)
			wantHistory(t, j, 2, 7)
		})
	}
}

func TestDamagedRunIsNeverShorter(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"last":     `UPDATE runs SET last = 4 WHERE n = 2`,
		"state":    `UPDATE runs SET state = 'failed' WHERE n = 2`,
		"goal":     `UPDATE runs SET goal = 'another' WHERE n = 2`,
		"created":  `UPDATE runs SET created = created + 1 WHERE n = 2`,
		"summary":  `UPDATE runs SET summary = CAST(replace(summary, 'local', 'lokal') AS BLOB) WHERE n = 2`,
		"checksum": `UPDATE runs SET sum = 0 WHERE n = 2`,
		"number":   `UPDATE runs SET n = 17 WHERE n = 2`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := damaged(t, statement(damage))
			id := journaltest.RunID(1)
			_, err := j.Run(t.Context(), id)
			wantDamaged(t, "Run", err, 0)
			page, err := j.Read(t.Context(), id, 2, 100, 1<<20)
			wantDamaged(t, "Read", err, 3)
			if len(page.Events) != 0 {
				t.Errorf("Read gives %d events", len(page.Events))
			}
			_, err = j.Batch(t.Context(), id, 0)
			wantDamaged(t, "Batch", err, 0)
			wantDamaged(t, "Append", j.Append(t.Context(), id, journaltest.NewBatch(id, 7, 1)), 0)
			wantDamaged(t, "Create", j.Create(t.Context(), journaltest.NewRun(1), journaltest.NewBatch(id, 0, 1)), 0)
			runs, err := j.List(t.Context(), journal.Query{Limit: 10})
			wantDamaged(t, "List", err, 0)
			if len(runs) != 1 || runs[0].RunID != journaltest.RunID(2) {
				t.Errorf("List gives %d runs before the damaged one, want run 2", len(runs))
			}
			behind, err := j.List(t.Context(), journal.Query{Limit: 10, Before: id})
			if err != nil || len(behind) != 1 || behind[0].RunID != journaltest.RunID(0) {
				t.Errorf("List behind the damaged run gives %d runs, %v, want run 0", len(behind), err)
			}
		})
	}
}

func TestRunThatLostItsRowIsDamagedNotMissing(t *testing.T) {
	t.Parallel()
	j := damaged(t, statement(`DELETE FROM runs WHERE n = 2`))
	id := journaltest.RunID(1)
	_, err := j.Run(t.Context(), id)
	wantDamaged(t, "Run", err, 0)
	_, err = j.Read(t.Context(), id, 0, 10, 1000)
	wantDamaged(t, "Read", err, 1)
	wantDamaged(t, "Create", j.Create(t.Context(), journaltest.NewRun(1), journaltest.NewBatch(id, 0, 1)), 0)
}

func TestDamagedTaskIsFound(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"body":    `UPDATE tasks SET body = x'7b7d' WHERE n = 2`,
		"digest":  `UPDATE tasks SET digest = 'sha256:0' WHERE n = 2`,
		"missing": `DELETE FROM tasks WHERE n = 2`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := damaged(t, statement(damage))
			_, err := j.Run(t.Context(), journaltest.RunID(1))
			wantDamaged(t, "Run", err, 0)
			wantHistory(t, j, 1, 7)
			if name == "missing" {
				return
			}
			again := journaltest.NewRun(5)
			again.Key = "key1"
			wantDamaged(t, "Create", j.Create(t.Context(), again, journaltest.NewBatch(again.ID, 0, 1)), 0)
		})
	}
}

func TestDamagedOriginAndToolAreFound(t *testing.T) {
	t.Parallel()
	j := damaged(t, statement(`UPDATE chunks SET body = x'00' WHERE place = (2 << 32 | 2)`))
	_, err := j.Batch(t.Context(), journaltest.RunID(1), 0)
	wantDamaged(t, "Batch", err, 2)

	j = damaged(t, statement(`UPDATE tools SET spec = x'7b7d'`))
	var d *journal.DamagedError
	if _, err := j.Tools(t.Context()); !errors.As(err, &d) || d.Run != "" {
		t.Errorf("Tools gives %v, want a DamagedError without a run", err)
	}
}

// loseLastEntry returns a damage that takes the last entry out of an index, or a table, of one page.
func loseLastEntry(index string) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		t.Helper()
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		var page, pageSize int
		row := db.QueryRowContext(t.Context(), `SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = ?`, index)
		if err := errors.Join(row.Scan(&page, &pageSize), db.Close()); err != nil {
			t.Fatalf("look for index %s: %v", index, err)
		}
		content, err := os.ReadFile(path) //nolint:gosec // a file of this test
		if err != nil {
			t.Fatal(err)
		}
		// SQLite's file format, section 1.6: the page's kind, 10 for a leaf of an index and 13 for one of a table, and at 3 its count of cells.
		header := content[(page-1)*pageSize:]
		if header[0] != 10 && header[0] != 13 || header[4] == 0 {
			t.Fatalf("page %d is no leaf with entries", page)
		}
		header[4]--
		if err := os.WriteFile(path, content, 0o600); err != nil { //nolint:gosec // a file of this test
			t.Fatal(err)
		}
	}
}

func TestIndexThatLostAnEntryChangesNoRun(t *testing.T) {
	t.Parallel()
	for _, index := range []string{
		"sqlite_autoindex_runs_1", "runs_by_state", "runs_by_created",
		"sqlite_autoindex_tasks_1", "sqlite_autoindex_tasks_2", "chunks_by_origin",
	} {
		t.Run(index, func(t *testing.T) {
			t.Parallel()
			path, _ := filled(t)
			loseLastEntry(index)(t, path)
			content, err := os.ReadFile(path) //nolint:gosec // a file of this test
			if err != nil {
				t.Fatal(err)
			}
			readsTrue(t, path, content, "an entry lost")
		})
	}
}

func TestDamagedKeyIndex(t *testing.T) {
	t.Parallel()
	again := journaltest.NewRun(5)
	again.Key = "key2"
	t.Run("that lost a key lets it be used again", func(t *testing.T) {
		t.Parallel()
		j := damaged(t, loseLastEntry("sqlite_autoindex_tasks_2"))
		if err := j.Create(t.Context(), again, journaltest.NewBatch(again.ID, 0, 1)); err != nil {
			t.Fatal(err)
		}
		first, err := j.Run(t.Context(), journaltest.RunID(2))
		if err != nil || first.Key != again.Key {
			t.Errorf("the key's first run has key %q, %v, want %q", first.Key, err, again.Key)
		}
	})
	t.Run("that leads to another run is found", func(t *testing.T) {
		t.Parallel()
		j := damaged(t, func(t *testing.T, path string) {
			t.Helper()
			content, err := os.ReadFile(path) //nolint:gosec // a file of this test
			if err != nil {
				t.Fatal(err)
			}
			// In an index the key is followed by the row's number, in the table by the digest.
			altered := bytes.Replace(content, []byte("key2\x03"), []byte("key3\x03"), 1)
			if bytes.Equal(altered, content) {
				t.Fatal("the index has no such entry")
			}
			if err := os.WriteFile(path, altered, 0o600); err != nil { //nolint:gosec // a file of this test
				t.Fatal(err)
			}
		})
		taken := journaltest.NewRun(6)
		taken.Key = "key3"
		var d *journal.DamagedError
		err := j.Create(t.Context(), taken, journaltest.NewBatch(taken.ID, 0, 1))
		if !errors.As(err, &d) || d.Run != journaltest.RunID(2) {
			t.Errorf("Create gives %v, want a DamagedError of run 2", err)
		}
		wantHistory(t, j, 2, 7)
	})
}

// filled returns the path of a file as fill makes it, without free pages, and what it holds.
func filled(t *testing.T) (path string, whole []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal.db")
	fill(t, path)
	for range 16 { // a page each
		execute(t, path, `PRAGMA incremental_vacuum`)
	}
	whole, err := os.ReadFile(path) //nolint:gosec // a file of this test
	if err != nil {
		t.Fatal(err)
	}
	return path, whole
}

// TestFlippedBitIsNeverAShorterHistory flips a bit, one at a time: in some bytes here and there, or with -scan in every
// seventeenth. Each run then reads as it was, or says that it is damaged, or the file is refused.
func TestFlippedBitIsNeverAShorterHistory(t *testing.T) {
	t.Parallel()
	path, whole := filled(t)
	seed := rand.Uint64() //nolint:gosec // any seed will do
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test's dice
	stride := len(whole) / 60
	if *scanAll {
		stride = 17
	}
	var found int
	for at := dice.IntN(stride); at < len(whole); at += 1 + dice.IntN(2*stride) {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1 << (at % 8)
		if readsTrue(t, path, flipped, fmt.Sprintf("bit %d of byte %d flipped", at%8, at)) {
			found++
		}
	}
	if found == 0 {
		t.Error("no flipped bit was ever noticed")
	}
}

// scanAll is what `make soak` asks for; `make test` does with less.
var scanAll = flag.Bool("scan", false, "damage files in more places") //nolint:gochecknoglobals // a flag of the test binary

// samples returns how many random damages a test tries.
func samples() int {
	if *scanAll {
		return 2000
	}
	return 25
}

// TestTruncatedFileIsNeverAShorterHistory cuts the file at every page and within.
func TestTruncatedFileIsNeverAShorterHistory(t *testing.T) {
	t.Parallel()
	path, whole := filled(t)
	step := 4096
	if *scanAll {
		step = 512
	}
	for size := 100; size < len(whole); size += step {
		if !readsTrue(t, path, whole[:size], fmt.Sprintf("cut at %d of %d bytes", size, len(whole))) {
			t.Errorf("a file cut at %d of %d bytes reads as if it were whole", size, len(whole))
		}
	}
}

// readsTrue puts content into the file at path and reads every run. It fails the test where a run is neither
// whole nor said to be damaged, and reports whether anything was noticed.
func readsTrue(t *testing.T, path string, content []byte, what string) (noticed bool) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil { //nolint:gosec // a file of this test
		t.Fatal(err)
	}
	j, err := sqlitejournal.Open(t.Context(), path, sqlitejournal.Options{Readers: 1})
	if err != nil {
		return true
	}
	defer func() { _ = j.Close() }() // what damage does to the end of a journal is not the point
	for i := range 3 {
		id := journaltest.RunID(i)
		page, err := j.Read(t.Context(), id, 0, 100, 1<<20)
		want := journaltest.NewBatch(id, 0, 7).Events
		for k, event := range page.Events {
			if !bytes.Equal(event.JSON, want[k]) {
				t.Errorf("%s: event %d of run %d is %s", what, k+1, i, event.JSON)
			}
		}
		var d *journal.DamagedError
		switch {
		case errors.As(err, &d):
			noticed = true
		case err != nil:
			t.Errorf("%s: read run %d: %v", what, i, err)
		case len(page.Events) != 7:
			t.Errorf("%s: run %d has %d of %d events", what, i, len(page.Events), page.Last)
		}
		if _, err := j.Batch(t.Context(), id, 0); err != nil {
			noticed = true
		}
		run, err := j.Run(t.Context(), id)
		switch {
		case errors.As(err, &d):
			noticed = true
		case err != nil:
			t.Errorf("%s: run %d: %v", what, i, err)
		case !bytes.Equal(run.Task, journaltest.NewRun(i).Task):
			t.Errorf("%s: task of run %d is %s", what, i, run.Task)
		}
	}
	if leases, err := j.ListLeases(t.Context()); err != nil || len(leases) != 3 {
		noticed = true
	}
	if tools, err := j.Tools(t.Context()); err != nil || len(tools) != 1 {
		noticed = true
	}
	if runs, err := j.List(t.Context(), journal.Query{Limit: 10, Labels: map[string]string{"a": "b"}}); err != nil || len(runs) != 0 {
		noticed = true
	}
	return noticed
}
