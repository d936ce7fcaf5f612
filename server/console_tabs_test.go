package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"axiom25/contracts"
)

// gate passes a server on and counts the streams that are open through it. It can answer in the server's stead.
type gate struct {
	url     string
	streams atomic.Int64
	// instead, where set, may answer a request and reports whether it has.
	instead atomic.Pointer[func(w http.ResponseWriter, r *http.Request) bool]
}

func newGate(t *testing.T, s *server) *gate {
	t.Helper()
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, FlushInterval: -1}
	edge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if instead := g.instead.Load(); instead != nil && (*instead)(w, r) {
			return
		}
		if strings.HasSuffix(r.URL.Path, "/stream") {
			g.streams.Add(1)
			defer g.streams.Add(-1)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		edge.CloseClientConnections()
		edge.Close()
	})
	g.url = edge.URL
	return g
}

// sight is a page that a test covers and uncovers: a headless browser shows all of its tabs at once.
const sight = `{
	let seen = false;
	Object.defineProperty(document, "visibilityState", {get: () => seen ? "visible" : "hidden"});
	window.uncover = on => { seen = on; document.dispatchEvent(new Event("visibilitychange")); };
}`

// tab opens another tab of the browser, behind the one that is shown.
func (b browser) tab(t *testing.T, address string) browser {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx)
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // the tab must not end with a step
		t.Fatal(err)
	}
	tab := browser{ctx: ctx}
	tab.do(t, early(sight), chromedp.Navigate(address))
	return tab
}

// uncover shows a tab or puts it behind another one.
func (b browser) uncover(t *testing.T, on bool) {
	t.Helper()
	eval[any](t, b, fmt.Sprintf("(uncover(%v), null)", on))
}

// TestConsoleTenTabs has more tabs than a browser gives connections to a server over HTTP/1.1: the one that is seen follows
// its run, the others hold no stream, and each goes on from where it was once it is seen.
func TestConsoleTenTabs(t *testing.T) {
	t.Parallel()
	const tabs = 10
	s := startServer(t, t.TempDir())
	g := newGate(t, s)
	b := newBrowser(t)
	var all []browser
	var ids []contracts.RunID
	for range tabs {
		id := s.create(t, externalTask)
		s.report(t, id, tokenLine("one "))
		ids, all = append(ids, id), append(all, b.tab(t, g.url+"/r/"+id.String()))
	}
	says := func(text string) string {
		return fmt.Sprintf(`document.querySelector(".answer-text")?.textContent === %q`, text)
	}
	streams := func(n int64) {
		t.Helper()
		patiently(t, fmt.Sprintf("state with %d streams", n), func() bool { return g.streams.Load() == n })
	}
	for i, tab := range all {
		tab.until(t, "the program", `document.querySelector(".notice-loading, .run-head")`)
		streams(0)
		tab.uncover(t, true)
		tab.until(t, "its run", says("one "))
		streams(1)
		tab.uncover(t, false)
		streams(0)
		s.report(t, ids[i], tokenLine("two "))
	}
	for _, tab := range all {
		if !eval[bool](t, tab, says("one ")) {
			t.Error("a tab that nobody sees was told of an event")
		}
		tab.uncover(t, true)
		tab.until(t, "what it has missed", says("one two "))
		tab.uncover(t, false)
	}
	streams(0)
}

// TestConsoleEightWindows has more windows side by side than a browser gives connections to a server over HTTP/1.1: each follows
// its run, commands get through, and a place for a stream that one leaves is taken by another.
func TestConsoleEightWindows(t *testing.T) {
	t.Parallel()
	const windows, places = 8, 4 // places as in web/streams.js
	s := startServer(t, t.TempDir())
	g := newGate(t, s)
	b := newBrowser(t)
	var all []browser
	var ids []contracts.RunID
	says := func(text string) string {
		return fmt.Sprintf(`document.querySelector(".answer-text")?.textContent === %q`, text)
	}
	for i := range windows {
		id := s.create(t, externalTask)
		s.report(t, id, tokenLine("one "))
		tab := b.tab(t, g.url+"/r/"+id.String())
		tab.until(t, "the program", `document.querySelector(".notice-loading, .run-head")`)
		tab.uncover(t, true)
		tab.until(t, fmt.Sprintf("the run of window %d", i+1), says("one "))
		ids, all = append(ids, id), append(all, tab)
	}
	const words = `document.querySelector(".connection").textContent`
	for i, tab := range all {
		s.report(t, ids[i], tokenLine("two "))
		tab.until(t, fmt.Sprintf("what comes to window %d", i+1), says("one two "))
		want := "Live"
		if i >= places {
			want = "Live, by polling"
		}
		if got := eval[string](t, tab, words); !strings.HasPrefix(got, want) || (i < places && strings.Contains(got, "polling")) {
			t.Errorf("window %d is %q, want %s", i+1, got, want)
		}
	}
	if n := g.streams.Load(); n != places {
		t.Errorf("%d streams are open, want %d", n, places)
	}
	for _, tab := range all[places:] {
		tab.click(t, ".run-title-row button", "Cancel")
	}

	// The list of runs asks, too, until a window that is covered leaves its place.
	list := b.tab(t, g.url+"/")
	list.uncover(t, true)
	list.until(t, "the runs", fmt.Sprintf(`document.querySelectorAll(".run-list a[href^='/r/']").length === %d`, windows))
	list.until(t, "that they are asked for", words+`.startsWith("Live, by polling")`)
	all[0].uncover(t, false)
	list.until(t, "that it is told", `/^Live(?!, by)/.test(`+words+`)`)
	if n := g.streams.Load(); n != places {
		t.Errorf("%d streams are open, want %d", n, places)
	}
	for i, tab := range all[places:] {
		tab.until(t, "the end of its run", words+`.startsWith("Ended, ")`)
		if got := s.done(t, ids[places+i]); got.State != contracts.StateCancelled {
			t.Errorf("run %d is %s", places+i+1, got.State)
		}
	}
}

