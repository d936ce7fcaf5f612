package runstate_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// told is all that a transcript says, without what it shares.
func told(t *testing.T, script *runstate.Transcript) string {
	t.Helper()
	type message struct {
		*runstate.TranscriptMessage
		Text string
	}
	var messages []message
	for _, m := range script.Messages() {
		messages = append(messages, message{m, m.Text()})
	}
	text, err := json.Marshal([]any{
		messages, script.Calls(), script.Statuses(), script.Verdicts(), script.Errors(), script.Entries(), script.Used(),
		script.Done(), script.LastSeq(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestClonesGoOnByThemselves has a stream fork: its origin and a clone of it go on differently and turn by turn, and each is
// as if it had been alone.
func TestClonesGoOnByThemselves(t *testing.T) {
	for seed := range uint64(streams) {
		c := rand.New(rand.NewPCG(seed, 4)) //nolint:gosec // a test's repeatable choices
		events := randomStream(c, 150)
		origin, script := fold(t, events), new(runstate.Transcript)
		for _, ev := range events {
			script.Apply(ev)
		}
		branch, branchScript := origin.Clone(), script.Clone()
		if got, want := view(branch), view(origin); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: the clone\n got %+v\nwant %+v", seed, got, want)
		}
		histories := [2][]contracts.RunEvent{events, append([]contracts.RunEvent(nil), events...)}
		states, scripts := [2]*runstate.State{origin, branch}, [2]*runstate.Transcript{script, branchScript}
		for range 150 {
			i := c.IntN(2)
			ev := nextEvent(c, states[i])
			if states[i].Apply(ev) == nil {
				histories[i] = append(histories[i], ev)
				scripts[i].Apply(ev)
			}
		}
		for i, name := range []string{"origin", "clone"} {
			if got, want := view(states[i]), view(fold(t, histories[i])); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: the %s went on to\n got %+v\nwant %+v", seed, name, got, want)
			}
			alone := new(runstate.Transcript)
			for _, ev := range histories[i] {
				alone.Apply(ev)
			}
			if got, want := told(t, scripts[i]), told(t, alone); got != want {
				t.Fatalf("seed %d: the %s tells\n got %s\nwant %s", seed, name, got, want)
			}
		}
	}
}

// TestATranscriptsCloneIsApartWhateverIsTold tells things that no valid stream says: a transcript believes them.
func TestATranscriptsCloneIsApartWhateverIsTold(t *testing.T) {
	origin := running(t).thought("t", "closed", true).token("m", "open", false).call("c", "").end("c", contracts.CallOK, "1")
	script, _ := tell(origin.events)
	before := told(t, script)
	branch := script.Clone()
	twice := branch.Clone()
	next := script.LastSeq() + 1
	for i, data := range []contracts.EventData{
		&contracts.ThoughtData{ID: "t", Delta: " again", Attempt: 1},
		&contracts.TokenData{ID: "m", Delta: "ed", Attempt: 1},
		&contracts.ToolEndData{CallID: "c", Status: contracts.CallError},
		&contracts.ApprovalData{CallID: "c", Decision: contracts.DecisionDenied},
		&contracts.ThoughtData{ID: "t", Delta: "anew", Attempt: 2},
	} {
		branch.Apply(contracts.RunEvent{Seq: next + contracts.Seq(i), Type: data.EventType(), Data: data})
	}
	if got := told(t, script); got != before {
		t.Errorf("the origin changed with its clone\n got %s\nwant %s", got, before)
	}
	if got := told(t, twice); got != before {
		t.Errorf("the clone's clone changed with it\n got %s\nwant %s", got, before)
	}
	if text := branch.Message("t").Text() + branch.Message("m").Text(); text != "anewopened" {
		t.Errorf("the clone says %q", text)
	}
}

func TestCloneRefusesARecording(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a state was cloned that may still be rolled back")
		}
	}()
	s := fold(t, running(t).events)
	s.Begin()
	s.Clone()
}
