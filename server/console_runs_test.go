package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// listedRun is a run in the list, as the page shows it.
type listedRun struct {
	ID     contracts.RunID `json:"id"`
	State  string          `json:"state"`
	Goal   string          `json:"goal"`
	Labels string          `json:"labels"`
}

// listedRuns reads the rows that are drawn.
func (b browser) listedRuns(t *testing.T) []listedRun {
	t.Helper()
	return eval[[]listedRun](t, b, `[...document.querySelectorAll("#runs .run-row")].map(r => ({
		id: r.id, state: r.querySelector(".state-name").textContent,
		goal: r.querySelector(".run-goal").firstChild.textContent, labels: r.querySelector(".run-labels")?.textContent ?? "",
	}))`)
}

// lists waits until the list shows these runs and no others.
func (b browser) lists(t *testing.T, what string, want ...contracts.RunID) {
	t.Helper()
	texts := make([]string, len(want))
	for i, id := range want {
		texts[i] = id.String()
	}
	b.until(t, what, fmt.Sprintf(`document.querySelector("#runs, .notice-empty") && [...document.querySelectorAll("#runs .run-row")].map(r => r.id).join() === %q`,
		strings.Join(texts, ",")))
}

// typeInto puts a text into a field, as typing does.
func (b browser) typeInto(t *testing.T, selector, text string) {
	t.Helper()
	b.until(t, "a field "+selector, fmt.Sprintf(`document.querySelector(%q)`, selector))
	eval[any](t, b, fmt.Sprintf(`(() => {
		const field = document.querySelector(%q);
		field.focus();
		field.value = %q;
		field.dispatchEvent(new Event(field.matches("select, [type=datetime-local]") ? "change" : "input", {bubbles: true}));
	})()`, selector, text))
}

// toggleState presses one of the states.
func (b browser) toggleState(t *testing.T, s contracts.State) {
	t.Helper()
	eval[any](t, b, fmt.Sprintf(`document.querySelector(".chip[value=%s]").click()`, s))
}

// labelled is a task for an engine that reports over HTTP.
func labelled(goal, labels string) string {
	return fmt.Sprintf(`{"schema_version":2,"goal":%q,"labels":%s,"backend":{"prefer":["external"]}}`, goal, labels)
}

