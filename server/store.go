package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"axiom25/server/journal"
)

// storeFlags say which journal a command works on by itself, without a server.
type storeFlags struct {
	data, journal string
}

// add defines the flags.
func (f *storeFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.data, "data", "./data", "directory of the journal")
	flags.StringVar(&f.journal, "journal", "", "NATS servers that keep the journal in place of --data, as for serve")
}

// withKept opens the journal, which must be there, calls use and closes it: what only reads makes no journal where
// somebody mistyped a path, and does not call it whole.
func (f *storeFlags) withKept(ctx context.Context, use func(journal.Journal) error) error {
	if f.journal == "" {
		if _, err := os.Stat(filepath.Join(f.data, journalFile)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("--data %s: there is no journal", f.data)
		}
	}
	return f.withJournal(ctx, use)
}

// withJournal opens the journal, calls use and closes it.
func (f *storeFlags) withJournal(ctx context.Context, use func(journal.Journal) error) (err error) {
	j, err := openJournal(ctx, f.journal, f.data, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	return use(j)
}
