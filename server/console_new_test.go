package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"axiom25/contracts"
)

// composerText is what stands in the composer's text.
const composerText = `document.querySelector(".editor-area").value`

// openComposer opens an address of the composer and waits until it has a task.
func (b browser) openComposer(t *testing.T, address string) {
	t.Helper()
	b.do(t, chromedp.Navigate(address))
	b.until(t, "the composer", `document.querySelector("#form-budget select") && document.querySelector(".verdict-line-valid,.verdict-line-invalid")`)
}

// write puts a text into the composer.
func (b browser) write(t *testing.T, text string) {
	t.Helper()
	eval[any](t, b, fmt.Sprintf(`(() => {
		const area = document.querySelector(".editor-area");
		area.value = %s;
		area.dispatchEvent(new Event("input", {bubbles: true}));
	})()`, quotedJSON(t, text)))
}

func quotedJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// enter types a value into a field of the form, or chooses it, as a reader would, and waits until the document says want at a
// place. undefined is nothing.
func (b browser) enter(t *testing.T, field, value, path, want string) {
	t.Helper()
	b.until(t, "the field "+field, fmt.Sprintf(`document.getElementById(%q)`, field))
	eval[any](t, b, fmt.Sprintf(`(() => {
		const field = document.getElementById(%q);
		if (field.type === "checkbox") { if (field.checked !== (%[2]s === "true")) field.click(); return; }
		field.focus();
		field.value = %[2]s;
		field.dispatchEvent(new Event("input", {bubbles: true}));
		field.dispatchEvent(new Event("change", {bubbles: true}));
	})()`, field, quotedJSON(t, value)))
	b.until(t, fmt.Sprintf("%s at %s", want, path), fmt.Sprintf(
		`(() => { try { return JSON.stringify(JSON.parse(%s)%s) === JSON.stringify(%s) } catch { return false } })()`, composerText, path, want))
}

// pressed clicks a button of the form by its accessible name.
func (b browser) pressed(t *testing.T, name string) {
	t.Helper()
	button := fmt.Sprintf(`[...document.querySelectorAll("main button")].find(e => (e.ariaLabel ?? e.textContent).trim() === %q && !e.disabled)`, name)
	b.until(t, "a button "+name, button)
	eval[any](t, b, button+".click()")
}

// runCount is how many runs the server has.
func (s *server) runCount(t *testing.T) int {
	t.Helper()
	var list contracts.RunList
	s.must(t, http.MethodGet, "/runs", "", &list)
	return len(list.Runs)
}

// smallTask is a task that an external engine would carry out, written as nobody would write it.
const smallTask = `{ "schema_version":2,
   "goal" : "Wait",
   "backend": {"prefer": ["external"], "fallback":"any"},
   "labels":{"a":"1"} }
`

