package sqlitejournal_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"axiom25/server/journal/sqlitejournal"
)

func TestFileIsSetUpForDurability(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	for setting, want := range map[string]int{
		"synchronous": 2, "auto_vacuum": 2, "user_version": 3, "wal_autocheckpoint": 0, "busy_timeout": 5000,
	} {
		if got := sqlitejournal.Setting(t, j, setting); got != want {
			t.Errorf("%s is %d, want %d", setting, got, want)
		}
	}
	for _, name := range []string{path, path + "-wal", path + ".lock"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", filepath.Base(name), info.Mode())
		}
	}
}

func TestCloseLeavesOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := open(t, path, sqlitejournal.Options{})
	create(t, j, 1)
	closeJournal(t, j)
	for _, suffix := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(path + suffix); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", suffix, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		path string
		make func(t *testing.T, path string)
		want error
	}{
		"a newer schema": {filepath.Join(dir, "newer.db"), func(t *testing.T, path string) {
			t.Helper()
			fill(t, path)
			execute(t, path, `PRAGMA user_version = 1000`)
		}, sqlitejournal.ErrNewerSchema},
		"another program's file": {filepath.Join(dir, "foreign.db"), func(t *testing.T, path string) {
			t.Helper()
			execute(t, path, `CREATE TABLE bookmarks (url TEXT)`)
		}, sqlitejournal.ErrForeignFile},
		"what is no database": {filepath.Join(dir, "text.db"), func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, []byte("a text that is long enough to be no header of a database"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, nil},
		"a directory that is not there": {filepath.Join(dir, "missing", "journal.db"), func(*testing.T, string) {}, os.ErrNotExist},
		"a directory in the file's place": {filepath.Join(dir, "folder"), func(t *testing.T, path string) {
			t.Helper()
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.make(t, c.path)
			for range 2 { // the refusal leaves no lock behind
				_, err := sqlitejournal.Open(t.Context(), c.path, sqlitejournal.Options{})
				if err == nil {
					t.Fatal("the file was opened")
				}
				if c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("error is %v, want %v", err, c.want)
				}
			}
		})
	}
}

func TestMigrationStepIsAllOrNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	fill(t, path)
	steps := []string{"", "", "", "CREATE TABLE extra (x INTEGER)", "CREATE TABLE more (x INTEGER); CREATE TABLE runs (x INTEGER)"}
	if err := sqlitejournal.Migrate(t, path, steps); err == nil {
		t.Fatal("a step that fails was counted")
	}
	// The step before stands, nothing of the one that fails does, and what failed can be tried again.
	steps[4] = "CREATE TABLE more (y INTEGER)"
	for range 2 {
		if err := sqlitejournal.Migrate(t, path, steps); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, path, `INSERT INTO extra (x) VALUES (1); INSERT INTO more (y) VALUES (1); DROP TABLE extra; DROP TABLE more; PRAGMA user_version = 3`)
	j := open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	wantHistory(t, j, 1, 7)
}

// execute runs statements on a file that no journal has open.
func execute(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
