package runstate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// A breach is one way to break one invariant: the event that wrong adds behind before breaks it, and the event
// that right adds in its place does not, so that nothing else is the matter.
type breach struct {
	name      string
	invariant int
	before    func(t *testing.T) *script
	wrong     func(s *script)
	right     func(s *script)
}

func TestInvariants(t *testing.T) {
	var broken [19]int
	for _, b := range slices.Concat(envelope(), texts(), calls(), budgets(), verdicts(), endings()) {
		broken[b.invariant]++
		t.Run(fmt.Sprintf("%02d by %s", b.invariant, b.name), func(t *testing.T) { checkBreach(t, b) })
	}
	for n := 1; n <= 18; n++ {
		if broken[n] == 0 {
			t.Errorf("no test breaks invariant %d", n)
		}
	}
}

func checkBreach(t *testing.T, b breach) {
	t.Helper()
	before := b.before(t)
	state := fold(t, before.events)
	was := view(state)

	wrong := before.clone()
	b.wrong(wrong)
	err := state.Apply(*wrong.last())
	var v *runstate.Violation
	if !errors.As(err, &v) {
		t.Fatalf("Apply = %v, want a violation of invariant %d", err, b.invariant)
	}
	if v.Invariant != b.invariant || v.Seq != wrong.last().Seq {
		t.Errorf("violation = %+v, want invariant %d at %d", v, b.invariant, wrong.last().Seq)
	}
	if v.Detail == "" || !strings.Contains(v.Error(), v.Detail) {
		t.Errorf("violation says %q", v.Error())
	}
	if got := view(state); !reflect.DeepEqual(got, was) {
		t.Errorf("a refused event changed the state:\n got %+v\nwant %+v", got, was)
	}
	if b.right == nil {
		return
	}
	right := before.clone()
	b.right(right)
	if len(right.events) == len(before.events) {
		t.Fatal("right adds nothing")
	}
	if err := state.Apply(*right.last()); err != nil {
		t.Errorf("the event in its place is refused too: %v", err)
	}
}

// bent is a breach by the same event with one thing changed.
func bent(name string, invariant int, before func(t *testing.T) *script, right func(*script), change func(*contracts.RunEvent)) breach {
	return breach{
		name: name, invariant: invariant, before: before, right: right,
		wrong: func(s *script) { right(s); s.bend(change) },
	}
}

func plain(t *testing.T) *script { t.Helper(); return running(t) }

