package main_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"axiom25/contracts"
)

// screenshots is where TestScreenshots draws; without it the test is skipped.
var screenshots = flag.String("screenshots", "", "directory to draw the console's pages into") //nolint:gochecknoglobals // a flag of the test binary

// browser is a tab of a headless Chromium.
type browser struct{ ctx context.Context } //nolint:containedctx // a chromedp tab is a context

// newBrowser starts a Chromium that ends with the test.
func newBrowser(tb testing.TB) browser {
	tb.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		tb.Fatal("no Chromium is installed; make test installs it")
	}
	// The test's own context ends before its cleanups, which end the browser in good order.
	allocator, stop := chromedp.NewExecAllocator(context.WithoutCancel(tb.Context()),
		chromedp.ExecPath(path), chromedp.UserDataDir(tb.TempDir()), chromedp.WindowSize(1280, 900),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("lang", "en"),
	)
	tab, closeTab := chromedp.NewContext(allocator)
	tb.Cleanup(func() {
		// The browser has to be gone before its folder is removed.
		if err := chromedp.Cancel(tab); err != nil {
			tb.Logf("close the browser: %v", err)
		}
		closeTab()
		stop()
	})
	// The context of the first step is the browser's: it must not have the deadline of a step.
	if err := chromedp.Do(tab, chromedp.Navigate("about:blank")); err != nil {
		tb.Fatal(err)
	}
	return browser{ctx: tab}
}

// early has a script run in each page that the tab opens from now on, before the page's own.
func early(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

// do runs steps; the test fails where one of them does not come about in time.
func (b browser) do(tb testing.TB, steps ...chromedp.Action[chromedp.Void]) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, runTimeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tb.Fatal(err)
	}
}

// eval reads the value of an expression in the page.
func eval[T any](tb testing.TB, b browser, expression string) T {
	tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, runTimeout)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("JSON.stringify("+expression+") ?? 'null'"))
	if err != nil {
		tb.Fatal(err)
	}
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		tb.Fatalf("%v in %s", err, text)
	}
	return v
}

// until waits until an expression is true in the page.
func (b browser) until(tb testing.TB, what, expression string) {
	tb.Helper()
	for deadline := time.Now().Add(runTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) { //nolint:forbidigo // a test's patience is measured in real time
		if eval[bool](tb, b, "!!("+expression+")") {
			return
		}
	}
	tb.Fatalf("the page does not show %s:\n%s", what, eval[string](tb, b, "document.body.innerText"))
}

// click presses the first button that matches a selector and has this text.
func (b browser) click(t *testing.T, selector, text string) {
	t.Helper()
	button := fmt.Sprintf("[...document.querySelectorAll(%q)].find(e => e.textContent.trim() === %q && !e.disabled)", selector, text)
	b.until(t, "a button "+text, button)
	eval[any](t, b, "("+button+").click()")
}

// shown is what the page of a run says.
type shown struct {
	State   string            `json:"state"`
	Answer  string            `json:"answer"`
	Gauges  map[string]string `json:"gauges"`
	Outcome string            `json:"outcome"`
	Checks  [][]string        `json:"checks"`
	Calls   int               `json:"calls"`
}

// view opens one of the views of a run, by its name.
func (b browser) view(t *testing.T, name string) {
	t.Helper()
	b.until(t, "the view "+name, fmt.Sprintf(`(() => {
		document.getElementById("tab-%[1]s")?.click();
		return document.querySelector("#view[aria-labelledby=tab-%[1]s]");
	})()`, name))
}

// runPage reads the page of a run, view by view, and leaves the answer open.
func (b browser) runPage(t *testing.T) shown {
	t.Helper()
	b.view(t, "tools")
	calls := eval[int](t, b, `document.querySelectorAll(".call-list .call").length`)
	b.view(t, "verdict")
	page := eval[shown](t, b, `{
		state: document.querySelector(".run-head .state-name")?.textContent ?? "",
		gauges: Object.fromEntries([...document.querySelectorAll(".budget .gauge")].map(
			g => [g.getAttribute("aria-label"), g.getAttribute("aria-valuetext")])),
		outcome: [...(document.querySelector("#view .verdict-outcome")?.classList ?? [])].find(
			c => c.startsWith("outcome-"))?.slice("outcome-".length) ?? "",
		checks: [...(document.querySelector("#view .verdict")?.querySelectorAll(".check") ?? [])].map(
			c => [c.querySelector(".check-id").textContent, c.querySelector(".check-status").textContent]),
	}`)
	page.Calls = calls
	b.view(t, "answer")
	page.Answer = eval[string](t, b, `document.querySelector(".run-main .answer-text")?.textContent ?? ""`)
	return page
}

