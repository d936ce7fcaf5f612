package sqlitejournal

import (
	"errors"
	"testing"
)

// OnVFS returns the options of a journal on the SQLite VFS of that name.
func OnVFS(name string, o Options) Options {
	o.vfs = name
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
