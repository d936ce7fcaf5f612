package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"axiom25/contracts"
)

// migrateCommand rewrites a document to the current version.
func migrateCommand() *cobra.Command {
	var name string
	names := migratable()
	cmd := &cobra.Command{
		Use:   "migrate FILE",
		Short: "Rewrite a document to the current version of its contract, without a server",
		Long: fmt.Sprintf(`Rewrite a document to version %d of its contract, without a server, and print it. Each change is one line on the
standard error,

  FILE: OLD POINTER -> NEW POINTER: what became of it

and FILE may be - for the standard input. A document of the current version is printed as it is. Without --contract the
contract is told by the members at the document's root.

Exit codes:
  0  the document was printed
  1  wrong usage, or a file that cannot be read
  2  the document is not valid; each problem is one line on the standard error, as validate prints it`, contracts.Version),
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if name != "" && !slices.Contains(names, name) {
				return fmt.Errorf("--contract: want one of %s", strings.Join(names, ", "))
			}
			return migrateFile(cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr(), name, files[0])
		},
	}
	cmd.Flags().StringVar(&name, "contract", "", "what the file is: "+strings.Join(names, ", "))
	return cmd
}

// migratable returns the names of the contracts that have older versions: events have none.
func migratable() []string {
	var names []string
	for _, kind := range contracts.Kinds() {
		if kind != contracts.KindRunEvent {
			names = append(names, string(kind))
		}
	}
	return names
}

// migrateFile prints what a document becomes, and on errs what changed or what is wrong.
func migrateFile(in io.Reader, out, errs io.Writer, name, file string) error {
	doc, err := readDocument(in, file)
	if err != nil {
		return err
	}
	c, err := contractOf(doc, name)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if !slices.Contains(migratable(), c.name) {
		return fmt.Errorf("%s: there is no older version of a %s", file, c.name)
	}
	migrated, changes, err := contracts.Migrate(contracts.Kind(c.name), doc)
	if err != nil {
		if err := writeProblem(errs, file, doc, err); err != nil {
			return err
		}
		return &outcomeError{Code: exitInvalid}
	}
	for _, change := range changes {
		if _, err := fmt.Fprintf(errs, "%s: %s -> %s: %s\n", file, change.From, change.To, change.Detail); err != nil {
			return err
		}
	}
	if len(changes) > 0 {
		migrated = readable(migrated)
	}
	_, err = out.Write(migrated)
	return err
}

// readable indents a document, and ends it with a newline, as far as it stays a document then.
func readable(doc []byte) []byte {
	indented := jsontext.Value(slices.Clone(doc))
	err := indented.Indent(jsontext.WithIndent("  "))
	if err != nil || len(indented) >= contracts.MaxDocumentBytes {
		return doc
	}
	return append(indented, '\n')
}
