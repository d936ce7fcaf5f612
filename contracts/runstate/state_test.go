package runstate_test

import (
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// views is everything that a State shows, in values that can be compared.
type views struct {
	Snapshot  contracts.Snapshot
	LastTime  contracts.Time
	Drained   contracts.StatusReason
	DrainedAt contracts.Time
	LastTick  contracts.Time
	Used      contracts.Usage
	Warnings  []contracts.Dimension
	Open      []runstate.Call
	Calls     map[string]runstate.Call
	Approvals map[contracts.ApprovalID]runstate.Call
	Messages  map[string]runstate.Message
	Counts    [7]int64
	Head      contracts.Digest
	Verdict   *contracts.VerdictData
	VerdictAt contracts.Seq
}

// ids are those that tests use.
func ids() []string { return []string{"c", "d", "e", "m", "n", "o", "t"} }

func view(s *runstate.State) views {
	used := s.Used(s.LastTime()+500, contracts.EngineUsage{TokensIn: 3})
	v := views{
		Snapshot: s.Snapshot(), LastTime: s.LastTime(), Drained: s.Drained(), DrainedAt: s.DrainedAt(),
		LastTick: s.LastTick(), Used: used, Warnings: s.Warnings(contracts.Usage{TokensIn: 1 << 40, ToolCalls: 1 << 30}),
		Open: s.OpenCalls(), Calls: make(map[string]runstate.Call), Messages: make(map[string]runstate.Message),
		Approvals: make(map[contracts.ApprovalID]runstate.Call),
		Counts: [...]int64{
			int64(s.OpenMessages()), s.BranchesAlive(), s.BranchesWith("a"), s.BranchesWith("b"), s.ToolCalls(),
			s.Passes(), s.Size(),
		},
	}
	_, v.Head = s.Receipts()
	v.Verdict, v.VerdictAt = s.Verdict()
	for _, id := range ids() {
		if c, ok := s.Call(id); ok {
			v.Calls[id] = c
		}
		if m, ok := s.Message(id); ok {
			v.Messages[id] = m
		}
	}
	for _, id := range []contracts.ApprovalID{approvalID, otherAskID} {
		if c, ok := s.ApprovalCall(id); ok {
			v.Approvals[id] = c
		}
	}
	return v
}

func TestZeroState(t *testing.T) {
	var s runstate.State
	if s.Phase() != "" || s.LastSeq() != 0 || s.Header() != nil || s.Done() != nil || s.Fatal() != nil || s.Size() != 0 {
		t.Error("the zero value is not a run before its first event")
	}
	if got := s.Used(start, contracts.EngineUsage{TokensIn: 1}); got != (contracts.Usage{}) {
		t.Errorf("used = %+v", got)
	}
	if d, ok := s.Reached(contracts.Usage{TokensIn: 1}); ok {
		t.Errorf("reached %s", d)
	}
	if v, seq := s.Verdict(); v != nil || seq != 0 {
		t.Errorf("verdict %v at %d", v, seq)
	}
	if s.BranchesAlive() != 1 || s.BranchesWith("a") != 2 {
		t.Error("the root counts always")
	}
	snapshot := s.Snapshot()
	if snapshot.OpenCalls == nil || snapshot.Verdicts == nil {
		t.Error("lists of a snapshot are never nil")
	}
	s.Rollback()
	s.Commit()
}

func TestBeginTwicePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	var s runstate.State
	s.Begin()
	s.Begin()
}

func TestSnapshot(t *testing.T) {
	script := judged(t, contracts.ReleaseStream).call("c", approvalID).token("m", "a", true).
		verdict(0, contracts.OutcomeRevise, "m", "a").call("d", "")
	s := fold(t, script.events)
	got := s.Snapshot()

	if got.RunID != runID || got.State != contracts.StateRunning || got.LastSeq != 6 || got.CreatedAt != start ||
		got.UpdatedAt != start+5000 || got.Backend != "local" || got.Profile != contracts.ProfileBalanced ||
		got.TaskDigest != taskDigest || got.Release != contracts.ReleaseStream || got.Limits != limits() ||
		got.Links != contracts.LinksOf(runID) || got.Approvals != 1 || got.Done != nil {
		t.Errorf("snapshot = %+v", got)
	}
	if got.Tools[string(toolRef)] != toolDigest {
		t.Errorf("tools = %v", got.Tools)
	}
	want := contracts.Usage{WallMS: 5000, ActiveMS: 4000, ToolCalls: 2, Branches: 1, Reflections: 1}
	if got.Used != want {
		t.Errorf("used = %+v, want %+v", got.Used, want)
	}
	if len(got.OpenCalls) != 2 || got.OpenCalls[0].CallID != "c" || got.OpenCalls[0].Approval.ID != approvalID ||
		got.OpenCalls[0].StartedAt != start+2000 || got.OpenCalls[1].CallID != "d" {
		t.Errorf("open calls = %+v", got.OpenCalls)
	}
	if len(got.Verdicts) != 1 || got.Verdicts[0].MessageID != "m" {
		t.Errorf("verdicts = %+v", got.Verdicts)
	}

	broken := fold(t, script.fatal().events)
	if broken.Snapshot().FatalError == nil || broken.Fatal() == nil {
		t.Error("the fatal error is missing")
	}
}

