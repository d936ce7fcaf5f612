package contracts

import "encoding/json"

// RunEvent is one entry of a run's journal: what happened, in which order, and when.
type RunEvent struct {
	// SchemaVersion is the version that the event is written in.
	SchemaVersion int `json:"schema_version" validate:"version"`
	// RunID is the run that the event belongs to.
	RunID RunID `json:"run_id" validate:"runid"`
	// Seq is the event's position, from 1 without a gap.
	Seq Seq `json:"seq" validate:"gte=1"`
	// Time is when the server stored the event; it never goes back within a run.
	Time Time `json:"time"`
	// Type names what Data holds.
	Type EventType `json:"type" validate:"oneof=status thought token tool_start approval tool_end budget verdict error done"`
	// Branch is where in the tree of work the event belongs; the root is absent.
	Branch Branch `json:"branch,omitempty" validate:"omitempty,branch"`
	// Data is the body: a pointer to the struct that belongs to Type.
	Data EventData `json:"data"`
}

// EventType names a kind of RunEvent.
type EventType string

// The event types.
const (
	EventStatus    EventType = "status"
	EventThought   EventType = "thought"
	EventToken     EventType = "token"
	EventToolStart EventType = "tool_start"
	EventApproval  EventType = "approval"
	EventToolEnd   EventType = "tool_end"
	EventBudget    EventType = "budget"
	EventVerdict   EventType = "verdict"
	EventError     EventType = "error"
	EventDone      EventType = "done"
)

// EventData is the body of a RunEvent: one of *StatusData, *ThoughtData, *TokenData, *ToolStartData,
// *ApprovalData, *ToolEndData, *BudgetData, *VerdictData, *ErrorData, *DoneData, or, in a reader that is older
// than the event, UnknownData.
type EventData interface {
	// EventType is the type that the body belongs to.
	EventType() EventType
}

// State is where a run stands. The first four are live, the others are final.
type State string

// The states of a run.
const (
	StateQueued    State = "queued"
	StateRunning   State = "running"
	StateWaiting   State = "waiting"
	StateDraining  State = "draining"
	StateSucceeded State = "succeeded"
	StateRefused   State = "refused"
	StateFailed    State = "failed"
	StateCancelled State = "cancelled"
	StateExhausted State = "exhausted"
)

// Terminal reports whether nothing can follow.
func (s State) Terminal() bool {
	switch s {
	case StateSucceeded, StateRefused, StateFailed, StateCancelled, StateExhausted:
		return true
	case StateQueued, StateRunning, StateWaiting, StateDraining:
	}
	return false
}

// Live reports whether something can still happen in a run in this state.
func (s State) Live() bool {
	switch s {
	case StateQueued, StateRunning, StateWaiting, StateDraining:
		return true
	case StateSucceeded, StateRefused, StateFailed, StateCancelled, StateExhausted:
	}
	return false
}

// StatusReason says why a run changed its state.
type StatusReason string

// The reasons for a change of state. Those from ReasonTokens to ReasonBranches name the limit that was reached.
const (
	ReasonSubmitted StatusReason = "submitted"
	ReasonStarted   StatusReason = "started"
	ReasonApproval  StatusReason = "approval"
	ReasonResumed   StatusReason = "resumed"
	ReasonTokens    StatusReason = "tokens"
	ReasonWall      StatusReason = "wall_ms"
	ReasonActive    StatusReason = "active_ms"
	ReasonToolCalls StatusReason = "tool_calls"
	ReasonCost      StatusReason = "cost_microusd"
	ReasonBranches  StatusReason = "branches"
	ReasonCancel    StatusReason = "cancel"
)

// Exhausted reports whether the reason is a limit of the budget.
func (r StatusReason) Exhausted() bool {
	switch r {
	case ReasonTokens, ReasonWall, ReasonActive, ReasonToolCalls, ReasonCost, ReasonBranches:
		return true
	case ReasonSubmitted, ReasonStarted, ReasonApproval, ReasonResumed, ReasonCancel:
	}
	return false
}