func envelope() []breach {
	idle := func(s *script) { s.thought("m", "x", true) }
	fresh := func(t *testing.T) *script { t.Helper(); return newScript(t) }
	queue := func(s *script) { s.queued("") }
	queued := func(t *testing.T) *script { t.Helper(); return newScript(t).queued("") }
	draining := func(t *testing.T) *script {
		t.Helper()
		return running(t).call("c", "").end("c", contracts.CallError, "").draining(contracts.ReasonCancel)
	}
	asked := func(t *testing.T) *script { t.Helper(); return running(t).call("c", approvalID) }
	waiting := func(t *testing.T) *script {
		t.Helper()
		return asked(t).status(contracts.StateWaiting, contracts.ReasonApproval)
	}
	begin := func(s *script) { s.status(contracts.StateRunning, contracts.ReasonStarted) }
	wait := func(s *script) { s.status(contracts.StateWaiting, contracts.ReasonApproval) }
	drain := func(s *script) { s.draining(contracts.ReasonCancel) }
	finish := func(s *script) { s.done(contracts.StateCancelled) }
	return []breach{
		bent("a gap", 1, plain, idle, func(ev *contracts.RunEvent) { ev.Seq++ }),
		bent("a repetition", 1, plain, idle, func(ev *contracts.RunEvent) { ev.Seq-- }),
		bent("a stream that begins behind 1", 1, fresh, queue, func(ev *contracts.RunEvent) { ev.Seq = 2 }),
		bent("another run", 2, plain, idle, func(ev *contracts.RunEvent) { ev.RunID = "run_01jq0000000000000000000009" }),
		bent("another version", 2, plain, idle, func(ev *contracts.RunEvent) { ev.SchemaVersion++ }),
		bent("time going back", 3, plain, idle, func(ev *contracts.RunEvent) { ev.Time = start }),
		bent("a body of another type", 4, plain, idle, func(ev *contracts.RunEvent) { ev.Type = contracts.EventToken }),
		bent("no body", 4, plain, idle, func(ev *contracts.RunEvent) { ev.Data = nil }),
		bent("an engine's line", 4, plain, func(s *script) { s.spend(1) },
			func(ev *contracts.RunEvent) { ev.Data = &contracts.EngineBudget{} }),
		{name: "work before the run begins", invariant: 4, before: fresh, wrong: idle, right: queue},
		{name: "work in queued", invariant: 4, before: queued, wrong: idle, right: begin},
		{name: "a call in draining", invariant: 4, before: draining, wrong: func(s *script) { s.call("d", "") }, right: idle},
		{name: "a status in draining", invariant: 4, before: draining, wrong: begin, right: finish},
		{name: "a thought in waiting", invariant: 4, before: waiting, wrong: idle, right: begin},
		{
			name: "a verdict in waiting", invariant: 4, before: waiting,
			wrong: func(s *script) { s.verdict(0, contracts.OutcomePass, "m", "") }, right: begin,
		},
		{name: "another beginning", invariant: 5, before: plain, wrong: queue, right: drain},
		{name: "a beginning that is not queued", invariant: 5, before: fresh, wrong: begin, right: queue},
		{name: "running while running", invariant: 5, before: plain, wrong: begin, right: drain},
		{name: "waiting in queued", invariant: 5, before: queued, wrong: wait, right: begin},
		{
			name: "an end as a status", invariant: 5, before: plain, right: drain,
			wrong: func(s *script) { s.status(contracts.StateFailed, contracts.ReasonCancel) },
		},
		{
			name: "an unknown state", invariant: 5, before: plain, right: drain,
			wrong: func(s *script) { s.status("paused", contracts.ReasonCancel) },
		},
		{name: "waiting for nobody", invariant: 5, before: plain, wrong: wait, right: drain},
		{
			name: "waiting while a call is carried out", invariant: 5, wrong: wait, right: drain,
			before: func(t *testing.T) *script { t.Helper(); return asked(t).call("d", "") },
		},
		{
			name: "waiting while a message is open", invariant: 5, wrong: wait, right: drain,
			before: func(t *testing.T) *script { t.Helper(); return asked(t).thought("m", "x", false) },
		},
		bent("draining for no limit", 5, plain, drain, func(ev *contracts.RunEvent) {
			ev.Data = &contracts.StatusData{State: contracts.StateDraining, Reason: contracts.ReasonStarted}
		}),
		bent("a beginning without limits", 5, fresh, queue, func(ev *contracts.RunEvent) {
			ev.Data = &contracts.StatusData{State: contracts.StateQueued, TaskDigest: taskDigest}
		}),
		{
			name: "an event behind done", invariant: 18, wrong: idle,
			before: func(t *testing.T) *script { t.Helper(); return running(t).done(contracts.StateFailed) },
		},
		{
			name: "a second done", invariant: 18, wrong: finish,
			before: func(t *testing.T) *script { t.Helper(); return running(t).done(contracts.StateFailed) },
		},
		{
			name: "an unknown event behind done", invariant: 18,
			wrong:  func(s *script) { s.add(contracts.UnknownData{Type: "pulse"}) },
			before: func(t *testing.T) *script { t.Helper(); return running(t).done(contracts.StateFailed) },
		},
	}
}

