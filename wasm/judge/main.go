// Command judge reads documents and writes what the contracts say of each. The tests run it as WebAssembly, under node and
// in a browser, and hold its findings against their own.
package main

import (
	"fmt"
	"os"

	"axiom25/contracts/contractstest"
)

func main() {
	if err := contractstest.Judge(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}
