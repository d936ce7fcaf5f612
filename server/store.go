package main

import (
	"context"
	"errors"

	"github.com/spf13/pflag"

	"axiom25/server/journal"
)

// storeFlags say which journal a command works on by itself, without a server.
type storeFlags struct {
	data string
}

// add defines the flags.
func (f *storeFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.data, "data", "./data", "directory of the journal")
}

// withJournal opens the journal, calls use and closes it.
func (f *storeFlags) withJournal(ctx context.Context, use func(journal.Journal) error) (err error) {
	j, err := openJournal(ctx, f.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }() //nolint:contextcheck // what was accepted is stored, whoever has gone
	return use(j)
}
