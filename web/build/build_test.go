package main

import (
	"bytes"
	"compress/gzip"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
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
		{"/app-worker.js", "app-worker.js", "text/javascript", []byte(`"{{.Version}}" {{.Files}} {{.Pages}}`)},
		{"/app.js", "app.js", "text/javascript", []byte(`"{{.Version}}" "{{.WasmURL}}" "{{.WasmSize}}"`)},
		{wasmPath, "app.wasm", "application/wasm", []byte("wasm")},
	}
	got, err := b.render(sources, "v1")
	if err != nil {
		t.Fatal(err)
	}
	url := assetOf(sources[2]).URL()
	if want := `"v1" ["/manifest.webmanifest","/app.js","` + url + `"] "^/$"`; string(got[0].content) != want {
		t.Errorf("worker %s, want %s", got[0].content, want)
	}
	if want := `"v1" "` + url + `" "4"`; string(got[1].content) != want {
		t.Errorf("loader %s, want %s", got[1].content, want)
	}
	if !strings.Contains(string(sources[1].content), "{{.Version}}") {
		t.Error("the sources were changed")
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
	for _, dir := range []string{"app", "contracts", filepath.Join("docs", "examples"), "wasm", filepath.Join("web", "build")} {
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
