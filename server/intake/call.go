package intake

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// callEnd is how a call ended, before anything is hidden.
type callEnd struct {
	status  contracts.CallStatus
	output  json.RawMessage
	problem *contracts.Problem
	cost    int64
}

// endCall adds a call's tool_end with its receipt.
func (t *turn) endCall(call runstate.Call, end callEnd) error {
	data := &contracts.ToolEndData{CallID: call.CallID, Status: end.status, Error: end.problem}
	spec := t.specOf(call)
	if err := t.showOutput(data, call, spec, end.output); err != nil {
		return err
	}
	receipt := &contracts.Receipt{
		CallID: call.CallID, Tool: call.Tool, ToolDigest: call.ToolDigest, Attempt: call.Attempt, Status: data.Status,
		Args: call.Args, ResultBytes: int64(len(end.output)), StartedAt: call.StartedAt,
		LatencyMS: t.now.Sub(call.StartedAt), CostMicroUSD: end.cost,
	}
	if call.Decision != "" {
		receipt.Approval = &contracts.ReceiptApproval{
			By: call.By, Decision: call.Decision, Edited: call.Decision == contracts.DecisionEdited,
		}
	}
	var err error
	if receipt.ArgsHash, err = contracts.DigestJSON(receipt.Args); err != nil {
		return fmt.Errorf("receipt of call: %w", err)
	}
	if data.Output != nil {
		if receipt.ResultHash, err = contracts.DigestJSON(data.Output); err != nil {
			return fmt.Errorf("receipt of call: %w", err)
		}
	}
	_, head := t.run.state.Receipts()
	if err := receipt.Seal(head); err != nil {
		return fmt.Errorf("receipt of call: %w", err)
	}
	data.Receipt = receipt
	return t.add(call.Branch, data)
}

// specOf returns the pinned definition of a call's tool, or nil where it is denied or gone.
func (t *turn) specOf(call runstate.Call) *contracts.ToolSpec {
	if call.ToolDigest == "" {
		return nil
	}
	entry, ok := t.in.catalogue.Entry(call.Tool)
	if !ok || entry.Digest != call.ToolDigest {
		return nil
	}
	return &entry.Spec
}

// showOutput fills in what may be shown of a result. A result that does not keep the tool's output schema turns
// an ok call into an error, and so does a definition that is no longer the pinned one.
func (t *turn) showOutput(data *contracts.ToolEndData, call runstate.Call, spec *contracts.ToolSpec, output json.RawMessage) error {
	if output == nil {
		return nil
	}
	if string(call.Args) == redactedJSON { // the arguments refer to a sensitive input
		data.Output = json.RawMessage(redactedJSON)
		return nil
	}
	if spec == nil { // what the tool wanted hidden went with its definition
		data.Output = json.RawMessage(redactedJSON)
		if data.Status == contracts.CallOK {
			data.Status = contracts.CallError
			data.Error = contracts.NewProblem(contracts.ProblemToolVersionConflict, "the tool's definition changed since the run began")
		}
		return nil
	}
	limit := spec.Limits.MaxResultBytes
	if data.Status == contracts.CallOK && spec.OutputSchema != nil {
		misfits, err := misfits(spec.OutputSchema, output, "#/output")
		if err != nil {
			return err
		}
		if len(misfits) > 0 {
			data.Status = contracts.CallError
			data.Error = contracts.NewProblem(contracts.ProblemToolFailed, "the output does not conform to the tool's output_schema")
			data.Error.Errors = misfits
		}
	}
	output, err := redact(output, spec.Redact)
	if err != nil {
		return fmt.Errorf("redact output: %w", err)
	}
	if int64(len(output)) <= limit {
		data.Output = output
		return nil
	}
	cut, err := contracts.Encode(cutBytes(string(output), int(limit)))
	if err != nil {
		return fmt.Errorf("cut output: %w", err)
	}
	data.Output, data.Truncated = cut, true
	return nil
}

// cutBytes returns at most n bytes of s without cutting a character in two.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// endPending decides what waits for a human and ends those calls: expired ones as timeouts, else cancelled.
func (t *turn) endPending(decision contracts.Decision) error {
	for _, call := range t.run.state.OpenCalls() {
		if !call.Pending() {
			continue
		}
		if err := t.decideAndEnd(call, decision, ""); err != nil {
			return err
		}
	}
	return nil
}

// endStatus is how a call ends that was not let through.
func endStatus(d contracts.Decision) contracts.CallStatus {
	switch d {
	case contracts.DecisionDenied:
		return contracts.CallDenied
	case contracts.DecisionExpired:
		return contracts.CallTimeout
	case contracts.DecisionCancelled, contracts.DecisionApproved, contracts.DecisionEdited:
	}
	return contracts.CallCancelled
}

// decideAndEnd adds a decision that does not let a call through, and the call's end.
func (t *turn) decideAndEnd(call runstate.Call, d contracts.Decision, by string) error {
	data := &contracts.ApprovalData{ID: call.Approval.ID, CallID: call.CallID, Decision: d, By: by}
	if err := t.add(call.Branch, data); err != nil {
		return err
	}
	decided, _ := t.run.state.Call(call.CallID)
	return t.endCall(decided, callEnd{status: endStatus(d)})
}

// misfits returns what in doc does not conform to a tool's JSON Schema, each with its pointer behind at.
func misfits(schema, doc json.RawMessage, at string) ([]contracts.FieldError, error) {
	compiled, err := contracts.CompileSchema(schema)
	if err != nil {
		return nil, fmt.Errorf("schema of a tool in the catalogue: %w", err)
	}
	errs := compiled.Validate(doc)
	for i := range errs {
		errs[i].Pointer = at + errs[i].Pointer[1:]
		errs[i].Offset = nil // of a place within doc, which the reader does not have alone
	}
	return errs, nil
}