// StatusData is a change of state. The first event of a run is queued and says what the run is held to.
type StatusData struct {
	// State is the state that the run is in from here on.
	State State `json:"state" validate:"oneof=queued running waiting draining"`
	// Reason says why.
	Reason StatusReason `json:"reason" validate:"oneof=submitted started approval resumed tokens wall_ms active_ms tool_calls cost_microusd branches cancel"`
	// TaskDigest, with queued only, is the digest of the TaskSpec as it was sent; the receipt chain starts at it.
	TaskDigest Digest `json:"task_digest,omitempty" validate:"omitempty,digest"`
	// Limits, with queued only, is the effective budget.
	Limits *Limits `json:"limits,omitempty"`
	// Profile, with queued only, is the profile that the limits started from.
	Profile Profile `json:"profile,omitempty" validate:"omitempty,oneof=tight balanced max"`
	// Release, with queued only, is how answer tokens are released. It is absent where the task has no
	// VerifyContract, which is how a reader of the stream alone knows whether a verdict is due.
	Release Release `json:"release,omitempty" validate:"omitempty,oneof=stream verified"`
	// Backend, with queued only, is the engine that the run was given to.
	Backend string `json:"backend,omitempty" validate:"max=128"`
	// Tools, with queued only, pins the digest of each allowed tool, by its exact reference name@version.
	Tools map[string]Digest `json:"tools,omitempty" validate:"max=128,dive,keys,toolref,endkeys,digest"`
	// ForkedFrom, with queued only, is where a forked run left its parent.
	ForkedFrom *ForkOrigin `json:"forked_from,omitempty"`
	// Traceparent, with queued only, is the W3C Trace Context of the request that made the run.
	Traceparent string `json:"traceparent,omitempty" validate:"omitempty,traceparent"`
}

// ForkOrigin is the event of another run that a fork starts from.
type ForkOrigin struct {
	// RunID is the parent.
	RunID RunID `json:"run_id" validate:"runid"`
	// Seq is the last event of the parent that the fork may read.
	Seq Seq `json:"seq" validate:"gte=1"`
}

// ThoughtData is a piece of an agent's reasoning.
type ThoughtData struct {
	// ID names the message that the piece belongs to.
	ID string `json:"id" validate:"handle"`
	// Delta is the text that is added.
	Delta string `json:"delta" validate:"max=1048576"`
	// Attempt counts from 1; a higher one discards what the message said before.
	Attempt int64 `json:"attempt" default:"1" validate:"gte=1,lte=1000"`
	// Final closes the message.
	Final bool `json:"final,omitempty"`
	// Kind says what sort of thought it is.
	Kind ThoughtKind `json:"kind" default:"reasoning" validate:"oneof=reasoning plan reflection"`
}

// ThoughtKind is a sort of thought.
type ThoughtKind string

// The kinds of thoughts.
const (
	ThoughtReasoning  ThoughtKind = "reasoning"
	ThoughtPlan       ThoughtKind = "plan"
	ThoughtReflection ThoughtKind = "reflection"
)

// TokenData is a piece of an answer.
type TokenData struct {
	// ID names the message that the piece belongs to.
	ID string `json:"id" validate:"handle"`
	// Delta is the text that is added.
	Delta string `json:"delta" validate:"max=1048576"`
	// Attempt counts from 1; a higher one discards what the message said before.
	Attempt int64 `json:"attempt" default:"1" validate:"gte=1,lte=1000"`
	// Final closes the message.
	Final bool `json:"final,omitempty"`
	// Channel says whether the model answers or declines.
	Channel Channel `json:"channel" default:"answer" validate:"oneof=answer refusal"`
}

// Channel says what an answer's text is.
type Channel string

// The channels.
const (
	ChannelAnswer  Channel = "answer"
	ChannelRefusal Channel = "refusal"
)

// ToolStartData is the start of one attempt of a tool call.
type ToolStartData struct {
	// CallID names the call; a retry keeps it.
	CallID string `json:"call_id" validate:"handle"`
	// Tool is the exact reference name@version of a tool that exists, else what the engine asked for.
	Tool ToolRef `json:"tool" validate:"toolref"`
	// ToolDigest is the digest of the tool's definition, pinned when the run started; absent for a call that was
	// denied because its tool is not allowed.
	ToolDigest Digest `json:"tool_digest,omitempty" validate:"omitempty,digest"`
	// Args are the arguments, redacted.
	Args json.RawMessage `json:"args"`
	// Attempt counts from 1.
	Attempt int64 `json:"attempt" validate:"gte=1,lte=1000"`
	// Gate is what the server decided about the call.
	Gate Gate `json:"gate" validate:"oneof=allow ask deny"`
	// Approval is what a human is asked; with gate ask only.
	Approval *ApprovalRequest `json:"approval,omitempty"`
}

