package timeline

import (
	"math"
	"sort"

	"axiom25/contracts"
)

// The measures of a lane, in pixels.
const (
	BarHeight  = 14
	rowHeight  = 18
	markHeight = 16
	nameHeight = 18
	lanePad    = 5
	// leastWidth is the least width of a bar as it is drawn: what is thinner and less than a pixel apart is drawn as one.
	leastWidth = 2
	// beyond is how far outside of the window something is still drawn, so that its edge is not seen there.
	beyond = 8
)

// Tone is what a bar or a mark looks like.
type Tone string

// The tones of bars and marks. Those of calls and of changes of state are the states' own: succeeded, failed and so on.
const (
	ToneThought   Tone = "thought"
	ToneAnswer    Tone = "answer"
	ToneDiscarded Tone = "discarded"
	ToneWait      Tone = "wait"
	ToneAsked     Tone = "asked"
	ToneDense     Tone = "dense"
	ToneRunning        = Tone(contracts.StateRunning)
	ToneSucceeded      = Tone(contracts.StateSucceeded)
	ToneFailed         = Tone(contracts.StateFailed)
	ToneRefused        = Tone(contracts.StateRefused)
	ToneCancelled      = Tone(contracts.StateCancelled)
)

// Window is the part of the drawing that is seen, in pixels.
type Window struct {
	// Offset is how far the window's left edge is from the run's start, and Width how wide it is.
	Offset, Width float64
	// Top is how far the lanes are scrolled, and Height how much of them is seen.
	Top, Height float64
	// Narrow puts the names of the lanes above their bars.
	Narrow bool
}

// Scene is what a window shows. X counts from the window's left edge, Y from the top of the first lane.
type Scene struct {
	// Height is that of all lanes.
	Height  float64
	Lanes   []LaneBox
	Boxes   []Box
	Marks   []MarkBox
	Notches []Notch
	Ticks   []Tick
}

// LaneBox is where a lane stands.
type LaneBox struct {
	Branch contracts.Branch
	// Name is its path below the lane that it lies in, Depth how many lanes those are.
	Name  string
	Depth int
	Y, H  float64
}

// Box is a bar as it is drawn, or several that are too thin to tell apart.
type Box struct {
	X, Y, W float64
	// Waited is how much of its width waited for a human.
	Waited float64
	// Bar is the place of the first bar among the model's, and Count how many there are.
	Bar, Count int
	// Bad is how many of them went wrong.
	Bad  int
	Tone Tone
	// Open says that it goes on.
	Open bool
	// Label is what it says where it is wide enough.
	Label string
}

// MarkBox is a mark as it is drawn, or several at the same place: the one that matters most. X and Y are its centre.
type MarkBox struct {
	X, Y float64
	// Mark is its place among the model's, and Count how many there are.
	Mark, Count int
	Kind        MarkKind
	Tone        Tone
}

// Notch is a folded pause.
type Notch struct {
	X, W     float64
	From, To contracts.Time
}

// See returns what a window shows of the model at a moment: nothing that came later.
func (m *Model) See(c Clock, w Window, at Moment) Scene {
	s := Scene{Ticks: c.Ticks(w.Offset, w.Width)}
	for _, f := range c.folds {
		if x := f.x - w.Offset; x < w.Width && x+NotchWidth > 0 {
			s.Notches = append(s.Notches, Notch{X: x, W: NotchWidth, From: m.start.Add(int64(f.from)), To: m.start.Add(int64(f.to))})
		}
	}
	v := view{m: m, c: c, w: w, at: at}
	y := 0.0
	for _, l := range m.lanes.ordered {
		if !m.begun(l, at) {
			continue
		}
		top := y
		seen := func(height float64) bool { return y+height >= w.Top-beyond && y <= w.Top+w.Height+beyond }
		y += lanePad
		if w.Narrow {
			y += nameHeight
		}
		if len(l.marks) > 0 && m.marks[l.marks[0]].Seq <= at.Seq {
			if seen(markHeight) {
				s.Marks = v.marks(s.Marks, l, y+markHeight/2)
			}
			y += markHeight
		}
		for _, r := range l.rows {
			if m.bars[r.bars[0]].Seq > at.Seq {
				continue
			}
			if seen(rowHeight) {
				s.Boxes = v.boxes(s.Boxes, r, y+(rowHeight-BarHeight)/2)
			}
			y += rowHeight
		}
		y += lanePad
		if top <= w.Top+w.Height+beyond && y >= w.Top-beyond {
			s.Lanes = append(s.Lanes, LaneBox{Branch: l.branch, Name: l.name, Depth: l.depth, Y: top, H: y - top})
		}
	}
	s.Height = y
	return s
}

