package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"modernc.org/sqlite"

	"axiom25/server/journal"
)

// backupPages is how many pages a step of a backup copies before it looks whether its context has ended.
const backupPages = 256

// Backup copies the journal in the file at source into a new file at target, while another process may serve it: the copy
// shows one instant, at which everything is there that was acknowledged before Backup was called. It returns what the copy
// holds, after each byte of it was read back and held against its checksum. Only then does the file appear at target, all
// at once and durable; until then it grows beside it under target.partial, which a later Backup replaces.
//
// The server's log is not shortened while pages are copied, and so grows by what is appended meanwhile. Errors: fs.ErrExist
// where there is something at target, journal.ErrLocked
// while another backup writes there, fs.ErrNotExist where there is nothing at source, ErrNewerSchema, ErrForeignFile,
// *journal.DamagedError where the source is damaged, and whatever keeps the files from being read or written.
func Backup(ctx context.Context, source, target string) (journal.Size, error) {
	size, err := backup(ctx, source, target)
	if err != nil {
		return journal.Size{}, fmt.Errorf("back up %s to %s: %w", source, target, err)
	}
	return size, nil
}

func backup(ctx context.Context, source, target string) (size journal.Size, err error) {
	source, err = filepath.Abs(source)
	if err != nil {
		return journal.Size{}, err
	}
	target, err = filepath.Abs(target)
	if err != nil {
		return journal.Size{}, err
	}
	if _, err := os.Stat(source); err != nil {
		return journal.Size{}, err
	}
	if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
		return journal.Size{}, errors.Join(err, fs.ErrExist)
	}
	partial := target + ".partial"
	defer func() {
		if !errors.Is(err, journal.ErrLocked) { // what another backup to this target writes is its own
			err = errors.Join(err, removeJournal(partial))
		}
	}()
	if err := copyPages(ctx, source, partial); err != nil {
		return journal.Size{}, err
	}
	if size, err = verifyFile(ctx, partial); err != nil {
		return journal.Size{}, err
	}
	if err := syncFile(partial); err != nil {
		return journal.Size{}, err
	}
	// A link, unlike a rename, replaces nothing.
	if err := os.Link(partial, target); err != nil {
		return journal.Size{}, err
	}
	return size, syncFile(filepath.Dir(target))
}

// copyPages copies the pages of the database at source, as of one instant, into a new file.
func copyPages(ctx context.Context, source, target string) (err error) {
	lock, err := lockFile(target + ".lock")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlockFile(lock)) }()
	if err := removeDatabase(target); err != nil {
		return err
	}
	if err := createFile(target); err != nil {
		return err
	}
	db, err := openDatabase(source, "", "mode=ro", "_query_only=1", "_busy_timeout=5000", "_defensive=1", "_dqs=0")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := checkSchema(ctx, conn); err != nil {
		return err
	}
	// Within a transaction every step sees the same instant. Without, each change by another process would make the copy
	// begin again.
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	var tables int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return err
	}
	return conn.Raw(func(raw any) error {
		from, ok := raw.(interface {
			NewBackup(target string) (*sqlite.Backup, error)
		})
		if !ok {
			return errors.ErrUnsupported
		}
		return runBackup(ctx, from, databaseURI(target))
	})
}

// checkSchema refuses what is no journal, or a newer one.
func checkSchema(ctx context.Context, conn *sql.Conn) error {
	steps, err := schemaSteps()
	if err != nil {
		return err
	}
	version, err := readVersion(ctx, conn)
	if err != nil {
		return err
	}
	if version.app != applicationID {
		return ErrForeignFile
	}
	return version.known(len(steps))
}

// runBackup copies all pages, some at a time.
func runBackup(ctx context.Context, from interface {
	NewBackup(target string) (*sqlite.Backup, error)
}, target string,
) error {
	b, err := from.NewBackup(target)
	if err != nil {
		return err
	}
	for more := true; more && err == nil; {
		if more, err = b.Step(backupPages); err == nil {
			err = ctx.Err()
		}
	}
	return errors.Join(err, b.Finish())
}

// verifyFile opens the copy as a server would and verifies it.
func verifyFile(ctx context.Context, path string) (journal.Size, error) {
	j, err := Open(ctx, path, Options{Readers: 1})
	if err != nil {
		return journal.Size{}, fmt.Errorf("open the copy: %w", err)
	}
	size, err := j.Verify(ctx, func(damage error) error { return damage })
	if err != nil {
		err = fmt.Errorf("verify the copy: %w", err)
	}
	return size, errors.Join(err, j.Close()) //nolint:contextcheck // an end is not cut short by a context
}

// syncFile makes a file, or the names in a directory, durable.
func syncFile(path string) error {
	f, err := os.Open(path) //nolint:gosec // the operator names the store
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// removeJournal removes a journal's file and what lies beside it.
func removeJournal(path string) error {
	return errors.Join(removeDatabase(path), removeIfThere(path+".lock"))
}

// removeDatabase removes a database's file and its log.
func removeDatabase(path string) error {
	return errors.Join(removeIfThere(path), removeIfThere(path+"-wal"), removeIfThere(path+"-shm"), removeIfThere(path+"-journal"))
}

// removeIfThere removes a file, which may be gone.
func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