// ended waits until the page shows that the run is over.
func (b browser) ended(t *testing.T) shown {
	t.Helper()
	states := []string{"succeeded", "refused", "failed", "cancelled", "exhausted"}
	list, err := json.Marshal(states)
	if err != nil {
		t.Fatal(err)
	}
	b.until(t, "a run that ended", string(list)+`.includes(document.querySelector(".run-head .state-name")?.textContent)`)
	return b.runPage(t)
}

// says reports whether a gauge's words ("5.1 k / 128 k", "1.4 s / 1 h") begin with a number, as exactly as they are.
func says(words string, number int64) bool {
	used, _, _ := strings.Cut(words, " / ")
	figure, unit, _ := strings.Cut(strings.TrimPrefix(used, "$"), " ")
	value, err := strconv.ParseFloat(figure, 64)
	if err != nil {
		return false
	}
	scale := 1.0
	switch {
	case strings.HasPrefix(used, "$"):
		scale = 1e6
	case unit == "k" || unit == "s":
		scale = 1e3
	case unit == "M":
		scale = 1e6
	}
	exactness := scale / 10
	if _, decimals, ok := strings.Cut(figure, "."); ok {
		exactness = scale / math.Pow10(len(decimals))
	} else if scale == 1 {
		exactness = 0
	} else if unit == "s" || unit == "k" {
		exactness = scale
	}
	return math.Abs(value*scale-float64(number)) <= exactness
}

// compare holds what the page shows against GET /runs/{id}.
func compare(t *testing.T, what string, page shown, got snapshot) {
	t.Helper()
	if page.State != string(got.State) {
		t.Errorf("%s: the page shows state %s, the server %s", what, page.State, got.State)
	}
	var output string
	if got.Done.Output != nil {
		output = *got.Done.Output
	}
	if got.Done.Output != nil && page.Answer != output {
		t.Errorf("%s: the page shows the answer %q, the server %q", what, page.Answer, output)
	}
	for name, number := range map[string]int64{
		"tokens": got.Used.Tokens(), "calls": got.Used.ToolCalls, "width": got.Used.Branches,
		"reflections": got.Used.Reflections, "wall": got.Used.WallMS, "active": got.Used.ActiveMS, "cost": got.Used.CostMicroUSD,
	} {
		if !says(page.Gauges[name], number) {
			t.Errorf("%s: the page shows %s %q, the server %d", what, name, page.Gauges[name], number)
		}
	}
	if page.Calls == 0 && got.Used.ToolCalls > 0 {
		t.Errorf("%s: the page shows no call of %d", what, got.Used.ToolCalls)
	}
	if len(got.Verdicts) == 0 {
		return
	}
	last := got.Verdicts[len(got.Verdicts)-1]
	var checks [][]string
	for _, r := range last.Results {
		checks = append(checks, []string{r.ID, string(r.Status)})
	}
	if page.Outcome != string(last.Outcome) || !slices.EqualFunc(page.Checks, checks, slices.Equal) {
		t.Errorf("%s: the page shows the verdict %s %v, the server %s %v", what, page.Outcome, page.Checks, last.Outcome, checks)
	}
}

func TestTheConsoleShowsWhatTheServerSays(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	for _, name := range exampleNames(t) {
		id := s.create(t, string(exampleDocument(t, name)))
		b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()))
		got := s.approveAll(t, id)
		compare(t, name, b.ended(t), got)
	}
}

func TestAnExampleStartsByOneClick(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/new"))
	b.until(t, "examples to start", `document.querySelectorAll(".example").length >= 3`)
	b.click(t, ".example button", "Run")
	b.until(t, "the run's page", `location.pathname.startsWith("/r/run_")`)
	id := contracts.RunID(strings.TrimPrefix(eval[string](t, b, "location.pathname"), "/r/"))
	page := b.ended(t)
	compare(t, "the run", page, s.done(t, id))

	b.do(t, chromedp.Navigate(s.url+"/"))
	b.until(t, "the run in the list", fmt.Sprintf(`[...document.querySelectorAll("a")].some(a => a.href.endsWith(%q))`, "/r/"+id.String()))
}

func TestARefusalIsShownWhereTheReaderClicked(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/new"))
	b.until(t, "a task that is ready", `document.querySelector(".verdict-line-valid")`)
	s.kill(t)
	// Wherever it was pressed, what became of it is said where it can be seen, and nothing is lost.
	said := `document.querySelector(".composer-foot .verdict-line").textContent.includes("will be sent when it does") &&
		document.querySelector(".composer-foot").getBoundingClientRect().bottom <= innerHeight + 1`
	b.click(t, ".example button", "Run")
	b.until(t, "why nothing was started, on the screen", said)
	eval[any](t, b, "scrollTo(0, 0)")
	b.write(t, smallTask)
	b.click(t, ".editor-foot button", "Run")
	b.until(t, "why nothing was started, at its button", said)
	b.until(t, "what waits", `document.querySelectorAll(".kept .kept-row").length === 2`)
}

