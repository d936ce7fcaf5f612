package sqlitejournal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"axiom25/contracts"
	"axiom25/server/journal"
)

const (
	// pruneBytes ends a slice of a pruning early, so that rows of megabytes hold up no append for long.
	pruneBytes = 256 << 10
	// freePagesKept is how many free pages the file keeps for what is appended next. Beyond them pages are given back to
	// the file system, vacuumPages at a time and only while nothing waits to be written.
	freePagesKept, vacuumPages = 256, 64
	// groupsBeforePruning is how many transactions of others go before a slice of a pruning while appends wait.
	groupsBeforePruning = 16
)

// selectFinished reads runs in the order of their ends.
const selectFinished = `SELECT ` + runColumns + ` FROM runs WHERE ended IS NOT NULL AND ended < ? ORDER BY ended, n LIMIT ?`

// endColumn is what runs.ended says of a run whose chunks are there.
func endColumn(s contracts.Summary) any {
	if !s.State.Terminal() {
		return nil
	}
	return int64(s.UpdatedAt)
}

// Finished implements journal.Retention. A run whose row is damaged is left out; Verify tells of it.
func (j *Journal) Finished(ctx context.Context, before contracts.Time, limit int) (runs []contracts.Summary, err error) {
	err = j.read(func() error {
		runs, err = j.reader.finishedRuns(ctx, before, min(max(limit, 1), 500))
		return err
	})
	return runs, err
}

func (r *reader) finishedRuns(ctx context.Context, before contracts.Time, limit int) (runs []contracts.Summary, err error) {
	rows, err := r.finished.QueryContext(ctx, int64(before), limit)
	if err != nil {
		return nil, readError(err, "", 0)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		id, _, text, err := scanRun(rows)
		if _, damaged := errors.AsType[*journal.DamagedError](err); damaged {
			continue
		}
		if err != nil {
			return runs, readError(err, id, 0)
		}
		summary, err := decodeSummary(id, text)
		if err != nil {
			continue
		}
		runs = append(runs, summary)
	}
	if err := rows.Err(); err != nil {
		return runs, readError(err, "", 0)
	}
	return runs, nil
}

// Prune implements journal.Retention. Slices give way to appends: they wait while others write, but not for ever. What a
// pruning leaves free is used by later appends, and given back to the file system while nothing is written.
func (j *Journal) Prune(ctx context.Context, id contracts.RunID, maxRows int) (more bool, err error) {
	op := &pruneWrite{run: id, maxRows: min(max(maxRows, 1), journal.MaxPruneRows)}
	if err := j.write(ctx, op); err != nil {
		return false, err
	}
	return op.more, nil
}

// pruneWrite is Journal.Prune.
type pruneWrite struct {
	run     contracts.RunID
	maxRows int

	more bool
}

// weight implements operation. A slice has a transaction of its own.
func (*pruneWrite) weight() (events, bytes int) { return commitEvents, 0 }

// apply implements operation.
func (op *pruneWrite) apply(w *writer) (refusal, err error) {
	if err := w.settle(op.run); err != nil {
		return nil, err
	}
	h, text, err := readRun(context.Background(), w.stmt.runByID, w.stmt.taskOfRun, op.run)
	if err != nil && text == nil { // a run whose last chunks are lost can be let go of
		return err, nil
	}
	if !h.state.Terminal() {
		return fmt.Errorf("prune run %s: %w", op.run, journal.ErrUnfinished), nil
	}
	w.forget(op.run)
	rows := 0
	if !h.pruned {
		if text, err = prunedSummary(op.run, text); err != nil {
			return err, nil
		}
		h.pruned = true
		if err := exec(w.stmt.pruneRun, text, int64(sumRun(op.run, h, text)), h.n); err != nil {
			return nil, fmt.Errorf("prune run %s: %w", op.run, err)
		}
		for _, stmt := range []string{`DELETE FROM tasks WHERE run = ?`, deleteLeaseRow} {
			if _, err := w.conn.ExecContext(context.Background(), stmt, op.run.String()); err != nil {
				return nil, fmt.Errorf("prune run %s: %w", op.run, err)
			}
		}
		rows = 1
	}
	if op.more, err = w.pruneChunks(h.n, op.maxRows-rows); err != nil {
		return nil, fmt.Errorf("prune run %s: %w", op.run, err)
	}
	if !op.more {
		if err := exec(w.stmt.endPruning, h.n); err != nil {
			return nil, fmt.Errorf("prune run %s: %w", op.run, err)
		}
	}
	w.vacuum = true
	return nil, nil
}

