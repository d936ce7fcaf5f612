package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// kept waits until the browser has kept a run up to an event.
func (b browser) kept(t *testing.T, run string, last int) {
	t.Helper()
	b.until(t, fmt.Sprintf("%s kept up to event %d", run, last), fmt.Sprintf(`(() => {
		const seen = window.keptSeq;
		indexedDB.open("axiom25").onsuccess = (opened) => {
			const db = opened.target.result;
			db.transaction("runs").objectStore("runs").get(%q).onsuccess = (got) => {
				window.keptSeq = got.target.result && JSON.parse(new TextDecoder().decode(got.target.result)).summary.last_seq;
				db.close();
			};
		};
		return seen >= %d;
	})()`, run, last))
}

// TestConsoleOffline visits every page, kills the server, and loads each again: also pages that were never visited, and what is
// no page. When the server is back, the run goes on where it was.
func TestConsoleOffline(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, data, ownAddress()...)
	address := strings.TrimPrefix(s.url, "http://")
	id := s.create(t, externalTask)
	s.report(t, id, tokenLine("before, "))
	last := len(s.history(t, id))
	run := "/r/" + id.String()

	b := newBrowser(t)
	var mu sync.Mutex
	var asked []string
	if err := chromedp.Listen(b.ctx, func(ev any) {
		if sent, ok := ev.(*network.EventRequestWillBeSent); ok {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, sent.Request.URL)
		}
	}); err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.Navigate(s.url+"/"))
	b.installed(t)

	installable(t, b)

	titles := map[string]string{}
	pages := []string{"/", "/new", "/validate", "/catalog", "/reference", run, run + "?view=events#e1", run + "?view=task"}
	for _, path := range pages {
		b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+path))
		b.until(t, path, `document.querySelector("main > *") && !document.getElementById("app-wasm-loader") && !document.querySelector(".notice-loading")`)
		titles[path] = eval[string](t, b, "document.title")
	}
	b.kept(t, id.String(), last)
	s.kill(t)

	for _, path := range pages {
		b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+path))
		b.until(t, path+" without a server", `document.querySelector("main > *") && !document.getElementById("app-wasm-loader") && !document.querySelector(".notice-loading")`)
		if got := eval[string](t, b, "document.title"); got != titles[path] {
			t.Errorf("%s is now called %q, not %q", path, got, titles[path])
		}
	}
	b.do(t, chromedp.Navigate(s.url+"/"))
	b.until(t, "the runs that are kept", fmt.Sprintf(`document.querySelector('main a[href=%q]') && document.querySelector("main").innerText.includes("kept")`, run))
	b.do(t, chromedp.Navigate(s.url+"/no/such/page"))
	b.until(t, "that there is no such page", `document.querySelector("main")?.innerText.includes("There is no such page")`)

	b.do(t, chromedp.Navigate(s.url+"/validate"))
	b.typeUntil(t, flawedTask, "its problems", `document.querySelector("main").innerText.includes("2 problems")`)

	mu.Lock()
	before := len(asked)
	mu.Unlock()
	b.do(t, chromedp.Navigate(s.url+run))
	b.until(t, "the answer that is kept", `document.querySelector(".answer-text")?.textContent === "before, "`)
	b.until(t, "since when it is kept", fmt.Sprintf(`/Offline, kept at \d\d:\d\d:\d\d, up to event %d(?!\d)/.test(document.querySelector(".run-head")?.textContent)`, last))

	// The server is back: what is kept is not sent again, and what is new is.
	s = startServer(t, data, "--addr", address)
	s.report(t, id, tokenLine("after"))
	b.until(t, "both halves", `document.querySelector(".answer-text")?.textContent === "before, after"`)
	b.until(t, "that it is live", `!document.querySelector(".run-head").textContent.includes("kept at")`)
	mu.Lock()
	for _, address := range asked[before:] {
		if strings.Contains(address, "/runs/"+id.String()+"/stream") && !strings.Contains(address, fmt.Sprintf("?after=%d", last)) {
			t.Errorf("the stream was opened at %s, want it after %d", address, last)
		}
	}
	mu.Unlock()
	s.must(t, http.MethodPost, "/runs/"+id.String()+"/answer", `{"message_id":"a1","text":"before, after"}`, nil)
	compare(t, "the run", b.ended(t), s.done(t, id))

	mu.Lock()
	defer mu.Unlock()
	if len(asked) < len(pages) {
		t.Errorf("only %d requests were seen", len(asked))
	}
	for _, address := range asked {
		if !strings.HasPrefix(address, s.url+"/") && !strings.HasPrefix(address, "about:") && !strings.HasPrefix(address, "data:") {
			t.Errorf("the console asked for %s: nothing comes from elsewhere", address)
		}
	}
}

// installable asks the browser what keeps it from installing the page.
func installable(t *testing.T, b browser) {
	t.Helper()
	b.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		found, err := chromedp.Call(ctx, page.GetInstallabilityErrors, cdp.Empty{})
		if err != nil {
			return err
		}
		for _, e := range found.InstallabilityErrors {
			if e.ErrorID != "in-incognito" { // the test's browser keeps nothing
				t.Errorf("not installable: %s %v", e.ErrorID, e.ErrorArguments)
			}
		}
		manifest, err := chromedp.Call(ctx, page.GetAppManifest, page.GetAppManifestParams{})
		if err != nil {
			return err
		}
		for _, e := range manifest.Errors {
			t.Errorf("its manifest: %s (line %d)", e.Message, e.Line)
		}
		var m struct {
			ID       string `json:"id"`
			StartURL string `json:"start_url"`
			Scope    string `json:"scope"`
			Display  string `json:"display"`
			Icons    []struct {
				Src string `json:"src"`
			} `json:"icons"`
		}
		if err := json.Unmarshal([]byte(manifest.Data), &m); err != nil {
			return err
		}
		if m.ID != "/" || m.StartURL != "/" || m.Scope != "/" || m.Display != "standalone" || len(m.Icons) < 4 {
			t.Errorf("its manifest: %+v", m)
		}
		return nil
	}))
}