func texts() []breach {
	open := func(t *testing.T) *script {
		t.Helper()
		return running(t).add(&contracts.TokenData{ID: "m", Delta: "a", Attempt: 2, Channel: contracts.ChannelAnswer})
	}
	more := func(s *script) {
		s.add(&contracts.TokenData{ID: "m", Delta: "b", Attempt: 2, Channel: contracts.ChannelAnswer})
	}
	token := func(change func(d *contracts.TokenData)) func(ev *contracts.RunEvent) {
		return func(ev *contracts.RunEvent) { change(as[*contracts.TokenData](ev.Data)) }
	}
	again := func(s *script) { s.token("n", "b", true) }
	return []breach{
		bent("an attempt that was given up", 6, open, more, token(func(d *contracts.TokenData) { d.Attempt = 1 })),
		bent("another channel", 6, open, more, token(func(d *contracts.TokenData) { d.Channel = contracts.ChannelRefusal })),
		{
			name: "a thought in an answer", invariant: 6, before: open, right: more,
			wrong: func(s *script) { s.thought("m", "x", false) },
		},
		{
			name: "a delta behind final", invariant: 6, right: again, wrong: func(s *script) { s.token("m", "b", false) },
			before: func(t *testing.T) *script { t.Helper(); return running(t).token("m", "a", true) },
		},
		{
			name: "a higher attempt behind final", invariant: 6, right: again, wrong: more,
			before: func(t *testing.T) *script { t.Helper(); return running(t).token("m", "a", true) },
		},
		{
			name: "a delta behind the verdict", invariant: 6, right: again, wrong: func(s *script) { s.token("m", "b", false) },
			before: func(t *testing.T) *script {
				t.Helper()
				return judged(t, contracts.ReleaseStream).token("m", "a", false).verdict(0, contracts.OutcomeRevise, "m", "a")
			},
		},
		bent("an answer on another branch", 7, open, more, func(ev *contracts.RunEvent) { ev.Branch = "a" }),
		bent("a thought on another branch", 7,
			func(t *testing.T) *script { t.Helper(); return running(t).thought("m", "x", false) },
			func(s *script) { s.thought("m", "y", true) }, func(ev *contracts.RunEvent) { ev.Branch = "a" }),
		bent("the end of a call on another branch", 7,
			func(t *testing.T) *script { t.Helper(); return running(t).call("c", "") },
			func(s *script) { s.end("c", contracts.CallOK, `1`) }, func(ev *contracts.RunEvent) { ev.Branch = "a" }),
		bent("an approval on another branch", 7,
			func(t *testing.T) *script { t.Helper(); return running(t).call("c", approvalID) },
			func(s *script) { s.approval(approvalID, "c", contracts.DecisionDenied) },
			func(ev *contracts.RunEvent) { ev.Branch = "a" }),
		bent("a retry on another branch", 7,
			func(t *testing.T) *script {
				t.Helper()
				return running(t).call("c", "").end("c", contracts.CallError, "")
			},
			func(s *script) { s.call("c", "") }, func(ev *contracts.RunEvent) { ev.Branch = "a" }),
	}
}

