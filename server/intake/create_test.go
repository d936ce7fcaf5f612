package intake_test

import (
	"testing"

	"axiom25/contracts"
	"axiom25/server/intake"
	"axiom25/server/journal"
)

func TestCreate(t *testing.T) {
	t.Parallel()

	t.Run("the first event says what the run is held to", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		doc := task(withTools + `,"profile":"tight","budget":{"max_tokens":500},"verification":{"assertions":[{"id":"a","type":"contains","value":"8"}],"release":"verified"},"labels":{"team":"astro"}`)
		c, replayed, err := d.Create(t.Context(), []byte(doc), intake.CreateOptions{Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
		if err != nil || replayed {
			t.Fatalf("Create = %v, %v", replayed, problemText(err))
		}
		if c.State != contracts.StateQueued || c.Links != contracts.LinksOf(c.RunID) {
			t.Errorf("Created = %+v", c)
		}
		events := d.events(c.RunID)
		if len(events) != 1 || events[0].Seq != 1 || events[0].RunID != c.RunID || events[0].SchemaVersion != contracts.Version {
			t.Fatalf("events = %+v", events)
		}
		h := body[*contracts.StatusData](t, events[0])
		wantDigest, _ := contracts.DigestJSON([]byte(doc))
		limits := contracts.ProfileLimits(contracts.ProfileTight)
		limits.MaxTokens = 500
		if h.State != contracts.StateQueued || h.Reason != contracts.ReasonSubmitted || h.TaskDigest != wantDigest ||
			*h.Limits != limits || h.Profile != contracts.ProfileTight || h.Release != contracts.ReleaseVerified ||
			h.Backend != contracts.ExternalEngine || h.Traceparent == "" {
			t.Errorf("header = %+v", h)
		}
		lookupEntry, _ := d.shelf.Entry("lookup@1.0.0")
		if len(h.Tools) != 2 || h.Tools["lookup@1.0.0"] != lookupEntry.Digest || h.Tools["send@2.1.0"] == "" {
			t.Errorf("pinned tools = %v", h.Tools)
		}
		rows, err := d.journal.List(t.Context(), journal.Query{Limit: 10})
		if err != nil || len(rows) != 1 || rows[0].RunID != c.RunID || rows[0].Labels["team"] != "astro" || rows[0].LastSeq != 1 || rows[0].State != contracts.StateQueued {
			t.Errorf("List = %+v, %v", rows, err)
		}
	})

	t.Run("without a contract there is no release", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		if h := body[*contracts.StatusData](t, d.events(id)[0]); h.Release != "" {
			t.Errorf("release = %q", h.Release)
		}
	})

	t.Run("an in-process engine is started once the run is stored", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(`,"backend":{"prefer":["local"]}`)
		if got := d.hands.startedRuns(); len(got) != 1 || got[0] != id {
			t.Errorf("started = %v, want %s", got, id)
		}
	})

	t.Run("a key gives the same run again, and no other task", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		options := intake.CreateOptions{IdempotencyKey: "k1"}
		first, _, err := d.Create(t.Context(), []byte(task("")), options)
		if err != nil {
			t.Fatal(err)
		}
		d.mustReport(first.RunID, `thought {"id":"t","delta":"x"}`)
		again, replayed, err := d.Create(t.Context(), []byte(` `+task("")), options)
		if err != nil || !replayed || again.RunID != first.RunID || again.State != contracts.StateRunning {
			t.Errorf("replay = %+v, %v, %v", again, replayed, err)
		}
		_, _, err = d.Create(t.Context(), []byte(task(`,"profile":"max"`)), options)
		wantProblem(t, err, contracts.ProblemIdempotencyConflict)
		if rows, _ := d.journal.List(t.Context(), journal.Query{Limit: 10}); len(rows) != 1 {
			t.Errorf("%d runs stand in the journal, want 1", len(rows))
		}
	})

	t.Run("what is refused leaves nothing behind", func(t *testing.T) {
		t.Parallel()
		refusal := contracts.NewProblem(contracts.ProblemUnavailable, "no such engine")
		for name, row := range map[string]struct {
			doc     string
			refusal error
			want    contracts.ProblemType
		}{
			"malformed":        {`{`, nil, contracts.ProblemMalformed},
			"invalid":          {`{"schema_version":2,"goal":" "}`, nil, contracts.ProblemInvalidDocument},
			"unknown tool":     {task(`,"allowed_tools":["nothing"]`), nil, contracts.ProblemToolUnknown},
			"over the ceiling": {task(`,"budget":{"max_tokens":1000001}`), nil, contracts.ProblemOverCeiling},
			"no engine":        {task(""), refusal, contracts.ProblemUnavailable},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d := open(t)
				d.hands.refusal = row.refusal
				_, _, err := d.Create(t.Context(), []byte(row.doc), intake.CreateOptions{IdempotencyKey: "k"})
				wantProblem(t, err, row.want)
				if rows, err := d.journal.List(t.Context(), journal.Query{Limit: 10}); len(rows) != 0 || err != nil {
					t.Errorf("List = %v, %v", rows, err)
				}
				if got := d.hands.startedRuns(); len(got) != 0 {
					t.Errorf("started = %v", got)
				}
			})
		}
	})

	t.Run("a list shows the beginning of a long goal", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		goal := ""
		for range 300 {
			goal += "é"
		}
		c, _, err := d.Create(t.Context(), []byte(`{"schema_version":2,"goal":"`+goal+`"}`), intake.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		rows, _ := d.journal.List(t.Context(), journal.Query{Limit: 1})
		if got := []rune(rows[0].Goal); len(got) != 200 {
			t.Errorf("the row's goal has %d characters, want 200", len(got))
		}
		s, err := d.Snapshot(t.Context(), c.RunID)
		if err != nil || s.Goal != goal {
			t.Errorf("the snapshot's goal has %d bytes, %v", len(s.Goal), err)
		}
	})
}

