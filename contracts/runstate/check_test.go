package runstate_test

import (
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/contracts/runstate"
)

// wholes are streams that end in every way in which a run can.
func wholes(t *testing.T) map[string]*script {
	t.Helper()
	return map[string]*script{
		"succeeded unverified": running(t).token("m", "ab", false).token("m", "c", true).
			answer(contracts.StateSucceeded, "m", "abc", 0),
		"succeeded without streaming": running(t).answer(contracts.StateSucceeded, "m", "abc", 0),
		"succeeded with calls": running(t).call("c", "").call("d", approvalID).
			end("c", contracts.CallError, "").call("c", "").end("c", contracts.CallOK, `{"b":2,"a":1}`).
			status(contracts.StateWaiting, contracts.ReasonApproval).
			edited("d").status(contracts.StateRunning, contracts.ReasonResumed).
			end("d", contracts.CallOK, `"[redacted]"`).answer(contracts.StateSucceeded, "m", "", 0),
		"denied calls": running(t).gated("c", contracts.GateDeny, nil).end("c", contracts.CallDenied, "").
			call("d", approvalID).approval(approvalID, "d", contracts.DecisionDenied).end("d", contracts.CallDenied, "").
			call("e", otherAskID).approval(otherAskID, "e", contracts.DecisionExpired).end("e", contracts.CallTimeout, "").
			done(contracts.StateFailed),
		"revised and passed": judged(t, contracts.ReleaseStream).token("m", "a", true).
			verdict(0, contracts.OutcomeRevise, "m", "a").token("n", "b", false).
			verdict(1, contracts.OutcomePass, "n", "b").spend(1).answer(contracts.StateSucceeded, "n", "b", 6),
		"verified": judged(t, contracts.ReleaseVerified).verdict(0, contracts.OutcomeRevise, "m", "a").
			verdict(1, contracts.OutcomePass, "n", "b").token("n", "b", true).
			answer(contracts.StateSucceeded, "n", "b", 4),
		"refused": judged(t, contracts.ReleaseStream).token("m", "a", true).
			verdict(0, contracts.OutcomeRefuse, "m", "a").
			answer(contracts.StateRefused, "m", "a", 4).
			bend(func(ev *contracts.RunEvent) { as[*contracts.DoneData](ev.Data).Output = nil }),
		"refused after an error": judged(t, contracts.ReleaseStream).verdict(0, contracts.OutcomeError, "m", "a").
			answer(contracts.StateRefused, "m", "a", 3).
			bend(func(ev *contracts.RunEvent) { as[*contracts.DoneData](ev.Data).Output = nil }),
		"failed":              running(t).call("c", "").fatal().end("c", contracts.CallCancelled, "").done(contracts.StateFailed),
		"cancelled in queued": newScript(t).queued("").done(contracts.StateCancelled),
		"cancelled": running(t).draining(contracts.ReasonCancel).thought("m", "x", true).
			done(contracts.StateCancelled),
		"cancelled, then broken": running(t).draining(contracts.ReasonCancel).fatal().done(contracts.StateCancelled),
		"exhausted": judged(t, contracts.ReleaseStream).call("c", approvalID).warn(contracts.DimensionTokens).spend(900).
			draining(contracts.ReasonTokens).approval(approvalID, "c", contracts.DecisionCancelled).
			end("c", contracts.CallCancelled, "").token("m", "a", true).
			verdict(0, contracts.OutcomePass, "m", "a").spend(50).answer(contracts.StateExhausted, "m", "a", 10),
		"exhausted, then broken": running(t).spend(950).draining(contracts.ReasonTokens).fatal().done(contracts.StateExhausted),
		"broken at its limit":    running(t).call("c", "").spend(950).fatal().end("c", contracts.CallCancelled, "").done(contracts.StateFailed),
		"with what is not known": running(t).add(contracts.UnknownData{Type: "pulse"}).done(contracts.StateFailed),
		"on branches": running(t).on("a", &contracts.ThoughtData{ID: "m", Attempt: 1, Final: true}).
			on("b", &contracts.ThoughtData{ID: "n", Attempt: 1, Final: true}).widened(2).
			done(contracts.StateFailed),
	}
}

// widened sets the peak that the meter shows.
func (s *script) widened(branches int64) *script {
	s.used.Branches = branches
	return s
}

