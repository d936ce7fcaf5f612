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
	var version *contractsVersion
	cmd := &cobra.Command{
		Use:   "schema CONTRACT",
		Short: "Print the JSON Schema of a contract",
		Long: fmt.Sprintf(`Print the JSON Schema (2020-12) of a contract, as a server shows it under /schemas: at the current version, %d, or with
--contracts-version at the one before.

CONTRACT is one of %s.`, contracts.Version, strings.Join(names, ", ")),
		Args:      cobra.ExactArgs(1),
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, err := contracts.ParseKind(args[0])
			if err != nil {
				return fmt.Errorf("%w: want one of %s", err, strings.Join(names, ", "))
			}
			if err := version.check(); err != nil {
				return err
			}
			schema, ok := docs.Schema(fmt.Sprintf("v%d", version.number), string(kind))
			if !ok {
				return fmt.Errorf("version %d has no %s", version.number, kind)
			}
			_, err = cmd.OutOrStdout().Write(schema)
			return err
		},
	}
	version = addContractsVersion(cmd.Flags(), "version of the schema")
	return cmd
}
