package pages

import (
	"fmt"
	"math"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/timeline"
	"axiom25/contracts"
)

const (
	// timelineStep is the factor of one step of the zoom, and timelinePan the share of the window that one step moves.
	timelineStep, timelinePan = 2, 0.2
	// timelineClick is how far a pointer may move in a click, in pixels.
	timelineClick = 5
	// timelineWheel is how many pixels of a wheel double the scale.
	timelineWheel = 240
)

// timelineDrag is what pointers do while they are down.
type timelineDrag struct {
	down     bool
	pans     bool
	id       int
	from, to float64 // where the first pointer began and is
	moved    bool
	// other is a second finger; apart is how far the two were when the last step of their pinch was taken.
	other    int
	pinches  bool
	otherX   float64
	apart    float64
	lastPanX float64
}

// spans reports whether the reader draws a span.
func (d *timelineDrag) spans() bool { return d.down && d.moved && !d.pans && !d.pinches }

// pressed takes the keys of the timeline. With the focus upon the lanes, focused, the arrows go from item to item; elsewhere they move
// the window.
func (v *timelineView) pressed(ctx app.Context, key string, focused, shift bool) bool {
	switch key {
	case "+", "=":
		v.zoomBy(ctx, timelineStep)
	case "-", "−":
		v.zoomBy(ctx, 1.0/timelineStep)
	case "0":
		v.zoomBy(ctx, 0)
	case "j":
		v.step(ctx, 1, true)
	case "k":
		v.step(ctx, -1, true)
	case "ArrowLeft", "ArrowRight":
		direction := 1
		if key == "ArrowLeft" {
			direction = -1
		}
		if focused && !shift {
			v.step(ctx, direction, false)
		} else {
			v.pan(float64(direction) * timelinePan * v.window.Width)
		}
	case "ArrowUp", "ArrowDown":
		if !focused {
			return false
		}
		v.climb(key == "ArrowDown")
	case "Home":
		v.atEnd, v.left = false, 0
		if focused {
			v.reach(v.model.Next(0, v.at))
		}
	case "End":
		v.atEnd = true
		if focused {
			v.reach(v.model.Previous(v.at.Seq + 1))
		}
	case "Enter", " ":
		if !focused {
			return false
		}
		v.choose(ctx, v.activeSeq())
	default:
		return false
	}
	return true
}

// key takes a key that was pressed upon the lanes.
func (v *timelineView) key(ctx app.Context, key string, shift bool) bool {
	return v.pressed(ctx, key, true, shift)
}

// pageKey takes a key that was pressed while no field had the focus.
func (v *timelineView) pageKey(ctx app.Context, key string) bool {
	return v.pressed(ctx, key, false, false)
}

// timelineKeys say what the keys do.
func timelineKeys() []parts.Key {
	return []parts.Key{
		{Key: "+ − 0", Does: "Look closer, less close, at the whole run"},
		{Key: "← →", Does: "Move; with the focus upon the lanes, go from bar to bar, and move with Shift"},
		{Key: "↑ ↓", Does: "Upon the lanes: go to the lane above or below"},
		{Key: "Home End", Does: "Go to the start, to the end"},
		{Key: "j k", Does: "Select the next bar or mark, the one before"},
		{Key: "Enter", Does: "Upon the lanes: select"},
	}
}

// step goes to the neighbour in time, and selects it where asked to.
func (v *timelineView) step(ctx app.Context, direction int, choose bool) {
	item := v.model.Previous(v.activeSeq())
	switch {
	case v.active == 0 && v.View.Selected == 0:
		item = v.item(v.activeSeq()) // the first
	case direction > 0:
		item = v.model.Next(v.activeSeq(), v.at)
	}
	if v.reach(item) && choose {
		v.choose(ctx, v.model.Seq(item))
	}
}

// climb goes to the closest item of the lane below or above.
func (v *timelineView) climb(down bool) { v.reach(v.model.Beside(v.item(v.activeSeq()), down, v.at)) }

// reach makes an item the active one and brings it into the window.
func (v *timelineView) reach(item timeline.Item) bool {
	seq := v.model.Seq(item)
	if seq == 0 {
		return false
	}
	v.active, v.pointed, v.readOut = seq, seq, ""
	v.reveal(v.log.Brief(seq).Time)
	return true
}

// reveal moves the window so that a time stands in it.
func (v *timelineView) reveal(t contracts.Time) {
	if !v.zoomed || v.window.Width == 0 {
		return
	}
	x := v.clock.X(v.model.MS(t))
	if x < v.window.Offset || x > v.window.Offset+v.window.Width-timelineMargin {
		v.atEnd = false
		v.left = v.clock.At(max(x-v.window.Width/3, 0))
	}
}

// choose selects an event in every view; the one that is selected already it lets go of.
func (v *timelineView) choose(ctx app.Context, seq contracts.Seq) {
	if seq == v.View.Selected {
		seq = 0
	}
	v.active, v.seen = seq, seq
	v.View.Select(ctx, seq)
}

// pan moves the window by pixels.
func (v *timelineView) pan(dx float64) {
	last := max(v.clock.Width()-v.laneWidth(), 0)
	offset := min(max(v.window.Offset+dx, 0), last)
	v.atEnd = offset >= last
	v.left = v.clock.At(offset)
	v.place()
}

// zoomBy zooms about the middle of the window, or about the selected event where that is in it; 0 shows the whole run.
func (v *timelineView) zoomBy(_ app.Context, factor float64) {
	if factor == 0 {
		v.zoomed, v.atEnd = false, false
		return
	}
	x := v.laneWidth() / 2
	if seq := v.activeSeq(); v.active > 0 && seq > 0 {
		if at := v.clock.X(v.model.MS(v.log.Brief(seq).Time)) - v.window.Offset; at >= 0 && at <= v.laneWidth() {
			x = at
		}
	}
	v.zoomAt(x, factor)
}

