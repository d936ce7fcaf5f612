package sqlitejournal

import (
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// codes returns the primary and the extended result code of a SQLite error.
func codes(err error) (primary, extended int) {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return sqlite3.SQLITE_OK, sqlite3.SQLITE_OK
	}
	return e.Code() & 0xff, e.Code()
}

// isFull reports whether a disk had no room.
func isFull(err error) bool {
	primary, _ := codes(err)
	return primary == sqlite3.SQLITE_FULL
}

// isBusy reports whether somebody else, for instance an operator's shell, held a lock for too long.
func isBusy(err error) bool {
	primary, _ := codes(err)
	return primary == sqlite3.SQLITE_BUSY
}

// isConstraint reports whether a row was there already.
func isConstraint(err error) bool {
	primary, _ := codes(err)
	return primary == sqlite3.SQLITE_CONSTRAINT
}

// isIO reports whether the operating system failed.
func isIO(err error) bool {
	primary, _ := codes(err)
	return primary == sqlite3.SQLITE_IOERR || primary == sqlite3.SQLITE_CANTOPEN || primary == sqlite3.SQLITE_READONLY
}

// isDamage reports whether what the file holds makes no sense: a page that is no page, one beyond the end of
// the file, or a length that damage has made absurd.
func isDamage(err error) bool {
	primary, extended := codes(err)
	switch primary {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
		return true
	}
	return extended == sqlite3.SQLITE_IOERR_SHORT_READ || extended == sqlite3.SQLITE_IOERR_READ
}
