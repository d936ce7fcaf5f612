package journaltest

import (
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/server/journal"
)

var readTests = map[string]func(s *suite){
	"begins behind any cursor": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 3)
		s.extend(t, id, 3, 4)
		s.extend(t, id, 7, 1)
		for after := range contracts.Seq(8) {
			page := s.page(t, id, after)
			if len(page.Events) != int(8-after) {
				t.Fatalf("%d events after %d, want %d", len(page.Events), after, 8-after)
			}
			wantEvents(t, id, page.Events, after+1)
		}
	},
	"gives an empty page at and behind the end": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 3)
		s.create(t, 2, 5)
		for _, after := range []contracts.Seq{3, 4, 1 << 40} {
			page := s.page(t, id, after)
			if len(page.Events) != 0 || page.Last != 3 || page.State != contracts.StateRunning {
				t.Errorf("page after %d is %+v, want an empty one that ends at 3, running", after, page)
			}
		}
	},
	"takes a cursor below 0 as the beginning": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 2)
		wantEqual(t, "page", s.page(t, id, -5), s.page(t, id, 0))
	},
	"ends a page at its count of events": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 5)
		s.extend(t, id, 5, 5)
		for _, count := range []int{0, 1, 4, 5, 6, 10} {
			page, err := s.Read(t.Context(), id, 0, count, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Events) != count || page.Last != 10 {
				t.Errorf("page has %d events and last %d, want %d and 10", len(page.Events), page.Last, count)
			}
			wantEvents(t, id, page.Events, 1)
		}
	},
	"ends a page at its size, but never before its first event": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 5)
		size := len(eventJSON(id, 1))
		for _, c := range []struct{ bytes, want int }{{0, 1}, {1, 1}, {size, 1}, {2*size - 1, 1}, {2 * size, 2}, {5 * size, 5}} {
			page, err := s.Read(t.Context(), id, 0, 100, c.bytes)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Events) != c.want {
				t.Errorf("%d bytes hold %d events, want %d", c.bytes, len(page.Events), c.want)
			}
		}
	},
	"pages of every size make up the same history": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		for last, count := contracts.Seq(1), 1; count <= 12; count++ {
			s.extend(t, id, last, count)
			last += contracts.Seq(count)
		}
		whole := s.page(t, id, 0).Events
		for _, count := range []int{1, 2, 3, 7, 50} {
			var got []journal.Event
			for {
				page, err := s.Read(t.Context(), id, contracts.Seq(len(got)), count, 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				if len(page.Events) == 0 {
					break
				}
				got = append(got, page.Events...)
			}
			wantEqual(t, "history", got, whole)
		}
	},
	"never mixes runs": func(s *suite) {
		t := s.t
		for i := range 5 {
			s.create(t, i, 1)
		}
		for seq := contracts.Seq(1); seq < 9; seq += 2 {
			for i := range 5 {
				s.extend(t, RunID(i), seq, 2)
			}
		}
		for i := range 5 {
			s.wantHistory(t, RunID(i), 9)
		}
	},
	"needs a run": func(s *suite) {
		t := s.t
		s.wantMissing(t, RunID(1))
		s.create(t, 1, 1)
		s.wantMissing(t, RunID(2))
		s.wantMissing(t, "")
	},
}

var keyTests = map[string]func(s *suite){
	"lead to their runs": func(s *suite) {
		t := s.t
		keys := []string{"k", "K", "k ", "", "ä*>. ", strings.Repeat("long", 64)}
		for i, key := range keys {
			run := NewRun(i)
			run.Key = key
			if err := s.Create(t.Context(), run, NewBatch(run.ID, 0, 1)); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			for i, key := range keys {
				id, digest, err := s.ByKey(t.Context(), key)
				if key == "" {
					wantError(t, err, journal.ErrNotFound)
					continue
				}
				if err != nil || id != RunID(i) || digest != NewRun(i).TaskDigest {
					t.Errorf("key %q leads to %s, %s, %v, want %s, %s", key, id, digest, err, RunID(i), NewRun(i).TaskDigest)
				}
			}
			_, _, err := s.ByKey(t.Context(), "kk")
			wantError(t, err, journal.ErrNotFound)
			s.reopen(t)
		}
	},
	"that were refused lead nowhere": func(s *suite) {
		t := s.t
		s.create(t, 1, 1)
		again := NewRun(1)
		again.Key = "k"
		wantConflict(t, s.Create(t.Context(), again, NewBatch(again.ID, 0, 1)), again.ID, 1)
		_, _, err := s.ByKey(t.Context(), "k")
		wantError(t, err, journal.ErrNotFound)
	},
}

