package main_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"axiom25/contracts"
)

// TestTheConsoleWorksWithoutStreams has a server that refuses every stream.
func TestTheConsoleWorksWithoutStreams(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), "--streaming", "off")
	id := s.create(t, externalTask)
	for path, poll := range map[string]string{
		"/runs/" + id.String() + "/stream": "/runs/" + id.String() + "/events?",
		"/stream?run=" + id.String():       "/runs/" + id.String() + "/events?",
		"/stream":                          "/runs with If-None-Match",
	} {
		if r := s.send(t, http.MethodGet, path, ""); r.status != http.StatusNotAcceptable || !strings.Contains(string(r.body), poll) {
			t.Errorf("GET %s: %d %s, want 406 and %s", path, r.status, r.body, poll)
		}
	}

	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()))
	b.until(t, "that it polls", `document.querySelector(".connection")?.textContent.includes("by polling")`)
	s.report(t, id, tokenLine("in pieces, "))
	b.until(t, "a piece", `document.querySelector(".answer-text")?.textContent === "in pieces, "`)
	s.report(t, id, tokenLine("still"))
	s.answer(t, id, "in pieces, still")
	compare(t, "the run", b.ended(t), s.done(t, id))

	b.do(t, chromedp.Navigate(s.url+"/"))
	b.until(t, "the run in the list", `document.querySelector('.run-list a[href$="`+id.String()+`"]')`)
	b.until(t, "how fresh the list is", `document.querySelector(".connection")?.textContent.includes("by polling")`)
	second := s.create(t, externalTask)
	b.until(t, "another run in the list", `document.querySelector('.run-list a[href$="`+second.String()+`"]')`)
}

func TestTheCommandLineWorksWithoutStreams(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), "--streaming", "off")
	got := axiom25(t, localTask(must42, "", "41", "42"), "run", "-", "--json", "--server", s.url)
	if got.code != 0 {
		t.Fatalf("run: exit code %d\n%s", got.code, got.stderr)
	}
	lines := got.lines()
	checkStream(t, lines)
	id := decodeAll(t, lines[:1])[0].RunID
	got = axiom25(t, "", "tail", id.String(), "--after", "3", "--json", "--server", s.url)
	if got.code != 0 || !slices.Equal(got.lines(), lines[3:]) {
		t.Errorf("tail: exit code %d, %d lines; want the %d behind event 3\n%s", got.code, len(got.lines()), len(lines)-3, got.stderr)
	}
}

// TestTheListIsLive has the list of runs follow a stream.
func TestTheListIsLive(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	first := s.create(t, externalTask)
	b.do(t, chromedp.Navigate(s.url+"/"))
	b.until(t, "that the list is live", `document.querySelector(".connection")?.textContent === "Live"`)
	id := s.create(t, externalTask)
	row := func(id contracts.RunID) string {
		return `document.querySelector('.run-list a[href$="` + id.String() + `"]')`
	}
	b.until(t, "the new run above the first", row(id)+` && [...document.querySelectorAll(".run-list a")].indexOf(`+row(id)+
		`) < [...document.querySelectorAll(".run-list a")].indexOf(`+row(first)+`)`)
	s.answer(t, id, "done")
	b.until(t, "its end", row(id)+`.closest("li").textContent.includes("succeeded")`)
}
