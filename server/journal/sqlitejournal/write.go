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

// writeStatements are prepared once on the writer's connection.
type writeStatements struct {
	beginImmediate, commitAll, rollbackAll              *sql.Stmt
	runByID, taskOfRun, taskOfKey                       *sql.Stmt
	insertRun, setRunSum, updateRun, updateRunState     *sql.Stmt
	insertTask, insertLabel, insertChunk                *sql.Stmt
	insertLog, deleteLog, setLogSpan, restoreChunk      *sql.Stmt
	lastChunks, deleteChunks, pruneRun, endPruning      *sql.Stmt
	leaseOfRun, putLease, deleteLease, updateRunEpoch   *sql.Stmt
	toolByName, putTool, deleteTool, deleteToolVersions *sql.Stmt

	all []*sql.Stmt
}

// prepareWrites prepares the statements.
func prepareWrites(ctx context.Context, conn *sql.Conn) (*writeStatements, error) {
	s := &writeStatements{}
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&s.beginImmediate, `BEGIN IMMEDIATE`},
		{&s.commitAll, `COMMIT`},
		{&s.rollbackAll, `ROLLBACK`},
		{&s.runByID, selectRun},
		{&s.taskOfRun, selectTaskOfRun},
		{&s.taskOfKey, selectTaskOfKey},
		{&s.insertRun, `INSERT INTO runs (id, created, goal, state, last, summary, sum, ended) VALUES (?, ?, ?, ?, ?, ?, 0, ?)`},
		{&s.setRunSum, `UPDATE runs SET sum = ? WHERE n = ?`},
		// SQLite rewrites the index on state whenever state is assigned, even to itself.
		{&s.updateRun, `UPDATE runs SET last = ?, summary = ?, sum = ? WHERE n = ?`},
		{&s.updateRunState, `UPDATE runs SET last = ?, summary = ?, sum = ?, state = ?, ended = ? WHERE n = ?`},
		{&s.insertTask, `INSERT INTO tasks (n, run, key, digest, body, sum) VALUES (?, ?, nullif(?, ''), ?, ?, ?)`},
		{&s.insertLabel, `INSERT INTO labels (name, value, run) VALUES (?, ?, ?)`},
		{&s.insertChunk, `INSERT INTO chunks (` + chunkColumns + `) VALUES (?, ?, ?, ?, ?, ?)`},
		{&s.restoreChunk, `INSERT OR IGNORE INTO chunks (` + chunkColumns + `) VALUES (?, ?, ?, ?, ?, ?)`},
		{&s.insertLog, `INSERT INTO log (k, sum, body) VALUES (?, ?, ?)`},
		{&s.deleteLog, `DELETE FROM log WHERE k < ?`},
		{&s.setLogSpan, `UPDATE log_span SET first = ?, last = ?`},
		{&s.lastChunks, `SELECT place, length(body) FROM chunks WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT ?`},
		{&s.deleteChunks, `DELETE FROM chunks WHERE place BETWEEN ? AND ?`},
		{&s.pruneRun, `UPDATE runs SET pruned = 1, summary = ?, sum = ? WHERE n = ?`},
		{&s.endPruning, `UPDATE runs SET ended = NULL WHERE n = ? AND ended IS NOT NULL`},
		{&s.leaseOfRun, selectLease},
		{&s.putLease, `REPLACE INTO leases (` + leaseColumns + `) VALUES (?, ?, ?, ?, ?, ?)`},
		{&s.deleteLease, `DELETE FROM leases WHERE run = ? AND epoch = ?`},
		{&s.updateRunEpoch, `UPDATE runs SET epoch = ?, sum = ? WHERE n = ?`},
		{&s.toolByName, `SELECT name, version, digest, spec, sum FROM tools WHERE name = ? AND version = ?`},
		{&s.putTool, `REPLACE INTO tools (name, version, digest, spec, sum) VALUES (?, ?, ?, ?, ?)`},
		{&s.deleteTool, `DELETE FROM tools WHERE name = ? AND version = ?`},
		{&s.deleteToolVersions, `DELETE FROM tools WHERE name = ?`},
	} {
		stmt, err := conn.PrepareContext(ctx, p.text)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("prepare %q: %w", p.text, err), s.close())
		}
		*p.stmt = stmt
		s.all = append(s.all, stmt)
	}
	return s, nil
}

// close releases the statements, which database/sql, unlike those of a pool, does not close with their connection.
func (s *writeStatements) close() error {
	var err error
	for _, stmt := range s.all {
		err = errors.Join(err, stmt.Close())
	}
	return err
}

// begin opens a transaction that nobody else can write beside.
func (s *writeStatements) begin() error { return exec(s.beginImmediate) }

// commit makes the transaction durable.
func (s *writeStatements) commit() error { return exec(s.commitAll) }

// rollback ends the transaction. Its only error is that SQLite has ended it before, after one of its own.
func (s *writeStatements) rollback() { _ = exec(s.rollbackAll) }

// exec runs a statement for its effect. No context ends it: what a transaction does belongs to several callers.
func exec(stmt *sql.Stmt, args ...any) error {
	_, err := stmt.ExecContext(context.Background(), args...)
	return err
}

