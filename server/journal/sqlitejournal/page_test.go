package sqlitejournal_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/sqlitejournal"
)

// TestPagesKeepTheirBytes reads chunks of one size one behind the other: a driver that read a row into the memory of the
// one before would change what was returned.
func TestPagesKeepTheirBytes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	create(t, j, 1)
	id := journaltest.RunID(1)
	page, err := j.Read(t.Context(), id, 0, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	last, summary := page.Last, contracts.Summary{RunID: id, State: page.State, Goal: "pages", CreatedAt: 1, UpdatedAt: 1}
	var want [][]byte
	for n := range 6 { // of 40 kB: large, and two of them fit into a page of 100 kB
		events := make([][]byte, 100)
		for i := range events {
			events[i] = fmt.Appendf(nil, `{"n":"%d-%03d-%0390d"}`, n, i, i)
		}
		if err := j.Append(t.Context(), id, journal.Batch{After: last, Events: events, Summary: summary}); err != nil {
			t.Fatal(err)
		}
		last += 100
		want = append(want, events...)
	}
	begin := page.Last
	var got []journal.Event
	for after := begin; after < last; {
		page, err := j.Read(t.Context(), id, after, 1000, 100_000)
		if err != nil || len(page.Events) != 200 {
			t.Fatalf("behind %d: %d events, %v; want those of two whole chunks", after, len(page.Events), err)
		}
		got = append(got, page.Events...)
		after = got[len(got)-1].Seq
	}
	for i, event := range got {
		if event.Seq != begin+contracts.Seq(i)+1 || !bytes.Equal(event.JSON, want[i]) {
			t.Fatalf("event %d is %.30s, want %.30s", event.Seq, event.JSON, want[i])
		}
	}
}
