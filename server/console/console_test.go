package console_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"axiom25/app"
	"axiom25/contracts"
	"axiom25/server/console"
	"axiom25/web"
)

// built is a console's files without a console in them.
func built(t *testing.T) fstest.MapFS {
	t.Helper()
	manifest, err := json.Marshal(web.Manifest{Version: "v1", Assets: []web.Asset{
		{Path: "/app.css", File: "app.css", Type: "text/css; charset=utf-8", Hash: "c0ffee", Size: 5, Brotli: 2, Gzip: 3},
		{Path: "/web/app.wasm", File: "app.wasm", Type: "application/wasm", Hash: "beef", Size: 4},
		{Path: web.ShellPath, File: "shell.html", Type: "text/html; charset=utf-8", Hash: "5e11", Size: 5, Brotli: 2},
		{Path: "/web/lost.js", File: "lost.js", Type: "text/javascript", Hash: "dead", Size: 4},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		web.ManifestFile: {Data: manifest},
		"app.css":        {Data: []byte("plain")},
		"app.css.br":     {Data: []byte("br")},
		"app.css.gz":     {Data: []byte("gz.")},
		"app.wasm":       {Data: []byte("wasm")},
		"shell.html":     {Data: []byte("shell")},
		"shell.html.br":  {Data: []byte("sh")},
	}
}

func newConsole(t *testing.T, files fstest.MapFS) http.Handler {
	t.Helper()
	h, err := console.New(console.Config{Files: files})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// ask sends a request with these header fields, a name and a value in turn.
func ask(t *testing.T, h http.Handler, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	defer res.Body.Close() //nolint:errcheck // a recorder's body
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// read returns what is at target.
func read(t *testing.T, h http.Handler, target string) string {
	t.Helper()
	res := ask(t, h, http.MethodGet, target)
	content := body(t, res)
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s gives %d: %s", target, res.StatusCode, content)
	}
	return content
}

func TestFiles(t *testing.T) {
	t.Parallel()
	h := newConsole(t, built(t))
	for name, c := range map[string]struct {
		target, accept                  string
		body, encoding, tag, cacheStart string
	}{
		"brotli where it is read":           {"/app.css", "gzip, br", "br", "br", `"c0ffee-br"`, "no-cache"},
		"gzip where brotli is refused":      {"/app.css", "br;q=0, gzip", "gz.", "gzip", `"c0ffee-gz"`, "no-cache"},
		"as it is where nothing is read":    {"/app.css", "", "plain", "", `"c0ffee"`, "no-cache"},
		"as it is where it has no forms":    {"/web/app.wasm", "br, gzip", "wasm", "", `"beef"`, "no-cache"},
		"for ever under its content's name": {"/web/app.wasm?v=beef", "", "wasm", "", `"beef"`, "public, max-age=31536000"},
		"a page, asked about each time":     {"/new?view=x&v=5e11", "br", "sh", "br", `"5e11-br"`, "no-cache"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := ask(t, h, http.MethodGet, c.target, "Accept-Encoding", c.accept)
			if res.StatusCode != http.StatusOK {
				t.Fatalf("status %d", res.StatusCode)
			}
			if got := body(t, res); got != c.body {
				t.Errorf("body %q, want %q", got, c.body)
			}
			header := res.Header
			if header.Get("Content-Encoding") != c.encoding || header.Get("ETag") != c.tag || header.Get("Vary") != "Accept-Encoding" ||
				!strings.HasPrefix(header.Get("Cache-Control"), c.cacheStart) {
				t.Errorf("header %v", header)
			}
		})
	}

	t.Run("are not sent again to who has them", func(t *testing.T) {
		t.Parallel()
		res := ask(t, h, http.MethodGet, "/app.css", "Accept-Encoding", "br", "If-None-Match", `"c0ffee-br"`)
		if got := body(t, res); got != "" {
			t.Errorf("body %q", got)
		}
		if res.StatusCode != http.StatusNotModified {
			t.Errorf("status %d", res.StatusCode)
		}
	})
}

func TestPages(t *testing.T) {
	t.Parallel()
	h := newConsole(t, built(t))

	for _, path := range []string{"/", "/new", "/validate", "/catalog", "/reference", "/reference/api", "/r/run_01m81tqkhryw3vmma10cpw1nqk"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			res := ask(t, h, http.MethodGet, path)
			if page := body(t, res); page != "shell" || res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
				t.Fatalf("status %d, %v: %s", res.StatusCode, res.Header, page)
			}
			policy := res.Header.Get("Content-Security-Policy")
			if strings.Contains(policy, "unsafe-inline") || !strings.Contains(policy, "script-src 'self' 'wasm-unsafe-eval'") {
				t.Errorf("policy %s", policy)
			}
		})
	}

	t.Run("the gallery is not shipped", func(t *testing.T) {
		t.Parallel()
		res := ask(t, h, http.MethodGet, "/gallery")
		if body(t, res); res.StatusCode != http.StatusNotFound {
			t.Errorf("status %d", res.StatusCode)
		}
	})

	t.Run("every route is one", func(t *testing.T) {
		t.Parallel()
		if n := len(app.Routes()); n != 7 {
			t.Fatalf("%d routes: name the new one above", n)
		}
	})
}