var originTests = map[string]func(s *suite){
	"finds a batch by the cursor that its engine named": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 2)
		first := s.extendFrom(t, id, 2, 3, 0)
		s.extend(t, id, 5, 2)
		second := s.extendFrom(t, id, 7, 1, 5)
		s.extend(t, id, 8, 1)
		s.create(t, 2, 4)
		s.extendFrom(t, RunID(2), 4, 1, 3)
		for range 2 {
			for after, want := range map[contracts.Seq]journal.Stored{0: first, 5: second} {
				got, err := s.Batch(t.Context(), id, after)
				if err != nil {
					t.Fatal(err)
				}
				wantEqual(t, "batch", got, want)
			}
			_, err := s.Batch(t.Context(), id, 3)
			wantError(t, err, journal.ErrNotFound)
			s.reopen(t)
		}
	},
	"can stand in the first batch": func(s *suite) {
		t := s.t
		run := NewRun(1)
		first := NewBatch(run.ID, 0, 2)
		first.Origin = &journal.Origin{Digest: contracts.DigestText("body")}
		if err := s.Create(t.Context(), run, first); err != nil {
			t.Fatal(err)
		}
		got, err := s.Batch(t.Context(), run.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "batch", got, journal.Stored{Origin: *first.Origin, First: 1, Last: 2})
	},
	"of several batches with one cursor gives the last": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		s.extendFrom(t, id, 1, 1, 0)
		want := s.extendFrom(t, id, 2, 2, 0)
		got, err := s.Batch(t.Context(), id, 0)
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "batch", got, want)
	},
	"is not there without": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 2)
		s.extend(t, id, 2, 1)
		for _, run := range []contracts.RunID{id, RunID(2)} {
			_, err := s.Batch(t.Context(), run, 0)
			wantError(t, err, journal.ErrNotFound)
		}
	},
	"of a batch that was refused is not kept": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 2)
		b := NewBatch(id, 1, 1)
		b.Origin = &journal.Origin{After: 1}
		wantConflict(t, s.Append(t.Context(), id, b), id, 2)
		_, err := s.Batch(t.Context(), id, 1)
		wantError(t, err, journal.ErrNotFound)
	},
}

// extendFrom appends a batch whose engine named the cursor origin, and returns its place.
func (s *suite) extendFrom(t *testing.T, id contracts.RunID, after contracts.Seq, count int, origin contracts.Seq) journal.Stored {
	t.Helper()
	b := NewBatch(id, after, count)
	b.Origin = &journal.Origin{After: origin, Digest: contracts.DigestText(string(id) + string(b.Events[0]))}
	if err := s.Append(t.Context(), id, b); err != nil {
		t.Fatalf("append: %v", err)
	}
	return journal.Stored{Origin: *b.Origin, First: after + 1, Last: after + contracts.Seq(count)}
}

var listTests = map[string]func(s *suite){
	"is empty at first": func(s *suite) {
		t := s.t
		s.wantList(t, journal.Query{Limit: 10})
	},
	"gives the newest first, with the summary of the last append": func(s *suite) {
		t := s.t
		for _, i := range []int{2, 5, 1, 4, 3} {
			s.create(t, i, 1)
		}
		b := NewBatch(RunID(3), 1, 2)
		b.Summary.State = contracts.StateFailed
		if err := s.Append(t.Context(), RunID(3), b); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			s.wantList(t, journal.Query{Limit: 10}, 5, 4, 3, 2, 1)
			runs, err := s.List(t.Context(), journal.Query{Limit: 3})
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, "summary", runs[2], b.Summary)
			s.reopen(t)
		}
	},
	"goes page by page": func(s *suite) {
		t := s.t
		for i := range 7 {
			s.create(t, i, 1)
		}
		s.wantList(t, journal.Query{Limit: 3}, 6, 5, 4)
		s.wantList(t, journal.Query{Limit: 3, Before: RunID(4)}, 3, 2, 1)
		s.wantList(t, journal.Query{Limit: 3, Before: RunID(1)}, 0)
		s.wantList(t, journal.Query{Limit: 3, Before: RunID(0)})
		s.wantList(t, journal.Query{Limit: 1, Before: "run_02"}, 6)
	},
	"takes a limit outside 1..500 as the nearer end": func(s *suite) {
		t := s.t
		s.createMany(t, 502)
		for limit, want := range map[int]int{-1: 1, 0: 1, 500: 500, 501: 500, 1 << 30: 500} {
			runs, err := s.List(t.Context(), journal.Query{Limit: limit})
			if err != nil {
				t.Fatal(err)
			}
			if len(runs) != want {
				t.Errorf("limit %d gives %d runs, want %d", limit, len(runs), want)
			}
		}
	},
	"keeps what every filter keeps": func(s *suite) {
		t := s.t
		for i, row := range listRows {
			run := NewRun(i)
			b := NewBatch(run.ID, 0, 1)
			b.Summary.State, b.Summary.Goal, b.Summary.Labels, b.Summary.CreatedAt = row.state, row.goal, row.labels, row.created
			if err := s.Create(t.Context(), run, b); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range listCases {
			c.query.Limit = 100
			s.wantList(t, c.query, c.want...)
		}
	},
	"filters by the state as of now": func(s *suite) {
		t := s.t
		id := s.create(t, 1, 1)
		s.create(t, 2, 1)
		running := journal.Query{States: []contracts.State{contracts.StateRunning}, Limit: 10}
		done := journal.Query{States: []contracts.State{contracts.StateSucceeded}, Limit: 10}
		s.wantList(t, running, 2, 1)
		b := NewBatch(id, 1, 1)
		b.Summary.State = contracts.StateSucceeded
		if err := s.Append(t.Context(), id, b); err != nil {
			t.Fatal(err)
		}
		s.wantList(t, running, 2)
		s.wantList(t, done, 1)
	},
}

