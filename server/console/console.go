// Package console serves the browser console: the pages of app.Routes and the built files of package web. It
// is the only package of the server that knows either.
package console

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"axiom25/app"
	"axiom25/contracts"
	"axiom25/web"
)

// Config is what a console is served from.
type Config struct {
	// Files are the built files, those that package web embeds where nil.
	Files fs.FS
}

// handler answers for pages and files.
type handler struct {
	files    fs.FS
	manifest web.Manifest
	paths    map[string]bool
	families []*regexp.Regexp
}

// New returns the console's handler. Where the console was not built its pages say so, with status 503. What
// is neither a page nor a file is answered with a problem, 404.
func New(cfg Config) (http.Handler, error) {
	h := &handler{files: cfg.Files, paths: make(map[string]bool)}
	for _, r := range app.Routes() {
		if !r.Family() {
			h.paths[r.Pattern] = true
			continue
		}
		family, err := regexp.Compile(r.Pattern)
		if err != nil {
			return nil, fmt.Errorf("compile the route %s: %w", r.Pattern, err)
		}
		h.families = append(h.families, family)
	}
	var err error
	if h.files == nil {
		h.files, h.manifest, err = web.Load()
	} else {
		h.manifest, err = web.ReadManifest(h.files)
	}
	if errors.Is(err, web.ErrNotBuilt) {
		return h, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the console's files: %w", err)
	}
	if _, ok := h.manifest.Asset(web.ShellPath); !ok {
		return nil, errors.New("the console's files lack its shell")
	}
	return h, nil
}

// policy is the Content-Security-Policy of every page: nothing from elsewhere, nothing inline. A Go program is
// compiled in the browser, hence wasm-unsafe-eval.
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asset, isFile := h.manifest.Asset(r.URL.Path)
	isPage := h.isPage(r.URL.Path)
	// A reader who has lost the way gets a page that says so; a program gets a problem.
	isLost := !isFile && !isPage && strings.Contains(r.Header.Get("Accept"), "text/html")
	if !isFile && !isPage && !isLost {
		problem(w, contracts.NewProblem(contracts.ProblemNotFound, "there is no such page"))
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		problem(w, contracts.NewProblem(contracts.ProblemMethodNotAllowed, "a page can only be read"))
		return
	}
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	if isFile && asset.Path != web.ShellPath {
		h.serveFile(w, r, asset)
		return
	}
	shell, built := h.manifest.Asset(web.ShellPath)
	if !built {
		notBuilt(w)
		return
	}
	header.Set("Content-Security-Policy", policy)
	if isLost {
		h.serveLost(w, shell)
		return
	}
	h.serveFile(w, r, shell)
}

// serveLost sends the shell of a page that is none, which the program in it then says.
func (h *handler) serveLost(w http.ResponseWriter, shell web.Asset) {
	content, err := fs.ReadFile(h.files, shell.File)
	if err != nil {
		problem(w, contracts.NewProblem(contracts.ProblemInternal, "a file of the console is missing: build it again"))
		return
	}
	w.Header().Set("Content-Type", shell.Type)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write(content)
}

// isPage reports whether the route table has a page for path.
func (h *handler) isPage(path string) bool {
	if h.paths[path] {
		return true
	}
	for _, family := range h.families {
		if family.MatchString(path) {
			return true
		}
	}
	return false
}

// serveFile sends a built file in the smallest form that the client reads. A URL that names the content may be
// kept for ever, and names nothing where the content is another by now: a page of another version would draw with what it
// does not know. A URL that names no content is asked about again each time.
func (h *handler) serveFile(w http.ResponseWriter, r *http.Request, a web.Asset) {
	header := w.Header()
	switch named := r.URL.Query().Get("v"); {
	case a.Path == web.ShellPath || named == "":
		header.Set("Cache-Control", "no-cache")
	case named == a.Hash:
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	default:
		problem(w, contracts.NewProblem(contracts.ProblemNotFound, "this file belongs to another version of the console"))
		return
	}
	header.Set("Content-Type", a.Type)
	header.Set("Vary", "Accept-Encoding")
	name, tag := a.File, a.Hash
	switch accepted := r.Header.Get("Accept-Encoding"); {
	case a.Brotli > 0 && accepts(accepted, "br"):
		header.Set("Content-Encoding", "br")
		name, tag = name+".br", tag+"-br"
	case a.Gzip > 0 && accepts(accepted, "gzip"):
		header.Set("Content-Encoding", "gzip")
		name, tag = name+".gz", tag+"-gz"
	}
	header.Set("ETag", `"`+tag+`"`)
	file, err := h.files.Open(name)
	if err != nil {
		header.Del("Content-Encoding")
		header.Del("ETag")
		header.Set("Cache-Control", "no-store")
		problem(w, contracts.NewProblem(contracts.ProblemInternal, "a file of the console is missing: build it again"))
		return
	}
	defer file.Close() //nolint:errcheck // it was only read
	content, ok := file.(io.ReadSeeker)
	if !ok {
		problem(w, contracts.NewProblem(contracts.ProblemInternal, "a file of the console cannot be read"))
		return
	}
	http.ServeContent(w, r, "", time.Time{}, content)
}

// accepts reports whether an Accept-Encoding field allows a coding (RFC 9110, section 12.5.3).
func accepts(field, coding string) bool {
	for part := range strings.SplitSeq(field, ",") {
		name, parameter, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		weight, weighted := strings.CutPrefix(strings.TrimSpace(parameter), "q=")
		if !weighted {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}

// notBuilt says what to do about a binary that holds no console.
func notBuilt(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Axiom25</title>
<h1>Console not built: run make</h1>
<p>This server was compiled before its console was. <code>make build</code> builds both. The API works as it is.</p>
</html>
`)
}

// problem answers with a problem document.
func problem(w http.ResponseWriter, p *contracts.Problem) {
	body, err := contracts.Encode(p)
	if err != nil {
		http.Error(w, p.Title, p.Status)
		return
	}
	w.Header().Set("Content-Type", contracts.ProblemMediaType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}
