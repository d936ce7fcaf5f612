package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// goPackage is what `go list` says of a package.
type goPackage struct {
	ImportPath string   `json:"ImportPath"`
	Imports    []string `json:"Imports"`
	Deps       []string `json:"Deps"`
}

// listPackages returns the packages that the patterns name, as they are compiled for a target.
func listPackages(t *testing.T, env []string, patterns ...string) []goPackage {
	t.Helper()
	args := append([]string{"list", "-json=ImportPath,Imports,Deps"}, patterns...)
	cmd := exec.CommandContext(t.Context(), "go", args...) //nolint:gosec // the test's own arguments
	cmd.Env = append(cmd.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go %s: %s", strings.Join(args, " "), exit.Stderr)
		}
		t.Fatal(err)
	}
	var packages []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// within reports whether a package is one of these, or lies below one of them.
func within(path string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return path == root || strings.HasPrefix(path, root+"/") })
}

// arrow is a direction in which no package may look.
type arrow struct {
	// from are the packages it is about, except those within but.
	from, but []string
	// never are what they must not need, with what lies below unless exact; through others too unless direct.
	never         []string
	exact, direct bool
	why           string
}

func TestArrowsPointInward(t *testing.T) {
	t.Parallel()
	const (
		module = "axiom25"
		nats   = "github.com/nats-io"
		goSSE  = "github.com/tmaxmax/go-sse"
		goApp  = "github.com/maxence-charriere/go-app"
	)
	arrows := []arrow{
		{
			from: []string{"axiom25/contracts"}, never: []string{"axiom25/server", "axiom25/app", "axiom25/web", "net/http"},
			why: "contracts are values and rules: everything else is built on them",
		},
		{
			from: []string{"axiom25/contracts"}, never: []string{"os", "net"}, exact: true, direct: true,
			why: "contracts do no I/O: the browser runs the same code",
		},
		{
			from: []string{"axiom25/app", "axiom25/wasm"}, never: []string{"axiom25/server", nats},
			why: "the console reaches the server over HTTP only",
		},
		{
			from: []string{"axiom25/app", "axiom25/wasm"}, never: []string{goSSE},
			why: "the browser has EventSource; a second reader of streams makes the console a megabyte larger",
		},
		{
			from: []string{"axiom25/server"}, but: []string{"axiom25/server/console"}, never: []string{"axiom25/app", goApp},
			direct: true, why: "only server/console mounts the console",
		},
		{
			from: []string{"axiom25/server/journal"}, never: []string{"axiom25/server/intake", "axiom25/server/fanout", "axiom25/server/engine"},
			why: "a journal stores bytes; what they mean is decided before it",
		},
		{
			from:  []string{"axiom25/server/journal", "axiom25/server/fanout", "axiom25/server/intake", "axiom25/server/engine"},
			never: []string{"axiom25/server/httpapi", "axiom25/server/console"},
			why:   "HTTP is an edge: nothing inside knows it",
		},
		{
			from:  []string{"axiom25/server/journal", "axiom25/server/fanout", "axiom25/server/intake"},
			never: []string{"net/http"}, direct: true, why: "HTTP ends at server/httpapi",
		},
		{
			from: []string{"axiom25/server/client"}, but: nil,
			never: []string{"axiom25/server/journal", "axiom25/server/intake", "axiom25/server/httpapi"},
			why:   "a client knows a server by its contracts alone",
		},
		{
			from: []string{module}, but: []string{"axiom25/server/journal/natsjournal"}, never: []string{nats}, direct: true,
			why: "only server/journal/natsjournal speaks NATS",
		},
		{
			from: []string{"axiom25/server"}, but: []string{"axiom25/server/journal/natsjournal/natstest"},
			never: []string{"github.com/nats-io/nats-server"},
			why:   "a NATS server runs beside the product or inside a test, never in bin/axiom25",
		},
		{
			from: []string{"axiom25/server/journal/natsjournal"}, but: []string{"axiom25/server/journal/natsjournal/natstest"},
			never: []string{"axiom25/server/journal/sqlitejournal"}, why: "one journal never leans on another",
		},
		{
			from: []string{"axiom25/server/journal/sqlitejournal"}, never: []string{"axiom25/server/journal/natsjournal", nats},
			why: "one journal never leans on another",
		},
	}
	packages := listPackages(t, nil, module+"/...")
	browser := listPackages(t, []string{"GOOS=js", "GOARCH=wasm"}, module+"/app/...", module+"/wasm", module+"/contracts/...")
	for _, a := range arrows {
		seen := false
		for _, p := range slices.Concat(packages, browser) {
			if !within(p.ImportPath, a.from...) || within(p.ImportPath, a.but...) {
				continue
			}
			seen = true
			needs := p.Deps
			if a.direct {
				needs = p.Imports
			}
			for _, dep := range needs {
				if slices.Contains(a.never, dep) || !a.exact && within(dep, a.never...) {
					t.Errorf("%s needs %s, but %s", p.ImportPath, dep, a.why)
				}
			}
		}
		if !seen {
			t.Errorf("no package within %v: the rule %q guards nothing", a.from, a.why)
		}
	}
	for _, p := range packages {
		if slices.Contains(p.Imports, "testing") && !strings.HasSuffix(p.ImportPath, "test") {
			t.Errorf("%s imports testing, but test helpers live in a package of their own", p.ImportPath)
		}
	}
}
