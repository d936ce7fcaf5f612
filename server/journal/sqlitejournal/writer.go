package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"axiom25/contracts"
	"axiom25/server/journal"
)

const (
	// Commits of about checkpointPages pages of 4 KiB are copied from the log to the file together. It is
	// small enough for a pause of a few milliseconds and large enough to make its fsync rare.
	checkpointPages = 2000
	// logPagesMax is how long the log may grow behind readers that never pause, in pages: beyond it the next
	// checkpoint waits for them.
	logPagesMax = 16 * checkpointPages
	// logPatience is how long such a checkpoint waits, in milliseconds, while appends wait for it.
	logPatience = 50
	// logBytesKept is how much of the log's file is kept for reuse once it was copied.
	logBytesKept = 16 << 20
	// commitEvents and commitBytes bound a transaction that several writes share, and so how long each of them waits
	// for the others.
	commitEvents, commitBytes = 1000, 4 << 20
	// busyTimeout is how long the writer waits for somebody else's lock, in milliseconds.
	busyTimeout = 5000
)

// operation is what a write does within the transaction that it shares with others.
type operation interface {
	// apply first checks, then changes. A refusal is the write's own outcome, and says that nothing was
	// changed; err is the database's, and spoils the transaction for all.
	apply(w *writer) (refusal, err error)
	// weight is what the operation adds to a commit.
	weight() (events, bytes int)
}

// write is an operation that waits for its outcome.
type write struct {
	op   operation
	done chan error // buffered: the writer never waits for a caller
}

// writer owns the one connection that writes, and the goroutine that uses it.
type writer struct {
	db   *sql.DB
	conn *sql.Conn
	stmt *writeStatements
	// clock is that of the leases.
	clock leaseClock

	// heads is a cache of runs' ends; one is verified when it enters.
	heads    map[contracts.RunID]head
	headsMax int
	// log keeps what was appended and has not settled.
	log logWriter
	// pages estimates what the log has grown by since the last checkpoint.
	pages int
	// vacuum says that there may be free pages to give back.
	vacuum bool

	queueMax, queueBytesMax int

	mu      sync.Mutex
	waiting []*write
	patient []*write // prunings, which give way to others
	passed  int      // groups that went before the first of patient
	bytes   int
	stopped bool
	// broken is why nothing is written any more; full is set from a full disk to the next commit.
	broken error
	full   bool

	wake     chan struct{} // capacity 1
	finished chan struct{} // closed when run returned
}

// openWriter opens the connection, creates or migrates the schema, and prepares the statements.
func openWriter(ctx context.Context, path string, opts Options, clock leaseClock) (*writer, error) {
	db, err := openDatabase(path, opts.vfs,
		fmt.Sprintf("_busy_timeout=%d", busyTimeout),
		"_auto_vacuum=INCREMENTAL", // the driver sets it first, while there is no table
		"_journal_mode=WAL",
		"_synchronous=FULL",
		"_txlock=immediate",
		"_defensive=1", "_dqs=0",
		"_pragma=fullfsync(1)", "_pragma=checkpoint_fullfsync(1)", // darwin's fsync leaves the drive's cache alone
		"_pragma=wal_autocheckpoint(0)", // SQLite forgets the errors of automatic checkpoints
		fmt.Sprintf("_pragma=journal_size_limit(%d)", logBytesKept),
		"_pragma=cache_size(-32768)", "_pragma=cell_size_check(1)", "_pragma=temp_store(MEMORY)",
	)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	w := &writer{
		db: db, conn: conn, clock: clock,
		heads: map[contracts.RunID]head{}, headsMax: opts.heads,
		log: logWriter{
			tails: &tails{byRun: map[contracts.RunID]*tail{}}, settled: map[contracts.RunID]bool{}, bytesMax: opts.tailBytes,
		},
		queueMax: opts.Queue, queueBytesMax: opts.QueueBytes,
		wake: make(chan struct{}, 1), finished: make(chan struct{}),
	}
	steps, err := schemaSteps()
	if err == nil {
		err = migrate(ctx, conn, steps)
	}
	if err == nil {
		w.stmt, err = prepareWrites(ctx, conn)
	}
	if err == nil {
		err = w.recover() //nolint:contextcheck // no context cuts it short
	}
	if err == nil {
		err = w.clampLeases() //nolint:contextcheck // no context cuts it short
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// finish settles what is in the log and copies SQLite's own into the file, where all is well. Nothing is written after it.
func (w *writer) finish() error {
	var err error
	if w.brokenBy() == nil {
		err = w.settleAll()
	}
	if err == nil && w.brokenBy() == nil {
		if err = w.checkpoint("TRUNCATE"); err != nil {
			w.checkpointFailed(err)
		}
	}
	return err
}

// close releases the connection. It settles nothing: a log that could not be settled at open stays as it was found.
func (w *writer) close() error {
	var err error
	if w.stmt != nil {
		err = w.stmt.close()
	}
	return errors.Join(err, w.conn.Close(), w.db.Close())
}

// submit puts a write into the queue. Errors: the context's, journal.ErrBusy, journal.ErrUnavailable.
func (w *writer) submit(ctx context.Context, item *write) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, size := item.op.weight()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return journal.ErrUnavailable
	}
	if w.broken != nil {
		return w.broken
	}
	if _, ok := item.op.(*pruneWrite); ok {
		if len(w.patient) >= w.queueMax {
			return journal.ErrBusy
		}
		w.patient = append(w.patient, item)
		w.ring()
		return nil
	}
	if n := len(w.waiting); n >= w.queueMax || n > 0 && w.bytes+size > w.queueBytesMax {
		return journal.ErrBusy
	}
	w.waiting = append(w.waiting, item)
	w.bytes += size
	w.ring()
	return nil
}

