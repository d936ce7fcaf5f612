package sqlitejournal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// head is what a row of runs says beside its summary.
type head struct {
	n       int64
	created contracts.Time
	goal    string
	state   contracts.State
	last    contracts.Seq
	epoch   int64 // of the latest lease, or 0
	pruned  bool  // or being pruned
}

// prunedColumn is how head.pruned is stored.
func prunedColumn(pruned bool) int64 {
	if pruned {
		return 1
	}
	return 0
}

// querier is the part of a prepared statement that reads a row; a writer's and a reader's are alike.
type querier interface {
	QueryRowContext(ctx context.Context, args ...any) *sql.Row
}

// scanner is a row under a cursor.
type scanner interface {
	Scan(dest ...any) error
}

// Statements that readers and the writer share.
const (
	runColumns = `n, id, created, goal, state, last, summary, sum, epoch, pruned`

	// The last chunk's own end is read beside the row in one statement, which sees one state of the file: a row
	// that an older version of its page brought back does not pass.
	selectRun = `SELECT ` + runColumns + `,
		ifnull((SELECT last FROM chunks WHERE place BETWEEN n << 32 AND n << 32 | 0xffffffff ORDER BY place DESC LIMIT 1), 0)
		FROM runs WHERE id = ?`

	selectTaskOfRun = `SELECT run, ifnull(key, ''), digest, body, sum FROM tasks WHERE run = ?`
	selectTaskOfKey = `SELECT run, ifnull(key, ''), digest, body, sum FROM tasks WHERE key = ?`
)

// scanRun reads runColumns, and what more follows them, and verifies the checksum. A row that does not match
// gives a *journal.DamagedError with From 0.
func scanRun(row scanner, more ...any) (id contracts.RunID, h head, summary []byte, err error) {
	var sum checksum
	dest := append([]any{&h.n, &id, &h.created, &h.goal, &h.state, &h.last, &summary, &sum, &h.epoch, &h.pruned}, more...)
	if err := row.Scan(dest...); err != nil {
		return id, h, nil, err
	}
	if sum != sumRun(id, h, summary) {
		return id, h, nil, &journal.DamagedError{Run: id}
	}
	return id, h, summary, nil
}

// readRun returns a run's row. Where the row and the chunks disagree about the end of the run, the row is
// returned with a *journal.DamagedError whose From is behind the end that the row knows. A pruned run has no chunks to
// agree with.
func readRun(ctx context.Context, byID, task querier, id contracts.RunID) (h head, summary []byte, err error) {
	var tail contracts.Seq
	_, h, summary, err = scanRun(byID.QueryRowContext(ctx, id.String()), &tail)
	if errors.Is(err, sql.ErrNoRows) {
		return head{}, nil, missingRun(ctx, task, id)
	}
	if err != nil {
		return head{}, nil, readError(err, id, 0)
	}
	if tail != h.last && !h.pruned {
		return h, summary, &journal.DamagedError{Run: id, From: h.last + 1}
	}
	return h, summary, nil
}

// prunedRun says that a run's history is gone.
func prunedRun(id contracts.RunID) error { return fmt.Errorf("run %s: %w", id, journal.ErrPruned) }

// missingRun tells a run that never was from one whose row cannot be found any more.
func missingRun(ctx context.Context, task querier, id contracts.RunID) error {
	_, err := scanTask(task.QueryRowContext(ctx, id.String()))
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("run %s: %w", id, journal.ErrNotFound)
	}
	if err != nil {
		return readError(err, id, 0)
	}
	return &journal.DamagedError{Run: id}
}

// scanTask reads a row of tasks and verifies its checksum.
func scanTask(row scanner) (journal.Run, error) {
	var run journal.Run
	var sum checksum
	if err := row.Scan(&run.ID, &run.Key, &run.TaskDigest, &run.Task, &sum); err != nil {
		return journal.Run{}, err
	}
	if sum != sumTask(run) {
		return journal.Run{}, &journal.DamagedError{Run: run.ID}
	}
	return run, nil
}

// decodeSummary reads a summary as prepareBatch encoded it.
func decodeSummary(id contracts.RunID, text []byte) (contracts.Summary, error) {
	var s contracts.Summary
	if err := json.Unmarshal(text, &s); err != nil {
		return contracts.Summary{}, errors.Join(&journal.DamagedError{Run: id}, err)
	}
	return s, nil
}

// readError turns an error of the database into the journal's: damage from event from on, or itself. The id is
// empty where it is not known which run was being read.
func readError(err error, id contracts.RunID, from contracts.Seq) error {
	if damaged, ok := errors.AsType[*journal.DamagedError](err); ok {
		return damaged
	}
	if isDamage(err) {
		return errors.Join(&journal.DamagedError{Run: id, From: from}, err)
	}
	if id == "" {
		return fmt.Errorf("read runs: %w", err)
	}
	return fmt.Errorf("read run %s: %w", id, err)
}
