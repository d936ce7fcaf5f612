package contractstest

import (
	"bytes"
	"encoding/json"
	"slices"

	"axiom25/contracts"
)

// Step is how much time passes between two events of a Stream, in milliseconds.
const Step = 25

// Stream builds the events of one run. It numbers and times them, fills in what the server would (digests, gates,
// receipts and their chain, usage), and leaves the order to the caller: a test that wants a broken stream can have one.
type Stream struct {
	// Spent is what the engine reports; tool calls, branches, reflections and times are counted.
	Spent contracts.EngineUsage

	run    contracts.RunID
	now    contracts.Time
	task   *contracts.TaskSpec
	tools  map[contracts.ToolRef]*contracts.ToolSpec
	events []contracts.RunEvent
	used   contracts.Usage

	branch  contracts.Branch
	state   contracts.State
	entered contracts.Time // when state began
	fatal   bool

	calls map[string]*call
	texts map[string]string // of the messages' last attempts
	tries map[string]int64

	digest    contracts.Digest
	head      contracts.Digest
	receipts  int64
	approvals int
	verdict   contracts.Seq
	passes    int64
}

// call is what a tool_end needs to know of its tool_start.
type call struct {
	start    contracts.ToolStartData
	at       contracts.Time
	approval *contracts.ReceiptApproval
}

// NewStream returns the stream of a run of task, queued at Start. The tools are those that the task allows, beside the
// builtin ToolSpec.
func NewStream(task *contracts.TaskSpec, tools ...*contracts.ToolSpec) *Stream {
	s := &Stream{
		run: RunID(1), now: Start, task: task, tools: make(map[contracts.ToolRef]*contracts.ToolSpec),
		calls: make(map[string]*call), texts: make(map[string]string), tries: make(map[string]int64),
	}
	s.used.Branches = 1
	for _, tool := range append([]*contracts.ToolSpec{ToolSpec()}, tools...) {
		s.tools[tool.Ref()] = tool
	}
	s.digest = must(contracts.DigestJSON(Document(task)))
	s.head = s.digest

	limits := task.Budget.Effective(task.Profile)
	queued := &contracts.StatusData{
		State: contracts.StateQueued, Reason: contracts.ReasonSubmitted,
		TaskDigest: s.digest, Limits: &limits, Profile: task.Profile, Backend: "local",
	}
	if task.Verification != nil {
		queued.Release = task.Verification.Release
	}
	for _, ref := range task.AllowedTools {
		if tool := s.tools[ref]; tool != nil {
			if queued.Tools == nil {
				queued.Tools = make(map[string]contracts.Digest)
			}
			queued.Tools[string(ref)] = digestOf(tool)
		}
	}
	s.Add(queued)
	return s
}

// Add appends an event with this body on the current branch, Step after the last.
func (s *Stream) Add(data contracts.EventData) *Stream {
	if len(s.events) > 0 {
		s.Wait(Step)
	}
	if status, ok := data.(*contracts.StatusData); ok {
		s.leaveState()
		s.state = status.State
	}
	s.events = append(s.events, contracts.RunEvent{
		SchemaVersion: contracts.Version, RunID: s.run, Seq: s.LastSeq() + 1, Time: s.now,
		Type: data.EventType(), Branch: s.branch, Data: data,
	})
	return s
}

// Wait lets ms milliseconds pass.
func (s *Stream) Wait(ms int64) *Stream {
	s.now = s.now.Add(ms)
	return s
}

// On puts the events that follow on a branch; the root is empty.
func (s *Stream) On(branch contracts.Branch) *Stream {
	s.branch = branch
	return s
}

// Status changes the run's state.
func (s *Stream) Status(state contracts.State, reason contracts.StatusReason) *Stream {
	branch := s.branch
	s.branch = ""
	s.Add(&contracts.StatusData{State: state, Reason: reason})
	s.branch = branch
	return s
}

// Running starts the run.
func (s *Stream) Running() *Stream {
	return s.Status(contracts.StateRunning, contracts.ReasonStarted)
}

// Thought streams a whole thought: one event a piece, the last one final.
func (s *Stream) Thought(id string, kind contracts.ThoughtKind, pieces ...string) *Stream {
	for i, piece := range pieces {
		s.Add(&contracts.ThoughtData{ID: id, Delta: piece, Attempt: 1, Final: i == len(pieces)-1, Kind: kind})
	}
	return s
}