func TestCheck(t *testing.T) {
	for name, whole := range wholes(t) {
		t.Run("accepts "+name, func(t *testing.T) {
			if err := runstate.Check(slices.Values(whole.events)); err != nil {
				t.Fatal(err)
			}
		})
		t.Run("misses the end of "+name, func(t *testing.T) {
			cut := whole.events[:len(whole.events)-1]
			wantViolation(t, runstate.Check(slices.Values(cut)), 18, cut[len(cut)-1].Seq)
		})
		t.Run("refuses less than all of "+name, func(t *testing.T) {
			for i := range len(whole.events) - 1 {
				var v *runstate.Violation
				err := runstate.Check(slices.Values(slices.Delete(slices.Clone(whole.events), i, i+1)))
				if !errors.As(err, &v) || v.Invariant != 1 {
					t.Errorf("without event %d: %v", i+1, err)
				}
			}
		})
	}
	t.Run("refuses nothing at all", func(t *testing.T) {
		wantViolation(t, runstate.Check(slices.Values([]contracts.RunEvent(nil))), 18, 0)
	})
	t.Run("stops at the first violation", func(t *testing.T) {
		events := running(t).thought("m", "", true).thought("m", "", true).done(contracts.StateFailed).events
		read := 0
		var counted iter.Seq[contracts.RunEvent] = func(yield func(contracts.RunEvent) bool) {
			for _, ev := range events {
				read++
				if !yield(ev) {
					return
				}
			}
		}
		wantViolation(t, runstate.Check(counted), 6, 4)
		if read != 4 {
			t.Errorf("read %d events, want 4", read)
		}
	})
	for _, run := range contractstest.Runs() {
		t.Run("accepts the built run "+run.Name, func(t *testing.T) {
			if err := runstate.Check(slices.Values(run.Events)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func wantViolation(t *testing.T, err error, invariant int, seq contracts.Seq) {
	t.Helper()
	var v *runstate.Violation
	if !errors.As(err, &v) {
		t.Fatalf("error = %v, want a violation of invariant %d", err, invariant)
	}
	if v.Invariant != invariant || v.Seq != seq {
		t.Errorf("violation = %+v, want invariant %d at %d", v, invariant, seq)
	}
}

// lines encodes events, each through frame.
func lines(t *testing.T, events []contracts.RunEvent, frame func(seq, doc string) string) string {
	t.Helper()
	var b strings.Builder
	for _, ev := range events {
		doc, err := contracts.Encode(ev)
		if err != nil {
			t.Fatalf("encode: %v", err)
		}
		b.WriteString(frame(strconv.FormatInt(int64(ev.Seq), 10), string(doc)))
	}
	return b.String()
}

func ndjson(_, doc string) string { return doc + "\n" }

func sse(seq, doc string) string { return "id: " + seq + "\ndata: " + doc + "\n\n" }

func TestCheckNDJSON(t *testing.T) {
	run := contractstest.SucceededRun()
	half := len(run.Events) / 2
	tests := []struct {
		name, text string
		invariant  int           // 0 where the stream is whole
		beyond     contracts.Seq // how far the wrong event is from the last that was folded
	}{
		{"lines", lines(t, run.Events, ndjson), 0, 0},
		{"lines and empty ones", "\n" + strings.ReplaceAll(lines(t, run.Events, ndjson), "\n", "\r\n\n"), 0, 0},
		{"a saved stream", "retry: 1000\n: hello\n\n" + lines(t, run.Events, sse), 0, 0},
		{"a saved stream with heartbeats", lines(t, run.Events, func(seq, doc string) string { return ": hb\n\n" + sse(seq, doc) }), 0, 0},
		{"a reset", lines(t, run.Events[:half], sse) + "event: reset\nid:\ndata: {\"last_seq\":9}\n\n" + lines(t, run.Events, sse), 0, 0},
		{"another control frame", lines(t, run.Events[:half], sse) + "event: gone\ndata: x\n\n" + lines(t, run.Events[half:], sse), 0, 0},
		{"a stream that was cut", lines(t, run.Events[:half], sse), 18, 0},
		{"a gap", lines(t, run.Events[:half], sse) + lines(t, run.Events[half+1:], sse), 1, 2},
		{"a reset with nothing behind it", lines(t, run.Events, sse) + "event: reset\nid:\ndata: {}\n\n", 18, 0},
		{"nothing", "", 18, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := runstate.CheckNDJSON(strings.NewReader(test.text))
			if test.invariant == 0 {
				if err != nil {
					t.Fatal(err)
				}
				if s.LastSeq() != contracts.Seq(len(run.Events)) || s.Phase() != contracts.StateSucceeded {
					t.Errorf("folded up to %d, %s", s.LastSeq(), s.Phase())
				}
				return
			}
			wantViolation(t, err, test.invariant, s.LastSeq()+test.beyond)
		})
	}
	t.Run("a line that is no event", func(t *testing.T) {
		_, err := runstate.CheckNDJSON(strings.NewReader(lines(t, run.Events[:2], ndjson) + "{}\n"))
		if _, ok := errors.AsType[*contracts.Problem](err); !ok || !strings.HasPrefix(err.Error(), "line 3: ") {
			t.Errorf("error = %v, want a problem in line 3", err)
		}
	})
	t.Run("a line too long", func(t *testing.T) {
		if _, err := runstate.CheckNDJSON(strings.NewReader(strings.Repeat("x", 2<<20))); err == nil {
			t.Error("no error")
		}
	})
	t.Run("a reader that fails", func(t *testing.T) {
		if _, err := runstate.CheckNDJSON(iotest.ErrReader(iotest.ErrTimeout)); !errors.Is(err, iotest.ErrTimeout) {
			t.Errorf("error = %v", err)
		}
	})
}

func TestLines(t *testing.T) {
	t.Parallel()
	var got []string
	for line, err := range runstate.Lines(strings.NewReader("retry: 1\n\ndata: {\"a\":1}\r\n\nevent: reset\ndata: {}\n\n{}\n")) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strconv.Itoa(line.Number)+"+"+strconv.Itoa(line.Column)+" "+string(line.JSON))
	}
	if want := []string{`3+5  {"a":1}`, "5+0 ", "8+0 {}"}; !slices.Equal(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
}
