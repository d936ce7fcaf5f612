package parts_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"axiom25/app/parts"
)

// seen returns how far the upper edge of a row is below that of the view, as it is drawn.
func seen(s *parts.Scroll, row int) float64 {
	first, _, before, _ := s.Drawn()
	return before + float64(row-first)*s.RowHeight - s.At
}

func TestScrollDrawsWhatIsSeen(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{0, 1, 5, 100, 100_000, 1_000_000, 5_000_000} {
		s := &parts.Scroll{}
		s.Resize(rows, 28, 540)
		if s.Height() > 3_000_000 {
			t.Errorf("%d rows are %v px high", rows, s.Height())
		}
		for _, share := range []float64{0, 0.001, 0.3, 0.5, 0.999, 1} {
			s.To(share * float64(rows) * 28)
			first, count, before, after := s.Drawn()
			if count > 200 || first < 0 || first+count > rows {
				t.Fatalf("%d rows: draws %d from %d on", rows, count, first)
			}
			if sum := before + float64(count)*28 + after; math.Abs(sum-s.Height()) > 1e-3 {
				t.Errorf("%d rows: what is drawn is %v px high, want %v", rows, sum, s.Height())
			}
			if rows == 0 {
				continue
			}
			if gap := before - s.At; first > 0 && gap > 0 {
				t.Errorf("%d rows at %v: %v px are empty above", rows, share, gap)
			}
			if end := before + float64(count)*28 - s.At; first+count < rows && end < 540 {
				t.Errorf("%d rows at %v: %v px are empty below", rows, share, 540-end)
			}
		}
		if rows > 20 && (!s.AtEnd() || math.Abs(seen(s, rows-1)-(540-28)) > 1e-3) {
			t.Errorf("%d rows: the last one is at %v of the view", rows, seen(s, rows-1))
		}
	}
}

// TestScrollIsTrueToThePixel turns the wheel up and down a list that is too long to be laid out: each turn moves what is seen by
// just as much, and both ends are reached.
func TestScrollIsTrueToThePixel(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test that is the same each time
	for _, rows := range []int{1000, 110_000, 1_000_000} {
		s := &parts.Scroll{}
		s.Resize(rows, 28, 540)
		s.To(float64(rows) * 14)
		for i := range 200_000 {
			way := float64(random.IntN(1000)) - 500 - 60*float64(i/100_000*2-1)
			top, at := s.Top, s.At
			to := min(max(at+way, 0), s.End())
			row := int(top / 28)
			want := seen(s, row) - (to - at)
			s.Moved(to)
			if moved := s.Top - top; s.Top > 0 && !s.AtEnd() && math.Abs(moved-(to-at)) > 1e-3 {
				t.Fatalf("%d rows: a turn of %v px moved the reader by %v", rows, to-at, moved)
			}
			if first, count, _, _ := s.Drawn(); s.Top > 0 && !s.AtEnd() && row >= first && row < first+count && math.Abs(seen(s, row)-want) > 1e-3 {
				t.Fatalf("%d rows: after a turn of %v px a row is at %v, want %v", rows, to-at, seen(s, row), want)
			}
			if s.At == 0 && s.Top != 0 || s.At == s.End() && !s.AtEnd() {
				t.Fatalf("%d rows: the bar is at an end and the reader at %v", rows, s.Top)
			}
		}
	}
}

func TestScrollFollowsTheBar(t *testing.T) {
	t.Parallel()
	s := &parts.Scroll{}
	s.Resize(1_000_000, 28, 540)
	s.Moved(1_500_000)
	if row := s.Top / 28; math.Abs(row-500_000) > 500 {
		t.Errorf("half of the bar is row %v", row)
	}
	s.Moved(s.End())
	if !s.AtEnd() {
		t.Errorf("the end of the bar is row %v", s.Top/28)
	}
	s.Moved(s.At - 1)
	if s.AtEnd() || math.Abs(seen(s, 999_999)-(540-28+1)) > 1e-3 {
		t.Errorf("one pixel up, the last row is at %v", seen(s, 999_999))
	}
	s.Moved(0)
	if s.Top != 0 {
		t.Errorf("the beginning of the bar is at %v", s.Top)
	}
}

// TestScrollStays lets a list grow behind a reader, across the length from which its places are made up.
func TestScrollStays(t *testing.T) {
	t.Parallel()
	for _, top := range []float64{0, 1234, 1_500_000, 2_999_000} {
		s := &parts.Scroll{}
		s.Resize(107_100, 28, 540)
		s.To(top)
		s.Moved(max(s.At-1, 0))
		row := int(s.Top/28) + 3
		at, was := s.At, seen(s, row)
		for n := 107_100; n < 1_000_000; n += 997 {
			s.Resize(n, 28, 540)
			if s.At != at || math.Abs(seen(s, row)-was) > 1e-6 {
				t.Fatalf("with %d rows the element moved from %v to %v, and the row from %v to %v", n, at, s.At, was, seen(s, row))
			}
		}
		was = seen(s, row) - 100
		s.Moved(s.At + 100)
		if got := seen(s, row); math.Abs(got-was) > 1e-3 {
			t.Errorf("a turn down moved the row to %v, want %v", got, was)
		}
	}
}

func TestScrollReveal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		row  int
		want float64 // of the view
	}{
		"seen already":  {1010, 280},
		"just above":    {998, 0},
		"just below":    {1030, 540 - 28},
		"far above":     {5, 140},
		"far below":     {90_000, 256},
		"the very last": {99_999, 540 - 28},
	} {
		s := &parts.Scroll{}
		s.Resize(100_000, 28, 540)
		s.To(28_000)
		s.Reveal(c.row)
		if got := seen(s, c.row); math.Abs(got-c.want) > 1e-3 {
			t.Errorf("%s: at %v of the view, want %v", name, got, c.want)
		}
	}
}

func TestScrollChangesItsRows(t *testing.T) {
	t.Parallel()
	s := &parts.Scroll{}
	s.Resize(1000, 28, 540)
	s.To(2800)
	s.Resize(1000, 46, 400)
	if s.Top != 4600 || s.At != 4600 {
		t.Errorf("higher rows: at %v and %v, want row 100", s.Top, s.At)
	}
	s.Resize(50, 46, 400)
	if !s.AtEnd() || s.At != 50*46-400 {
		t.Errorf("fewer rows: at %v", s.At)
	}
	s.Resize(2, 46, 400)
	if s.Top != 0 || s.At != 0 {
		t.Errorf("rows that fit: at %v", s.At)
	}
}
