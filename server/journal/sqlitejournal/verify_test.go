package sqlitejournal_test

import (
	"errors"
	"path/filepath"
	"testing"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/sqlitejournal"
)

func TestVerifyTellsOfEachDamage(t *testing.T) {
	t.Parallel()
	const place = `(2 << 32 | 2)` // the chunk with events 2..4 of run 1
	run := journaltest.RunID(1)
	for name, c := range map[string]struct {
		damage func(t *testing.T, path string)
		run    contracts.RunID
	}{
		"a chunk's body":         {statement(`UPDATE chunks SET body = x'00' WHERE place = ` + place), run},
		"a chunk that is gone":   {statement(`DELETE FROM chunks WHERE place = ` + place), run},
		"the last chunk":         {statement(`DELETE FROM chunks WHERE place = (2 << 32 | 5)`), run},
		"a run's row":            {statement(`UPDATE runs SET state = 'succeeded' WHERE n = 2`), run},
		"a summary that is not":  {statement(`UPDATE runs SET summary = x'7b', sum = 0 WHERE n = 2`), run},
		"a run that is gone":     {statement(`DELETE FROM runs WHERE n = 2`), run},
		"a run and its task":     {statement(`DELETE FROM runs WHERE n = 2; DELETE FROM tasks WHERE n = 2`), run},
		"a task":                 {statement(`UPDATE tasks SET body = x'00' WHERE n = 2`), run},
		"a task that is gone":    {statement(`DELETE FROM tasks WHERE n = 2`), run},
		"a key":                  {statement(`UPDATE tasks SET key = 'other' WHERE n = 2`), run},
		"an end":                 {statement(`UPDATE runs SET ended = 17 WHERE n = 2`), run},
		"an epoch":               {statement(`UPDATE runs SET epoch = 17 WHERE n = 2`), run},
		"a tombstone":            {statement(`UPDATE runs SET pruned = 1 WHERE n = 2`), run},
		"a label that is gone":   {statement(`DELETE FROM labels WHERE run = '` + run.String() + `'`), run},
		"a label that was not":   {statement(`INSERT INTO labels VALUES ('team', 'sea', '` + run.String() + `')`), run},
		"a lease":                {statement(`UPDATE leases SET expires = expires + 1 WHERE run = '` + run.String() + `'`), run},
		"a tool":                 {statement(`UPDATE tools SET spec = x'00'`), ""},
		"an entry by id":         {loseLastEntry("sqlite_autoindex_runs_1"), journaltest.RunID(2)},
		"an entry by state":      {loseLastEntry("runs_by_state"), journaltest.RunID(2)},
		"an entry by creation":   {loseLastEntry("runs_by_created"), journaltest.RunID(2)},
		"an entry by end":        {loseLastEntry("runs_by_end"), journaltest.RunID(2)},
		"an entry of a task":     {loseLastEntry("sqlite_autoindex_tasks_1"), journaltest.RunID(2)},
		"an entry by key":        {loseLastEntry("sqlite_autoindex_tasks_2"), journaltest.RunID(2)},
		"an entry by origin":     {loseLastEntry("chunks_by_origin"), journaltest.RunID(2)},
		"a row of a run is lost": {loseLastEntry("runs"), journaltest.RunID(2)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal.db")
			fill(t, path)
			finish(t, path)
			c.damage(t, path)
			j := open(t, path, sqlitejournal.Options{})
			defer closeJournal(t, j)
			found := false
			if _, err := j.Verify(t.Context(), func(damage error) error {
				d, ok := errors.AsType[*journal.DamagedError](damage)
				switch {
				case !ok:
					t.Errorf("damage is told of as %v", damage)
				case d.Run == c.run:
					found = true
				case d.Run != "":
					t.Errorf("%v is told of, but is whole", damage)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if !found {
				t.Errorf("nothing is told of %q", c.run)
			}
			enough := errors.New("enough")
			if _, err := j.Verify(t.Context(), func(error) error { return enough }); !errors.Is(err, enough) {
				t.Errorf("Verify goes on after its visitor ended it: %v", err)
			}
		})
	}
}

func TestVerifyTellsOfDamageToTheLogOfAnOpenFile(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"a row's body":       `UPDATE log SET body = x'00' WHERE k = (SELECT min(k) FROM log)`,
		"a row that is gone": `DELETE FROM log WHERE k = (SELECT min(k) FROM log)`,
		"the span is gone":   `DELETE FROM log_span`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal.db")
			j := open(t, path, sqlitejournal.Options{})
			create(t, j, 1)
			extend(t, j, 1)
			extend(t, j, 2)
			wantWhole(t, j)
			execute(t, path, damage)
			found := 0
			if _, err := j.Verify(t.Context(), func(damage error) error {
				if d, ok := errors.AsType[*journal.DamagedError](damage); !ok || d.Run != "" {
					t.Errorf("damage is told of as %v", damage)
				}
				found++
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if found != 1 {
				t.Errorf("%d damages are told of, want 1", found)
			}
			closeJournal(t, j)
		})
	}
}

// finish ends every run that fill made, with labels.
func finish(t *testing.T, path string) {
	t.Helper()
	j := open(t, path, sqlitejournal.Options{})
	defer closeJournal(t, j)
	for i := range 3 {
		b := journaltest.NewBatch(journaltest.RunID(i), 7, 1)
		b.Summary.State, b.Summary.Labels = contracts.StateFailed, map[string]string{"team": "sky"}
		if err := j.Append(t.Context(), journaltest.RunID(i), b); err != nil {
			t.Fatal(err)
		}
	}
}

func TestToolIsPutInThePlaceOfADamagedOne(t *testing.T) {
	t.Parallel()
	j := damaged(t, statement(`UPDATE tools SET spec = x'7b7d'`))
	spec := []byte(`{"name":"calculator"}`)
	want := journal.Tool{Name: "calculator", Version: "1.0.0", Spec: spec, Digest: contracts.DigestText(spec)}
	if err := j.PutTool(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	tools, err := j.Tools(t.Context())
	if err != nil || len(tools) != 1 || string(tools[0].Spec) != string(spec) {
		t.Errorf("tools are %+v, %v, want the one that was put", tools, err)
	}
}
