package timeline

import (
	"slices"
	"sort"
	"strings"

	"axiom25/contracts"
)

// lanes are the branches of a run, each behind the one that it grew out of, and siblings in the order in which they appeared.
type lanes struct {
	ordered  []*lane
	byBranch map[contracts.Branch]*lane
	ranks    map[contracts.Branch]int // when a path, or one below it, first appeared
}

// lane is one branch: its bars in rows, so that none lies upon another, and its marks.
type lane struct {
	branch contracts.Branch
	depth  int    // how many of the lanes before it it lies in
	name   string // its path below the closest of them
	rows   []*row
	marks  []int32 // their places among all
}

// row is bars that follow each other.
type row struct {
	bars []int32 // their places among all
	// bad counts those before each that went wrong.
	bad   []int32
	open  bool
	until contracts.Time
}

// of returns the lane of a branch, which is added where it is new.
func (ls *lanes) of(branch contracts.Branch) *lane {
	if l, ok := ls.byBranch[branch]; ok {
		return l
	}
	if ls.byBranch == nil {
		ls.byBranch, ls.ranks = make(map[contracts.Branch]*lane), make(map[contracts.Branch]int)
	}
	for path := range prefixes(branch) {
		if _, ok := ls.ranks[path]; !ok {
			ls.ranks[path] = len(ls.ranks)
		}
	}
	l := &lane{branch: branch}
	ls.byBranch[branch] = l
	at := sort.Search(len(ls.ordered), func(i int) bool { return ls.before(branch, ls.ordered[i].branch) })
	ls.ordered = slices.Insert(ls.ordered, at, l)
	ls.name()
	return l
}

// prefixes are the paths that a branch lies on, from the first step to the branch itself.
func prefixes(branch contracts.Branch) func(yield func(contracts.Branch) bool) {
	return func(yield func(contracts.Branch) bool) {
		for i := range len(branch) {
			if branch[i] == '.' && !yield(branch[:i]) {
				return
			}
		}
		if branch != "" {
			yield(branch)
		}
	}
}

// before reports whether branch a stands before b.
func (ls *lanes) before(a, b contracts.Branch) bool {
	steps := make([]contracts.Branch, 0, 8)
	for path := range prefixes(b) {
		steps = append(steps, path)
	}
	i := 0
	for path := range prefixes(a) {
		if i == len(steps) {
			return false // a lies in b
		}
		if path != steps[i] {
			return ls.ranks[path] < ls.ranks[steps[i]]
		}
		i++
	}
	return i < len(steps)
}

// name sets how deep each lane lies, and what is left of its path to say there.
func (ls *lanes) name() {
	var around []*lane
	for _, l := range ls.ordered {
		for len(around) > 0 && !strings.HasPrefix(string(l.branch), string(around[len(around)-1].branch)+".") {
			around = around[:len(around)-1]
		}
		l.depth, l.name = len(around), string(l.branch)
		if len(around) > 0 {
			l.name = l.name[len(around[len(around)-1].branch)+1:]
		}
		if l.branch != "" {
			around = append(around, l)
		}
	}
}

// free returns the first row in which a bar can begin.
func (l *lane) free(start contracts.Time) *row {
	for _, r := range l.rows {
		if !r.open && r.until <= start {
			return r
		}
	}
	r := &row{}
	l.rows = append(l.rows, r)
	return r
}

// add appends a bar, which stays open.
func (r *row) add(index int, bars []Bar) {
	bad := int32(0)
	if n := len(r.bars); n > 0 {
		bad = r.bad[n-1]
		if bars[r.bars[n-1]].bad() {
			bad++
		}
	}
	r.bars, r.bad = append(r.bars, int32(index)), append(r.bad, bad) //nolint:gosec // a browser holds fewer than 2³¹ bars
	r.open = true
}

// countBad is how many of the row's bars from i up to before j went wrong, as seen at a moment.
func (r *row) countBad(i, j int, bars []Bar, at Moment) int {
	n := int(r.bad[j-1] - r.bad[i])
	if bars[r.bars[j-1]].Bad(at) {
		n++
	}
	return n
}
