// Package verdict judges answers: the deterministic assertions and scorers of a VerifyContract, and the
// decision that follows. It is pure, and sees only what the journal shows, so that the browser's verdict and the
// server's are the same.
package verdict

import (
	"axiom25/contracts"
)

// Evidence is what an answer is judged by: what the run's events show up to the answer.
type Evidence struct {
	// Output is the answer's text.
	Output string
	// Channel says whether the model answered or declined.
	Channel contracts.Channel
	// Calls are the ended tool calls, in the order in which they started.
	Calls []CallEvidence
	// Used is the meter when the answer came.
	Used contracts.Usage
}

// CallEvidence is one ended tool call as the events show it: redacted and cut.
type CallEvidence struct {
	Tool      contracts.ToolRef
	Status    contracts.CallStatus
	Args      []byte
	Output    []byte
	Truncated bool
	// Redacted says that the output was hidden; a check on it is an error.
	Redacted bool
}

// Standing is where the run stands when an answer is judged.
type Standing struct {
	// Pass counts the attempts from 0.
	Pass int64
	// ReflectionPasses is the budget's.
	ReflectionPasses int64
	// Draining says that no further pass may begin.
	Draining bool
}

// Judge evaluates every check and decides. MessageID and OutputHash are the caller's to fill in.
func Judge(c *contracts.VerifyContract, e Evidence, s Standing) contracts.VerdictData {
	return contracts.VerdictData{}
}
