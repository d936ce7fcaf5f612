package parts_test

import (
	"testing"

	"axiom25/app/parts"
)

func TestRowWindow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		window          parts.RowWindow
		count           int
		from, to, first int
	}{
		"the top, below other things": {parts.RowWindow{Height: 45, Above: -200, Visible: 900}, 3000, 0, 24, 0},
		"the top":                     {parts.RowWindow{Height: 45, Visible: 900}, 3000, 0, 32, 0},
		"a little further":            {parts.RowWindow{Height: 45, Above: 100, Visible: 900}, 3000, 0, 32, 2},
		"in the middle":               {parts.RowWindow{Height: 45, Above: 45_000, Visible: 900}, 3000, 992, 1032, 1000},
		"the end":                     {parts.RowWindow{Height: 45, Above: 45 * 2980, Visible: 900}, 3000, 2968, 3000, 2980},
		"behind the end":              {parts.RowWindow{Height: 45, Above: 45 * 5000, Visible: 900}, 3000, 3000, 3000, 5000},
		"a short list":                {parts.RowWindow{Height: 45, Visible: 900}, 3, 0, 3, 0},
		"no list":                     {parts.RowWindow{Height: 45, Visible: 900}, 0, 0, 0, 0},
		"not measured":                {parts.RowWindow{}, 3, 0, 3, 0},
	} {
		if from, to := c.window.Span(c.count); from != c.from || to != c.to || c.window.First() != c.first {
			t.Errorf("%s: draws %d..%d from the first row %d, want %d..%d and %d", name, from, to, c.window.First(), c.from, c.to, c.first)
		}
	}
}

func TestRowWindowReveals(t *testing.T) {
	t.Parallel()
	w := parts.RowWindow{Height: 45, Above: 4500, Visible: 900}
	for row, want := range map[int]int{110: 0, 119: 0, 120: 45, 100: -48, 101: -3, 102: 0, 99: -93} {
		if got := w.Reveal(row, 48); got != want {
			t.Errorf("row %d is revealed by %d, want %d", row, got, want)
		}
	}
}