func calls() []breach {
	called := func(t *testing.T) *script { t.Helper(); return running(t).call("c", "") }
	ended := func(t *testing.T) *script { t.Helper(); return called(t).end("c", contracts.CallError, "") }
	asked := func(t *testing.T) *script { t.Helper(); return running(t).call("c", approvalID) }
	denied := func(t *testing.T) *script { t.Helper(); return running(t).gated("c", contracts.GateDeny, nil) }
	decided := func(d contracts.Decision) func(t *testing.T) *script {
		return func(t *testing.T) *script { t.Helper(); return asked(t).approval(approvalID, "c", d) }
	}
	end := func(status contracts.CallStatus) func(*script) {
		return func(s *script) { s.end("c", status, "") }
	}
	retry := func(s *script) { s.call("c", "") }
	begin := func(change func(d *contracts.ToolStartData)) func(ev *contracts.RunEvent) {
		return func(ev *contracts.RunEvent) { change(as[*contracts.ToolStartData](ev.Data)) }
	}
	approve := func(s *script) { s.approval(approvalID, "c", contracts.DecisionApproved) }
	approval := func(change func(d *contracts.ApprovalData)) func(ev *contracts.RunEvent) {
		return func(ev *contracts.RunEvent) { change(as[*contracts.ApprovalData](ev.Data)) }
	}
	succeed := func(s *script) { s.end("c", contracts.CallOK, `{"n":1}`) }
	receipt := func(name string, before func(t *testing.T) *script, change func(r *contracts.Receipt)) breach {
		return breach{
			name: "a receipt with " + name, invariant: 10, before: before, right: succeed,
			wrong: func(s *script) { s.endWith("c", contracts.CallOK, `{"n":1}`, change) },
		}
	}
	edited := func(t *testing.T) *script { t.Helper(); return asked(t).edited("c") }
	failed := func(s *script) { s.done(contracts.StateFailed) }
	return []breach{
		{name: "an end without a start", invariant: 8, before: ended, wrong: end(contracts.CallOK), right: retry},
		{name: "a call that has not ended", invariant: 8, before: called, wrong: failed, right: end(contracts.CallOK)},
		{name: "a start of an open call", invariant: 8, before: called, wrong: retry, right: end(contracts.CallOK)},
		bent("a first attempt that is not 1", 8, plain, retry, begin(func(d *contracts.ToolStartData) { d.Attempt = 2 })),
		bent("a retry that skips an attempt", 8, ended, retry, begin(func(d *contracts.ToolStartData) { d.Attempt = 3 })),
		bent("a retry of another tool", 8, ended, retry, begin(func(d *contracts.ToolStartData) { d.Tool = "other@1.0.0" })),
		{name: "a denied call that succeeds", invariant: 9, before: denied, wrong: end(contracts.CallOK), right: end(contracts.CallDenied)},
		{name: "an allowed call that is denied", invariant: 9, before: called, wrong: end(contracts.CallDenied), right: end(contracts.CallOK)},
		{name: "an end before the approval", invariant: 9, before: asked, wrong: end(contracts.CallCancelled), right: approve},
		{
			name: "a call that was approved and is denied", invariant: 9, before: decided(contracts.DecisionApproved),
			wrong: end(contracts.CallDenied), right: end(contracts.CallTimeout),
		},
		{
			name: "a call that was denied and succeeds", invariant: 9, before: decided(contracts.DecisionDenied),
			wrong: end(contracts.CallOK), right: end(contracts.CallDenied),
		},
		{
			name: "a call whose approval expired and that is denied", invariant: 9, before: decided(contracts.DecisionExpired),
			wrong: end(contracts.CallDenied), right: end(contracts.CallTimeout),
		},
		{
			name: "a call whose approval was cancelled and that succeeds", invariant: 9, before: decided(contracts.DecisionCancelled),
			wrong: end(contracts.CallOK), right: end(contracts.CallCancelled),
		},
		{name: "a second approval", invariant: 9, before: decided(contracts.DecisionApproved), wrong: approve, right: end(contracts.CallOK)},
		{name: "an approval that was not asked for", invariant: 9, before: called, wrong: approve, right: end(contracts.CallOK)},
		bent("an approval by another id", 9, asked, approve, approval(func(d *contracts.ApprovalData) { d.ID = otherAskID })),
		bent("an approval of an unknown call", 9, asked, approve, approval(func(d *contracts.ApprovalData) { d.CallID = "x" })),
		bent("arguments that were not edited", 9, asked, approve, approval(func(d *contracts.ApprovalData) { d.Args = json.RawMessage(`{}`) })),
		bent("an ask without a request", 9, plain, func(s *script) { s.call("c", approvalID) },
			begin(func(d *contracts.ToolStartData) { d.Approval = nil })),
		{
			name: "an approval id of another call", invariant: 9, before: decided(contracts.DecisionApproved),
			wrong: func(s *script) { s.call("d", approvalID) }, right: func(s *script) { s.call("d", otherAskID) },
		},
		bent("a tool that was not pinned", 9, plain, retry, begin(func(d *contracts.ToolStartData) { d.Tool = "other@1.0.0" })),
		bent("a definition that was not pinned", 9, plain, retry, begin(func(d *contracts.ToolStartData) { d.ToolDigest = taskDigest })),
		bent("no definition", 9, plain, retry, begin(func(d *contracts.ToolStartData) { d.ToolDigest, d.Tool = "", "other@1.0.0" })),
		{name: "no receipt", invariant: 10, before: called, right: succeed, wrong: func(s *script) {
			s.end("c", contracts.CallOK, "").bend(func(ev *contracts.RunEvent) { as[*contracts.ToolEndData](ev.Data).Receipt = nil })
		}},
		{name: "a receipt of another chain", invariant: 10, before: called, right: succeed, wrong: func(s *script) {
			s.head = toolDigest
			succeed(s)
		}},
		{name: "a receipt that was changed", invariant: 10, before: called, right: succeed, wrong: func(s *script) {
			succeed(s)
			s.bend(func(ev *contracts.RunEvent) { as[*contracts.ToolEndData](ev.Data).Receipt.CostMicroUSD++ })
		}},
		receipt("another call", called, func(r *contracts.Receipt) { r.CallID = "x" }),
		receipt("another tool", called, func(r *contracts.Receipt) { r.Tool = "x" }),
		receipt("another definition", called, func(r *contracts.Receipt) { r.ToolDigest = taskDigest }),
		receipt("another attempt", called, func(r *contracts.Receipt) { r.Attempt++ }),
		receipt("another status", called, func(r *contracts.Receipt) { r.Status = contracts.CallError }),
		receipt("another start", called, func(r *contracts.Receipt) { r.StartedAt++ }),
		receipt("another latency", called, func(r *contracts.Receipt) { r.LatencyMS++ }),
		receipt("arguments that were not shown", called, func(r *contracts.Receipt) {
			r.Args, r.ArgsHash = json.RawMessage(`{}`), contracts.DigestText(`{}`)
		}),
		receipt("another hash of the arguments", called, func(r *contracts.Receipt) { r.ArgsHash = taskDigest }),
		receipt("another hash of the result", called, func(r *contracts.Receipt) { r.ResultHash = taskDigest }),
		receipt("no hash of the result", called, func(r *contracts.Receipt) { r.ResultHash = "" }),
		receipt("an approval that was not asked for", called, func(r *contracts.Receipt) { r.Approval = &contracts.ReceiptApproval{} }),
		receipt("no approval", decided(contracts.DecisionApproved), func(r *contracts.Receipt) { r.Approval = nil }),
		receipt("another approval", decided(contracts.DecisionApproved), func(r *contracts.Receipt) {
			r.Approval = &contracts.ReceiptApproval{By: "lee", Decision: contracts.DecisionApproved}
		}),
		receipt("the arguments before the edit", edited, func(r *contracts.Receipt) {
			r.Args, r.ArgsHash = json.RawMessage(`{"q":"x"}`), contracts.DigestText(`{"q":"x"}`)
		}),
		bent("another number of receipts", 10, ended, failed, func(ev *contracts.RunEvent) { as[*contracts.DoneData](ev.Data).Receipts = 0 }),
		bent("another head of the chain", 10, ended, failed, func(ev *contracts.RunEvent) { as[*contracts.DoneData](ev.Data).ReceiptsHead = taskDigest }),
	}
}