func TestAHumanDecidesInTheConsole(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	for button, want := range map[string]contracts.Decision{"Approve": contracts.DecisionApproved, "Deny": contracts.DecisionDenied} {
		id := s.create(t, waitingTask)
		b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()))
		b.click(t, ".approval button", button)
		compare(t, button, b.ended(t), s.done(t, id))
		decided := false
		for _, ev := range decodeAll(t, s.history(t, id)) {
			if d, ok := ev.Data.(*contracts.ApprovalData); ok {
				decided = true
				if d.Decision != want || d.By == "" {
					t.Errorf("%s: the decision is %s by %q, want %s by somebody", button, d.Decision, d.By, want)
				}
			}
		}
		if !decided {
			t.Errorf("%s: nothing was decided", button)
		}
	}
}

// twoQuestions is a task whose two calls wait for a human at the same time.
const twoQuestions = `{"schema_version":2,"goal":"Have two things signed","allowed_tools":["sign_off"],"inputs":[{"name":"plan","data":{
	"steps":[{"id":"one","tool":"sign_off","args":{"statement":"First."}},{"id":"two","tool":"sign_off","args":{"statement":"Second."}}],
	"answers":["{{steps.one#/statement}} {{steps.two#/statement}}"],"fallback":"Nobody signed."}}]}`

// TestAnEditStaysWithItsCall has somebody else answer one of two questions while the reader edits: what was typed belongs
// to one call alone, and is neither lost nor offered for the other.
func TestAnEditStaysWithItsCall(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	for _, edited := range []int{0, 1} {
		id := s.create(t, twoQuestions)
		b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()))
		b.until(t, "two questions", `document.querySelectorAll(".approval").length === 2`)
		second := eval[struct{ Statement string }](t, b, `JSON.parse(document.querySelectorAll(".approval .code")[1].textContent)`)
		b.until(t, "an editor", fmt.Sprintf(`(() => {
			const card = document.querySelectorAll(".approval")[%d];
			[...card.querySelectorAll("button")].find(e => e.textContent === "Edit the arguments")?.click();
			return card.querySelector("textarea");
		})()`, edited))
		eval[bool](t, b, `(() => {
			const editor = document.querySelector(".approval textarea");
			editor.value = '{"statement":"Edited."}';
			return editor.dispatchEvent(new Event("input", {bubbles: true}));
		})()`)
		first := strings.TrimPrefix(eval[string](t, b, `document.querySelector(".approval").getAttribute("aria-labelledby")`), "approval-")
		s.must(t, http.MethodPost, "/runs/"+id.String()+"/approvals/"+first, `{"decision":"approve","by":"test"}`, nil)
		b.until(t, "one question", `document.querySelectorAll(".approval").length === 1`)
		button, want := "Approve", "First. Second."
		if edited == 1 {
			button, want = "Approve as edited", strings.Replace(want, second.Statement, "Edited.", 1)
		}
		b.click(t, ".approval button", button)
		page := b.ended(t)
		compare(t, button, page, s.done(t, id))
		if page.Answer != want {
			t.Errorf("editing call %d gave %q, want %q", edited+1, page.Answer, want)
		}
	}
}

// TestAFloodLeavesThePageAlive reports events faster than they can be drawn one by one.
func TestAFloodLeavesThePageAlive(t *testing.T) {
	t.Parallel()
	const batches, batch, stages = 100, 100, 5
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	id := s.create(t, externalTask)
	b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()))
	b.until(t, "the run", `document.querySelector(".run-head")`)
	eval[any](t, b, `(() => {
		window.seen = new Set();
		const look = () => { seen.add(document.querySelector(".answer-text")?.textContent.length ?? 0); requestAnimationFrame(look); };
		look();
	})()`)
	var want strings.Builder
	for i := range batches {
		lines := make([]string, batch)
		for j := range lines {
			word := fmt.Sprintf("%d ", i*batch+j)
			lines[j] = tokenLine(word)
			want.WriteString(word)
		}
		s.report(t, id, lines...)
	}
	b.until(t, "the whole answer", fmt.Sprintf(`document.querySelector(".answer-text")?.textContent.length === %d`, want.Len()))
	if got := b.runPage(t).Answer; got != want.String() {
		t.Error("the page does not show what was reported, in its order")
	}
	if lengths := eval[[]int](t, b, "[...seen]"); len(lengths) < stages {
		t.Errorf("the reader saw the answer grow in %d stages, want %d or more: %v", len(lengths), stages, lengths)
	}
}

