package store

import (
	"slices"
	"strings"

	"axiom25/contracts"
)

// RunCounts are how many runs of a list are in each state.
type RunCounts map[contracts.State]int

// CountRuns counts a list.
func CountRuns(list []*contracts.Summary) RunCounts {
	counts := make(RunCounts, 9)
	for _, s := range list {
		counts[s.State]++
	}
	return counts
}

// RunIndex returns where a run stands in a list that has the newest first, or, where it is not listed, where it would.
func RunIndex(list []*contracts.Summary, id contracts.RunID) (int, bool) {
	return slices.BinarySearchFunc(list, id, func(s *contracts.Summary, id contracts.RunID) int {
		return strings.Compare(string(id), string(s.RunID))
	})
}

// WithRows returns a list, which is not changed, with runs in their places: the newest first, without runs in states that are
// not wanted. end is the oldest run that a list is known down to; empty where it is known as a whole.
func WithRows(list []*contracts.Summary, rows []contracts.Summary, states []contracts.State, end contracts.RunID) []*contracts.Summary {
	changed := slices.Clone(list)
	for i := range rows {
		row := &rows[i]
		at, listed := RunIndex(changed, row.RunID)
		wanted := len(states) == 0 || slices.Contains(states, row.State)
		switch {
		case listed && changed[at].LastSeq > row.LastSeq:
		case listed && wanted:
			changed[at] = row
		case listed:
			changed = slices.Delete(changed, at, at+1)
		case wanted && row.RunID >= end:
			changed = slices.Insert(changed, at, row)
		}
	}
	return changed
}

// WithPage returns a list, which is not changed, with a page in place of what it had of the same stretch: the page that was
// asked for before the run from, or the first where from is empty. Of a run that both have, the one that is further counts.
func WithPage(list []*contracts.Summary, from contracts.RunID, page *contracts.RunList) []*contracts.Summary {
	merged := make([]*contracts.Summary, 0, len(list)+len(page.Runs))
	for _, s := range list {
		if from != "" && s.RunID >= from {
			merged = append(merged, s)
		}
	}
	for i := range page.Runs {
		row := &page.Runs[i]
		if at, listed := RunIndex(list, row.RunID); listed && list[at].LastSeq > row.LastSeq {
			row = list[at]
		}
		merged = append(merged, row)
	}
	for _, s := range list {
		if page.Next != "" && s.RunID < page.Next {
			merged = append(merged, s)
		}
	}
	return merged
}
