package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"axiom25/contracts"
)

// longRun is a run of so many tokens, which are reported in batches. Token n is the mark <n> behind a filler and a space.
func (s *server) longRun(t *testing.T, tokens, batch int, filler string) contracts.RunID {
	t.Helper()
	id := s.create(t, externalTask)
	for first := 1; first <= tokens; first += batch {
		lines := make([]string, batch)
		for i := range lines {
			lines[i] = tokenLine(fmt.Sprintf("%s<%d> ", filler, first+i))
		}
		s.report(t, id, lines...)
	}
	return id
}

// eventAt is an event of a long run as it was sent, and the number of the last token up to it; 0 where there is none.
func (s *server) eventAt(t *testing.T, id contracts.RunID, seq int) (token int, sent string) {
	t.Helper()
	var page struct {
		Events []json.RawMessage `json:"events"`
	}
	s.must(t, http.MethodGet, fmt.Sprintf("/runs/%s/events?after=%d&limit=1", id, seq-1), "", &page)
	sent = string(page.Events[0])
	if _, mark, ok := strings.Cut(sent, "<"); ok {
		if _, err := fmt.Sscanf(mark, "%d>", &token); err != nil {
			t.Fatal(err)
		}
	}
	return token, sent
}

// goTo moves the scrubber to an event.
func (b browser) goTo(t *testing.T, seq int) {
	t.Helper()
	eval[any](t, b, fmt.Sprintf(`(() => {
		const range = document.querySelector("#scrubber");
		range.value = %d;
		range.dispatchEvent(new Event("input", {bubbles: true}));
	})()`, seq))
}

// answerAt waits until the answer is that of a moment: all tokens up to it, each behind a filler of some length.
func (b browser) answerAt(t *testing.T, seq, last, token, filler int) {
	t.Helper()
	length := 0
	for n := range token {
		length += filler + len(fmt.Sprintf("<%d> ", n+1))
	}
	mark := ""
	if token > 0 {
		mark = fmt.Sprintf("<%d> ", token)
	}
	b.until(t, fmt.Sprintf("the run as it was at event %d", seq), fmt.Sprintf(`(() => {
		const text = document.querySelector(".answer-text")?.textContent ?? "";
		return text.length === %d && text.endsWith(%q) && document.querySelector(".scrubber-where span").textContent === "seq %d of %d";
	})()`, length, mark, seq, last))
}

// TestConsoleScrubsALongRun goes to moments of a run of 100 000 events.
func TestConsoleScrubsALongRun(t *testing.T) {
	t.Parallel()
	const tokens = 100_000
	s := startServer(t, t.TempDir(), ownAddress()...)
	id := s.longRun(t, tokens, contracts.MaxBatchEvents, "")
	last := int(s.snapshot(t, id).LastSeq)
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+contracts.LinksOf(id).Page))
	b.answerAt(t, last, last, tokens, 0)
	for _, seq := range []int{1, last / 2, 3, last - 1, last/2 + 1} {
		b.goTo(t, seq)
		token, _ := s.eventAt(t, id, seq)
		b.answerAt(t, seq, last, token, 0)
	}
	b.press(t, "l")
	b.answerAt(t, last, last, tokens, 0)
}

// TestConsoleReadsEvictedTextsAgain has a run whose texts are more than the browser keeps.
func TestConsoleReadsEvictedTextsAgain(t *testing.T) {
	t.Parallel()
	const tokens, filler = 1500, 14_000 // 21 MB
	s := startServer(t, t.TempDir(), ownAddress()...)
	id := s.longRun(t, tokens, 60, strings.Repeat("word in ", filler/8))
	last := int(s.snapshot(t, id).LastSeq)
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+contracts.LinksOf(id).Page+"?view=events"))
	b.until(t, "every event", fmt.Sprintf(`document.querySelector(".event-count")?.textContent.replace(/\D/g, "") === "%d"`, last))

	// It says what it has let go of, and reads it again where the reader is.
	const gone = "its text is no longer kept here"
	b.until(t, "that texts are not kept", `/^The texts of events 1 to .* are no longer kept here/.test(document.querySelector(".event-note")?.textContent)`)
	b.press(t, "g")
	b.until(t, "the first event without its text", fmt.Sprintf(`document.querySelector("[data-seq='1'] .event-gist")?.textContent === %q`, gone))
	b.click(t, ".event-note button", "Read them again")
	b.until(t, "the texts in view", fmt.Sprintf(`document.querySelector("[data-seq='1']") &&
		[...document.querySelectorAll("#event-list [data-seq] .event-gist")].every(e => e.textContent !== %q)`, gone))
	b.press(t, "jjjj")
	_, sent := s.eventAt(t, id, 5)
	b.until(t, "the fifth event as it was sent", fmt.Sprintf(`document.querySelector("[data-seq='5'][aria-selected=true]") &&
		JSON.stringify(JSON.parse(document.querySelector(".event-pane-json pre").textContent)) === JSON.stringify(JSON.parse(%q))`, sent))

	// The run is folded up to a moment of which nothing was kept.
	b.goTo(t, 9)
	b.view(t, "answer")
	token, _ := s.eventAt(t, id, 9)
	b.answerAt(t, 9, last, token, filler)
}
