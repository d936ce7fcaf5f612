package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"axiom25/contracts"
)

// contractsVersion is the flag that names a version of the contracts: the current one, or the one before.
type contractsVersion struct{ number int }

// addContractsVersion adds the flag; usage says what is of that version.
func addContractsVersion(flags *pflag.FlagSet, usage string) *contractsVersion {
	v := &contractsVersion{contracts.Version}
	flags.IntVar(&v.number, "contracts-version", contracts.Version, usage)
	return v
}

// check refuses a version that is not read.
func (v *contractsVersion) check() error {
	if v.number < contracts.Version-1 || v.number > contracts.Version {
		return fmt.Errorf("--contracts-version: want %d or %d", contracts.Version-1, contracts.Version)
	}
	return nil
}
