package main

import (
	"context"
	"errors"

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
	return f.with(ctx, use, openingKept)
}

// withJournal opens the journal, which is made where there is none, calls use and closes it.
func (f *storeFlags) withJournal(ctx context.Context, use func(journal.Journal) error) error {
	return f.with(ctx, use, openingAny)
}

func (f *storeFlags) with(ctx context.Context, use func(journal.Journal) error, which opening) (err error) {
	j, err := openJournal(ctx, f.journal, f.data, nil, which)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	return use(j)
}
