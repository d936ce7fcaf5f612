package runstate_test

import (
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
