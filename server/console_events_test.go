package main_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"axiom25/contracts"
)

// listed are the events that the list draws at the moment, by their seq.
func (b browser) listed(t *testing.T) []int {
	t.Helper()
	return eval[[]int](t, b, `[...document.querySelectorAll("#event-list [data-seq]")].map(e => Number(e.dataset.seq))`)
}

// search types into the filter of the events.
func (b browser) search(t *testing.T, text string) {
	t.Helper()
	eval[bool](t, b, fmt.Sprintf(`(() => {
		const field = document.getElementById("event-search");
		field.value = %q;
		return field.dispatchEvent(new Event("input", {bubbles: true}));
	})()`, text))
}

// switchTypes chooses the two types of events of a call, or lets go of them, faster than the page is drawn.
func (b browser) switchTypes(t *testing.T) {
	t.Helper()
	eval[any](t, b, `["tool_start", "tool_end"].forEach(type => document.querySelector("[data-type=" + type + "]").click())`)
}

func TestConsoleEvents(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	eventsAreListed(t, s, b)
	eventsOpenAtOne(t, s, b)
	eventsAreFollowed(t, s, b)
}

// eventsAreListed lists what the journal holds, and filters it.
func eventsAreListed(t *testing.T, s *server, b browser) {
	t.Helper()
	const count = `document.querySelector(".event-count")?.textContent`
	id := s.create(t, string(exampleDocument(t, "elements.json")))
	s.approveAll(t, id)
	events := decodeAll(t, s.history(t, id))
	last := len(events)
	b.do(t, chromedp.Navigate(s.url+contracts.LinksOf(id).Page+"?view=events"))
	b.until(t, "all events", count+fmt.Sprintf(` === "%d events"`, last))
	b.press(t, "g")
	b.until(t, "the first event", `document.querySelector("#event-list [data-seq='1']")`)
	drawn := b.listed(t)
	for i, seq := range drawn {
		if seq != i+1 {
			t.Fatalf("draws events %v", drawn)
		}
	}
	types := eval[[]string](t, b, `[...document.querySelectorAll("#event-list [data-seq] .event-type")].map(e => e.textContent)`)
	for i, typ := range types {
		if typ != string(events[i].Type) {
			t.Errorf("event %d is listed as %s, is a %s", i+1, typ, events[i].Type)
		}
	}

	tools := 0
	for _, ev := range events {
		if ev.Type == contracts.EventToolStart || ev.Type == contracts.EventToolEnd {
			tools++
		}
	}
	b.switchTypes(t)
	b.until(t, "the calls alone", count+fmt.Sprintf(` === "%d of %d"`, tools, last))
	b.search(t, "/\"tool\":\"sql_\\w+@/")
	b.until(t, "one tool's start and end", count+fmt.Sprintf(` === "2 of %d"`, last))
	b.search(t, "/sql_(/")
	b.until(t, "what is wrong", `document.getElementById("event-problem").textContent.includes("missing closing )")`)
	if got := eval[string](t, b, count); got != fmt.Sprintf("2 of %d", last) {
		t.Errorf("a broken expression lists %s", got)
	}
	b.search(t, "")
	b.switchTypes(t)
	b.until(t, "all again", count+fmt.Sprintf(` === "%d events"`, last))

	eval[any](t, b, "document.activeElement.blur()")
	for _, step := range []struct {
		key  string
		want int
	}{{"g", 1}, {"j", 2}, {"j", 3}, {"k", 2}} {
		b.press(t, step.key)
		b.until(t, "the event that "+step.key+" selects", fmt.Sprintf(`location.hash === "#e%[1]d" && document.querySelector("[data-seq='%[1]d'][aria-selected=true]")`, step.want))
	}
	b.until(t, "it in the pane", `document.querySelector(".event-pane")?.textContent.includes("running")`)
	b.press(t, kb.Escape)
	b.until(t, "nothing selected", `location.hash === ""`)
	eventsAreSearchedByKeys(t, b, last)
}