func budgets() []breach {
	spent := func(t *testing.T) *script {
		t.Helper()
		s := running(t)
		s.used = contracts.Usage{
			TokensIn: 10, TokensOut: 10, TokensCached: 5, TokensReasoning: 5, WallMS: 1500, ActiveMS: 500,
			Branches: 1, CostMicroUSD: 7,
		}
		return s.spend(0)
	}
	tick := func(s *script) { s.spend(1) }
	used := func(name string, change func(u *contracts.Usage)) breach {
		return bent(name, 11, spent, tick, func(ev *contracts.RunEvent) { change(&as[*contracts.BudgetData](ev.Data).Used) })
	}
	three := func(t *testing.T) *script {
		t.Helper()
		s := running(t)
		for range 3 {
			s.call("c", "").end("c", contracts.CallError, "")
		}
		return s
	}
	wide := func(t *testing.T) *script {
		t.Helper()
		s := running(t).on("a", &contracts.ThoughtData{ID: "m", Attempt: 1})
		s.used.Branches = 2
		return s
	}
	reached := func(t *testing.T) *script { t.Helper(); return running(t).spend(900) }
	drain := func(s *script) { s.draining(contracts.ReasonTokens) }
	warned := func(t *testing.T) *script { t.Helper(); return running(t).warn(contracts.DimensionTokens) }
	drained := func(t *testing.T) *script { t.Helper(); return reached(t).draining(contracts.ReasonTokens) }
	exhausted := func(s *script) { s.done(contracts.StateExhausted) }
	failed := func(s *script) { s.done(contracts.StateFailed) }
	return []breach{
		used("input tokens that shrink", func(u *contracts.Usage) { u.TokensIn-- }),
		used("output tokens that shrink", func(u *contracts.Usage) { u.TokensOut -= 2 }),
		used("cached tokens that shrink", func(u *contracts.Usage) { u.TokensCached-- }),
		used("reasoning tokens that shrink", func(u *contracts.Usage) { u.TokensReasoning-- }),
		used("wall time that shrinks", func(u *contracts.Usage) { u.WallMS-- }),
		used("active time that shrinks", func(u *contracts.Usage) { u.ActiveMS-- }),
		used("cost that shrinks", func(u *contracts.Usage) { u.CostMicroUSD-- }),
		used("more wall time than has passed", func(u *contracts.Usage) { u.WallMS = 3001 }),
		used("more active time than has passed", func(u *contracts.Usage) { u.ActiveMS = 2001 }),
		used("calls that were not made", func(u *contracts.Usage) { u.ToolCalls++ }),
		used("branches that were not there", func(u *contracts.Usage) { u.Branches = 0 }),
		used("reflections that were not granted", func(u *contracts.Usage) { u.Reflections++ }),
		bent("usage that shrinks at the end", 11, spent, failed, func(ev *contracts.RunEvent) { as[*contracts.DoneData](ev.Data).Used.TokensIn = 0 }),
		{
			name: "a second warning", invariant: 11, before: warned,
			wrong: func(s *script) { s.warn(contracts.DimensionTokens) }, right: func(s *script) { s.warn(contracts.DimensionCost) },
		},
		{name: "a warning about nothing", invariant: 11, before: warned, wrong: func(s *script) { s.warn("") }, right: tick},
		{
			name: "a call too many", invariant: 11, before: three, wrong: func(s *script) { s.call("c", "") },
			right: func(s *script) { s.draining(contracts.ReasonToolCalls) },
		},
		{
			name: "a thought on a branch too many", invariant: 11, before: wide, right: func(s *script) { s.thought("n", "", true) },
			wrong: func(s *script) { s.on("b", &contracts.ThoughtData{ID: "n", Attempt: 1, Final: true}) },
		},
		{
			name: "an answer on a branch too many", invariant: 11, before: wide, right: func(s *script) { s.token("n", "", false) },
			wrong: func(s *script) { s.on("b", &contracts.TokenData{ID: "n", Attempt: 1}) },
		},
		{
			name: "a call on a branch too many", invariant: 11, before: wide, right: func(s *script) { s.call("c", "") },
			wrong: func(s *script) { s.call("c", "").bend(func(ev *contracts.RunEvent) { ev.Branch = "b" }) },
		},
		{name: "a call behind the limit", invariant: 11, before: reached, wrong: func(s *script) { s.call("c", "") }, right: drain},
		{name: "a thought behind the limit", invariant: 11, before: reached, wrong: func(s *script) { s.thought("m", "", true) }, right: drain},
		{
			name: "waiting behind the limit", invariant: 11, right: drain,
			before: func(t *testing.T) *script { t.Helper(); return running(t).call("c", approvalID).spend(900) },
			wrong:  func(s *script) { s.status(contracts.StateWaiting, contracts.ReasonApproval) },
		},
		{name: "an end behind the limit", invariant: 11, before: reached, wrong: failed, right: (*script).reread},
		{
			name: "a harmless error behind the limit", invariant: 11, before: reached, right: func(s *script) { s.fatal() },
			wrong: func(s *script) {
				s.fatal().bend(func(ev *contracts.RunEvent) { as[*contracts.ErrorData](ev.Data).Fatal = false })
			},
		},
		{
			name: "an end at a limit that no reading shows", invariant: 11, before: plain, right: failed,
			wrong: func(s *script) { s.used.CostMicroUSD = 1000; s.done(contracts.StateFailed) },
		},
		{name: "a run that drained for a limit and failed", invariant: 11, before: drained, wrong: failed, right: exhausted},
		{name: "a run that is exhausted without draining", invariant: 11, before: plain, wrong: exhausted, right: failed},
		{
			name: "a cancelled run that is exhausted", invariant: 11, wrong: exhausted, right: func(s *script) { s.done(contracts.StateCancelled) },
			before: func(t *testing.T) *script { t.Helper(); return running(t).draining(contracts.ReasonCancel) },
		},
	}
}

