// Package browser compiles a command of this module into WebAssembly for browsers, without what only servers need: the half of
// go-app that serves, whose package app imports net/http for that half alone, and net/http brings cryptography, HTTP/2 and more,
// an eighth of what a reader of the console would download; the rules of the validator that no contract uses (see usedValidator);
// the languages in which the library for JSON Schema could word its errors, were it asked (see text/message); and what that
// library does at each start for drafts that are not in use (see lazySchemas).
//
// The module cache is only read. The build sees another directory for go-app, which does not exist: the go command's
// overlay fills it with the module's own files, but for ServerHalf, and with goapp/client.go, which declares what the
// other files need of those. Where a release of go-app no longer fits, the build fails and says where.
package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
)

const (
	goApp        = "github.com/maxence-charriere/go-app/v10"
	goAppPackage = goApp + "/pkg/app"

	// replacement is where the build finds go-app, from the module's root: a part of the program's build information,
	// and therefore the same on every machine.
	replacement = "./web/build/browser/goapp"

	// textModule words messages in any language. In the browser two small packages stand in for it.
	textModule      = "golang.org/x/text"
	textReplacement = "./web/build/browser/text"

	// decision is the page that a failing build names.
	decision = "docs/decisions/0013-go-app-without-its-server.md"
)

// ErrGoApp is what errors wrap that come from a go-app which is not as this package knows it.
var ErrGoApp = errors.New("go-app has changed: see " + decision)

// ErrServerPackage is what errors wrap that name a package which has no place in a browser.
var ErrServerPackage = errors.New("a package of the server's would be in the browser's program")

// ServerHalf returns the files of go-app's package app that are left out: those that import net/http.
func ServerHalf() []string { return []string{"http.go", "resource.go", "static.go"} }

// serverPackages are what Compile refuses to link.
func serverPackages() []string { return []string{"net/http", "crypto/tls"} }

// Build compiles for the browser. Close removes its files.
type Build struct {
	root  string   // this module's directory
	tag   string   // of the program; empty for none
	dir   string   // the temporary directory
	flags []string // of every go command
}

// Prepare readies builds of the module whose directory is root, with a build tag; an empty one is none.
func Prepare(ctx context.Context, root, tag string) (*Build, error) {
	b := &Build{root: root, tag: tag, flags: []string{"-mod=readonly"}} // whatever GOFLAGS says: no module is in question here
	out, err := b.run(ctx, "list", "-f", "{{.Module.Dir}}", goAppPackage, validatorModule, schemaModule)
	if err != nil {
		return nil, fmt.Errorf("find what is left out in part: %w", err)
	}
	modules := strings.Fields(string(out))
	if len(modules) != 3 {
		return nil, fmt.Errorf("find what is left out in part: the go command says %q", out)
	}
	if b.dir, err = os.MkdirTemp("", "axiom25-browser-"); err != nil {
		return nil, fmt.Errorf("make a temporary directory: %w", err)
	}
	if err := b.prepare(modules[0], modules[1], modules[2]); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// prepare writes the go command's files, for go-app, the validator and the library for JSON Schema in these directories.
func (b *Build) prepare(goapp, validator, schema string) error {
	files, err := clientHalf(goapp)
	if err != nil {
		return err
	}
	files[filepath.Join("pkg", "app", "client.go")] = filepath.Join(b.root, filepath.FromSlash(replacement), "client.go")
	used, err := usedRules(filepath.Join(b.root, filepath.FromSlash(rulesFile)))
	if err != nil {
		return err
	}
	rules, err := usedValidator(validator, b.dir, used)
	if err != nil {
		return err
	}
	drafts, err := lazySchemas(schema, b.dir)
	if err != nil {
		return err
	}
	replace := make(map[string]string, len(files)+len(rules)+len(drafts))
	for where, module := range map[string]map[string]string{replacement: files, validatorReplacement: rules, schemaReplacement: drafts} {
		for name, file := range module {
			replace[filepath.Join(b.root, filepath.FromSlash(where), name)] = file
		}
	}
	textMod := filepath.Join(b.dir, "text.mod")
	replace[filepath.Join(b.root, filepath.FromSlash(textReplacement), "go.mod")] = textMod
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return fmt.Errorf("encode the overlay: %w", err)
	}
	mod, err := replaced(filepath.Join(b.root, "go.mod"))
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(b.root, "go.sum"))
	if err != nil {
		return fmt.Errorf("read the module's sums: %w", err)
	}
	for name, content := range map[string][]byte{
		filepath.Join(b.dir, "overlay.json"): overlay, filepath.Join(b.dir, "browser.mod"): mod, filepath.Join(b.dir, "browser.sum"): sum,
		textMod: []byte("module " + textModule + "\n\ngo 1.26\n"),
	} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return fmt.Errorf("write the build's files: %w", err)
		}
	}
	b.flags = append(b.flags,
		"-modfile="+filepath.Join(b.dir, "browser.mod"), "-overlay="+filepath.Join(b.dir, "overlay.json"),
		// Without validator_novalidatefn, the validator calls methods by name, which keeps every method of every type in the program.
		"-tags="+strings.TrimSuffix("validator_novalidatefn,"+b.tag, ","))
	return nil
}

