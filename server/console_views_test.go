package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// tampered passes the server on with the lines of its streams changed, and returns its address.
func tampered(t *testing.T, s *server, change func(line string) string) string {
	t.Helper()
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(res *http.Response) error {
			if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
				return nil
			}
			sent := res.Body
			from, to := io.Pipe()
			go func() {
				defer sent.Close() //nolint:errcheck // read only
				lines := bufio.NewReader(sent)
				for {
					line, err := lines.ReadString('\n')
					if _, broken := io.WriteString(to, change(line)); err != nil || broken != nil {
						to.CloseWithError(err)
						return
					}
				}
			}()
			res.Body = from
			return nil
		},
	})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// in changes one text in the events of a type.
func in(kind, old, by string) func(string) string {
	return func(line string) string {
		if strings.Contains(line, `"type":"`+kind+`"`) {
			return strings.Replace(line, old, by, 1)
		}
		return line
	}
}

// says waits until a part of the page has a text.
func (b browser) says(t *testing.T, selector, text string) {
	t.Helper()
	b.until(t, text, fmt.Sprintf("[...document.querySelectorAll(%q)].some(e => e.textContent.includes(%q))", selector, text))
}

// unfold opens every details element of the view.
func (b browser) unfold(t *testing.T) {
	t.Helper()
	eval[any](t, b, `(document.querySelectorAll("#view details:not([open]) > summary").forEach(e => e.click()), null)`)
}

func TestConsoleViewsHoldARunAgainstItsEvents(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	id := s.create(t, string(exampleDocument(t, "elements.json")))
	got := s.done(t, id)
	b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()))

	b.says(t, ".draft .fold-title", "attempt 1, revised: verdict 0.25")
	b.says(t, ".answer-verdict", "Pass 2 passed, score 1.00 (passes at 0.80), 4 of 4 checks passed")
	b.unfold(t)
	b.says(t, ".draft .fold-text", "One mole of glucose has a mass of 180.16 g.")
	eval[any](t, b, `document.querySelector("a.answer-verdict").click()`)
	b.says(t, "#view .verdict-again", "recomputed here: same")
	b.unfold(t)
	b.until(t, "both verdicts the same", `[...document.querySelectorAll("#view .verdict-again")].filter(
		e => e.textContent === "recomputed here: same").length === 2`)

	b.view(t, "tools")
	b.says(t, "#view .check-line", fmt.Sprintf("Chain verified here: %d receipts", got.Done.Receipts))
	b.says(t, "#view .check-line", strings.TrimPrefix(string(got.Done.ReceiptsHead), "sha256:")[:12])
	b.unfold(t)
	b.says(t, ".call-body .receipt", string(got.Done.ReceiptsHead))
	b.says(t, ".call-body .code", "180.156")
	if failed := eval[int](t, b, `document.querySelectorAll(".receipt .check-fail").length`); failed != 0 {
		t.Errorf("%d fields of receipts that fit are said not to", failed)
	}

	b.view(t, "task")
	b.says(t, "#view .check-line", "digest checked here")
	for what, condition := range map[string]string{
		"the runs of a label": `document.querySelector('#view a[href="/?label=example%3Aelements"]')`,
		"another run":         fmt.Sprintf(`document.querySelector('#view a[href="/new?from=%s"]')`, id),
		"a fork of the end":   fmt.Sprintf(`document.querySelector('#view a[href="/new?from=%s&fork=%d"]')`, id, got.LastSeq),
	} {
		b.until(t, "a link to "+what, condition)
	}
	b.says(t, "#view .table", "128 k")
	b.says(t, "#view .code-whole", `"symbol": "C"`)

	forged := tampered(t, s, in("tool_end", "180.156", "180.157"))
	b.do(t, chromedp.Navigate(forged+"/r/"+id.String()+"?view=tools"))
	b.says(t, "#view .check-fail", " does not fit: the receipt's result_hash is not that of the result shown")
	b.says(t, "#view .check-fail", "call mass, attempt 1")
	b.says(t, ".call-status", "receipt does not fit")

	forged = tampered(t, s, in("verdict", `"score":0.25`, `"score":0.75`))
	b.do(t, chromedp.Navigate(forged+"/r/"+id.String()+"?view=verdict"))
	b.says(t, "#view .verdict-again", "recomputed here: same")
	b.unfold(t)
	b.says(t, "#view .verdict-again", "recomputed here: differs")
	b.says(t, "#view .verdict-difference", "score: recorded 0.75; recomputed 0.25")
}

