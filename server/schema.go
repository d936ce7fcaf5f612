package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"axiom25/contracts"
	"axiom25/docs"
)

// schemaCommand prints the JSON Schema of a contract.
func schemaCommand() *cobra.Command {
	names := make([]string, 0, 5)
	for _, k := range contracts.Kinds() {
		names = append(names, string(k))
	}
	return &cobra.Command{
		Use:   "schema CONTRACT",
		Short: "Print the JSON Schema of a contract",
		Long: `Print the JSON Schema (2020-12) of a contract at the current version, as a server shows it under /schemas.

CONTRACT is one of ` + strings.Join(names, ", ") + `.`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, err := contracts.ParseKind(args[0])
			if err != nil {
				return fmt.Errorf("%w: want one of %s", err, strings.Join(names, ", "))
			}
			schema, ok := docs.Schema(fmt.Sprintf("v%d", contracts.Version), string(kind))
			if !ok {
				return fmt.Errorf("no schema of %s was built in", kind)
			}
			_, err = cmd.OutOrStdout().Write(schema)
			return err
		},
	}
}