// Answer streams a whole answer: one event a piece, the last one final.
func (s *Stream) Answer(id string, pieces ...string) *Stream {
	for i, piece := range pieces {
		s.Token(id, piece, i == len(pieces)-1)
	}
	return s
}

// Token streams one piece of an answer.
func (s *Stream) Token(id, delta string, final bool) *Stream {
	s.texts[id] += delta
	s.Spent.TokensOut += int64(len(delta)+3) / 4
	return s.Add(&contracts.TokenData{
		ID: id, Delta: delta, Attempt: 1, Final: final, Channel: contracts.ChannelAnswer,
	})
}

// ToolStart starts a call of the tool, with the gate that the tool has. A second one with the same id is the next
// attempt.
func (s *Stream) ToolStart(callID string, tool contracts.ToolRef, args string) *Stream {
	s.tries[callID]++
	start := contracts.ToolStartData{
		CallID: callID, Tool: tool, Args: json.RawMessage(args), Attempt: s.tries[callID], Gate: contracts.GateDeny,
	}
	if spec := s.tools[tool]; spec != nil && slices.Contains(s.task.AllowedTools, tool) {
		start.ToolDigest, start.Gate = digestOf(spec), spec.Gate()
	}
	if start.Gate == contracts.GateAsk {
		s.approvals++
		start.Approval = &contracts.ApprovalRequest{ID: ApprovalID(s.approvals), ExpiresAt: s.now.Add(Step + 600_000)}
	}
	s.used.ToolCalls++
	s.calls[callID] = &call{start: start}
	s.Add(&start)
	s.calls[callID].at = s.now
	s.used.Branches = max(s.used.Branches, s.openBranches())
	return s
}

// openBranches counts the branches with an open call, and the root.
func (s *Stream) openBranches() int64 {
	alive := map[contracts.Branch]bool{"": true}
	open := make(map[string]contracts.Branch)
	for _, ev := range s.events {
		switch data := ev.Data.(type) {
		case *contracts.ToolStartData:
			open[data.CallID] = ev.Branch
		case *contracts.ToolEndData:
			delete(open, data.CallID)
		}
	}
	for _, branch := range open {
		alive[branch] = true
	}
	return int64(len(alive))
}

// Decide records a decision about a call that waits. args replace the engine's where the decision is edited.
func (s *Stream) Decide(callID string, decision contracts.Decision, args string) *Stream {
	c := s.calls[callID]
	data := &contracts.ApprovalData{ID: c.start.Approval.ID, CallID: callID, Decision: decision}
	if decision != contracts.DecisionExpired && decision != contracts.DecisionCancelled {
		data.By = "operator"
	}
	c.approval = &contracts.ReceiptApproval{By: data.By, Decision: decision}
	if decision == contracts.DecisionEdited {
		data.Args = json.RawMessage(args)
		c.start.Args, c.approval.Edited = data.Args, true
	}
	return s.Add(data)
}

// ToolEnd ends a call with an output (JSON, empty for none) and seals its receipt.
func (s *Stream) ToolEnd(callID string, status contracts.CallStatus, output string) *Stream {
	c := s.calls[callID]
	end := &contracts.ToolEndData{CallID: callID, Status: status}
	receipt := &contracts.Receipt{
		CallID: callID, Tool: c.start.Tool, ToolDigest: c.start.ToolDigest, Attempt: c.start.Attempt, Status: status,
		Args: c.start.Args, ArgsHash: must(contracts.DigestJSON(c.start.Args)),
		ResultBytes: int64(len(output)), StartedAt: c.at, LatencyMS: s.now.Add(Step).Sub(c.at), Approval: c.approval,
	}
	if output != "" {
		end.Output = json.RawMessage(output)
		receipt.ResultHash = must(contracts.DigestJSON(end.Output))
	}
	if status == contracts.CallError {
		end.Error = contracts.NewProblem(contracts.ProblemToolFailed, "the query does not parse")
	}
	if err := receipt.Seal(s.head); err != nil {
		panic(err)
	}
	end.Receipt, s.head = receipt, receipt.Hash
	s.receipts++
	return s.Add(end)
}

// Call is a call of the tool that ends well.
func (s *Stream) Call(callID string, tool contracts.ToolRef, args, output string) *Stream {
	return s.ToolStart(callID, tool, args).ToolEnd(callID, contracts.CallOK, output)
}

// Tick reads the meter; Warn warns of a dimension.
func (s *Stream) Tick() *Stream { return s.budget(contracts.BudgetTick, "") }

// Warn gives the one warning of a dimension.
func (s *Stream) Warn(d contracts.Dimension) *Stream { return s.budget(contracts.BudgetWarn, d) }

