package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// twin returns the environment variable that stands for a flag.
func twin(f *pflag.Flag) string {
	return "AXIOM25_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// hasTwin reports whether a flag can be set from the environment: all can but those that only ask a question.
func hasTwin(f *pflag.Flag) bool { return f.Name != "help" }

// nameTwins writes the name of its environment variable into each flag's help.
func nameTwins(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if hasTwin(f) {
			f.Usage += " [" + twin(f) + "]"
		}
	})
}

// fromEnvironment sets the flags that the command line left alone and whose twin is set and not empty. The error
// names every variable whose value the flag does not take, without the value.
func fromEnvironment(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || !hasTwin(f) {
			return
		}
		value, ok := lookup(twin(f))
		if !ok || value == "" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: not a value of --%s", twin(f), f.Name))
		}
	})
	return errors.Join(errs...)
}
