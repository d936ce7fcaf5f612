package sqlitejournal

import (
	"errors"
	"testing"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// OnVFS returns the options of a journal on the SQLite VFS of that name.
func OnVFS(name string, o Options) Options {
	o.vfs = name
	return o
}

// RememberingHeads returns the options of a journal that remembers the ends of n runs.
func RememberingHeads(n int, o Options) Options {
	o.heads = n
	return o
}

// SettlingAt returns the options of a journal whose tails settle when they hold so many bytes.
func SettlingAt(bytes int, o Options) Options {
	o.tailBytes = bytes
	return o
}

// Waiting returns how many writes are in the queue.
func Waiting(j *Journal) int {
	j.writer.mu.Lock()
	defer j.writer.mu.Unlock()
	return len(j.writer.waiting)
}

// Setting returns what a pragma says on the connection that writes, while nothing is written.
func Setting(t *testing.T, j *Journal, name string) int {
	t.Helper()
	var value int
	if err := j.writer.conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return value
}

// Migrate takes a file that no journal has open through schema steps.
func Migrate(t *testing.T, path string, steps []string) error {
	t.Helper()
	db, err := openDatabase(path, "", "_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = migrate(t.Context(), conn, steps)
	if closeErr := errors.Join(conn.Close(), db.Close()); closeErr != nil {
		t.Fatal(closeErr)
	}
	return err
}

// FillFirstSchema stores a run that has ended, as the first released schema did, in a file that no journal has open.
func FillFirstSchema(t *testing.T, path string, run journal.Run, first journal.Batch, state contracts.State) {
	t.Helper()
	first.Summary.State = state
	p, err := prepareBatch(run.ID, first)
	if err != nil {
		t.Fatal(err)
	}
	h := head{n: 1, created: p.summary.CreatedAt, goal: p.summary.Goal, state: state, last: p.chunk.last}
	db, err := openDatabase(path, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		text string
		args []any
	}{
		{
			`INSERT INTO runs (n, id, created, goal, state, last, summary, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			[]any{h.n, run.ID.String(), int64(h.created), h.goal, string(h.state), int64(h.last), p.text, int64(sumRun(run.ID, h, p.text))},
		},
		{
			`INSERT INTO tasks (n, run, digest, body, sum) VALUES (?, ?, ?, ?, ?)`,
			[]any{h.n, run.ID.String(), string(run.TaskDigest), run.Task, int64(sumTask(run))},
		},
		{
			`INSERT INTO chunks (` + chunkColumns + `) VALUES (?, ?, NULL, NULL, ?, ?)`,
			[]any{placeOf(h.n, 1), int64(p.chunk.last), int64(p.chunk.sum), p.chunk.body},
		},
	} {
		if _, err := db.ExecContext(t.Context(), row.text, row.args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