func TestTheConsoleComesBackAfterARestart(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, data, ownAddress()...)
	address := strings.TrimPrefix(s.url, "http://")
	id := s.create(t, externalTask)
	s.report(t, id, tokenLine("before, "))
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()))
	b.until(t, "the first half", `document.querySelector(".answer-text")?.textContent === "before, "`)
	s.kill(t)
	s = startServer(t, data, "--addr", address)
	s.report(t, id, tokenLine("after"))
	b.until(t, "both halves", `document.querySelector(".answer-text")?.textContent === "before, after"`)
	s.must(t, http.MethodPost, "/runs/"+id.String()+"/answer", `{"message_id":"a1","text":"before, after"}`, nil)
	compare(t, "the run", b.ended(t), s.done(t, id))
}

// flawedTask has two problems.
const flawedTask = `{
  "schema_version": 2,
  "goal": "Say how many moons the planets have",
  "budget": {"max_tokens": 0},
  "gaol": "a slip of the fingers"
}`

// typeUntil puts a text into the page's editor until the page shows something. What is typed before the program runs is
// lost with the shell that the server drew.
func (b browser) typeUntil(tb testing.TB, text, what, condition string) {
	tb.Helper()
	b.until(tb, what, fmt.Sprintf(`(() => {
		const editor = document.querySelector(".editor-area");
		if (editor && editor.value !== %[1]q) {
			editor.value = %[1]q;
			editor.dispatchEvent(new Event("input", {bubbles: true}));
		}
		return %[2]s;
	})()`, text, condition))
}

func TestTheEditorFindsWhatTheServerWouldRefuse(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/new"))
	b.until(t, "a task that is ready", `document.querySelector(".verdict-line-valid")`)
	b.typeUntil(t, flawedTask, "two problems", `document.querySelector(".verdict-line-invalid")?.textContent.includes("2 problems")`)
	text := eval[string](t, b, "document.body.innerText")
	for _, pointer := range []string{"/budget/max_tokens", "/gaol"} {
		if !strings.Contains(text, pointer) {
			t.Errorf("the page does not name %s:\n%s", pointer, text)
		}
	}
}

// TestScreenshots draws every page, for people to look at.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("make screenshots draws them")
	}
	if err := os.MkdirAll(*screenshots, 0o755); err != nil { //nolint:gosec // pictures of the documentation
		t.Fatal(err)
	}
	s := startServer(t, t.TempDir())
	finished := map[string]contracts.RunID{}
	for _, name := range exampleNames(t) {
		id := s.create(t, string(exampleDocument(t, name)))
		s.approveAll(t, id)
		finished[strings.TrimSuffix(name, ".json")] = id
	}
	waiting := s.create(t, string(exampleDocument(t, "sign-off.json")))
	s.await(t, waiting, "waiting", func(r snapshot) bool { return r.State == contracts.StateWaiting })

	pages := map[string]string{
		"runs": "/", "new": "/new", "validate": "/validate", "catalog": "/catalog", "reference": "/reference",
		"run": "/r/" + finished["elements"].String(), "run-exhausted": "/r/" + finished["countries"].String(),
		"run-waiting": "/r/" + waiting.String(),
	}
	for _, view := range []string{"timeline", "events", "tools", "verdict", "task"} {
		pages["run-"+view] = "/r/" + finished["elements"].String() + "?view=" + view
	}
	b := newBrowser(t)
	for name, path := range pages {
		for _, theme := range []string{"light", "dark"} {
			for device, size := range map[string][2]int64{"desktop": {1280, 900}, "phone": {390, 844}} {
				b.do(t,
					chromedp.EmulateViewport(size[0], size[1], chromedp.EmulateScale(1)),
					chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
						_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
							Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
						})
						return err
					}),
					chromedp.Navigate(s.url+path),
				)
				b.until(t, "its content", `document.querySelector("main") && !document.querySelector(".notice-loading")`)
				if path == "/validate" {
					b.typeUntil(t, flawedTask, "its problems", `document.querySelector(".verdict-line-invalid")`)
				}
				b.do(t, chromedp.Sleep(500*time.Millisecond))
				ctx, cancel := context.WithTimeout(b.ctx, runTimeout)
				picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
				cancel()
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(*screenshots, name+"-"+device+"-"+theme+".png")
				if err := os.WriteFile(file, picture, 0o644); err != nil { //nolint:gosec // pictures of the documentation
					t.Fatal(err)
				}
			}
		}
	}
}
