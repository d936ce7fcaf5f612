package sqlitejournal_test

import (
	"path/filepath"
	"testing"

	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/sqlitejournal"
)

func TestContract(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, func(t *testing.T) journaltest.Store {
		t.Helper()
		path := filepath.Join(t.TempDir(), "a ü?#%20 journal.db")
		return func(t *testing.T) journal.Journal {
			t.Helper()
			return open(t, path, sqlitejournal.Options{})
		}
	})
}

// open opens the journal in path.
func open(t *testing.T, path string, opts sqlitejournal.Options) *sqlitejournal.Journal {
	t.Helper()
	j, err := sqlitejournal.Open(t.Context(), path, opts)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return j
}
