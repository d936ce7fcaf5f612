package store_test

import (
	"slices"
	"testing"

	"axiom25/app/store"
	"axiom25/contracts"
)

func TestWithRow(t *testing.T) {
	t.Parallel()
	const running, waiting = contracts.StateRunning, contracts.StateWaiting
	row := func(id string, seq contracts.Seq, state contracts.State) contracts.Summary {
		return contracts.Summary{RunID: contracts.RunID(id), LastSeq: seq, State: state}
	}
	list := []contracts.Summary{row("d", 4, running), row("b", 2, running)}
	for name, c := range map[string]struct {
		row    contracts.Summary
		states []contracts.State
		full   bool
		want   []contracts.RunID
		last   contracts.Seq // of the row's run, 0 where it is not listed
	}{
		"a change":                        {row("b", 3, waiting), nil, false, []contracts.RunID{"d", "b"}, 3},
		"what is older than what is seen": {row("b", 1, waiting), nil, false, []contracts.RunID{"d", "b"}, 2},
		"a new run":                       {row("e", 1, running), nil, false, []contracts.RunID{"e", "d", "b"}, 1},
		"a run in between":                {row("c", 1, running), nil, false, []contracts.RunID{"d", "c", "b"}, 1},
		"an old run of a whole list":      {row("a", 1, running), nil, false, []contracts.RunID{"d", "b", "a"}, 1},
		"an old run of a list cut off":    {row("a", 1, running), nil, true, []contracts.RunID{"d", "b"}, 0},
		"a run that leaves the filter":    {row("d", 5, waiting), []contracts.State{running}, false, []contracts.RunID{"b"}, 0},
		"a run that the filter excludes":  {row("e", 1, waiting), []contracts.State{running}, false, []contracts.RunID{"d", "b"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ids []contracts.RunID
			var last contracts.Seq
			for _, s := range store.WithRow(list, &c.row, c.states, c.full) {
				ids = append(ids, s.RunID)
				if s.RunID == c.row.RunID {
					last = s.LastSeq
				}
			}
			if !slices.Equal(ids, c.want) || last != c.last {
				t.Errorf("lists %v with the run at %d, want %v at %d", ids, last, c.want, c.last)
			}
		})
	}
	if list[0].LastSeq != 4 || list[1].LastSeq != 2 {
		t.Errorf("the list that was given has changed: %v", list)
	}
}
