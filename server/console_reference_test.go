package main_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"axiom25/contracts"
)

// openReference opens a part of the reference and waits until it can be read.
func openReference(t *testing.T, b browser, s *server, path string) {
	t.Helper()
	b.do(t, chromedp.Navigate(s.url+"/reference"+path))
	b.until(t, "the reference", `document.querySelector(".ref-item, .ref-parameter")`)
}

// fill types a text into a field.
func (b browser) fill(t *testing.T, selector, text string) {
	t.Helper()
	b.until(t, selector, fmt.Sprintf(`(() => {
		const field = document.querySelector(%q);
		if (!field) return false;
		field.focus();
		field.value = %q;
		return field.dispatchEvent(new Event("input", {bubbles: true}));
	})()`, selector, text))
}

const inView = `(id => { const r = document.getElementById(id)?.getBoundingClientRect(); return r && r.top >= 0 && r.top < innerHeight; })`

func TestTheReferenceIsFoundByTyping(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	openReference(t, b, s, "")
	b.press(t, "/")
	b.until(t, "the focus in the search", `document.activeElement.id === "search"`)
	b.fill(t, "#search", "reserve_tokens")
	b.until(t, "results with the match marked", `document.querySelector("#result-0 mark")?.textContent === "reserve_tokens"`)
	groups := eval[[]string](t, b, `[...document.querySelectorAll("#results [role=group]")].map(e => e.getAttribute("aria-label"))`)
	if len(groups) < 2 {
		t.Errorf("the results are not grouped: %v", groups)
	}
	b.press(t, kb.ArrowDown)
	b.until(t, "the second result", `document.querySelector("#search").getAttribute("aria-activedescendant") === "result-1" && document.querySelector("#result-1").getAttribute("aria-selected") === "true"`)
	b.press(t, kb.ArrowUp)
	b.until(t, "the first result", `document.querySelector("#result-0").getAttribute("aria-selected") === "true"`)
	href := eval[string](t, b, `document.querySelector("#result-0").getAttribute("href")`)
	b.press(t, kb.Enter)
	b.until(t, "its place", fmt.Sprintf(`location.pathname + location.hash === %q && %s(location.hash.slice(1))`, href, inView))
	b.until(t, "an empty search", `document.querySelector("#search").value === "" && !document.querySelector("#results")`)
	if text := eval[string](t, b, `document.getElementById(location.hash.slice(1)).innerText`); !strings.Contains(text, "must be at least 0") || !strings.Contains(text, "/reserve_tokens") {
		t.Errorf("the field says %q", text)
	}

	// What problems link to.
	for _, path := range []string{"/problems#invalid-document", "/problems#rule.gte", "/events#invariant-8", "/runevent#ToolStartData", "/api#createRun"} {
		openReference(t, b, s, path)
		b.until(t, path, fmt.Sprintf(`%s(%q)`, inView, path[strings.IndexByte(path, '#')+1:]))
	}
	// It is kept by the console: without the server it can be read too.
	b.until(t, "the service worker", `navigator.serviceWorker.controller`)
	s.kill(t)
	openReference(t, b, s, "/problems#overloaded")
	b.until(t, "its advice", `document.getElementById("overloaded").innerText.includes("To do:")`)
}

func TestRequestsAreTriedInTheReference(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	openReference(t, b, s, "/api#listEngines")
	b.click(t, ".ref-item button", "Send")
	b.until(t, "the answer", `document.querySelector(".ref-status")?.textContent.startsWith("200, after ") && document.querySelector(".ref-answer").textContent.includes('"engines": [')`)

	openReference(t, b, s, "/api#createRun")
	b.until(t, "a line for a shell", fmt.Sprintf(`(() => { const line = document.querySelector("[aria-label='The request for a shell']")?.textContent ?? "";
		return line.startsWith("curl -i -X POST") && line.endsWith(%q); })()`, "'"+s.url+"/runs'"))
	b.fill(t, ".ref-item textarea", externalTask)
	b.fill(t, ".ref-item input[data-name='Idempotency-Key']", "tried-once")
	b.until(t, "the key in the line", `document.querySelector("[aria-label='The request for a shell']").textContent.includes("-H 'Idempotency-Key: tried-once'")`)
	b.click(t, ".ref-item button", "Send")
	b.until(t, "the question", `[...document.querySelectorAll(".ref-item button")].some(e => e.textContent === "Really send POST")`)
	if list := s.send(t, "GET", "/runs", ""); strings.Contains(string(list.body), "run_") {
		t.Errorf("something was sent before the reader agreed: %s", list.body)
	}
	b.click(t, ".ref-item button", "Really send POST")
	b.until(t, "the run", `document.querySelector(".ref-status")?.textContent.startsWith("201")`)
	var created contracts.Created
	s.must(t, "POST", "/runs", externalTask, nil) // another one: the list has two
	id := strings.TrimPrefix(eval[string](t, b, `[...document.querySelectorAll(".facts dt")].find(e => e.textContent === "location").nextSibling.textContent`), "/runs/")
	created.RunID = contracts.RunID(id)
	s.report(t, created.RunID, tokenLine("one "), tokenLine("two "))

	// The stream of that run, from a cursor on.
	openReference(t, b, s, "/stream")
	b.until(t, "the recent runs", `document.querySelector("select[aria-label='Recent runs']").options.length === 3`)
	b.fill(t, "#stream-run", id)
	b.fill(t, "#stream-cursor", "2")
	b.click(t, "button", "Connect")
	b.until(t, "the events behind the cursor", `document.querySelectorAll(".ref-frame").length >= 2 && document.querySelector(".ref-frame").innerText.replace(/\s+/g, " ").startsWith("id 3 event message")`)
	before := eval[int](t, b, `document.querySelectorAll(".ref-frame").length`)
	s.report(t, created.RunID, tokenLine("three "))
	b.until(t, "what came since", fmt.Sprintf(`document.querySelectorAll(".ref-frame").length > %d && [...document.querySelectorAll(".ref-frame")].at(-1).textContent.includes("three ")`, before))
	b.click(t, "button", "Disconnect")
	b.until(t, "a closed stream", `document.querySelector(".ref-phase").textContent.startsWith("Closed")`)
	after := eval[int](t, b, `document.querySelectorAll(".ref-frame").length`)
	s.report(t, created.RunID, tokenLine("four "))
	b.click(t, "button", "Connect")
	b.until(t, "everything again", fmt.Sprintf(`document.querySelectorAll(".ref-frame").length > %d`, after))
}