func TestConsoleComposerEditsOneDocument(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	b.openComposer(t, s.url+"/new")
	b.write(t, smallTask)
	b.until(t, "the text in the form", `document.getElementById("field%2Fgoal").value === "Wait"`)

	// Each kind of field, from the form to the text.
	const in, as = "field%2Finputs%2F0%2F", "field%2Fverification%2Fassertions%2F0%2F"
	b.enter(t, "field%2Fgoal", "Wait\n\"here\"", ".goal", `"Wait\n\"here\""`)
	b.pressed(t, "Add an input")
	b.enter(t, in+"name", "n", ".inputs[0].name", `"n"`)
	b.enter(t, in+"text", "1,5\n", ".inputs[0]", `{name: "n", text: "1,5\n"}`)
	b.enter(t, "field%2Finputs%2F0-content", "data", ".inputs[0]", `{name: "n", data: "1,5\n"}`)
	b.enter(t, in+"data", `{"x": 1.50}`, ".inputs[0].data", `{x: 1.5}`)
	b.enter(t, in+"data", `{"x": `, ".inputs[0].data", `{x: 1.5}`)
	b.until(t, "that what is typed is not in the task", `document.querySelector(".composer-foot").innerText.includes("is not JSON yet")
		&& document.querySelector(".composer-foot .button-primary").disabled`)
	b.enter(t, in+"data", `{"x": 2.50}`, ".inputs[0].data", `{x: 2.5}`)
	b.enter(t, in+"sensitive", "true", ".inputs[0].sensitive", "true")
	b.enter(t, in+"sensitive", "false", ".inputs[0].sensitive", "undefined")
	// A click that comes while the form is brought in step with another edit is not undone before it is read.
	eval[any](t, b, fmt.Sprintf(`(() => {
		const box = document.getElementById(%q), name = document.getElementById(%q);
		document.getElementById = (id) => {
			if (id === box.id) {
				delete document.getElementById;
				box.click();
			}
			return Document.prototype.getElementById.call(document, id);
		};
		name.value = "m";
		name.dispatchEvent(new Event("input", {bubbles: true}));
	})()`, in+"sensitive", in+"name"))
	b.until(t, "both edits", fmt.Sprintf(`(({name, sensitive}) => name === "m" && sensitive)(JSON.parse(%s).inputs[0])`, composerText))
	b.enter(t, in+"sensitive", "false", ".inputs[0].sensitive", "undefined")
	b.enter(t, in+"name", "n", ".inputs[0].name", `"n"`)
	b.pressed(t, "Add an input")
	b.enter(t, "field%2Finputs%2F1-content", "uri", ".inputs[1]", `{name: "input-1", uri: ""}`)
	b.until(t, "a field for the digest", `document.getElementById("field%2Finputs%2F1%2Fdigest")`)
	b.pressed(t, "Move Input 2 · input-1 up")
	b.until(t, "the other order", fmt.Sprintf(`JSON.parse(%s).inputs.map(i => i.name).join() === "input-1,n"`, composerText))
	b.pressed(t, "Remove Input 1 · input-1")
	b.enter(t, "field%2Fallowed_tools=calculator", "true", ".allowed_tools", `["calculator"]`)
	b.enter(t, "field%2Fallowed_tools=sql_query", "true", ".allowed_tools", `["calculator", "sql_query"]`)
	b.enter(t, "field%2Fallowed_tools=calculator", "false", ".allowed_tools", `["sql_query"]`)
	b.enter(t, "field%2Fbackend%2Fprefer=local", "true", ".backend.prefer", `["external", "local"]`)
	b.pressed(t, "2 ↑: prefer local more")
	b.until(t, "the other preference", fmt.Sprintf(`JSON.parse(%s).backend.prefer.join() === "local,external"`, composerText))
	b.enter(t, "field%2Fbackend%2Fseed", "7", ".backend.seed", "7")
	b.enter(t, "field%2Fbackend%2Fseed", "seven", ".backend.seed", `"seven"`)
	b.until(t, "what is wrong with it, at its field", `document.getElementById("field%2Fbackend%2Fseed-problems").textContent.includes("must be of type integer")
		&& document.getElementById("field%2Fbackend%2Fseed").ariaInvalid === "true"
		&& document.getElementById("field%2Fbackend%2Fseed").getAttribute("aria-describedby").includes("field%2Fbackend%2Fseed-problems")`)
	b.enter(t, "field%2Fbackend%2Fseed", "", ".backend.seed", "undefined")

	// The budget: what the profile gives is greyed, an override is put in by typing and taken out by emptying.
	for _, row := range [][2]string{{"tight", "16000"}, {"max", "1000000"}} { // tight keeps no tokens back
		b.enter(t, "field%2Fprofile", row[0], ".profile", fmt.Sprintf("%q", row[0]))
		b.until(t, "the profile's tokens", fmt.Sprintf(`document.getElementById("field%%2Fbudget%%2Fmax_tokens").placeholder === %q`, row[1]))
	}
	b.enter(t, "field%2Fbudget%2Fmax_tokens", "500", ".budget", `{max_tokens: 500}`)
	b.until(t, "the reserve that follows", `document.getElementById("field%2Fbudget%2Freserve_tokens").placeholder === "250"`)
	b.enter(t, "field%2Fbudget%2Fmax_tokens", "", ".budget", "undefined")

	// The fields of a check follow its type.
	b.pressed(t, "Add an assertion")
	b.enter(t, as+"value", "x", ".verification.assertions[0]", `{id: "check-1", type: "contains", value: "x"}`)
	b.enter(t, as+"type", "length", ".verification.assertions[0].type", `"length"`)
	b.enter(t, as+"value", `{"min": 1}`, ".verification.assertions[0].value", `{min: 1}`)
	b.enter(t, as+"value%2Fmax", "5", ".verification.assertions[0].value", `{min: 1, max: 5}`)
	b.enter(t, as+"severity", "should", ".verification.assertions[0].severity", `"should"`)
	b.enter(t, as+"weight", "3", ".verification.assertions[0].weight", "3")
	b.pressed(t, "Add a scorer")
	const sc = "field%2Fverification%2Fscorers%2F0%2F"
	b.enter(t, sc+"type", "label", ".verification.scorers[0].type", `"label"`)
	b.enter(t, sc+"reference", "", ".verification.scorers[0].reference", `""`)
	b.enter(t, sc+"labels", "good\nbad\n", ".verification.scorers[0].labels", `["good", "bad"]`)
	b.pressed(t, "Remove Scorer 1 · score-1")
	b.enter(t, "field%2Fverification%2Fpass_at", "0.5", ".verification.pass_at", "0.5")
	b.enter(t, "field%2Fverification%2Frelease", "verified", ".verification.release", `"verified"`)
	b.pressed(t, "Add a label")
	b.enter(t, "field%2Flabels%2Flabel-1-name", "team", ".labels", `{a: "1", team: ""}`)
	b.enter(t, "field%2Flabels%2Fteam", "blue", ".labels", `{a: "1", team: "blue"}`)
	b.until(t, "a task that is ready", `document.querySelector(".verdict-line-valid")`)

	// What was not edited is as it was written.
	text := eval[string](t, b, composerText)
	for _, kept := range []string{"{ \"schema_version\":2,\n   \"goal\" : ", `"fallback":"any"}`, `{"x": 2.50}`} {
		if !strings.Contains(text, kept) {
			t.Errorf("the form has changed %q:\n%s", kept, text)
		}
	}
	b.pressed(t, "Undo")
	b.until(t, "the label without its value", fmt.Sprintf(`JSON.parse(%s).labels.team === ""`, composerText))

	// From the text to the form; a text that cannot be read lets the form rest.
	b.write(t, strings.Replace(smallTask, `"Wait"`, `"Wait"x`, 1))
	b.until(t, "a form that rests", `[...document.querySelectorAll(".form-rows")].every(f => f.disabled)
		&& document.querySelector(".composer-form").innerText.includes("rests until the text can be read: line 2")`)
	b.write(t, strings.Replace(smallTask, `"goal"`, `"profile":"blanced","gaol"`, 1))
	b.until(t, "three problems", `document.querySelector(".verdict-line-invalid")?.textContent === "3 problems"`)
	b.until(t, "the choice that is wrong, at its field", `document.getElementById("field%2Fprofile").value === "blanced"
		&& document.getElementById("field%2Fprofile-problems").textContent.includes("Use balanced")`)
	if marked := eval[int](t, b, `document.querySelectorAll(".editor-line-marked").length`); marked != 2 {
		t.Errorf("%d lines are marked, want those of the beginning and of the two slips", marked)
	}
	b.pressed(t, "Go to the field #/goal")
	b.until(t, "the focus in the field", `document.activeElement.id === "field%2Fgoal"`)
	b.pressed(t, "Go to line 2, column 24")
	b.until(t, "the focus at the line", `document.activeElement.className === "editor-area"
		&& document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd) === '"gaol"'`)
	b.pressed(t, "Use balanced")
	b.until(t, "two problems", `document.querySelector(".verdict-line-invalid")?.textContent === "2 problems"`)
	b.pressed(t, "Did you mean goal?")
	b.until(t, "no problem", `document.querySelector(".verdict-line-valid")?.textContent === "Ready"`)
	if got := eval[string](t, b, composerText); got != strings.Replace(smallTask, `"goal"`, `"profile":"balanced","goal"`, 1) {
		t.Errorf("two clicks made of it\n%s", got)
	}

	// A phone shows one side at a time and nothing beside the screen.
	b.do(t, chromedp.EmulateViewport(320, 700, chromedp.EmulateScale(1)))
	b.pressed(t, "JSON")
	b.until(t, "the text alone", `document.querySelector(".composer-form").offsetParent === null && document.querySelector(".composer-text").offsetParent`)
	b.pressed(t, "Form")
	b.until(t, "the form alone", `document.querySelector(".composer-text").offsetParent === null && document.querySelector(".composer-form").offsetParent`)
	for _, part := range []string{".composer-form", ".composer-foot", ".title-row", ".examples"} {
		if right := eval[float64](t, b, fmt.Sprintf(`document.querySelector(%q).getBoundingClientRect().right`, part)); right > 320 {
			t.Errorf("%s ends at %v of 320", part, right)
		}
	}
}

