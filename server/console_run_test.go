package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	control "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"axiom25/contracts"
)

// press types keys as a keyboard does: a key whose default the page prevents types nothing. The keys that chromedp sends do, for
// Chromium takes its keyDown and its char for two things that have nothing to do with each other.
func (b browser) press(tb testing.TB, keys string) {
	tb.Helper()
	b.do(tb, chromedp.KeyEvent(keys, func(p *input.DispatchKeyEventParams) {
		if p.Type == kb.KeyDown {
			p.Type = input.DispatchKeyEventTypeRawKeyDown
		}
	}))
}

// patiently waits until something outside of the page has come about.
func patiently(tb testing.TB, what string, come func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(runTimeout); !come(); time.Sleep(20 * time.Millisecond) { //nolint:forbidigo // a test's patience is measured in real time
		if time.Now().After(deadline) { //nolint:forbidigo // as above
			tb.Fatalf("there is no %s", what)
		}
	}
}

// clipboard lets the page use the clipboard, and returns what reads it.
func (b browser) clipboard(tb testing.TB) func(tb testing.TB) string {
	tb.Helper()
	b.do(tb, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for _, name := range []string{"clipboard-read", "clipboard-write"} {
			if _, err := chromedp.Call(ctx, control.SetPermission, control.SetPermissionParams{
				Permission: &control.PermissionDescriptor{Name: name}, Setting: control.PermissionSettingGranted,
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	return func(tb testing.TB) string {
		tb.Helper()
		eval[any](tb, b, `(navigator.clipboard.readText().then(text => window.clipped = text, e => window.clipped = String(e)), null)`)
		b.until(tb, "the clipboard", `"clipped" in window`)
		text := eval[string](tb, b, `clipped`)
		eval[any](tb, b, `(delete window.clipped, null)`)
		return text
	}
}

// downloads lets the page save files, and returns what reads the one of a name once it is there.
func (b browser) downloads(tb testing.TB) func(tb testing.TB, name string) string {
	tb.Helper()
	dir := tb.TempDir()
	b.do(tb, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, control.SetDownloadBehavior, control.SetDownloadBehaviorParams{
			Behavior: control.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir,
		})
		return err
	}))
	return func(tb testing.TB, name string) string {
		tb.Helper()
		var text []byte
		patiently(tb, "the file "+name, func() bool {
			var err error
			text, err = os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // the test's own directory
			return err == nil && len(text) > 0
		})
		return string(text)
	}
}

func TestConsoleRunKeysAndMenu(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	id := s.create(t, string(exampleDocument(t, "elements.json")))
	s.approveAll(t, id)
	b := newBrowser(t)
	clipped, saved := b.clipboard(t), b.downloads(t)
	b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()))
	b.ended(t)
	view := func(name string) string { return `document.querySelector("#view[aria-labelledby=tab-` + name + `]")` }

	// The digits choose a view, and the address says which.
	b.press(t, "5")
	b.until(t, "the verdict", view("verdict")+` && location.search === "?view=verdict"`)
	b.press(t, "1")
	b.until(t, "the answer", view("answer")+` && location.search === ""`)

	// The help is a dialog: no key reaches the page below it, and the focus goes back to where it was.
	eval[any](t, b, `document.querySelector(".run-meta .copy button").focus()`)
	b.press(t, "?")
	b.until(t, "the list of keys", `document.querySelector("dialog[open] .key-list")`)
	b.press(t, "5")
	b.press(t, kb.Escape)
	b.until(t, "no dialog", `!document.querySelector("dialog[open]")`)
	if focused := eval[string](t, b, `document.activeElement.textContent`); focused != "copy" {
		t.Errorf("the focus went to %q, want the button that had it", focused)
	}
	if !eval[bool](t, b, `!!`+view("answer")) {
		t.Error("a key that was pressed in the dialog has changed the page")
	}

	// The keyboard alone copies, and the page says so.
	b.press(t, kb.Enter)
	b.until(t, "that the id was copied", `document.querySelector(".run-meta .copy [role=status]").textContent === "Copied"`)
	if got := clipped(t); got != id.String() {
		t.Errorf("copied %q, want the id", got)
	}

	// The menu closes with Esc, and its entries say what they say.
	menu := func(label string) {
		b.click(t, "#run-menu .menu-item", label)
		b.until(t, "that it was copied", `[...document.querySelectorAll("#run-menu [role=status]")].some(e => e.textContent === "Copied")`)
	}
	eval[any](t, b, `document.querySelector(".menu-button").focus()`)
	b.press(t, kb.Enter)
	b.until(t, "the menu", `document.querySelector("#run-menu:popover-open")`)
	menu("Copy as curl: follow the stream")
	if got, want := clipped(t), "curl -sSN -H 'Accept: text/event-stream' '"+s.url+"/runs/"+id.String()+"/stream'"; got != want {
		t.Errorf("copied %q, want %q", got, want)
	}
	menu("Copy JSON")
	var document snapshot
	if err := json.Unmarshal([]byte(clipped(t)), &document); err != nil {
		t.Fatal(err)
	}
	if document.LastSeq != s.snapshot(t, id).LastSeq || document.State != contracts.StateSucceeded {
		t.Errorf("the document says %s at %d", document.State, document.LastSeq)
	}
	b.click(t, "#run-menu .menu-item", "Export NDJSON")
	if got, want := saved(t, id.String()+".ndjson"), strings.Join(s.history(t, id), "\n")+"\n"; got != want {
		t.Errorf("the file has %d bytes, want the %d of the history", len(got), len(want))
	}
	b.press(t, kb.Escape)
	b.until(t, "no menu", `!document.querySelector("#run-menu:popover-open")`)
}

