package gallery_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/gallery"
)

// draw mounts an entry as go-app does and returns its HTML.
func draw(t *testing.T, e gallery.Entry) string {
	t.Helper()
	part, ok := e.New().(app.Composer)
	if !ok {
		t.Fatalf("%s is no component", e.Part)
	}
	engine := app.NewTestEngine()
	if err := engine.Load(part); err != nil {
		t.Fatal(err)
	}
	engine.ConsumeAll()
	return app.HTMLString(part)
}

func TestEveryEntryDraws(t *testing.T) {
	t.Parallel()
	for _, e := range gallery.Entries() {
		t.Run(e.Part+"/"+e.Situation, func(t *testing.T) {
			t.Parallel()
			html := draw(t, e)
			for _, forbidden := range []string{"style=", "<script", "onclick", "http://", "https://"} {
				if strings.Contains(strings.ReplaceAll(html, "http://www.w3.org/2000/svg", ""), forbidden) {
					t.Errorf("%s in %s", forbidden, html)
				}
			}
			if strings.Contains(html, "<button") && !strings.Contains(html, `type="button"`) {
				t.Errorf("a button that would submit: %s", html)
			}
		})
	}
}

func TestEveryPartHasAnEntry(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	for _, e := range gallery.Entries() {
		shown[e.Part] = true
	}
	files, err := filepath.Glob(filepath.Join("..", "parts", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no parts: %v", err)
	}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range tree.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Name.Name != "Render" || f.Recv == nil {
				continue
			}
			if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
				if name, ok := star.X.(*ast.Ident); ok && name.IsExported() && !shown[name.Name] {
					t.Errorf("the gallery does not show %s", name.Name)
				}
			}
		}
	}
}

func TestPartsSayWhatTheyShow(t *testing.T) {
	t.Parallel()
	html := map[string]string{}
	for _, e := range gallery.Entries() {
		html[e.Part+"/"+e.Situation] = draw(t, e)
	}
	for entry, wants := range map[string][]string{
		"Connection/lost":                   {"Reconnecting in 3 s (attempt 2)", "Try now"},
		"CopyButton/a run's id":             {`aria-label="Copy the run's id"`, `role="status"`},
		"KeyHelp/of a view without keys":    {"<dialog", ">j</kbd>", ">k</kbd>", "the next or the previous"},
		"Menu/with a link and a copy":       {`popovertarget="menu"`, `id="menu"`, "Copy link"},
		"Diff/a migration":                  {"17 lines that both have", "<del", "old", "<ins", "new"},
		"Editor/of a long text":             {"editor-plain"},
		"Editor/with marks":                 {`class="editor-mark"`, "editor-line-marked", `aria-label="Document"`},
		"Gauge/warned":                      {`role="meter"`, `aria-valuenow="40"`, `aria-valuetext="5.1 k / 128 k, full in 3 min"`, "at 410 tok/s: full in 3 min. The mark at 80 %", "gauge-warned"},
		"Header/on the runs":                {`aria-current="page"`, "Validate"},
		"MarkList/that leads into the text": {"Go to line 14, column 1", `href="/reference/problems#unknown_field"`, "Did you mean goal?"},
		"MarkList/two problems":             {"2:8", "#/budget/max_tokens", "must be at least 1", "more problems"},
		"Notice/an error":                   {`role="alert"`, "Try again"},
		"RunRow/waiting":                    {"asks you", "/r/run_01m81tqkhryw3vmma10cpw1nqk", "waiting"},
		"Tabs/second shown":                 {`role="tablist"`, `tabindex="0"`, "412"},
		"Connection/live, with its latency": {"9 ms p50 · 21 ms p99"},
		"Scrubber/in the past":              {"seq 287 of 412", `max="412"`, "20.312", "Follow<"},
		"Timeline/a run of every kind": {
			`role="listbox"`, `aria-activedescendant="bar-3"`, `aria-setsize="`, "10 min", "wiki", "timeline-asked", "timeline-dense", "state-refused",
			"timeline-curve-second", "Thought, plan, 300 ms",
		},
		"Timeline/on a phone": {"search.wiki", `width="340.0"`},
		"EventFilter/of one type, with a broken expression": {
			"aria-invalid", "missing closing )", "312 of 41 207", "tool_end ▾", "a.b",
		},
		"EventFilter/following": {"412 events", "All types"},
		"EventList/in the middle": {
			`role="grid"`, `aria-rowcount="41208"`, `aria-activedescendant="event-42"`, `aria-rowindex="43"`,
			"/r/run_01m81tqkhryw3vmma10cpw1nqk#e42", "event-bad", "event-later", `height="1152620"`, "&lt;b&gt;sum",
		},
		"EventPane/of a tool call's end":          {"40", "the call starts", "not that of the receipt", "Copy JSON", `&#34;output&#34;: [`, "disabled"},
		"EventPane/whose text is gone":            {"no longer kept", "Read it again"},
		"RunRow/pruned, with labels":              {"pruned", "team:a  tier:gold", `title="created 2026-01-02T03:04:05.678Z"`, `aria-posinset="3"`, `aria-setsize="12"`},
		"LabelFilter/two labels":                  {`aria-label="Without the label team:a"`, "tier:gold"},
		"SearchField/empty":                       {`type="search"`, `aria-label="Search the runs"`},
		"StateFilter/two states":                  {`value="waiting"`, "12", "of the newest 212 runs that match", "exhausted"},
		"TimeFilter/the last day":                 {"the last hour", `value="1d"`},
		"TimeFilter/between two times":            {`aria-label="Created since"`, `title="2026-01-03T00:00:00Z"`},
		"FormSection/verification with a problem": {"Assertion 1 · a", "Use length", "Add a scorer", `placeholder="0.8"`, `option value="lengths"`},
		"FormSection/tools, resting":              {"disabled", "calculator", "not known to the server"},
		"KeptList/what waits":                     {"waits for the server", "A tool is unknown", "/r/run_01m81tqkhryw3vmma10cpw1nqk", "Dismiss"},
	} {
		for _, want := range wants {
			if !strings.Contains(html[entry], want) {
				t.Errorf("%s does not show %q: %s", entry, want, html[entry])
			}
		}
	}
}
