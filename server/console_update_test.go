package main_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"axiom25/server/console"
	"axiom25/web"
)

// nextVersion is the built console under another version's name, as a build from changed sources gives it: every file that
// names the version or another file has another content, and therefore another address.
func nextVersion(t *testing.T) (files fs.FS, version string) {
	t.Helper()
	built, m, err := web.Load()
	if err != nil {
		t.Fatal(err)
	}
	version = strings.Repeat("5", len(m.Version))
	changed := fstest.MapFS{}
	renamed := []string{m.Version, version}
	for i := range m.Assets {
		a := &m.Assets[i] // a file stands behind those that it names
		content, err := fs.ReadFile(built, a.File)
		if err != nil {
			t.Fatal(err)
		}
		if now := []byte(strings.NewReplacer(renamed...).Replace(string(content))); !bytes.Equal(now, content) || a.Path == "/web/app.wasm" {
			if a.Path == "/web/app.wasm" {
				now = append(now, "\x00\x05\x04next"...) // a section of its own, which no program reads
			}
			hash := digest(now)
			renamed = append(renamed, a.Hash, hash)
			content, a.Hash, a.Size = now, hash, int64(len(now))
		}
		a.Brotli, a.Gzip = 0, 0
		changed[a.File] = &fstest.MapFile{Data: content}
	}
	m.Version = version
	manifest, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	changed[web.ManifestFile] = &fstest.MapFile{Data: manifest}
	return changed, version
}

// upgradable is an address whose server can be replaced: its console by another version, its API never.
type upgradable struct {
	url     string
	current atomic.Pointer[http.Handler]
	// broken, while positive, counts down answers for files that break off.
	broken atomic.Int64
}

// newUpgradable serves the API of s and the console of these files.
func newUpgradable(t *testing.T, s *server, files fs.FS) *upgradable {
	t.Helper()
	u := &upgradable{}
	u.become(t, s, files)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*u.current.Load()).ServeHTTP(w, r) }))
	t.Cleanup(func() {
		front.CloseClientConnections()
		front.Close()
	})
	u.url = front.URL
	return u
}

// become replaces the console.
func (u *upgradable) become(t *testing.T, s *server, files fs.FS) {
	t.Helper()
	pages, err := console.New(console.Config{Files: files})
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	behind := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, FlushInterval: -1}
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("v") && u.broken.Add(-1) >= 0 {
			panic(http.ErrAbortHandler)
		}
		if first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); first == "runs" || first == "stream" || first == "tools" {
			behind.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
	u.current.Store(&h)
}

// beside opens another tab of the browser, which is as visible as the first.
func (b browser) beside(t *testing.T) browser {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx)
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // the tab must not end with a step
		t.Fatal(err)
	}
	return browser{ctx: ctx}
}

// withoutWorkers keeps the developer tools, by which the test drives its tabs, from the service worker: they would never let
// it rest, and a worker that does not rest is not replaced.
func (b browser) withoutWorkers(t *testing.T) browser {
	t.Helper()
	b.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, target.SetAutoAttach, target.SetAutoAttachParams{})
		return err
	}))
	return b
}

// installed waits until the page is drawn and its service worker keeps it.
func (b browser) installed(t *testing.T) {
	t.Helper()
	b.until(t, "a page that is kept", `document.querySelector("h1") && !document.getElementById("app-wasm-loader") && navigator.serviceWorker.controller`)
}

// caches lists the versions that are kept.
const keptVersions = `(window.versions = null, caches.keys().then(names => { window.versions = names.map(n => n.replace("axiom25-console-", "")).sort().join(); }), true)`

// keeps waits until these versions are kept, and no other.
func (b browser) keeps(t *testing.T, versions ...string) {
	t.Helper()
	want := strings.Join(slices.Sorted(slices.Values(versions)), ",")
	b.until(t, "the versions "+want, fmt.Sprintf(`(() => { const seen = window.versions; %s; return seen === %q; })()`, keptVersions, want))
}

func TestConsoleUpdate(t *testing.T) {
	t.Parallel()
	first, m, err := web.Load()
	if err != nil {
		t.Fatal(err)
	}
	next, version := nextVersion(t)
	s := startServer(t, t.TempDir())
	u := newUpgradable(t, s, first)
	const runs = `goappGetenv("GOAPP_VERSION")`

	reader := newBrowser(t).withoutWorkers(t)
	reader.do(t, chromedp.Navigate(u.url+"/"))
	reader.installed(t)
	typing := reader.beside(t).withoutWorkers(t)
	typing.do(t, chromedp.Navigate(u.url+"/validate"))
	typing.installed(t)
	typing.typeUntil(t, `{"draft": 1`, "the draft", `document.querySelector("textarea")?.value !== ""`)

	// The server is replaced; half of the new files' first answers break off.
	u.become(t, s, next)
	u.broken.Store(4)
	eval[any](t, reader, "goappTryUpdate()")
	reader.until(t, "that there is a new version", `document.querySelector(".update")?.textContent === "A new version is ready Apply"`)
	typing.until(t, "that there is a new version", `document.querySelector(".update button")?.textContent === "Apply"`)
	if u.broken.Load() > 0 {
		t.Errorf("%d answers did not break off", u.broken.Load())
	}

	// Nothing changes before the reader applies it, also not by a reload: the old version's files are gone from the server.
	reader.do(t, chromedp.Reload())
	reader.installed(t)
	if got := eval[string](t, reader, runs); got != m.Version {
		t.Errorf("a reload gives version %s before it was applied, want %s", got, m.Version)
	}
	reader.until(t, "still that there is a new version", `document.querySelector(".update button")`)

	// One click, and each tab takes it, but for the one in which something is typed.
	eval[any](t, reader, `document.querySelector(".update button").click()`)
	reader.until(t, "the new version", fmt.Sprintf(`typeof goappGetenv === "function" && %s === %q && document.querySelector("h1")`, runs, version))
	typing.until(t, "that it was left behind", `document.querySelector(".update button")?.textContent === "Reload"`)
	if got := eval[string](t, typing, `document.querySelector("textarea").value`); got != `{"draft": 1` {
		t.Errorf("the draft is %q", got)
	}
	reader.keeps(t, version, m.Version) // as long as a tab uses it
	typing.do(t, chromedp.Navigate(u.url+"/validate"))
	typing.until(t, "the new version", fmt.Sprintf(`typeof goappGetenv === "function" && %s === %q && document.querySelector("textarea")`, runs, version))
	typing.installed(t)
	eval[any](t, reader, `navigator.serviceWorker.controller.postMessage("started")`)
	reader.keeps(t, version)
	reader.until(t, "nothing new", `document.querySelector(".update")?.textContent === ""`)
}

// digest is the part of a content's SHA-256 by which it is named.
func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}