// ApprovalRequest asks a human about a call.
type ApprovalRequest struct {
	// ID is what the decision is posted to.
	ID ApprovalID `json:"id" validate:"approvalid"`
	// ExpiresAt is when the request lapses.
	ExpiresAt Time `json:"expires_at"`
}

// ApprovalData is the decision about a call.
type ApprovalData struct {
	// ID is the request's.
	ID ApprovalID `json:"id" validate:"approvalid"`
	// CallID is the call that waited.
	CallID string `json:"call_id" validate:"handle"`
	// Decision is what was decided.
	Decision Decision `json:"decision" validate:"oneof=approved denied edited expired cancelled"`
	// By names who decided, as the client put it; absent when the server did.
	By string `json:"by,omitempty" validate:"max=128"`
	// Args are the arguments that replace the engine's, redacted; with edited only.
	Args json.RawMessage `json:"args,omitempty"`
}

// Decision is the end of an approval.
type Decision string

// The decisions. Expired and cancelled are the server's.
const (
	DecisionApproved  Decision = "approved"
	DecisionDenied    Decision = "denied"
	DecisionEdited    Decision = "edited"
	DecisionExpired   Decision = "expired"
	DecisionCancelled Decision = "cancelled"
)

// ToolEndData is the end of one attempt of a tool call.
type ToolEndData struct {
	// CallID is the call that ends.
	CallID string `json:"call_id" validate:"handle"`
	// Status says how it ended.
	Status CallStatus `json:"status" validate:"oneof=ok error denied cancelled timeout"`
	// Output is the result, redacted and cut at the tool's max_result_bytes.
	Output json.RawMessage `json:"output,omitempty"`
	// Truncated says that Output was cut; a cut output is a JSON string that holds the first bytes.
	Truncated bool `json:"truncated,omitempty"`
	// Error says what went wrong.
	Error *Problem `json:"error,omitempty"`
	// Receipt is the call's link in the run's receipt chain.
	Receipt *Receipt `json:"receipt"`
}

// CallStatus is how a tool call ended.
type CallStatus string

// The ends of a tool call.
const (
	CallOK        CallStatus = "ok"
	CallError     CallStatus = "error"
	CallDenied    CallStatus = "denied"
	CallCancelled CallStatus = "cancelled"
	CallTimeout   CallStatus = "timeout"
)

// BudgetData is a reading of the run's meter.
type BudgetData struct {
	// Phase says whether this is a reading or the one warning that a dimension gets.
	Phase BudgetPhase `json:"phase" validate:"oneof=tick warn"`
	// Dimension is what the warning is about; with warn only.
	Dimension Dimension `json:"dimension,omitempty" validate:"omitempty,oneof=tokens wall_ms active_ms tool_calls cost_microusd branches reflections"`
	// Used is what has been used so far.
	Used Usage `json:"used"`
}

// BudgetPhase is the occasion of a budget event.
type BudgetPhase string

// The occasions of a budget event.
const (
	BudgetTick BudgetPhase = "tick"
	BudgetWarn BudgetPhase = "warn"
)

// Dimension is one limit of a budget.
type Dimension string

// The dimensions of a budget.
const (
	DimensionTokens      Dimension = "tokens"
	DimensionWall        Dimension = "wall_ms"
	DimensionActive      Dimension = "active_ms"
	DimensionToolCalls   Dimension = "tool_calls"
	DimensionCost        Dimension = "cost_microusd"
	DimensionBranches    Dimension = "branches"
	DimensionReflections Dimension = "reflections"
)