// moment is what the page says of the moment that is shown.
func (b browser) moment(t *testing.T) (seq, last int, answer string) {
	t.Helper()
	where := eval[string](t, b, `document.querySelector(".scrubber-where span").textContent`)
	if _, err := fmt.Sscanf(where, "seq %d of %d", &seq, &last); err != nil {
		t.Fatalf("%q: %v", where, err)
	}
	return seq, last, eval[string](t, b, `document.querySelector(".answer-text")?.textContent ?? ""`)
}

func TestConsoleRunScrubs(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	id := s.create(t, externalTask)
	s.report(t, id, tokenLine("one "), tokenLine("two "), tokenLine("three "))
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()))
	b.until(t, "the answer so far", `document.querySelector(".answer-text")?.textContent === "one two three "`)

	// A step back takes a word away and says that this is over; what comes meanwhile is counted and not shown.
	b.press(t, "[")
	b.until(t, "the moment before", `document.querySelector(".answer-text")?.textContent === "one two "`)
	b.until(t, "that it is past", `document.querySelector(".past")?.textContent.startsWith("This is the run as it was at event")`)
	before, last, _ := b.moment(t)
	if before != last-1 {
		t.Errorf("one step back from %d is %d", last, before)
	}
	s.report(t, id, tokenLine("four "))
	b.until(t, "the new event in the count", fmt.Sprintf(`document.querySelector(".scrubber-where span").textContent === "seq %d of %d"`, before, last+1))
	if _, _, answer := b.moment(t); answer != "one two " {
		t.Errorf("the past changed to %q", answer)
	}

	// The range goes to any event; with the keyboard it goes on one at a time.
	eval[any](t, b, `(() => {
		const range = document.querySelector("#scrubber");
		range.value = 1;
		range.dispatchEvent(new Event("input", {bubbles: true}));
		range.focus();
	})()`)
	b.until(t, "the beginning", `document.querySelector(".run-head .state-name").textContent === "queued" && !document.querySelector(".answer-text")`)
	b.press(t, kb.ArrowRight)
	b.until(t, "the second event", `document.querySelector(".run-head .state-name").textContent === "running"`)
	if seq, _, _ := b.moment(t); seq != 2 {
		t.Errorf("one key from the first event leads to %d", seq)
	}

	// What is done is done to the run as it is now.
	b.press(t, "l")
	b.until(t, "the newest", `document.querySelector(".answer-text")?.textContent === "one two three four " && !document.querySelector(".past")`)
	b.press(t, "[")
	b.until(t, "the past again", `document.querySelector(".past")`)
	b.click(t, ".run-title-row button", "Cancel")
	b.until(t, "that it has ended", `document.querySelector(".connection").textContent.startsWith("Ended, ")`)
	if got := s.done(t, id); got.State != contracts.StateCancelled {
		t.Errorf("the run is %s", got.State)
	}
	if state := eval[string](t, b, `document.querySelector(".run-head .state-name").textContent`); state != "running" {
		t.Errorf("the moment before is shown as %s", state)
	}
	b.click(t, ".past button", "Back to now")
	b.until(t, "the end", `document.querySelector(".run-head .state-name").textContent === "cancelled"`)
}

// TestConsoleRunTellsHowLateItIs has a browser whose clock is an hour and a bit behind.
func TestConsoleRunTellsHowLateItIs(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	id := s.create(t, externalTask)
	b := newBrowser(t)
	b.do(t, early(`{
			const behind = 3_661_234, Real = Date;
			Date = class extends Real { constructor(...a) { a.length ? super(...a) : super(Real.now() - behind); } };
			Date.now = () => Real.now() - behind;
		}`), chromedp.Navigate(s.url+"/r/"+id.String()))
	b.until(t, "a live run", `document.querySelector(".connection-words")?.textContent === "Live"`)
	note := ""
	patiently(t, "latency on the page", func() bool {
		s.report(t, id, tokenLine("word "))
		note = eval[string](t, b, `document.querySelector(".connection-note")?.textContent ?? ""`)
		return note != ""
	})
	var p50, p99 string
	if _, err := fmt.Sscanf(strings.NewReplacer(" ms", "ms", " s", "s").Replace(note), "%s p50 · %s p99", &p50, &p99); err != nil {
		t.Fatalf("%q: %v", note, err)
	}
	for _, latency := range []string{p50, p99} {
		if d, err := time.ParseDuration(latency); err != nil || d < 0 || d > time.Minute {
			t.Errorf("the page says %q, which is not how late an event is", note)
		}
	}
}

