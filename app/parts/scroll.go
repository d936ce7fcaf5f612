package parts

import "math"

// Scroll is where a reader stands in a list of which only the rows around the reader are drawn. All lengths are CSS pixels. Its
// rows may be more than a browser can lay out in one element: from scrollHeight on, the element is lower than the rows together,
// and the place of the rows in it is made up as the reader goes. Short ways are then still true to the pixel.
type Scroll struct {
	// Rows is how many there are, RowHeight the height of each and View the height that is seen.
	Rows            int
	RowHeight, View float64
	// Top is how far the upper edge of the view is from the first row's.
	Top float64
	// At is where the element stands: its scrollTop.
	At float64
}

const (
	// scrollHeight is the greatest height of the element. Browsers lay out 17 to 33 million device pixels, of which a zoomed
	// page on a dense screen has up to nine to a CSS pixel; and they scroll in 32-bit floats, which tell quarters of a pixel
	// apart up to here.
	scrollHeight = 3_000_000
	// scrollEdge is how far from both ends the element's place and the rows' are the same, so that the ends are reached.
	scrollEdge = 1_000_000
	// scrollDrift is how far they may be apart in between before the element is put right.
	scrollDrift = scrollEdge / 4
	// scrollFine is the longest way, in views, that is taken for a turn of the wheel or a key, not for a pull at the bar.
	scrollFine = 4
)

// Height is that of the element's content.
func (s *Scroll) Height() float64 { return min(s.length(), scrollHeight) }

// End is where the element stands at the end of the list.
func (s *Scroll) End() float64 { return max(s.Height()-s.View, 0) }

// AtEnd reports whether the last row is whole in the view, but for less than a pixel, by which browsers round.
func (s *Scroll) AtEnd() bool { return s.Top > s.last()-1 }

// To goes to a place among the rows, or as far as there are rows. The element has to be put to At.
func (s *Scroll) To(top float64) {
	s.Top = min(max(top, 0), s.last())
	s.At = s.place(s.Top)
}

// Reveal goes to a row by the shortest way that makes it whole, or to the middle of the view where it is far off.
func (s *Scroll) Reveal(row int) {
	y := float64(row) * s.RowHeight
	switch {
	case y < s.Top-s.View || y > s.Top+2*s.View:
		s.To(y - (s.View-s.RowHeight)/2)
	case y < s.Top:
		s.To(y)
	case y+s.RowHeight > s.Top+s.View:
		s.To(y + s.RowHeight - s.View)
	}
}

// Jump goes to where the element stands now, however it came there.
func (s *Scroll) Jump(at float64) {
	s.At = at
	s.Top = s.row(at)
}

// Moved follows the element to where it stands now. It reports whether the element has to be put to At, which does not move
// what the reader sees.
func (s *Scroll) Moved(at float64) (again bool) {
	way := at - s.At
	s.At = at
	if s.length() <= scrollHeight {
		s.Top = max(at, 0)
		return false
	}
	if math.Abs(way) <= scrollFine*s.View {
		s.Top = min(max(s.Top+way, 0), s.last())
	} else {
		s.Top = s.row(at)
	}
	drift := 0.5
	if s.Top > scrollEdge && s.Top < s.last()-scrollEdge {
		drift = scrollDrift
	}
	if right := s.place(s.Top); math.Abs(right-at) > drift {
		s.At = right
		return true
	}
	return false
}

// Resize takes in how many rows there are and how high they and the view are. The reader stays at the same row.
func (s *Scroll) Resize(rows int, rowHeight, view float64) {
	if s.RowHeight > 0 && s.RowHeight != rowHeight {
		s.Top *= rowHeight / s.RowHeight
		s.RowHeight = rowHeight
		s.Rows, s.View = rows, view
		s.To(s.Top)
		return
	}
	s.Rows, s.RowHeight, s.View = rows, rowHeight, view
	if s.Top > s.last() {
		s.To(s.last())
	}
}

// Drawn returns the rows to draw, from first on, and the heights of what stands in for the rows before and after them. They
// reach beyond the view by a part of it, and begin at a multiple of drawnStep, so that a short way needs no other rows.
func (s *Scroll) Drawn() (first, count int, before, after float64) {
	if s.RowHeight <= 0 {
		return 0, 0, 0, 0
	}
	const beyond = 10
	first = max(int(s.Top/s.RowHeight)-beyond, 0) / drawnStep * drawnStep
	count = int(math.Ceil(s.View/s.RowHeight)) + 2*beyond + drawnStep
	count = max(min(count, s.Rows-first, drawnMost), 0)
	before = max(s.At+float64(first)*s.RowHeight-s.Top, 0)
	after = max(s.Height()-before-float64(count)*s.RowHeight, 0)
	return first, count, before, after
}

const (
	// drawnStep is how many rows the drawn ones move at once.
	drawnStep = 8
	// drawnMost is the most rows that are drawn.
	drawnMost = 200
)

// length is the height of all rows, and last the greatest Top.
func (s *Scroll) length() float64 { return float64(s.Rows) * s.RowHeight }
func (s *Scroll) last() float64   { return max(s.length()-s.View, 0) }

// place is where the element stands for a Top, and row the reverse: the same near both ends, in proportion between.
func (s *Scroll) place(top float64) float64 {
	last, end := s.last(), s.End()
	switch {
	case s.length() <= scrollHeight || top <= scrollEdge:
		return top
	case top >= last-scrollEdge:
		return end - (last - top)
	}
	return scrollEdge + (top-scrollEdge)*(end-2*scrollEdge)/(last-2*scrollEdge)
}

func (s *Scroll) row(at float64) float64 {
	last, end := s.last(), s.End()
	switch {
	case s.length() <= scrollHeight || at <= scrollEdge:
		return min(max(at, 0), last)
	case at >= end-scrollEdge:
		return min(last-(end-at), last)
	}
	return scrollEdge + (at-scrollEdge)*(last-2*scrollEdge)/(end-2*scrollEdge)
}