func TestConsoleRunsAreLiveAndFiltered(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/"))
	b.until(t, "that there is nothing yet", `document.querySelector(".notice-empty")?.textContent.includes("Nothing has run here yet")`)

	moons := s.create(t, labelled("Count the moons", `{"team":"a","tier":"gold"}`))
	b.lists(t, "a run that was just created", moons)
	stars := s.create(t, labelled("Count the stars", `{"team":"a"}`))
	sand := s.create(t, labelled("Count the sand", `{"team":"b"}`))
	b.lists(t, "the newest first", sand, stars, moons)
	if got, want := b.listedRuns(t)[2], (listedRun{moons, "queued", "Count the moons", "team:a  tier:gold"}); got != want {
		t.Errorf("the row is %+v, want %+v", got, want)
	}
	s.report(t, stars, tokenLine("x"))
	b.until(t, "the change of a row", fmt.Sprintf(`document.querySelector("#%s .state-name").textContent === "running"`, stars))
	b.until(t, "the counts", `document.querySelector(".chip[value=queued] .chip-count").textContent === "2" &&
		document.querySelector(".chip[value=running] .chip-count").textContent === "1" &&
		document.querySelector(".chips .quiet").textContent === "of all 3 runs"`)

	address := func(want string) {
		t.Helper()
		b.until(t, "the address "+want, fmt.Sprintf(`location.pathname + location.search === %q`, want))
	}
	b.toggleState(t, contracts.StateRunning)
	b.lists(t, "running runs", stars)
	address("/?state=running")
	b.toggleState(t, contracts.StateQueued)
	b.lists(t, "running and queued runs", sand, stars, moons)
	b.toggleState(t, contracts.StateRunning)
	b.lists(t, "queued runs", sand, moons)
	s.report(t, sand, tokenLine("x"))
	b.lists(t, "that a run has left the filter", moons)
	b.toggleState(t, contracts.StateQueued)
	b.lists(t, "all runs again", sand, stars, moons)
	address("/")

	b.typeInto(t, "#search", "count the S")
	b.lists(t, "runs by their goal", sand, stars)
	address("/?q=count+the+S")
	b.typeInto(t, "#label", "team")
	b.do(t, chromedp.SendKeys("#label", kb.Enter))
	b.until(t, "what a label is", `document.querySelector(".field-error").textContent.includes("team:a")`)
	b.typeInto(t, "#label", "team:a")
	b.do(t, chromedp.SendKeys("#label", kb.Enter))
	b.lists(t, "runs by goal and label", stars)
	b.toggleState(t, contracts.StateRunning)
	b.typeInto(t, ".times select", "1h")
	b.lists(t, "runs by goal, label, state and time", stars)
	address("/?label=team:a&q=count+the+S&since=1h&state=running")

	b.do(t, chromedp.Reload())
	b.lists(t, "the same after a reload", stars)
	fields := eval[[]string](t, b, `[document.querySelector("#search").value, document.querySelector(".times select").value,
		document.querySelector(".chips-labels").textContent, document.querySelector(".chip[aria-pressed=true]").value]`)
	if want := []string{"count the S", "1h", "team:a", "running"}; !slices.Equal(fields, want) {
		t.Errorf("after a reload the fields have %q, want %q", fields, want)
	}
	late := s.create(t, labelled("Count the seas", `{"team":"a"}`))
	s.report(t, late, tokenLine("x"))
	b.lists(t, "a new run that matches", late, stars)
	eval[any](t, b, `document.querySelector(".chips-labels .chip").click()`)
	b.lists(t, "the runs of every team", late, sand, stars)
	b.do(t, chromedp.NavigateBack())
	b.lists(t, "by the way back, those of one", late, stars)

	var head contracts.Summary
	s.must(t, http.MethodGet, "/runs/"+late.String(), "", &head)
	edge := head.CreatedAt
	b.do(t, chromedp.Navigate(s.url+"/?until="+edge.String()))
	b.lists(t, "what was created before", sand, stars, moons)
	if got := eval[string](t, b, `new Date(document.querySelectorAll(".times input")[1].value).toISOString().slice(0, 19)`); got != edge.String()[:19] {
		t.Errorf("the field says until %s, want %s", got, edge)
	}
	s.report(t, moons, tokenLine("x"))
	b.until(t, "that a time is live too", fmt.Sprintf(`document.querySelector("#%s .state-name").textContent === "running"`, moons))
	b.typeInto(t, ".times input", edge.Std().Local().Add(time.Hour).Format("2006-01-02T15:04:05")) //nolint:gosmopolitan // as the reader of the page types
	b.until(t, "that nothing matches", `document.querySelector(".notice-empty")?.textContent.includes("No run matches")`)
	b.click(t, ".notice-empty button", "Show all runs")
	b.lists(t, "all runs by one click", late, sand, stars, moons)
	address("/")

	b.do(t, chromedp.Navigate(s.url+"/?state=sleeping"))
	b.until(t, "that there is no such state", `document.querySelector(".notice-error")?.textContent.includes("must be one of queued, running")`)
	b.click(t, ".notice-error button", "Show all runs")
	b.lists(t, "all runs after a wrong address", late, sand, stars, moons)
}