func (s *Stream) budget(phase contracts.BudgetPhase, d contracts.Dimension) *Stream {
	s.Wait(Step)
	used := s.Used()
	s.Wait(-Step)
	branch := s.branch
	s.branch = ""
	s.Add(&contracts.BudgetData{Phase: phase, Dimension: d, Used: used})
	s.branch = branch
	return s
}

// Verdict judges the message: one result for each assertion of the task, all with the same status.
func (s *Stream) Verdict(messageID string, outcome contracts.Outcome) *Stream {
	status, score := contracts.CheckPass, 1.0
	if outcome != contracts.OutcomePass {
		status, score = contracts.CheckFail, 0
	}
	data := &contracts.VerdictData{
		Pass: s.passes, Outcome: outcome, MessageID: messageID, OutputHash: contracts.DigestText(s.texts[messageID]),
		Results: []contracts.CheckResult{}, Final: outcome != contracts.OutcomeRevise,
	}
	if outcome == contracts.OutcomeError {
		status = contracts.CheckError
	} else {
		data.Score = new(score)
	}
	if s.task.Verification != nil {
		for _, a := range s.task.Verification.Assertions {
			result := contracts.CheckResult{ID: a.ID, Status: status}
			if status != contracts.CheckError {
				result.Score = new(score)
			}
			data.Results = append(data.Results, result)
		}
	}
	s.passes++
	if outcome == contracts.OutcomeRevise {
		s.used.Reflections++
	}
	s.Add(data)
	s.verdict = s.LastSeq()
	return s
}

// Fail reports a fatal error.
func (s *Stream) Fail(t contracts.ProblemType, detail string) *Stream {
	s.fatal = true
	return s.Add(&contracts.ErrorData{
		Problem: *contracts.NewProblem(t, detail), Fatal: true, Retry: contracts.RetryNone,
	})
}

// Done ends the run after a last reading of the meter. The message, where it is not empty, becomes the output, which
// is left out where the run was refused.
func (s *Stream) Done(status contracts.State, messageID string) *Stream {
	if !s.fatal { // after a fatal error only tool_end and done may follow
		s.Tick()
	}
	s.Wait(Step)
	s.leaveState()
	done := &contracts.DoneData{
		Status: status, MessageID: messageID, VerdictSeq: s.verdict,
		Used: s.Used(), Receipts: s.receipts, ReceiptsHead: s.head,
	}
	s.state = status
	s.Wait(-Step)
	if messageID != "" {
		done.OutputHash = contracts.DigestText(s.texts[messageID])
		if status != contracts.StateRefused {
			done.Output = new(s.texts[messageID])
		}
	}
	s.branch = ""
	return s.Add(done)
}

// leaveState counts the time in the state that ends now.
func (s *Stream) leaveState() {
	if s.state == contracts.StateRunning {
		s.used.ActiveMS += s.now.Sub(s.entered)
	}
	s.entered = s.now
}

// Used is the meter as of the last event.
func (s *Stream) Used() contracts.Usage {
	used := s.used
	used.TokensIn, used.TokensOut = s.Spent.TokensIn, s.Spent.TokensOut
	used.TokensCached, used.TokensReasoning = s.Spent.TokensCached, s.Spent.TokensReasoning
	used.CostMicroUSD = s.Spent.CostMicroUSD
	used.WallMS = s.now.Sub(Start)
	if s.state == contracts.StateRunning {
		used.ActiveMS += s.now.Sub(s.entered)
	}
	return used
}

// LastSeq is the last event's.
func (s *Stream) LastSeq() contracts.Seq { return contracts.Seq(len(s.events)) }

// LastTime is the last event's time.
func (s *Stream) LastTime() contracts.Time { return s.now }

// TaskDigest is the digest of the task.
func (s *Stream) TaskDigest() contracts.Digest { return s.digest }

// Events returns the events so far. The slice is the caller's, the bodies are shared.
func (s *Stream) Events() []contracts.RunEvent { return slices.Clone(s.events) }

// Lines returns the events as NDJSON, one encoded event a line.
func (s *Stream) Lines() []byte {
	var b bytes.Buffer
	for _, ev := range s.events {
		b.Write(Document(ev))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// digestOf returns the digest of a tool's definition.
func digestOf(tool *contracts.ToolSpec) contracts.Digest {
	return must(contracts.DigestJSON(Document(tool)))
}

// must returns v; an error would be a fault of the builder.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
