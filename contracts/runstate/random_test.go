package runstate_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// choices are where a random stream takes its turns: a seeded generator, or the bytes of a fuzzer.
type choices interface {
	// IntN returns a number within [0, n).
	IntN(n int) int
}

// bytesOf are choices that run out; the rest is 0.
type bytesOf struct{ rest []byte }

// IntN implements choices.
func (b *bytesOf) IntN(n int) int {
	if len(b.rest) == 0 {
		return 0
	}
	first := int(b.rest[0])
	b.rest = b.rest[1:]
	return first % n
}

func pick[T any](c choices, from ...T) T { return from[c.IntN(len(from))] }

// nextEvent is an event that often fits behind s and often does not. Ids, branches and texts come from alphabets so
// small that events meet.
func nextEvent(c choices, s *runstate.State) contracts.RunEvent {
	data := nextData(c, s)
	ev := contracts.RunEvent{
		SchemaVersion: contracts.Version, RunID: runID, Seq: s.LastSeq() + 1,
		Time: max(s.LastTime(), start).Add(int64(c.IntN(4)) * 100), Type: data.EventType(), Data: data,
		Branch: pick[contracts.Branch](c, "", "", "", "a", "a.b"),
	}
	switch d := data.(type) {
	case *contracts.ToolEndData:
		seal(c, s, d, &ev)
	case *contracts.ApprovalData:
		if call, ok := s.Call(d.CallID); ok && c.IntN(16) > 0 {
			ev.Branch = call.Branch
		}
	case *contracts.BudgetData:
		d.Used = spent(c, s, ev.Time)
	case *contracts.DoneData:
		d.Used = spent(c, s, ev.Time)
	}
	switch c.IntN(64) {
	case 1:
		ev.Seq += contracts.Seq(c.IntN(3) - 1)
	case 2:
		ev.RunID = "run_01jq0000000000000000000009"
	case 3:
		ev.Time -= 1000
	case 4:
		ev.Data = nextData(c, s)
	}
	return ev
}

func nextData(c choices, s *runstate.State) contracts.EventData {
	if s.LastSeq() == 0 && c.IntN(8) > 0 {
		l := limits()
		l.OnExhausted, l.MaxToolCalls = pick(c, contracts.ExhaustedStop, contracts.ExhaustedFinalize), 40
		return &contracts.StatusData{
			State: contracts.StateQueued, Reason: contracts.ReasonSubmitted, TaskDigest: taskDigest, Limits: &l,
			Release: pick(c, contracts.ReleaseStream, contracts.ReleaseVerified, ""),
			Tools:   map[string]contracts.Digest{string(toolRef): toolDigest},
		}
	}
	message := pick(c, "m", "n", "o", "t")
	call := pick(c, "c", "d", "e")
	text := pick(c, "", "a", "bc")
	attempt := int64(1 + c.IntN(2))
	final := c.IntN(3) == 0
	switch c.IntN(24) {
	case 0:
		return contracts.UnknownData{Type: "pulse"}
	case 1, 2, 3:
		return &contracts.StatusData{
			State:  pick(c, contracts.StateRunning, contracts.StateRunning, contracts.StateWaiting, contracts.StateDraining, contracts.StateQueued),
			Reason: pick(c, contracts.ReasonTokens, contracts.ReasonCancel, contracts.ReasonStarted),
		}
	case 4, 5, 6:
		return &contracts.ThoughtData{ID: message, Delta: text, Attempt: attempt, Final: final}
	case 7, 8, 9:
		return &contracts.TokenData{ID: message, Delta: text, Attempt: attempt, Final: final, Channel: contracts.ChannelAnswer}
	case 10, 11, 12:
		return startOf(c, s, call)
	case 13, 14:
		d := &contracts.ApprovalData{CallID: call, ID: pick(c, approvalID, otherAskID), By: text}
		d.Decision = pick(c, contracts.DecisionApproved, contracts.DecisionDenied, contracts.DecisionEdited,
			contracts.DecisionExpired, contracts.DecisionCancelled)
		if known, ok := s.Call(call); ok && known.Approval != nil {
			d.ID = known.Approval.ID
		}
		if d.Decision == contracts.DecisionEdited {
			d.Args = json.RawMessage(`{"q":"edited"}`)
		}
		return d
	case 15, 16, 17, 18:
		return &contracts.ToolEndData{CallID: call}
	case 19, 20:
		return &contracts.BudgetData{Phase: pick(c, contracts.BudgetTick, contracts.BudgetWarn), Dimension: contracts.DimensionTokens}
	case 21:
		return verdictOn(c, s, message)
	case 22:
		return &contracts.ErrorData{Fatal: c.IntN(8) == 0, Retry: contracts.RetryNone}
	}
	n, head := s.Receipts()
	d := &contracts.DoneData{
		Receipts: n, ReceiptsHead: head,
		Status: pick(c, contracts.StateFailed, contracts.StateSucceeded, contracts.StateExhausted, contracts.StateRefused),
	}
	_, d.VerdictSeq = s.Verdict()
	if c.IntN(8) > 0 {
		return &contracts.ErrorData{Retry: contracts.RetryRetrying} // or streams would end too soon
	}
	return d
}