// zoomAt zooms so that what stands at x stays there.
func (v *timelineView) zoomAt(x, factor float64) {
	t := v.clock.At(v.window.Offset + x)
	v.zoomed, v.atEnd = true, false
	v.scale = min(v.scale*factor, timeline.Finest)
	v.clock = timeline.NewClock(v.pauses(), v.scale, v.laneWidth())
	v.left = v.clock.At(max(v.clock.X(t)-x, 0))
	v.place()
}

// zoomTo shows the time between two places of the window.
func (v *timelineView) zoomTo(x0, x1 float64) {
	a, b := v.clock.At(v.window.Offset+max(x0, 0)), v.clock.At(v.window.Offset+min(x1, v.laneWidth()))
	v.zoomed, v.atEnd = true, false
	v.scale, v.left = timeline.Fit(v.pauses(), a, b, v.laneWidth()), a
	v.place()
}

// fold folds all pauses again, or unfolds them all.
func (v *timelineView) fold(app.Context) {
	v.allKept = !v.allKept && len(v.kept) == 0
	v.kept = nil
}

// wheel zooms with ctrl, as a pinch upon a touchpad does, and moves the window sideways. What goes up and down is the page's.
func (v *timelineView) wheel(_ app.Context, x, dx, dy float64, zoom bool) bool {
	switch {
	case zoom:
		v.zoomAt(x, math.Exp2(-dy/timelineWheel))
	case v.zoomed && math.Abs(dx) > math.Abs(dy):
		v.pan(dx)
	default:
		return false
	}
	return true
}

// scroll draws the lanes that have come into sight.
func (v *timelineView) scroll(_ app.Context, top float64) { v.top = top }

// pointer reads out what is pointed at, selects what is clicked, and zooms to the span that is drawn.
func (v *timelineView) pointer(ctx app.Context, p parts.TimelinePointer) {
	d := &v.drag
	switch p.Phase {
	case parts.PointerDown:
		if d.down && p.ID != d.id {
			d.pinches, d.other, d.otherX, d.apart = true, p.ID, p.X, math.Abs(p.X-d.to)
			return
		}
		*d = timelineDrag{down: true, pans: p.Pans, id: p.ID, from: p.X, to: p.X, lastPanX: p.X}
	case parts.PointerMove:
		if !d.down {
			v.hover(ctx, p)
			return
		}
		v.dragTo(p)
	case parts.PointerUp, parts.PointerLeave, parts.PointerLost:
		v.drop(ctx, p)
	}
}

// dragTo moves a pointer that is down.
func (v *timelineView) dragTo(p parts.TimelinePointer) {
	d := &v.drag
	if d.pinches {
		if p.ID == d.other {
			d.otherX = p.X
		} else {
			d.to = p.X
		}
		if apart := math.Abs(d.otherX - d.to); apart > 1 && d.apart > 1 {
			v.zoomAt((d.otherX+d.to)/2, apart/d.apart)
			d.apart = apart
		}
		return
	}
	d.to = p.X
	d.moved = d.moved || math.Abs(d.to-d.from) > timelineClick
	if d.moved && d.pans {
		v.pan(d.lastPanX - p.X)
		d.lastPanX = p.X
	}
}

// drop ends what a pointer did.
func (v *timelineView) drop(ctx app.Context, p parts.TimelinePointer) {
	d := v.drag
	v.drag = timelineDrag{}
	switch {
	case p.Phase == parts.PointerLost, d.down && p.ID != d.id, d.pinches:
	case d.spans():
		v.zoomTo(min(d.from, d.to), max(d.from, d.to))
	case d.down && !d.moved && p.Phase == parts.PointerUp:
		v.click(ctx, p)
	}
	if p.Phase == parts.PointerLeave {
		v.pointed, v.readOut = 0, ""
	}
}

// click selects an item, looks closer at what is too close together, and unfolds a pause.
func (v *timelineView) click(ctx app.Context, p parts.TimelinePointer) {
	box, mark := v.scene.Pointed(p.X, p.Y)
	switch {
	case mark != nil:
		v.choose(ctx, v.model.Marks()[mark.Mark].Seq)
	case box != nil && box.Count > 1:
		v.zoomAt(p.X, 2*timelineStep)
	case box != nil:
		v.choose(ctx, v.model.Bars()[box.Bar].Seq)
	default:
		if n := v.scene.Notch(p.X); n != nil {
			if v.kept == nil {
				v.kept = make(map[contracts.Time]bool)
			}
			v.kept[n.From] = true
		}
	}
}

// hover reads out what a pointer is at. The page is drawn anew only where that is something else than before.
func (v *timelineView) hover(ctx app.Context, p parts.TimelinePointer) {
	pointed, readOut := contracts.Seq(0), ""
	box, mark := v.scene.Pointed(p.X, p.Y)
	switch {
	case mark != nil:
		pointed = v.model.Marks()[mark.Mark].Seq
	case box != nil && box.Count > 1:
		readOut = v.several(box)
	case box != nil:
		pointed = v.model.Bars()[box.Bar].Seq
	default:
		if n := v.scene.Notch(p.X); n != nil {
			readOut = fmt.Sprintf("Nothing happened for %s: click to unfold", parts.Duration(n.To.Sub(n.From)))
		}
	}
	if pointed == v.pointed && readOut == v.readOut {
		ctx.PreventUpdate()
		return
	}
	v.pointed, v.readOut = pointed, readOut
}
