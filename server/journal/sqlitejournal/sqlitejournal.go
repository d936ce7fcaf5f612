// Package sqlitejournal is the journal of one node: a single SQLite file.
//
// What it guarantees. A write that returned nil was fsynced: the file is in WAL mode with synchronous=FULL, and
// one goroutine commits all the writes that wait in one transaction, so that many runs share an fsync. A full
// disk fails the writes that met it and no others. After a failed fsync or any other I/O error on the way to
// the disk, nothing more is written until the file is opened again, since the kernel may have dropped the very
// pages that it failed to write; reads go on. Every row carries a checksum over what it says and where it
// lies, and the chunks of a run chain without a gap from 1 to the last seq in the run's row, which is held
// against them on every read: damage ends a read with a *journal.DamagedError, never in a shorter history.
//
// How an append is stored. One that changes nothing but the end of its run is made durable as a part of one row of the
// table log, together with all that share its commit, and is read from memory until it settles: it then moves into
// chunks and its run's row with some dozens of its neighbours. What changes more settles its run first. A file that
// was not closed is settled when it is opened; a log that cannot be read whole, or lacks a row that log_span tells of,
// keeps it from being opened.
//
// What can be lost. SQLite ends the write-ahead log at its first frame that does not match its own checksum,
// because that is what a crash in mid-write looks like. Should the disk damage frames of the log that were
// fsynced, or cut them off, the commits from there to the end of the log are gone when the file is opened again, for
// every run alike: each run then ends where it ended at an earlier commit, and no trace says so. The window is
// what was written since the last checkpoint, some megabytes, or what was appended during a backup or another read
// that long; it is empty after a clean Close. To close it the last commit would have to be noted outside of that log,
// with a second fsync for each.
//
// Labels and indexes carry no checksums. What an index says is held against the checksum of the row that it
// leads to, so that an entry that leads to the wrong row ends in a *journal.DamagedError; an entry that is gone
// is told of by Verify alone. Such damage never changes a run, and a run asked for by its id is whole or damaged, never
// missing, unless two indexes lost it. But it can hide a run from lists, or show it under a label that is not
// its own, and hide a batch from Batch. And it can free an idempotency key: the create that comes again with
// the key is then stored as a second run beside the first.
//
// Leases end by a clock that shows the system's time as of Open and does not follow when that is set. Each lease's
// epoch stands in its run's row, under its checksum: a lease that is damaged is as good as none, and the next one fences its
// holder.
package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Options tune a journal. The zero value is what a server wants.
type Options struct {
	// Queue is how many writes may wait before journal.ErrBusy; 0 stands for 1024.
	Queue int
	// QueueBytes is how many bytes they may hold together; 0 stands for 64 MiB. A single write is always taken
	// by an empty queue.
	QueueBytes int
	// Readers is how many reads run at once, each on a connection of its own; 0 stands for two a processor, at
	// least four.
	Readers int
	// Now is the clock that leases end by; time.Now where nil.
	Now func() time.Time

	// vfs names the SQLite VFS; empty for the operating system's. Tests inject faults with it.
	vfs string
	// heads is how many runs' ends the writer remembers; 0 stands for 16384.
	heads int
	// tailBytes is how many bytes all tails hold before the oldest settles; 0 stands for 4 MiB.
	tailBytes int
}

// withDefaults returns the options with every zero replaced.
func (o Options) withDefaults() Options {
	if o.Queue == 0 {
		o.Queue = 1024
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = 64 << 20
	}
	if o.Readers == 0 {
		o.Readers = max(4, 2*runtime.GOMAXPROCS(0))
	}
	if o.heads == 0 {
		o.heads = 1 << 14
	}
	if o.tailBytes == 0 {
		o.tailBytes = 4 << 20
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of a clock that tests set
	}
	return o
}

// Journal implements journal.Journal on one file. Open makes it.
type Journal struct {
	lock   *os.File
	writer *writer
	reader *reader
	clock  leaseClock

	// open is held for reading by every read, so that Close waits for those that run.
	open   sync.RWMutex
	closed bool
}

var _ journal.Journal = (*Journal)(nil)

