package runstate_test

import (
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/contracts/runstate"
)

// tell applies events and returns what each changed.
func tell(events []contracts.RunEvent) (*runstate.Transcript, []runstate.Change) {
	var t runstate.Transcript
	var changes []runstate.Change
	for _, ev := range events {
		changes = append(changes, t.Apply(ev))
	}
	return &t, changes
}

func TestTranscriptChanges(t *testing.T) {
	script := judged(t, contracts.ReleaseStream).
		thought("t", "hm", true).
		call("c", approvalID).
		edited("c").
		end("c", contracts.CallError, "").
		call("c", "").
		token("m", "a", false).token("m", "b", false).
		add(&contracts.TokenData{ID: "m", Delta: "z", Attempt: 2, Final: true, Channel: contracts.ChannelRefusal}).
		spend(5).
		verdict(0, contracts.OutcomeFail, "m", "z").
		add(contracts.UnknownData{Type: "pulse"}).
		fatal().
		end("c", contracts.CallOK, "1").
		done(contracts.StateFailed)
	transcript, got := tell(script.events)
	want := []runstate.Change{
		{Part: runstate.PartStatus, New: true},
		{Part: runstate.PartStatus, Index: 1, New: true},
		{Part: runstate.PartMessage, New: true, Delta: "hm"},
		{Part: runstate.PartCall, New: true},
		{Part: runstate.PartCall},
		{Part: runstate.PartCall},
		{Part: runstate.PartCall, Restarted: true},
		{Part: runstate.PartMessage, Index: 1, New: true, Delta: "a"},
		{Part: runstate.PartMessage, Index: 1, Delta: "b"},
		{Part: runstate.PartMessage, Index: 1, Delta: "z", Restarted: true},
		{Part: runstate.PartBudget},
		{Part: runstate.PartVerdict, New: true},
		{},
		{Part: runstate.PartError, New: true},
		{Part: runstate.PartCall},
		{Part: runstate.PartDone},
	}
	if !slices.Equal(got, want) {
		t.Errorf("changes\n got %+v\nwant %+v", got, want)
	}
	entries := []runstate.Entry{
		{Part: runstate.PartStatus},
		{Part: runstate.PartStatus, Index: 1},
		{Part: runstate.PartMessage},
		{Part: runstate.PartCall},
		{Part: runstate.PartMessage, Index: 1},
		{Part: runstate.PartVerdict},
		{Part: runstate.PartError},
	}
	if !slices.Equal(transcript.Entries(), entries) {
		t.Errorf("entries = %+v", transcript.Entries())
	}
	if again := transcript.Apply(script.events[7]); again != (runstate.Change{}) || transcript.Message("m").Text() != "z" {
		t.Errorf("an event that was seen changed %+v", again)
	}

	m := transcript.Message("m")
	if m.Text() != "z" || !m.Final || !m.Answer || m.Attempt != 2 || m.Channel != contracts.ChannelRefusal || m.Seq != 8 {
		t.Errorf("message = %+v, %q", m, m.Text())
	}
	if hm := transcript.Messages()[0]; hm.Kind != contracts.ThoughtPlan || hm.Answer || hm.Text() != "hm" || hm.Time != start+2000 {
		t.Errorf("thought = %+v", hm)
	}
	c := transcript.Calls()[0]
	if c.Attempt != 2 || c.Seq != 4 || c.Pending() || c.End == nil || c.End.Status != contracts.CallOK || c.Decision != "" ||
		c.EndedAt != start+14_000 || string(c.Args) != `{"q":"x"}` {
		t.Errorf("call = %+v", c)
	}
	if v := transcript.Verdicts(); len(v) != 1 || v[0].Seq != 12 || v[0].Outcome != contracts.OutcomeFail {
		t.Errorf("verdicts = %+v", v)
	}
	if e := transcript.Errors(); len(e) != 1 || !e[0].Fatal || e[0].Seq != 14 {
		t.Errorf("errors = %+v", e)
	}
	if transcript.Used() != script.used || transcript.Done().Status != contracts.StateFailed ||
		transcript.State() != contracts.StateFailed || transcript.LastSeq() != 16 || len(transcript.Statuses()) != 2 {
		t.Errorf("used %+v, done %+v, state %s, seq %d", transcript.Used(), transcript.Done(), transcript.State(), transcript.LastSeq())
	}
}

