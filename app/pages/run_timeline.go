package pages

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/app/timeline"
	"axiom25/contracts"
)

// timelineView is the run on a clock. It shows the whole run and follows its end, until the reader looks closer.
type timelineView struct {
	app.Compo

	// View is the run, and Drawn counts its renderings.
	View  *RunView
	Drawn uint64

	// width, height and top are the drawing's size and how far it is scrolled, in pixels; guesses until it was measured.
	width, height, top float64
	observer           *resizeObserver

	// zoomed says that scale, in pixels a millisecond, and left, in milliseconds since the start, are the reader's;
	// atEnd that the window keeps to the run's end all the same.
	zoomed, atEnd bool
	scale, left   float64
	// kept are the beginnings of the pauses that the reader has unfolded, and allKept says that it is all of them.
	kept    map[contracts.Time]bool
	allKept bool

	// active is the item that the keyboard is at, pointed the one that the mouse is at, both by their event; 0 for none.
	active, pointed contracts.Seq
	// readOut is what is said about what is pointed at, where that is no single item.
	readOut string
	// seen is the selected event when the view was last drawn.
	seen contracts.Seq
	drag timelineDrag

	// log is the run's that all this is about.
	log *store.Log

	// What was last drawn: events of a pointer are about it.
	model  *timeline.Model
	at     timeline.Moment
	clock  timeline.Clock
	window timeline.Window
	scene  *timeline.Scene
}

const (
	// narrowTimeline is the width below which the names of the lanes stand above their bars.
	narrowTimeline = 640
	// timelineMargin is kept free behind the run's end.
	timelineMargin = 10
	// timelineItems is how many items around the active one assistive technology finds.
	timelineItems = 50
)

// OnMount implements app.Mounter.
func (v *timelineView) OnMount(ctx app.Context) {
	v.View.Key, v.View.Keys = v.pageKey, timelineKeys()
	v.measure()
	v.observer = observeSize(ctx, parts.TimelineID, v.measure)
	ctx.Update()
}

// OnDismount implements app.Dismounter.
func (v *timelineView) OnDismount() {
	v.View.Key, v.View.Keys = nil, nil
	v.observer.close()
}

// measure reads the size of the drawing.
func (v *timelineView) measure() {
	if element := app.Window().GetElementByID(parts.TimelineID); element.Truthy() {
		v.width, v.height = element.Get("clientWidth").Float(), element.Get("clientHeight").Float()
	}
}

// moment is where the run is shown, and what the clock says there.
func (v *timelineView) moment() timeline.Moment {
	f := &v.View.Run.Fold
	at := timeline.Moment{Seq: f.LastSeq, Time: f.LastTime}
	if f.Done == nil && at.Seq == v.log.Last() {
		at.Time = v.View.Now
	}
	return at
}

// Render implements app.Composer.
func (v *timelineView) Render() app.UI {
	v.layOut()
	t := &parts.Timeline{
		Scene: v.scene, Width: v.chartWidth(), Narrow: v.narrow(), Hint: v.hint(), ReadOut: v.readOut,
		Folds: v.clock.Folds(), Unfolded: v.allKept || len(v.kept) > 0, Zoomed: v.zoomed,
		SelectedX: -1, Active: v.activeSeq(), Total: v.model.Items(v.at), Curves: v.curves(),
		OnPointer: v.pointer, OnWheel: v.wheel, OnScroll: v.scroll, OnKey: v.key, OnZoom: v.zoomBy, OnFold: v.fold,
	}
	for _, tick := range v.scene.Ticks {
		t.TickTitles = append(t.TickTitles, instant(v.model.Start().Add(tick.MS)))
	}
	for _, n := range v.scene.Notches {
		t.NotchWords = append(t.NotchWords, shortLength(n.To.Sub(n.From)))
	}
	if item := v.item(v.pointed); item != timeline.None {
		t.Pointed, t.ReadOut = v.frame(item), v.words(item)
	}
	if seq := v.View.Selected; seq > 0 && seq <= v.at.Seq {
		brief := v.log.Brief(seq)
		t.SelectedX = v.clock.X(v.model.MS(brief.Time)) - v.window.Offset
		if item := v.model.Of(seq, brief.Type, brief.Branch); item != timeline.None {
			t.Selected = v.frame(item)
			if t.ReadOut == "" {
				t.ReadOut = v.words(item)
			}
		}
	}
	t.Items = v.items(t.Active)
	if v.drag.spans() {
		t.Span = [2]float64{min(v.drag.from, v.drag.to), max(v.drag.from, v.drag.to)}
	}
	return t
}

// layOut computes what is drawn.
func (v *timelineView) layOut() {
	if log := v.View.Run.Log; v.log != log {
		// go-app reuses the component from one run to the next.
		v.log, v.zoomed, v.atEnd, v.allKept, v.kept, v.drag = log, false, false, false, nil, timelineDrag{}
		v.active, v.pointed, v.readOut, v.seen = 0, 0, "", 0
	}
	v.model, v.at = v.log.Timeline(), v.moment()
	if v.width == 0 {
		v.width, v.height = 960, 400
	}
	if v.View.Selected != v.seen {
		v.seen = v.View.Selected
		if v.seen > 0 && v.seen <= v.at.Seq {
			v.active = v.seen
			v.reveal(v.log.Brief(v.seen).Time)
		}
	}
	v.place()
	scene := v.model.See(v.clock, v.window, v.at)
	v.scene = &scene
}

