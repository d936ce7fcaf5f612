//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package sqlitejournal

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// lockFile fails: without a lock that ends with the process two servers could share a file.
func lockFile(string) (*os.File, error) {
	return nil, fmt.Errorf("lock the journal on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// unlockFile closes what lockFile never returns.
func unlockFile(f *os.File) error { return f.Close() }
