package apidoc

import (
	"slices"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// runFrames are what the stream of a run carries.
func runFrames() []Frame {
	id := object{{"type", "integer"}, {"minimum", 1}, {"maximum", maxSeq}, {"description", "The event's seq: the cursor to come back with."}}
	reset := Frame{
		Name: "reset", Title: "The cursor is not one of this run", Event: "reset",
		Description: "Follows hello where the cursor is ahead of the run or no number. The viewer forgets what it has; the empty id clears " +
			"its cursor, and the stream goes on from event 1.",
		ID: object{{"type", "string"}, {"const", ""}},
		Data: object{
			{"type", "object"}, {"properties", object{{"last_seq", lastSeq()}}}, {"required", []string{"last_seq"}},
		},
		Example: object{{"last_seq", 7}},
	}
	return slices.Concat([]Frame{hello()}, eventFrames(id), []Frame{reset}, closing())
}

// manyFrames are what the stream of several runs, or of the list, carries.
func manyFrames(e examples) []Frame {
	cursors := object{
		{"type", []string{"integer", "string"}},
		{"minimum", 0},
		{"pattern", "^[0-9]+(?:,[0-9]+){0,15}$"},
		{"description", "The cursors of all runs, in the order of the parameters: what to come back with."},
	}
	own := []Frame{
		{
			Name: "reset", Title: "A cursor is not one of its run", Event: "reset", ID: cursors,
			Description: "Follows hello for each run whose cursor is ahead of it, or for every run where the cursors cannot be read. The viewer " +
				"forgets what it has of that run, which begins anew.",
			Data: object{
				{"type", "object"},
				{"properties", object{{"run_id", runID().Schema}, {"last_seq", lastSeq()}}},
				{"required", []string{"run_id", "last_seq"}},
			},
			Example: object{{"run_id", e.id}, {"last_seq", 7}},
		},
		{
			Name: "list", Title: "The newest runs", Event: "list",
			Description: "What GET /runs would answer: after hello, and again where a viewer fell behind the rows.",
			Data:        ref("RunList"), Example: e.list(),
		},
		{
			Name: "row", Title: "A run has changed",
			Description: "Its row, four times a second at most. A run that leaves a list by its state is shown once more.",
			Data:        ref("Summary"), Example: e.summary(),
		},
	}
	return slices.Concat([]Frame{hello()}, eventFrames(cursors), own, closing())
}

// lastSeq is the schema of what a reset says.
func lastSeq() object {
	return object{{"type", "integer"}, {"minimum", 1}, {"description", "The run's last event."}}
}

// hello is how every stream begins.
func hello() Frame {
	return Frame{
		Name: "hello", Title: "The stream is open",
		Description: "The first frame, at once: how long EventSource waits before it reconnects, and a comment that gets the head past proxies.",
		Retry:       object{{"type", "integer"}, {"const", 2000}}, Comment: "axiom25",
	}
}

// eventFrames are the events of runs, with this schema of their ids.
func eventFrames(id object) []Frame {
	var frames []Frame
	for _, ev := range eventExamples() {
		frames = append(frames, Frame{
			Name: string(ev.Type), Title: "RunEvent of type " + string(ev.Type),
			Description: "The event as it is stored, byte by byte. There is no `event:` line, so that EventSource calls onmessage; the type is in the data.",
			ID:          id,
			Data:        object{{"allOf", []object{ref("RunEvent"), {{"properties", object{{"type", object{{"const", ev.Type}}}}}}}}},
			Example:     ev,
		})
	}
	return frames
}

// closing are the frames about the connection that every stream can have.
func closing() []Frame {
	return []Frame{
		{
			Name: "problem", Title: "The stream cannot go on", Event: "problem",
			Description: "The last frame of a stream that fails after it began, such as over damaged history. It has no id: the cursor stays where it is.",
			Data:        ref("Problem"), Example: contracts.NewProblem(contracts.ProblemHistoryDamaged, "the stored run does not match its checksums from event 8 on"),
		},
		{
			Name: "heartbeat", Title: "The connection lives", Comment: "hb",
			Description: "A comment, sent while nothing else is (every 15 s where the server is not configured otherwise). EventSource drops it.",
		},
		{
			Name: "later", Title: "Come back later", Retry: object{{"type", "integer"}, {"minimum", 3000}, {"maximum", 10_000}},
			Description: "The last frame of a stream that the server sheds for load, or ends because it stops: when to come back, each viewer at " +
				"another time.",
		},
	}
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
