package contracts

import "encoding/json"

// Receipt is the record of one attempt of a tool call. Receipts of a run form a hash chain in the order of
// their tool_end events: it starts at the task's digest, and its head stands in done.
type Receipt struct {
	// CallID is the call's.
	CallID string `json:"call_id" validate:"handle"`
	// Tool is the reference that the call named.
	Tool ToolRef `json:"tool" validate:"toolref"`
	// ToolDigest is the digest of the tool's definition.
	ToolDigest Digest `json:"tool_digest,omitempty" validate:"omitempty,digest"`
	// Attempt counts from 1.
	Attempt int64 `json:"attempt" validate:"gte=1,lte=1000"`
	// Status is how the call ended.
	Status CallStatus `json:"status" validate:"oneof=ok error denied cancelled timeout"`
	// Args are the arguments as the event stream shows them: redacted, and the edited ones where a human edited.
	Args json.RawMessage `json:"args"`
	// ArgsHash is the digest of the RFC 8785 form of Args.
	ArgsHash Digest `json:"args_hash" validate:"digest"`
	// ResultHash is the digest of the RFC 8785 form of the output as shown; absent where there is none.
	ResultHash Digest `json:"result_hash,omitempty" validate:"omitempty,digest"`
	// ResultBytes is the size of the output before redaction and cutting, in bytes.
	ResultBytes int64 `json:"result_bytes" validate:"gte=0"`
	// StartedAt is the time of the tool_start event.
	StartedAt Time `json:"started_at"`
	// LatencyMS is the time from tool_start to tool_end in milliseconds, a human's decision included.
	LatencyMS int64 `json:"latency_ms" validate:"gte=0"`
	// CostMicroUSD is what the call cost, in millionths of a US dollar.
	CostMicroUSD int64 `json:"cost_microusd" validate:"gte=0"`
	// Approval is the human's decision, where one was asked for.
	Approval *ReceiptApproval `json:"approval,omitempty"`
	// Prev is the hash of the receipt before, or the task's digest in the first.
	Prev Digest `json:"prev" validate:"digest"`
	// Hash is the digest of the RFC 8785 form of the receipt without this field.
	Hash Digest `json:"hash" validate:"digest"`
}

// ReceiptApproval is the decision that a call waited for.
type ReceiptApproval struct {
	// By names who decided; absent when the server did.
	By string `json:"by,omitempty" validate:"max=128"`
	// Decision is what was decided.
	Decision Decision `json:"decision" validate:"oneof=approved denied edited expired cancelled"`
	// Edited says that the arguments were changed.
	Edited bool `json:"edited,omitempty"`
}

// Seal links the receipt behind prev and fills in Prev and Hash. It returns an error when Args is not JSON.
func (r *Receipt) Seal(prev Digest) error {
	r.Prev = prev
	hash, err := r.sum()
	if err != nil {
		return err
	}
	r.Hash = hash
	return nil
}

// Verify reports whether the receipt follows prev and whether its hash is that of its content.
func (r *Receipt) Verify(prev Digest) bool {
	if r.Prev != prev {
		return false
	}
	hash, err := r.sum()
	return err == nil && hash == r.Hash
}

// sum returns the digest of the receipt without its hash.
func (r *Receipt) sum() (Digest, error) {
	bare := struct {
		Receipt
		Hash *Digest `json:"hash,omitempty"` // shadows Receipt.Hash, and is left out
	}{Receipt: *r}
	b, err := json.Marshal(bare)
	if err != nil {
		return "", err
	}
	return DigestJSON(b)
}