func TestConsoleRunAddresses(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	id := s.create(t, externalTask)
	s.report(t, id, tokenLine("one "))
	last := int(s.snapshot(t, id).LastSeq)
	b := newBrowser(t)
	view := func(name string) string { return `document.querySelector("#view[aria-labelledby=tab-` + name + `]")` }
	addressed := func(want string) {
		t.Helper()
		b.until(t, "the address "+want, fmt.Sprintf("location.pathname + location.search + location.hash === %q", want))
	}
	own := "/r/" + id.String()

	// A link to an event that has not come yet waits for it.
	b.do(t, chromedp.Navigate(fmt.Sprintf("%s%s#e%d", s.url, own, last+1)))
	b.until(t, "the events", view("events"))
	b.until(t, "that the event is awaited", fmt.Sprintf(`document.querySelector(".banner")?.textContent.startsWith("Event %d has not come yet")`, last+1))
	s.report(t, id, tokenLine("two "))
	b.until(t, "that it has come", `!document.querySelector(".banner")`)

	// The address says what is shown, and the same address shows it again.
	b.press(t, "4")
	b.until(t, "the tools", view("tools"))
	want := fmt.Sprintf("%s?view=tools#e%d", own, last+1)
	addressed(want)
	b.press(t, "1")
	b.until(t, "the answer", view("answer"))
	addressed(fmt.Sprintf("%s?view=answer#e%d", own, last+1))
	b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+want))
	b.until(t, "the tools again", view("tools"))
	b.press(t, "1")
	b.do(t, chromedp.Reload())
	b.until(t, "the answer, which was chosen last", view("answer"))

	// An address that is changed by hand is followed, back to the one that the page was opened with too.
	eval[any](t, b, `(location.hash = "#e1", null)`)
	b.press(t, kb.Escape)
	b.until(t, "no selection", `location.hash === ""`)
	eval[any](t, b, fmt.Sprintf(`(location.hash = "#e%d", null)`, last+9))
	b.until(t, "that the event is awaited", fmt.Sprintf(`document.querySelector(".banner")?.textContent.startsWith("Event %d ")`, last+9))
	s.must(t, http.MethodPost, "/runs/"+id.String()+"/cancel", `{}`, nil)
	b.until(t, "that it never comes", fmt.Sprintf(`document.querySelector(".banner")?.textContent.startsWith("There is no event %d: the run ended")`, last+9))
}

func TestConsoleRunSparesTheAddressBar(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	id := s.create(t, externalTask)
	lines := make([]string, 60)
	for i := range lines {
		lines[i] = tokenLine("word ")
	}
	s.report(t, id, lines...)
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()+"?view=events"))
	b.until(t, "the events", `document.querySelector("#event-list [data-seq]")`)
	b.press(t, "g")
	b.until(t, "the first in the address", `location.hash === "#e1"`)
	// Safari throws where there are too many changes.
	eval[any](t, b, `(() => {
		const real = history.replaceState.bind(history);
		window.writes = [];
		history.replaceState = (...what) => {
			writes.push(performance.now());
			if (writes.length === 2) throw new DOMException("too many", "SecurityError");
			real(...what);
		};
	})()`)
	b.press(t, strings.Repeat("j", 50))
	b.until(t, "the event that was chosen", `document.querySelector("[data-seq='51'][aria-selected=true]")`)
	b.until(t, "a change that was refused", `writes.length >= 2`)
	b.press(t, "k")
	b.until(t, "the last in the address", `location.hash === "#e50"`)
	for i, gap := range eval[[]float64](t, b, `writes.slice(1).map((at, i) => at - writes[i])`) {
		if gap < 350 { // a timer is never early
			t.Errorf("change %d came %.0f ms after the one before", i+2, gap)
		}
	}

	// What the reader writes into the address bar counts, even when something else waits to be written there.
	b.press(t, "kk")
	eval[any](t, b, `(location.hash = "#e7", null)`)
	b.until(t, "the event of the address", `document.querySelector("[data-seq='7'][aria-selected=true]") && location.hash === "#e7"`)
	b.press(t, "j")
	b.until(t, "the one after it", `document.querySelector("[data-seq='8'][aria-selected=true]") && location.hash === "#e8"`)
}