var listRows = []struct {
	state   contracts.State
	goal    string
	labels  map[string]string
	created contracts.Time
}{
	0: {contracts.StateQueued, "Weigh the planets", map[string]string{"team": "sky", "env": "test"}, 1000},
	1: {contracts.StateRunning, "weigh 100% of the elements", map[string]string{"team": "sky"}, 2000},
	2: {contracts.StateSucceeded, "rename_all files", map[string]string{"team": "Sky", "env": ""}, 3000},
	3: {contracts.StateRunning, `a back\slash and "quotes' -- ;`, nil, 4000},
	4: {contracts.StateFailed, "ÄPFEL zählen", map[string]string{"env": "test"}, 5000},
}

var listCases = []struct {
	query journal.Query
	want  []int
}{
	{journal.Query{}, []int{4, 3, 2, 1, 0}},
	{journal.Query{States: []contracts.State{contracts.StateRunning}}, []int{3, 1}},
	{journal.Query{States: []contracts.State{contracts.StateRunning, contracts.StateFailed, contracts.StateQueued}}, []int{4, 3, 1, 0}},
	{journal.Query{States: []contracts.State{contracts.StateRefused}}, nil},
	{journal.Query{Labels: map[string]string{"team": "sky"}}, []int{1, 0}},
	{journal.Query{Labels: map[string]string{"team": "sky", "env": "test"}}, []int{0}},
	{journal.Query{Labels: map[string]string{"env": ""}}, []int{2}},
	{journal.Query{Labels: map[string]string{"sky": "team"}}, nil},
	{journal.Query{Text: "WEIGH"}, []int{1, 0}},
	{journal.Query{Text: "%"}, []int{1}},
	{journal.Query{Text: "_"}, []int{4, 3, 2, 1, 0}}, // every id has one
	{journal.Query{Text: "e_a"}, []int{2}},
	{journal.Query{Text: `K\S`}, []int{3}},
	{journal.Query{Text: `"quotes' -- ;`}, []int{3}},
	{journal.Query{Text: "äpfel"}, nil},
	{journal.Query{Text: "Äpfel"}, []int{4}},
	{journal.Query{Text: "RUN_01"}, []int{4, 3, 2, 1, 0}},
	{journal.Query{Text: string(RunID(3)[10:])}, []int{3}},
	{journal.Query{Since: 3000}, []int{4, 3, 2}},
	{journal.Query{Until: 3000}, []int{1, 0}},
	{journal.Query{Since: 2000, Until: 5000}, []int{3, 2, 1}},
	{journal.Query{Since: 5001}, nil},
	{journal.Query{Before: RunID(3), Since: 2000}, []int{2, 1}},
	{journal.Query{Text: "weigh", States: []contracts.State{contracts.StateQueued}, Labels: map[string]string{"env": "test"}, Until: 1001, Before: RunID(1)}, []int{0}},
}

// wantList fails the test unless the query gives these runs, in this order.
func (s *suite) wantList(t *testing.T, q journal.Query, want ...int) {
	t.Helper()
	runs, err := s.List(t.Context(), q)
	if err != nil {
		t.Fatalf("list %+v: %v", q, err)
	}
	var got, ids []contracts.RunID
	for _, run := range runs {
		got = append(got, run.RunID)
	}
	for _, i := range want {
		ids = append(ids, RunID(i))
	}
	if !slices.Equal(got, ids) {
		t.Errorf("list %+v:\n got %v\nwant %v", q, got, ids)
	}
}

// createMany creates runs 0..n-1 at once.
func (s *suite) createMany(t *testing.T, n int) {
	t.Helper()
	atOnce(n, func(i int) {
		run := NewRun(i)
		if err := s.Create(t.Context(), run, NewBatch(run.ID, 0, 1)); err != nil {
			t.Errorf("create run %d: %v", i, err)
		}
	})
}
