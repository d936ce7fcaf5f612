package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"axiom25/contracts"
)

// versionCommand says what this binary is.
func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this binary and of its contracts",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), versionLine())
			return err
		},
	}
}

// versionLine is one line: version, and the versions of the contracts and of Go.
func versionLine() string {
	return fmt.Sprintf("axiom25 %s, contracts %d, %s", version(), contracts.Version, runtime.Version())
}

// version is the module's version and the revision that the binary was built from, as far as the build knew them.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(text, s.Value[:min(len(s.Value), 12)]) {
			text += " " + s.Value[:min(len(s.Value), 12)]
		}
	}
	return text
}
