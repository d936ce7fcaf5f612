package runstate

import (
	"bytes"

	"axiom25/contracts"
)

// ReceiptFault says why a receipt does not fit, in words; it is empty for one that does.
type ReceiptFault string

// The faults of a receipt, in the order in which they are looked for.
const (
	// FaultMissing is that of a call's end without a receipt.
	FaultMissing ReceiptFault = "the receipt is missing"
	// FaultCall is a call, an attempt, an end, an approval or a time other than the stream shows.
	FaultCall ReceiptFault = "the receipt does not say what the stream shows"
	// FaultArgs and FaultResult are hashes other than those of the arguments and of the result as shown.
	FaultArgs   ReceiptFault = "the receipt's args_hash is not that of the arguments shown"
	FaultResult ReceiptFault = "the receipt's result_hash is not that of the result shown"
	// FaultPrev is a receipt that follows another one than the last, FaultHash one whose content was changed.
	FaultPrev ReceiptFault = "the receipt does not continue the chain"
	FaultHash ReceiptFault = "the receipt's hash is not that of its content"
)

// JudgeReceipt holds the receipt in a call's end against the call as the stream shows it, and against the hash before it in
// the chain: that of the last receipt, or the task's digest. It returns all that does not fit, and nothing for a call that has
// not ended. State holds streams to the same; this is for who reads on where a receipt does not fit, and asks of each.
func (c *TranscriptCall) JudgeReceipt(prev contracts.Digest) []ReceiptFault {
	if c.End == nil {
		return nil
	}
	shown := Call{
		OpenCall: contracts.OpenCall{
			CallID: c.CallID, Tool: c.Tool, Branch: c.Branch, Attempt: c.Attempt, StartedAt: c.StartedAt, Gate: c.Gate, Approval: c.Approval,
		},
		ToolDigest: c.ToolDigest, Args: c.Args, Decision: c.Decision, By: c.By,
	}
	return judgeReceipt(&shown, c.End, c.EndedAt, prev)
}

// judgeReceipt returns what does not fit in the receipt of a call's end.
func judgeReceipt(c *Call, end *contracts.ToolEndData, ended contracts.Time, prev contracts.Digest) []ReceiptFault {
	r := end.Receipt
	if r == nil {
		return []ReceiptFault{FaultMissing}
	}
	var faults []ReceiptFault
	if !describes(r, c, end.Status, ended) {
		faults = append(faults, FaultCall)
	}
	if !hashesTo(r.Args, r.ArgsHash) || !bytes.Equal(r.Args, c.Args) && !hashesTo(c.Args, r.ArgsHash) {
		faults = append(faults, FaultArgs)
	}
	if end.Output == nil && r.ResultHash != "" || end.Output != nil && !hashesTo(end.Output, r.ResultHash) {
		faults = append(faults, FaultResult)
	}
	if r.Prev != prev {
		faults = append(faults, FaultPrev)
	}
	if !r.Verify(r.Prev) {
		faults = append(faults, FaultHash)
	}
	return faults
}

// describes reports whether a receipt names the call, its end and its approval as the stream shows them.
func describes(r *contracts.Receipt, c *Call, status contracts.CallStatus, ended contracts.Time) bool {
	if (r.Approval != nil) != (c.Gate == contracts.GateAsk) {
		return false
	}
	if r.Approval != nil && *r.Approval != (contracts.ReceiptApproval{
		By: c.By, Decision: c.Decision, Edited: c.Decision == contracts.DecisionEdited,
	}) {
		return false
	}
	return r.CallID == c.CallID && r.Tool == c.Tool && r.ToolDigest == c.ToolDigest && r.Attempt == c.Attempt &&
		r.Status == status && r.StartedAt == c.StartedAt && r.LatencyMS == ended.Sub(c.StartedAt)
}

func hashesTo(doc []byte, digest contracts.Digest) bool {
	got, err := contracts.DigestJSON(doc)
	return err == nil && got == digest
}
