package runstate_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

const (
	runID      = contracts.RunID("run_01jq0000000000000000000000")
	start      = contracts.Time(1_790_000_000_000)
	toolRef    = contracts.ToolRef("search@1.0.0")
	toolDigest = contracts.Digest("sha256:00000000000000000000000000000000000000000000000000000000000000aa")
	taskDigest = contracts.Digest("sha256:00000000000000000000000000000000000000000000000000000000000000bb")
	approvalID = contracts.ApprovalID("apr_01jq0000000000000000000000")
	otherAskID = contracts.ApprovalID("apr_01jq0000000000000000000001")
)

// script writes a stream event by event, as a server would: each event is a second behind the last. It counts
// for itself what the meter shows, so that the fold is held against another count than its own.
type script struct {
	tb     testing.TB
	events []contracts.RunEvent
	calls  map[string]*contracts.Receipt
	head   contracts.Digest
	sealed int64
	used   contracts.Usage
}

func newScript(tb testing.TB) *script {
	tb.Helper()
	return &script{
		tb: tb, calls: make(map[string]*contracts.Receipt), head: taskDigest,
		used: contracts.Usage{Branches: 1},
	}
}

// as returns a body as what the test knows it to be.
func as[T contracts.EventData](data contracts.EventData) T {
	body, ok := data.(T)
	if !ok {
		panic(fmt.Sprintf("the body is a %T", data))
	}
	return body
}

// clone returns a script that goes on by itself.
func (s *script) clone() *script {
	c := *s
	c.events = slices.Clone(s.events)
	c.calls = make(map[string]*contracts.Receipt)
	for id, r := range s.calls {
		receipt := *r
		c.calls[id] = &receipt
	}
	return &c
}

func (s *script) now() contracts.Time { return start.Add(int64(len(s.events)) * 1000) }

func (s *script) last() *contracts.RunEvent { return &s.events[len(s.events)-1] }

func (s *script) on(branch contracts.Branch, data contracts.EventData) *script {
	s.events = append(s.events, contracts.RunEvent{
		SchemaVersion: contracts.Version, RunID: runID, Seq: contracts.Seq(len(s.events) + 1), Time: s.now(),
		Type: data.EventType(), Branch: branch, Data: data,
	})
	return s
}

func (s *script) add(data contracts.EventData) *script { return s.on("", data) }

// bend changes the last event.
func (s *script) bend(change func(ev *contracts.RunEvent)) *script {
	change(s.last())
	return s
}

func limits() contracts.Limits {
	return contracts.Limits{
		MaxTokens: 1000, MaxWallMS: 600_000, MaxActiveMS: 500_000, BranchWidth: 2, ReflectionPasses: 2,
		MaxToolCalls: 3, MaxCostMicroUSD: 1000, WarnPct: 80, OnExhausted: contracts.ExhaustedFinalize,
		ReserveTokens: 100,
	}
}

func (s *script) queued(release contracts.Release) *script {
	l := limits()
	return s.add(&contracts.StatusData{
		State: contracts.StateQueued, Reason: contracts.ReasonSubmitted, TaskDigest: taskDigest, Limits: &l,
		Profile: contracts.ProfileBalanced, Release: release, Backend: "local",
		Tools: map[string]contracts.Digest{string(toolRef): toolDigest},
	})
}

// running is a run without a contract that has begun; judged is one with a contract.
func running(tb testing.TB) *script {
	tb.Helper()
	return newScript(tb).queued("").status(contracts.StateRunning, contracts.ReasonStarted)
}

func judged(tb testing.TB, release contracts.Release) *script {
	tb.Helper()
	return newScript(tb).queued(release).status(contracts.StateRunning, contracts.ReasonStarted)
}

func (s *script) status(state contracts.State, why contracts.StatusReason) *script {
	return s.add(&contracts.StatusData{State: state, Reason: why})
}

func (s *script) draining(why contracts.StatusReason) *script {
	return s.status(contracts.StateDraining, why)
}

func (s *script) thought(id, text string, final bool) *script {
	return s.add(&contracts.ThoughtData{ID: id, Delta: text, Attempt: 1, Final: final, Kind: contracts.ThoughtPlan})
}

func (s *script) token(id, text string, final bool) *script {
	return s.add(&contracts.TokenData{ID: id, Delta: text, Attempt: 1, Final: final, Channel: contracts.ChannelAnswer})
}

// call starts a call. Its gate is ask where an approval is given.
func (s *script) call(id string, approval contracts.ApprovalID) *script {
	gate := contracts.GateAllow
	var request *contracts.ApprovalRequest
	if approval != "" {
		gate = contracts.GateAsk
		request = &contracts.ApprovalRequest{ID: approval, ExpiresAt: s.now().Add(60_000)}
	}
	return s.gated(id, gate, request)
}