// Usage is what a run has used. Each count only grows.
type Usage struct {
	// TokensIn counts input tokens, cached ones included.
	TokensIn int64 `json:"tokens_in" validate:"gte=0"`
	// TokensOut counts output tokens, reasoning included.
	TokensOut int64 `json:"tokens_out" validate:"gte=0"`
	// TokensCached counts those of TokensIn that came from a cache.
	TokensCached int64 `json:"tokens_cached" validate:"gte=0"`
	// TokensReasoning counts those of TokensOut that were reasoning.
	TokensReasoning int64 `json:"tokens_reasoning" validate:"gte=0"`
	// WallMS is the time since creation in milliseconds.
	WallMS int64 `json:"wall_ms" validate:"gte=0"`
	// ActiveMS is the time in state running in milliseconds.
	ActiveMS int64 `json:"active_ms" validate:"gte=0"`
	// ToolCalls counts calls started, retries included.
	ToolCalls int64 `json:"tool_calls" validate:"gte=0"`
	// Branches is the most branches that were ever alive at once.
	Branches int64 `json:"branches" validate:"gte=0"`
	// Reflections counts the revisions after the first attempt.
	Reflections int64 `json:"reflections" validate:"gte=0"`
	// CostMicroUSD is the money spent, in millionths of a US dollar.
	CostMicroUSD int64 `json:"cost_microusd" validate:"gte=0"`
}

// Tokens is what counts against max_tokens: input (cached included) and output (reasoning included).
func (u Usage) Tokens() int64 { return u.TokensIn + u.TokensOut }

// VerdictData is the judgement of one pass.
type VerdictData struct {
	// Pass counts the attempts from 0.
	Pass int64 `json:"pass" validate:"gte=0"`
	// Outcome is what follows.
	Outcome Outcome `json:"outcome" validate:"oneof=pass revise refuse fail error"`
	// MessageID is the message that was judged.
	MessageID string `json:"message_id" validate:"handle"`
	// OutputHash is the digest of the judged text.
	OutputHash Digest `json:"output_hash" validate:"digest"`
	// Score is within 0..1; absent when a check could not be evaluated.
	Score *float64 `json:"score,omitempty" validate:"omitnil,gte=0,lte=1"`
	// Results has one entry a check, in the order of the contract: assertions, then scorers.
	Results []CheckResult `json:"results" validate:"max=80,dive"`
	// Final says that no further pass follows.
	Final bool `json:"final,omitempty"`
}

// Outcome is what a verdict leads to.
type Outcome string

// The outcomes.
const (
	OutcomePass   Outcome = "pass"
	OutcomeRevise Outcome = "revise"
	OutcomeRefuse Outcome = "refuse"
	OutcomeFail   Outcome = "fail"
	OutcomeError  Outcome = "error"
)

// CheckResult is the result of one assertion or scorer.
type CheckResult struct {
	// ID is the check's.
	ID string `json:"id" validate:"ident"`
	// Status says how it went.
	Status CheckStatus `json:"status" validate:"oneof=pass fail error skipped"`
	// Score is within 0..1; for an assertion 0 or 1, absent where it errored or was skipped.
	Score *float64 `json:"score,omitempty" validate:"omitnil,gte=0,lte=1"`
	// Reason says why in words that never quote the answer.
	Reason string `json:"reason,omitempty" validate:"max=1024"`
}

// CheckStatus is how a check went.
type CheckStatus string

// How a check can go.
const (
	CheckPass    CheckStatus = "pass"
	CheckFail    CheckStatus = "fail"
	CheckError   CheckStatus = "error"
	CheckSkipped CheckStatus = "skipped"
)

// ErrorData is something that went wrong: a Problem and what follows from it.
type ErrorData struct { //nolint:errname // the body of an error event, named as the other bodies are
	Problem
	// Fatal ends the run.
	Fatal bool `json:"fatal,omitempty"`
	// Retry says whether the engine tries again.
	Retry Retry `json:"retry" default:"none" validate:"oneof=none retrying exhausted"`
	// RetryAfterMS is how long it waits before it does, in milliseconds.
	RetryAfterMS int64 `json:"retry_after_ms,omitempty" validate:"gte=0"`
	// CallID is the call that went wrong, where one did.
	CallID string `json:"call_id,omitempty" validate:"omitempty,handle"`
}

// Retry says whether something that failed is tried again.
type Retry string

// What follows a failure.
const (
	RetryNone      Retry = "none"
	RetryRetrying  Retry = "retrying"
	RetryExhausted Retry = "exhausted"
)

