package contracts

import "encoding/json"

// EngineEvent is one line that an engine reports: an event without what only the server knows (run, seq and
// time). Data is *ThoughtData, *TokenData, *EngineToolStart, *EngineToolEnd, *EngineBudget or *ErrorData.
type EngineEvent struct {
	// SchemaVersion is the version that the line is written in.
	SchemaVersion int `json:"schema_version" validate:"version"`
	// Type names what Data holds.
	Type EventType `json:"type" validate:"oneof=thought token tool_start tool_end budget error"`
	// Branch is where in the tree of work the event belongs; the root is absent.
	Branch Branch `json:"branch,omitempty" validate:"omitempty,branch"`
	// Data is the body.
	Data EventData `json:"data"`
}

// EngineToolStart asks for one attempt of a tool call. The server adds digest, gate and approval.
type EngineToolStart struct {
	// CallID names the call; a retry keeps it.
	CallID string `json:"call_id" validate:"handle"`
	// Tool is one of the task's allowed tools.
	Tool ToolRef `json:"tool" validate:"toolref"`
	// Args are the arguments; the server redacts them before it stores them.
	Args json.RawMessage `json:"args"`
	// Attempt counts from 1.
	Attempt int64 `json:"attempt" default:"1" validate:"gte=1,lte=1000"`
}

// EngineToolEnd reports the end of an attempt. The server redacts and cuts the output and adds the receipt.
type EngineToolEnd struct {
	// CallID is the call that ends.
	CallID string `json:"call_id" validate:"handle"`
	// Status says how it ended; denied is the server's to say.
	Status CallStatus `json:"status" validate:"oneof=ok error cancelled timeout"`
	// Output is the result.
	Output json.RawMessage `json:"output,omitempty"`
	// Error says what went wrong.
	Error *Problem `json:"error,omitempty"`
	// CostMicroUSD is what the call cost, for its receipt, in millionths of a US dollar.
	CostMicroUSD int64 `json:"cost_microusd,omitempty" validate:"gte=0"`
}

// EngineBudget reports what the engine has used since the run began. Every count is cumulative: the server
// folds it into its own meter and ignores what is lower than an earlier report.
type EngineBudget struct {
	// Used is the engine's own count.
	Used EngineUsage `json:"used"`
}

// EngineUsage is the part of Usage that only an engine can count.
type EngineUsage struct {
	// TokensIn and the other fields are those of Usage.
	TokensIn        int64 `json:"tokens_in" default:"0" validate:"gte=0"`
	TokensOut       int64 `json:"tokens_out" default:"0" validate:"gte=0"`
	TokensCached    int64 `json:"tokens_cached" default:"0" validate:"gte=0"`
	TokensReasoning int64 `json:"tokens_reasoning" default:"0" validate:"gte=0"`
	CostMicroUSD    int64 `json:"cost_microusd" default:"0" validate:"gte=0"`
}

// EventType implements EventData.
func (*EngineToolStart) EventType() EventType { return EventToolStart }

// EventType implements EventData.
func (*EngineToolEnd) EventType() EventType { return EventToolEnd }

// EventType implements EventData.
func (*EngineBudget) EventType() EventType { return EventBudget }

// Answer is the text with which an engine ends a pass.
type Answer struct {
	// SchemaVersion may be absent, and is then the current version, as in every request below.
	SchemaVersion int `json:"schema_version,omitzero" validate:"omitempty,version"`
	// MessageID names the message; where it was streamed, its text must be the same.
	MessageID string `json:"message_id" validate:"handle"`
	// Channel says whether the model answers or declines.
	Channel Channel `json:"channel" default:"answer" validate:"oneof=answer refusal"`
	// Text is the whole answer, at most 512 KiB of UTF-8.
	Text string `json:"text" validate:"maxbytes=524288"`
}

// CancelRequest asks for the end of a run.
type CancelRequest struct {
	// SchemaVersion may be absent.
	SchemaVersion int `json:"schema_version,omitzero" validate:"omitempty,version"`
	// Reason is a note for the server's log.
	Reason string `json:"reason,omitempty" validate:"max=512"`
}

// ApprovalDecision is a human's answer to a waiting call.
type ApprovalDecision struct {
	// SchemaVersion may be absent.
	SchemaVersion int `json:"schema_version,omitzero" validate:"omitempty,version"`
	// Decision is approve, deny or edit.
	Decision ApprovalVerb `json:"decision" validate:"oneof=approve deny edit"`
	// By names who decides; it stands in the receipt.
	By string `json:"by,omitempty" validate:"max=128"`
	// Args replace the engine's arguments; required with, and only with, edit.
	Args json.RawMessage `json:"args,omitempty"`
}

// ApprovalVerb is what a human tells the server about a waiting call.
type ApprovalVerb string

// What a human can say.
const (
	VerbApprove ApprovalVerb = "approve"
	VerbDeny    ApprovalVerb = "deny"
	VerbEdit    ApprovalVerb = "edit"
)

// ForkRequest asks for a new run that starts where another stood.
type ForkRequest struct {
	// SchemaVersion may be absent.
	SchemaVersion int `json:"schema_version,omitzero" validate:"omitempty,version"`
	// Seq is the last event of the parent that the fork may read.
	Seq Seq `json:"seq" validate:"gte=1"`
	// Task replaces the parent's.
	Task *TaskSpec `json:"task,omitempty"`
}

// ClaimRequest asks for a run to carry out.
type ClaimRequest struct {
	// SchemaVersion may be absent.
	SchemaVersion int `json:"schema_version,omitzero" validate:"omitempty,version"`
	// Backend is the engine's name.
	Backend string `json:"backend" validate:"notblank,max=128"`
	// Worker tells the programs of one engine apart; it stands in the lease's holder.
	Worker string `json:"worker,omitempty" validate:"omitempty,ident"`
	// WaitMS is how long the request may wait for a run, in milliseconds.
	WaitMS int64 `json:"wait_ms" default:"0" validate:"gte=0,lte=30000"`
}

// crossCheck implements crossChecked.
func (d *ApprovalDecision) crossCheck(p place) {
	if p.sound("decision") {
		p.needs("args", d.Args != nil, d.Decision == VerbEdit, "decision edit", "decision")
	}
}

// crossCheck implements crossChecked.
func (f *ForkRequest) crossCheck(p place) {
	if f.Task != nil && p.sound("task") {
		f.Task.crossCheck(p.in("task"))
	}
}