// withdraw takes a write back, and reports false where the writer already has it.
func (w *writer) withdraw(item *write) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.patient, item); i >= 0 {
		w.patient = slices.Delete(w.patient, i, i+1)
		return true
	}
	i := slices.Index(w.waiting, item)
	if i < 0 {
		return false
	}
	w.waiting = slices.Delete(w.waiting, i, i+1)
	_, size := item.op.weight()
	w.bytes -= size
	return true
}

// ring wakes the goroutine.
func (w *writer) ring() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// ready returns why the writer would refuse, journal.ErrFull where the disk was full at the last commit.
func (w *writer) ready() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return journal.ErrUnavailable
	}
	if w.broken == nil && w.full {
		return journal.ErrFull
	}
	return w.broken
}

// stop refuses new writes, and returns when those in the queue have their outcomes.
func (w *writer) stop() {
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	w.ring()
	<-w.finished
}

// run commits what waits until stop was called and nothing waits any more.
func (w *writer) run() {
	defer close(w.finished)
	for range w.wake {
		for group := w.next(); len(group) > 0; group = w.next() {
			w.commit(group)
			w.checkpointIfDue()
			// Those who just got their outcome may have more to write. Let them run first: it takes microseconds,
			// and the next fsync serves them too.
			runtime.Gosched()
		}
		w.mu.Lock()
		done := w.stopped && len(w.waiting)+len(w.patient) == 0
		w.mu.Unlock()
		if done {
			return
		}
		if w.tidy() {
			w.ring()
		}
	}
}

// next takes from the queue what one transaction may hold, which is at least one write.
func (w *writer) next() []*write {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.patient) > 0 && (len(w.waiting) == 0 || w.passed >= groupsBeforePruning) {
		group := w.patient[:1:1]
		w.patient, w.passed = w.patient[1:], 0
		return group
	}
	if len(w.patient) > 0 {
		w.passed++
	}
	var events, size, taken int
	for _, item := range w.waiting {
		e, s := item.op.weight()
		if taken > 0 && (events+e > commitEvents || size+s > commitBytes) {
			break
		}
		events, size, taken = events+e, size+s, taken+1
	}
	group := slices.Clone(w.waiting[:taken])
	w.waiting = slices.Delete(w.waiting, 0, taken)
	w.bytes -= size
	return group
}

// commit gives every write of the group its outcome. A group that the database refuses before its commit is
// tried again write by write, so that none fails for another's sake.
func (w *writer) commit(group []*write) {
	if reason := w.brokenBy(); reason != nil {
		settle(group, nil, reason)
		return
	}
	refusals, err := w.transact(group)
	switch {
	case err == nil:
		settle(group, refusals, nil)
	case len(group) > 1 && w.brokenBy() == nil:
		for i := range group {
			w.commit(group[i : i+1])
		}
	default:
		settle(group, refusals, err)
	}
}

// settle reports to the callers: its refusal to each that has one, err to the others.
func settle(group []*write, refusals []error, err error) {
	for i, item := range group {
		if refusals != nil && refusals[i] != nil {
			item.done <- refusals[i]
			continue
		}
		item.done <- err
	}
}

