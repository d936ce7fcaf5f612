package contracts

import (
	"cmp"
	"slices"
	"strings"
)

// ProblemMediaType is the media type of a Problem (RFC 9457, section 3).
const ProblemMediaType = "application/problem+json"

// MaxFieldErrors is how many field errors a problem lists before it is truncated.
const MaxFieldErrors = 100

// Problem says what is wrong with a request or a document (RFC 9457). It never echoes the input. Its bytes are
// the same from HTTP, from an error event and from the validator in the browser.
type Problem struct { //nolint:errname // the name that RFC 9457 gives it
	// Type is the address of the problem's description: /problems/ and a ProblemType.
	Type string `json:"type" validate:"notblank,max=256"`
	// Title is the same for every problem of a type and contract.
	Title string `json:"title" validate:"notblank,max=256"`
	// Status is the HTTP status code, 400..599.
	Status int `json:"status" validate:"gte=400,lte=599"`
	// Detail says what is wrong this time.
	Detail string `json:"detail,omitempty" validate:"max=2048"`
	// Schema is the contract and version that the document was held against, such as taskspec/v2.
	Schema string `json:"schema,omitempty" validate:"max=64"`
	// Truncated says that there are more errors than Errors lists; it is present where Errors is.
	Truncated *bool `json:"truncated,omitempty"`
	// Errors lists what is wrong where, sorted by pointer.
	Errors []FieldError `json:"errors,omitempty" validate:"max=100,dive"`
	// Requested and Supported answer a document of a version that this server does not read.
	Requested *int64 `json:"requested,omitempty"`
	Supported []int  `json:"supported,omitempty" validate:"max=8"`
	// Expected is the cursor that an append should have named, in a sequence conflict.
	Expected *Seq `json:"expected,omitempty"`
	// RequestID finds the request in the server's log, in an internal error.
	RequestID string `json:"request_id,omitempty" validate:"max=64"`
}

// Error implements error.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// FieldError is one thing that is wrong in a document.
type FieldError struct {
	// Pointer is a JSON Pointer as a URI fragment (RFC 6901, section 6): # is the whole document.
	Pointer string `json:"pointer" validate:"max=4096"`
	// Code is one of the closed list of codes.
	Code Code `json:"code" validate:"max=64"`
	// Detail says the rule in words; it is the same for equal codes and params.
	Detail string `json:"detail" validate:"max=512"`
	// Params are the values of the rule.
	Params map[string]any `json:"params,omitempty" validate:"max=16"`
	// Offset is where the value begins in the document, in bytes; the name, where that is at fault (unknown_field,
	// duplicate_key). It is absent for what is not there.
	Offset *int64 `json:"offset,omitempty"`
	// Related are pointers to the other fields that a cross-field rule looks at.
	Related []string `json:"related,omitempty" validate:"max=16,dive,max=4096"`
}

// ProblemType is the last part of a Problem's type, and the heading of its section in docs/problems.md.
type ProblemType string

// The problem types.
const (
	ProblemMalformed            ProblemType = "malformed"
	ProblemUnsupportedVersion   ProblemType = "unsupported-schema-version"
	ProblemUnauthorized         ProblemType = "unauthorized"
	ProblemForbidden            ProblemType = "forbidden"
	ProblemNotFound             ProblemType = "not-found"
	ProblemMethodNotAllowed     ProblemType = "method-not-allowed"
	ProblemNotAcceptable        ProblemType = "not-acceptable"
	ProblemIdempotencyConflict  ProblemType = "idempotency-conflict"
	ProblemSequenceConflict     ProblemType = "sequence-conflict"
	ProblemIllegalTransition    ProblemType = "illegal-transition"
	ProblemRunFinished          ProblemType = "run-finished"
	ProblemLeaseLost            ProblemType = "lease-lost"
	ProblemApprovalDecided      ProblemType = "approval-decided"
	ProblemToolVersionConflict  ProblemType = "tool-version-conflict"
	ProblemHistoryPruned        ProblemType = "history-pruned"
	ProblemApprovalExpired      ProblemType = "approval-expired"
	ProblemTooLarge             ProblemType = "too-large"
	ProblemUnsupportedMediaType ProblemType = "unsupported-media-type"
	ProblemInvalidDocument      ProblemType = "invalid-document"
	ProblemToolUnknown          ProblemType = "tool-unknown"
	ProblemOverCeiling          ProblemType = "over-ceiling"
	ProblemUnavailable          ProblemType = "unavailable"
	ProblemTooManyRequests      ProblemType = "too-many-requests"
	ProblemInternal             ProblemType = "internal"
	ProblemHistoryDamaged       ProblemType = "history-damaged"
	ProblemJournalUnavailable   ProblemType = "journal-unavailable"
	ProblemOverloaded           ProblemType = "overloaded"
	// ProblemEngineLost stands in the error event of a run whose engine died with its server.
	ProblemEngineLost ProblemType = "engine-lost"
	// ProblemEngineFailed stands in the error event of a run whose engine gave up.
	ProblemEngineFailed ProblemType = "engine-failed"
	// ProblemToolFailed stands in the tool_end event of a call that went wrong.
	ProblemToolFailed ProblemType = "tool-failed"
)

