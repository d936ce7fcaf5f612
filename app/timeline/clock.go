package timeline

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"axiom25/contracts"
)

// NotchWidth is the width of a folded pause, in pixels: room for its length in words.
const NotchWidth = 48

const (
	// longPause is the share of the window from which on a pause is folded, and leastFolded the least width in pixels, so
	// that folding always gains room.
	longPause   = 0.25
	leastFolded = 2 * NotchWidth
	// notchShare bounds the share of the window that folded pauses may take.
	notchShare = 0.6
)

// Finest is the largest scale, in pixels a millisecond: times are exact to a millisecond.
const Finest = 20

// Clock turns the time of a run into pixels and back. Time runs evenly, except in the pauses that are folded. It is a value
// and goes by milliseconds since the run's start.
type Clock struct {
	scale float64 // pixels a millisecond outside of folds
	span  float64 // the length of the run
	folds []fold
}

// fold is a pause that takes NotchWidth pixels.
type fold struct{ from, to, x float64 }

// Pauses are the times that a clock may fold.
type Pauses struct {
	start contracts.Time
	span  float64
	gaps  []Gap
}

// PausesAt returns the pauses up to a moment, but those that are kept open: keep is asked with their beginning. While the run
// lives and nothing is at work, the last pause reaches the moment itself.
func (m *Model) PausesAt(at Moment, keep func(from contracts.Time) bool) Pauses {
	p := Pauses{start: m.start, span: float64(max(at.Time.Sub(m.start), 1))}
	for _, g := range m.gaps {
		if g.To > at.Time {
			break
		}
		if !keep(g.From) {
			p.gaps = append(p.gaps, g)
		}
	}
	if m.working == 0 && !m.ended && at.Seq >= m.lastSeq && at.Time.Sub(m.last) >= shortestGap && !keep(m.last) {
		p.gaps = append(p.gaps, Gap{From: m.last, To: at.Time})
	}
	return p
}

// NewClock returns a clock of a scale, in pixels a millisecond. A pause that would take more than a quarter of a window of
// this width is folded.
func NewClock(p Pauses, scale, width float64) Clock {
	c := Clock{scale: scale, span: p.span}
	limit := max(width*longPause, leastFolded)
	saved := 0.0
	for _, g := range p.gaps {
		from, to := float64(g.From.Sub(p.start)), float64(g.To.Sub(p.start))
		if (to-from)*scale <= limit {
			continue
		}
		c.folds = append(c.folds, fold{from: from, to: to, x: from*scale - saved})
		saved += (to-from)*scale - NotchWidth
	}
	return c
}

// Fit returns the scale at which the time from a to b, in milliseconds since the start, fills a window of this width.
func Fit(p Pauses, a, b, width float64) float64 {
	lengths := make([]float64, 0, 16)
	for _, g := range p.gaps {
		from, to := max(float64(g.From.Sub(p.start)), a), min(float64(g.To.Sub(p.start)), b)
		if to > from {
			lengths = append(lengths, to-from)
		}
	}
	slices.SortFunc(lengths, func(x, y float64) int { return cmp.Compare(y, x) })
	left, room := max(b-a, 1), width
	scale := room / left
	for _, length := range lengths {
		if length*scale <= max(width*longPause, leastFolded) || width-(room-NotchWidth) > width*notchShare {
			break
		}
		left, room = max(left-length, 1), room-NotchWidth
		scale = room / left
	}
	return min(scale, Finest)
}

// Width is how many pixels the whole run takes.
func (c Clock) Width() float64 { return c.X(c.span) }

// Folds is how many pauses are folded.
func (c Clock) Folds() int { return len(c.folds) }

// Scale is how many pixels a millisecond takes outside of folds.
func (c Clock) Scale() float64 { return c.scale }

// X is where a time stands, in pixels from the start.
func (c Clock) X(ms float64) float64 {
	i := sort.Search(len(c.folds), func(i int) bool { return c.folds[i].from > ms }) - 1
	if i < 0 {
		return ms * c.scale
	}
	f := c.folds[i]
	if ms < f.to {
		return f.x + (ms-f.from)/(f.to-f.from)*NotchWidth
	}
	return f.x + NotchWidth + (ms-f.to)*c.scale
}

// At is the time that stands at x. It undoes X.
func (c Clock) At(x float64) float64 {
	i := sort.Search(len(c.folds), func(i int) bool { return c.folds[i].x > x }) - 1
	if i < 0 {
		return x / c.scale
	}
	f := c.folds[i]
	if x < f.x+NotchWidth {
		return f.from + (x-f.x)/NotchWidth*(f.to-f.from)
	}
	return f.to + (x-f.x-NotchWidth)/c.scale
}

// Tick is a line across the chart and what stands at it.
type Tick struct {
	X  float64
	MS int64 // since the start
	// Label is the time since the start, as exact as the ticks are far apart; empty where a fold leaves no room for it.
	Label string
}

// tickRoom is the least distance of two ticks, and labelRoom what a label takes, in pixels.
const (
	tickRoom  = 84
	labelRoom = 60
)

// Ticks are the ticks of a window of a width that begins at an offset in pixels; X is from the window's left edge. None
// stands in a fold, where time is not even.
func (c Clock) Ticks(offset, width float64) []Tick {
	step := tickStep(tickRoom / c.scale)
	var ticks []Tick
	last := math.Inf(-1)
	first := sort.Search(len(c.folds), func(i int) bool { return c.folds[i].x+NotchWidth > offset })
	from, right := c.At(offset), c.At(offset+width)
	for i := first; ; i++ {
		to, more := min(right, c.span), false
		if i < len(c.folds) && c.folds[i].from < to {
			to, more = c.folds[i].from, true
		}
		for ms := int64(math.Ceil(from/float64(step))) * step; float64(ms) <= to; ms += step {
			if x := c.X(float64(ms)) - offset; x-last >= tickRoom*0.75 {
				tick := Tick{X: x, MS: ms}
				if !more || c.folds[i].x-offset-x >= labelRoom {
					tick.Label = tickLabel(ms, step)
				}
				ticks = append(ticks, tick)
				last = x
			}
		}
		if !more {
			return ticks
		}
		from = c.folds[i].to
		last = max(last, c.X(from)-offset-tickRoom*0.75)
	}
}