// preparedBatch is a batch ready to be stored, so that the writer has little to do.
type preparedBatch struct {
	chunk   chunk
	epoch   int64 // journal.Batch.Epoch
	summary contracts.Summary
	text    []byte // the summary as it is stored
	events  int
}

// prepareBatch checks a batch against the limits and encodes it. The journal itself fills in what it knows
// better than the caller: the summary's run and last seq.
func prepareBatch(id contracts.RunID, b journal.Batch) (preparedBatch, error) {
	size := 0
	for _, event := range b.Events {
		size += len(event)
	}
	last := b.After + contracts.Seq(len(b.Events))
	switch {
	case len(b.Events) == 0:
		return preparedBatch{}, journal.ErrEmpty
	case len(b.Events) > journal.MaxBatchEvents, size > journal.MaxBatchBytes, last > seqMax:
		return preparedBatch{}, journal.ErrTooLarge
	}
	p := preparedBatch{epoch: b.Epoch, summary: b.Summary, events: len(b.Events)}
	p.summary.RunID, p.summary.LastSeq = id, last
	var err error
	if p.text, err = json.Marshal(p.summary); err != nil {
		return preparedBatch{}, fmt.Errorf("encode summary of run %s: %w", id, err)
	}
	p.chunk = chunk{run: id, first: b.After + 1, last: last, origin: b.Origin, body: frameEvents(b.Events)}
	p.chunk.sum = sumChunk(p.chunk)
	return p, nil
}

// weight implements operation.
func (p preparedBatch) weight() (events, bytes int) { return p.events, len(p.chunk.body) + len(p.text) }

// insertChunk stores the batch's events.
func (w *writer) insertChunk(n int64, c chunk) error { return putChunk(w.stmt.insertChunk, n, c) }

// putChunk stores a chunk with a statement that takes its columns.
func putChunk(stmt *sql.Stmt, n int64, c chunk) error {
	var after, digest any
	if c.origin != nil {
		after, digest = int64(c.origin.After), string(c.origin.Digest)
	}
	if err := exec(stmt, placeOf(n, c.first), int64(c.last), after, digest, int64(c.sum), c.body); err != nil {
		return fmt.Errorf("insert chunk of run %s: %w", c.run, err)
	}
	return nil
}

// head returns the end of a run, or the refusal of a write that needs one.
func (w *writer) head(id contracts.RunID) (h head, refusal error) {
	if h, ok := w.heads[id]; ok {
		return h, nil
	}
	h, _, err := readRun(context.Background(), w.stmt.runByID, w.stmt.taskOfRun, id)
	if err != nil {
		return head{}, err
	}
	if t := w.log.tails.byRun[id]; t != nil && !w.log.settled[id] {
		h = t.head
	}
	for _, op := range w.log.staged {
		if op.chunk.run == id {
			h = op.head
		}
	}
	w.remember(id, h)
	return h, nil
}

// remember keeps the end of a run, and forgets all others before they are too many.
func (w *writer) remember(id contracts.RunID, h head) {
	if len(w.heads) >= w.headsMax {
		clear(w.heads)
	}
	w.heads[id] = h
}

// forget drops what is known of the end of a run.
func (w *writer) forget(id contracts.RunID) { delete(w.heads, id) }

// createWrite is Journal.Create.
type createWrite struct {
	preparedBatch
	run journal.Run
}

// weight implements operation.
func (op *createWrite) weight() (events, bytes int) {
	events, bytes = op.preparedBatch.weight()
	return events, bytes + len(op.run.Task)
}

// apply implements operation.
func (op *createWrite) apply(w *writer) (refusal, err error) {
	if refusal := w.refuseCreate(op.run.ID, op.run.Key); refusal != nil {
		return refusal, nil
	}
	h := head{created: op.summary.CreatedAt, goal: op.summary.Goal, state: op.summary.State, last: op.chunk.last}
	result, err := w.stmt.insertRun.ExecContext(context.Background(),
		op.run.ID.String(), int64(h.created), h.goal, string(h.state), int64(h.last), op.text, endColumn(op.summary))
	if err != nil {
		return nil, fmt.Errorf("insert run %s: %w", op.run.ID, err)
	}
	if h.n, err = result.LastInsertId(); err != nil {
		return nil, fmt.Errorf("insert run %s: %w", op.run.ID, err)
	}
	if err := exec(w.stmt.setRunSum, int64(sumRun(op.run.ID, h, op.text)), h.n); err != nil {
		return nil, fmt.Errorf("insert run %s: %w", op.run.ID, err)
	}
	err = exec(w.stmt.insertTask, h.n, op.run.ID.String(), op.run.Key, string(op.run.TaskDigest), notNil(op.run.Task), int64(sumTask(op.run)))
	if err != nil {
		return nil, fmt.Errorf("insert task of run %s: %w", op.run.ID, err)
	}
	for name, value := range op.summary.Labels {
		if err := exec(w.stmt.insertLabel, name, value, op.run.ID.String()); err != nil {
			return nil, fmt.Errorf("insert label of run %s: %w", op.run.ID, err)
		}
	}
	if err := w.insertChunk(h.n, op.chunk); err != nil {
		return nil, err
	}
	w.remember(op.run.ID, h)
	return nil, nil
}

