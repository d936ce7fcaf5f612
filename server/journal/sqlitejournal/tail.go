package sqlitejournal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"sync"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// An append that changes nothing but the end of its run is made durable as a part of one row of the table log, together
// with those of other runs that share its commit: some pages that follow each other, where chunks of many runs would lie on
// as many pages. It stays in memory, in its run's tail, from where it is read, until it settles: it is then stored in chunks
// and runs, together with what was appended to the same run before and after. Whatever else changes a run settles it first.
const (
	// tailEntriesMin is how many appends a tail holds before it settles, and tailEntriesSpread how many more it is for some
	// runs than for others, so that runs that grow together do not settle together.
	tailEntriesMin, tailEntriesSpread = 32, 64
	// logEntryMax is how large an append may be to go to the log, in bytes. A larger one fills pages by itself.
	logEntryMax = 16 << 10
	// logRowsKept is how many rows of the log that are settled are deleted together.
	logRowsKept = 64
)

// entry is an append that is durable in the log.
type entry struct {
	chunk
	text []byte // the run's summary behind it, as it is stored
	k    int64  // the row of the log
}

// size is what the entry takes of logWriter.bytesMax.
func (e entry) size() int { return len(e.body) + len(e.text) }

// tail is what of a run has not settled. It is replaced, never changed: a reader keeps what it was given.
type tail struct {
	n       int64
	head    head // behind the last entry
	entries []entry
}

// last returns the entry at the end of the run; a tail has one at least.
func (t *tail) last() entry { return t.entries[len(t.entries)-1] }

// newer returns the summary of a run at its end: that of the row, or of the tail where it goes on behind the row. The tail,
// which may be nil, was taken before the row was read.
func (t *tail) newer(row head, text []byte) []byte {
	if t == nil || t.head.last <= row.last {
		return text
	}
	return t.last().text
}

// tails holds every run's tail. The writer alone changes it, when a commit has succeeded.
type tails struct {
	mu    sync.RWMutex
	byRun map[contracts.RunID]*tail
}

// of returns a run's tail, or nil. Who reads the file afterwards misses nothing: what has left a tail is in the file.
func (t *tails) of(id contracts.RunID) *tail {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byRun[id]
}

// all returns every tail there is.
func (t *tails) all() map[contracts.RunID]*tail {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return maps.Clone(t.byRun)
}

// tailStart is a run whose tail begins with row k of the log, before which written bytes were logged.
type tailStart struct {
	run     contracts.RunID
	k       int64
	written int64
}

// logWriter is the part of the writer that keeps the log.
type logWriter struct {
	tails *tails
	// queue has the tails in the order of their beginnings, and some that have settled since.
	queue []tailStart
	// bytes is what all tails hold. Above bytesMax the oldest settles, which bounds memory; and so it does with twice as much in
	// the rows behind its beginning, which bounds the time to open a file that was not closed: a run that rests would else keep
	// every row behind its own.
	bytes, bytesMax int
	// first is the first row that was not deleted, next the one to come.
	first, next int64
	// written is how many bytes the rows had that were logged since the file was opened, deleted or not.
	written int64

	// What follows belongs to the transaction that is under way, and counts for nothing when that fails.
	staged  []*appendWrite
	settled map[contracts.RunID]bool
	passed  int    // items at the head of queue that have settled
	dropTo  int64  // rows before it are deleted
	row     []byte // what staged is logged as
}

// logs reports whether an append can go to the log, and its tail take it.
func (l *logWriter) logs(op *appendWrite, before head) bool {
	if op.summary.State != before.state || before.state.Terminal() || len(op.chunk.body)+len(op.text) > logEntryMax {
		return false
	}
	t := l.tails.byRun[op.chunk.run]
	return t == nil || l.settled[op.chunk.run] || int64(len(t.entries)) < tailEntriesMin+before.n%tailEntriesSpread
}

// settle stores what of a run is in the log, that of this transaction included, where it is read once it left the tail.
func (w *writer) settle(id contracts.RunID) error {
	if err := w.settleTail(id); err != nil {
		return err
	}
	kept := w.log.staged[:0]
	for _, op := range w.log.staged {
		if op.chunk.run != id {
			kept = append(kept, op)
			continue
		}
		if err := w.insertChunk(op.head.n, op.chunk); err != nil {
			return err
		}
		if err := w.settleRun(id, op.head, op.text); err != nil {
			return err
		}
	}
	w.log.staged = kept
	return nil
}

// settleTail stores a run's tail.
func (w *writer) settleTail(id contracts.RunID) error {
	t := w.log.tails.byRun[id]
	if t == nil || w.log.settled[id] {
		return nil
	}
	size := 0
	for _, e := range t.entries {
		if err := w.insertChunk(t.n, e.chunk); err != nil {
			return err
		}
		size += len(e.body)
	}
	w.pages += 3 + size>>12
	w.log.settled[id] = true
	return w.settleRun(id, t.head, t.last().text)
}

// settleRun brings a run's row to the end of what has settled.
func (w *writer) settleRun(id contracts.RunID, h head, text []byte) error {
	if err := exec(w.stmt.updateRun, int64(h.last), text, int64(sumRun(id, h, text)), h.n); err != nil {
		return fmt.Errorf("update run %s: %w", id, err)
	}
	return nil
}

