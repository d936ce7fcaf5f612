package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"axiom25/app/store"
	"axiom25/contracts"
)

// logged adds an event to a log as a server sends it.
func logged(t *testing.T, l *store.Log, branch contracts.Branch, data contracts.EventData) string {
	t.Helper()
	ev := contracts.RunEvent{
		SchemaVersion: contracts.Version, RunID: run, Seq: l.Last() + 1, Time: contracts.Time(l.Last()), Type: data.EventType(), Branch: branch, Data: data,
	}
	sent, err := contracts.Encode(ev)
	if err != nil {
		t.Fatal(err)
	}
	l.Add(&ev, string(sent))
	return string(sent)
}

func spoken(text string) contracts.EventData {
	return &contracts.TokenData{ID: "m", Delta: text, Attempt: 1, Channel: contracts.ChannelAnswer}
}

func never() bool { return false }

func matched(m *store.Matches) []contracts.Seq {
	var seqs []contracts.Seq
	for i := range m.Len() {
		seqs = append(seqs, m.Seq(i))
	}
	return seqs
}

func TestFilter(t *testing.T) {
	t.Parallel()
	var l store.Log
	logged(t, &l, "", spoken("The Sum"))
	logged(t, &l, "a.b", spoken("is \"four\"\nor Ünder"))
	logged(t, &l, "", &contracts.ThoughtData{ID: "t", Delta: "sum it up", Attempt: 1, Kind: contracts.ThoughtReasoning})
	logged(t, &l, "a.b", &contracts.ErrorData{Problem: contracts.Problem{Type: "about:blank", Title: "Lost", Status: 500}, Retry: contracts.RetryNone})
	expression := func(typed string) store.Filter {
		_, re, err := store.ParseSearch(typed, false)
		if err != nil || re == nil {
			t.Fatalf("%s: %v", typed, err)
		}
		return store.Filter{Expression: re}
	}
	for name, c := range map[string]struct {
		filter store.Filter
		want   []contracts.Seq
	}{
		"all":                    {store.Filter{}, []contracts.Seq{1, 2, 3, 4}},
		"types":                  {store.Filter{Types: []contracts.EventType{"thought", "error"}}, []contracts.Seq{3, 4}},
		"a branch":               {store.Filter{Branch: "a.b", OneBranch: true}, []contracts.Seq{2, 4}},
		"the root":               {store.Filter{OneBranch: true}, []contracts.Seq{1, 3}},
		"a text of any case":     {store.Filter{Text: "suM"}, []contracts.Seq{1, 3}},
		"a text that is escaped": {store.Filter{Text: "\"FOUR\"\nor"}, []contracts.Seq{2}},
		"other letters":          {store.Filter{Text: "ünder"}, []contracts.Seq{2}},
		"not the envelope":       {store.Filter{Text: "schema_version"}, nil},
		"all together":           {store.Filter{Types: []contracts.EventType{"token"}, OneBranch: true, Text: "sum"}, []contracts.Seq{1}},
		"an expression":          {expression(`/"status":5\d\d/`), []contracts.Seq{4}},
		"one of this case":       {expression(`/sum/`), []contracts.Seq{3}},
		"one of any case":        {expression(`/SUM/i`), []contracts.Seq{1, 3}},
	} {
		m := store.NewMatches(&l, c.filter)
		if more := m.Extend(never); more || m.Tested() != 4 || !slices.Equal(matched(m), c.want) {
			t.Errorf("%s: %v, more %v; want %v", name, matched(m), more, c.want)
		}
	}
}

func TestParseSearch(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{"": "", "a/b": "a/b", "/": "/", "//": "//", "/a": "/a"} {
		if text, re, err := store.ParseSearch(typed, false); text != want || re != nil || err != nil {
			t.Errorf("%q is %q, %v, %v; want a text", typed, text, re, err)
		}
	}
	if _, re, err := store.ParseSearch("a.b", true); err != nil || re == nil || re.String() != "a.b" {
		t.Errorf("an expression is %v, %v", re, err)
	}
	for typed, want := range map[string]string{"/(/": "missing closing ): (", "/a**/": "invalid nested repetition operator: **", `/\8/`: `invalid escape sequence: \8`} {
		if _, _, err := store.ParseSearch(typed, false); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %q", typed, err, want)
		}
	}
}

func TestMatchesGrowWithTheLog(t *testing.T) {
	t.Parallel()
	var l store.Log
	m := store.NewMatches(&l, store.Filter{Text: "7"})
	stopped := 0
	for range 50 {
		for range 100 {
			logged(t, &l, "", spoken(fmt.Sprintf("word %d", l.Last()+1)))
		}
		for m.Extend(func() bool { return true }) {
			stopped++
		}
	}
	if stopped < 100 {
		t.Errorf("gave way %d times", stopped)
	}
	want := 0
	for n := 1; n <= 5000; n++ {
		if strings.Contains(fmt.Sprint(n), "7") {
			if i, found := m.Index(contracts.Seq(n)); !found || i != want {
				t.Fatalf("event %d is match %d, %v; want %d", n, i, found, want)
			}
			want++
		}
	}
	if m.Len() != want {
		t.Errorf("%d matches, want %d", m.Len(), want)
	}
	if i, found := m.Index(8); found || i != 1 {
		t.Errorf("event 8 would be match %d, %v; want 1", i, found)
	}
}

// TestMatchesOfTextsThatWereLetGoOf searches a log that holds only the newest texts, and then the older ones as they are read
// again.
func TestMatchesOfTextsThatWereLetGoOf(t *testing.T) {
	t.Parallel()
	var l store.Log
	var lines []string
	long := strings.Repeat("x", 10_000)
	for n := range 3000 {
		lines = append(lines, logged(t, &l, "", spoken(fmt.Sprintf("%s <%d>", long, n+1))))
	}
	first := l.First()
	if first <= 1025 || first > 2500 {
		t.Fatalf("keeps the texts from %d on", first)
	}
	m := store.NewMatches(&l, store.Filter{Text: "00>"})
	m.Extend(never)
	unread, n := m.Unread()
	if unread != 1 || n != int(first-1) || m.Len() == 0 || m.Seq(0) < first {
		t.Fatalf("%d texts from %d on were not read, and the first match is %v", n, unread, matched(m))
	}
	if l.Restore(1, lines[1:513]) || l.Restore(2, lines[1:513]) || l.Restore(1, lines[:511]) {
		t.Error("took other events for the first ones")
	}
	for unread, n = m.Unread(); n > 0; unread, n = m.Unread() {
		if !l.Restore(unread, lines[unread-1:unread-1+512]) {
			t.Fatalf("did not take the events from %d on", unread)
		}
		if line, ok := l.Line(unread + 3); !ok || string(line) != lines[unread+2] {
			t.Fatalf("event %d is %.40q", unread+3, line)
		}
		m.Extend(never)
	}
	if m.Len() != 30 || m.Seq(0) != 100 || m.Seq(29) != 3000 {
		t.Errorf("matches %v, want each hundredth", matched(m))
	}
}
