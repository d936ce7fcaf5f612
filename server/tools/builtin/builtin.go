// Package builtin holds the tools that this server carries out itself: sql_query, calculator, json_query and
// sign_off.
//
// All but the last only compute: they read the task's own inputs and their arguments, and reach neither files
// nor network nor environment. Whoever writes a task is not trusted with more: a query that tries to
// write, to read a file, to run for ever or to fill the memory ends in an error that says so.
//
// Arguments name an input as "inputs.NAME". That form, and no other, makes the server see that a call refers to
// a sensitive input, and hide its arguments and output.
package builtin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"axiom25/contracts"
	"axiom25/server/tools"
)

// All returns the builtin tools.
func All() []tools.Builtin {
	return []tools.Builtin{NewSQLQuery(), NewCalculator(), NewJSONQuery(), NewSignOff()}
}

// The limits that the computing tools share.
const (
	// computeTimeoutMS is how long a call may compute, in milliseconds.
	computeTimeoutMS = 5_000
	// maxResultBytes bounds an output, in bytes of JSON.
	maxResultBytes = 256 << 10
	// maxExact is 2^53−1: no greater integer, nor any below its negative, is sure to survive a reader that holds
	// numbers in double precision (RFC 8259, section 6).
	maxExact = 1<<53 - 1
)

var (
	// ErrUnknownInput says that the task has no such input.
	ErrUnknownInput = errors.New("the task has no such input")
	// ErrNoContent says that an input is a reference whose content this server does not fetch.
	ErrNoContent = errors.New("the input is a URI; its content is not at hand")
	// ErrResultTooLarge says that an output would be larger than the tool's limit.
	ErrResultTooLarge = fmt.Errorf("the result is larger than %d bytes", maxResultBytes)
	// ErrMemory says that a call was ended because memory grew too much meanwhile.
	ErrMemory = errors.New("the call took too much memory")
)

// inputPrefix is how arguments name an input.
const inputPrefix = "inputs."

// findInput returns the input that a reference such as inputs.planets names.
func findInput(inputs []contracts.Input, ref string) (*contracts.Input, error) {
	name, ok := strings.CutPrefix(ref, inputPrefix)
	if !ok {
		return nil, ErrUnknownInput
	}
	for i := range inputs {
		if inputs[i].Name == name {
			return &inputs[i], nil
		}
	}
	return nil, ErrUnknownInput
}

// decodeArgs reads arguments that were held against the input schema.
func decodeArgs(args json.RawMessage, into any) error {
	if err := json.Unmarshal(args, into); err != nil {
		return tools.ErrArguments
	}
	return nil
}

// encode returns a result as JSON, or ErrResultTooLarge.
func encode(v any) (json.RawMessage, error) {
	out, err := contracts.Encode(v)
	if err != nil {
		return nil, fmt.Errorf("encode the result: %w", err)
	}
	if len(out) > maxResultBytes {
		return nil, ErrResultTooLarge
	}
	return out, nil
}

// compact strips a schema literal of its layout, so that specs read well here and are short on the wire.
func compact(schema string) json.RawMessage {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(schema)); err != nil {
		return json.RawMessage(schema) // the catalogue refuses it
	}
	return b.Bytes()
}

// computing returns the spec of a tool that only computes.
func computing(name, description, input, output string) *contracts.ToolSpec {
	return &contracts.ToolSpec{
		SchemaVersion: contracts.Version,
		Name:          name,
		Version:       "1.0.0",
		Description:   description,
		InputSchema:   compact(input),
		OutputSchema:  compact(output),
		Effect:        contracts.EffectRead,
		Idempotent:    true,
		Transport:     contracts.Transport{Type: contracts.TransportBuiltin},
		Auth:          contracts.Auth{Type: contracts.AuthNone},
		Trust:         contracts.TrustBuiltin,
		Approval:      contracts.ApprovalAuto,
		Limits:        contracts.ToolLimits{TimeoutMS: computeTimeoutMS, MaxAttempts: 1, MaxResultBytes: maxResultBytes},
	}
}
