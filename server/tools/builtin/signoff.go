package builtin

import (
	"context"
	"encoding/json"

	"axiom25/contracts"
)

// SignOff puts a statement on record with a human's consent. It implements tools.Builtin.
//
// The tool itself changes nothing: what it is for is the gate before it. Its policy is to always ask, so that
// the statement only passes when somebody has approved or edited it, and the receipt of the call, a link in the
// run's hash chain, holds the statement's words, the decision and who made it.
type SignOff struct {
	spec *contracts.ToolSpec
}

// NewSignOff returns the tool.
func NewSignOff() *SignOff {
	spec := computing("sign_off", signOffDescription, signOffInput, signOffOutput)
	spec.Effect = contracts.EffectWrite // it adds to the record
	spec.Approval = contracts.ApprovalAlways
	return &SignOff{spec: spec}
}

const signOffDescription = `Puts a statement on the run's record once a human has approved it. ` +
	`The human may change the words first. The call's receipt holds the statement as approved, who decided and how; ` +
	`the output repeats the statement with its SHA-256 digest, so that an answer can cite it.`

const signOffInput = `{
	"type": "object", "required": ["statement"], "additionalProperties": false,
	"properties": {
		"statement": {"type": "string", "minLength": 1, "maxLength": 4096, "description": "what is to be approved, in full"},
		"figures": {
			"type": "object", "maxProperties": 32, "additionalProperties": {"type": ["number", "string"]},
			"description": "the numbers that the statement rests on, by name"
		}
	}
}`

const signOffOutput = `{
	"type": "object", "required": ["statement", "digest"], "additionalProperties": false,
	"properties": {
		"statement": {"type": "string"},
		"digest": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
	}
}`

// Spec implements tools.Builtin.
func (s *SignOff) Spec() *contracts.ToolSpec { return s.spec }

// signOffResult is the tool's output.
type signOffResult struct {
	Statement string           `json:"statement"`
	Digest    contracts.Digest `json:"digest"`
}

// Call implements tools.Builtin.
func (s *SignOff) Call(_ context.Context, args json.RawMessage, _ []contracts.Input) (json.RawMessage, error) {
	var a struct {
		Statement string `json:"statement"`
	}
	if err := decodeArgs(args, &a); err != nil {
		return nil, err
	}
	return encode(signOffResult{Statement: a.Statement, Digest: contracts.DigestText(a.Statement)})
}
