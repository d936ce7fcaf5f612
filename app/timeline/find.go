package timeline

import (
	"math"
	"slices"
	"sort"

	"axiom25/contracts"
)

// Item is a bar or a mark, by its place among the model's; the other is -1.
type Item struct{ Bar, Mark int }

// None is no item.
var None = Item{Bar: -1, Mark: -1} //nolint:gochecknoglobals // a value that is only read

// Seq is the position of the item's first event; 0 for None.
func (m *Model) Seq(i Item) contracts.Seq {
	switch {
	case i.Bar >= 0:
		return m.bars[i.Bar].Seq
	case i.Mark >= 0:
		return m.marks[i.Mark].Seq
	}
	return 0
}

// Items is how many items there are up to a moment. No event begins more than one.
func (m *Model) Items(at Moment) int { return m.Before(at.Seq + 1) }

// Before is how many items begin before an event.
func (m *Model) Before(seq contracts.Seq) int {
	b := sort.Search(len(m.bars), func(i int) bool { return m.bars[i].Seq >= seq })
	k := sort.Search(len(m.marks), func(i int) bool { return m.marks[i].Seq >= seq })
	return b + k
}

// Next returns the item that begins first behind an event, up to a moment; None where nothing does.
func (m *Model) Next(seq contracts.Seq, at Moment) Item {
	b := sort.Search(len(m.bars), func(i int) bool { return m.bars[i].Seq > seq })
	k := sort.Search(len(m.marks), func(i int) bool { return m.marks[i].Seq > seq })
	switch {
	case b < len(m.bars) && m.bars[b].Seq <= at.Seq && (k == len(m.marks) || m.bars[b].Seq < m.marks[k].Seq):
		return Item{Bar: b, Mark: -1}
	case k < len(m.marks) && m.marks[k].Seq <= at.Seq:
		return Item{Bar: -1, Mark: k}
	}
	return None
}

// Previous returns the item that begins last before an event; None where nothing does.
func (m *Model) Previous(seq contracts.Seq) Item {
	b := sort.Search(len(m.bars), func(i int) bool { return m.bars[i].Seq >= seq }) - 1
	k := sort.Search(len(m.marks), func(i int) bool { return m.marks[i].Seq >= seq }) - 1
	switch {
	case b >= 0 && (k < 0 || m.bars[b].Seq > m.marks[k].Seq):
		return Item{Bar: b, Mark: -1}
	case k >= 0:
		return Item{Bar: -1, Mark: k}
	}
	return None
}

// Of returns the item that an event of a type and a branch belongs to; None where it belongs to none.
func (m *Model) Of(seq contracts.Seq, typ contracts.EventType, branch contracts.Branch) Item {
	if i := m.Next(seq-1, Moment{Seq: seq}); i != None {
		return i
	}
	l, ok := m.lanes.byBranch[branch]
	if !ok {
		return None
	}
	found := None
	for _, r := range l.rows {
		i := sort.Search(len(r.bars), func(i int) bool { return m.bars[r.bars[i]].Seq > seq }) - 1
		if i < 0 {
			continue
		}
		b := &m.bars[r.bars[i]]
		fits := false
		switch typ {
		case contracts.EventThought:
			fits = b.Kind == Thought && b.OpenAt(Moment{Seq: seq - 1})
		case contracts.EventToken:
			fits = b.Kind == Answer && b.OpenAt(Moment{Seq: seq - 1})
		case contracts.EventApproval:
			fits = b.Kind == Call && b.DecidedSeq == seq
		case contracts.EventToolEnd:
			fits = b.Kind == Call && b.EndSeq == seq
		case contracts.EventStatus, contracts.EventToolStart, contracts.EventBudget, contracts.EventVerdict,
			contracts.EventError, contracts.EventDone:
		}
		if fits && (found == None || b.Seq > m.bars[found.Bar].Seq) {
			found = Item{Bar: int(r.bars[i]), Mark: -1}
		}
	}
	return found
}

// SameRow reports whether two bars are drawn on one line.
func (m *Model) SameRow(a, b int) bool { return m.bars[a].row == m.bars[b].row }

// Beside returns the item of the closest lane below or above that begins closest to an item; None where there is none.
func (m *Model) Beside(i Item, below bool, at Moment) Item {
	var branch contracts.Branch
	var t contracts.Time
	switch {
	case i.Bar >= 0:
		branch, t = m.bars[i.Bar].Branch, m.bars[i.Bar].Start
	case i.Mark >= 0:
		branch, t = m.marks[i.Mark].Branch, m.marks[i.Mark].Time
	default:
		return None
	}
	step := -1
	if below {
		step = 1
	}
	here := slices.Index(m.lanes.ordered, m.lanes.byBranch[branch])
	for n := here + step; n >= 0 && n < len(m.lanes.ordered); n += step {
		if found := m.closest(m.lanes.ordered[n], t, at); found != None {
			return found
		}
	}
	return None
}

// closest is the bar of a lane that begins closest to a time; a mark where the lane has no bar.
func (m *Model) closest(l *lane, t contracts.Time, at Moment) Item {
	found := None
	least := int64(math.MaxInt64)
	consider := func(i Item, start contracts.Time, seq contracts.Seq) {
		if away := max(start.Sub(t), t.Sub(start)); seq <= at.Seq && away < least {
			found, least = i, away
		}
	}
	for _, r := range l.rows {
		i := sort.Search(len(r.bars), func(i int) bool { return m.bars[r.bars[i]].Start > t })
		for _, j := range []int{i - 1, i} {
			if j >= 0 && j < len(r.bars) {
				b := int(r.bars[j])
				consider(Item{Bar: b, Mark: -1}, m.bars[b].Start, m.bars[b].Seq)
			}
		}
	}
	if found != None {
		return found
	}
	for _, k := range l.marks {
		consider(Item{Bar: -1, Mark: int(k)}, m.marks[k].Time, m.marks[k].Seq)
	}
	return found
}

// near is how far from a box or a mark it is still pointed at, in pixels.
const near = 4

// Pointed returns what stands at a place of the scene: a mark, else the closest box; at most one of them is not nil.
func (s *Scene) Pointed(x, y float64) (*Box, *MarkBox) {
	for i := range s.Marks {
		if k := &s.Marks[i]; abs(x-k.X) <= markRoom/2+1 && abs(y-k.Y) <= markHeight/2 {
			return nil, k
		}
	}
	var closest *Box
	least := float64(near)
	for i := range s.Boxes {
		b := &s.Boxes[i]
		if y < b.Y-2 || y > b.Y+BarHeight+2 {
			continue
		}
		if away := max(b.X-x, x-b.X-b.W, 0); away <= least && (closest == nil || away < least) {
			closest, least = b, away
		}
	}
	return closest, nil
}

// Notch returns the folded pause at x, or nil.
func (s *Scene) Notch(x float64) *Notch {
	for i := range s.Notches {
		if n := &s.Notches[i]; x >= n.X && x < n.X+n.W {
			return n
		}
	}
	return nil
}

func abs(x float64) float64 { return max(x, -x) }