// Open opens or creates the journal in the file at path, beside which SQLite keeps path-wal and path-shm, and
// this package path.lock. The context bounds the opening alone. Errors: journal.ErrLocked where another
// process, or another Journal of this one, holds the file; ErrNewerSchema; ErrForeignFile; and whatever keeps
// the file from being read.
func Open(ctx context.Context, path string, opts Options) (*Journal, error) {
	opts = opts.withDefaults()
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{lock: lock, clock: newLeaseClock(opts.Now)}
	if err := j.start(ctx, path, opts); err != nil {
		return nil, fmt.Errorf("open journal %s: %w", path, errors.Join(err, unlockFile(lock)))
	}
	return j, nil
}

// start opens the connections of a journal whose file is locked.
func (j *Journal) start(ctx context.Context, path string, opts Options) error {
	if err := createFile(path); err != nil {
		return err
	}
	var err error
	if j.writer, err = openWriter(ctx, path, opts, j.clock); err != nil {
		return err
	}
	if j.reader, err = openReader(ctx, path, opts, j.writer.log.tails); err != nil {
		return errors.Join(err, j.writer.close())
	}
	go j.writer.run() //nolint:contextcheck // it lives until Close
	return nil
}

// createFile creates an empty file that only its owner can read, tasks being nobody else's business, and makes
// its name durable. SQLite gives its log the mode of the file.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names the store
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// openDatabase opens the file at path with the settings given, each in the form name=value.
func openDatabase(path, vfs string, settings ...string) (*sql.DB, error) {
	if vfs != "" {
		settings = append(settings, "vfs="+url.QueryEscape(vfs))
	}
	return sql.Open("sqlite", databaseURI(path, settings...))
}

// databaseURI names a file, and settings, in the way that the driver reads.
func databaseURI(path string, settings ...string) string {
	name := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(settings, "&")}
	return name.String()
}

// Create implements journal.Journal.
func (j *Journal) Create(ctx context.Context, run journal.Run, first journal.Batch) error {
	if first.After != 0 {
		return &journal.ConflictError{Run: run.ID}
	}
	batch, err := prepareBatch(run.ID, first)
	if err != nil {
		return err
	}
	return j.write(ctx, &createWrite{preparedBatch: batch, run: run})
}

// Append implements journal.Journal.
func (j *Journal) Append(ctx context.Context, id contracts.RunID, b journal.Batch) error {
	batch, err := prepareBatch(id, b)
	if err != nil {
		return err
	}
	return j.write(ctx, &appendWrite{preparedBatch: batch})
}

// PutTool implements journal.Journal.
func (j *Journal) PutTool(ctx context.Context, t journal.Tool) error {
	return j.write(ctx, &putToolWrite{tool: t})
}

// DeleteTool implements journal.Journal.
func (j *Journal) DeleteTool(ctx context.Context, name, version string) error {
	return j.write(ctx, &deleteToolWrite{name: name, version: version})
}

// Ready implements journal.Journal. After a disk was full it writes a page to see whether there is room again.
func (j *Journal) Ready(ctx context.Context) error {
	if err := j.writer.ready(); err != nil {
		if !errors.Is(err, journal.ErrFull) {
			return err
		}
		if err := j.write(ctx, probeWrite{}); err != nil {
			return err
		}
	}
	return j.read(func() error { return j.reader.ping(ctx) })
}

// Close implements journal.Journal.
func (j *Journal) Close() error {
	j.writer.stop()
	j.open.Lock()
	defer j.open.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	err := errors.Join(j.closeConnections(), unlockFile(j.lock))
	if err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

// closeConnections closes the connections in the order that suits the end. The last connection to close copies
// the log into the file and removes it, where it may write. That is right after a clean end, and wrong after a
// failed fsync: the log then stays as it is for the next Open to read.
func (j *Journal) closeConnections() error {
	err := j.writer.finish()
	if j.writer.brokenBy() != nil {
		return errors.Join(err, j.writer.close(), j.reader.close())
	}
	return errors.Join(err, j.reader.close(), j.writer.close())
}

// write hands a write to the writer and waits for its outcome.
func (j *Journal) write(ctx context.Context, op operation) error {
	w := &write{op: op, done: make(chan error, 1)}
	if err := j.writer.submit(ctx, w); err != nil {
		return err
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
	}
	if j.writer.withdraw(w) {
		return ctx.Err()
	}
	return <-w.done
}

// read runs f while the journal cannot be closed.
func (j *Journal) read(f func() error) error {
	j.open.RLock()
	defer j.open.RUnlock()
	if j.closed {
		return journal.ErrUnavailable
	}
	return f()
}
