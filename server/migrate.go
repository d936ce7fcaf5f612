package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"axiom25/contracts"
)

// migrateCommand rewrites a document to the current version, or to the one before.
func migrateCommand() *cobra.Command {
	var name string
	var version *contractsVersion
	names := migratable()
	cmd := &cobra.Command{
		Use:   "migrate FILE",
		Short: "Rewrite a document to another version of its contract, without a server",
		Long: fmt.Sprintf(`Rewrite a document to version %d of its contract, without a server, and print it; with --contracts-version %d to that
version, for programs that read no later one. Each change is one line on the standard error,

  FILE: OLD POINTER -> NEW POINTER: what became of it

and FILE may be - for the standard input. A document that is of the version already is printed as it is. Without
--contract the contract is told by the members at the document's root.

Version %[2]d cannot say everything. A document of which something would be lost is not printed: each value that would be is
one line on the standard error.

Exit codes:
  0  the document was printed
  1  wrong usage, a file that cannot be read, or a document of which something would be lost
  2  the document is not valid; each problem is one line on the standard error, as validate prints it`,
			contracts.Version, contracts.Version-1),
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if name != "" && !slices.Contains(names, name) {
				return fmt.Errorf("--contract: want one of %s", strings.Join(names, ", "))
			}
			if err := version.check(); err != nil {
				return err
			}
			rewrite := contracts.Migrate
			if version.number != contracts.Version {
				rewrite = contracts.Downgrade
			}
			return migrateFile(cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr(), rewrite, name, files[0])
		},
	}
	version = addContractsVersion(cmd.Flags(), "version to rewrite the document to")
	cmd.Flags().StringVar(&name, "contract", "", "what the file is: "+strings.Join(names, ", "))
	return cmd
}

// migratable returns the names of the contracts that have older versions: events have none.
func migratable() []string {
	var names []string
	for _, kind := range contracts.Kinds() {
		if len(contracts.SchemaVersions(kind)) > 1 {
			names = append(names, string(kind))
		}
	}
	return names
}

// rewriting is contracts.Migrate or contracts.Downgrade.
type rewriting func(kind contracts.Kind, doc []byte) (out []byte, changes []contracts.Change, err error)

// migrateFile prints what a document becomes, and on errs what changed, what is wrong or what would be lost.
func migrateFile(in io.Reader, out, errs io.Writer, rewrite rewriting, name, file string) error {
	doc, err := readDocument(in, file)
	if err != nil {
		return err
	}
	kind, err := contractOf(doc, name)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if len(contracts.SchemaVersions(kind)) == 1 {
		return fmt.Errorf("%s: there is no older version of a %s", file, kind)
	}
	migrated, changes, err := rewrite(kind, doc)
	if err != nil {
		if err := writeProblem(errs, file, doc, err); err != nil {
			return err
		}
		return &outcomeError{Code: exitOf(err)}
	}
	for _, change := range changes {
		if _, err := fmt.Fprintf(errs, "%s: %s -> %s: %s\n", file, change.From, change.To, change.Detail); err != nil {
			return err
		}
	}
	if len(changes) > 0 {
		migrated = contracts.Readable(migrated)
	}
	_, err = out.Write(migrated)
	return err
}

// exitOf tells a document that is not valid from one of which something would be lost.
func exitOf(err error) int {
	var p *contracts.Problem
	if errors.As(err, &p) && p.Has(contracts.ProblemNotAcceptable) {
		return exitError
	}
	return exitInvalid
}