func TestUsed(t *testing.T) {
	script := running(t).spend(10).call("c", approvalID).status(contracts.StateWaiting, contracts.ReasonApproval)
	s := fold(t, script.events)
	now := start + 9000

	got := s.Used(now, contracts.EngineUsage{TokensIn: 4, TokensOut: 7, CostMicroUSD: 2})
	want := contracts.Usage{
		TokensIn: 4, TokensOut: 10, CostMicroUSD: 2, WallMS: 9000, ActiveMS: 3000, ToolCalls: 1, Branches: 1,
	}
	if got != want {
		t.Errorf("waiting: used = %+v, want %+v", got, want)
	}

	script.approval(approvalID, "c", contracts.DecisionApproved).status(contracts.StateRunning, contracts.ReasonResumed)
	s = fold(t, script.events)
	if got := s.Used(now, contracts.EngineUsage{}).ActiveMS; got != 3000+3000 {
		t.Errorf("running again: active = %d", got)
	}

	script.end("c", contracts.CallOK, "1").done(contracts.StateFailed)
	s = fold(t, script.events)
	if got := s.Used(now, contracts.EngineUsage{TokensIn: 99}); got != s.Done().Used {
		t.Errorf("done: used = %+v, want %+v", got, s.Done().Used)
	}
}

func TestReached(t *testing.T) {
	s := fold(t, running(t).events)
	tests := []struct {
		used contracts.Usage
		want contracts.Dimension
	}{
		{contracts.Usage{TokensIn: 800, TokensOut: 99}, ""},
		{contracts.Usage{TokensIn: 800, TokensOut: 100, CostMicroUSD: 1000}, contracts.DimensionTokens},
		{contracts.Usage{CostMicroUSD: 999}, ""},
		{contracts.Usage{CostMicroUSD: 1000, ActiveMS: 500_000}, contracts.DimensionCost},
		{contracts.Usage{ActiveMS: 500_000, WallMS: 600_000}, contracts.DimensionActive},
		{contracts.Usage{WallMS: 600_000}, contracts.DimensionWall},
		{contracts.Usage{ToolCalls: 99, Branches: 99, Reflections: 99}, ""},
	}
	for _, test := range tests {
		if got, ok := s.Reached(test.used); got != test.want || ok != (test.want != "") {
			t.Errorf("Reached(%+v) = %q, %v, want %q", test.used, got, ok, test.want)
		}
	}

	free := running(t)
	as[*contracts.StatusData](free.events[0].Data).Limits.MaxCostMicroUSD = 0
	s = fold(t, free.events)
	if d, ok := s.Reached(contracts.Usage{}); ok {
		t.Errorf("a run that costs nothing reached %s", d)
	}
	if d, _ := s.Reached(contracts.Usage{CostMicroUSD: 1}); d != contracts.DimensionCost {
		t.Errorf("reached %q, want cost", d)
	}
}

func TestWarnings(t *testing.T) {
	all := contracts.Usage{
		TokensIn: 720, CostMicroUSD: 800, ActiveMS: 400_000, WallMS: 480_000, ToolCalls: 3, Branches: 2, Reflections: 2,
	}
	script := running(t)
	s := fold(t, script.events)
	want := []contracts.Dimension{
		contracts.DimensionTokens, contracts.DimensionCost, contracts.DimensionActive, contracts.DimensionWall,
		contracts.DimensionToolCalls, contracts.DimensionBranches, contracts.DimensionReflections,
	}
	if got := s.Warnings(all); !slices.Equal(got, want) {
		t.Errorf("warnings = %v, want %v", got, want)
	}
	below := contracts.Usage{
		TokensIn: 719, CostMicroUSD: 799, ActiveMS: 399_999, WallMS: 479_999, ToolCalls: 2, Branches: 1, Reflections: 1,
	}
	if got := s.Warnings(below); len(got) != 0 {
		t.Errorf("warnings below = %v", got)
	}
	s = fold(t, script.warn(contracts.DimensionCost).events)
	if got := s.Warnings(all); slices.Contains(got, contracts.DimensionCost) || len(got) != len(want)-1 {
		t.Errorf("warnings after one = %v", got)
	}
	if !s.Warned(contracts.DimensionCost) || s.Warned(contracts.DimensionTokens) || s.Warned("") {
		t.Error("Warned does not say what stands in the stream")
	}

	none := running(t)
	l := as[*contracts.StatusData](none.events[0].Data).Limits
	l.MaxCostMicroUSD, l.MaxToolCalls, l.ReflectionPasses, l.BranchWidth = 0, 0, 0, 1
	if got := fold(t, none.events).Warnings(contracts.Usage{Branches: 1, CostMicroUSD: 1}); len(got) != 0 {
		t.Errorf("warnings about limits that leave nothing = %v", got)
	}
}