// pruneChunks deletes the last chunks of run n, at most maxRows of them, and reports whether others are left. The first
// goes last: what is left of a run is always its beginning.
func (w *writer) pruneChunks(n int64, maxRows int) (more bool, err error) {
	rows, err := w.stmt.lastChunks.QueryContext(context.Background(), placeOf(n, 0), placeOf(n, seqMax), maxRows+1)
	if err != nil {
		return false, err
	}
	var from int64
	taken, size := 0, 0
	for rows.Next() {
		var place int64
		var length int
		if err := rows.Scan(&place, &length); err != nil {
			return false, errors.Join(err, rows.Close())
		}
		if taken == maxRows || taken > 0 && size+length > pruneBytes {
			more = true
			break
		}
		from, taken, size = place, taken+1, size+length
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || taken == 0 {
		return more, err
	}
	w.pages += 8 + taken/4 + size>>16 // leaves, and what keeps count of the pages that fall free
	return more, exec(w.stmt.deleteChunks, from, placeOf(n, seqMax))
}

// prunedSummary returns a stored summary with Pruned set.
func prunedSummary(id contracts.RunID, text []byte) ([]byte, error) {
	summary, err := decodeSummary(id, text)
	if err != nil {
		return nil, err
	}
	summary.Pruned = true
	if text, err = json.Marshal(summary); err != nil {
		return nil, fmt.Errorf("encode summary of run %s: %w", id, err)
	}
	return text, nil
}

// vacuumStep gives some free pages back to the file system, and reports whether there is more to do.
func (w *writer) vacuumStep() (more bool, err error) {
	var free int
	if err := w.conn.QueryRowContext(context.Background(), "PRAGMA freelist_count").Scan(&free); err != nil {
		return false, err
	}
	if free <= freePagesKept {
		return false, nil
	}
	// The statement gives a row a page, and stops with whoever reads them.
	rows, err := w.conn.QueryContext(context.Background(), fmt.Sprintf("PRAGMA incremental_vacuum(%d)", min(vacuumPages, free-freePagesKept)))
	if err != nil {
		return false, err
	}
	for rows.Next() {
		continue // nothing is in them
	}
	w.pages += 2 * vacuumPages
	return true, errors.Join(rows.Err(), rows.Close())
}

// tidy takes a step of work that can wait, and reports whether there is more.
func (w *writer) tidy() (more bool) {
	if !w.vacuum || w.brokenBy() != nil {
		return false
	}
	more, err := w.vacuumStep()
	if err != nil {
		// What a step before did not finish the next pruning takes up.
		w.vacuum = false
		w.checkpointFailed(err)
		return false
	}
	w.vacuum = more
	w.checkpointIfDue()
	return more
}

// Size implements journal.Retention. Bytes are those of the file's pages that are in use: what is free is written to again
// or given back, and the log's size changes with the load alone.
func (j *Journal) Size(ctx context.Context) (size journal.Size, err error) {
	err = j.read(func() error {
		size, err = j.reader.size(ctx)
		return err
	})
	return size, err
}

func (r *reader) size(ctx context.Context) (journal.Size, error) {
	var s journal.Size
	row := r.db.QueryRowContext(ctx, `SELECT count(*), ifnull(sum(pruned), 0), ifnull(sum(last * (1 - pruned)), 0) FROM runs`)
	if err := row.Scan(&s.Runs, &s.Tombstones, &s.Events); err != nil {
		return journal.Size{}, readError(err, "", 0)
	}
	s.Runs -= s.Tombstones
	var err error
	s.Bytes, err = r.bytes(ctx)
	return s, err
}

// bytes returns what the pages in use take.
func (r *reader) bytes(ctx context.Context) (n int64, err error) {
	row := r.db.QueryRowContext(ctx, `SELECT (page_count - freelist_count) * page_size
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size`)
	if err := row.Scan(&n); err != nil {
		return 0, readError(err, "", 0)
	}
	return n, nil
}
