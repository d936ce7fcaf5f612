package main_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"axiom25/contracts"
)

// timelineTask asks three tools, the last of which waits for a human, and then answers.
const timelineTask = `{"schema_version":2,"goal":"Compute, then have it signed","allowed_tools":["calculator","sign_off"],"inputs":[{"name":"plan","data":{
	"steps":[{"id":"sum","tool":"calculator","args":{"expression":"1 + 2"}},{"id":"product","tool":"calculator","args":{"expression":"3 * 4"}},
	{"id":"sign","tool":"sign_off","args":{"statement":"It is so."}}],
	"answers":["Signed: {{steps.sign#/statement}}"],"fallback":"Nobody signed."}}]}`

// timelineItems reads the bars and marks as they are said.
func timelineItems(t *testing.T, b browser) map[contracts.Seq]string {
	t.Helper()
	list := eval[[]struct {
		Seq   contracts.Seq `json:"seq"`
		Words string        `json:"words"`
	}](t, b, `[...document.querySelectorAll(".timeline-lanes [role=option]")].map(e => ({seq: +e.dataset.seq, words: e.textContent}))`)
	items := map[contracts.Seq]string{}
	for _, item := range list {
		items[item.Seq] = item.Words
	}
	return items
}

// wantItems is what the timeline of a run has to hold: the first event of each message, attempt and wait, and what is marked.
func wantItems(events []contracts.RunEvent) map[contracts.Seq]string {
	want, messages := map[contracts.Seq]string{}, map[string]bool{}
	for _, ev := range events {
		switch d := ev.Data.(type) {
		case *contracts.StatusData:
			want[ev.Seq] = map[contracts.State]string{
				contracts.StateQueued: "The run was queued", contracts.StateWaiting: "The run waited for a human",
			}[d.State]
		case *contracts.ThoughtData:
			if !messages[d.ID] {
				want[ev.Seq] = "Thought"
			}
			messages[d.ID] = true
		case *contracts.TokenData:
			if !messages[d.ID] {
				want[ev.Seq] = "Answer"
			}
			messages[d.ID] = true
		case *contracts.ToolStartData:
			want[ev.Seq] = "Call of " + string(d.Tool)
		case *contracts.VerdictData:
			want[ev.Seq] = "Verdict"
		case *contracts.DoneData:
			want[ev.Seq] = "The run is " + string(d.Status)
		case *contracts.BudgetData:
			if d.Phase == contracts.BudgetWarn {
				want[ev.Seq] = "Warning"
			}
		}
	}
	return want
}

// place is where the middle of an element of the page stands, from the left and the top of the window.
func (b browser) place(t *testing.T, selector string) (x, y float64) {
	t.Helper()
	at := eval[[2]float64](t, b, fmt.Sprintf(`(() => {
		const r = document.querySelector(%q).getBoundingClientRect();
		return [r.x + r.width / 2, r.y + r.height / 2];
	})()`, selector))
	return at[0], at[1]
}

// mouse lets the mouse do something at a place, with its button down or not.
func (b browser) mouse(t *testing.T, p input.DispatchMouseEventParams) {
	t.Helper()
	b.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, input.DispatchMouseEvent, p)
		return err
	}))
}

// point moves the mouse to a place.
func (b browser) point(t *testing.T, x, y float64) {
	t.Helper()
	b.mouse(t, input.DispatchMouseEventParams{Type: "mouseMoved", X: x, Y: y})
}

// clickAt presses and releases the mouse at a place.
func (b browser) clickAt(t *testing.T, x, y float64) {
	t.Helper()
	for _, what := range []input.DispatchMouseEventType{"mousePressed", "mouseReleased"} {
		b.mouse(t, input.DispatchMouseEventParams{Type: what, X: x, Y: y, Button: "left", ClickCount: 1})
	}
}

