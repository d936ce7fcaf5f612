package parts

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/timeline"
	"axiom25/contracts"
)

// The measures of a timeline, in pixels.
const (
	// TimelineGutter is how wide the names of the lanes are where they stand beside their bars.
	TimelineGutter = 148
	axisHeight     = 22
)

// TimelineID is the id of the element that the lanes are drawn in: its size is the drawing's.
const TimelineID = "timeline-lanes"

// Timeline draws a run on its clock: the axis, a lane a branch, and what was used of the budget. It is one place for the
// keyboard, a list of which the items around the active one are there for assistive technology.
type Timeline struct {
	app.Compo

	// Scene is what is drawn, and Width how wide the drawing is with the names of the lanes, in pixels.
	Scene *timeline.Scene
	Width float64
	// Narrow puts the names of the lanes above their bars.
	Narrow bool
	// ReadOut says in words what is pointed at.
	ReadOut string
	// Hint takes its place where nothing is.
	Hint string
	// TickTitles are the times of the ticks in full, in their order, and NotchWords the lengths of the folded pauses.
	TickTitles, NotchWords []string
	// Folds says how many pauses are folded in all; Unfolded that the reader has unfolded some.
	Folds    int
	Unfolded bool
	// Zoomed says that less than the whole run is shown.
	Zoomed bool
	// Pointed and Selected are frames around a bar or a mark; nil for none. SelectedX is where the selected event stands,
	// negative for nowhere.
	Pointed, Selected *TimelineFrame
	SelectedX         float64
	// Span is what the reader draws a span over: from and to; both 0 for none.
	Span [2]float64
	// Curves are what was used, in their order.
	Curves []TimelineCurve
	// Items are the bars and marks around the active one, and Total how many there are in all.
	Items  []TimelineItem
	Active contracts.Seq
	Total  int

	// OnPointer is called with what a pointer does upon the lanes.
	OnPointer func(ctx app.Context, p TimelinePointer)
	// OnWheel is called with where and how far the wheel was turned; it reports whether that was taken.
	OnWheel func(ctx app.Context, x, dx, dy float64, zoom bool) bool
	// OnScroll is called with how far the lanes were scrolled.
	OnScroll func(ctx app.Context, top float64)
	// OnKey is called with a key that was pressed upon the lanes; it reports whether it was taken.
	OnKey func(ctx app.Context, key string, shift bool) bool
	// OnZoom is called with a factor, or 0 to show the whole run.
	OnZoom func(ctx app.Context, factor float64)
	// OnFold is called where pauses should be folded or unfolded.
	OnFold func(ctx app.Context)
}

// TimelineFrame is a rectangle of the drawing.
type TimelineFrame struct{ X, Y, W, H float64 }

// TimelineCurve is one limit's.
type TimelineCurve struct {
	// Words say what was used, in as many letters as a lane's name has; Limit and Top are of how much, and what its full height stands for.
	Words, Limit, Top string
	Points            []timeline.Point
}

// TimelineItem is a bar or a mark in words.
type TimelineItem struct {
	Seq      contracts.Seq
	Words    string
	Place    int // from 1 among all
	Selected bool
}

// TimelinePointer is what a pointer did. X and Y are its place in the scene.
type TimelinePointer struct {
	Phase TimelinePhase
	ID    int
	X, Y  float64
	// Pans says that a drag moves the drawing rather than choose a span: a finger's, or one with shift.
	Pans bool
	// Axis says that it is upon the axis.
	Axis bool
}

// TimelinePhase is a part of a pointer's gesture.
type TimelinePhase string

// The parts of a gesture.
const (
	PointerDown  TimelinePhase = "pointerdown"
	PointerMove  TimelinePhase = "pointermove"
	PointerUp    TimelinePhase = "pointerup"
	PointerLeave TimelinePhase = "pointerleave"
	PointerLost  TimelinePhase = "pointercancel"
)

// Render implements app.Composer.
func (t *Timeline) Render() app.UI {
	list := app.Div().Class("timeline-lanes").ID(TimelineID).TabIndex(0).Role("listbox").
		Aria("label", "Timeline: "+strconv.Itoa(t.Total)+" bars and marks").
		OnScroll(t.scrolled).OnWheel(t.wheeled).OnKeyDown(t.pressed)
	if t.Active > 0 {
		list = list.Aria("activedescendant", itemID(t.Active))
	}
	for _, phase := range []TimelinePhase{PointerDown, PointerMove, PointerUp, PointerLeave, PointerLost} {
		list = list.On(string(phase), t.pointed)
	}
	return app.Div().Class("timeline", "panel").Body(
		t.bar(),
		t.axis(),
		list.Body(t.lanes(), t.items()),
		t.curves(),
	)
}