// brokenBy returns why nothing is written any more, or nil.
func (w *writer) brokenBy() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broken
}

// transact applies the group in one transaction. When it returns an error other than journal.ErrUnknown,
// nothing of the group was stored.
func (w *writer) transact(group []*write) ([]error, error) {
	if err := w.stmt.begin(); err != nil {
		return nil, w.failed("begin", err)
	}
	refusals := make([]error, len(group))
	applied, pages := 0, 0
	for i, item := range group {
		refusal, err := item.op.apply(w)
		if err != nil {
			w.abort()
			return nil, w.failed("write", err)
		}
		if refusals[i] = refusal; refusal != nil {
			continue
		}
		applied++
		_, size := item.op.weight()
		pages += 1 + size>>12
	}
	if applied == 0 {
		w.stmt.rollback()
		w.log.forget()
		return refusals, nil
	}
	if err := w.writeLog(); err != nil {
		w.abort()
		return nil, w.failed("write", err)
	}
	if err := w.stmt.commit(); err != nil {
		w.abort()
		return refusals, w.commitFailed(err)
	}
	w.log.committed()
	w.pages += 3 + pages
	w.mu.Lock()
	w.full = false
	w.mu.Unlock()
	return refusals, nil
}

// abort ends a transaction that failed, and forgets what it had changed.
func (w *writer) abort() {
	w.stmt.rollback()
	clear(w.heads)
	w.log.forget()
}

// failed notes an error that came before the commit, so that nothing was stored, and returns it in the terms
// of package journal.
func (w *writer) failed(what string, err error) error {
	switch {
	case isFull(err):
		w.setFull()
		return fmt.Errorf("%s: %w (%w)", what, journal.ErrFull, err)
	case isBusy(err):
		return fmt.Errorf("%s: %w (%w)", what, journal.ErrBusy, err)
	case isIO(err):
		return w.fail(what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// commitFailed notes the error of a commit. A full disk, or a lock, stops it before its last frame is in the
// log. Of any other error nobody knows on which side of that frame it struck, or what the log will say after a
// restart.
func (w *writer) commitFailed(err error) error {
	if isFull(err) || isBusy(err) {
		return w.failed("commit", err)
	}
	_ = w.fail("commit", err) // what comes later gets this; those under way get another
	return fmt.Errorf("commit: %w (%w)", journal.ErrUnknown, err)
}

// fail stops all writing, and returns what every later write is told.
func (w *writer) fail(what string, err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = fmt.Errorf("%s: %w (%w)", what, journal.ErrUnavailable, err)
	return w.broken
}

// setFull notes that the disk is full.
func (w *writer) setFull() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.full = true
}

// checkpointIfDue copies the log into the file once it has grown enough, so that it can start over. A reader
// that began before the copy keeps it from starting over, which is no harm until the log is long.
func (w *writer) checkpointIfDue() {
	if w.pages < checkpointPages || w.brokenBy() != nil {
		return
	}
	w.pages = 0
	if err := w.checkpoint("PASSIVE"); err != nil {
		w.checkpointFailed(err)
	}
}

// checkpointFailed notes the error of a checkpoint, which loses nothing: what was copied is still in the log.
// But an fsync that failed must not be tried again, since its second success would mean nothing.
func (w *writer) checkpointFailed(err error) {
	if isFull(err) {
		w.setFull()
		return
	}
	if isIO(err) {
		_ = w.fail("checkpoint", err) // nobody's write failed
	}
}

// checkpoint copies the log into the file; the mode is one of SQLite's. A log that readers have kept from
// starting over for long is cut by waiting for them, a little.
func (w *writer) checkpoint(mode string) error {
	var busy, pages, copied int
	row := w.conn.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint("+mode+")")
	if err := row.Scan(&busy, &pages, &copied); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if pages > logPagesMax && mode == "PASSIVE" {
		return w.restartLog()
	}
	return nil
}

// restartLog waits for the readers that keep the log from starting over. One that reads for long, as a backup does, is not
// waited out: the log grows meanwhile, and the next checkpoint tries again.
func (w *writer) restartLog() error {
	setPatience := func(milliseconds int) error {
		_, err := w.conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA busy_timeout = %d", milliseconds))
		return err
	}
	if err := setPatience(logPatience); err != nil {
		return err
	}
	return errors.Join(w.checkpoint("RESTART"), setPatience(busyTimeout))
}