// writeLog ends a transaction: it logs what was staged, settles the oldest tails where there is too much in them or behind
// them, and deletes the rows that have settled.
func (w *writer) writeLog() error {
	l := &w.log
	l.row = l.row[:0]
	for _, op := range l.staged {
		l.row = appendEntry(l.row, op.head.n, op.chunk, op.text)
	}
	if err := w.settleOldest(); err != nil {
		return err
	}
	if len(l.staged) > 0 {
		if err := exec(w.stmt.insertLog, l.next, int64(sumLog(l.next, l.row)), l.row); err != nil {
			return fmt.Errorf("insert into the log: %w", err)
		}
	}
	l.dropTo = l.next
	if l.passed < len(l.queue) {
		l.dropTo = l.queue[l.passed].k
	}
	if l.dropTo < l.first+logRowsKept {
		l.dropTo = l.first
	} else if err := exec(w.stmt.deleteLog, l.dropTo); err != nil {
		return fmt.Errorf("delete from the log: %w", err)
	}
	if len(l.staged) == 0 && l.dropTo == l.first {
		return nil
	}
	last := l.next - 1
	if len(l.staged) > 0 {
		last = l.next
	}
	if err := exec(w.stmt.setLogSpan, l.dropTo, last); err != nil {
		return fmt.Errorf("note the span of the log: %w", err)
	}
	return nil
}

// settleOldest settles tails from the head of the queue on until what is left is within the bounds, and passes those that
// have settled before.
func (w *writer) settleOldest() error {
	l := &w.log
	for over := l.bytes - l.bytesMax; l.passed < len(l.queue); l.passed++ {
		oldest := l.queue[l.passed]
		t := l.startsAt(oldest)
		if t == nil {
			continue
		}
		if over <= 0 && l.written+int64(len(l.row))-oldest.written <= 2*int64(l.bytesMax) {
			return nil
		}
		if err := w.settleTail(oldest.run); err != nil {
			return err
		}
		for _, e := range t.entries {
			over -= e.size()
		}
	}
	return nil
}

// startsAt returns the tail that a queue's item stands for, or nil where it has settled, be it in this transaction.
func (l *logWriter) startsAt(s tailStart) *tail {
	t := l.tails.byRun[s.run]
	if t == nil || l.settled[s.run] || t.entries[0].k != s.k {
		return nil
	}
	return t
}

// committed takes what the transaction did into memory.
func (l *logWriter) committed() {
	l.queue = l.queue[l.passed:]
	l.tails.mu.Lock()
	defer l.tails.mu.Unlock()
	for id := range l.settled {
		for _, e := range l.tails.byRun[id].entries {
			l.bytes -= e.size()
		}
		delete(l.tails.byRun, id)
	}
	for _, op := range l.staged {
		id := op.chunk.run
		e := entry{chunk: op.chunk, text: op.text, k: l.next}
		l.bytes += e.size()
		t := &tail{n: op.head.n, head: op.head}
		if before := l.tails.byRun[id]; before != nil {
			t.entries = before.entries // a reader of the one before does not look behind its end
		} else {
			l.queue = append(l.queue, tailStart{id, l.next, l.written})
		}
		t.entries = append(t.entries, e)
		l.tails.byRun[id] = t
	}
	if len(l.staged) > 0 {
		l.next++
		l.written += int64(len(l.row))
	}
	l.first = l.dropTo
	l.forget()
}

// forget drops what the transaction had in mind.
func (l *logWriter) forget() {
	clear(l.staged)
	l.staged = l.staged[:0]
	clear(l.settled)
	l.passed, l.dropTo = 0, l.first
}

// settleAll empties the log, in one transaction: what its tails hold is bounded.
func (w *writer) settleAll() error {
	l := &w.log
	if l.first == l.next {
		return nil
	}
	if err := w.stmt.begin(); err != nil {
		return w.failed("begin", err)
	}
	for _, start := range l.queue {
		if l.startsAt(start) == nil {
			continue
		}
		if err := w.settleTail(start.run); err != nil {
			w.abort()
			return w.failed("settle", err)
		}
	}
	return w.endEmptying()
}

// endEmptying ends a transaction in which everything has settled.
func (w *writer) endEmptying() error {
	l := &w.log
	if err := errors.Join(exec(w.stmt.deleteLog, l.next), exec(w.stmt.setLogSpan, l.next, l.next-1)); err != nil {
		w.abort()
		return w.failed("empty the log", err)
	}
	if err := w.stmt.commit(); err != nil {
		w.abort()
		return w.commitFailed(err)
	}
	l.passed, l.dropTo = len(l.queue), l.next
	l.committed()
	return nil
}