// TestConsoleRunsByTheThousand scrolls through more runs than are drawn or read at once.
func TestConsoleRunsByTheThousand(t *testing.T) {
	t.Parallel()
	const runs = 3000
	data, _ := fillShelf(t, t.TempDir(), runs, 5*runs)
	s := startServer(t, data)
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/"))
	b.until(t, "the newest", `document.querySelector(".chips .quiet")?.textContent === "of the newest 200 runs"`)
	b.click(t, ".aside-note button", "Load older runs")
	b.until(t, "older runs by a click", `document.querySelector(".chips .quiet").textContent === "of the newest 700 runs"`)
	drawn := eval[int](t, b, `document.querySelectorAll("#runs .run-row").length`)
	if drawn < 20 || drawn > 60 {
		t.Errorf("%d rows are drawn, want those that can be seen", drawn)
	}
	b.until(t, "all runs by scrolling", fmt.Sprintf(`(() => {
		scrollTo(0, document.body.scrollHeight);
		return document.querySelector(".chips .quiet").textContent === "of all %d runs";
	})()`, runs))
	b.until(t, "the oldest run at the end", fmt.Sprintf(`[...document.querySelectorAll("#runs .run-row")].at(-1).id === %q`, contractstest.RunID(1)))

	first := `document.elementFromPoint(640, 400).closest(".run-row")`
	eval[any](t, b, `scrollTo(0, document.body.scrollHeight / 2)`)
	b.until(t, "the middle", first+` && scrollY > 40000`)
	type place struct {
		ID  string  `json:"id"`
		Top float64 `json:"top"`
	}
	here := fmt.Sprintf(`(r => ({id: r.id, top: r.getBoundingClientRect().top}))(%s)`, first)
	before := eval[place](t, b, here)
	newest := s.create(t, labelled("Count the runs", `{}`))
	s.create(t, labelled("Count the runs", `{}`))
	b.until(t, "that there are new runs", `document.querySelector(".run-news").textContent === "2 new"`)
	if after := eval[place](t, b, here); after != before {
		t.Errorf("under the reader's eyes stands %+v, and before stood %+v", after, before)
	}

	focused := `document.activeElement.id`
	b.press(t, "j")
	b.until(t, "the focus on a run", focused+`.startsWith("run_")`)
	row := eval[string](t, b, focused)
	b.press(t, "j")
	b.until(t, "the focus on the run below", fmt.Sprintf(`%[1]s.startsWith("run_") && %[1]s < %[2]q`, focused, row))
	s.create(t, labelled("Count the runs", `{}`))
	b.press(t, "k")
	b.until(t, "the row before by k", fmt.Sprintf(`%s === %q`, focused, row))
	b.click(t, ".run-news button", "3 new")
	b.until(t, "the newest", fmt.Sprintf(`scrollY === 0 && document.getElementById(%q) && document.querySelector(".run-news").textContent === ""`, newest))
	if eval[bool](t, b, `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "/", bubbles: true, cancelable: true}))`) {
		t.Error("the key that leads to the search would be typed there")
	}
	b.until(t, "the search", `document.activeElement.id === "search"`)
	b.press(t, "runs\r")
	b.until(t, "what was typed", `document.querySelectorAll("#runs .run-row").length === 3`)
	eval[any](t, b, `document.activeElement.blur()`)
	b.press(t, "j")
	b.until(t, "the focus on a run that was found", focused+`.startsWith("run_")`)
	open := eval[string](t, b, focused)
	b.press(t, "\r")
	b.until(t, "the run that had the focus", fmt.Sprintf(`location.pathname === "/r/" + %q`, open))
}

func TestConsoleRunsOutliveTheServer(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, data, ownAddress()...)
	address := strings.TrimPrefix(s.url, "http://")
	old := s.create(t, labelled("Before", `{}`))
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/"))
	b.lists(t, "a run", old)
	s.kill(t)
	b.until(t, "that the server is gone", `/The server cannot be reached\. What is shown is of \d\d:\d\d:\d\d\./.test(document.querySelector(".banner")?.textContent)`)
	b.until(t, "when it is tried again", `/^Reconnecting (in \d+ s )?\(attempt \d+\)/.test(document.querySelector(".connection").textContent)`)
	b.lists(t, "what was known", old)
	b.until(t, "a filter while nobody answers", `(() => {
		document.querySelector(".chip[value=queued]").click();
		return location.search === "?state=queued" && document.querySelector(".notice-error")?.textContent.includes("The server cannot be reached");
	})()`)
	s = startServer(t, data, "--addr", address)
	recent := s.create(t, labelled("After", `{}`))
	b.lists(t, "the list after the server is back", recent, old)
	b.until(t, "that it is live", `document.querySelector(".connection").textContent === "Live" && !document.querySelector(".banner")`)
	s.must(t, http.MethodPost, "/runs/"+old.String()+"/cancel", `{}`, nil)
	b.lists(t, "that it follows again", recent)
}
