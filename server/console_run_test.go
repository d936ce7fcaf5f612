package main_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	control "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"axiom25/contracts"
)

// press types keys as a keyboard does.
func (b browser) press(tb testing.TB, keys string) {
	tb.Helper()
	b.do(tb, chromedp.KeyEvent(keys))
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
