package contracts

// Links are the addresses of a run's parts, as paths on the same server.
type Links struct {
	Self   string `json:"self"`
	Task   string `json:"task"`
	Stream string `json:"stream"`
	Events string `json:"events"`
	Page   string `json:"page"`
}

// LinksOf returns the addresses of a run.
func LinksOf(id RunID) Links {
	self := "/runs/" + id.String()
	return Links{Self: self, Task: self + "/task", Stream: self + "/stream", Events: self + "/events", Page: "/r/" + id.String()}
}

// Created answers POST /runs.
type Created struct {
	RunID RunID `json:"run_id"`
	State State `json:"state"`
	Links Links `json:"links"`
}

// Summary is a run in one row of a list.
type Summary struct {
	RunID RunID `json:"run_id"`
	State State `json:"state"`
	// Goal is cut at 200 characters.
	Goal      string            `json:"goal"`
	Backend   string            `json:"backend"`
	Profile   Profile           `json:"profile"`
	Labels    map[string]string `json:"labels,omitempty"`
	CreatedAt Time              `json:"created_at"`
	UpdatedAt Time              `json:"updated_at"`
	LastSeq   Seq               `json:"last_seq"`
	Used      Usage             `json:"used"`
	Limits    Limits            `json:"limits"`
	// Approvals counts the calls that wait for a human.
	Approvals int `json:"approvals"`
	// Pruned says that the run's events and task were deleted by retention; this row is what is left of it.
	Pruned bool `json:"pruned,omitzero"`
}

// RunList answers GET /runs.
type RunList struct {
	Runs []Summary `json:"runs"`
	// Next is the cursor for the page after this one; absent on the last.
	Next RunID `json:"next,omitempty"`
}

// Snapshot is a run folded up to LastSeq: what GET /runs/{id} answers.
type Snapshot struct {
	Summary
	TaskDigest Digest            `json:"task_digest"`
	Release    Release           `json:"release,omitempty"`
	Tools      map[string]Digest `json:"tools,omitempty"`
	ForkedFrom *ForkOrigin       `json:"forked_from,omitempty"`
	OpenCalls  []OpenCall        `json:"open_calls"`
	Verdicts   []VerdictData     `json:"verdicts"`
	Done       *DoneData         `json:"done,omitempty"`
	// FatalError is what ended the run, where an error did.
	FatalError *ErrorData `json:"fatal_error,omitempty"`
	Links      Links      `json:"links"`
}

// OpenCall is a tool call that has not ended.
type OpenCall struct {
	CallID    string           `json:"call_id"`
	Tool      ToolRef          `json:"tool"`
	Branch    Branch           `json:"branch,omitempty"`
	Attempt   int64            `json:"attempt"`
	StartedAt Time             `json:"started_at"`
	Gate      Gate             `json:"gate"`
	Approval  *ApprovalRequest `json:"approval,omitempty"`
}

// Appended answers POST /runs/{id}/events with what was stored: the engine's own events as they stand in the
// journal, and what the server added behind them.
type Appended struct {
	// Seq is the last event of this append; it is the engine's next `after`.
	Seq    Seq        `json:"seq"`
	Events []RunEvent `json:"events"`
}

// Judged answers POST /runs/{id}/answer.
type Judged struct {
	// Seq is the last event that the answer led to.
	Seq Seq `json:"seq"`
	// Verdict is absent where the task has no VerifyContract.
	Verdict *VerdictData `json:"verdict,omitempty"`
	// Done is absent while a revision is due.
	Done *DoneData `json:"done,omitempty"`
}

// EventPage answers GET /runs/{id}/events.
type EventPage struct {
	Events []RunEvent `json:"events"`
	// LastSeq is the run's last event when the page was read; a reader that reached it is up to date.
	LastSeq Seq `json:"last_seq"`
}

// Engine is one entry of GET /engines.
type Engine struct {
	Name         string       `json:"name"`
	Description  string       `json:"description"`
	Capabilities []Capability `json:"capabilities"`
	// Available says whether a run can be given to the engine now; Reason says why not.
	Available bool   `json:"available"`
	Reason    string `json:"reason,omitempty"`
}

// EngineList answers GET /engines.
type EngineList struct {
	Engines []Engine `json:"engines"`
}

// ToolEntry is one version of a tool in the catalogue.
type ToolEntry struct {
	Spec   ToolSpec `json:"spec"`
	Digest Digest   `json:"digest"`
	// Gate is what stands before a call of this tool.
	Gate Gate `json:"gate"`
}

// ToolList answers GET /tools.
type ToolList struct {
	Tools []ToolEntry `json:"tools"`
}
