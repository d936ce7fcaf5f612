package lookup_test

import (
	"slices"
	"strings"
	"testing"

	"axiom25/app/lookup"
	"axiom25/docs/reference"
)

func TestFind(t *testing.T) {
	t.Parallel()
	book, err := reference.Book("../..")
	if err != nil {
		t.Fatal(err)
	}
	index := lookup.Index(book)
	for query, want := range map[string]string{
		"max_tokens":         "Fields max_tokens /reference/taskspec#Budget.max_tokens",
		"goal":               "Fields goal /reference/taskspec#TaskSpec.goal",
		"rule.gte":           "Codes rule.gte /reference/problems#rule.gte",
		"not-acceptable":     "Problems not-acceptable /reference/problems#not-acceptable",
		"NOT-acceptable 406": "Problems not-acceptable /reference/problems#not-acceptable",
		"invariant 8":        "Invariants Invariant 8 /reference/events#invariant-8",
		"post /runs fork":    "Routes POST /runs/{id}/fork /reference/api#forkRun",
		"tool_end":           "Events tool_end /reference/events#tool_end",
		"toolspec":           "Contracts ToolSpec /reference/toolspec",
	} {
		groups := lookup.Find(index, query)
		if len(groups) == 0 {
			t.Errorf("%s: nothing is found", query)
			continue
		}
		first := groups[0].Entries[0]
		if got := strings.Join([]string{first.Group, first.Title, first.Href}, " "); got != want {
			t.Errorf("%s finds %s, want %s", query, got, want)
		}
	}
	if groups := lookup.Find(index, "a"); len(groups[0].Entries) != 8 || groups[0].More == 0 {
		t.Errorf("a common word lists %d and %d more", len(groups[0].Entries), groups[0].More)
	}
	for _, nothing := range []string{"", "  ", "goal xyzzy"} {
		if got := lookup.Find(index, nothing); got != nil {
			t.Errorf("%q finds %v", nothing, got)
		}
	}
}

func TestPieces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, query, want string }{
		{"Max tokens of a run", "run MAX", "[Max] tokens of a [run]"},
		{"tokens", "tok token", "[token]s"},
		{"nothing", "x", "nothing"},
		{"İstanbul goal", "goal", "İstanbul [goal]"},
		{"", "a", ""},
	} {
		var b strings.Builder
		for _, p := range lookup.Pieces(c.text, c.query) {
			if p.Hit {
				b.WriteString("[" + p.Text + "]")
			} else {
				b.WriteString(p.Text)
			}
		}
		if b.String() != c.want {
			t.Errorf("%q in %q gives %q, want %q", c.query, c.text, b.String(), c.want)
		}
	}
	if !slices.Equal(lookup.Pieces("aa", "a"), []lookup.Piece{{"a", true}, {"a", true}}) {
		t.Error("neighbours are not told apart")
	}
}
