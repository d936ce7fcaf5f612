package contracts

import "encoding/json"

// Links are the addresses of a run's parts, as paths on the same server.
type Links struct {
	// Self is the run folded into one document.
	Self string `json:"self"`
	// Task is what the run was asked.
	Task string `json:"task"`
	// Stream is the run's events as they come.
	Stream string `json:"stream"`
	// Events are the run's events in pages.
	Events string `json:"events"`
	// Page is the run in the console.
	Page string `json:"page"`
}

// LinksOf returns the addresses of a run.
func LinksOf(id RunID) Links {
	self := "/runs/" + id.String()
	return Links{Self: self, Task: self + "/task", Stream: self + "/stream", Events: self + "/events", Page: "/r/" + id.String()}
}

// Created answers POST /runs.
type Created struct {
	// RunID is the new run, or the one that the idempotency key made before.
	RunID RunID `json:"run_id" validate:"runid"`
	// State is the run's.
	State State `json:"state" validate:"oneof=queued running waiting draining succeeded refused failed cancelled exhausted"`
	// Links are where its parts are.
	Links Links `json:"links"`
}

// Summary is a run in one row of a list.
type Summary struct {
	// RunID is the run.
	RunID RunID `json:"run_id" validate:"runid"`
	// State is where the run stands.
	State State `json:"state" validate:"oneof=queued running waiting draining succeeded refused failed cancelled exhausted"`
	// Goal is cut at 200 characters.
	Goal string `json:"goal" validate:"max=200"`
	// Backend is the engine that the run was given to.
	Backend string `json:"backend" validate:"max=128"`
	// Profile is the profile that the limits started from.
	Profile Profile `json:"profile" validate:"oneof=tight balanced max"`
	// Labels are the caller's own tags.
	Labels map[string]string `json:"labels,omitempty" validate:"max=16,dive,keys,ident,endkeys,max=512"`
	// CreatedAt is the time of the first event.
	CreatedAt Time `json:"created_at"`
	// UpdatedAt is the time of the last event.
	UpdatedAt Time `json:"updated_at"`
	// LastSeq is the last event.
	LastSeq Seq `json:"last_seq" validate:"gte=1"`
	// Used is what the run has used so far.
	Used Usage `json:"used"`
	// Limits is the effective budget.
	Limits Limits `json:"limits"`
	// Approvals counts the calls that wait for a human.
	Approvals int `json:"approvals" validate:"gte=0"`
	// Lease says who may report about the run; absent while any program may, since no engine has claimed it.
	Lease LeaseState `json:"lease,omitempty" validate:"omitempty,oneof=held open"`
	// Pruned says that the run's events and task were deleted by retention; this row is what is left of it.
	Pruned bool `json:"pruned,omitzero"`
}

// RunList answers GET /runs.
type RunList struct {
	// Runs are the newest first.
	Runs []Summary `json:"runs" validate:"max=500,dive"`
	// Next is the cursor for the page after this one, to be given as before; absent on the last.
	Next RunID `json:"next,omitempty" validate:"omitempty,runid"`
}

// Snapshot is a run folded up to LastSeq: what GET /runs/{id} answers.
type Snapshot struct {
	Summary
	// TaskDigest is the digest of the TaskSpec as it was sent; absent where retention has deleted the run.
	TaskDigest Digest `json:"task_digest,omitempty" validate:"omitempty,digest"`
	// Release is how answer tokens are released; absent where the task has no VerifyContract.
	Release Release `json:"release,omitempty" validate:"omitempty,oneof=stream verified"`
	// Tools pins the digest of each allowed tool, by its exact reference name@version.
	Tools map[string]Digest `json:"tools,omitempty" validate:"max=128,dive,keys,toolref,endkeys,digest"`
	// ForkedFrom is where a forked run left its parent.
	ForkedFrom *ForkOrigin `json:"forked_from,omitempty"`
	// OpenCalls are the tool calls that have not ended.
	OpenCalls []OpenCall `json:"open_calls" validate:"max=256,dive"`
	// Verdicts are the judgements so far, one a pass.
	Verdicts []VerdictData `json:"verdicts" validate:"max=21,dive"`
	// Done is how the run ended.
	Done *DoneData `json:"done,omitempty"`
	// FatalError is what ended the run, where an error did.
	FatalError *ErrorData `json:"fatal_error,omitempty"`
	// Links are where the run's parts are.
	Links Links `json:"links"`
}

// OpenCall is a tool call that has not ended.
type OpenCall struct {
	// CallID names the call.
	CallID string `json:"call_id" validate:"handle"`
	// Tool is the exact reference name@version.
	Tool ToolRef `json:"tool" validate:"toolref"`
	// Branch is where in the tree of work the call belongs; the root is absent.
	Branch Branch `json:"branch,omitempty" validate:"omitempty,branch"`
	// Attempt counts from 1.
	Attempt int64 `json:"attempt" validate:"gte=1,lte=1000"`
	// StartedAt is the time of the tool_start event.
	StartedAt Time `json:"started_at"`
	// Gate is what the server decided about the call.
	Gate Gate `json:"gate" validate:"oneof=allow ask deny"`
	// Approval is what a human is asked, until it is decided.
	Approval *ApprovalRequest `json:"approval,omitempty"`
}

