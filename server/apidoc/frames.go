package apidoc

import (
	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// runFrames are what the stream of a run carries.
func runFrames() []Frame {
	frames := []Frame{{
		Name: "hello", Title: "The stream is open",
		Description: "The first frame of every stream, at once: how long EventSource waits before it reconnects, and a comment that gets " +
			"the head past proxies.",
		Retry: object{{"type", "integer"}, {"const", 2000}}, Comment: "axiom25",
	}}
	for _, ev := range eventExamples() {
		frames = append(frames, Frame{
			Name: string(ev.Type), Title: "RunEvent of type " + string(ev.Type),
			Description: "The event as it is stored, byte by byte. There is no `event:` line, so that EventSource calls onmessage; the type is in the data.",
			ID:          object{{"type", "integer"}, {"minimum", 1}, {"maximum", maxSeq}, {"description", "The event's seq: the cursor to come back with."}},
			Data:        object{{"allOf", []object{ref("RunEvent"), {{"properties", object{{"type", object{{"const", ev.Type}}}}}}}}},
			Example:     ev,
		})
	}
	return append(frames,
		Frame{
			Name: "reset", Title: "The cursor is not one of this run", Event: "reset",
			Description: "Follows hello where the cursor is ahead of the run or no number. The viewer forgets what it has; the empty id clears " +
				"its cursor, and the stream goes on from event 1.",
			ID: object{{"type", "string"}, {"const", ""}},
			Data: object{
				{"type", "object"},
				{"properties", object{{"last_seq", object{{"type", "integer"}, {"minimum", 1}, {"description", "The run's last event."}}}}},
				{"required", []string{"last_seq"}},
			},
			Example: object{{"last_seq", 7}},
		},
		Frame{
			Name: "problem", Title: "The stream cannot go on", Event: "problem",
			Description: "The last frame of a stream that fails after it began, such as over damaged history. It has no id: the cursor stays where it is.",
			Data:        ref("Problem"), Example: contracts.NewProblem(contracts.ProblemHistoryDamaged, "the stored run does not match its checksums from event 8 on"),
		},
		Frame{
			Name: "heartbeat", Title: "The connection lives", Comment: "hb",
			Description: "A comment, sent while nothing else is (every 15 s where the server is not configured otherwise). EventSource drops it.",
		},
		Frame{
			Name: "later", Title: "Come back later", Retry: object{{"type", "integer"}, {"minimum", 3000}, {"maximum", 10_000}},
			Description: "The only frame of a stream that the server sheds for load: when to come back, each viewer at another time.",
		},
	)
}

// eventExamples returns one event of each type, in the order of the contract.
func eventExamples() []contracts.RunEvent {
	first := make(map[contracts.EventType]contracts.RunEvent)
	for _, run := range contractstest.Runs() {
		for _, ev := range run.Events {
			if _, ok := first[ev.Type]; !ok {
				first[ev.Type] = ev
			}
		}
	}
	var list []contracts.RunEvent
	for _, t := range []contracts.EventType{
		contracts.EventStatus, contracts.EventThought, contracts.EventToken, contracts.EventToolStart, contracts.EventApproval,
		contracts.EventToolEnd, contracts.EventBudget, contracts.EventVerdict, contracts.EventError, contracts.EventDone,
	} {
		list = append(list, first[t])
	}
	return list
}
