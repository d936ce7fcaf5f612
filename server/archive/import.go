package archive

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/server/journal"
)

// maxLine is more than any line takes, in bytes: a document of 1 MiB as a string of which each byte is escaped.
const maxLine = 8 << 20

var (
	// ErrFormat says that a file is not what Export writes.
	ErrFormat = errors.New("archive: not an export of format 1")
	// ErrShort says that a file ends before its end. The runs before it were imported.
	ErrShort = errors.New("archive: the file ends early")
)

// RunError says that a run of the file was not imported, or not whole: with what was added of it before, it is as an
// import that was interrupted leaves it.
type RunError struct {
	Run contracts.RunID
	Err error
}

// Error implements error.
func (e *RunError) Error() string { return fmt.Sprintf("archive: run %s: %v", e.Run, e.Err) }

// Unwrap returns the cause.
func (e *RunError) Unwrap() error { return e.Err }

// Import adds what r holds to a journal, and returns what it added. What is there already with the same content is passed
// over; a run that is there with other events is a *RunError, and a journal that cannot be written is its own error. An error leaves what was added before; the same import
// again goes on behind it.
func Import(ctx context.Context, into journal.Journal, r io.Reader) (Total, error) {
	i := importer{into: into}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := i.line(ctx, lines.Bytes()); err != nil {
			return i.added, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return i.added, fmt.Errorf("read the file: %w", err)
	}
	if !i.ended {
		return i.added, ErrShort
	}
	return i.added, nil
}

// importer is one import under way.
type importer struct {
	into  journal.Journal
	added Total
	// seen is what the lines so far hold, whether it was there already or not.
	seen         Total
	begun, ended bool
	run          *incoming
}

// line takes one line.
func (i *importer) line(ctx context.Context, text []byte) error {
	var l line
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&l); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return ErrShort // within the line
		}
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	inRun := l.Event != nil || l.End != nil
	switch {
	case i.ended, i.begun == (l.Export != nil), inRun != (i.run != nil):
		return ErrFormat
	case l.Export != nil:
		if l.Export.Format != Format {
			return ErrFormat
		}
		i.begun = true
		return nil
	case l.Tool != nil:
		return i.tool(ctx, l.Tool)
	case l.Run != nil:
		return i.start(ctx, l.Run)
	case l.Event != nil:
		return i.run.event(ctx, l.Event)
	case l.End != nil:
		return i.end(ctx, l.End)
	case l.LeftOut != nil:
		i.seen.LeftOut++
		return nil
	case l.Total != nil:
		i.ended = true
		if *l.Total != i.seen {
			return fmt.Errorf("%w: lines are missing", ErrShort)
		}
		return nil
	}
	return ErrFormat
}

// tool adds a version of a tool.
func (i *importer) tool(ctx context.Context, t *toolLine) error {
	spec := []byte(t.Spec)
	if _, err := contracts.Decode[contracts.ToolSpec](spec); err != nil {
		return fmt.Errorf("tool %s@%s: %w", t.Name, t.Version, err)
	}
	if digest, err := contracts.DigestJSON(spec); err != nil || digest != t.Digest {
		return fmt.Errorf("tool %s@%s: its digest does not fit", t.Name, t.Version)
	}
	if err := i.into.PutTool(ctx, journal.Tool{Name: t.Name, Version: t.Version, Spec: spec, Digest: t.Digest}); err != nil {
		return fmt.Errorf("tool %s@%s: %w", t.Name, t.Version, err)
	}
	i.seen.Tools++
	i.added.Tools++
	return nil
}

// start begins a run.
func (i *importer) start(ctx context.Context, l *runLine) error {
	task := []byte(l.Task)
	if _, err := contracts.Decode[contracts.TaskSpec](task); err != nil {
		return &RunError{l.RunID, err}
	}
	if digest, err := contracts.DigestJSON(task); err != nil || digest != l.TaskDigest {
		return &RunError{l.RunID, errors.New("the digest of its task does not fit")}
	}
	run := &incoming{
		importer: i, digest: sha256.New(),
		stored: journal.Run{ID: l.RunID, Task: task, TaskDigest: l.TaskDigest, Key: l.Key},
		row:    contracts.Summary{Goal: l.Goal, Labels: l.Labels},
	}
	there, err := i.into.Run(ctx, l.RunID)
	switch {
	case errors.Is(err, journal.ErrNotFound):
	case err != nil:
		return &RunError{l.RunID, err}
	case there.TaskDigest != l.TaskDigest || there.Key != l.Key:
		return &RunError{l.RunID, errors.New("another run has its id")}
	default:
		run.there = there.Summary.LastSeq
	}
	i.run = run
	return nil
}

