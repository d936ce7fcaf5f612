package main

import (
	"bytes"
	"compress/gzip"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"axiom25/web"
)

func TestIcons(t *testing.T) {
	t.Parallel()
	for _, maskable := range []bool{false, true} {
		content, err := drawIcon(64, maskable)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		if size := img.Bounds().Size(); size.X != 64 || size.Y != 64 {
			t.Errorf("the icon is %v", size)
		}
		if _, _, _, alpha := img.At(0, 0).RGBA(); (alpha > 0) != maskable {
			t.Errorf("maskable %v: the corner's alpha is %d", maskable, alpha)
		}
		if img.At(26, 32) == img.At(38, 32) {
			t.Error("both halves of the mark have one colour")
		}
	}
}

func TestPagePattern(t *testing.T) {
	t.Parallel()
	pages := regexp.MustCompile(pagePattern())
	for path, want := range map[string]bool{
		"/": true, "/new": true, "/validate": true, "/r/run_1": true,
		"/runs": false, "/r/": false, "/r/a/b": false, "/news": false, "/runs/run_1/stream": false,
	} {
		if pages.MatchString(path) != want {
			t.Errorf("%s is a page: %v, want %v", path, !want, want)
		}
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	b := builder{pages: "^/$"}
	sources := []source{
		{"/app.css", "app.css", stylesheet, []byte("/* why */ .a {\n  color: var(--b);\n  &:hover { color: red; }\n}\n")},
		{wasmPath, "app.wasm", "application/wasm", []byte("wasm")},
		{referencePath, "reference.json", "application/json", []byte("{}")},
		{"/app.js", "app.js", javascript, []byte("function start() { return [VERSION, WASM_URL, WASM_SIZE, REFERENCE_URL]; } // why")},
		{"/web/icon.svg", "icon.svg", "image/svg+xml", []byte("<svg/>")},
		{manifestPath, "manifest.webmanifest", "application/manifest+json", nil},
		{web.ShellPath, "shell.html", document, []byte(`<link href="{{URL /app.css}}"><meta content="{{DESCRIPTION}}">{{FRAME}}`)},
		{workerPath, "app-worker.js", javascript, []byte("const files = new Map(FILES), pages = new RegExp(PAGES);")},
	}
	got, err := b.render(sources, "v1")
	if err != nil {
		t.Fatal(err)
	}
	content := func(path string) string {
		for _, s := range got {
			if s.path == path {
				return string(s.content)
			}
		}
		return ""
	}
	url := func(path string) string {
		for _, s := range got {
			if s.path == path {
				return assetOf(s).URL()
			}
		}
		return ""
	}
	if want := ".a{color:var(--b);&:hover{color:red}}\n"; content("/app.css") != want {
		t.Errorf("styles %q, want %q", content("/app.css"), want)
	}
	if want := `function start(){return["v1","` + url(wasmPath) + `",4,"` + url(referencePath) + `"]}` + "\n"; content("/app.js") != want {
		t.Errorf("loader %q, want %q", content("/app.js"), want)
	}
	shell := content(web.ShellPath)
	if !strings.HasPrefix(shell, `<link href="`+url("/app.css")+`">`) || !strings.Contains(shell, `<main`) || !strings.Contains(shell, `href="/validate"`) {
		t.Errorf("shell %s", shell)
	}
	worker := content(workerPath)
	for _, path := range []string{"/app.css", wasmPath, referencePath, "/app.js", "/web/icon.svg", manifestPath, web.ShellPath} {
		if !strings.Contains(worker, `"`+url(path)+`"`) {
			t.Errorf("the worker does not keep %s: %s", url(path), worker)
		}
	}
	if !strings.Contains(content(manifestPath), url("/web/icon.svg")) {
		t.Errorf("manifest %s", content(manifestPath))
	}
	if !strings.Contains(string(sources[3].content), "VERSION") {
		t.Error("the sources were changed")
	}

	t.Run("says what nothing fills, and what is no script", func(t *testing.T) {
		t.Parallel()
		for _, s := range []source{
			{web.ShellPath, "shell.html", document, []byte("{{URL /lost}}")},
			{"/app.js", "app.js", javascript, []byte("function {")},
			{"/app.css", "app.css", stylesheet, []byte(".a { color: }}")},
		} {
			if _, err := b.render([]source{s}, "v1"); err == nil || !strings.Contains(err.Error(), s.file) {
				t.Errorf("%s gives %v", s.content, err)
			}
		}
	})
}

// TestPrune leaves in the output what was built, and nothing of an earlier build.
func TestPrune(t *testing.T) {
	t.Parallel()
	b := builder{out: t.TempDir()}
	for _, name := range []string{"placeholder", "assets.json", "app.js", "app.js.br", "app.js.gz", "app.js.mark", "old.js", "old.js.br", "app.js.map"} {
		if err := os.WriteFile(filepath.Join(b.out, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.prune(web.Manifest{Assets: []web.Asset{{File: "app.js"}}}); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(b.out)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{"app.js", "app.js.br", "app.js.gz", "app.js.mark", "assets.json", "placeholder"}; !slices.Equal(left, want) {
		t.Errorf("left %q, want %q", left, want)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	b := builder{out: filepath.Join(t.TempDir(), "dist"), quality: 5}
	if err := os.Mkdir(b.out, 0o750); err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("the same again, "), 1000)
	s := source{path: wasmPath, file: "app.wasm", mediaType: "application/wasm", content: content}
	a, err := b.write(s)
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(b.out, name)) //nolint:gosec // a file that the test has written
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	br, gz := read("app.wasm.br"), read("app.wasm.gz")
	if a.Size != 16_000 || a.Brotli != int64(len(br)) || a.Gzip != int64(len(gz)) || a.Brotli >= a.Size {
		t.Errorf("%+v", a)
	}
	if got, err := io.ReadAll(brotli.NewReader(bytes.NewReader(br))); err != nil || !bytes.Equal(got, content) {
		t.Errorf("brotli gives %d bytes, %v", len(got), err)
	}
	unzip, err := gzip.NewReader(bytes.NewReader(gz))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(unzip); err != nil || !bytes.Equal(got, content) {
		t.Errorf("gzip gives %d bytes, %v", len(got), err)
	}

	// What stands there already is not compressed again, and what changed is.
	if err := os.WriteFile(filepath.Join(b.out, "app.wasm.br"), []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a, err := b.write(s); err != nil || a.Brotli != 4 {
		t.Errorf("%+v, %v", a, err)
	}
	for _, row := range []struct {
		quality int
		kept    bool
	}{{4, true}, {6, false}} {
		again := b
		again.quality = row.quality
		if a, err := again.write(s); err != nil || (a.Brotli == 4) != row.kept {
			t.Errorf("at quality %d: %+v, %v", row.quality, a, err)
		}
	}
	s.content = append(s.content, '.')
	if a, err := b.write(s); err != nil || a.Brotli == 4 {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestCompileAnywhere compiles the console in the directory where it stands and in a copy, and gets the same bytes.
func TestCompileAnywhere(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	for _, dir := range []string{"app", "contracts", filepath.Join("docs", "examples"), filepath.Join("docs", "handbook"), "wasm", filepath.Join("web", "build")} {
		if err := os.CopyFS(filepath.Join(copied, dir), os.DirFS(filepath.Join(root, dir))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, name)) //nolint:gosec // the module's own
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, name), content, 0o600); err != nil { //nolint:gosec // in the test's own directory
			t.Fatal(err)
		}
	}
	var programs [][]byte
	for _, dir := range []string{root, copied} {
		wasm, err := builder{root: dir}.compile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{dir, os.TempDir()} {
			if bytes.Contains(wasm, []byte(path+string(filepath.Separator))) {
				t.Errorf("the program tells that it was built with %s", path)
			}
		}
		programs = append(programs, wasm)
	}
	if !bytes.Equal(programs[0], programs[1]) {
		t.Error("a copy of the sources gives another program")
	}
}
