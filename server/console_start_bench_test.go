package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// noteAnswer presses a key once the page of all runs shows its content, and notes in window.answered when the page has answered.
const noteAnswer = `new MutationObserver((_, observer) => {
	if (!document.querySelector("main .notice:not(.notice-loading), main .run-row")) return;
	observer.disconnect();
	const press = () => {
		document.dispatchEvent(new KeyboardEvent("keydown", {key: "?", bubbles: true}));
		if (document.querySelector("dialog[open]")) window.answered = performance.now(); else requestAnimationFrame(press);
	};
	press();
}).observe(document, {subtree: true, childList: true});`

// compilingPage serves a page that fetches and compiles the console's program and does nothing with it, and notes in window.answered
// when it is there.
func compilingPage(b *testing.B) (address string) {
	b.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<!doctype html><title>Floor</title><script>
			WebAssembly.compileStreaming(fetch("/app.wasm")).then(() => (window.answered = performance.now()));</script>`)
	})
	mux.HandleFunc("/app.wasm", func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{"Content-Type": "application/wasm", "Content-Encoding": "br", "Cache-Control": "max-age=3600"} {
			w.Header().Set(name, value)
		}
		http.ServeFile(w, r, "../web/dist/app.wasm.br")
	})
	server := httptest.NewServer(mux)
	b.Cleanup(server.Close)
	return server.URL
}

// BenchmarkConsoleStart measures how long it takes from the navigation until the page of all runs shows its content and has
// answered a key: in a browser that has nothing of the console, and in one that has kept it. The floor is a page that fetches and
// compiles the same program. An operation is three browsers, or nine visits.
func BenchmarkConsoleStart(b *testing.B) {
	// A browser that has just been started, and one that has just left a page, are still busy with themselves.
	const settle, rest, browsers, visits = 5 * time.Second, time.Second, 3, 9
	s := startPlain(b)
	floor := compilingPage(b)
	ready := func(b *testing.B) browser {
		b.Helper()
		tab := unwatched(b)
		tab.do(b, early(noteAnswer))
		time.Sleep(settle)
		return tab
	}
	visit := func(b *testing.B, tab browser, address string) float64 {
		b.Helper()
		tab.do(b, chromedp.Navigate("about:blank"), chromedp.Navigate(address+"/"))
		tab.until(b, "an answer", "window.answered")
		return eval[float64](b, tab, "window.answered")
	}
	for name, address := range map[string]string{"axiom25": s.url, "floor": floor} {
		b.Run("cold/"+name, func(b *testing.B) {
			var took []float64
			for b.Loop() {
				for range browsers {
					took = append(took, visit(b, ready(b), address))
				}
			}
			b.ReportMetric(quantile(took, 0.5), "ms")
		})
		b.Run("cached/"+name, func(b *testing.B) {
			tab := ready(b)
			visit(b, tab, address)
			if address == s.url {
				tab.until(b, "a console that is kept", "navigator.serviceWorker.controller")
			}
			time.Sleep(settle)
			var took []float64
			for b.Loop() {
				for range visits {
					time.Sleep(rest)
					took = append(took, visit(b, tab, address))
				}
			}
			b.ReportMetric(quantile(took, 0.5), "ms")
		})
	}
}