func TestTranscriptOfAHalfRun(t *testing.T) {
	script := running(t).call("c", approvalID)
	transcript, _ := tell(script.events)
	if !transcript.Calls()[0].Pending() || transcript.State() != contracts.StateRunning || transcript.Done() != nil {
		t.Error("the call waits in a running run")
	}
	transcript, _ = tell(script.edited("c").events)
	if c := transcript.Calls()[0]; c.Pending() || string(c.Args) != `{"q":"y"}` || c.By != "kim" {
		t.Errorf("edited call = %+v", c)
	}
}

func TestTranscriptBelievesAnything(t *testing.T) {
	transcript, changes := tell([]contracts.RunEvent{
		{Seq: 3, Data: &contracts.ApprovalData{CallID: "x"}},
		{Seq: 4, Data: &contracts.ToolEndData{CallID: "x"}},
		{Seq: 9, Data: &contracts.TokenData{ID: "m", Delta: "a", Attempt: 1}},
	})
	want := []runstate.Change{{}, {}, {Part: runstate.PartMessage, New: true, Delta: "a"}}
	if !slices.Equal(changes, want) {
		t.Errorf("changes = %+v", changes)
	}
	if transcript.LastSeq() != 9 || transcript.State() != "" || transcript.Message("x") != nil {
		t.Error("a stream without a beginning")
	}
}

// TestTranscriptAgreesWithState holds the two folds against each other: same texts, same calls, same end.
func TestTranscriptAgreesWithState(t *testing.T) {
	for _, run := range contractstest.Runs() {
		t.Run(run.Name, func(t *testing.T) {
			transcript, _ := tell(run.Events)
			s := fold(t, run.Events)
			for _, m := range transcript.Messages() {
				got, ok := s.Message(m.ID)
				if !ok || got.Hash != contracts.DigestText(m.Text()) || got.Final != m.Final || got.Branch != m.Branch {
					t.Errorf("message %s: %+v, %q", m.ID, got, m.Text())
				}
			}
			for _, c := range transcript.Calls() {
				got, ok := s.Call(c.CallID)
				if !ok || got.Attempt != c.Attempt || got.Ended != (c.End != nil) || got.Decision != c.Decision {
					t.Errorf("call %s: %+v, %+v", c.CallID, got, c)
				}
			}
			if transcript.State() != s.Phase() || transcript.LastSeq() != s.LastSeq() || transcript.Used() != s.Done().Used {
				t.Errorf("state %s at %d", transcript.State(), transcript.LastSeq())
			}
		})
	}
}

// tokens is a run whose answer comes in n pieces.
func tokens(b *testing.B, n int) []contracts.RunEvent {
	b.Helper()
	script := running(b)
	delta := strings.Repeat("x", 16)
	for range n {
		script.token("m", delta, false)
	}
	return script.events
}

func BenchmarkApplyToken(b *testing.B) {
	events := tokens(b, 10_000)
	begin, rest := events[:2], events[2:]
	for _, batch := range []int{0, 1, 100} {
		name := map[int]string{0: "plain", 1: "recorded one by one", 100: "recorded by 100"}[batch]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			s := fold(b, begin)
			next := 0
			for n := 0; b.Loop(); n++ {
				if next == len(rest) {
					s, next = fold(b, begin), 0
				}
				if batch > 0 && next%batch == 0 {
					s.Begin()
				}
				if err := s.Apply(rest[next]); err != nil {
					b.Fatal(err)
				}
				if next++; batch > 0 && next%batch == 0 {
					s.Commit()
				}
			}
		})
	}
}

func BenchmarkApplyCall(b *testing.B) {
	script := running(b)
	as[*contracts.StatusData](script.events[0].Data).Limits.MaxToolCalls = 1 << 20
	for range 500 {
		script.call("c", "").end("c", contracts.CallOK, `{"rows":[["Saturn",274]]}`)
	}
	b.ReportAllocs()
	s, next := new(runstate.State), 0
	for b.Loop() {
		if next == len(script.events) {
			s, next = new(runstate.State), 0
		}
		if err := s.Apply(script.events[next]); err != nil {
			b.Fatal(err)
		}
		next++
	}
}

func BenchmarkTranscriptToken(b *testing.B) {
	events := tokens(b, 10_000)
	b.ReportAllocs()
	t, next := new(runstate.Transcript), 0
	for b.Loop() {
		if next == len(events) {
			t, next = new(runstate.Transcript), 0
		}
		t.Apply(events[next])
		next++
	}
}