// DoneData is the end of a run.
type DoneData struct {
	// Status is the state that the run ended in.
	Status State `json:"status" validate:"oneof=succeeded refused failed cancelled exhausted"`
	// MessageID is the message that became the answer.
	MessageID string `json:"message_id,omitempty" validate:"omitempty,handle"`
	// Output is the answer: never present when refused and, with release=verified, only after a pass.
	Output *string `json:"output,omitempty" validate:"omitnil,max=524288"`
	// OutputHash is the digest of the answer.
	OutputHash Digest `json:"output_hash,omitempty" validate:"omitempty,digest"`
	// VerdictSeq is the event that holds the verdict that decided.
	VerdictSeq Seq `json:"verdict_seq,omitempty" validate:"gte=0"`
	// Used is what the run used in all.
	Used Usage `json:"used"`
	// Receipts counts the receipts in the run's chain.
	Receipts int64 `json:"receipts" validate:"gte=0"`
	// ReceiptsHead is the hash of the last receipt, or the task's digest where there is none.
	ReceiptsHead Digest `json:"receipts_head" validate:"digest"`
}

// UnknownData is the body of an event whose type this version does not know.
type UnknownData struct {
	// Type is the type as the event names it.
	Type EventType
	// Raw is the body as it was read.
	Raw json.RawMessage
}

// EventType implements EventData.
func (*StatusData) EventType() EventType { return EventStatus }

// EventType implements EventData.
func (*ThoughtData) EventType() EventType { return EventThought }

// EventType implements EventData.
func (*TokenData) EventType() EventType { return EventToken }

// EventType implements EventData.
func (*ToolStartData) EventType() EventType { return EventToolStart }

// EventType implements EventData.
func (*ApprovalData) EventType() EventType { return EventApproval }

// EventType implements EventData.
func (*ToolEndData) EventType() EventType { return EventToolEnd }

// EventType implements EventData.
func (*BudgetData) EventType() EventType { return EventBudget }

// EventType implements EventData.
func (*VerdictData) EventType() EventType { return EventVerdict }

// EventType implements EventData.
func (*ErrorData) EventType() EventType { return EventError }

// EventType implements EventData.
func (*DoneData) EventType() EventType { return EventDone }

// EventType implements EventData.
func (d UnknownData) EventType() EventType { return d.Type }

// ExternalEngine is the backend of runs that any program carries out by reporting over HTTP.
const ExternalEngine = "external"

// crossCheck implements crossChecked.
func (e *RunEvent) crossCheck(p place) {
	if c, ok := e.Data.(crossChecked); ok && p.sound("data") {
		c.crossCheck(p.in("data"))
	}
}

// crossCheck holds the fields of the first event to the state queued.
func (d *StatusData) crossCheck(p place) {
	if !p.sound("state") {
		return
	}
	queued := d.State == StateQueued
	p.needs("task_digest", d.TaskDigest != "", queued, "state queued", "state")
	p.needs("limits", d.Limits != nil, queued, "state queued", "state")
	p.needs("profile", d.Profile != "", queued, "state queued", "state")
	p.needs("backend", d.Backend != "", queued, "state queued", "state")
	if d.Limits != nil && p.sound("limits") {
		d.Limits.check(p.in("limits"))
	}
	if queued {
		return
	}
	p.needs("release", d.Release != "", false, "state queued", "state")
	p.needs("tools", len(d.Tools) > 0, false, "state queued", "state")
	p.needs("forked_from", d.ForkedFrom != nil, false, "state queued", "state")
	p.needs("traceparent", d.Traceparent != "", false, "state queued", "state")
}

// crossCheck holds the approval to the gate.
func (d *ToolStartData) crossCheck(p place) {
	if p.sound("gate") {
		p.needs("approval", d.Approval != nil, d.Gate == GateAsk, "gate ask", "gate")
	}
}

// crossCheck holds the arguments to the decision.
func (d *ApprovalData) crossCheck(p place) {
	if p.sound("decision") {
		p.needs("args", d.Args != nil, d.Decision == DecisionEdited, "decision edited", "decision")
	}
}

// crossCheck holds the dimension to the phase.
func (d *BudgetData) crossCheck(p place) {
	if p.sound("phase") {
		p.needs("dimension", d.Dimension != "", d.Phase == BudgetWarn, "phase warn", "phase")
	}
}