// begun reports whether something has happened in a lane; the root is always there.
func (m *Model) begun(l *lane, at Moment) bool {
	return l.branch == "" || len(l.marks) > 0 && m.marks[l.marks[0]].Seq <= at.Seq ||
		len(l.rows) > 0 && m.bars[l.rows[0].bars[0]].Seq <= at.Seq
}

// view is what the boxes of a scene are drawn from.
type view struct {
	m  *Model
	c  Clock
	w  Window
	at Moment
}

// x is where a time stands in the window.
func (v *view) x(t contracts.Time) float64 { return v.c.X(float64(t.Sub(v.m.start))) - v.w.Offset }

// time is the first whole millisecond that stands at x or behind it.
func (v *view) time(x float64) contracts.Time {
	t := v.m.start.Add(int64(math.Ceil(v.c.At(x + v.w.Offset))))
	for v.x(t) < x {
		t++
	}
	return t
}

// boxes draws a row. Bars that begin within the same pixels are looked up together, so that a row costs what it shows.
func (v *view) boxes(boxes []Box, r *row, y float64) []Box {
	bars := v.m.bars
	end := sort.Search(len(r.bars), func(i int) bool { return bars[r.bars[i]].Seq > v.at.Seq })
	left := v.time(-beyond)
	i := sort.Search(end, func(i int) bool { return bars[r.bars[i]].EndAt(v.at) >= left })
	joins := false // the last box is thin
	for i < end {
		b := &bars[r.bars[i]]
		x0, x1 := v.x(b.Start), v.x(b.EndAt(v.at))
		if x0 > v.w.Width+beyond {
			break
		}
		if x1-x0 >= leastWidth {
			boxes = append(boxes, v.box(int(r.bars[i]), x0, x1, y))
			joins = false
			i++
			continue
		}
		// All that begin within the least width, but the last of them only where it is thin too.
		next := v.time(x0 + leastWidth)
		j := i + 1 + sort.Search(end-i-1, func(k int) bool { return bars[r.bars[i+1+k]].Start >= next })
		if last := &bars[r.bars[j-1]]; j-1 > i && v.x(last.EndAt(v.at))-v.x(last.Start) >= leastWidth {
			j--
		}
		x1 = max(v.x(bars[r.bars[j-1]].EndAt(v.at)), x0+leastWidth)
		bad := r.countBad(i, j, bars, v.at)
		if n := len(boxes); joins && x0-(boxes[n-1].X+boxes[n-1].W) < 1 {
			box := &boxes[n-1]
			box.W, box.Count, box.Bad = x1-box.X, box.Count+j-i, box.Bad+bad
			box.Tone, box.Waited, box.Label, box.Open = ToneDense, 0, "", false
		} else if j-i == 1 {
			boxes = append(boxes, v.box(int(r.bars[i]), x0, x1, y))
		} else {
			boxes = append(boxes, Box{X: x0, Y: y, W: x1 - x0, Bar: int(r.bars[i]), Count: j - i, Bad: bad, Tone: ToneDense})
		}
		joins = true
		i = j
	}
	return boxes
}

