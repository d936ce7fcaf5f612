package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"axiom25/contracts"
)

var (
	// ErrNotBuiltin says that a reference does not name a builtin tool.
	ErrNotBuiltin = errors.New("not a builtin tool")
	// ErrTimeout says that a call took longer than its tool's limits allow.
	ErrTimeout = errors.New("the call took longer than the tool's timeout")
	// ErrArguments says that the arguments do not fit the tool's input schema.
	ErrArguments = errors.New("the arguments do not fit the tool's input schema")
	// ErrResult says that no event can hold the result: it is nested too deeply, or not exact as IEEE 754 and I-JSON
	// have it.
	ErrResult = errors.New("the result is nested too deeply, or has numbers that are not exact")
	// ErrDefect says that the tool's code panicked.
	ErrDefect = errors.New("the tool has a defect")
)

// builtin is a Builtin with what is needed to call it.
type builtin struct {
	Builtin
	input   *jsonschema.Schema
	timeout time.Duration
}

func compileBuiltin(b Builtin) (*builtin, error) {
	spec := b.Spec()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(spec.InputSchema))
	if err != nil {
		return nil, fmt.Errorf("input schema: %w", err)
	}
	const place = "input.json"
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(place, doc); err != nil {
		return nil, fmt.Errorf("input schema: %w", err)
	}
	input, err := compiler.Compile(place)
	if err != nil {
		return nil, fmt.Errorf("input schema: %w", err)
	}
	return &builtin{Builtin: b, input: input, timeout: time.Duration(spec.Limits.TimeoutMS) * time.Millisecond}, nil
}

// Call carries out one attempt of a builtin tool's call: it holds the arguments against the input schema and
// the time against the tool's limit. inputs are the task's own. Errors: ErrNotBuiltin, ErrArguments, ErrTimeout,
// ErrResult, ErrDefect, the context's where that ended first, else what the tool says is wrong with the call; none of
// them quotes data.
func (c *Catalogue) Call(ctx context.Context, ref contracts.ToolRef, args json.RawMessage, inputs []contracts.Input) (json.RawMessage, error) {
	b, ok := c.builtin(ref)
	if !ok {
		return nil, ErrNotBuiltin
	}
	if err := b.checkArgs(args); err != nil {
		return nil, err
	}
	callCtx, cancel := context.WithTimeoutCause(ctx, b.timeout, ErrTimeout)
	defer cancel()
	output, err := b.call(callCtx, args, inputs)
	if err == nil {
		if err := b.checkResult(output); err != nil {
			return nil, err
		}
		return output, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if callCtx.Err() != nil {
		return nil, ErrTimeout
	}
	return nil, err
}

// call turns a panic of the tool's code into an error.
func (b *builtin) call(ctx context.Context, args json.RawMessage, inputs []contracts.Input) (output json.RawMessage, err error) {
	defer func() {
		if recover() != nil { // the value may hold data
			output, err = nil, ErrDefect
		}
	}()
	return b.Call(ctx, args, inputs)
}

// checkArgs holds arguments against the input schema; the error names places and keywords.
func (b *builtin) checkArgs(args json.RawMessage) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(args))
	if err != nil {
		return ErrArguments
	}
	err = b.input.Validate(value)
	if err == nil {
		return nil
	}
	invalid := (*jsonschema.ValidationError)(nil)
	if !errors.As(err, &invalid) {
		return ErrArguments
	}
	return fmt.Errorf("%w: %s", ErrArguments, strings.Join(places(invalid), ", "))
}

// checkResult holds a result against what an event may hold, as if an engine had sent it. One that is larger than the
// tool's limit is cut to a text before an event holds it, so that it may be anything.
func (b *builtin) checkResult(output json.RawMessage) error {
	if int64(len(output)) > b.Spec().Limits.MaxResultBytes {
		return nil
	}
	line, err := contracts.Encode(contracts.EngineEvent{
		SchemaVersion: contracts.Version, Type: contracts.EventToolEnd,
		Data: &contracts.EngineToolEnd{CallID: "c", Status: contracts.CallOK, Output: output},
	})
	if err != nil {
		return ErrResult
	}
	if _, err := contracts.DecodeEngineEvents(line); err != nil {
		return ErrResult
	}
	return nil
}

// places lists where the arguments break which keyword, such as "/sql (type)", in a fixed order.
func places(e *jsonschema.ValidationError) []string {
	if len(e.Causes) == 0 {
		at := "/" + strings.Join(e.InstanceLocation, "/")
		return []string{at + " (" + strings.Join(e.ErrorKind.KeywordPath(), "/") + ")"}
	}
	var found []string
	for _, cause := range e.Causes {
		found = append(found, places(cause)...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}