// bar reads out, and holds the buttons.
func (t *Timeline) bar() app.UI {
	words, class := t.ReadOut, "timeline-readout"
	if words == "" {
		words, class = t.Hint, "timeline-readout quiet"
	}
	button := func(label, title string, off bool, do app.EventHandler) app.UI {
		return app.Button().Class("button", "button-quiet").Type("button").Title(title).Aria("label", title).
			Disabled(off).OnClick(do).Text(label)
	}
	fold, foldTitle := "Unfold", "Unfold pauses: "+strconv.Itoa(t.Folds)
	if t.Unfolded {
		fold, foldTitle = "Fold", "Fold pauses"
	}
	return app.Div().Class("timeline-bar").Body(
		app.P().Class(class).Title(words).Text(words),
		button(fold, foldTitle, t.Folds == 0 && !t.Unfolded, t.fold),
		button("−", "Zoom out (−)", !t.Zoomed, t.zoomOut),
		button("+", "Zoom in (+)", false, t.zoomIn),
		button("Fit", "Fit: show the whole run (0)", !t.Zoomed, t.fit),
	)
}

func (t *Timeline) zoomIn(ctx app.Context, _ app.Event) { t.zoom(ctx, 2) }

func (t *Timeline) zoomOut(ctx app.Context, _ app.Event) { t.zoom(ctx, 0.5) }

func (t *Timeline) fit(ctx app.Context, _ app.Event) { t.zoom(ctx, 0) }

func (t *Timeline) zoom(ctx app.Context, factor float64) {
	if t.OnZoom != nil {
		t.OnZoom(ctx, factor)
	}
}

func (t *Timeline) fold(ctx app.Context, _ app.Event) {
	if t.OnFold != nil {
		t.OnFold(ctx)
	}
}

// items are those around the active one, in words.
func (t *Timeline) items() app.UI {
	items := make([]app.UI, 0, len(t.Items))
	for _, i := range t.Items {
		items = append(items, app.Div().ID(itemID(i.Seq)).Role("option").DataSet("seq", i.Seq).
			Aria("selected", strconv.FormatBool(i.Selected)).Aria("posinset", i.Place).Aria("setsize", t.Total).Text(i.Words))
	}
	return app.Div().Class("visually-hidden").Body(items...)
}

func itemID(seq contracts.Seq) string { return "bar-" + strconv.FormatInt(int64(seq), 10) }

// pointed tells where in the scene a pointer did something.
func (t *Timeline) pointed(ctx app.Context, event app.Event) {
	if t.OnPointer == nil {
		return
	}
	rect := ctx.JSSrc().Call("getBoundingClientRect")
	phase := TimelinePhase(event.Get("type").String())
	touch := event.Get("pointerType").String() == "touch"
	button := event.Get("button").Int()
	if phase == PointerDown && button > 1 {
		return
	}
	p := TimelinePointer{
		Phase: phase, ID: event.Get("pointerId").Int(),
		X:    event.Get("clientX").Float() - rect.Get("left").Float() - t.gutter(),
		Y:    event.Get("clientY").Float() - rect.Get("top").Float() + ctx.JSSrc().Get("scrollTop").Float(),
		Pans: touch || button == 1 || event.Get("shiftKey").Bool(),
	}
	t.OnPointer(ctx, p)
}

func (t *Timeline) wheeled(ctx app.Context, event app.Event) {
	if t.OnWheel == nil {
		return
	}
	x := event.Get("clientX").Float() - ctx.JSSrc().Call("getBoundingClientRect").Get("left").Float() - t.gutter()
	dx, dy, unit := event.Get("deltaX").Float(), event.Get("deltaY").Float(), 1.0
	if event.Get("deltaMode").Int() == 1 {
		unit = 16 // lines
	}
	zoom := event.Get("ctrlKey").Bool() || event.Get("metaKey").Bool()
	if event.Get("shiftKey").Bool() && dx == 0 {
		dx, dy = dy, 0
	}
	if t.OnWheel(ctx, x, dx*unit, dy*unit, zoom) {
		event.PreventDefault()
		return
	}
	ctx.PreventUpdate()
}

func (t *Timeline) scrolled(ctx app.Context, _ app.Event) {
	if t.OnScroll != nil {
		t.OnScroll(ctx, ctx.JSSrc().Get("scrollTop").Float())
	}
}

func (t *Timeline) pressed(ctx app.Context, event app.Event) {
	if t.OnKey == nil || event.Get("ctrlKey").Bool() || event.Get("metaKey").Bool() || event.Get("altKey").Bool() {
		return
	}
	if t.OnKey(ctx, event.Get("key").String(), event.Get("shiftKey").Bool()) {
		event.PreventDefault()
		event.Call("stopPropagation")
	}
}

// gutter is how far the lanes begin from the left.
func (t *Timeline) gutter() float64 {
	if t.Narrow {
		return 0
	}
	return TimelineGutter
}