// box draws one bar, cut at the edges of the window.
func (v *view) box(index int, x0, x1, y float64) Box {
	b := &v.m.bars[index]
	box := Box{Y: y, Bar: index, Count: 1, Tone: b.tone(v.at), Open: b.OpenAt(v.at), Label: b.Name}
	if b.Bad(v.at) {
		box.Bad = 1
	}
	waited := v.x(b.WaitedUntil(v.at))
	box.X, x1 = max(x0, -beyond), min(x1, v.w.Width+beyond)
	box.W = max(x1-box.X, 0)
	box.Waited = min(max(waited-box.X, 0), box.W)
	if b.Asked && b.WaitedUntil(v.at) == b.EndAt(v.at) {
		box.Waited = box.W // all of it, however thin it is
	}
	return box
}

// tone is what a bar looks like at a moment.
func (b *Bar) tone(at Moment) Tone {
	switch {
	case b.Kind == Wait:
		return ToneWait
	case b.Kind != Call && b.Discarded && !b.OpenAt(at):
		return ToneDiscarded
	case b.Kind == Thought:
		return ToneThought
	case b.Kind == Answer:
		return ToneAnswer
	case b.OpenAt(at):
		return ToneRunning
	}
	switch b.Status {
	case contracts.CallOK:
		return ToneSucceeded
	case contracts.CallDenied:
		return ToneRefused
	case contracts.CallError, contracts.CallTimeout:
		return ToneFailed
	case contracts.CallCancelled:
	}
	return ToneCancelled
}

// markRoom is how close two marks may stand, in pixels.
const markRoom = 9

// marks draws the marks of a lane.
func (v *view) marks(boxes []MarkBox, l *lane, y float64) []MarkBox {
	end := sort.Search(len(l.marks), func(i int) bool { return v.m.marks[l.marks[i]].Seq > v.at.Seq })
	left := v.time(-beyond)
	first := len(boxes)
	for i := sort.Search(end, func(i int) bool { return v.m.marks[l.marks[i]].Time >= left }); i < end; i++ {
		mark := &v.m.marks[l.marks[i]]
		x := v.x(mark.Time)
		if x > v.w.Width+beyond {
			break
		}
		n := len(boxes)
		if n == first || x-boxes[n-1].X >= markRoom {
			boxes = append(boxes, MarkBox{X: x, Y: y, Mark: int(l.marks[i]), Count: 1, Kind: mark.Kind, Tone: mark.tone()})
			continue
		}
		boxes[n-1].Count++
		if mark.weight() > v.m.marks[boxes[n-1].Mark].weight() {
			boxes[n-1].Mark, boxes[n-1].Kind, boxes[n-1].Tone = int(l.marks[i]), mark.Kind, mark.tone()
		}
	}
	return boxes
}

// weight says which of several marks at one place is shown: what went wrong, then judgements, then changes of state.
func (k *Mark) weight() int {
	switch {
	case k.Kind == ErrorMark && k.Fatal:
		return 5
	case k.Kind == ErrorMark:
		return 4
	case k.Kind == VerdictMark:
		return 3
	case k.Kind == StateMark && contracts.State(k.Name).Terminal():
		return 2
	case k.Kind == WarnMark:
		return 1
	}
	return 0
}

// tone is what a mark looks like.
func (k *Mark) tone() Tone {
	switch k.Kind {
	case VerdictMark:
		switch contracts.Outcome(k.Name) {
		case contracts.OutcomePass:
			return ToneSucceeded
		case contracts.OutcomeRevise:
			return Tone(contracts.StateDraining)
		case contracts.OutcomeRefuse:
			return ToneRefused
		case contracts.OutcomeFail, contracts.OutcomeError:
		}
		return ToneFailed
	case ErrorMark:
		return ToneFailed
	case WarnMark:
		return Tone(contracts.StateWaiting)
	case StateMark:
	}
	return Tone(k.Name)
}
