package parts

// RowWindow is the part of a long list that is drawn: of rows that are equally high only those that can be seen, and some
// around them. All lengths are CSS pixels.
type RowWindow struct {
	// Height is a row's.
	Height int
	// Above is how far the list's top is above the screen's, negative where it is below, and Visible the screen's height.
	Above, Visible int
}

// rowStep is how many rows the window moves by at least, so that few movements of a scroll bar draw anything anew.
const rowStep = 8

// Span returns the rows from..to-1 that are drawn of a list of count rows.
func (w RowWindow) Span(count int) (from, to int) {
	height := max(w.Height, 1)
	from = (w.Above/height - rowStep) / rowStep * rowStep
	to = ((w.Above+w.Visible)/height + 2*rowStep) / rowStep * rowStep
	from, to = max(from, 0), min(max(to, 0), count)
	return min(from, to), to
}

// First is the first row that can be seen.
func (w RowWindow) First() int { return max(w.Above, 0) / max(w.Height, 1) }

// Reveal returns by how much to scroll so that a row can be seen, below margin pixels at the top of the screen that something else covers.
func (w RowWindow) Reveal(row, margin int) int {
	top := row*w.Height - w.Above
	switch {
	case top < margin:
		return top - margin
	case top+w.Height > w.Visible:
		return top + w.Height - w.Visible
	}
	return 0
}