// place sets the clock and the window, so that the window lies within the run.
func (v *timelineView) place() {
	width := v.laneWidth()
	pauses, span := v.pauses(), v.span()
	fit := timeline.Fit(pauses, 0, span, width)
	if !v.zoomed || v.scale <= fit {
		v.zoomed, v.scale, v.left = false, fit, 0
	}
	v.clock = timeline.NewClock(pauses, v.scale, width)
	last := max(v.clock.Width()-width, 0)
	offset := min(max(v.clock.X(v.left), 0), last)
	if v.atEnd && v.zoomed {
		offset = last
	}
	v.left = v.clock.At(offset)
	v.window = timeline.Window{Offset: offset, Width: width + timelineMargin, Top: v.top, Height: v.height, Narrow: v.narrow()}
}

func (v *timelineView) pauses() timeline.Pauses {
	return v.model.PausesAt(v.at, func(from contracts.Time) bool { return v.allKept || v.kept[from] })
}

// span is how long the run has taken, in milliseconds.
func (v *timelineView) span() float64 { return max(v.model.MS(v.at.Time), 1) }

func (v *timelineView) narrow() bool { return v.width < narrowTimeline }

func (v *timelineView) chartWidth() float64 { return max(v.width, 200) }

// laneWidth is how wide the drawing of the run is, without the names of its lanes.
func (v *timelineView) laneWidth() float64 {
	width := v.chartWidth() - timelineMargin
	if !v.narrow() {
		width -= parts.TimelineGutter
	}
	return width
}

// item is the bar or mark that begins with an event, where that is shown.
func (v *timelineView) item(seq contracts.Seq) timeline.Item {
	if seq == 0 {
		return timeline.None
	}
	item := v.model.Next(seq-1, v.at)
	if v.model.Seq(item) != seq {
		return timeline.None
	}
	return item
}

// activeSeq is the event of the active item: the keyboard's, else the first.
func (v *timelineView) activeSeq() contracts.Seq {
	if v.active > 0 && v.active <= v.at.Seq {
		brief := v.log.Brief(v.active)
		if seq := v.model.Seq(v.model.Of(v.active, brief.Type, brief.Branch)); seq > 0 {
			return seq
		}
	}
	return v.model.Seq(v.model.Next(0, v.at))
}

// frame is the rectangle around an item, or nil where it is not in the window.
func (v *timelineView) frame(item timeline.Item) *parts.TimelineFrame {
	for i := range v.scene.Boxes {
		if b := &v.scene.Boxes[i]; item.Bar >= b.Bar && b.Bar >= 0 && (item.Bar == b.Bar || b.Count > 1 && v.holds(b, item.Bar)) {
			return &parts.TimelineFrame{X: b.X - 1, Y: b.Y - 1, W: b.W + 2, H: timeline.BarHeight + 2}
		}
	}
	for i := range v.scene.Marks {
		if k := &v.scene.Marks[i]; item.Mark == k.Mark {
			return &parts.TimelineFrame{X: k.X - 8, Y: k.Y - 8, W: 16, H: 16}
		}
	}
	return nil
}

// holds reports whether a box of several bars stands for one: it begins within the box, on the same branch.
func (v *timelineView) holds(b *timeline.Box, bar int) bool {
	bars := v.model.Bars()
	x := v.clock.X(v.model.MS(bars[bar].Start)) - v.window.Offset
	return bars[bar].Branch == bars[b.Bar].Branch && x >= b.X && x <= b.X+b.W && v.model.SameRow(b.Bar, bar)
}

// items are the items around the active one, in words.
func (v *timelineView) items(active contracts.Seq) []parts.TimelineItem {
	first := active
	for range timelineItems / 2 {
		previous := v.model.Seq(v.model.Previous(first))
		if previous == 0 {
			break
		}
		first = previous
	}
	items := make([]parts.TimelineItem, 0, timelineItems)
	item := v.item(first)
	for place := v.model.Before(first) + 1; item != timeline.None && len(items) < timelineItems; place++ {
		seq := v.model.Seq(item)
		items = append(items, parts.TimelineItem{Seq: seq, Words: v.words(item), Place: place, Selected: seq == v.View.Selected})
		item = v.model.Next(seq, v.at)
	}
	return items
}

// curves are what was used of tokens and, where it costs anything, of money.
func (v *timelineView) curves() []parts.TimelineCurve {
	limits := v.View.Run.Fold.Limits
	tokens := v.model.Curve(v.clock, v.window, v.at, limits.MaxTokens, timeline.Tokens)
	cost := v.model.Curve(v.clock, v.window, v.at, limits.MaxCostMicroUSD, timeline.Cost)
	curves := []parts.TimelineCurve{{
		Words: "tokens " + parts.Count(tokens.Used), Limit: parts.Count(limits.MaxTokens), Top: parts.Count(tokens.Top), Points: tokens.Points,
	}}
	if cost.Used > 0 {
		curves = append(curves, parts.TimelineCurve{
			Words: "cost " + parts.Money(cost.Used), Limit: parts.Money(limits.MaxCostMicroUSD), Top: parts.Money(cost.Top), Points: cost.Points,
		})
	}
	return curves
}
