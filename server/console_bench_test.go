package main_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"axiom25/contracts/contractstest"
)

// unwatched starts a browser that does not tell the test of its traffic: it would copy each file and each event of a stream for that.
func unwatched(b *testing.B) browser {
	b.Helper()
	tab := newBrowser(b)
	tab.do(b, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.Disable, cdp.Empty{})
		return err
	}))
	return tab
}

// isolated passes the server on with the headers for which a browser measures time to 5 µs; without them it rounds to
// 100 µs (High Resolution Time, W3C, section 7).
func isolated(b *testing.B, s *server) string {
	b.Helper()
	target, err := url.Parse(s.url)
	if err != nil {
		b.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(res *http.Response) error {
			res.Header.Set("Cross-Origin-Opener-Policy", "same-origin")
			res.Header.Set("Cross-Origin-Embedder-Policy", "require-corp")
			return nil
		},
	})
	b.Cleanup(proxy.Close)
	return proxy.URL
}

// measures returns how long each piece of work of a name took in the page, in milliseconds.
func measures(b *testing.B, page browser, name string) []float64 {
	b.Helper()
	return eval[[]float64](b, page, fmt.Sprintf(`performance.getEntriesByName(%q).map(entry => entry.duration)`, name))
}

// quantile returns the value below which a share of the values lies.
func quantile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	return values[min(int(share*float64(len(values))), len(values)-1)]
}

// typeTimes changes the document in the page's editor n times, and waits each time until it is judged.
func typeTimes(b *testing.B, page browser, document string, n int) {
	b.Helper()
	eval[any](b, page, fmt.Sprintf(`void (async (text, n) => {
		window.typed = 0;
		const editor = document.querySelector("textarea");
		const judged = () => performance.getEntriesByName("validate taskspec").length;
		for (let i = 0; i < n; i++) {
			const before = judged();
			editor.value = text.replace("planet", "planet" + i);
			editor.dispatchEvent(new Event("input", {bubbles: true}));
			while (judged() === before) await new Promise(done => setTimeout(done, 1));
			window.typed++;
		}
	})(%q, %d)`, document, n))
	page.until(b, "all that was typed", fmt.Sprintf("window.typed === %d", n))
}

// BenchmarkConsoleValidate measures how long the built console takes to judge a task of 1.5 kB in Chromium, beside the
// floor: how long the browser takes to parse it, which judges nothing. An operation of "first" is a load of the page,
// one of "later"
// a hundred changes of the document.
func BenchmarkConsoleValidate(b *testing.B) {
	task := string(contractstest.Document(contractstest.FullTaskSpec()))
	s := startServer(b, b.TempDir())
	address := isolated(b, s)
	page := unwatched(b)
	open := func(b *testing.B) {
		b.Helper()
		page.do(b, chromedp.Navigate("about:blank"), chromedp.Navigate(address+"/validate"))
		page.until(b, "a program that is ready", `performance.getEntriesByName("prepare runevent").length === 1`)
	}
	b.Run("first", func(b *testing.B) {
		var first, floor, prepare, longest []float64
		for b.Loop() {
			open(b)
			page.typeUntil(b, task, "a valid task", `document.querySelector(".verdict-line-valid")`)
			first = append(first, measures(b, page, "validate taskspec")[0])
			floor = append(floor, eval[float64](b, page, fmt.Sprintf(`(() => { const start = performance.now(); JSON.parse(%q); return performance.now() - start; })()`, task)))
			prepared := eval[[]float64](b, page, `performance.getEntriesByType("measure").filter(entry => entry.name.startsWith("prepare ")).map(entry => entry.duration)`)
			sum := 0.0
			for _, ms := range prepared {
				sum += ms
			}
			prepare, longest = append(prepare, sum), append(longest, slices.Max(prepared))
		}
		b.ReportMetric(quantile(first, 0.5), "first-ms")
		b.ReportMetric(quantile(prepare, 0.5), "prepare-ms")
		b.ReportMetric(quantile(longest, 0.5), "longest-ms")
		b.ReportMetric(quantile(floor, 0.5), "parse-ms")
	})
	b.Run("new", func(b *testing.B) {
		var first []float64
		for b.Loop() {
			page.do(b, chromedp.Navigate("about:blank"), chromedp.Navigate(address+"/new"))
			page.until(b, "a judgement", `document.querySelector(".verdict-line-valid") && performance.getEntriesByName("validate taskspec").length > 0`)
			first = append(first, measures(b, page, "validate taskspec")[0])
		}
		b.ReportMetric(quantile(first, 0.5), "first-ms")
	})
	b.Run("later", func(b *testing.B) {
		open(b)
		page.typeUntil(b, task, "a valid task", `document.querySelector(".verdict-line-valid")`)
		const (
			changes = 100
			warmUp  = 500 // until the browser has compiled what is called often
		)
		typeTimes(b, page, task, warmUp)
		b.ResetTimer()
		typeTimes(b, page, task, changes*b.N)
		later := measures(b, page, "validate taskspec")[1+warmUp:]
		b.ReportMetric(quantile(later, 0.5), "p50-ms")
		b.ReportMetric(quantile(later, 0.99), "p99-ms")
		if !strings.Contains(eval[string](b, page, "document.body.innerText"), "Valid TaskSpec") {
			b.Error("the page does not judge what was typed")
		}
		floor := eval[[]float64](b, page, fmt.Sprintf(`(text => Array.from({length: %d}, (_, i) => {
			const document = text.replace("planet", "planet" + i), start = performance.now();
			JSON.parse(document);
			return performance.now() - start;
		}))(%q)`, changes*b.N, task))
		b.ReportMetric(quantile(floor, 0.5), "parse-ms")
	})
}
