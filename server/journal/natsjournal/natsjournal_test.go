package natsjournal_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/natsjournal"
	"axiom25/server/journal/natsjournal/natstest"
)

// open opens a journal.
func open(tb testing.TB, o natsjournal.Options) *natsjournal.Journal {
	tb.Helper()
	j, err := natsjournal.Open(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	return j
}

func TestJournal(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, natstest.Options{})
	var stores atomic.Int64
	journaltest.Run(t, func(*testing.T) journaltest.Store {
		o := natsjournal.Options{URLs: []string{s.URL()}, Prefix: fmt.Sprintf("store%d", stores.Add(1)), Shards: 2}
		return func(t *testing.T) journal.Journal {
			t.Helper()
			return open(t, o)
		}
	})
}

func TestLive(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, natstest.Options{})
	var stores atomic.Int64
	journaltest.RunLive(t, func(t *testing.T) (here, there journal.Live) {
		t.Helper()
		o := natsjournal.Options{URLs: []string{s.URL()}, Prefix: fmt.Sprintf("store%d", stores.Add(1)), Shards: 2}
		return open(t, o), open(t, o)
	})
}

// closeAll closes journals.
func closeAll(tb testing.TB, journals ...*natsjournal.Journal) {
	tb.Helper()
	for _, j := range journals {
		if err := j.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	}
}

// asConflict returns the conflict that an error is.
func asConflict(err error) (*journal.ConflictError, bool) {
	return errors.AsType[*journal.ConflictError](err)
}
