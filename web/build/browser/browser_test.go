package browser_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"axiom25/web/build/browser"
)

// serving is a file of go-app's that imports net/http.
const serving = "package app\n\nimport _ \"net/http\"\n"

// rules is a table of rules, of which the validator has one.
const rules = "package contracts\n\nvar table = []rule{{tag: \"gte\", builtin: true}, {tag: \"ident\", builtin: false}, {tag: \"own\"}}\n"

// bakedIn is a validator's table of three rules. What only the others need would bring in net/http.
const bakedIn = `package validator

import (
	"net/http"
	"strings"
)

var (
	bakedInValidators = map[string]func(string) bool{"gte": isGte, "url": isURL, "host": isHost}
	client            = &http.Client{}
	floor, ceiling    = 1, 2
)

// isGte is used.
func isGte(text string) bool { return len(strings.TrimSpace(text)) > floor }

func isURL(text string) bool { return fetch(text) }

func isHost(text string) bool { return fetch("http://" + text) }

func fetch(text string) bool {
	_, err := client.Get(text)
	return err == nil
}
`

// drafts is a library for JSON Schema that compiles all its drafts at its start, and says which.
const drafts = `package jsonschema

import (
	"strings"
)

type Schema struct{ url string }

type Vocabulary struct{}

// A Draft represents json-schema specification.
type Draft struct {
	url string
	sch *Schema
}

var (
	Draft4    = &Draft{url: "draft-04"}
	Draft6    = &Draft{url: "draft-06"}
	Draft7    = &Draft{url: "draft-07"}
	Draft2019 = &Draft{url: "2019-09"}
	Draft2020 = &Draft{url: "2020-12"}
)

func init() {
	for _, d := range []*Draft{Draft4, Draft6, Draft7, Draft2019, Draft2020} {
		d.sch = &Schema{strings.ToUpper(d.url)}
		println("compiled", d.url)
	}
}

type dialect struct{ draft *Draft }

func (d *dialect) getSchema(assertVocabs bool, vocabularies map[string]*Vocabulary) *Schema {
	return d.draft.sch
}

func Of(d *Draft) string { return (&dialect{d}).getSchema(false, nil).url }
`

// module returns the files of a small module and of a go-app that fits it.
func module(t *testing.T) map[string]string {
	t.Helper()
	client, err := os.ReadFile(filepath.Join("goapp", "client.go"))
	if err != nil {
		t.Fatal(err)
	}
	const (
		goApp     = "github.com/maxence-charriere/go-app/v10"
		validator = "github.com/go-playground/validator/v10"
		schema    = "github.com/santhosh-tekuri/jsonschema/v6"
	)
	return map[string]string{
		"go.mod": "module small\n\ngo 1.26\n\nrequire (\n\t" + goApp + " v10.1.11\n\t" + validator + " v10.30.6\n\t" + schema + " v6.0.3\n)\n\n" +
			"replace (\n\t" + goApp + " => ./goapp\n\t" + validator + " => ./validator\n\t" +
			schema + " => ./jsonschema\n)\n",
		"go.sum":                            "",
		"contracts/rules.go":                rules,
		"validator/go.mod":                  "module " + validator + "\n\ngo 1.26\n",
		"validator/baked_in.go":             bakedIn,
		"validator/validator.go":            "package validator\n\nfunc Known(tag string) bool { return bakedInValidators[tag] != nil && size > 0 }\n\nvar size = 1\n",
		"jsonschema/go.mod":                 "module " + schema + "\n\ngo 1.26\n",
		"jsonschema/draft.go":               drafts,
		"web/build/browser/goapp/client.go": string(client),
		"main.go": "package main\n\nimport (\n\t\"" + goApp + "/pkg/app\"\n\t\"" + validator + "\"\n\t\"" + schema + "\"\n)\n\nfunc main() {\n" +
			"\tapp.Run()\n\tprintln(validator.Known(\"gte\"), jsonschema.Of(jsonschema.Draft2020))\n}\n",
		"goapp/go.mod":               "module " + goApp + "\n\ngo 1.26\n",
		"goapp/pkg/app/http.go":      serving + "\ntype Handler struct{ size int }\n",
		"goapp/pkg/app/static.go":    "//go:build !wasm\n\n" + serving,
		"goapp/pkg/app/resource.go":  serving + "\nfunc clientResourceResolver(string) func(string) string { return nil }\n",
		"goapp/pkg/app/http_test.go": serving,
		"goapp/pkg/app/app.go": "package app\n\nimport \"" + goApp + "/pkg/errors\"\n\nfunc Run(...*Handler) {\n" +
			"\tprintln(clientResourceResolver(errors.Root)(\"/web/a\"))\n}\n",
		"goapp/pkg/errors/errors.go": "package errors\n\nconst Root = \"root\"\n",
	}
}

