// Command gen writes what is generated from the contracts: their JSON Schemas, their reference pages, and the Go code of
// package contracts that reads and writes without reflection. Run it at the root of the repository; `make gen` does, with
// the build tag bootstrap, which leaves that code out: so it works when a contract has changed and the code does not
// compile.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"axiom25/contracts"
	"axiom25/docs/reference"
	"axiom25/docs/released"
)

func main() {
	check := flag.Bool("check", false,
		"write nothing, and fail where a file is not what would be written or a released contract is not kept")
	release := flag.Bool("release", false, "promise the current version: copy its schemas to docs/released and lock them")
	oasdiff := flag.String("oasdiff", "", "compare the OpenAPI document with the last released one, by oasdiff at this `path`")
	flag.Parse()
	work := func() error { return run(*check) }
	switch {
	case *release:
		work = promise
	case *oasdiff != "":
		work = func() error { return released.CheckAPI(context.Background(), ".", *oasdiff, contracts.Version) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run writes the files, or only compares them.
func run(check bool) error {
	const root = "."
	if check {
		return errors.Join(code(root, true), reference.Check(root), released.Check(root, contracts.JSONSchemaIn))
	}
	if err := code(root, false); err != nil {
		return err
	}
	return reference.Write(root)
}

// promise releases the current version and says what it has gained.
func promise() error {
	gained, err := released.Release(".", contracts.JSONSchemaIn)
	for _, line := range gained {
		fmt.Println(line)
	}
	return err
}

// code writes the generated code, or only compares it.
func code(root string, check bool) error {
	files, err := contracts.Generated()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		at := filepath.Join(root, "contracts", name)
		if !check {
			if err := os.WriteFile(at, files[name], 0o644); err != nil { //nolint:gosec // source that everyone may read
				return err
			}
			continue
		}
		stored, err := os.ReadFile(at) //nolint:gosec // one of the generated files
		if err != nil || !bytes.Equal(stored, files[name]) {
			return fmt.Errorf("%s is %w", at, reference.ErrStale)
		}
	}
	return nil
}