func (s *script) gated(id string, gate contracts.Gate, request *contracts.ApprovalRequest) *script {
	s.tb.Helper()
	attempt := int64(1)
	if earlier := s.calls[id]; earlier != nil {
		attempt = earlier.Attempt + 1
	}
	s.calls[id] = &contracts.Receipt{
		CallID: id, Tool: toolRef, ToolDigest: toolDigest, Attempt: attempt,
		Args: json.RawMessage(`{"q":"x"}`), StartedAt: s.now(),
	}
	s.used.ToolCalls++
	return s.add(&contracts.ToolStartData{
		CallID: id, Tool: toolRef, ToolDigest: toolDigest, Args: json.RawMessage(`{"q":"x"}`),
		Attempt: attempt, Gate: gate, Approval: request,
	})
}

func (s *script) approval(id contracts.ApprovalID, call string, d contracts.Decision) *script {
	s.calls[call].Approval = &contracts.ReceiptApproval{By: "kim", Decision: d}
	return s.add(&contracts.ApprovalData{ID: id, CallID: call, Decision: d, By: "kim"})
}

// edited decides the call that asked by approvalID, with other arguments.
func (s *script) edited(call string) *script {
	args := json.RawMessage(`{"q":"y"}`)
	s.calls[call].Approval = &contracts.ReceiptApproval{By: "kim", Decision: contracts.DecisionEdited, Edited: true}
	s.calls[call].Args = args
	return s.add(&contracts.ApprovalData{
		ID: approvalID, CallID: call, Decision: contracts.DecisionEdited, By: "kim", Args: args,
	})
}

// end ends a call with an output, or without one where it is empty.
func (s *script) end(id string, status contracts.CallStatus, output string) *script {
	s.tb.Helper()
	return s.endWith(id, status, output, nil)
}

// endWith ends a call with a receipt that change alters before it is sealed.
func (s *script) endWith(id string, status contracts.CallStatus, output string, change func(*contracts.Receipt)) *script {
	s.tb.Helper()
	r := *s.calls[id]
	r.Status, r.LatencyMS = status, s.now().Sub(r.StartedAt)
	r.ArgsHash = digestJSON(s.tb, string(r.Args))
	data := &contracts.ToolEndData{CallID: id, Status: status, Receipt: &r}
	if output != "" {
		data.Output = json.RawMessage(output)
		r.ResultHash, r.ResultBytes = digestJSON(s.tb, output), int64(len(output))
	}
	if change != nil {
		change(&r)
	}
	if err := r.Seal(s.head); err != nil {
		s.tb.Fatalf("seal: %v", err)
	}
	s.head = r.Hash
	s.sealed++
	return s.add(data)
}

func digestJSON(tb testing.TB, doc string) contracts.Digest {
	tb.Helper()
	d, err := contracts.DigestJSON([]byte(doc))
	if err != nil {
		tb.Fatalf("digest: %v", err)
	}
	return d
}

// spend raises the meter and writes a reading.
func (s *script) spend(tokens int64) *script {
	s.used.TokensOut += tokens
	return s.add(&contracts.BudgetData{Phase: contracts.BudgetTick, Used: s.used})
}

func (s *script) warn(d contracts.Dimension) *script {
	return s.add(&contracts.BudgetData{Phase: contracts.BudgetWarn, Dimension: d, Used: s.used})
}

func (s *script) verdict(pass int64, outcome contracts.Outcome, message, text string) *script {
	score := 0.5
	v := &contracts.VerdictData{
		Pass: pass, Outcome: outcome, MessageID: message, OutputHash: contracts.DigestText(text), Score: &score,
		Final: outcome != contracts.OutcomeRevise, Results: []contracts.CheckResult{{ID: "c", Status: contracts.CheckPass}},
	}
	if outcome == contracts.OutcomeError {
		v.Score = nil
		v.Results[0].Status = contracts.CheckError
	}
	if outcome == contracts.OutcomeRevise {
		s.used.Reflections++
	}
	return s.add(v)
}

func (s *script) fatal() *script {
	return s.add(&contracts.ErrorData{
		Problem: *contracts.NewProblem(contracts.ProblemEngineFailed, ""), Fatal: true, Retry: contracts.RetryNone,
	})
}

// done ends the run without an answer.
func (s *script) done(status contracts.State) *script {
	return s.add(&contracts.DoneData{Status: status, Used: s.used, Receipts: s.sealed, ReceiptsHead: s.head})
}

// answer ends the run with an answer and, where seq is not 0, the verdict on it.
func (s *script) answer(status contracts.State, message, text string, seq contracts.Seq) *script {
	return s.add(&contracts.DoneData{
		Status: status, MessageID: message, Output: &text, OutputHash: contracts.DigestText(text), VerdictSeq: seq,
		Used: s.used, Receipts: s.sealed, ReceiptsHead: s.head,
	})
}

// fold applies a stream that must be accepted.
func fold(tb testing.TB, events []contracts.RunEvent) *runstate.State {
	tb.Helper()
	s := new(runstate.State)
	for _, ev := range events {
		if err := s.Apply(ev); err != nil {
			tb.Fatalf("apply %s: %v", ev.Type, err)
		}
	}
	return s
}
