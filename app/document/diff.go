package document

import (
	"slices"
	"strings"
)

// LineKind says what became of a line.
type LineKind byte

// What became of a line.
const (
	LineKept    LineKind = ' '
	LineRemoved LineKind = '-'
	LineAdded   LineKind = '+'
)

// Line is one line of the comparison of two texts.
type Line struct {
	Kind LineKind
	// Text is the line without its end.
	Text string
}

// maxDifferences bounds the cost of Diff: the memory grows with its square, and no reader compares more.
const maxDifferences = 500

// Diff compares two texts line by line with the fewest removed and added lines (E. W. Myers, An O(ND) Difference
// Algorithm and Its Variations, 1986). Where more than maxDifferences lines differ, what is between the common
// beginning and the common end is removed and added as a whole.
func Diff(before, after string) []Line {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	var head, tail int
	for head < min(len(a), len(b)) && a[head] == b[head] {
		head++
	}
	for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	lines := make([]Line, 0, len(a)+len(b)-head-tail)
	lines = appendLines(lines, LineKept, a[:head])
	lines = append(lines, between(a[head:len(a)-tail], b[head:len(b)-tail])...)
	return appendLines(lines, LineKept, a[len(a)-tail:])
}

func appendLines(lines []Line, kind LineKind, texts []string) []Line {
	for _, text := range texts {
		lines = append(lines, Line{kind, text})
	}
	return lines
}

// between compares what has no common beginning and no common end.
func between(a, b []string) []Line {
	// reached[d][k+d] is how far into a the furthest path with d differences comes on diagonal k, where k is the lines
	// of a less those of b.
	var reached [][]int
	for d := 0; d <= min(len(a)+len(b), maxDifferences); d++ {
		row := make([]int, 2*d+1)
		for k := -d; k <= d; k += 2 {
			x := step(reached, d, k)
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			row[k+d] = x
			if x >= len(a) && x-k >= len(b) {
				return walked(append(reached, row), a, b)
			}
		}
		reached = append(reached, row)
	}
	return appendLines(appendLines(nil, LineRemoved, a), LineAdded, b)
}

// step is where a path enters diagonal k with its d-th difference: by a line of b from above, or by one of a from the left.
func step(reached [][]int, d, k int) int {
	if d == 0 {
		return 0
	}
	if addsNext(reached[d-1], d, k) {
		return reached[d-1][k+d]
	}
	return reached[d-1][k+d-2] + 1
}

// addsNext reports whether the furthest path to diagonal k comes by adding a line of b. row is that of d-1.
func addsNext(row []int, d, k int) bool {
	return k == -d || k != d && row[k+d-2] < row[k+d]
}

// walked follows the shortest path back from the end.
func walked(reached [][]int, a, b []string) []Line {
	var backward []Line
	x, y := len(a), len(b)
	for d := range slices.Backward(reached) {
		k := x - y
		entered := step(reached[:d], d, k)
		for x > entered {
			x, y = x-1, y-1
			backward = append(backward, Line{LineKept, a[x]})
		}
		switch {
		case d == 0:
		case addsNext(reached[d-1], d, k):
			y--
			backward = append(backward, Line{LineAdded, b[y]})
		default:
			x--
			backward = append(backward, Line{LineRemoved, a[x]})
		}
	}
	slices.Reverse(backward)
	return backward
}