// sensitiveTask is verified before anything of its answer is shown, and has an input that nobody is shown.
const sensitiveTask = `{"schema_version":2,"goal":"Say eight","backend":{"prefer":["external"]},
	"inputs":[{"name":"secret","text":"swordfish","sensitive":true}],
	"verification":{"release":"verified","refuse_below":0.3,"assertions":[{"id":"says","type":"contains","value":"8"},
		{"id":"cheap","type":"usage_max","target":"usage#/tokens_out","value":{"limit":50}}],"scorers":[
		{"id":"like","type":"similarity","reference":"8"}]}}`

func TestConsoleViewsOfAWithheldAnswer(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	id := s.create(t, sensitiveTask)
	b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()))
	b.says(t, ".answer-sentence", "Nothing of the answer is shown before it has passed its checks. The first attempt is being made.")
	s.report(t, id, `{"schema_version":2,"type":"budget","data":{"used":{"tokens_in":1,"tokens_out":60}}}`)
	post := func(message, text string) {
		s.must(t, http.MethodPost, "/runs/"+id.String()+"/answer", fmt.Sprintf(`{"message_id":%q,"text":%q}`, message, text), nil)
	}
	post("m1", "18")
	b.says(t, ".answer-sentence", "attempt 1 was revised: verdict 0.50")
	post("m2", "nothing of the kind")
	b.says(t, ".answer-sentence", "The answer was withheld: its score of 0.00 is too low to be shown.")
	if text := eval[string](t, b, "document.querySelector('.run-main').innerText"); strings.Contains(text, "nothing of the kind") {
		t.Errorf("the withheld answer is shown: %s", text)
	}
	b.view(t, "verdict")
	b.says(t, "#view .verdict-again", "1 of 3 checks; the decision with the recorded results of the others")
	b.says(t, "#view .check-again", "not recomputed: the judged text is not in the stream")
	b.view(t, "task")
	b.says(t, "#view .check-line", "digest not checked: sensitive inputs are shown without their content")
	b.says(t, "#view .facts", "withheld, sensitive")
}

// TestConsoleViewsGrowAnAnswer streams a long answer. The page shows what was sent, however it went back and forth, and a
// reader stays where they are unless that is the end.
func TestConsoleViewsGrowAnAnswer(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	id := s.create(t, externalTask)
	b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()))
	var want strings.Builder
	say := func(n, size int) {
		lines := make([]string, n)
		for i := range lines {
			piece := fmt.Sprintf("%d é𝄞 %s\n", want.Len(), strings.Repeat("word ", size/5))
			want.WriteString(piece)
			lines[i] = tokenLine(piece)
		}
		s.report(t, id, lines...)
	}
	// JavaScript counts in UTF-16 units, Go in bytes: the texts themselves are compared.
	whole := func(what string) {
		t.Helper()
		b.until(t, what, fmt.Sprintf("document.querySelector('.answer-text')?.textContent.length === %d", utf16Length(want.String())))
		if got := eval[string](t, b, "document.querySelector('.answer-text').textContent"); got != want.String() {
			t.Errorf("%s: the page does not show what was sent", what)
		}
	}
	say(20, 400)
	whole("the first part")
	if blocks := eval[int](t, b, "document.querySelector('.answer-text').children.length"); blocks != 4 {
		t.Errorf("20 lines of 400 bytes are %d blocks, want 4", blocks)
	}
	place := "(() => { const e = document.scrollingElement; return [e.scrollTop, e.scrollHeight - e.clientHeight - e.scrollTop]; })()"
	eval[any](t, b, "scrollTo(0, 60)")
	say(20, 400)
	whole("the second part")
	if at := eval[[]float64](t, b, place); at[0] != 60 {
		t.Errorf("a reader at 60 px was moved to %v", at)
	}
	eval[any](t, b, "scrollTo(0, 1e6)")
	b.until(t, "the end", place+"[1] < 2")
	say(20, 400)
	whole("the third part")
	b.until(t, "the end still", "document.querySelector('.answer-text').getBoundingClientRect().bottom <= innerHeight")

	// A long answer must not make each further piece dearer.
	for range 4 {
		say(100, 1000)
	}
	whole("a long answer")
	eval[any](t, b, `(() => {
		const range = document.querySelector(".scrubber-range");
		range.value = 5;
		range.dispatchEvent(new Event("input", {bubbles: true}));
		range.dispatchEvent(new Event("change", {bubbles: true}));
	})()`)
	b.until(t, "an earlier moment", "document.querySelector('.answer-text').textContent.length < 3000")
	earlier := eval[string](t, b, "document.querySelector('.answer-text').textContent")
	if !strings.HasPrefix(want.String(), earlier) || earlier == "" {
		t.Errorf("the page shows %d bytes that were never said", len(earlier))
	}
	b.click(t, ".scrubber-follow", "Follow")
	whole("the newest moment again")
	say(1, 100)
	whole("one more piece")
	s.answer(t, id, want.String())
	b.ended(t)
	whole("the end")
}