func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := intake.New(intake.Config{}); err == nil {
		t.Error("New of an empty configuration must fail")
	}
}

func TestTask(t *testing.T) {
	t.Parallel()
	d := openWithTools(t)
	plain := task(withTools + ` , "inputs":[{"name":"a","text":"open"}]`)
	c, _, err := d.Create(t.Context(), []byte(plain), intake.CreateOptions{})
	if err != nil {
		t.Fatal(problemText(err))
	}
	got, err := d.Task(t.Context(), c.RunID)
	if err != nil || string(got.Shown) != plain || len(got.Tools) != 2 || got.Backend != contracts.ExternalEngine {
		t.Errorf("Task = %+v, %v", got, err)
	}
	if got.Limits != contracts.ProfileLimits(contracts.ProfileBalanced) {
		t.Errorf("limits = %+v", got.Limits)
	}

	id := d.create(`,"inputs":[{"name":"a","text":"open"},{"name":"b","text":"very secret","sensitive":true},{"name":"c","data":{"pin":1234},"sensitive":true}]`)
	got, err = d.Task(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if *got.Spec.Inputs[1].Text != "very secret" {
		t.Error("the engine's task must be whole")
	}
	for _, secret := range []string{"very secret", "1234"} {
		if containsText(got.Shown, secret) {
			t.Errorf("the shown task holds %q: %s", secret, got.Shown)
		}
	}
	if !containsText(got.Shown, "open") {
		t.Errorf("the shown task lost an open input: %s", got.Shown)
	}
	_, err = d.Task(t.Context(), "run_01hzzzzzzzzzzzzzzzzzzzzzzz")
	wantProblem(t, err, contracts.ProblemNotFound)
}

// TestCreateFromVersion1 shows that a task of the version before is run as the current one says, and shown, hashed and
// refused as it was sent.
func TestCreateFromVersion1(t *testing.T) {
	t.Parallel()
	const doc = `{ "schema_version":1, "goal":"g", "inputs":{"sensitive":"x","a":{"n":1.0}}, "budget":{"tokens":500,"time_s":7} }`

	t.Run("the document stays what was sent", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		c, _, err := d.Create(t.Context(), []byte(doc), intake.CreateOptions{IdempotencyKey: "k"})
		if err != nil {
			t.Fatal(problemText(err))
		}
		got, err := d.Task(t.Context(), c.RunID)
		if err != nil || string(got.Shown) != doc {
			t.Errorf("shown: %s, %v", got.Shown, err)
		}
		if got.Spec.SchemaVersion != contracts.Version || len(got.Spec.Inputs) != 2 || len(got.Spec.Sensitive()) != 0 {
			t.Errorf("task = %+v", got.Spec)
		}
		if got.Limits.MaxTokens != 500 || got.Limits.MaxWallMS != 7000 {
			t.Errorf("limits = %+v", got.Limits)
		}
		h := body[*contracts.StatusData](t, d.events(c.RunID)[0])
		if want, _ := contracts.DigestJSON([]byte(doc)); h.TaskDigest != want {
			t.Errorf("digest = %s, want %s", h.TaskDigest, want)
		}
		again, replayed, err := d.Create(t.Context(), []byte(doc), intake.CreateOptions{IdempotencyKey: "k"})
		if err != nil || !replayed || again.RunID != c.RunID {
			t.Errorf("replay = %+v, %v, %v", again, replayed, err)
		}
	})

	t.Run("a refusal points into the document that was sent", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		_, _, err := d.Create(t.Context(), []byte(`{"schema_version":1,"goal":"g","budget":{"tokens":9007199254740991}}`), intake.CreateOptions{})
		p := wantProblem(t, err, contracts.ProblemOverCeiling)
		if len(p.Errors) != 1 || p.Errors[0].Pointer != "#/budget/tokens" || p.Schema != "taskspec/v1" {
			t.Errorf("problem = %s", problemText(err))
		}
	})
}