func TestConsoleComposerKeepsDrafts(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	b.openComposer(t, s.url+"/new")
	kept := `document.querySelector(".composer-text .panel-hint").textContent.startsWith("draft kept")`
	b.write(t, smallTask)
	b.until(t, "a draft that is kept", kept)
	b.do(t, chromedp.Reload())
	b.until(t, "the draft after a reload", fmt.Sprintf(`document.querySelector(".editor-area")?.value === %s`, quotedJSON(t, smallTask)))

	b.pressed(t, "Start empty")
	b.until(t, "an empty task, and the draft in the list", `document.activeElement.id === "field%2Fgoal" && document.querySelector(".kept-title")?.textContent === "Wait"`)
	eval[any](t, b, `document.querySelector("a.kept-title").click()`)
	b.until(t, "the draft", fmt.Sprintf(`%s === %s`, composerText, quotedJSON(t, smallTask)))
	b.pressed(t, "Start empty")
	b.pressed(t, "Delete Wait")
	b.until(t, "no draft", `!document.querySelector(".kept")`)
	b.do(t, chromedp.Reload())
	b.openComposer(t, s.url+"/new")
	if eval[bool](t, b, `!!document.querySelector(".kept")`) {
		t.Error("a draft that was deleted is listed after a reload")
	}

	// A dropped file, and a task of the version before.
	eval[any](t, b, `(() => {
		const transfer = new DataTransfer();
		transfer.items.add(new File(['{"schema_version":1,"goal":"Old","inputs":{"b":"x","a":[1]},"backend_pref":"local"}'], "old.json"));
		document.querySelector(".composer").dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: transfer}));
	})()`)
	b.until(t, "a task of version 1 that is sound", `document.querySelector(".verdict-line-valid") && document.querySelector(".composer-form").innerText.includes("is for version 2")`)
	b.pressed(t, "Migrate to version 2")
	b.until(t, "what has changed", `document.querySelector(".banner[role=status]")?.textContent.includes("/backend_pref → /backend/prefer/0")`)
	var task contracts.TaskSpec
	if err := json.Unmarshal([]byte(eval[string](t, b, composerText)), &task); err != nil {
		t.Fatal(err)
	}
	if task.SchemaVersion != 2 || len(task.Inputs) != 2 || task.Inputs[0].Name != "a" || len(task.Backend.Prefer) != 1 {
		t.Errorf("migrated to %+v", task)
	}
	b.until(t, "the form of it", `document.getElementById("field%2Finputs%2F1%2Ftext")?.value === "x"`)
}