// eventsAreSearchedByKeys goes to the field of the filter and back to the list of so many events, without the mouse.
func eventsAreSearchedByKeys(t *testing.T, b browser, last int) {
	t.Helper()
	const (
		field = `document.activeElement.id === "event-search" && document.activeElement.value`
		list  = `document.activeElement.id === "event-list" && document.getElementById("event-search").value`
		count = `document.querySelector(".event-count").textContent`
	)
	selects := func(key string, seq int) {
		t.Helper()
		b.press(t, key)
		b.until(t, "the event that "+key+" selects", fmt.Sprintf(`location.hash === "#e%[1]d" && document.querySelector("[data-seq='%[1]d'][aria-selected=true]")`, seq))
	}
	b.press(t, "/")
	b.until(t, "the empty field in focus", field+` === ""`)
	b.press(t, kb.Escape)
	b.until(t, "the list in focus, and nothing typed", list+` === ""`)
	selects("g", 1)
	selects("j", 2)
	selects("k", 1)
	selects("G", last)
	b.press(t, "f")
	b.press(t, "e")
	b.until(t, "the pane in focus", `document.activeElement.closest(".event-pane")`)
	if got := eval[string](t, b, count); got != fmt.Sprintf("%d events", last) {
		t.Errorf("the keys of the list leave %s", got)
	}

	b.press(t, "/running")
	b.until(t, "what was typed behind the key", field+` === "running"`)
	b.until(t, "what it finds", count+fmt.Sprintf(`.endsWith(" of %d")`, last))
	b.press(t, kb.Enter)
	b.until(t, "the list in focus, and the text kept", list+` === "running"`)
	b.press(t, "g")
	b.until(t, "the first that was found", `document.querySelector("[aria-rowindex='2'][aria-selected=true]")`)
	b.press(t, "/")
	b.until(t, "the field in focus again", field+` === "running"`)
	b.press(t, kb.Escape)
	b.until(t, "the field emptied", field+` === ""`)
	b.until(t, "all events", count+fmt.Sprintf(` === "%d events"`, last))
	b.press(t, kb.Escape)
	b.until(t, "the list in focus again", list+` === ""`)
}

// eventsOpenAtOne opens the list at the event that an address names.
func eventsOpenAtOne(t *testing.T, s *server, b browser) {
	t.Helper()
	id := s.create(t, externalTask)
	for i := range 10 {
		lines := make([]string, 100)
		for j := range lines {
			lines[j] = tokenLine(fmt.Sprintf("word%d ", i*100+j+1))
		}
		s.report(t, id, lines...)
	}
	b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+contracts.LinksOf(id).Page+"#e700"))
	b.until(t, "the event in view", `(() => {
		const row = document.querySelector("[data-seq='700'][aria-selected=true]")?.getBoundingClientRect();
		const list = document.getElementById("event-list")?.getBoundingClientRect();
		return row && row.top >= list.top && row.bottom <= list.bottom + 1;
	})()`)
	sent := s.history(t, id)[699]
	b.until(t, "its text", fmt.Sprintf(`document.querySelector(".event-pane").textContent.includes(%q)`, "word"))
	if !strings.Contains(sent, "word") {
		t.Fatalf("event 700 is %s", sent)
	}
}

// eventsAreFollowed follows the end until the reader goes up a pixel.
func eventsAreFollowed(t *testing.T, s *server, b browser) {
	t.Helper()
	id := s.create(t, externalTask)
	words := func(n int) []string {
		lines := make([]string, n)
		for i := range lines {
			lines[i] = tokenLine("word ")
		}
		return lines
	}
	s.report(t, id, words(300)...)
	b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+contracts.LinksOf(id).Page+"?view=events"))
	atEnd := func(last int) string {
		return fmt.Sprintf(`(() => {
			const row = document.querySelector("[data-seq='%d']")?.getBoundingClientRect();
			const list = document.getElementById("event-list")?.getBoundingClientRect();
			return row && list && Math.abs(row.bottom - list.bottom) < 3;
		})()`, last)
	}
	last := len(s.history(t, id))
	b.until(t, "the end", atEnd(last))
	s.report(t, id, words(50)...)
	last = len(s.history(t, id))
	b.until(t, "the new end", atEnd(last))

	const place = `(() => {
		const list = document.getElementById("event-list"), top = list.getBoundingClientRect().top;
		const row = [...list.querySelectorAll("[data-seq]")].find(e => e.getBoundingClientRect().top > top + 60);
		return [Number(row.dataset.seq), Math.round(row.getBoundingClientRect().top - top)];
	})()`
	eval[any](t, b, `document.getElementById("event-list").scrollTop -= 1`)
	b.until(t, "that it stays", `document.querySelector(".event-filter [aria-pressed=false]")?.textContent === "Follow" ||
		[...document.querySelectorAll(".event-filter .toggle")].find(e => e.textContent === "Follow")?.getAttribute("aria-pressed") === "false"`)
	before := eval[[]int](t, b, place)
	for range 5 {
		s.report(t, id, words(100)...)
	}
	b.until(t, "what is new", `document.querySelector(".event-jump")?.textContent.includes("500 new")`)
	if after := eval[[]int](t, b, place); !slices.Equal(before, after) {
		t.Errorf("the reader was at %v and is at %v", before, after)
	}
	if n := len(b.listed(t)); n > 200 {
		t.Errorf("%d rows are drawn", n)
	}
	eval[any](t, b, `document.querySelector(".event-jump").click()`)
	b.until(t, "the end again", atEnd(len(s.history(t, id))))
	s.report(t, id, words(50)...)
	b.until(t, "the end that is followed again", atEnd(len(s.history(t, id))))
}