// TestShell looks into the built console: what its page names is there, under the name of its content, and nothing stands in
// it that its policy forbids.
func TestShell(t *testing.T) {
	t.Parallel()
	files, m, err := web.Load()
	if errors.Is(err, web.ErrNotBuilt) {
		t.Skip("the console is not built")
	}
	if err != nil {
		t.Fatal(err)
	}
	h, err := console.New(console.Config{Files: files})
	if err != nil {
		t.Fatal(err)
	}
	page := read(t, h, "/")
	named := regexp.MustCompile(`(?:src|href)="(/(?:web/|app|manifest)[^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(named) < 6 {
		t.Errorf("names %q", named)
	}
	for _, match := range named {
		res := ask(t, h, http.MethodGet, match[1])
		if content := body(t, res); content == "" || res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s gives %d, %v", match[1], res.StatusCode, res.Header)
		}
	}
	for _, forbidden := range []string{"<style", "style=", "onclick", "http:", "https:", "{{"} {
		if strings.Contains(page, forbidden) {
			t.Errorf("the page has %s", forbidden)
		}
	}
	worker := read(t, h, "/app-worker.js")
	for _, a := range m.Assets {
		if kept := strings.Contains(worker, `["`+a.URL()+`","`+a.Hash+`"]`); kept != (a.Path != "/app-worker.js") {
			t.Errorf("the worker keeps %s: %v", a.URL(), kept)
		}
	}
}

func TestALostReaderGetsAPage(t *testing.T) {
	t.Parallel()
	h := newConsole(t, built(t))
	res := ask(t, h, http.MethodGet, "/nowhere", "Accept", "text/html,*/*;q=0.8")
	if page := body(t, res); res.StatusCode != http.StatusNotFound || page != "shell" || res.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("status %d, %v: %s", res.StatusCode, res.Header, page)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h := newConsole(t, built(t))
	for name, c := range map[string]struct {
		method, target string
		want           contracts.ProblemType
		status         int
		allow          string
	}{
		"no such page":                     {http.MethodGet, "/nowhere", contracts.ProblemNotFound, 404, ""},
		"a file by another version's name": {http.MethodGet, "/web/app.wasm?v=cafe", contracts.ProblemNotFound, 404, ""},
		"below a run":                      {http.MethodGet, "/r/a/b", contracts.ProblemNotFound, 404, ""},
		"a page is not post":               {http.MethodPost, "/new", contracts.ProblemMethodNotAllowed, 405, "GET, HEAD"},
		"nor is a file":                    {http.MethodDelete, "/app.css", contracts.ProblemMethodNotAllowed, 405, "GET, HEAD"},
		"a file that is lost":              {http.MethodGet, "/web/lost.js", contracts.ProblemInternal, 500, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := ask(t, h, c.method, c.target)
			var p contracts.Problem
			if err := json.Unmarshal([]byte(body(t, res)), &p); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != c.status || !p.Has(c.want) || res.Header.Get("Allow") != c.allow ||
				res.Header.Get("Content-Type") != contracts.ProblemMediaType {
				t.Errorf("status %d, %v, %+v", res.StatusCode, res.Header, p)
			}
		})
	}
}

func TestAConsoleThatIsNotBuilt(t *testing.T) {
	t.Parallel()
	h := newConsole(t, fstest.MapFS{"placeholder": {}})
	res := ask(t, h, http.MethodGet, "/")
	if page := body(t, res); res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(page, "run make") {
		t.Errorf("status %d: %s", res.StatusCode, page)
	}
	res = ask(t, h, http.MethodGet, "/app.js")
	if problem := body(t, res); res.StatusCode != http.StatusNotFound {
		t.Errorf("a missing file gives %d: %s", res.StatusCode, problem)
	}
}

func TestADamagedManifestIsAnError(t *testing.T) {
	t.Parallel()
	for _, damaged := range []string{"{", `{"version":"v","assets":[]}`} {
		if _, err := console.New(console.Config{Files: fstest.MapFS{web.ManifestFile: {Data: []byte(damaged)}}}); err == nil {
			t.Errorf("took %s", damaged)
		}
	}
}