// TestConsoleHiddenListSleeps has a list of runs that nobody sees: it holds no stream and hears of nothing, and is up to date once
// it is seen.
func TestConsoleHiddenListSleeps(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	g := newGate(t, s)
	first := s.create(t, externalTask)
	s.report(t, first, tokenLine("one "))
	list := newBrowser(t).tab(t, g.url+"/")
	row := func(id contracts.RunID, state string) string {
		return fmt.Sprintf(`[...document.querySelectorAll(".run-list li")].some(
			row => row.querySelector("a[href='/r/%s']") && row.querySelector(".state-name").textContent === %q)`, id, state)
	}
	streams := func(n int64) {
		t.Helper()
		patiently(t, fmt.Sprintf("state with %d streams", n), func() bool { return g.streams.Load() == n })
	}
	list.uncover(t, true)
	list.until(t, "the run", row(first, "running"))
	streams(1)
	list.uncover(t, false)
	streams(0)
	list.until(t, "that it says so", `document.querySelector(".connection").textContent.startsWith("Paused")`)
	second := s.create(t, externalTask)
	s.must(t, http.MethodPost, "/runs/"+first.String()+"/cancel", `{}`, nil)
	s.done(t, first)
	if !eval[bool](t, list, row(first, "running")) || eval[bool](t, list, fmt.Sprintf(`!!document.querySelector("a[href='/r/%s']")`, second)) {
		t.Error("a list that nobody sees was told of a run")
	}
	list.uncover(t, true)
	list.until(t, "what it has missed", row(first, "cancelled")+" && "+row(second, "queued"))
	streams(1)
	third := s.create(t, externalTask)
	list.until(t, "what comes from now on", row(third, "queued"))
}

// refuse has a gate answer requests in the server's stead with a status and a Retry-After of a second. refused tells when
// those came whose path ends with a suffix.
func (g *gate) refuse(status int, which func(r *http.Request) bool) (refused func(suffix string) []time.Time) {
	var mu sync.Mutex
	at := map[string][]time.Time{}
	instead := func(w http.ResponseWriter, r *http.Request) bool {
		if !which(r) {
			return false
		}
		mu.Lock()
		suffix := r.URL.Path[strings.LastIndex(r.URL.Path, "/"):]
		at[suffix] = append(at[suffix], time.Now()) //nolint:forbidigo // when a browser came back
		mu.Unlock()
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(status)
		return true
	}
	g.instead.Store(&instead)
	return func(suffix string) []time.Time {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(at[suffix])
	}
}

func TestConsoleLeavesABusyServerAlone(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	g := newGate(t, s)
	b := newBrowser(t)
	id := s.create(t, externalTask)
	s.report(t, id, tokenLine("one "))
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		// The stream, the poll that follows, and the task.
		refused := g.refuse(status, func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/runs/") })
		b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(g.url+"/r/"+id.String()))
		b.until(t, "that it comes back", `/Reconnecting/.test(document.querySelector("main").textContent)`)
		patiently(t, "second attempt", func() bool { return len(refused("/stream")) >= 2 })
		if at := refused("/stream"); at[1].Sub(at[0]) < 900*time.Millisecond {
			t.Errorf("%d: the stream was asked for again after %v, though the server had asked for a second", status, at[1].Sub(at[0]))
		}
		g.instead.Store(nil)
		b.until(t, "the run", `document.querySelector(".answer-text")?.textContent === "one "`)
		b.until(t, "its goal", `document.querySelector(".run-title").textContent === "Say something long"`)

		// A command.
		refused = g.refuse(status, func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/cancel") })
		b.click(t, ".run-title-row button", "Cancel")
		b.until(t, "that it waits", `document.querySelector(".alerts")?.textContent.startsWith("The server is busy. The command is sent again in")`)
		patiently(t, "second attempt", func() bool { return len(refused("/cancel")) >= 2 })
		if at := refused("/cancel"); at[1].Sub(at[0]) < 900*time.Millisecond {
			t.Errorf("%d: the command came back after %v, though the server had asked for a second", status, at[1].Sub(at[0]))
		}
		g.instead.Store(nil)
		b.until(t, "that it has ended", `document.querySelector(".connection").textContent.startsWith("Ended, ")`)
		if got := s.done(t, id); got.State != contracts.StateCancelled {
			t.Errorf("%d: the run is %s", status, got.State)
		}
		id = s.create(t, externalTask)
		s.report(t, id, tokenLine("one "))
	}
}
