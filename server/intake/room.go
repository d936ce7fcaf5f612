package intake

import (
	"encoding/json"

	"axiom25/contracts"
)

// What may be open in a run at once. A run is ended within one append, in which every open call gets its decision
// and its end, and the receipt of an end repeats the call's arguments: what could not be closed must not open.
const (
	maxOpenCalls = 256
	maxOpenBytes = contracts.MaxBatchBytes / 2
	// endBytes is more than a tool_end takes beside the arguments of its call.
	endBytes = 4096
	// endDepth is how deep a receipt holds the arguments: event, data, receipt.
	endDepth = 3
)

// checkRoom refuses a batch behind which a call that it opened or changed, args being its arguments now, or all that
// are open, could not be ended. Problems: too-large.
func (t *turn) checkRoom(args json.RawMessage) error {
	if len(args)+endBytes > contracts.MaxDocumentBytes || depthOf(args) > contracts.MaxDepth-endDepth {
		return contracts.NewProblem(contracts.ProblemTooLarge, "the arguments are larger, or nested deeper, than a receipt can hold")
	}
	calls := t.run.state.OpenCalls()
	size := 0
	for i := range calls {
		size += len(calls[i].Args) + endBytes
	}
	if len(calls) > maxOpenCalls || size > maxOpenBytes {
		return contracts.NewProblem(contracts.ProblemTooLarge, "too many calls are open, or their arguments take too much room; end some first")
	}
	return nil
}

// depthOf returns how deep the objects and arrays of a valid document are nested; 0 for a scalar.
func depthOf(doc json.RawMessage) int {
	depth, deepest := 0, 0
	inText := false
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// legible refuses an event that nobody could read back: as an engine's line it kept the limits of size and depth, but
// not with what the server adds to it. Only the events that hold free JSON can have outgrown the depth.
func legible(ev contracts.RunEvent, line []byte) error {
	tooLarge := contracts.NewProblem(contracts.ProblemTooLarge, "the event, with what the server adds to it, is larger, or nested deeper, than an event may be")
	if len(line) > contracts.MaxDocumentBytes {
		return tooLarge
	}
	switch ev.Data.(type) {
	case *contracts.ToolStartData, *contracts.ToolEndData, *contracts.ApprovalData:
		if _, err := contracts.DecodeEvent(line); err != nil {
			return tooLarge
		}
	}
	return nil
}