func TestConsoleTimeline(t *testing.T) { //nolint:tparallel // the steps share one page
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	id := s.create(t, timelineTask)
	b.do(t, chromedp.Navigate(s.url+"/r/"+id.String()+"?view=timeline"))

	// The human is late: the run has waited for some seconds of the server's clock before the answer comes.
	var waiting contracts.RunEvent
	s.await(t, id, "waiting", func(r snapshot) bool { return r.State == contracts.StateWaiting })
	b.until(t, "the silence folded while the run waits",
		`document.querySelectorAll(".timeline-notch-words").length && parseFloat(document.querySelector(".timeline-notch-words:last-of-type").textContent) >= 2`)
	s.approveAll(t, id)
	b.until(t, "the run's end", `document.querySelector(".run-head .state-name")?.textContent === "succeeded"`)
	events := decodeAll(t, s.history(t, id))
	want := wantItems(events)
	b.until(t, "every bar and mark", fmt.Sprintf(`document.querySelectorAll(".timeline-lanes [role=option]").length === %d`, len(want)))

	t.Run("has a bar for every message, call and wait", func(t *testing.T) { //nolint:paralleltest // one page
		got := timelineItems(t, b)
		for seq, words := range want {
			if !strings.HasPrefix(got[seq], words) {
				t.Errorf("event %d is %q, want %q", seq, got[seq], words)
			}
			if ev := events[seq-1]; ev.Branch != "" && !strings.Contains(got[seq], ", branch "+string(ev.Branch)) {
				t.Errorf("event %d is %q, of branch %s", seq, got[seq], ev.Branch)
			}
		}
		asked := ""
		for _, ev := range events {
			if d, ok := ev.Data.(*contracts.ToolStartData); ok && d.Approval != nil {
				asked = got[ev.Seq]
			}
			if d, ok := ev.Data.(*contracts.StatusData); ok && d.State == contracts.StateWaiting {
				waiting = ev
			}
		}
		if !strings.Contains(asked, " waiting for approval (approved)") {
			t.Errorf("the call that was approved is %q", asked)
		}
		lanes := eval[[]string](t, b, `[...document.querySelectorAll(".timeline-sheet > .timeline-name")].map(e => e.firstChild.textContent)`)
		slices.Sort(lanes[1:]) // two of them begin at once
		if !slices.Equal(lanes, []string{"run", "product", "sign", "sum"}) {
			t.Errorf("lanes %q", lanes)
		}
		// One path holds all bars of a look: the two sums and the signature went well.
		if n := eval[int](t, b, `document.querySelectorAll(".timeline-sheet path.state-succeeded")[0].getAttribute("d").split("M").length - 1`); n != 4 {
			t.Errorf("%d green bars and marks, want three calls and the end", n)
		}
		if n := eval[int](t, b, `document.querySelectorAll(".timeline [style]").length`); n != 0 {
			t.Errorf("%d elements have a style of their own", n)
		}
	})

	t.Run("folds the wait, and unfolds it", func(t *testing.T) { //nolint:paralleltest // one page
		b.until(t, "a notch", `document.querySelector(".timeline-axis .timeline-notch")`)
		folded := eval[float64](t, b, `Math.max(...[...document.querySelectorAll(".timeline-sheet .timeline-notch")].map(e => +e.getAttribute("width")))`)
		if folded != 48 {
			t.Errorf("a notch is %v px wide", folded)
		}
		b.click(t, ".timeline-bar button", "Unfold")
		b.until(t, "no notch", `!document.querySelector(".timeline-notch")`)
		b.click(t, ".timeline-bar button", "Fold")
		b.until(t, "the notches", `document.querySelector(".timeline-notch")`)
		count := eval[int](t, b, `document.querySelectorAll(".timeline-axis .timeline-notch").length`)
		x, _ := b.place(t, ".timeline-axis .timeline-notch")
		top := eval[float64](t, b, `document.querySelector(".timeline-lanes").getBoundingClientRect().top + 3`)
		b.point(t, x, top)
		b.until(t, "how long nothing happened", `document.querySelector(".timeline-readout").textContent.startsWith("Nothing happened for ")`)
		b.clickAt(t, x, top)
		b.until(t, "one notch less", fmt.Sprintf(`document.querySelectorAll(".timeline-axis .timeline-notch").length < %d`, max(count, 1)))
		b.click(t, ".timeline-bar button", "Fold")
		b.until(t, "every notch", fmt.Sprintf(`document.querySelectorAll(".timeline-axis .timeline-notch").length === %d`, count))
	})

	t.Run("reads out what is pointed at, and selects what is clicked", func(t *testing.T) { //nolint:paralleltest // one page
		_, y := b.place(t, ".timeline-sheet .timeline-answer")
		box := eval[[2]float64](t, b, `(() => {
			const r = document.querySelector(".timeline-sheet .timeline-answer").getBoundingClientRect();
			return [r.left, r.right];
		})()`)
		x := (box[0] + box[1]) / 2
		b.point(t, x, y)
		b.until(t, "the answer in words", `document.querySelector(".timeline-readout").textContent.startsWith("Answer, ") && document.querySelector(".timeline-pointed")`)
		b.clickAt(t, x, y)
		b.until(t, "the selected event in the address", `/^#e\d+$/.test(location.hash) && document.querySelector(".timeline-selected")`)
		seq := eval[contracts.Seq](t, b, `+location.hash.slice(2)`)
		if want[seq] != "Answer" {
			t.Errorf("event %d was selected, which is %q", seq, want[seq])
		}
		if n := eval[int](t, b, fmt.Sprintf(`document.querySelectorAll("#bar-%d[aria-selected=true]").length`, seq)); n != 1 {
			t.Error("the selected bar does not say so")
		}
	})

	t.Run("looks closer", func(t *testing.T) { //nolint:paralleltest // one page
		ticks := `[...document.querySelectorAll(".timeline-axis text")].map(e => e.firstChild.textContent).join()`
		whole := eval[string](t, b, ticks)
		b.press(t, "+")
		b.until(t, "other ticks", ticks+" !== "+fmt.Sprintf("%q", whole))
		b.press(t, "0")
		b.until(t, "the whole run", ticks+" === "+fmt.Sprintf("%q", whole))
		box := eval[[4]float64](t, b, `(() => {
			const r = document.querySelector(".timeline-sheet > svg").getBoundingClientRect();
			return [r.left, r.top, r.width, r.height];
		})()`)
		y := box[1] + 4
		b.mouse(t, input.DispatchMouseEventParams{Type: "mousePressed", X: box[0] + 10, Y: y, Button: "left", ClickCount: 1})
		b.mouse(t, input.DispatchMouseEventParams{Type: "mouseMoved", X: box[0] + 60, Y: y, Button: "left"})
		b.until(t, "the span", `document.querySelector(".timeline-span")`)
		b.mouse(t, input.DispatchMouseEventParams{Type: "mouseReleased", X: box[0] + 60, Y: y, Button: "left", ClickCount: 1})
		b.until(t, "a part of the run", ticks+" !== "+fmt.Sprintf("%q", whole)+` && !document.querySelector(".timeline-span")`)
		if eval[bool](t, b, `!!document.querySelector(".timeline-answer")`) {
			t.Error("the answer is drawn, which comes long after the span")
		}
		b.press(t, kb.End)
		b.until(t, "the end", `document.querySelector(".timeline-answer")`)
		const ctrl = 2
		b.mouse(t, input.DispatchMouseEventParams{Type: "mouseWheel", X: box[0] + box[2]/2, Y: y, DeltaX: 1, DeltaY: 4000, Modifiers: ctrl})
		b.until(t, "the whole run", ticks+" === "+fmt.Sprintf("%q", whole))
	})

	t.Run("is gone through by keys", func(t *testing.T) { //nolint:paralleltest // one page
		eval[any](t, b, `document.querySelector(".timeline-lanes").focus()`)
		active := `document.querySelector(".timeline-lanes").getAttribute("aria-activedescendant")`
		var got []contracts.Seq
		b.press(t, kb.Home)
		b.until(t, "the first", active+` === "bar-1"`)
		last := contracts.Seq(1)
		for range len(want) - 1 {
			b.press(t, kb.ArrowRight)
			b.until(t, "the next", active+fmt.Sprintf(` !== "bar-%d"`, last))
			last = eval[contracts.Seq](t, b, `+`+active+`.slice(4)`)
			got = append(got, last)
			if !eval[bool](t, b, `!!document.getElementById(`+active+`)`) {
				t.Errorf("item %d has no words", last)
			}
		}
		if !slices.IsSorted(got) || last != contracts.Seq(len(events)) {
			t.Errorf("went through %v of %d events", got, len(events))
		}
		b.press(t, kb.ArrowDown)
		b.until(t, "another lane", active+fmt.Sprintf(` !== "bar-%d"`, last))
		b.press(t, kb.Enter)
		b.until(t, "the selected event in the address", `location.hash === "#e" + `+active+`.slice(4)`)
		b.press(t, "k")
		b.until(t, "the one before", `location.hash === "#e" + `+active+`.slice(4) && document.querySelector("[role=option][aria-selected=true]")`)
	})

	t.Run("shows nothing of what comes later", func(t *testing.T) { //nolint:paralleltest // one page
		b.do(t, chromedp.Navigate(s.url+fmt.Sprintf("/r/%s?view=timeline#e%d", id, waiting.Seq)))
		b.until(t, "the timeline with its event", `document.querySelector(".timeline-now")`)
		eval[any](t, b, fmt.Sprintf(`(() => {
			const range = document.querySelector("input[type=range]");
			range.value = %d;
			range.dispatchEvent(new Event("input", {bubbles: true}));
		})()`, waiting.Seq))
		b.until(t, "the run while it waits", `!document.querySelector(".timeline-answer") && document.querySelector(".timeline-asked")`)
		for seq := range timelineItems(t, b) {
			if seq > waiting.Seq {
				t.Errorf("at event %d, event %d is there", waiting.Seq, seq)
			}
		}
	})

	t.Run("fits a phone", func(t *testing.T) { //nolint:paralleltest // one page
		for _, width := range []int64{320, 390} {
			b.do(t, chromedp.EmulateViewport(width, 844, chromedp.EmulateScale(1)))
			b.until(t, "a narrow drawing", fmt.Sprintf(`+document.querySelector(".timeline-sheet").getAttribute("width") <= %d`, width))
			if right := eval[float64](t, b, `document.querySelector(".timeline").getBoundingClientRect().right`); right > float64(width) {
				t.Errorf("at %d px the timeline reaches to %v", width, right)
			}
		}
	})
}
