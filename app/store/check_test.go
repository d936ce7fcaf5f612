package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"axiom25/app/store"
	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// saved returns a run as it is exported, an event a line.
func saved(run contractstest.Run) []string {
	lines := make([]string, len(run.Events))
	for i, ev := range run.Events {
		lines[i] = string(contractstest.Document(ev))
	}
	return lines
}

func TestCheckOfADocument(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		kind     contracts.Kind
		version  int64
		valid    bool
		problems int
	}{
		``:                                {},
		" \n":                             {},
		`{"schema_version":2,"goal":"a"}`: {contracts.KindTaskSpec, 2, true, 0},
		`{"schema_version":1,"goal":"a","gaol":1}`:                {contracts.KindTaskSpec, 1, false, 1},
		`{"schema_version":2}`:                                    {"", 2, false, 0},
		`{"goal":"a","effect":"read"}`:                            {"", 0, false, 0},
		`[1`:                                                      {contracts.KindTaskSpec, 0, false, 1},
		"{\n\"schema_version\":2,\n\"max_tokens\":0}":             {contracts.KindBudget, 2, false, 1},
		`{"goal":"` + strings.Repeat("a", 2<<20) + `"}`:           {contracts.KindTaskSpec, 0, false, 1},
		`{"schema_version":2,"run_id":"x"}`:                       {contracts.KindRunEvent, 2, false, 5},
		string(contractstest.Document(contractstest.TaskSpec())):  {contracts.KindTaskSpec, 2, true, 0},
		saved(contractstest.SucceededRun())[0] + "\n":             {contracts.KindRunEvent, 2, true, 0},
		"{\"schema_version\":2,\"goal\":\"a\"}\n{\"goal\":\"b\"}": {contracts.KindRunEvent, 2, false, 0}, // lines: only events come so
	} {
		got := store.Check("", text, nil)
		if got.Kind != want.kind || got.Version != want.version || got.Judgement.Valid != want.valid || len(got.Judgement.Places) != want.problems {
			t.Errorf("%.60s is found to be %q in version %d, valid %t, with %d problems; want %+v",
				text, got.Kind, got.Version, got.Judgement.Valid, len(got.Judgement.Places), want)
		}
	}
	if got := store.Check(contracts.KindBudget, `{"goal":"a"}`, nil); got.Kind != contracts.KindBudget || len(got.Judgement.Places) == 0 {
		t.Errorf("held against a contract that was named: %+v", got)
	}
}

func TestCheckOfAStream(t *testing.T) {
	t.Parallel()
	whole := saved(contractstest.SucceededRun())
	sse := "retry: 2000\n: axiom25\n\nid: 1\ndata: " + strings.Join(whole, "\n\ndata: ") + "\n\n"
	without := func(i int) string { return strings.Join(slices.Delete(slices.Clone(whole), i, i+1), "\n") }
	for name, c := range map[string]struct {
		text                     string
		events, wrong, invariant int
		line                     int
	}{
		"whole":                        {strings.Join(whole, "\n") + "\n", len(whole), 0, 0, 0},
		"as a stream of server events": {sse, len(whole), 0, 0, 0},
		"as a file of Windows":         {strings.Join(whole, "\r\n"), len(whole), 0, 0, 0},
		"with a gap":                   {without(3), len(whole) - 1, 0, 1, 4},
		"cut":                          {strings.Join(whole[:4], "\n"), 4, 0, 18, 0},
		"with a member that no event has": {
			strings.Replace(strings.Join(whole, "\n"), `"seq":2,`, `"seq":2,"sequel":3,`, 1), len(whole), 1, 0, 0,
		},
		"that began anew": {strings.Join(whole[:5], "\n") + "\nevent: reset\ndata: {}\n\n" + without(2), len(whole) + 4, 0, 1, 11},
	} {
		got := store.Check("", c.text, nil)
		s := got.Stream
		if s == nil || got.Kind != contracts.KindRunEvent {
			t.Errorf("%s: is no stream: %+v", name, got)
			continue
		}
		invariant := 0
		if s.Broken != nil {
			invariant = s.Broken.Invariant
		}
		if s.Events != c.events || s.Wrong != c.wrong || invariant != c.invariant || s.BrokenLine != c.line || s.Failed != nil {
			t.Errorf("%s: %d events, %d wrong, invariant %d broken in line %d, %v; want %+v", name, s.Events, s.Wrong, invariant, s.BrokenLine, s.Failed, c)
		}
	}
}

// TestAStreamsProblemsStandWhereTheyAre looks at the bytes that a line's problem marks.
func TestAStreamsProblemsStandWhereTheyAre(t *testing.T) {
	t.Parallel()
	whole := saved(contractstest.SucceededRun())
	whole[1] = strings.Replace(whole[1], `"seq":2,`, `"seq":2,"sequel":3,`, 1)
	whole[4] = `{"ä":1}`
	for name, text := range map[string]string{
		"lines": "\n" + strings.Join(whole, "\r\n\n"), "frames": "data: " + strings.Join(whole, "\n\ndata: "),
	} {
		s := store.Check(contracts.KindRunEvent, text, nil).Stream
		if s.Wrong != 2 || len(s.Lines) != 2 || s.Failed == nil {
			t.Fatalf("%s: %+v", name, s)
		}
		first := s.Lines[0].Places[0]
		before := text[:first.Start]
		if text[first.Start:first.End] != `"sequel"` || first.Line != 1+strings.Count(before, "\n") || first.Line != s.Lines[0].Number {
			t.Errorf("%s: the first stands at %+v: %q", name, first, text[first.Start:first.End])
		}
		if column := len(before) - strings.LastIndex(before, "\n"); first.Column != column {
			t.Errorf("%s: in column %d, want %d", name, first.Column, column)
		}
		if problem := s.Lines[0].Problem; !problem.Has(contracts.ProblemInvalidDocument) || problem.Errors[0].Params["did_you_mean"] != nil {
			t.Errorf("%s: %+v", name, problem)
		}
	}
}

func TestAStreamListsTheFirstWrongLines(t *testing.T) {
	t.Parallel()
	s := store.Check(contracts.KindRunEvent, strings.Repeat("{}\n", 250), nil).Stream
	if s.Wrong != 250 || len(s.Lines) != store.MaxWrongLines {
		t.Errorf("%d wrong, %d listed", s.Wrong, len(s.Lines))
	}
}

func TestACheckCanBeStopped(t *testing.T) {
	t.Parallel()
	text := strings.Repeat(strings.Join(saved(contractstest.SucceededRun()), "\n")+"\n", 100)
	var shares []float64
	s := store.Check("", text, func(share float64) bool {
		shares = append(shares, share)
		return len(shares) < 5
	}).Stream
	if s.Failed == nil || len(shares) != 5 || !slices.IsSorted(shares) || shares[0] != 0 {
		t.Errorf("stopped at %v: %v", shares, s.Failed)
	}
	shares = nil
	done := store.Check("", text, func(share float64) bool { shares = append(shares, share); return true }).Stream
	if !slices.IsSorted(shares) || shares[len(shares)-1] >= 1 || shares[len(shares)-1] < 0.5 {
		t.Errorf("went by %v", shares)
	}
	if done.Broken == nil || errors.Is(done.Failed, s.Failed) {
		t.Errorf("%+v", done)
	}
}