// write writes files beneath a new directory, which it returns.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// compile compiles the module in root and returns the program.
func compile(t *testing.T, root string) ([]byte, error) {
	t.Helper()
	build, err := browser.Prepare(t.Context(), root, "")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(t.TempDir(), "small.wasm")
	if err := errors.Join(build.Compile(t.Context(), "small", file), build.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(file) //nolint:gosec // the test's own
}

// TestCompile makes the same bytes of equal sources, wherever they are and whatever GOFLAGS says of modules, and leaves
// nothing but them behind.
func TestCompile(t *testing.T) {
	var programs [][]byte
	for _, flags := range []string{"-mod=mod", "-mod=readonly"} {
		root, temporary := write(t, module(t)), t.TempDir()
		t.Setenv("GOFLAGS", flags)
		t.Setenv("TMPDIR", temporary)
		program, err := compile(t, root)
		if err != nil {
			t.Fatalf("with %s: %v", flags, err)
		}
		programs = append(programs, program)
		if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
			t.Errorf("%v stays behind, %v", left, err)
		}
		for name, want := range module(t) {
			if got, err := os.ReadFile(filepath.Join(root, name)); err != nil || string(got) != want { //nolint:gosec // the test's own
				t.Errorf("%s is %q, %v", name, got, err)
			}
		}
	}
	if len(programs[0]) == 0 || !bytes.Equal(programs[0], programs[1]) {
		t.Error("two builds of equal sources differ")
	}
}

// TestCompileRefuses shows that a program which would hold a server is refused, and that a go-app which is not as
// expected is noticed.
func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		file, content string
		want          error
	}{
		"a program that serves":            {"main.go", "package main\n\nimport _ \"net/http\"\n\nfunc main() {}\n", browser.ErrServerPackage},
		"cryptography without a server":    {"goapp/pkg/errors/errors.go", "package errors\n\nimport _ \"crypto/tls\"\n\nconst Root = \"\"\n", browser.ErrServerPackage},
		"one more file that serves":        {"goapp/pkg/app/more.go", serving, browser.ErrGoApp},
		"one file less that serves":        {"goapp/pkg/app/static.go", "package app\n", browser.ErrGoApp},
		"a file that needs more":           {"goapp/pkg/app/more.go", "package app\n\nvar Size = Handler{}.size\n", browser.ErrGoApp},
		"a file that has what is replaced": {"goapp/pkg/app/more.go", "package app\n\ntype Handler int\n", browser.ErrGoApp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := module(t)
			files[row.file] = row.content
			if _, err := compile(t, write(t, files)); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
	t.Run("a draft that is kept elsewhere", func(t *testing.T) {
		t.Parallel()
		files := module(t)
		files["jsonschema/draft.go"] = strings.Replace(drafts, "func init() {", "func init() { // once", 1)
		if _, err := compile(t, write(t, files)); !errors.Is(err, browser.ErrJSONSchema) {
			t.Errorf("got %v, want ErrJSONSchema", err)
		}
	})
	t.Run("a go-app that is not Go", func(t *testing.T) {
		t.Parallel()
		files := module(t)
		files["goapp/pkg/app/more.go"] = "package app\n\nimport (\n"
		if _, err := compile(t, write(t, files)); err == nil {
			t.Error("it compiles")
		}
	})
	t.Run("a directory without a module", func(t *testing.T) {
		t.Parallel()
		if _, err := compile(t, t.TempDir()); err == nil {
			t.Error("it compiles")
		}
	})
}

// TestRules tells of a validator that lacks a rule which the contracts use, and of a table without one.
func TestRules(t *testing.T) {
	t.Parallel()
	files := module(t)
	files["contracts/rules.go"] = "package contracts\n\nvar table = []rule{{tag: \"gte\", builtin: true}, {tag: \"gone\", builtin: true}}\n"
	if _, err := compile(t, write(t, files)); !errors.Is(err, browser.ErrValidator) {
		t.Errorf("a rule that the validator lacks gives %v, want ErrValidator", err)
	}
	files["contracts/rules.go"] = "package contracts\n"
	if _, err := compile(t, write(t, files)); err == nil {
		t.Error("no table of rules gives no error")
	}
}

// TestADraftIsCompiledWhenItIsUsed runs a program that asks for one of the library's five drafts.
func TestADraftIsCompiledWhenItIsUsed(t *testing.T) {
	t.Parallel()
	program, err := compile(t, write(t, module(t)))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "small.wasm")
	if err := os.WriteFile(file, program, 0o600); err != nil {
		t.Fatal(err)
	}
	goroot, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm", "go_js_wasm_exec")
	out, err := exec.CommandContext(t.Context(), run, file).CombinedOutput() //nolint:gosec // the Go distribution's own
	if want := "root/a\ncompiled 2020-12\ntrue 2020-12\n"; err != nil || string(out) != want {
		t.Errorf("the program says %q, %v, not %q", out, err, want)
	}
}
