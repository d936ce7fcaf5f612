package main_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// The storage of a browser that keeps nothing for a site, and of one that has no room left.
const (
	blockedStorage = `for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"]) {
		Object.defineProperty(window, name, {configurable: true, get() { throw new DOMException("denied", "SecurityError"); }});
	}`
	fullStorage = `Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };`
)

// TestConsoleWithoutStorage uses the console in browsers that keep nothing for it.
func TestConsoleWithoutStorage(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	id := s.create(t, externalTask)
	for name, storage := range map[string]string{"blocked": blockedStorage, "full": fullStorage} {
		b := newBrowser(t)
		b.do(t, early(storage), chromedp.Navigate(s.url+"/"))
		b.until(t, name+": the run", `document.querySelector(".run-list a[href='/r/`+id.String()+`']")`)
		for _, want := range []string{"light", "dark", "auto", "light"} {
			eval[any](t, b, `document.querySelector(".theme-switch").click()`)
			b.until(t, name+": the theme "+want, `document.querySelector(".theme-name").textContent === "`+want+`" &&
				(document.documentElement.dataset.theme ?? "auto") === "`+want+`"`)
		}
		b.click(t, "nav a", "Validate")
		b.until(t, name+": another page", `document.querySelector("h1")?.textContent === "Validate"`)
		b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()))
		b.until(t, name+": the run's page", `document.querySelector(".run-head .state-name")`)
	}
}