// end ends a run.
func (i *importer) end(ctx context.Context, l *endLine) error {
	run := i.run
	i.run = nil
	if l.RunID != run.stored.ID || l.Events != int64(run.state.LastSeq()) || l.Digest != sum(run.digest) {
		return &RunError{run.stored.ID, errors.New("its events are not those that were exported")}
	}
	if err := run.flush(ctx); err != nil {
		return err
	}
	if run.there > run.state.LastSeq() {
		return &RunError{run.stored.ID, errors.New("it has gone on since it was exported")}
	}
	i.seen.Runs++
	i.seen.Events += l.Events
	if run.grew {
		i.added.Runs++
	}
	return nil
}

// incoming is a run whose events come in.
type incoming struct {
	*importer
	stored journal.Run
	row    contracts.Summary // goal and labels
	state  runstate.State
	digest hash.Hash
	// there is the last event that the journal has of it; page is what was read of those, to be compared.
	there contracts.Seq
	page  []journal.Event
	// batch are the events that wait to be stored.
	batch [][]byte
	size  int
	grew  bool
}

// event takes the next event.
func (r *incoming) event(ctx context.Context, doc []byte) error {
	ev, err := contracts.DecodeEvent(doc)
	if err != nil {
		return &RunError{r.stored.ID, err}
	}
	if ev.RunID != r.stored.ID {
		return &RunError{r.stored.ID, fmt.Errorf("event %d is another run's", ev.Seq)}
	}
	if header, ok := ev.Data.(*contracts.StatusData); ok && ev.Seq == 1 && header.TaskDigest != r.stored.TaskDigest {
		return &RunError{r.stored.ID, errors.New("its first event names another task")}
	}
	// The batch that waits goes first where this event is too much for it, and its row shows the run as it was then.
	if len(r.batch) == pageEvents || r.size+len(doc) > pageBytes {
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	if err := r.state.Apply(ev); err != nil {
		return &RunError{r.stored.ID, err}
	}
	writeEvent(r.digest, doc)
	if ev.Seq <= r.there {
		return r.compare(ctx, ev.Seq, doc)
	}
	r.batch = append(r.batch, bytes.Clone(doc))
	r.size += len(doc)
	return nil
}

// compare holds an event against the one that is there already.
func (r *incoming) compare(ctx context.Context, seq contracts.Seq, doc []byte) error {
	if len(r.page) == 0 {
		page, err := r.into.Read(ctx, r.stored.ID, seq-1, pageEvents, pageBytes)
		if err != nil {
			return &RunError{r.stored.ID, err}
		}
		r.page = page.Events
	}
	if len(r.page) == 0 || r.page[0].Seq != seq || !bytes.Equal(r.page[0].JSON, doc) {
		return &RunError{r.stored.ID, fmt.Errorf("event %d is there already, and another", seq)}
	}
	r.page = r.page[1:]
	return nil
}

// flush stores the events that wait.
func (r *incoming) flush(ctx context.Context) error {
	if len(r.batch) == 0 {
		return nil
	}
	row := r.state.Snapshot().Summary
	row.Goal, row.Labels = r.row.Goal, r.row.Labels
	after := r.state.LastSeq() - contracts.Seq(len(r.batch))
	b := journal.Batch{After: after, Events: r.batch, Summary: row}
	var err error
	if after == 0 {
		r.stored.Summary = row
		err = r.into.Create(ctx, r.stored, b)
	} else {
		err = r.into.Append(ctx, r.stored.ID, b)
	}
	switch {
	case errors.Is(err, journal.ErrBusy), errors.Is(err, journal.ErrFull), errors.Is(err, journal.ErrUnavailable), errors.Is(err, journal.ErrUnknown):
		return fmt.Errorf("archive: run %s: %w", r.stored.ID, err)
	case err != nil:
		return &RunError{r.stored.ID, err}
	}
	r.added.Events += int64(len(r.batch))
	r.batch, r.size, r.grew = nil, 0, true
	return nil
}
