package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"axiom25/contracts"
)

// The console is measured as its reader sees it: each event says in its text when it was sent, and a script in the page notes when
// that text stands in the document. Both clocks are the machine's own.

// startPlain starts a server as it is shipped, without the race detector.
func startPlain(b *testing.B) *server {
	b.Helper()
	program, err := plainBinary()
	if err != nil {
		b.Fatal(err)
	}
	return startProcess(b, program, "serve", "--addr", "127.0.0.1:0", "--data", b.TempDir())
}

// stamped is a token that says when it was sent, in microseconds since 1970. One in fifty ends a paragraph, as in an answer.
func stamped() string {
	behind := " "
	if rand.IntN(50) == 0 { //nolint:gosec // it guards nothing
		behind = "\n"
	}
	return tokenLine("@" + strconv.FormatInt(time.Now().UnixMicro(), 10) + behind) //nolint:forbidigo // what is measured
}

// watchText notes for each stamp that appears in the text below a selector how many milliseconds ago it was made. It looks at
// what was added alone, so that it costs the page little.
const watchText = `void ((selector) => {
	window.late = [];
	let walker, seen, rest;
	const look = () => {
		if (!walker?.root.isConnected) {
			const text = document.querySelector(selector);
			if (!text) return;
			walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
			[seen, rest] = [0, ""];
			if (!walker.nextNode()) return (walker = undefined);
		}
		const now = performance.timeOrigin + performance.now();
		do {
			const text = walker.currentNode;
			if (text.length > seen) rest += text.substringData(seen, text.length - seen);
			seen = text.length;
		} while (walker.nextNode() && ((seen = 0), true));
		const stamps = rest.split(/\s/);
		rest = stamps.pop();
		for (const stamp of stamps) if (stamp) late.push(now - stamp.slice(1) / 1000);
	};
	new MutationObserver(look).observe(document, {subtree: true, childList: true, characterData: true});
})(%q)`

// followed is true in a page that follows a run, in a browser that keeps the console: a first visit fetches it for that all over again,
// which is measured by itself.
const followed = `document.querySelector(".connection-live") && navigator.serviceWorker.controller`

// pace calls send for n events a second, in up to a hundred portions, for as long as lasts.
func pace(perSecond int, lasts time.Duration, send func(n int)) {
	portions := min(perSecond, 100)
	tick := time.NewTicker(time.Second / time.Duration(portions))
	defer tick.Stop()
	for range int(lasts.Seconds() * float64(portions)) {
		send(perSecond / portions)
		<-tick.C
	}
}

// stamp reports n stamped tokens, which are then durable and on their way.
func (s *server) stamp(b *testing.B, id contracts.RunID, n int) {
	b.Helper()
	lines := make([]string, n)
	for i := range lines {
		lines[i] = stamped()
	}
	s.must(b, http.MethodPost, "/runs/"+id.String()+"/events", "["+strings.Join(lines, ",")+"]", nil)
}