// problemKind is what every problem of a type has in common.
type problemKind struct {
	title  string
	status int
}

// problemKinds is the one table of problem types (RFC 9110, section 15, for the status codes).
var problemKinds = map[ProblemType]problemKind{
	ProblemMalformed:            {"The request is malformed", 400},
	ProblemUnsupportedVersion:   {"The schema version is not supported", 400},
	ProblemUnauthorized:         {"A token is needed", 401},
	ProblemForbidden:            {"The request is not allowed", 403},
	ProblemNotFound:             {"There is nothing here", 404},
	ProblemMethodNotAllowed:     {"The method is not allowed", 405},
	ProblemNotAcceptable:        {"No acceptable representation", 406},
	ProblemIdempotencyConflict:  {"The idempotency key was used for another task", 409},
	ProblemSequenceConflict:     {"The cursor does not fit the journal", 409},
	ProblemIllegalTransition:    {"The run's state does not allow this", 409},
	ProblemRunFinished:          {"The run has finished", 409},
	ProblemLeaseLost:            {"The lease is lost", 409},
	ProblemApprovalDecided:      {"The approval has been decided", 409},
	ProblemToolVersionConflict:  {"The tool's version has another content", 409},
	ProblemHistoryPruned:        {"The history was pruned", 410},
	ProblemApprovalExpired:      {"The approval has expired", 410},
	ProblemTooLarge:             {"The request is too large", 413},
	ProblemUnsupportedMediaType: {"The media type is not supported", 415},
	ProblemInvalidDocument:      {"The document is invalid", 422},
	ProblemToolUnknown:          {"A tool is unknown", 422},
	ProblemOverCeiling:          {"The budget is above the server's ceiling", 422},
	ProblemUnavailable:          {"This server cannot do this", 422},
	ProblemTooManyRequests:      {"Too many requests", 429},
	ProblemInternal:             {"Something went wrong inside the server", 500},
	ProblemHistoryDamaged:       {"The stored history is damaged", 500},
	ProblemEngineLost:           {"The engine was lost", 500},
	ProblemEngineFailed:         {"The engine failed", 500},
	ProblemToolFailed:           {"The tool call failed", 500},
	ProblemJournalUnavailable:   {"The journal cannot be written", 503},
	ProblemOverloaded:           {"The server is overloaded", 503},
}

// ProblemInfo is one row of the closed list of problem types.
type ProblemInfo struct {
	Type ProblemType
	// Title is the same for every problem of the type.
	Title string
	// Status is the HTTP status code. That of a problem that only stands in events is 500.
	Status int
}

// ProblemTypes returns the closed list of problem types, ordered by status and then by type.
func ProblemTypes() []ProblemInfo {
	list := make([]ProblemInfo, 0, len(problemKinds))
	for t, kind := range problemKinds {
		list = append(list, ProblemInfo{Type: t, Title: kind.title, Status: kind.status})
	}
	slices.SortFunc(list, func(a, b ProblemInfo) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), strings.Compare(string(a.Type), string(b.Type)))
	})
	return list
}

// NewProblem returns a problem of type t with its title and status; detail says what is wrong this time.
func NewProblem(t ProblemType, detail string) *Problem {
	kind := problemKinds[t]
	return &Problem{Type: "/problems/" + string(t), Title: kind.title, Status: kind.status, Detail: detail}
}

// Has reports whether the problem is of type t.
func (p *Problem) Has(t ProblemType) bool { return p != nil && p.Type == "/problems/"+string(t) }

// Code names a rule that a document broke. The closed list of codes stands with the rules.
type Code string