func startOf(c choices, s *runstate.State, id string) *contracts.ToolStartData {
	d := &contracts.ToolStartData{
		CallID: id, Tool: toolRef, ToolDigest: toolDigest, Args: json.RawMessage(`{"q":"x"}`), Attempt: 1,
		Gate: pick(c, contracts.GateAllow, contracts.GateAllow, contracts.GateAsk, contracts.GateDeny),
	}
	if known, ok := s.Call(id); ok {
		d.Attempt = known.Attempt + 1
	}
	if d.Gate == contracts.GateAsk {
		d.Approval = &contracts.ApprovalRequest{ID: pick(c, approvalID, otherAskID), ExpiresAt: start}
	}
	return d
}

// seal fills in an end that fits the call, and its receipt.
func seal(c choices, s *runstate.State, d *contracts.ToolEndData, ev *contracts.RunEvent) {
	call, ok := s.Call(d.CallID)
	if !ok {
		return
	}
	ev.Branch = call.Branch
	d.Status = pick(c, contracts.CallOK, contracts.CallError, contracts.CallDenied, contracts.CallTimeout, contracts.CallCancelled)
	if call.Gate == contracts.GateDeny || call.Decision == contracts.DecisionDenied {
		d.Status = contracts.CallDenied
	}
	r := &contracts.Receipt{
		CallID: d.CallID, Tool: call.Tool, ToolDigest: call.ToolDigest, Attempt: call.Attempt, Status: d.Status,
		Args: call.Args, StartedAt: call.StartedAt, LatencyMS: ev.Time.Sub(call.StartedAt),
	}
	if call.Decision != "" {
		r.Approval = &contracts.ReceiptApproval{
			By: call.By, Decision: call.Decision, Edited: call.Decision == contracts.DecisionEdited,
		}
	}
	if call.Args == nil {
		r.Args = json.RawMessage(`null`)
	}
	r.ArgsHash, _ = contracts.DigestJSON(r.Args)
	_, head := s.Receipts()
	if err := r.Seal(head); err == nil {
		d.Receipt = r
	}
}

func spent(c choices, s *runstate.State, now contracts.Time) contracts.Usage {
	before := s.Used(now, contracts.EngineUsage{})
	return s.Used(now, contracts.EngineUsage{TokensOut: before.TokensOut + int64(c.IntN(60)) - 1})
}

func verdictOn(c choices, s *runstate.State, id string) *contracts.VerdictData {
	v := &contracts.VerdictData{
		Pass: s.Passes(), MessageID: id, OutputHash: contracts.DigestText("a"),
		Outcome: pick(c, contracts.OutcomeRevise, contracts.OutcomeRevise, contracts.OutcomePass, contracts.OutcomeError),
	}
	if m, ok := s.Message(id); ok {
		v.OutputHash = m.Hash
	}
	v.Final = v.Outcome != contracts.OutcomeRevise
	return v
}

