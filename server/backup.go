package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"axiom25/server/journal"
	"axiom25/server/journal/sqlitejournal"
)

// backupCommand copies the journal of a data directory.
func backupCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "backup DIRECTORY",
		Short: "Copy the journal of a data directory into another one, while a server uses it or not",
		Long: `Copy the journal of a data directory into another one, which is made where it does not exist. The server may go on: the
copy shows one instant, and everything is in it that was acknowledged before the command began. It is read back whole
before it takes its name, so that a backup that exists is a good one.

Restore by starting a server with --data on the directory, or a copy of it.

Exit codes:
  0  the backup is there
  1  wrong usage, a journal that cannot be read or is damaged, or a directory that has a journal already`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return backUp(cmd.Context(), data, args[0], cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&data, "data", "./data", "directory of the journal")
	return cmd
}

// backUp copies the journal from one directory into another, and says what it copied.
func backUp(ctx context.Context, from, into string, errs io.Writer) error {
	if err := makeDataDirectory(into); err != nil {
		return err
	}
	size, err := sqlitejournal.Backup(ctx, filepath.Join(from, journalFile), filepath.Join(into, journalFile))
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s has a journal already", into)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("--data %s: there is no journal", from)
	case errors.Is(err, journal.ErrLocked):
		return fmt.Errorf("%s: another backup is being written there", into)
	case err != nil:
		return fmt.Errorf("back up %s: %w", from, err)
	}
	fmt.Fprintf(errs, "axiom25: copied %d runs with %d events, %d bytes\n", size.Runs, size.Events, size.Bytes) //nolint:errcheck // nobody is left to tell
	return nil
}