// lossy passes requests on to a server and loses the answer to the first POST.
func lossy(t *testing.T, target string) (address string, posts *atomic.Int32) {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.FlushInterval = -1
	posts = new(atomic.Int32)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && posts.Add(1) == 1 {
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front.URL, posts
}

func TestConsoleComposerSendsOnce(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, data, ownAddress()...)
	address := strings.TrimPrefix(s.url, "http://")
	b := newBrowser(t)
	b.openComposer(t, s.url+"/new")
	b.write(t, smallTask)
	b.until(t, "a task that is ready", `document.querySelector(".verdict-line-valid")`)
	s.kill(t)
	eval[any](t, b, `document.querySelector(".editor-area").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", ctrlKey: true, bubbles: true}))`)
	b.until(t, "that it waits, where the reader looks", `document.querySelector(".composer-foot .verdict-line").textContent.includes("will be sent when it does")
		&& document.querySelector(".composer-foot").getBoundingClientRect().bottom <= innerHeight + 1`)
	b.until(t, "it in the queue", `document.querySelector(".kept[aria-label='Waiting to be sent'] .kept-row")?.innerText.includes("waits for the server")`)
	if !eval[bool](t, b, `document.querySelector(".composer-foot .button-primary").disabled`) {
		t.Error("what waits can be sent a second time")
	}
	// A second task waits, and the reader thinks better of it; another tab looks on; a third task is refused later.
	b.write(t, strings.Replace(smallTask, "Wait", "Second", 1))
	b.pressed(t, "Run")
	b.pressed(t, "Remove Second")
	b.until(t, "one that waits", `document.querySelectorAll(".kept[aria-label='Waiting to be sent'] .kept-row").length === 1`)
	b.write(t, strings.Replace(smallTask, `"Wait"`, `"Third","allowed_tools":["nobody_has_it"]`, 1))
	b.pressed(t, "Run")
	b.until(t, "two that wait", `document.querySelectorAll(".kept[aria-label='Waiting to be sent'] .kept-row").length === 2`)

	// The tab is closed before the server is back: any page of the console sends what waits.
	b.do(t, chromedp.Navigate("about:blank"))
	s = startServer(t, data, "--addr", address)
	b.do(t, chromedp.Navigate(s.url+"/"))
	s.awaitRuns(t, 1)
	b.openComposer(t, s.url+"/new")
	b.until(t, "what became of both", `(() => {
		const text = document.querySelector(".kept[aria-label='Waiting to be sent']")?.innerText ?? "";
		return text.includes("sent · ") && text.includes("A tool is unknown");
	})()`)
	b.pressed(t, "Edit Third")
	b.until(t, "the refusal at its place", `document.getElementById("field%2Fallowed_tools-problems")?.textContent.includes("this server has no such tool")
		&& document.querySelector(".editor-mark")?.textContent === '"nobody_has_it"'`)
	eval[any](t, b, `document.querySelector("a.kept-title[href^='/r/']").click()`)
	b.until(t, "the run", `document.querySelector(".run-title")?.textContent.includes("Wait")`)
	if n := s.runCount(t); n != 1 {
		t.Errorf("%d runs were made of one task", n)
	}

	// The answer is lost on its way: the same key finds the same run.
	front, posts := lossy(t, s.url)
	b.openComposer(t, front+"/new")
	b.write(t, strings.Replace(smallTask, "Wait", "Lost", 1))
	b.pressed(t, "Run")
	b.until(t, "the run", `location.pathname.startsWith("/r/run_") && document.querySelector(".run-title")?.textContent.includes("Lost")`)
	if n := s.runCount(t); n != 2 || posts.Load() != 2 {
		t.Errorf("%d runs after %d requests, want 2 after 2", n, posts.Load())
	}

	// Offline by the browser's own word.
	b.openComposer(t, s.url+"/new")
	b.write(t, strings.Replace(smallTask, "Wait", "Offline", 1))
	b.until(t, "a task that is ready", `document.querySelector(".verdict-line-valid")`)
	b.offline(t, true)
	b.pressed(t, "Run")
	b.until(t, "that it waits", `document.querySelector(".composer-foot .verdict-line").textContent === "Will be sent when you are back"`)
	b.offline(t, false)
	b.until(t, "the run", `document.querySelector(".run-title")?.textContent.includes("Offline")`)
	if n := s.runCount(t); n != 3 {
		t.Errorf("%d runs, want 3", n)
	}
}

