package verdict

import "axiom25/contracts/runstate"

// redacted is what the journal shows in the place of a value that is hidden.
const redacted = `"[redacted]"`

// Calls returns the ended tool calls of a run as evidence, each by its last attempt, in the order in which they
// first started. Server and browser both take it from the run's events, so that both judge by the same.
func Calls(t *runstate.Transcript) []CallEvidence {
	var calls []CallEvidence
	for _, call := range t.Calls() {
		if call.End == nil {
			continue
		}
		calls = append(calls, CallEvidence{
			Tool: call.Tool, Status: call.End.Status, Args: call.Args,
			Output: call.End.Output, Truncated: call.End.Truncated, Redacted: string(call.End.Output) == redacted,
		})
	}
	return calls
}