// reread writes the same reading again.
func (s *script) reread() { s.spend(0) }

func verdicts() []breach {
	answered := func(t *testing.T) *script {
		t.Helper()
		return judged(t, contracts.ReleaseStream).thought("t", "x", true).token("m", "a", true)
	}
	revised := func(t *testing.T) *script {
		t.Helper()
		return answered(t).verdict(0, contracts.OutcomeRevise, "m", "a")
	}
	twice := func(t *testing.T) *script {
		t.Helper()
		return revised(t).verdict(1, contracts.OutcomeRevise, "n", "b")
	}
	final := func(t *testing.T) *script { t.Helper(); return answered(t).verdict(0, contracts.OutcomeFail, "m", "a") }
	pass := func(s *script) { s.verdict(0, contracts.OutcomePass, "m", "a") }
	second := func(s *script) { s.verdict(1, contracts.OutcomePass, "n", "b") }
	failed := func(s *script) { s.verdict(0, contracts.OutcomeError, "m", "a") }
	verdict := func(change func(v *contracts.VerdictData)) func(ev *contracts.RunEvent) {
		return func(ev *contracts.RunEvent) { change(as[*contracts.VerdictData](ev.Data)) }
	}
	return []breach{
		{name: "a verdict without a contract", invariant: 12, before: plain, wrong: pass, right: func(s *script) { s.token("m", "a", true) }},
		bent("a first pass that is not 0", 12, answered, pass, verdict(func(v *contracts.VerdictData) { v.Pass = 1 })),
		bent("a pass that is counted twice", 12, revised, second, verdict(func(v *contracts.VerdictData) { v.Pass = 0 })),
		{name: "a verdict behind a final one", invariant: 12, before: final, wrong: second, right: func(s *script) { s.done(contracts.StateFailed) }},
		bent("a verdict that is not final", 12, answered, pass, verdict(func(v *contracts.VerdictData) { v.Final = false })),
		bent("another text than the streamed", 12, answered, pass, verdict(func(v *contracts.VerdictData) { v.OutputHash = contracts.DigestText("b") })),
		bent("a thought that is judged", 12, answered, pass, verdict(func(v *contracts.VerdictData) {
			v.MessageID, v.OutputHash = "t", contracts.DigestText("x")
		})),
		bent("a message that was judged before", 12, revised, second, verdict(func(v *contracts.VerdictData) {
			v.MessageID, v.OutputHash = "m", contracts.DigestText("a")
		})),
		{
			name: "a revision too many", invariant: 12, before: twice,
			wrong: func(s *script) { s.verdict(2, contracts.OutcomeRevise, "o", "c") },
			right: func(s *script) { s.verdict(2, contracts.OutcomeFail, "o", "c") },
		},
		{
			name: "a revision while draining", invariant: 12, right: pass,
			wrong:  func(s *script) { s.verdict(0, contracts.OutcomeRevise, "m", "a") },
			before: func(t *testing.T) *script { t.Helper(); return answered(t).draining(contracts.ReasonCancel) },
		},
		bent("an errored verdict with a score", 13, answered, failed, verdict(func(v *contracts.VerdictData) { v.Score = new(float64) })),
		bent("an errored check in a verdict that is not", 13, answered, pass, verdict(func(v *contracts.VerdictData) {
			v.Results = []contracts.CheckResult{{ID: "c", Status: contracts.CheckError}}
		})),
	}
}