// utf16Length is the length of a text in JavaScript.
func utf16Length(text string) int {
	n := 0
	for _, r := range text {
		if n++; r > 0xffff {
			n++
		}
	}
	return n
}

func TestConsoleViewsAskAboutACall(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	id := s.create(t, waitingTask)
	b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()))
	b.click(t, ".approval button", "Edit the arguments")
	b.says(t, ".approval", "Checked against the tool's input schema.")
	disabled := `[...document.querySelectorAll(".approval button")].find(e => e.textContent === "Approve as edited").disabled`
	for text, pointer := range map[string]string{
		`{"statement":`: "#", `{"statement":5}`: "#/statement", `{"statement":"x","more":1}`: "#/more",
	} {
		b.typeUntil(t, text, "what is wrong with "+text,
			fmt.Sprintf(`document.querySelector(".approval .mark-pointer")?.textContent === %q && %s`, pointer, disabled))
	}
	b.typeUntil(t, `{"statement":"It is otherwise."}`, "nothing wrong", `!document.querySelector(".approval .mark-row") && !`+disabled)

	// Somebody else is faster.
	eval[any](t, b, `(() => {
		const send = window.fetch;
		window.fetch = async (address, options) => {
			if (String(address).includes("/approvals/")) {
				window.fetch = send;
				await send(address, {...options, body: '{"decision":"deny","by":"alice"}'});
			}
			return send(address, options);
		};
	})()`)
	b.click(t, ".approval button", "Approve as edited")
	b.says(t, ".approval-settled", "was denied by alice.")
	if text := eval[string](t, b, `document.querySelector(".alerts").innerText`); strings.Contains(text, "decided") {
		t.Errorf("what belongs to the question is said above it too: %s", text)
	}
	b.click(t, ".approval-settled button", "Close")
	b.until(t, "nothing more to say", `!document.querySelector(".approval-settled")`)
}

func TestConsoleViewsPageManyCalls(t *testing.T) {
	t.Parallel()
	const calls = 500
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	id := s.create(t, fmt.Sprintf(`{"schema_version":2,"goal":"Call often","backend":{"prefer":["external"]},"budget":{"max_tool_calls":%d}}`, calls))
	lines := make([]string, calls) // of tools that the task does not allow: the server ends each call itself
	for i := range lines {
		tool := "often"
		if i%200 == 99 {
			tool = "rarely"
		}
		lines[i] = fmt.Sprintf(`{"schema_version":2,"type":"tool_start","data":{"call_id":"c%d","tool":%q,"args":{"n":%d}}}`, i, tool, i)
	}
	s.report(t, id, lines[:calls/2]...)
	s.report(t, id, lines[calls/2:]...)
	b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()+"?view=tools"))
	b.says(t, "#view .check-line", fmt.Sprintf("Chain verified here: %d receipts so far", calls))
	b.says(t, ".pager-words", fmt.Sprintf("1–50 of %d", calls))
	if drawn := eval[int](t, b, `document.querySelectorAll(".call").length`); drawn != 50 {
		t.Errorf("%d calls are drawn", drawn)
	}
	b.unfold(t)
	b.until(t, "open calls", `document.querySelectorAll(".call-body").length === 50`)
	b.click(t, ".pager button", "Next")
	b.says(t, ".pager-words", fmt.Sprintf("51–100 of %d", calls))
	b.until(t, "other calls, closed", `!document.querySelector(".call[open]") && document.getElementById("call-c50-1")`)
	eval[any](t, b, `(() => {
		const tool = document.querySelector('#view select[aria-label="Tool"]');
		tool.value = "rarely";
		tool.dispatchEvent(new Event("change", {bubbles: true}));
	})()`)
	b.until(t, "the calls of one tool alone", `document.querySelectorAll(".call").length === 3 && document.getElementById("call-c299-1")`)
}
