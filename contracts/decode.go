package contracts

import "errors"

// Decode reads one whole document as a T: a contract (TaskSpec, Budget, VerifyContract, ToolSpec) or a request
// body (Answer, CancelRequest, ApprovalDecision, ForkRequest, ClaimRequest). It refuses what the contract does
// not say (unknown fields, duplicate names, null, trailing bytes …), fills in defaults, and collects every
// problem. The error is always a *Problem.
func Decode[T any](doc []byte) (*T, error) { return nil, errors.ErrUnsupported }

// DecodeEngineEvents reads the lines that an engine reports: NDJSON, or a JSON array. It is as strict as
// Decode; pointers begin with the index of the line. The error is always a *Problem.
func DecodeEngineEvents(body []byte) ([]EngineEvent, error) { return nil, errors.ErrUnsupported }

// DecodeEvent reads one event of a journal as a client does: unknown fields are ignored, an unknown type gives
// UnknownData, and a known type with a bad body is an error. The error is always a *Problem.
func DecodeEvent(line []byte) (RunEvent, error) { return RunEvent{}, errors.ErrUnsupported }

// Encode returns v as compact JSON, without HTML escaping and without a newline: the one way in which this
// project writes contract values.
func Encode(v any) ([]byte, error) { return nil, errors.ErrUnsupported }

// Catalogue answers which tools a server has.
type Catalogue interface {
	// Tool returns the definition that ref names: an exact version, or the highest where ref has none.
	Tool(ref ToolRef) (*ToolSpec, bool)
}

// CheckTools holds a valid task against a catalogue: each allowed tool exists and each assertion's tool target
// is allowed. It returns the definitions by exact reference; the error is always a *Problem (tool-unknown).
func (t *TaskSpec) CheckTools(c Catalogue) (map[ToolRef]*ToolSpec, error) {
	return nil, errors.ErrUnsupported
}

// CheckCeiling holds an effective budget against a server's ceiling, and points at the task's overrides. The
// error is always a *Problem (over-ceiling).
func (t *TaskSpec) CheckCeiling(ceiling Limits) error { return errors.ErrUnsupported }
