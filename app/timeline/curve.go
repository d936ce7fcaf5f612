package timeline

import (
	"sort"

	"axiom25/contracts"
)

// Point is a place on a curve: X in pixels from the window's left edge, Y the share of the curve's height, 0 at its foot.
type Point struct{ X, Y float64 }

// Curve is what a run has used of one limit, over time.
type Curve struct {
	// Points follow each other in time; between two readings of the meter the line is straight.
	Points []Point
	// Used is what the meter showed at the moment that is seen, and Top what the curve's full height stands for: the limit,
	// or less where little of it is used.
	Used, Top int64
}

// roomy is the share of a limit below which a curve is drawn larger than the limit would have it.
const roomy = 4

// Curve returns the curve of what count reads from the meter, with a point a pixel at most. The limit may be 0 for none.
func (m *Model) Curve(c Clock, w Window, at Moment, limit int64, count func(Reading) int64) Curve {
	v := view{m: m, c: c, w: w, at: at}
	end := sort.Search(len(m.readings), func(i int) bool { return m.readings[i].Seq > at.Seq })
	var curve Curve
	if end == 0 {
		return curve
	}
	curve.Used = count(m.readings[end-1])
	curve.Top = limit
	if curve.Top <= 0 || curve.Used*roomy < curve.Top {
		curve.Top = roundUp(curve.Used)
	}
	height := func(used int64) float64 { return min(float64(used)/float64(max(curve.Top, 1)), 1) }
	left := v.time(-beyond)
	i := sort.Search(end, func(i int) bool { return m.readings[i].Time >= left }) - 1
	if i < 0 {
		curve.Points = append(curve.Points, Point{X: v.x(m.start), Y: 0})
		i = 0
	}
	for i < end {
		x := v.x(m.readings[i].Time)
		next := v.time(x + 1)
		last := i + sort.Search(end-i, func(k int) bool { return m.readings[i+k].Time >= next }) - 1
		curve.Points = append(curve.Points, Point{X: x, Y: height(count(m.readings[last]))})
		if x > w.Width+beyond {
			return curve
		}
		i = last + 1
	}
	curve.Points = append(curve.Points, Point{X: v.x(max(at.Time, m.readings[end-1].Time)), Y: height(curve.Used)})
	return curve
}

// roundUp returns the next number that begins with 1, 2 or 5 and is not below n.
func roundUp(n int64) int64 {
	for p := int64(1); ; p *= 10 {
		for _, digit := range []int64{1, 2, 5} {
			if digit*p >= n {
				return digit * p
			}
		}
	}
}

// Tokens and Cost read the meter.
func Tokens(r Reading) int64 { return r.Tokens }

// Cost is in millionths of a US dollar.
func Cost(r Reading) int64 { return r.CostMicroUSD }

// MS is a time of the run in milliseconds since its start.
func (m *Model) MS(t contracts.Time) float64 { return float64(t.Sub(m.start)) }
