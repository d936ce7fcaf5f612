package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app"
	"axiom25/docs/reference"
	"axiom25/web"
)

const (
	javascript = "text/javascript; charset=utf-8"
	stylesheet = "text/css; charset=utf-8"
	document   = "text/html; charset=utf-8"

	workerPath   = "/app-worker.js"
	manifestPath = "/manifest.webmanifest"
	// referencePath is where the reference is, which the program reads when it is asked for.
	referencePath = "/web/reference.json"
)

// gather reads the files as they stand in the tree, and draws the icons. A file that names others stands behind them.
func (b builder) gather(ctx context.Context, wasm []byte) ([]source, error) {
	goroot, err := goOutput(ctx, b.root, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	var errs []error
	read := func(path ...string) []byte {
		content, err := os.ReadFile(filepath.Join(path...)) //nolint:gosec // the paths are this program's own
		errs = append(errs, err)
		return content
	}
	icon := func(size int, maskable bool) []byte {
		content, err := drawIcon(size, maskable)
		errs = append(errs, err)
		return content
	}
	manual, err := reference.Book(b.root)
	errs = append(errs, err)
	book, err := json.Marshal(manual)
	errs = append(errs, err)
	dir := filepath.Join(b.root, "web")
	var styles []byte
	for _, name := range web.Styles() {
		styles = append(styles, read(dir, name)...)
	}
	sources := []source{
		{"/app.css", "app.css", stylesheet, styles},
		{wasmPath, "app.wasm", "application/wasm", wasm},
		{referencePath, "reference.json", "application/json", book},
		{"/app.js", "app.js", javascript, slices.Concat(read(goroot, "lib", "wasm", "wasm_exec.js"), read(dir, "loader.js"), read(dir, "update.js"), read(dir, "streams.js"))},
		{"/web/icon-192.png", "icon-192.png", "image/png", icon(192, false)},
		{"/web/icon-512.png", "icon-512.png", "image/png", icon(512, false)},
		{"/web/icon-maskable.png", "icon-maskable.png", "image/png", icon(512, true)},
		{"/web/icon.svg", "icon.svg", "image/svg+xml", read(dir, "icon.svg")},
		{"/web/first.js", "first.js", javascript, slices.Concat(read(dir, "program.js"), read(dir, "theme.js"))},
		{manifestPath, "manifest.webmanifest", "application/manifest+json", nil},
		{web.ShellPath, "shell.html", document, read(dir, "shell.html")},
		{workerPath, "app-worker.js", javascript, read(dir, "worker.js")},
	}
	return sources, errors.Join(errs...)
}

// render fills the placeholders, and leaves out of styles and scripts what browsers do not read. A file names others by their
// content, so that it never draws with those of another version.
func (b builder) render(sources []source, version string) ([]source, error) {
	r := renderer{version: version, pages: b.pages, urls: make(map[string]string)}
	rendered := slices.Clone(sources)
	for i := range rendered {
		s := &rendered[i]
		var err error
		switch {
		case s.path == manifestPath:
			s.content, err = r.manifest()
		case s.path == web.ShellPath:
			s.content, err = r.shell(s.content)
		case s.mediaType == javascript:
			s.content, err = r.script(s.content)
		case s.mediaType == stylesheet:
			s.content, err = minified(s.content, api.TransformOptions{Loader: api.LoaderCSS})
		}
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", s.file, err)
		}
		r.add(*s)
	}
	return rendered, nil
}

// renderer fills placeholders with what was rendered before.
type renderer struct {
	version, pages string
	wasmSize       int
	urls           map[string]string // by path
	kept           [][2]string       // what the service worker keeps: URL and hash
}

func (r *renderer) add(s source) {
	a := assetOf(s)
	r.urls[s.path] = a.URL()
	if s.path == wasmPath {
		r.wasmSize = len(s.content)
	}
	r.kept = append(r.kept, [2]string{r.urls[s.path], a.Hash})
}

// script fills the names in capitals of a script.
func (r *renderer) script(content []byte) ([]byte, error) {
	define := make(map[string]string)
	for name, value := range map[string]any{
		"VERSION": r.version, "WASM_URL": r.urls[wasmPath], "REFERENCE_URL": r.urls[referencePath], "WASM_SIZE": r.wasmSize, "FILES": r.kept, "PAGES": r.pages,
	} {
		b, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		define[name] = string(b)
	}
	return minified(content, api.TransformOptions{Loader: api.LoaderJS, Define: define, LegalComments: api.LegalCommentsInline})
}

// shell fills the page that all routes share.
func (r *renderer) shell(content []byte) ([]byte, error) {
	page := strings.NewReplacer(
		"{{DESCRIPTION}}", description, "{{COLOR}}", themeColor,
		"{{FRAME}}", strings.TrimSpace(goapp.HTMLString(app.Frame())),
	).Replace(string(content))
	for path, url := range r.urls {
		page = strings.ReplaceAll(page, "{{URL "+path+"}}", url)
	}
	if i := strings.Index(page, "{{"); i >= 0 {
		return nil, fmt.Errorf("nothing fills %.40q", page[i:])
	}
	return []byte(page), nil
}

// What the console is, where it is installed.
const (
	description = "Runs of AI agents: what they were asked, what they did, what it cost and how it was judged."
	themeColor  = "#1d2430"
)

// manifest says what is installed (Web Application Manifest, W3C).
func (r *renderer) manifest() ([]byte, error) {
	type icon struct {
		Src     string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose"`
	}
	icons := []icon{
		{r.urls["/web/icon.svg"], "any", "image/svg+xml", "any"},
		{r.urls["/web/icon-192.png"], "192x192", "image/png", "any"},
		{r.urls["/web/icon-512.png"], "512x512", "image/png", "any"},
		{r.urls["/web/icon-maskable.png"], "512x512", "image/png", "maskable"},
	}
	type shortcut struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		URL         string `json:"url"`
		Icons       []icon `json:"icons"`
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(map[string]any{
		"id": "/", "start_url": "/", "scope": "/", "display": "standalone",
		"name": "Axiom25", "short_name": "Axiom25", "description": description, "lang": "en", "dir": "ltr",
		"categories": []string{"developer"}, "theme_color": themeColor, "background_color": themeColor, "icons": icons,
		"shortcuts": []shortcut{
			{"New run", "Write a task and start it", "/new", icons[1:2]},
			{"Validate", "Check a document, offline too", "/validate", icons[1:2]},
		},
	})
	return b.Bytes(), err
}

// minified returns a script or a style without what browsers do not read. Names stay, since others look for them.
func minified(content []byte, options api.TransformOptions) ([]byte, error) {
	options.MinifyWhitespace, options.MinifySyntax = true, true
	options.Charset = api.CharsetUTF8
	result := api.Transform(string(content), options)
	if wrong := append(result.Errors, result.Warnings...); len(wrong) > 0 {
		if at := wrong[0].Location; at != nil {
			return nil, fmt.Errorf("line %d: %s", at.Line, wrong[0].Text)
		}
		return nil, errors.New(wrong[0].Text)
	}
	return result.Code, nil
}