// appendEntry appends an append to a row of the log.
func appendEntry(b []byte, n int64, c chunk, text []byte) []byte {
	b = binary.AppendVarint(b, n)
	b = binary.AppendUvarint(b, uint64(c.first)) //nolint:gosec // a seq is positive
	b = binary.AppendUvarint(b, uint64(c.last))  //nolint:gosec // a seq is positive
	if c.origin == nil {
		b = append(b, 0)
	} else {
		b = append(b, 1)
		b = binary.AppendVarint(b, int64(c.origin.After))
		b = appendFrame(b, []byte(c.origin.Digest))
	}
	b = binary.AppendUvarint(b, uint64(c.sum))
	b = appendFrame(b, text)
	return appendFrame(b, c.body)
}

// entryReader reads what appendEntry wrote.
type entryReader struct {
	rest   []byte
	broken bool
}

func (r *entryReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	return int64(skip(r, uint64(v), n)) //nolint:gosec // the same bits
}

func (r *entryReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	return skip(r, v, n)
}

// skip moves behind a number of n bytes.
func skip(r *entryReader, v uint64, n int) uint64 {
	if n <= 0 {
		r.broken, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *entryReader) frame() []byte {
	frame, rest, ok := nextFrame(r.rest)
	r.broken = r.broken || !ok
	r.rest = rest
	return frame
}

// next returns the next append; its chunk lacks the run's id.
func (r *entryReader) next() (n int64, e entry, ok bool) {
	n = r.varint()
	e.first, e.last = contracts.Seq(r.uvarint()), contracts.Seq(r.uvarint()) //nolint:gosec // as appendEntry wrote them
	if r.uvarint() != 0 {
		e.origin = &journal.Origin{After: contracts.Seq(r.varint())}
		e.origin.Digest = contracts.Digest(r.frame())
	}
	e.sum = checksum(r.uvarint()) //nolint:gosec // as appendEntry wrote it
	e.text, e.body = r.frame(), r.frame()
	return n, e, !r.broken
}

// errLogDamaged says that a file that was not closed has a log that cannot be read whole. What its appends were nobody can
// say any more, and a journal without them would be shorter than what was acknowledged.
var errLogDamaged = fmt.Errorf("the log of a file that was not closed is damaged: %w", &journal.DamagedError{})

// logError turns what the database says of pages that make no sense, or of an event that is there already, into damage of the
// log.
func logError(err error) error {
	if isDamage(err) || isConstraint(err) {
		return errors.Join(errLogDamaged, err)
	}
	return err
}

// recover settles what a process that was not closed left in the log, all or nothing. No context cuts it short: a file that was
// not settled cannot be used.
func (w *writer) recover() error {
	ctx := context.Background()
	l := &w.log
	var last int64
	row := w.conn.QueryRowContext(ctx, `SELECT first, last FROM log_span`)
	if err := row.Scan(&l.first, &last); errors.Is(err, sql.ErrNoRows) {
		return errLogDamaged
	} else if err != nil {
		return fmt.Errorf("read the span of the log: %w", logError(err))
	}
	l.next, l.dropTo = last+1, l.first
	var rest int64
	if err := w.conn.QueryRowContext(ctx, `SELECT count(*) FROM log WHERE k NOT BETWEEN ? AND ?`, l.first, last).Scan(&rest); err != nil {
		return fmt.Errorf("read the log: %w", logError(err))
	}
	if rest > 0 || l.first > l.next {
		return errLogDamaged
	}
	if l.first == l.next {
		return nil
	}
	if err := w.stmt.begin(); err != nil {
		return w.failed("begin", err)
	}
	for k := l.first; k <= last; k++ {
		if err := w.recoverRow(k); err != nil {
			w.abort()
			return w.failed(fmt.Sprintf("settle row %d of the log", k), logError(err))
		}
	}
	return w.endEmptying()
}

// recoverRow settles a row of the log, as far as it has not settled.
func (w *writer) recoverRow(k int64) error {
	var sum checksum
	var body []byte
	err := w.conn.QueryRowContext(context.Background(), `SELECT sum, body FROM log WHERE k = ?`, k).Scan(&sum, &body)
	if errors.Is(err, sql.ErrNoRows) || err == nil && sum != sumLog(k, body) {
		return errLogDamaged
	}
	if err != nil {
		return err
	}
	for r := (&entryReader{rest: body}); len(r.rest) > 0; {
		n, e, ok := r.next()
		if !ok {
			return errLogDamaged
		}
		if err := w.recoverEntry(n, e); err != nil {
			return err
		}
	}
	return nil
}

// recoverEntry settles an append, unless it has settled.
func (w *writer) recoverEntry(n int64, e entry) error {
	id, h, _, err := scanRun(w.conn.QueryRowContext(context.Background(), `SELECT `+runColumns+` FROM runs WHERE n = ?`, n))
	var damaged *journal.DamagedError
	switch {
	case errors.Is(err, sql.ErrNoRows), errors.As(err, &damaged):
		// The chunk is stored without the row, so that the row, should it be found in another way, does not end the run.
		return putChunk(w.stmt.restoreChunk, n, e.chunk)
	case err != nil:
		return err
	}
	if e.last <= h.last {
		return nil
	}
	if e.first != h.last+1 {
		return errLogDamaged
	}
	e.run, h.last = id, e.last
	if err := w.insertChunk(n, e.chunk); err != nil {
		return err
	}
	return w.settleRun(id, h, e.text)
}