// Appended answers POST /runs/{id}/events with what was stored: the engine's own events as they stand in the
// journal, and what the server added behind them.
type Appended struct {
	// Seq is the last event of this append; it is the engine's next `after`.
	Seq Seq `json:"seq" validate:"gte=1"`
	// Events are what was stored, in the order of seq.
	Events []RunEvent `json:"events"`
}

// Judged answers POST /runs/{id}/answer.
type Judged struct {
	// Seq is the last event that the answer led to.
	Seq Seq `json:"seq" validate:"gte=1"`
	// Verdict is absent where the task has no VerifyContract.
	Verdict *VerdictData `json:"verdict,omitempty"`
	// Done is absent while a revision is due.
	Done *DoneData `json:"done,omitempty"`
}

// EventPage answers GET /runs/{id}/events.
type EventPage struct {
	// Events stand in the order of seq.
	Events []RunEvent `json:"events" validate:"max=1000,dive"`
	// LastSeq is the run's last event when the page was read; a reader that reached it is up to date.
	LastSeq Seq `json:"last_seq" validate:"gte=1"`
}

// LeaseState says whether an external engine has claimed a run.
type LeaseState string

// The states of a claimed run's lease.
const (
	// LeaseHeld says that an engine has claimed the run. Its lease may have expired a moment ago.
	LeaseHeld LeaseState = "held"
	// LeaseOpen says that the engine which had claimed the run is gone, and that another may claim it.
	LeaseOpen LeaseState = "open"
)

// LeaseInfo is the right to report about a run, for a time. It answers PUT /runs/{id}/lease.
type LeaseInfo struct {
	// Token is what the header Axiom25-Lease carries with every request of the holder; nobody else knows it.
	Token string `json:"token" validate:"notblank,max=128"`
	// Epoch counts the run's leases; a greater one ends those before it.
	Epoch int64 `json:"epoch" validate:"gte=1"`
	// Holder is whom the lease was given to, without what proves it.
	Holder string `json:"holder" validate:"notblank,max=256"`
	// ExpiresAt is when the lease ends unless it is renewed.
	ExpiresAt Time `json:"expires_at"`
	// TTLMS is how long the lease lasts from each renewal, in milliseconds.
	TTLMS int64 `json:"ttl_ms" validate:"gte=1"`
}

// Claimed answers POST /claims: a run and all that is needed to carry it out.
type Claimed struct {
	// RunID is the run.
	RunID RunID `json:"run_id" validate:"runid"`
	// Lease is the right to report about it.
	Lease LeaseInfo `json:"lease"`
	// Task is the whole TaskSpec as it was sent, sensitive inputs included.
	Task json.RawMessage `json:"task"`
	// Limits is the effective budget.
	Limits Limits `json:"limits"`
	// Tools are the allowed tools' definitions by their exact references. One that changed since the run was created
	// is missing: its calls are denied.
	Tools map[string]ToolSpec `json:"tools" validate:"max=128,dive,keys,toolref,endkeys"`
	// LastSeq is the run's last event.
	LastSeq Seq `json:"last_seq" validate:"gte=1"`
	// EngineSeq is the last event that an engine wrote, 0 for none: the engine's first `after`.
	EngineSeq Seq `json:"engine_seq" validate:"gte=0"`
	// ForkedFrom is where a forked run left its parent.
	ForkedFrom *ForkOrigin `json:"forked_from,omitempty"`
	// Links are where the run's parts are.
	Links Links `json:"links"`
}

// Acked is one line of the answer to POST /runs/{id}/events as a stream: it acknowledges one line of the request.
type Acked struct {
	// Seq is the last event that the line led to, and the engine's next `after`. It is 0 before the engine's first.
	Seq Seq `json:"seq" validate:"gte=0"`
}

// Engine is one entry of GET /engines.
type Engine struct {
	// Name is what a task's backend names.
	Name string `json:"name" validate:"notblank,max=128"`
	// Description says in words what the engine does.
	Description string `json:"description"`
	// Capabilities are what a task may need of the engine.
	Capabilities []Capability `json:"capabilities" validate:"max=4,unique,dive,oneof=tools vision json_schema thoughts"`
	// Available says whether a run can be given to the engine now; Reason says why not.
	Available bool   `json:"available"`
	Reason    string `json:"reason,omitempty"`
}

// EngineList answers GET /engines.
type EngineList struct {
	// Engines are those of this server.
	Engines []Engine `json:"engines"`
}

// ToolEntry is one version of a tool in the catalogue.
type ToolEntry struct {
	// Spec is the definition.
	Spec ToolSpec `json:"spec"`
	// Digest is the definition's.
	Digest Digest `json:"digest" validate:"digest"`
	// Gate is what stands before a call of this tool.
	Gate Gate `json:"gate" validate:"oneof=allow ask deny"`
}

// ToolList answers GET /tools.
type ToolList struct {
	// Tools are sorted by name, the highest version of each first.
	Tools []ToolEntry `json:"tools"`
}
