package main_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"axiom25/contracts"
)

// axeSource is where make packages puts the rules that the console is held against.
const axeSource = "../bin/npm/node_modules/axe-core/axe.min.js"

// finding is what axe-core says of a page, as far as it is reported here.
type finding struct {
	Rule   string   `json:"rule"`
	Impact string   `json:"impact"`
	Help   string   `json:"help"`
	Where  []string `json:"where"`
}

// audit holds the page that is shown against the rules of WCAG 2.2, levels A and AA, and against good practice.
func (b browser) audit(t *testing.T, axe string) []finding {
	t.Helper()
	eval[any](t, b, "(() => { window.audited = null; "+axe+`
		axe.run(document, {resultTypes: ["violations"]}).then(
			(r) => { window.audited = r.violations.map((v) => ({
				rule: v.id, impact: v.impact ?? "", help: v.help,
				where: v.nodes.map((n) => n.target.join(" ") + ": " + n.failureSummary.split("\n").slice(1).join("; ").trim()),
			})); },
			(err) => { window.audited = [{rule: "axe", impact: "critical", help: String(err), where: []}]; });
		return null;
	})()`)
	b.until(t, "the audit", "window.audited")
	return eval[[]finding](t, b, "window.audited")
}

// theme makes the browser prefer light or dark pages.
func (b browser) theme(t *testing.T, name string) {
	t.Helper()
	b.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		return err
	}))
}

// TestConsoleIsForEveryone holds every page and every view of a run, in both themes and on a small screen, against the rules
// of axe-core. It finds missing names and roles, broken structure and low contrast; that a page can be used by keyboard is for
// the tests of each page to show.
func TestConsoleIsForEveryone(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(axeSource)
	if err != nil {
		t.Fatalf("the rules are missing; `make packages` fetches them: %v", err)
	}
	s := startServer(t, t.TempDir())
	done := s.create(t, string(exampleDocument(t, "elements.json")))
	s.approveAll(t, done)
	waiting := s.create(t, string(exampleDocument(t, "sign-off.json")))
	s.await(t, waiting, "waiting", func(r snapshot) bool { return r.State == contracts.StateWaiting })

	pages := []string{"/", "/new", "/validate", "/catalog", "/reference", contracts.LinksOf(waiting).Page}
	for _, view := range []string{"answer", "timeline", "events", "tools", "verdict", "task"} {
		pages = append(pages, contracts.LinksOf(done).Page+"?view="+view)
	}
	pages = append(pages, contracts.LinksOf(done).Page+"?view=events#e3")
	b := newBrowser(t)
	for _, page := range pages {
		b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+page))
		b.until(t, "the content of "+page, `document.querySelector("main h1, main h2") && !document.querySelector(".notice-loading")`)
		for _, width := range []int64{1280, 320} {
			b.do(t, chromedp.EmulateViewport(width, 800, chromedp.EmulateScale(1)))
			if over := eval[int](t, b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				wide := eval[[]string](t, b, `[...document.querySelectorAll("main *, header *")].filter(e => e.getBoundingClientRect().right > innerWidth)
					.slice(0, 5).map(e => e.tagName.toLowerCase() + "." + e.getAttribute("class"))`)
				t.Errorf("%s is %d pixels wider than a screen of %d: %v", page, over, width, wide)
			}
			for _, theme := range []string{"light", "dark"} {
				b.theme(t, theme)
				for _, f := range b.audit(t, string(source)) {
					if f.Impact == "serious" || f.Impact == "critical" {
						t.Errorf("%s, %s, %d pixels: %s (%s)\n\t%s", page, theme, width, f.Help, f.Rule, strings.Join(f.Where, "\n\t"))
					} else if text, err := json.Marshal(f); err == nil {
						t.Logf("%s, %s, %d pixels: %s", page, theme, width, text)
					}
				}
			}
		}
	}
}