// offline takes the browser's network away, or gives it back.
func (b browser) offline(t *testing.T, off bool) {
	t.Helper()
	b.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		if _, err := chromedp.Call(ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: off, DownloadThroughput: -1, UploadThroughput: -1}); err != nil {
			return err
		}
		_, err := chromedp.Call(ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Offline: off, DownloadThroughput: -1, UploadThroughput: -1}},
		})
		return err
	}))
}

// awaitRuns waits until the server has n runs.
func (s *server) awaitRuns(t *testing.T, n int) {
	t.Helper()
	for deadline := time.Now().Add(runTimeout); s.runCount(t) < n; time.Sleep(20 * time.Millisecond) { //nolint:forbidigo // a test's patience is measured in real time
		if time.Now().After(deadline) { //nolint:forbidigo // as above
			t.Fatalf("%d runs were made, not %d", s.runCount(t), n)
		}
	}
}

// withheldTask has an input that the server never shows.
const withheldTask = `{"schema_version":2,"goal":"Keep it","inputs":[{"name":"key","text":"hush","sensitive":true}],"backend":{"prefer":["external"],"fallback":"any"}}`

func TestConsoleComposerRunsAgainAndForks(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	id := s.create(t, withheldTask)
	s.report(t, id, tokenLine("so far"))

	b.openComposer(t, s.url+"/new?from="+id.String())
	b.until(t, "what is to be filled in again, at its field", `document.querySelector(".form-note")?.textContent.includes("fill it in again")
		&& document.getElementById("field%2Finputs%2F0-content").getAttribute("aria-describedby").includes(document.querySelector(".form-note").id)
		&& document.querySelector(".composer-foot .button-primary").disabled`)
	b.enter(t, "field%2Finputs%2F0-content", "text", ".inputs[0].text", `""`)
	b.enter(t, "field%2Finputs%2F0%2Ftext", "hush again", ".inputs[0].text", `"hush again"`)
	b.pressed(t, "Run")
	b.until(t, "the new run", fmt.Sprintf(`location.pathname.startsWith("/r/run_") && location.pathname !== "/r/%s"`, id))

	// A fork that changes nothing takes the parent's task as it is, one that does sends its own.
	b.openComposer(t, s.url+"/new?from="+id.String()+"&fork=2")
	b.until(t, "that it is unchanged", `document.querySelector(".composer-source")?.textContent.includes("takes the parent's task")`)
	b.pressed(t, "Fork")
	b.until(t, "the fork", fmt.Sprintf(`location.pathname.startsWith("/r/run_") && location.pathname !== "/r/%s"`, id))
	fork := contracts.RunID(strings.TrimPrefix(eval[string](t, b, "location.pathname"), "/r/"))
	var got contracts.Snapshot
	s.must(t, http.MethodGet, "/runs/"+fork.String(), "", &got)
	if got.ForkedFrom == nil || got.ForkedFrom.RunID != id || got.ForkedFrom.Seq != 2 || got.Goal != "Keep it" {
		t.Errorf("forked %+v", got.ForkedFrom)
	}
	b.openComposer(t, s.url+"/new?from="+id.String()+"&fork=999")
	b.pressed(t, "Fork")
	b.until(t, "that there is no such event", `document.querySelector(".composer-foot .alert")`)
	b.openComposer(t, s.url+"/new?from="+fork.String()+"&fork=1")
	b.enter(t, "field%2Finputs%2F0-content", "text", ".inputs[0].text", `""`)
	b.enter(t, "field%2Fallowed_tools-other", "x", ".allowed_tools", "undefined")
	eval[any](t, b, `document.querySelector("#form-tools button[data-act=pick]").click()`)
	b.pressed(t, "Fork")
	b.until(t, "the server's problem at its place", `document.getElementById("field%2Fallowed_tools-problems").textContent.includes("this server has no such tool")
		&& document.querySelector(".editor-mark")?.textContent === '"x"'`)

	b.do(t, chromedp.Navigate(s.url+"/new?from=run_01m81tqkhryw3vmma10cpw1nqk"))
	b.until(t, "that there is no such run", `document.querySelector(".alert") && document.querySelector(".composer-foot .verdict-line").textContent === "There is nothing to run"`)
}
