package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"axiom25/contracts"
)

// TestConsolePrunedRuns leads to runs whose history retention has let go of: one that this browser has never shown, and one that
// it has kept.
func TestConsolePrunedRuns(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, data, ownAddress()...)
	address := strings.TrimPrefix(s.url, "http://")
	unseen, seen := s.create(t, localTask(must42, "", "41", "42")), s.create(t, localTask(must42, "", "41", "42"))
	s.done(t, unseen)
	last := int(s.done(t, seen).LastSeq)
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/r/"+seen.String()))
	b.ended(t) // what is kept was read before
	b.kept(t, seen.String(), last)
	s.stop(t)
	s = startServer(t, data, "--addr", address, "--retain", "1ms")
	for _, id := range []contracts.RunID{unseen, seen} {
		patiently(t, "pruned run", func() bool {
			var row contracts.Summary
			s.must(t, http.MethodGet, "/runs/"+id.String(), "", &row)
			return row.Pruned
		})
	}

	// A page that has nothing to show says what became of the run, and leads to what is left of it.
	for _, path := range []string{"", "?view=events", "#e3"} {
		b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+"/r/"+unseen.String()+path))
		b.until(t, path+": what became of the run", `/^This run cannot be shown: .*retention.*All runs$/is.test(document.querySelector("main .notice-error")?.innerText)`)
		if eval[bool](t, b, `!!document.querySelector(".notice-loading, .run-head, .scrubber")`) {
			t.Errorf("%q: a run that is gone is shown or awaited", path)
		}
	}
	b.click(t, ".notice a", "All runs")
	for _, id := range []contracts.RunID{unseen, seen} {
		b.until(t, "what is left of the run", fmt.Sprintf(`[...document.querySelectorAll(".run-list li, .run-list .run-row")].some(
			row => row.querySelector("a[href='/r/%s']") && /pruned/.test(row.innerText))`, id))
	}
	b.do(t, chromedp.Navigate(s.url+"/new?from="+unseen.String()))
	b.until(t, "that there is no task either", `document.querySelector("main").innerText.includes("The run's task was deleted")`)

	// What this browser has kept it still shows, and says that the server has no more.
	b.do(t, chromedp.Navigate(s.url+"/r/"+seen.String()))
	b.until(t, "what is kept", `document.querySelector(".run-head .state-name")?.textContent === "succeeded"`)
	b.until(t, "that the server has let go of it", `/retention/i.test(document.querySelector("main").innerText)`)
}
