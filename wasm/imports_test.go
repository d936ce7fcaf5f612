package main_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"axiom25/web/build/browser"
)

// forbidden are packages that the console must not contain, and why.
var forbidden = map[string]string{ //nolint:gochecknoglobals // a table that is only read
	"axiom25/server":                  "the console reaches the server over HTTP only",
	"axiom25/app/gallery":             "it is for who works on the console: see app/routes_gallery.go",
	"axiom25/web":                     "the built files would hold the program that holds them",
	"net/http":                        "it adds 0.3 MB, its client 1.2 MB: app/command uses the browser's fetch",
	"crypto/tls":                      "the browser encrypts by itself",
	"golang.org/x/text/internal":      "it holds tables of all languages: web/build/browser/text stands in for its package message",
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
	packages := programPackages(t, "")
	if len(packages) < 100 {
		t.Fatalf("only %d packages are listed", len(packages))
	}
	for _, p := range packages {
		for path, why := range forbidden {
			if p.ImportPath == path || strings.HasPrefix(p.ImportPath, path+"/") {
				t.Errorf("the console contains %s: %s", p.ImportPath, why)
			}
		}
	}
}

func TestADevelopmentBuildContainsTheGallery(t *testing.T) {
	t.Parallel()
	packages := programPackages(t, "gallery")
	if !slices.ContainsFunc(packages, func(p browser.Package) bool { return p.ImportPath == "axiom25/app/gallery" }) {
		t.Error("the console with the tag gallery has no gallery")
	}
}

// programPackages are the packages that the console is made of, with a build tag.
func programPackages(t *testing.T, tag string) []browser.Package {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	build, err := browser.Prepare(t.Context(), root, tag)
	if err != nil {
		t.Fatal(err)
	}
	packages, err := build.Packages(t.Context(), "axiom25/wasm")
	if err := errors.Join(err, build.Close()); err != nil {
		t.Fatal(err)
	}
	return packages
}