// refuseCreate returns why a run cannot be created, or nil. That it exists comes before whose the key is, so
// that the same create tried again meets itself.
func (w *writer) refuseCreate(id contracts.RunID, key string) error {
	h, err := w.head(id)
	if err == nil {
		return &journal.ConflictError{Run: id, Last: h.last}
	}
	if !errors.Is(err, journal.ErrNotFound) {
		return err
	}
	if key == "" {
		return nil
	}
	owner, err := scanTask(w.stmt.taskOfKey.QueryRowContext(context.Background(), key))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return readError(err, "", 0)
	}
	return &journal.KeyTakenError{Run: owner.ID, TaskDigest: owner.TaskDigest}
}

// appendWrite is Journal.Append.
type appendWrite struct {
	preparedBatch

	head head // the run's end behind the batch, once it was applied
}

// apply implements operation.
func (op *appendWrite) apply(w *writer) (refusal, err error) {
	id := op.chunk.run
	h, refusal := w.head(id)
	if refusal != nil {
		return refusal, nil
	}
	if h.pruned {
		return prunedRun(id), nil
	}
	if op.epoch != 0 && op.epoch < h.epoch {
		return lostLease(id, op.epoch), nil
	}
	if h.last+1 != op.chunk.first {
		return &journal.ConflictError{Run: id, Last: h.last}, nil
	}
	before := h
	h.state, h.last = op.summary.State, op.chunk.last
	if w.log.logs(op, before) {
		op.head = h
		w.log.staged = append(w.log.staged, op)
		w.remember(id, h)
		return nil, nil
	}
	if err := w.settle(id); err != nil {
		return nil, err
	}
	sum := sumRun(id, h, op.text)
	if h.state == before.state && !h.state.Terminal() {
		err = exec(w.stmt.updateRun, int64(h.last), op.text, int64(sum), h.n)
	} else {
		err = exec(w.stmt.updateRunState, int64(h.last), op.text, int64(sum), string(h.state), endColumn(op.summary), h.n)
	}
	if err != nil {
		return nil, fmt.Errorf("update run %s: %w", id, err)
	}
	if err := w.insertChunk(h.n, op.chunk); err != nil {
		return nil, err
	}
	w.remember(id, h)
	return nil, nil
}

// putToolWrite is Journal.PutTool.
type putToolWrite struct {
	tool journal.Tool
}

// weight implements operation.
func (op *putToolWrite) weight() (events, bytes int) { return 1, len(op.tool.Spec) }

// apply implements operation.
func (op *putToolWrite) apply(w *writer) (refusal, err error) {
	t := op.tool
	there, err := scanTool(w.stmt.toolByName.QueryRowContext(context.Background(), t.Name, t.Version))
	var damaged *journal.DamagedError
	switch {
	case errors.Is(err, sql.ErrNoRows), errors.As(err, &damaged): // what is put takes the place of what is lost
	case err != nil:
		return nil, fmt.Errorf("look for tool %s@%s: %w", t.Name, t.Version, err)
	case there.Digest == t.Digest:
		return nil, nil // a commit without changes costs no fsync
	default:
		return &journal.ToolConflictError{Name: t.Name, Version: t.Version}, nil
	}
	if err := exec(w.stmt.putTool, t.Name, t.Version, string(t.Digest), notNil(t.Spec), int64(sumTool(t))); err != nil {
		return nil, fmt.Errorf("put tool %s@%s: %w", t.Name, t.Version, err)
	}
	return nil, nil
}

// deleteToolWrite is Journal.DeleteTool.
type deleteToolWrite struct {
	name, version string
}

// weight implements operation.
func (*deleteToolWrite) weight() (events, bytes int) { return 1, 0 }

// apply implements operation.
func (op *deleteToolWrite) apply(w *writer) (refusal, err error) {
	var result sql.Result
	if op.version == "" {
		result, err = w.stmt.deleteToolVersions.ExecContext(context.Background(), op.name)
	} else {
		result, err = w.stmt.deleteTool.ExecContext(context.Background(), op.name, op.version)
	}
	if err != nil {
		return nil, fmt.Errorf("delete tool %s: %w", op.name, err)
	}
	deleted, err := result.RowsAffected()
	if err != nil {
		return nil, fmt.Errorf("delete tool %s: %w", op.name, err)
	}
	if deleted == 0 {
		return fmt.Errorf("tool %s: %w", op.name, journal.ErrNotFound), nil
	}
	return nil, nil
}

// probeWrite writes a page that says what it said before.
type probeWrite struct{}

// weight implements operation.
func (probeWrite) weight() (events, bytes int) { return 1, 0 }

// apply implements operation.
func (probeWrite) apply(w *writer) (refusal, err error) {
	_, err = w.conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	return nil, err
}

// notNil returns b, or an empty slice where the driver would store NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