// randomStream is a stream of the events that were accepted among length.
func randomStream(c choices, length int) []contracts.RunEvent {
	var s runstate.State
	var events []contracts.RunEvent
	for range length {
		ev := nextEvent(c, &s)
		if s.Apply(ev) == nil {
			events = append(events, ev)
		}
	}
	return events
}

const streams = 300

func TestRandomStreamsReachEveryKindOfEvent(t *testing.T) {
	seen := make(map[contracts.EventType]int)
	states := make(map[contracts.State]int)
	for seed := range uint64(streams) {
		events := randomStream(rand.New(rand.NewPCG(seed, 1)), 300) //nolint:gosec // a test's repeatable choices
		for _, ev := range events {
			seen[ev.Type]++
		}
		states[fold(t, events).Phase()]++
	}
	for _, kind := range []contracts.EventType{
		contracts.EventStatus, contracts.EventThought, contracts.EventToken, contracts.EventToolStart,
		contracts.EventApproval, contracts.EventToolEnd, contracts.EventBudget, contracts.EventVerdict,
		contracts.EventError, contracts.EventDone,
	} {
		if seen[kind] < 20 {
			t.Errorf("%s stands in random streams %d times only", kind, seen[kind])
		}
	}
	t.Logf("%v %v", seen, states)
}

func TestRollback(t *testing.T) {
	for seed := range uint64(streams) {
		c := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // a test's repeatable choices
		events := randomStream(c, 200)
		kept := c.IntN(len(events) + 1)

		s := fold(t, events[:kept])
		was := view(s)
		s.Begin()
		for _, ev := range events[kept:] {
			if err := s.Apply(ev); err != nil {
				t.Fatalf("seed %d: apply: %v", seed, err)
			}
		}
		whole := view(s)
		s.Rollback()
		if got := view(s); !reflect.DeepEqual(got, was) {
			t.Fatalf("seed %d: after rollback behind event %d\n got %+v\nwant %+v", seed, kept, got, was)
		}
		// the state goes on as if nothing had happened
		for _, ev := range events[kept:] {
			if err := s.Apply(ev); err != nil {
				t.Fatalf("seed %d: apply again: %v", seed, err)
			}
		}
		if got := view(s); !reflect.DeepEqual(got, whole) {
			t.Fatalf("seed %d: applied again\n got %+v\nwant %+v", seed, got, whole)
		}
	}
}

func TestBatchesFoldToTheWhole(t *testing.T) {
	for seed := range uint64(streams) {
		c := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // a test's repeatable choices
		events := randomStream(c, 200)
		var s runstate.State
		for rest := events; len(rest) > 0; {
			n := 1 + c.IntN(min(len(rest), 8))
			s.Begin()
			for _, ev := range rest[:n] {
				if err := s.Apply(ev); err != nil {
					t.Fatalf("seed %d: apply: %v", seed, err)
				}
			}
			if c.IntN(3) == 0 {
				s.Rollback()
				continue
			}
			s.Commit()
			rest = rest[n:]
		}
		if got, want := view(&s), view(fold(t, events)); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d:\n got %+v\nwant %+v", seed, got, want)
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint8(8) {
		turns := make([]byte, 400)
		_, _ = rand.NewChaCha8([32]byte{seed}).Read(turns) // never fails
		f.Add(turns)
	}
	f.Fuzz(func(t *testing.T, turns []byte) {
		c := &bytesOf{rest: turns[:min(len(turns), 1000)]}
		var s runstate.State
		var script runstate.Transcript
		for len(c.rest) > 0 {
			recording := c.IntN(4) == 0
			if recording {
				s.Begin()
			}
			ev := nextEvent(c, &s)
			was := view(&s)
			err := s.Apply(ev)
			script.Apply(ev)
			if err != nil && !reflect.DeepEqual(view(&s), was) {
				t.Fatalf("a refused event changed the state: %v", err)
			}
			if recording {
				s.Rollback()
				if got := view(&s); !reflect.DeepEqual(got, was) {
					t.Fatalf("after rollback\n got %+v\nwant %+v", got, was)
				}
			}
		}
	})
}
