package pages

import (
	"maps"
	"slices"

	"axiom25/app/store"
)

// numberedCall is an attempt of a call that knows how many there are.
type numberedCall struct {
	store.Call
	attempts int64
}

// The words for where a call stands that has not ended.
const (
	callRunning = "running"
	callWaiting = "waiting"
)

// statusOf says where an attempt stands in one word.
func statusOf(c *store.Call) string {
	switch {
	case c.End != nil:
		return string(c.End.Status)
	case c.Pending():
		return callWaiting
	}
	return callRunning
}

// filterCalls returns the attempts that have a status and a tool, each anything where it is empty. The attempts of a call stand
// in a row.
func filterCalls(calls []store.Call, status, tool string) []numberedCall {
	matching := make([]numberedCall, 0, len(calls))
	for from := 0; from < len(calls); {
		to := from + 1
		for to < len(calls) && calls[to].CallID == calls[from].CallID {
			to++
		}
		for i := from; i < to; i++ {
			if c := &calls[i]; (status == "" || statusOf(c) == status) && (tool == "" || string(c.Tool) == tool) {
				matching = append(matching, numberedCall{Call: *c, attempts: calls[to-1].Attempt})
			}
		}
		from = to
	}
	return matching
}

// statusesOf and toolsOf are what can be chosen from, sorted.
func statusesOf(calls []store.Call) []string {
	found := make(map[string]bool)
	for i := range calls {
		found[statusOf(&calls[i])] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func toolsOf(calls []store.Call) []string {
	found := make(map[string]bool)
	for i := range calls {
		found[string(calls[i].Tool)] = true
	}
	return slices.Sorted(maps.Keys(found))
}
