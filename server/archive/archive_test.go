package archive_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/contracts/runstate"
	"axiom25/server/archive"
	"axiom25/server/journal"
	"axiom25/server/journal/faultjournal"
	"axiom25/server/journal/sqlitejournal"
)

// open returns an empty journal.
func open(t *testing.T) journal.Journal {
	t.Helper()
	j, err := sqlitejournal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), sqlitejournal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return j
}

// fill stores the example runs, a run that goes on, and a tool. The first run's task is written over several lines.
func fill(t *testing.T, j journal.Journal) (runs, events int64) {
	t.Helper()
	for i, run := range contractstest.Runs() {
		n := store(t, j, i+1, run, len(run.Events))
		runs, events = runs+1, events+n
	}
	going := contractstest.SucceededRun()
	n := store(t, j, 99, going, len(going.Events)/2)
	spec := contractstest.Document(contractstest.EngineTool("publish"))
	digest, err := contracts.DigestJSON(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.PutTool(t.Context(), journal.Tool{Name: "publish", Version: "1.0.0", Spec: spec, Digest: digest}); err != nil {
		t.Fatal(err)
	}
	return runs + 1, events + n
}

// store stores the first events of a run under another id, a few at a time.
func store(t *testing.T, j journal.Journal, number int, run contractstest.Run, count int) int64 {
	t.Helper()
	id := contractstest.RunID(number)
	var doc bytes.Buffer
	if err := json.Indent(&doc, contractstest.Document(run.Task), "", "  "); err != nil {
		t.Fatal(err)
	}
	digest, err := contracts.DigestJSON(doc.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var state runstate.State
	for first := 0; first < count; first += 3 {
		var batch journal.Batch
		batch.After = contracts.Seq(first)
		for _, ev := range run.Events[first:min(first+3, count)] {
			ev.RunID = id
			if err := state.Apply(ev); err != nil {
				t.Fatal(err)
			}
			batch.Events = append(batch.Events, contractstest.Document(ev))
		}
		batch.Summary = state.Snapshot().Summary
		batch.Summary.Goal, batch.Summary.Labels = run.Task.Goal, run.Task.Labels
		if first > 0 {
			err = j.Append(t.Context(), id, batch)
		} else {
			stored := journal.Run{ID: id, Task: doc.Bytes(), TaskDigest: digest, Key: fmt.Sprint("key ", number), Summary: batch.Summary}
			err = j.Create(t.Context(), stored, batch)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return int64(count)
}

// export returns everything that a journal has.
func export(t *testing.T, j journal.Reader, s archive.Selection) (string, archive.Total) {
	t.Helper()
	var file strings.Builder
	total, err := archive.Export(t.Context(), j, s, &file)
	if err != nil {
		t.Fatalf("Export: %v", err)
	}
	return file.String(), total
}

func TestExportAndImport(t *testing.T) {
	t.Parallel()
	from, into := open(t), open(t)
	runs, events := fill(t, from)
	file, total := export(t, from, archive.Selection{})
	want := archive.Total{Tools: 1, Runs: runs, Events: events}
	if total != want {
		t.Fatalf("exported %+v, want %+v", total, want)
	}

	added, err := archive.Import(t.Context(), into, strings.NewReader(file))
	if err != nil || added != want {
		t.Fatalf("Import = %+v, %v; want %+v", added, err, want)
	}
	if again, _ := export(t, into, archive.Selection{}); again != file {
		t.Error("what was imported is exported differently")
	}
	for id := range runs {
		a, err := from.Run(t.Context(), contractstest.RunID(int(id)+1))
		if err != nil {
			continue // the run that goes on has another number
		}
		b, err := into.Run(t.Context(), a.ID)
		if err != nil || !bytes.Equal(contractstest.Document(a.Summary), contractstest.Document(b.Summary)) || !bytes.Equal(a.Task, b.Task) {
			t.Errorf("run %s came out as\n%+v, %v\nwant\n%+v", a.ID, b, err, a)
		}
	}
	added, err = archive.Import(t.Context(), into, strings.NewReader(file))
	if err != nil || added.Runs != 0 || added.Events != 0 {
		t.Errorf("a second import added %+v, %v; want nothing", added, err)
	}
}

func TestExportSelects(t *testing.T) {
	t.Parallel()
	j := open(t)
	fill(t, j)
	ids := []contracts.RunID{contractstest.RunID(3), contractstest.RunID(1)}
	file, total := export(t, j, archive.Selection{Runs: ids, WithoutTools: true})
	if total.Runs != 2 || total.Tools != 0 || strings.Index(file, string(ids[0])) > strings.Index(file, string(ids[1])) {
		t.Errorf("exported %+v in the order\n%s", total, file)
	}
	_, total = export(t, j, archive.Selection{Query: journal.Query{States: []contracts.State{contracts.StateCancelled}}})
	if total.Runs != 1 {
		t.Errorf("%d cancelled runs, want 1", total.Runs)
	}
	_, err := archive.Export(t.Context(), j, archive.Selection{Runs: []contracts.RunID{contractstest.RunID(50)}}, &strings.Builder{})
	if !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("a run that does not exist gave %v, want ErrNotFound", err)
	}
}

// TestImportGoesOn cuts a file after each of its lines, imports the piece, and then the whole.
func TestImportGoesOn(t *testing.T) {
	t.Parallel()
	from := open(t)
	store(t, from, 1, contractstest.ApprovedRun(), len(contractstest.ApprovedRun().Events))
	store(t, from, 2, contractstest.DeniedRun(), len(contractstest.DeniedRun().Events))
	file, _ := export(t, from, archive.Selection{})
	lines := strings.SplitAfter(strings.TrimSuffix(file, "\n"), "\n")
	for n := range lines {
		into := open(t)
		if _, err := archive.Import(t.Context(), into, strings.NewReader(strings.Join(lines[:n], ""))); !errors.Is(err, archive.ErrShort) {
			t.Fatalf("after %d lines: %v, want ErrShort", n, err)
		}
		if _, err := archive.Import(t.Context(), into, strings.NewReader(file)); err != nil {
			t.Fatalf("again after %d lines: %v", n, err)
		}
		if again, _ := export(t, into, archive.Selection{}); again != file {
			t.Fatalf("a file that was cut after %d lines came in differently", n)
		}
	}
}

// TestImportRefuses spoils an export and names what must be said of it.
func TestImportRefuses(t *testing.T) {
	t.Parallel()
	from := open(t)
	run := contractstest.ApprovedRun()
	store(t, from, 1, run, len(run.Events))
	file, _ := export(t, from, archive.Selection{})
	lines := strings.SplitAfter(strings.TrimSuffix(file, "\n"), "\n")
	replace := func(old, other string) string {
		if !strings.Contains(file, old) {
			t.Fatalf("no %s to spoil in the file", old)
		}
		return strings.Replace(file, old, other, 1)
	}
	for name, test := range map[string]struct {
		file string
		want any // an error to find with errors.Is, or nil for a *RunError
	}{
		"nothing":                {"", archive.ErrShort},
		"half a line":            {strings.Join(lines[:4], "") + lines[4][:len(lines[4])/2], archive.ErrShort},
		"another format":         {replace(`"format":1`, `"format":2`), archive.ErrFormat},
		"no header":              {strings.Join(lines[1:], ""), archive.ErrFormat},
		"no JSON":                {"axiom25\n", archive.ErrFormat},
		"an unknown line":        {replace(`{"end":`, `{"fin":`), archive.ErrFormat},
		"a line behind the last": {file + lines[0], archive.ErrFormat},
		"an event of no run":     {lines[0] + lines[2], archive.ErrFormat},
		"a run within a run":     {lines[0] + lines[1] + lines[1], archive.ErrFormat},
		"a count too high":       {replace(`"total":{"tools":0,"runs":1`, `"total":{"tools":0,"runs":2`), archive.ErrShort},
		"an event left out":      {strings.Join(append(append([]string{}, lines[:4]...), lines[5:]...), ""), nil},
		"an event twice":         {strings.Join(append(append(append([]string{}, lines[:4]...), lines[3]), lines[4:]...), ""), nil},
		"the last event cut off": {strings.Join(append(append([]string{}, lines[:len(lines)-3]...), lines[len(lines)-2:]...), ""), nil},
		"a changed text":         {replace(`"by":"operator"`, `"by":"somebody"`), nil},
		"another task":           {replace(`\"goal\": \"`, `\"goal\": \"Do not `), nil},
		"a task that is none":    {replace(`\"schema_version\": 2`, `\"schema_version\": 9`), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			into := open(t)
			_, err := archive.Import(t.Context(), into, strings.NewReader(test.file))
			if want, ok := test.want.(error); ok {
				if !errors.Is(err, want) {
					t.Errorf("Import = %v, want %v", err, want)
				}
				return
			}
			refused, ok := errors.AsType[*archive.RunError](err)
			if !ok || refused.Run != contractstest.RunID(1) {
				t.Errorf("Import = %v, want a *RunError", err)
			}
		})
	}
}

func TestImportDoesNotBlameTheFileForTheJournal(t *testing.T) {
	t.Parallel()
	from := open(t)
	run := contractstest.ApprovedRun()
	store(t, from, 1, run, len(run.Events))
	file, _ := export(t, from, archive.Selection{})
	for _, want := range []error{journal.ErrBusy, journal.ErrFull, journal.ErrUnavailable, journal.ErrUnknown} {
		into := faultjournal.New(open(t))
		into.Fail(faultjournal.OpCreate, 1, want)
		_, err := archive.Import(t.Context(), into, strings.NewReader(file))
		if _, blamed := errors.AsType[*archive.RunError](err); blamed || !errors.Is(err, want) {
			t.Errorf("Import = %v, want %v and no *RunError", err, want)
		}
		if added, err := archive.Import(t.Context(), into, strings.NewReader(file)); err != nil || added.Runs != 1 {
			t.Errorf("the next Import: %+v, %v; want the run", added, err)
		}
	}
}

func TestImportRefusesARunThatIsThereAlready(t *testing.T) {
	t.Parallel()
	from := open(t)
	run := contractstest.ApprovedRun()
	store(t, from, 1, run, len(run.Events)-2)
	file, _ := export(t, from, archive.Selection{})
	for name, there := range map[string]func(into journal.Journal){
		"that went on":      func(into journal.Journal) { store(t, into, 1, run, len(run.Events)) },
		"with another task": func(into journal.Journal) { store(t, into, 1, contractstest.CancelledRun(), 3) },
	} {
		into := open(t)
		there(into)
		before, _ := export(t, into, archive.Selection{})
		_, err := archive.Import(t.Context(), into, strings.NewReader(file))
		if _, ok := errors.AsType[*archive.RunError](err); !ok {
			t.Errorf("a run %s: Import = %v, want a *RunError", name, err)
		}
		if after, _ := export(t, into, archive.Selection{}); after != before {
			t.Errorf("a run %s was changed", name)
		}
	}
}

// damaged is a journal in which a run is damaged and another was pruned.
type damaged struct {
	journal.Journal
	damaged, pruned contracts.RunID
}

func (d damaged) Read(ctx context.Context, id contracts.RunID, after contracts.Seq, maxEvents, maxBytes int) (journal.Page, error) {
	if id != d.damaged {
		return d.Journal.Read(ctx, id, after, maxEvents, maxBytes)
	}
	page, err := d.Journal.Read(ctx, id, after, 2, maxBytes)
	return page, errors.Join(err, &journal.DamagedError{Run: id, From: after + 3})
}

func (d damaged) Run(ctx context.Context, id contracts.RunID) (journal.Run, error) {
	if id == d.pruned {
		return journal.Run{ID: id}, journal.ErrPruned
	}
	return d.Journal.Run(ctx, id)
}

func TestExportLeavesOutWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	j := open(t)
	runs, _ := fill(t, j)
	file, total := export(t, damaged{j, contractstest.RunID(2), contractstest.RunID(4)}, archive.Selection{})
	if total.Runs != runs-2 || total.LeftOut != 2 {
		t.Errorf("exported %+v of %d runs, want 2 left out", total, runs)
	}
	for id, reason := range map[contracts.RunID]string{contractstest.RunID(2): "damaged", contractstest.RunID(4): "pruned"} {
		if !strings.Contains(file, fmt.Sprintf(`{"left_out":{"run_id":%q,"reason":%q}}`, id, reason)) {
			t.Errorf("the file does not say that %s is %s", id, reason)
		}
	}
	added, err := archive.Import(t.Context(), open(t), strings.NewReader(file))
	if err != nil || added.Runs != total.Runs {
		t.Errorf("Import = %+v, %v; want the %d whole runs", added, err, total.Runs)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	j := open(t)
	runs, events := fill(t, j)
	report, err := archive.Check(t.Context(), j, func(f archive.Finding) error {
		t.Errorf("in a sound journal: %s: %v", f.Run, f.Err)
		return nil
	})
	if err != nil || report.Runs != runs || report.Events != events || report.Finished != runs-1 || report.Tools != 1 {
		t.Fatalf("Check = %+v, %v; want %d runs with %d events", report, err, runs, events)
	}
}

// TestCheckFinds stores what no server would store, and names it.
func TestCheckFinds(t *testing.T) {
	t.Parallel()
	approved := contractstest.ApprovedRun()
	lines := func(change func(i int, ev *contracts.RunEvent)) [][]byte {
		var events [][]byte
		for i, ev := range contractstest.ApprovedRun().Events {
			change(i, &ev)
			events = append(events, contractstest.Document(ev))
		}
		return events
	}
	same := func(int, *contracts.RunEvent) {}
	row := func(events [][]byte) contracts.Summary {
		var state runstate.State
		for _, ev := range approved.Events {
			if err := state.Apply(ev); err != nil {
				t.Fatal(err)
			}
		}
		row := state.Snapshot().Summary
		row.LastSeq = contracts.Seq(len(events))
		return row
	}
	digest, err := contracts.DigestJSON(contractstest.Document(approved.Task))
	if err != nil {
		t.Fatal(err)
	}
	sound := func() journal.Run {
		return journal.Run{ID: contractstest.RunID(1), Task: contractstest.Document(approved.Task), TaskDigest: digest}
	}
	for name, spoil := range map[string]func(run *journal.Run, b *journal.Batch){
		"a broken chain of receipts": func(_ *journal.Run, b *journal.Batch) {
			b.Events = lines(func(_ int, ev *contracts.RunEvent) {
				if end, ok := ev.Data.(*contracts.ToolEndData); ok {
					changed := *end
					receipt := *end.Receipt
					receipt.LatencyMS++
					changed.Receipt = &receipt
					ev.Data = &changed
				}
			})
		},
		"a number out of order": func(_ *journal.Run, b *journal.Batch) {
			b.Events = lines(func(i int, ev *contracts.RunEvent) { ev.Seq += contracts.Seq(i / 3) })
		},
		"an event that is none": func(_ *journal.Run, b *journal.Batch) {
			b.Events = append(lines(same)[:3], []byte(`{"schema_version":2}`))
		},
		"another task": func(run *journal.Run, _ *journal.Batch) {
			run.Task = contractstest.Document(contractstest.CancelledRun().Task)
		},
		"a task that is none":    func(run *journal.Run, _ *journal.Batch) { run.Task = []byte(`{}`) },
		"a row of another time":  func(_ *journal.Run, b *journal.Batch) { b.Summary.UpdatedAt++ },
		"a row in another state": func(_ *journal.Run, b *journal.Batch) { b.Summary.State = contracts.StateFailed },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := open(t)
			run, batch := sound(), journal.Batch{Events: lines(same)}
			batch.Summary = row(batch.Events)
			spoil(&run, &batch)
			if err := j.Create(t.Context(), run, batch); err != nil {
				t.Fatal(err)
			}
			var found []archive.Finding
			report, err := archive.Check(t.Context(), j, func(f archive.Finding) error {
				found = append(found, f)
				return nil
			})
			if err != nil || len(found) != 1 || found[0].Run != run.ID || found[0].Err == nil || report.Findings != 1 {
				t.Errorf("Check found %v and %+v, %v; want one finding about the run", found, report, err)
			}
		})
	}
	t.Run("a tool under another name", func(t *testing.T) {
		t.Parallel()
		j := open(t)
		spec := contractstest.Document(contractstest.EngineTool("publish"))
		if err := j.PutTool(t.Context(), journal.Tool{Name: "other", Version: "1.0.0", Spec: spec, Digest: digest}); err != nil {
			t.Fatal(err)
		}
		stop := errors.New("enough")
		_, err := archive.Check(t.Context(), j, func(archive.Finding) error { return stop })
		if !errors.Is(err, stop) {
			t.Errorf("Check = %v, want what visit returned", err)
		}
	})
}
