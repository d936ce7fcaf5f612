// Command gen writes what is generated from the contracts: their JSON Schemas and their reference pages. Run it at the
// root of the repository; `make gen` does.
package main

import (
	"flag"
	"fmt"
	"os"

	"axiom25/docs/reference"
)

func main() {
	check := flag.Bool("check", false, "write nothing, and fail where a file is not what would be written")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run writes the files, or only compares them.
func run(check bool) error {
	const root = "."
	if check {
		return reference.Check(root)
	}
	return reference.Write(root)
}
