package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// forbidden are packages that the console must not contain, and why.
var forbidden = map[string]string{ //nolint:gochecknoglobals // a table that is only read
	"axiom25/server":                  "the console reaches the server over HTTP only",
	"axiom25/web":                     "the built files would hold the program that holds them",
	"github.com/tmaxmax/go-sse":       "it adds 1.3 MB: the browser has EventSource",
	"github.com/nats-io":              "only the server's journal speaks NATS",
	"modernc.org/sqlite":              "only the server's journal keeps a database",
	"github.com/gorilla/mux":          "the console routes by app.Routes",
	"github.com/prometheus":           "only the server is measured",
	"text/template":                   "it calls methods by name, which keeps every method of every type in the program",
	"html/template":                   "it calls methods by name, which keeps every method of every type in the program",
	"testing":                         "test helpers live in test packages",
	"github.com/andybalholm/brotli":   "the browser decompresses by itself",
	"github.com/expr-lang/expr":       "tools run in the server",
	"github.com/itchyny/gojq":         "tools run in the server",
	"github.com/chromedp/chromedp":    "the browser drives itself",
	"github.com/spf13/cobra":          "there is no command line in a browser",
	"axiom25/contracts/contractstest": "test helpers live in test packages",
}

func TestTheConsoleContainsNothingOfTheServer(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "validator_novalidatefn", "axiom25/wasm")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 100 {
		t.Fatalf("only %d packages are listed", len(deps))
	}
	for _, dep := range deps {
		for path, why := range forbidden {
			if dep == path || strings.HasPrefix(dep, path+"/") {
				t.Errorf("the console contains %s: %s", dep, why)
			}
		}
	}
}

// TestOnlyGoAppBringsHTTP keeps net/http's client, 1.2 MB, from coming in a second way. go-app links the package for
// its server half; ours use the browser's fetch.
func TestOnlyGoAppBringsHTTP(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "validator_novalidatefn",
		"-f", `{{.ImportPath}} {{join .Imports " "}}`, "axiom25/wasm")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		for _, dep := range fields[1:] {
			if dep == "net/http" && fields[0] != "github.com/maxence-charriere/go-app/v10/pkg/app" {
				t.Errorf("%s imports net/http: use axiom25/app/command, which uses the browser's fetch", fields[0])
			}
		}
	}
}