func endings() []breach {
	judgedAs := func(outcome contracts.Outcome) func(t *testing.T) *script {
		return func(t *testing.T) *script {
			t.Helper()
			return judged(t, contracts.ReleaseStream).token("m", "a", true).verdict(0, outcome, "m", "a")
		}
	}
	const verdictSeq = 4
	done := func(change func(d *contracts.DoneData)) func(ev *contracts.RunEvent) {
		return func(ev *contracts.RunEvent) { change(as[*contracts.DoneData](ev.Data)) }
	}
	succeed := func(s *script) { s.answer(contracts.StateSucceeded, "m", "a", verdictSeq) }
	fail := func(s *script) { s.answer(contracts.StateFailed, "m", "a", verdictSeq) }
	refuse := func(s *script) {
		s.answer(contracts.StateRefused, "m", "a", verdictSeq).bend(done(func(d *contracts.DoneData) { d.Output = nil }))
	}
	failed := func(s *script) { s.done(contracts.StateFailed) }
	broken := func(t *testing.T) *script { t.Helper(); return running(t).call("c", "").fatal() }
	cancel := func(s *script) { s.end("c", contracts.CallCancelled, "") }
	streamed := func(t *testing.T) *script {
		t.Helper()
		return running(t).thought("t", "x", true).token("m", "b", false).
			add(&contracts.TokenData{ID: "m", Delta: "a", Attempt: 2, Final: true, Channel: contracts.ChannelAnswer})
	}
	answer := func(s *script) { s.answer(contracts.StateSucceeded, "m", "a", 0) }
	verified := func(t *testing.T) *script { t.Helper(); return judged(t, contracts.ReleaseVerified) }
	passed := func(t *testing.T) *script { t.Helper(); return verified(t).verdict(0, contracts.OutcomePass, "m", "a") }
	withheld := func(t *testing.T) *script { t.Helper(); return verified(t).verdict(0, contracts.OutcomeFail, "m", "a") }
	return []breach{
		{
			name: "success without a verdict", invariant: 14, right: failed,
			wrong:  func(s *script) { s.answer(contracts.StateSucceeded, "m", "a", 0) },
			before: func(t *testing.T) *script { t.Helper(); return judged(t, contracts.ReleaseStream) },
		},
		bent("success that cites no verdict", 14, judgedAs(contracts.OutcomePass), succeed, done(func(d *contracts.DoneData) { d.VerdictSeq = 0 })),
		bent("success that cites another event", 14, judgedAs(contracts.OutcomePass), succeed, done(func(d *contracts.DoneData) { d.VerdictSeq = 3 })),
		bent("success of another message", 14, judgedAs(contracts.OutcomePass), succeed, done(func(d *contracts.DoneData) { d.MessageID = "n" })),
		bent("success of another text", 14, judgedAs(contracts.OutcomePass), succeed, done(func(d *contracts.DoneData) {
			d.Output, d.OutputHash = nil, contracts.DigestText("b")
		})),
		{name: "success after a failure", invariant: 14, before: judgedAs(contracts.OutcomeFail), wrong: succeed, right: fail},
		{name: "refusal after a failure", invariant: 14, before: judgedAs(contracts.OutcomeFail), wrong: refuse, right: fail},
		{
			name: "refusal with its output", invariant: 14, before: judgedAs(contracts.OutcomeRefuse), right: refuse,
			wrong: func(s *script) { s.answer(contracts.StateRefused, "m", "a", verdictSeq) },
		},
		{
			name: "refusal without a contract", invariant: 14, before: plain, right: failed,
			wrong: func(s *script) { s.done(contracts.StateRefused) },
		},
		{name: "an end that is none", invariant: 14, before: plain, right: failed, wrong: func(s *script) { s.done(contracts.StateRunning) }},
		{
			name: "a thought behind a fatal error", invariant: 15, before: broken, right: cancel,
			wrong: func(s *script) { s.thought("m", "x", true) },
		},
		{name: "a reading behind a fatal error", invariant: 15, before: broken, right: cancel, wrong: func(s *script) { s.spend(1) }},
		{
			name: "success behind a fatal error", invariant: 15, wrong: answer, right: failed,
			before: func(t *testing.T) *script { t.Helper(); return streamed(t).fatal() },
		},
		{
			name: "a text that was discarded", invariant: 16, before: streamed, right: answer,
			wrong: func(s *script) { s.answer(contracts.StateSucceeded, "m", "b", 0) },
		},
		{
			name: "a thought as an answer", invariant: 16, before: streamed, right: answer,
			wrong: func(s *script) { s.answer(contracts.StateSucceeded, "t", "x", 0) },
		},
		bent("another hash", 16, streamed, answer, done(func(d *contracts.DoneData) { d.OutputHash = contracts.DigestText("b") })),
		bent("no message", 16, streamed, answer, done(func(d *contracts.DoneData) { d.MessageID = "" })),
		{
			name: "a token before the verdict", invariant: 17, before: verified, wrong: func(s *script) { s.token("m", "a", true) },
			right: func(s *script) { s.verdict(0, contracts.OutcomePass, "m", "a") },
		},
		{
			name: "a token of another message", invariant: 17, before: passed, wrong: func(s *script) { s.token("n", "a", true) },
			right: func(s *script) { s.token("m", "a", true) },
		},
		{name: "a token behind a failure", invariant: 17, before: withheld, wrong: func(s *script) { s.token("m", "a", true) }, right: failed},
		bent("the output of a failure", 17, withheld, func(s *script) {
			s.answer(contracts.StateFailed, "m", "a", 3).bend(done(func(d *contracts.DoneData) { d.Output = nil }))
		}, done(func(d *contracts.DoneData) { text := "a"; d.Output = &text })),
	}
}
