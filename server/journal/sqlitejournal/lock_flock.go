//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package sqlitejournal

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"axiom25/server/journal"
)

// lockFile takes the exclusive lock on path, which it creates where it is missing, or returns
// journal.ErrLocked. The kernel drops the lock with the process, however that ends; the file itself stays,
// since removing it would let two processes hold "the" lock, each on a file of its own.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the store
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%w: %s", journal.ErrLocked, path)
	}
	return nil, errors.Join(err, f.Close())
}

// unlockFile drops the lock. To close the file is not enough: a process that was just forked has it too, until it is
// replaced by its program.
func unlockFile(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}
