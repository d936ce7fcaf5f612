package store_test

import (
	"fmt"
	"slices"
	"testing"

	"axiom25/app/store"
	"axiom25/contracts"
)

const stateRunning, stateWaiting = contracts.StateRunning, contracts.StateWaiting

func row(id string, seq contracts.Seq, state contracts.State) contracts.Summary {
	return contracts.Summary{RunID: contracts.RunID(id), LastSeq: seq, State: state}
}

func listOf(rows ...contracts.Summary) []*contracts.Summary {
	list := make([]*contracts.Summary, len(rows))
	for i := range rows {
		list[i] = &rows[i]
	}
	return list
}

// said writes a list as ids with their last events.
func said(list []*contracts.Summary) []string {
	words := []string{}
	for _, s := range list {
		words = append(words, fmt.Sprint(s.RunID, s.LastSeq))
	}
	return words
}

func TestWithRows(t *testing.T) {
	t.Parallel()
	list := listOf(row("d", 4, stateRunning), row("b", 2, stateRunning))
	for name, c := range map[string]struct {
		rows   []contracts.Summary
		states []contracts.State
		end    contracts.RunID
		want   []string
	}{
		"a change":                        {[]contracts.Summary{row("b", 3, stateWaiting)}, nil, "", []string{"d4", "b3"}},
		"what is older than what is seen": {[]contracts.Summary{row("b", 1, stateWaiting)}, nil, "", []string{"d4", "b2"}},
		"a new run":                       {[]contracts.Summary{row("e", 1, stateRunning)}, nil, "", []string{"e1", "d4", "b2"}},
		"a run in between":                {[]contracts.Summary{row("c", 1, stateRunning)}, nil, "b", []string{"d4", "c1", "b2"}},
		"an old run of a whole list":      {[]contracts.Summary{row("a", 1, stateRunning)}, nil, "", []string{"d4", "b2", "a1"}},
		"an old run of a list cut off":    {[]contracts.Summary{row("a", 1, stateRunning)}, nil, "b", []string{"d4", "b2"}},
		"a run that leaves the filter":    {[]contracts.Summary{row("d", 5, stateWaiting)}, []contracts.State{stateRunning}, "", []string{"b2"}},
		"a run that the filter excludes":  {[]contracts.Summary{row("e", 1, stateWaiting)}, []contracts.State{stateRunning}, "", []string{"d4", "b2"}},
		"one of two states":               {[]contracts.Summary{row("e", 1, stateWaiting)}, []contracts.State{stateRunning, stateWaiting}, "", []string{"e1", "d4", "b2"}},
		"several, of which one comes and goes": {
			[]contracts.Summary{row("e", 1, stateRunning), row("c", 1, stateRunning), row("e", 2, stateWaiting)},
			[]contracts.State{stateRunning},
			"",
			[]string{"d4", "c1", "b2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := said(store.WithRows(list, c.rows, c.states, c.end)); !slices.Equal(got, c.want) {
				t.Errorf("lists %v, want %v", got, c.want)
			}
			if got := said(list); !slices.Equal(got, []string{"d4", "b2"}) {
				t.Errorf("the list that was given has changed: %v", got)
			}
		})
	}
}

func TestWithPage(t *testing.T) {
	t.Parallel()
	list := listOf(row("h", 1, stateRunning), row("f", 5, stateRunning), row("d", 1, stateRunning), row("b", 1, stateRunning))
	for name, c := range map[string]struct {
		from contracts.RunID
		page contracts.RunList
		want []string
	}{
		"the newest, whole": {"", contracts.RunList{Runs: []contracts.Summary{row("i", 1, stateRunning), row("h", 2, stateRunning)}}, []string{"i1", "h2"}},
		"the newest, with older ones behind": {
			"",
			contracts.RunList{Runs: []contracts.Summary{row("i", 1, stateRunning), row("h", 2, stateRunning), row("e", 1, stateRunning)}, Next: "e"},
			[]string{"i1", "h2", "e1", "d1", "b1"},
		},
		"what is known further":       {"", contracts.RunList{Runs: []contracts.Summary{row("f", 4, stateRunning)}, Next: "f"}, []string{"f5", "d1", "b1"}},
		"a page in the middle":        {"f", contracts.RunList{Runs: []contracts.Summary{row("d", 2, stateRunning)}, Next: "d"}, []string{"h1", "f5", "d2", "b1"}},
		"a page of what has gone":     {"f", contracts.RunList{}, []string{"h1", "f5"}},
		"a page behind what is known": {"b", contracts.RunList{Runs: []contracts.Summary{row("a", 1, stateRunning)}}, []string{"h1", "f5", "d1", "b1", "a1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := said(store.WithPage(list, c.from, &c.page)); !slices.Equal(got, c.want) {
				t.Errorf("lists %v, want %v", got, c.want)
			}
		})
	}
}

func TestRunIndex(t *testing.T) {
	t.Parallel()
	list := listOf(row("d", 1, stateRunning), row("b", 1, stateWaiting))
	for id, want := range map[contracts.RunID]int{"e": 0, "d": 0, "c": 1, "b": 1, "a": 2} {
		if got, listed := store.RunIndex(list, id); got != want || listed != (id == "d" || id == "b") {
			t.Errorf("%s stands at %d (%t), want %d", id, got, listed, want)
		}
	}
	if counts := store.CountRuns(list); counts[stateRunning] != 1 || counts[stateWaiting] != 1 || len(counts) != 2 {
		t.Errorf("counts %v", counts)
	}
}