// barePage serves a page that does nothing but show what an EventSource brings, and returns how to say something to it.
func barePage(b *testing.B) (address string, say func(n int)) {
	b.Helper()
	frames := make(chan string, 1000)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<!doctype html><p id="text"></p><script>
			const text = document.getElementById("text").appendChild(new Text());
			new EventSource("/stream").onmessage = (e) => text.appendData(JSON.parse(e.data).data.delta);</script>`)
	})
	mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		control := http.NewResponseController(w)
		_ = control.Flush()
		for {
			select {
			case frame := <-frames:
				_, _ = fmt.Fprint(w, frame)
				_ = control.Flush()
			case <-r.Context().Done():
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	b.Cleanup(server.CloseClientConnections)
	return server.URL, func(n int) {
		var frame strings.Builder
		for range n {
			fmt.Fprintf(&frame, "data: %s\n\n", stamped())
		}
		frames <- frame.String()
	}
}

// BenchmarkConsoleLive measures how long it takes from when an engine sends an event until its text stands in the console, the
// append to disk included. The floor is a page that only shows what its EventSource brings. An operation is a page that is opened
// and six seconds of a run; the first two, in which the browser still compiles what it runs often, are told apart.
func BenchmarkConsoleLive(b *testing.B) {
	const first, lasts = 2, 6 // seconds
	measure := func(b *testing.B, tab browser, rate int, send func(n int)) (young, settled []float64) {
		b.Helper()
		pace(rate, lasts*time.Second, send)
		tab.until(b, "every event", fmt.Sprintf("window.late.length === %d", lasts*rate))
		late := eval[[]float64](b, tab, "window.late")
		return late[:first*rate], late[first*rate:]
	}
	report := func(b *testing.B, young, settled []float64) {
		b.Helper()
		b.ReportMetric(quantile(settled, 0.5), "p50-ms")
		b.ReportMetric(quantile(settled, 0.99), "p99-ms")
		b.ReportMetric(quantile(young, 0.99), "first-p99-ms")
	}
	for _, rate := range []int{100, 1000, 5000} {
		b.Run(fmt.Sprintf("rate=%d/axiom25", rate), func(b *testing.B) {
			s := startPlain(b)
			tab := unwatched(b)
			var young, settled []float64
			for b.Loop() {
				id := s.create(b, externalTask)
				tab.do(b, chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+contracts.LinksOf(id).Page))
				tab.until(b, "a run that is followed", followed)
				eval[any](b, tab, fmt.Sprintf(watchText, ".answer-text"))
				y, z := measure(b, tab, rate, func(n int) { s.stamp(b, id, n) })
				young, settled = append(young, y...), append(settled, z...)
			}
			report(b, young, settled)
		})
		b.Run(fmt.Sprintf("rate=%d/floor", rate), func(b *testing.B) {
			address, say := barePage(b)
			tab := unwatched(b)
			var young, settled []float64
			for b.Loop() {
				tab.do(b, chromedp.Navigate("about:blank"), chromedp.Navigate(address))
				eval[any](b, tab, fmt.Sprintf(watchText, "#text"))
				y, z := measure(b, tab, rate, say)
				young, settled = append(young, y...), append(settled, z...)
			}
			report(b, young, settled)
		})
	}
}

// BenchmarkConsoleClick measures how long a click on a tab takes to open its view while 5000 events come a second.
func BenchmarkConsoleClick(b *testing.B) {
	s := startPlain(b)
	tab := unwatched(b)
	var took []float64
	for b.Loop() {
		id := s.create(b, externalTask)
		tab.do(b, chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+contracts.LinksOf(id).Page))
		tab.until(b, "a run that is followed", followed)
		eval[any](b, tab, `void (async () => {
			window.took = [];
			for (let i = 0; i < 16; i++) {
				const name = i % 2 ? "answer" : "events", start = performance.now();
				document.getElementById("tab-" + name).click();
				while (!document.querySelector("#view[aria-labelledby=tab-" + name + "]")) await new Promise(requestAnimationFrame);
				took.push(performance.now() - start);
				await new Promise((done) => setTimeout(done, 200));
			}
		})()`)
		pace(5000, 4*time.Second, func(n int) { s.stamp(b, id, n) })
		tab.until(b, "every click answered", "window.took.length === 16")
		took = append(took, eval[[]float64](b, tab, "window.took")...)
	}
	b.ReportMetric(quantile(took, 0.5), "p50-ms")
	b.ReportMetric(quantile(took, 0.99), "p99-ms")
}

// BenchmarkConsoleHeap measures what a tab holds of memory once it has followed a run of 100 000 events: the program's own and
// the browser's for scripts.
func BenchmarkConsoleHeap(b *testing.B) {
	const events, batch = 100_000, 1000
	s := startPlain(b)
	tab := unwatched(b)
	tab.do(b, early(`
			const instantiate = WebAssembly.instantiate;
			WebAssembly.instantiate = async (...args) => {
				const instance = await instantiate.apply(WebAssembly, args);
				window.memory = instance.exports.mem;
				return instance;
			};`))
	var mib []float64
	for b.Loop() {
		id := s.create(b, externalTask)
		tab.do(b, chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+contracts.LinksOf(id).Page+"?view=events"))
		tab.until(b, "a run that is followed", followed)
		for range events / batch {
			s.stamp(b, id, batch)
		}
		tab.until(b, "every event", `document.querySelector(".event-count")?.textContent.replace(/\D/g, "") >= 100000`)
		var scripts float64
		tab.do(b, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			usage, err := chromedp.Call(ctx, runtime.GetHeapUsage, struct{}{})
			if err == nil {
				scripts = usage.UsedSize
			}
			return err
		}))
		mib = append(mib, (scripts+eval[float64](b, tab, "window.memory.buffer.byteLength"))/(1<<20))
	}
	b.ReportMetric(quantile(mib, 0.5), "MiB")
}