// replaced returns a go.mod that takes modules from their replacements.
func replaced(file string) ([]byte, error) {
	content, err := os.ReadFile(file) //nolint:gosec // this module's own
	if err != nil {
		return nil, fmt.Errorf("read the module's file: %w", err)
	}
	mod, err := modfile.Parse(file, content, nil)
	if err != nil {
		return nil, fmt.Errorf("read the module's file: %w", err)
	}
	for module, where := range map[string]string{
		goApp: replacement, validatorModule: validatorReplacement, schemaModule: schemaReplacement, textModule: textReplacement,
	} {
		if err := mod.AddReplace(module, "", where, ""); err != nil {
			return nil, fmt.Errorf("replace %s: %w", module, err)
		}
	}
	return mod.Format()
}

// clientHalf returns the files of go-app that a browser needs, by their paths in the module.
func clientHalf(module string) (map[string]string, error) {
	files := map[string]string{"go.mod": filepath.Join(module, "go.mod")}
	var serving []string
	err := filepath.WalkDir(filepath.Join(module, "pkg"), func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return err
		}
		name, err := filepath.Rel(module, file)
		if err != nil {
			return err
		}
		if filepath.Dir(name) == filepath.Join("pkg", "app") {
			serves, err := imports(file, "net/http")
			if err != nil {
				return err
			}
			if serves {
				serving = append(serving, entry.Name())
				return nil
			}
		}
		files[name] = file
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read go-app: %w", err)
	}
	if slices.Sort(serving); !slices.Equal(serving, ServerHalf()) {
		return nil, fmt.Errorf("%w: the files that import net/http are %q, not %q", ErrGoApp, serving, ServerHalf())
	}
	return files, nil
}

// imports reports whether a Go file imports a package.
func imports(file, path string) (bool, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return false, err
	}
	for _, spec := range parsed.Imports {
		if spec.Path.Value == strconv.Quote(path) {
			return true, nil
		}
	}
	return false, nil
}

// Close removes what Prepare has written.
func (b *Build) Close() error { return os.RemoveAll(b.dir) }

// Package is one of those that a program is made of.
type Package struct {
	ImportPath string   `json:"ImportPath"`
	Imports    []string `json:"Imports"`
}

// Packages lists what the package at path is made of in the browser: its dependencies and itself.
func (b *Build) Packages(ctx context.Context, path string) ([]Package, error) {
	out, err := b.run(ctx, "list", "-deps", "-json=ImportPath,Imports", path)
	if err != nil {
		return nil, fmt.Errorf("list the packages of %s: %w", path, err)
	}
	var packages []Package
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p Package
		if err := d.Decode(&p); err != nil {
			return nil, fmt.Errorf("list the packages of %s: %w", path, err)
		}
		packages = append(packages, p)
	}
	return packages, nil
}

// Compile writes the program of the command at path, with further flags of go build, to file. It holds no paths and no
// revision, so that equal sources give equal bytes. An error is ErrServerPackage where the program would serve, and
// ErrGoApp, ErrValidator or ErrJSONSchema where what was left of those does not fit.
func (b *Build) Compile(ctx context.Context, path, file string, flags ...string) error {
	packages, err := b.Packages(ctx, path)
	if err != nil {
		return err
	}
	for _, p := range packages {
		for _, path := range p.Imports {
			if slices.Contains(serverPackages(), path) {
				return fmt.Errorf("%w: %s imports %s", ErrServerPackage, p.ImportPath, path)
			}
		}
	}
	args := slices.Concat([]string{"-trimpath", "-buildvcs=false", "-o", file}, flags, []string{path})
	if _, err := b.run(ctx, "build", args...); err != nil {
		if strings.Contains(err.Error(), "# "+goAppPackage+"\n") {
			return fmt.Errorf("%w: %s does not fit it: %w", ErrGoApp, replacement, err)
		}
		if strings.Contains(err.Error(), "# "+validatorModule+"\n") {
			return fmt.Errorf("%w: it needs what was left out: %w", ErrValidator, err)
		}
		if strings.Contains(err.Error(), "# "+schemaModule+"\n") {
			return fmt.Errorf("%w: %w", ErrJSONSchema, err)
		}
		return fmt.Errorf("compile %s: %w", path, err)
	}
	return nil
}

// run runs a go command for the browser and returns what it prints; an error holds what it complains about.
func (b *Build) run(ctx context.Context, verb string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{verb}, b.flags, args)...) //nolint:gosec // the arguments are this program's own
	cmd.Dir = b.root
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOWORK=off")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", verb, err, complaints.String())
	}
	return out, nil
}
