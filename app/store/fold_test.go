package store_test

import (
	"errors"
	"strings"
	"testing"

	"axiom25/app/store"
	"axiom25/contracts"
)

// run is the id of the run that the tests fold.
const run = contracts.RunID("run_01m81tqkhryw3vmma10cpw1nqk")

// line writes one event of the run.
func line(t *testing.T, seq contracts.Seq, data contracts.EventData) []byte {
	t.Helper()
	b, err := contracts.Encode(contracts.RunEvent{
		SchemaVersion: contracts.Version, RunID: run, Seq: seq, Time: contracts.Time(1_700_000_000_000 + int64(seq)),
		Type: data.EventType(), Data: data,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// digest is any digest.
func digest() contracts.Digest { return contracts.DigestText("x") }

func queued() *contracts.StatusData {
	limits := contracts.ProfileLimits(contracts.ProfileBalanced)
	return &contracts.StatusData{
		State: contracts.StateQueued, Reason: contracts.ReasonSubmitted, TaskDigest: digest(), Limits: &limits,
		Profile: contracts.ProfileBalanced, Backend: "local", Tools: map[string]contracts.Digest{"calculator@1.0.0": digest()},
	}
}

func running() *contracts.StatusData {
	return &contracts.StatusData{State: contracts.StateRunning, Reason: contracts.ReasonStarted}
}

// folded folds these events from the first on.
func folded(t *testing.T, events ...contracts.EventData) store.Fold {
	t.Helper()
	var f store.Folder
	for i, data := range events {
		if _, _, err := f.Add(line(t, contracts.Seq(i+1), data)); err != nil {
			t.Fatalf("event %d: %v", i+1, err)
		}
	}
	return f.Fold()
}

func TestFold(t *testing.T) {
	t.Parallel()

	t.Run("a text grows, and its earlier states stay as they were", func(t *testing.T) {
		t.Parallel()
		var f store.Folder
		for i, data := range []contracts.EventData{queued(), running(), &contracts.TokenData{ID: "m", Delta: "Hello", Attempt: 1, Channel: contracts.ChannelAnswer}} {
			if _, _, err := f.Add(line(t, contracts.Seq(i+1), data)); err != nil {
				t.Fatal(err)
			}
		}
		before := f.Fold()
		if _, _, err := f.Add(line(t, 4, &contracts.TokenData{ID: "m", Delta: ", world", Attempt: 1, Final: true, Channel: contracts.ChannelAnswer})); err != nil {
			t.Fatal(err)
		}
		after := f.Fold()
		if before.Answer().Text != "Hello" || before.Answer().Final {
			t.Errorf("before: %+v", before.Answer())
		}
		if after.Answer().Text != "Hello, world" || !after.Answer().Final {
			t.Errorf("after: %+v", after.Answer())
		}
	})

	t.Run("a higher attempt discards a text, which is kept beside it", func(t *testing.T) {
		t.Parallel()
		f := folded(t, queued(), running(),
			&contracts.TokenData{ID: "m", Delta: "wrong", Attempt: 1, Channel: contracts.ChannelAnswer},
			&contracts.TokenData{ID: "m", Delta: "right", Attempt: 2, Channel: contracts.ChannelAnswer})
		if len(f.Drafts) != 2 || f.Drafts[0].Text != "wrong" || !f.Drafts[0].Discarded || f.Answer().Text != "right" || f.Answer().Discarded {
			t.Errorf("drafts: %+v", f.Drafts)
		}
	})

	t.Run("thoughts are apart from answers", func(t *testing.T) {
		t.Parallel()
		f := folded(t, queued(), running(),
			&contracts.ThoughtData{ID: "t", Delta: "first", Attempt: 1, Kind: contracts.ThoughtPlan, Final: true},
			&contracts.ThoughtData{ID: "u", Delta: "then", Attempt: 1, Kind: contracts.ThoughtReasoning})
		if len(f.Drafts) != 0 || f.Answer() != nil || len(f.Thoughts) != 2 || f.Thoughts[0].Kind != contracts.ThoughtPlan {
			t.Errorf("%+v", f)
		}
	})

	t.Run("a call that asks is pending until it is decided", func(t *testing.T) {
		t.Parallel()
		ask := &contracts.ToolStartData{
			CallID: "c", Tool: "calculator@1.0.0", ToolDigest: digest(), Args: []byte(`{"a":1}`), Attempt: 1, Gate: contracts.GateAsk,
			Approval: &contracts.ApprovalRequest{ID: "apr_01m81tqkhryw3vmma10cpw1nqk", ExpiresAt: 1_700_000_600_000},
		}
		if f := folded(t, queued(), running(), ask); len(f.Pending()) != 1 || f.Pending()[0].CallID != "c" {
			t.Errorf("pending: %+v", f.Pending())
		}
		f := folded(t, queued(), running(), ask, &contracts.ApprovalData{
			ID: ask.Approval.ID, CallID: "c", Decision: contracts.DecisionEdited, By: "me", Args: []byte(`{"a":2}`),
		})
		if len(f.Pending()) != 0 || string(f.Calls[0].Args) != `{"a":2}` || f.Calls[0].By != "me" {
			t.Errorf("calls: %+v", f.Calls)
		}
	})

	t.Run("a run without its end is live", func(t *testing.T) {
		t.Parallel()
		if f := folded(t, queued()); !f.Live() || f.State != contracts.StateQueued || f.Limits.MaxTokens != 128_000 || f.Header.Backend != "local" {
			t.Errorf("%+v", f)
		}
		if (store.Fold{}).Live() {
			t.Error("a run without events is live")
		}
	})

	t.Run("time goes on while the run lives", func(t *testing.T) {
		t.Parallel()
		f := folded(t, queued(), running(), &contracts.ThoughtData{ID: "t", Delta: "x", Attempt: 1, Kind: contracts.ThoughtPlan})
		if used := f.UsedAt(f.LastTime.Add(1000)); used.WallMS != 1002 || used.ActiveMS != 1001 {
			t.Errorf("a second after the last event: %+v", used)
		}
		if used := f.UsedAt(f.CreatedAt); used != f.Used {
			t.Errorf("by a clock that is behind: %+v, want %+v", used, f.Used)
		}
		if f := folded(t, queued()); f.UsedAt(f.LastTime.Add(1000)).ActiveMS != 0 {
			t.Error("a queued run is active")
		}
	})

	t.Run("what breaks an invariant is shown, with the first violation", func(t *testing.T) {
		t.Parallel()
		f := folded(t, queued(), &contracts.TokenData{ID: "m", Delta: "too early", Attempt: 1, Channel: contracts.ChannelAnswer})
		if f.Violation == nil || f.Violation.Seq != 2 || f.Violation.Invariant != 4 {
			t.Errorf("violation: %v", f.Violation)
		}
		if f.Answer() == nil || f.Answer().Text != "too early" {
			t.Errorf("answer: %+v", f.Answer())
		}
	})
}

func TestFolderAdd(t *testing.T) {
	t.Parallel()

	t.Run("a seen event changes nothing", func(t *testing.T) {
		t.Parallel()
		var f store.Folder
		for _, seq := range []contracts.Seq{1, 1} {
			if _, _, err := f.Add(line(t, seq, queued())); err != nil {
				t.Fatal(err)
			}
		}
		if f.LastSeq() != 1 || f.Fold().Violation != nil {
			t.Errorf("seq %d, %v", f.LastSeq(), f.Fold().Violation)
		}
	})

	t.Run("a gap is ErrGap and changes nothing", func(t *testing.T) {
		t.Parallel()
		var f store.Folder
		if _, _, err := f.Add(line(t, 3, running())); !errors.Is(err, store.ErrGap) || f.LastSeq() != 0 {
			t.Errorf("%v, seq %d", err, f.LastSeq())
		}
	})

	t.Run("what cannot be read is a problem", func(t *testing.T) {
		t.Parallel()
		var f store.Folder
		_, _, err := f.Add([]byte(`{"schema_version":2,"seq":1,"type":"status","data":{}}`))
		if _, ok := errors.AsType[*contracts.Problem](err); !ok {
			t.Errorf("got %v", err)
		}
	})
}

func TestJudge(t *testing.T) {
	t.Parallel()

	t.Run("nothing is neither valid nor wrong", func(t *testing.T) {
		t.Parallel()
		if j := store.Judge(contracts.KindTaskSpec, " \n"); !j.Blank() || j.Valid {
			t.Errorf("%+v", j)
		}
	})

	t.Run("a valid document of each kind is valid", func(t *testing.T) {
		t.Parallel()
		for kind, doc := range map[contracts.Kind]string{
			contracts.KindTaskSpec:       `{"schema_version":2,"goal":"x"}`,
			contracts.KindBudget:         `{"schema_version":2,"max_tokens":5}`,
			contracts.KindVerifyContract: `{"schema_version":2,"assertions":[{"id":"a","type":"contains","value":"x"}]}`,
			contracts.KindToolSpec:       `{"schema_version":2,"name":"t","version":"1.0.0","description":"d","input_schema":{"type":"object"},"effect":"read"}`,
			contracts.KindRunEvent:       string(line(t, 1, queued())),
		} {
			if j := store.Judge(kind, doc); !j.Valid || j.Blank() {
				t.Errorf("%s: %+v", kind, j.Problem)
			}
		}
	})

	t.Run("each problem has its place", func(t *testing.T) {
		t.Parallel()
		doc := "{\n  \"schema_version\": 2,\n  \"goal\": \"é\", \"budget\": {\"max_tokens\": 0},\n  \"inputs\": [{\"text\": \"a\"}]\n}"
		j := store.Judge(contracts.KindTaskSpec, doc)
		want := map[string]struct {
			line, column int
			text         string
		}{
			"#/budget/max_tokens": {3, 41, "0"},
			"#/inputs/0/name":     {4, 14, "{"},
		}
		if j.Valid || len(j.Places) != len(want) {
			t.Fatalf("%+v", j)
		}
		for _, p := range j.Places {
			w := want[p.Pointer]
			if p.Line != w.line || p.Column != w.column || doc[p.Start:p.End] != w.text {
				t.Errorf("%s stands at %d:%d %q, want %+v", p.Pointer, p.Line, p.Column, doc[p.Start:p.End], w)
			}
		}
	})

	t.Run("an event is held as strictly as the server does", func(t *testing.T) {
		t.Parallel()
		doc := strings.Replace(string(line(t, 1, queued())), "{", `{"surplus":1,`, 1)
		j := store.Judge(contracts.KindRunEvent, doc)
		if err := contracts.Validate(contracts.KindRunEvent, []byte(doc)); err == nil || j.Valid || j.Problem.Error() != err.Error() {
			t.Fatalf("%+v, want %v", j.Problem, err)
		}
		if p := j.Places[0]; p.Pointer != "#/surplus" || p.Line != 1 || p.Column != 2 {
			t.Errorf("%+v", p)
		}
	})

	t.Run("what is not JSON has its place too", func(t *testing.T) {
		t.Parallel()
		j := store.Judge(contracts.KindBudget, "{\n  \"max_tokens\": nope\n}")
		if j.Valid || j.Problem == nil {
			t.Fatalf("%+v", j)
		}
		for _, p := range j.Places {
			if p.Line < 1 || p.Line > 3 {
				t.Errorf("%+v", p)
			}
		}
	})

	t.Run("places stay within the text", func(t *testing.T) {
		t.Parallel()
		for _, doc := range []string{"{", "[", `"`, "\x00", `{"a":`, `{"schema_version":2,"goal":"` + strings.Repeat("x", 9000) + `"}`} {
			for _, kind := range contracts.Kinds() {
				for _, p := range store.Judge(kind, doc).Places {
					if p.Start < 0 || p.End < p.Start || p.End > len(doc) {
						t.Errorf("%s %.20q: %+v", kind, doc, p)
					}
				}
			}
		}
	})
}
