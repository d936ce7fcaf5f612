package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"axiom25/contracts"
	"axiom25/server/archive"
	"axiom25/server/journal"
)

// selectionFlags say which runs to export.
type selectionFlags struct {
	states, labels []string
	since, until   string
	withoutTools   bool
}

// exportCommand writes runs to a file.
func exportCommand() *cobra.Command {
	var store storeFlags
	var selected selectionFlags
	var output string
	cmd := &cobra.Command{
		Use:   "export [RUN_ID…]",
		Short: "Write runs and tools as NDJSON, byte for byte as they are stored",
		Long: `Write runs and tools as NDJSON: the runs that are named, or all that the flags select, each from its first event to its
last. A run that is damaged or was pruned is left out and named on the standard error.

A server that is running holds its data directory: make a backup of it and export that.

Exit codes:
  0  everything that was asked for is in the file
  1  wrong usage, or a journal that cannot be read
  2  at least one run was left out`,
		RunE: func(cmd *cobra.Command, args []string) error {
			selection, err := selected.selection(args)
			if err != nil {
				return err
			}
			return writeTo(output, cmd.OutOrStdout(), func(w io.Writer) error {
				return exportRuns(cmd.Context(), store, selection, w, cmd.ErrOrStderr())
			})
		},
	}
	flags := cmd.Flags()
	store.add(flags)
	flags.StringVarP(&output, "output", "o", "-", "file to write, which must not exist; - is the standard output")
	flags.StringSliceVar(&selected.states, "state", nil, "only runs in this state (repeatable)")
	flags.StringSliceVar(&selected.labels, "label", nil, "only runs with this label, as KEY:VALUE (repeatable)")
	flags.StringVar(&selected.since, "since", "", "only runs created at this time or later, in RFC 3339")
	flags.StringVar(&selected.until, "until", "", "only runs created before this time, in RFC 3339")
	flags.BoolVar(&selected.withoutTools, "without-tools", false, "leave the tool catalogue out")
	return cmd
}

// selection reads the flags and arguments.
func (f selectionFlags) selection(args []string) (archive.Selection, error) {
	s := archive.Selection{WithoutTools: f.withoutTools}
	for _, arg := range args {
		id, err := contracts.ParseRunID(arg)
		if err != nil {
			return s, err
		}
		s.Runs = append(s.Runs, id)
	}
	for _, name := range f.states {
		state := contracts.State(name)
		if !state.Live() && !state.Terminal() {
			return s, fmt.Errorf("--state: there is no state %s", name)
		}
		s.Query.States = append(s.Query.States, state)
	}
	for _, label := range f.labels {
		key, value, ok := strings.Cut(label, ":")
		if !ok {
			return s, errors.New("--label: want KEY:VALUE")
		}
		if s.Query.Labels == nil {
			s.Query.Labels = make(map[string]string)
		}
		s.Query.Labels[key] = value
	}
	var err error
	if s.Query.Since, err = instant("since", f.since); err != nil {
		return s, err
	}
	s.Query.Until, err = instant("until", f.until)
	return s, err
}

// instant reads a time; an empty one is 0.
func instant(flag, text string) (contracts.Time, error) {
	if text == "" {
		return 0, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fmt.Errorf("--%s: want a time as 2026-01-31T12:00:00Z", flag)
	}
	return contracts.TimeOf(at), nil
}

// writeTo calls write with the standard output, or with a new file, which is durable when it returns and taken away where
// it fails.
func writeTo(name string, stdout io.Writer, write func(io.Writer) error) error {
	if name == "-" {
		return write(stdout)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the file that the user names
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	err = write(f)
	var left *outcomeError
	if err == nil || errors.As(err, &left) {
		return errors.Join(err, f.Sync(), f.Close())
	}
	return errors.Join(err, f.Close(), os.Remove(name))
}

func exportRuns(ctx context.Context, store storeFlags, s archive.Selection, w, errs io.Writer) error {
	return store.withKept(ctx, func(j journal.Journal) error {
		total, err := archive.Export(ctx, j, s, w)
		if err != nil {
			return err
		}
		fmt.Fprintf(errs, "axiom25: exported %d runs with %d events, and %d tools\n", total.Runs, total.Events, total.Tools) //nolint:errcheck // nobody is left to tell
		if total.LeftOut == 0 {
			return nil
		}
		return &outcomeError{Code: exitInvalid, Err: fmt.Errorf("%d runs were left out: damaged, or pruned", total.LeftOut)}
	})
}

// importCommand adds what a file holds.
func importCommand() *cobra.Command {
	var store storeFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Add the runs and tools of an export to a journal",
		Long: `Add the runs and tools of an export to a journal, from a file or from the standard input (-). Every event is held against
the contracts and the rules of a run. What is there already with the same content is passed over, so that an import that
was interrupted is simply started again.

A run that had not ended when it was exported has nobody who carries it out: an engine may claim it, and a run of an
engine inside the server ends as engine-lost when the server starts.

Exit codes:
  0  everything in the file is in the journal
  1  wrong usage, or a journal that cannot be written
  2  the file ends early, or holds what is not an export or not a valid run; what came before is in the journal`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close() //nolint:errcheck // it was only read
				in = f
			}
			return store.withJournal(cmd.Context(), func(j journal.Journal) error {
				return importRuns(cmd.Context(), j, in, cmd.ErrOrStderr())
			})
		},
	}
	store.add(cmd.Flags())
	return cmd
}

func importRuns(ctx context.Context, j journal.Journal, in io.Reader, errs io.Writer) error {
	added, err := archive.Import(ctx, j, in)
	fmt.Fprintf(errs, "axiom25: added %d runs with %d events\n", added.Runs, added.Events) //nolint:errcheck // nobody is left to tell
	if err == nil {
		return nil
	}
	_, ofRun := errors.AsType[*archive.RunError](err)
	if ofRun || errors.Is(err, archive.ErrFormat) || errors.Is(err, archive.ErrShort) {
		return &outcomeError{Code: exitInvalid, Err: err}
	}
	return err
}

// checkCommand checks a journal as a whole.
func checkCommand() *cobra.Command {
	var store storeFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check everything that a journal holds",
		Long: `Check everything that a journal holds: the checksum of each row; of each run the digest of its task, the numbers of its
events, the rules of a run, the chain of its receipts and its row in lists; of each tool its contract and its digest.
Each finding is one line on the standard output.

A server that is running holds its data directory: make a backup of it and check that.

Exit codes:
  0  all is well
  1  wrong usage, or a journal that cannot be read
  2  at least one finding`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return store.withKept(cmd.Context(), func(j journal.Journal) error {
				return checkJournal(cmd.Context(), j, cmd.OutOrStdout(), cmd.ErrOrStderr())
			})
		},
	}
	store.add(cmd.Flags())
	return cmd
}

func checkJournal(ctx context.Context, j journal.Journal, out, errs io.Writer) error {
	report, err := archive.Check(ctx, j, func(f archive.Finding) error {
		about := "journal"
		if f.Run != "" {
			about = f.Run.String()
		}
		_, err := fmt.Fprintf(out, "%s: %v\n", about, f.Err)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(errs, "axiom25: checked %d runs (%d finished, %d pruned besides) with %d events, and %d tools\n", //nolint:errcheck // nobody is left to tell
		report.Runs, report.Finished, report.Tombstones, report.Events, report.Tools)
	if report.Findings == 0 {
		return nil
	}
	return &outcomeError{Code: exitInvalid, Err: fmt.Errorf("%d findings", report.Findings)}
}