func TestMessages(t *testing.T) {
	script := running(t).token("m", "ab", false).token("m", "c", false).
		add(&contracts.ThoughtData{ID: "t", Delta: strings.Repeat("long ", 1000), Attempt: 1})
	s := fold(t, script.events)
	got, ok := s.Message("m")
	want := runstate.Message{
		ID: "m", Answer: true, Channel: contracts.ChannelAnswer, Attempt: 1, Bytes: 3, Hash: contracts.DigestText("abc"),
	}
	if !ok || got != want {
		t.Errorf("message = %+v, want %+v", got, want)
	}
	if got, _ := s.Message("t"); got.Hash != contracts.DigestText(strings.Repeat("long ", 1000)) || got.Answer {
		t.Errorf("thought = %+v", got)
	}
	if s.OpenMessages() != 2 {
		t.Errorf("open messages = %d", s.OpenMessages())
	}

	s = fold(t, script.add(&contracts.TokenData{ID: "m", Attempt: 3, Final: true, Channel: contracts.ChannelRefusal}).events)
	got, _ = s.Message("m")
	want = runstate.Message{
		ID: "m", Answer: true, Channel: contracts.ChannelRefusal, Attempt: 3, Hash: contracts.DigestText(""), Final: true,
	}
	if got != want || s.OpenMessages() != 1 {
		t.Errorf("message = %+v, want %+v", got, want)
	}
	if _, ok := s.Message("x"); ok {
		t.Error("there is no message x")
	}
}

func TestCallsAndApprovals(t *testing.T) {
	script := running(t).call("c", approvalID)
	s := fold(t, script.events)
	c, ok := s.Call("c")
	if !ok || !c.Pending() || c.Ended || c.Tool != toolRef || c.ToolDigest != toolDigest || string(c.Args) != `{"q":"x"}` {
		t.Errorf("call = %+v", c)
	}
	s = fold(t, script.edited("c").events)
	if c, _ := s.ApprovalCall(approvalID); c.Pending() || c.By != "kim" || string(c.Args) != `{"q":"y"}` {
		t.Errorf("edited call = %+v", c)
	}
	s = fold(t, script.end("c", contracts.CallError, "").call("c", otherAskID).events)
	first, _ := s.ApprovalCall(approvalID)
	if !first.Ended || first.Attempt != 1 || first.Decision != contracts.DecisionEdited || first.Args != nil {
		t.Errorf("first attempt = %+v", first)
	}
	second, _ := s.ApprovalCall(otherAskID)
	if !second.Pending() || second.Attempt != 2 || len(s.OpenCalls()) != 1 {
		t.Errorf("second attempt = %+v", second)
	}
	if _, ok := s.Call("x"); ok {
		t.Error("there is no call x")
	}
	if _, ok := s.ApprovalCall("apr_x"); ok {
		t.Error("there is no approval x")
	}
}

func TestBranches(t *testing.T) {
	s := fold(t, running(t).on("a", &contracts.ThoughtData{ID: "m", Attempt: 1}).events)
	if s.BranchesAlive() != 2 || s.BranchesWith("a") != 2 || s.BranchesWith("b") != 3 || s.BranchesWith("") != 2 {
		t.Errorf("alive %d, with a %d, with b %d", s.BranchesAlive(), s.BranchesWith("a"), s.BranchesWith("b"))
	}
	if err := s.Apply(contracts.RunEvent{
		SchemaVersion: contracts.Version, RunID: runID, Seq: 4, Time: start + 4000, Type: contracts.EventThought,
		Branch: "a", Data: &contracts.ThoughtData{ID: "m", Attempt: 1, Final: true},
	}); err != nil {
		t.Fatal(err)
	}
	if s.BranchesAlive() != 1 || s.Used(start+4000, contracts.EngineUsage{}).Branches != 2 {
		t.Error("the branch died and its peak stays")
	}
}

func TestABranchIsAliveWhileACallIsOpen(t *testing.T) {
	script := running(t).call("c", "").bend(func(ev *contracts.RunEvent) { ev.Branch = "a" })
	if alive := fold(t, script.events).BranchesAlive(); alive != 2 {
		t.Errorf("with an open call: %d alive", alive)
	}
	script.end("c", contracts.CallOK, "1").bend(func(ev *contracts.RunEvent) { ev.Branch = "a" })
	if alive := fold(t, script.events).BranchesAlive(); alive != 1 {
		t.Errorf("after its end: %d alive", alive)
	}
}

func TestSizeFollowsCallsAndMessages(t *testing.T) {
	script := running(t)
	before := fold(t, script.events).Size()
	long := fold(t, script.clone().token("m", strings.Repeat("x", 1<<20), true).events).Size()
	short := fold(t, script.clone().token("m", "x", true).events).Size()
	if long != short || short <= before {
		t.Errorf("size %d, with a short message %d, with a long one %d", before, short, long)
	}
}
