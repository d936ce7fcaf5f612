package apidoc

import (
	"net/http"
	"slices"
	"strings"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// problems makes one list of several.
func problems(lists ...[]contracts.ProblemType) []contracts.ProblemType {
	return slices.Concat(lists...)
}

// one is a list of the problems that an operation has of its own.
func one(types ...contracts.ProblemType) []contracts.ProblemType { return types }

// Operations returns the table.
func Operations() []Operation {
	var (
		asks     = one(contracts.ProblemMalformed)
		answers  = one(contracts.ProblemMalformed, contracts.ProblemNotAcceptable)
		sends    = one(contracts.ProblemTooLarge, contracts.ProblemUnsupportedMediaType, contracts.ProblemInvalidDocument, contracts.ProblemUnsupportedVersion)
		finds    = one(contracts.ProblemNotFound)
		reads    = one(contracts.ProblemHistoryDamaged, contracts.ProblemJournalUnavailable, contracts.ProblemOverloaded)
		ofRun    = problems(answers, finds, reads, one(contracts.ProblemHistoryPruned))
		changes  = problems(ofRun, sends, one(contracts.ProblemRunFinished, contracts.ProblemIllegalTransition))
		reports  = problems(changes, one(contracts.ProblemLeaseLost))
		leases   = problems(ofRun, one(contracts.ProblemRunFinished, contracts.ProblemLeaseLost))
		stores   = one(contracts.ProblemJournalUnavailable, contracts.ProblemOverloaded)
		examples = newExamples()
	)
	return []Operation{
		{
			Method: http.MethodGet, Path: "/runs", ID: "listRuns", Tag: tagRuns,
			Summary:     "List runs, the newest first",
			Description: "With If-None-Match and wait the answer waits until the list is another.",
			Parameters:  append(listParameters(50), listPages()...),
			Answers: []Answer{
				{Status: http.StatusOK, Description: "A page of runs.", Headers: []string{"ETag"}, Contents: whole("RunList", examples.list())},
				{Status: http.StatusNotModified, Description: "The list is the one that the client has.", Headers: []string{"ETag"}},
			},
			Problems: problems(answers, reads),
		},
		{
			Method: http.MethodPost, Path: "/runs", ID: "createRun", Tag: tagRuns,
			Summary: "Create a run",
			Description: "The run is on disk when this is answered, and its engine begins. The same Idempotency-Key with the same task " +
				"answers the run that it made before.",
			Parameters: []Parameter{idempotencyKey(), traceparent()},
			Body: &Body{
				Description: "What the run is asked.",
				Contents:    sent(anyVersion("TaskSpec"), contractstest.TaskSpec()),
			},
			Answers: []Answer{
				{Status: http.StatusCreated, Description: "A new run.", Headers: []string{"Location"}, Contents: whole("Created", examples.created())},
				{
					Status: http.StatusOK, Description: "The run that the Idempotency-Key made before.", Headers: []string{"Location", "Idempotency-Replayed"},
					Contents: whole("Created", examples.created()),
				},
			},
			Problems: problems(answers, sends, stores, one(contracts.ProblemIdempotencyConflict, contracts.ProblemToolUnknown,
				contracts.ProblemOverCeiling, contracts.ProblemUnavailable)),
		},
		{
			Method: http.MethodGet, Path: "/runs/{id}", ID: "getRun", Tag: tagRuns,
			Summary:    "Read a run, folded up to its last event",
			Parameters: []Parameter{runID()},
			Answers:    []Answer{{Status: http.StatusOK, Description: "The run.", Contents: whole("Snapshot", examples.snapshot())}},
			Problems:   ofRun,
		},
		{
			Method: http.MethodGet, Path: "/runs/{id}/task", ID: "getTask", Tag: tagRuns,
			Summary:     "Read what a run was asked",
			Description: "The document as it was sent, in its version. Where an input is sensitive its content is left out, unless the request names the run's lease.",
			Parameters:  []Parameter{runID(), lease()},
			Answers: []Answer{{
				Status: http.StatusOK, Description: "The task.",
				Contents: []Content{{Media: mediaJSON, Schema: anyVersionOf("TaskShown", "TaskSpec"), Example: contractstest.TaskSpec()}},
			}},
			Problems: leases,
		},
		{
			Method: http.MethodGet, Path: "/runs/{id}/stream", ID: "streamRun", Tag: tagRuns,
			Summary: "Follow a run as it goes on",
			Description: "Server-sent events from behind a cursor to the end of the run; asyncapi.json says what they hold. Where the server " +
				"is overloaded, a client that accepts text/event-stream by name gets 200 with a `retry:` line and nothing else, because " +
				"EventSource takes 503 for the end; others get 503.",
			Parameters: []Parameter{
				runID(), after("The seq of the last event that the client has used. One that is ahead of the run, or no number, "+
					"gets the frame reset and then everything.", object{{"type", "string"}}, "7"),
				{
					Name: "Last-Event-ID", In: "header", Description: "The same, as a reconnecting EventSource sends it. It goes before ?after=.",
					Schema: object{{"type", "string"}}, Example: "7",
				},
			},
			Answers: []Answer{
				{Status: http.StatusOK, Description: "The events.", Contents: []Content{{Media: mediaSSE, Schema: object{{"type", "string"}}, Frames: runFrames()}}},
				{Status: http.StatusNoContent, Description: "The run has ended and the cursor is its last event: EventSource stops."},
			},
			Problems: ofRun,
		},
		{
			Method: http.MethodGet, Path: "/stream", ID: "streamMany", Tag: tagRuns,
			Summary: "Follow the list of runs, or several runs at once",
			Description: "Without run: the newest runs, then a row for each run that changes; whoever comes back gets the list anew. With run: the " +
				"events of each of these runs, in the order of its seqs; a frame's id lists the cursors of all runs in the order of the parameters. " +
				"asyncapi.json says what the frames hold.",
			Parameters: append(listParameters(200), []Parameter{
				{
					Name: "run", In: "query", Description: "A run to follow, up to 16 of them; then state, label, q, since, until and limit are not taken.",
					Schema:  object{{"type", "array"}, {"items", runID().Schema}, {"maxItems", 16}, {"uniqueItems", true}},
					Example: []contracts.RunID{contractstest.RunID(1), contractstest.RunID(2)},
				},
				after("With run: the id of the last frame that the client has used.", object{{"type", "string"}}, "12,9"),
				{
					Name: "Last-Event-ID", In: "header", Description: "The same, as a reconnecting EventSource sends it. It goes before ?after=.",
					Schema: object{{"type", "string"}}, Example: "12,9",
				},
			}...),
			Answers: []Answer{
				{Status: http.StatusOK, Description: "The frames.", Contents: []Content{{Media: mediaSSE, Schema: object{{"type", "string"}}, Frames: manyFrames(examples)}}},
				{Status: http.StatusNoContent, Description: "Every run has ended and the cursors are their last events: EventSource stops."},
			},
			Problems: ofRun,
		},
		{
			Method: http.MethodGet, Path: "/runs/{id}/events", ID: "listEvents", Tag: tagRuns,
			Summary: "Read events in pages, or wait for one",
			Description: "A page may have fewer events than asked for though there are more: whoever wants all reads on until an event has " +
				"last_seq. A cursor ahead of the run gets an empty page.",
			Parameters: []Parameter{
				runID(), after("The seq of the last event that the client has used.", integer(0, maxSeq), 7),
				{Name: "limit", In: "query", Description: "How many events at most.", Schema: preset(integer(1, contracts.MaxBatchEvents), 256), Example: 100},
				{
					Name: "wait", In: "query", Description: "How long to wait for an event where there is none, in milliseconds.",
					Schema: preset(integer(0, 30_000), 0), Example: 30_000,
				},
			},
			Answers: []Answer{{
				Status: http.StatusOK, Description: "A page of events, as the journal holds them.",
				Contents: []Content{
					{Media: mediaJSON, Schema: ref("EventPage"), Example: examples.page()},
					{Media: mediaNDJSON, Schema: object{{"type", "string"}}, Lines: ref("RunEvent"), Example: examples.lines()},
				},
			}},
			Problems: ofRun,
		},
		{
			Method: http.MethodPost, Path: "/runs/{id}/events", ID: "appendEvents", Tag: tagEngines,
			Summary: "Report what an engine does",
			Description: "All lines are stored, or none. The answer holds the events as stored, with what the server added behind them: gates, " +
				"approvals, limits, cancellation.\n\nWhere the client accepts application/x-ndjson alone, the request stays open: each line of its " +
				"body is a batch, one event or an array of them, and is acknowledged by a line of the answer as it goes. A blank line renews " +
				"the lease. A line that is refused is answered with its problem, which ends the answer.",
			Parameters: []Parameter{
				runID(), lease(), after("The last seq that the engine was told of. With it the same request again gets the same answer, and another "+
					"one at the same place is refused; without it the lines are appended again.", integer(0, maxSeq), 3),
			},
			Body: &Body{
				Description: "1 to 1000 lines, at most 4 MiB, as NDJSON or as a JSON array; any number of lines of that size where the request stays open.",
				Contents: []Content{
					{
						Media: mediaNDJSON, Schema: object{{"type", "string"}}, Example: engineLines(),
						Lines: object{{"anyOf", []any{ref("EngineEvent"), object{{"type", "array"}, {"items", ref("EngineEvent")}, {"minItems", 1}}}}},
					},
					{
						Media: mediaJSON, Example: []any{engineToken()},
						Schema: object{{"type", "array"}, {"items", ref("EngineEvent")}, {"minItems", 1}, {"maxItems", contracts.MaxBatchEvents}},
					},
				},
			},
			Answers: []Answer{{
				Status: http.StatusOK, Description: "What was stored.",
				Contents: append(whole("Appended", examples.appended()), Content{
					Media: mediaNDJSON, Schema: object{{"type", "string"}}, Example: "{\"seq\":3}\n{\"seq\":7}\n",
					Lines: object{{"anyOf", []any{ref("Acked"), ref("Problem")}}},
				}),
			}},
			Problems: problems(reports, one(contracts.ProblemSequenceConflict, contracts.ProblemToolUnknown, contracts.ProblemToolVersionConflict)),
		},
		{
			Method: http.MethodPost, Path: "/runs/{id}/answer", ID: "answerRun", Tag: tagEngines,
			Summary:     "End a pass with an answer",
			Description: "The server judges the text, and ends the run unless a revision is due.",
			Parameters:  []Parameter{runID(), lease()},
			Body: &Body{
				Description: "The answer.",
				Contents:    sent(ref("Answer"), contracts.Answer{MessageID: "m1", Channel: contracts.ChannelAnswer, Text: "Saturn has the most moons: 274."}),
			},
			Answers:  []Answer{{Status: http.StatusOK, Description: "The verdict, the end of the run, or both.", Contents: whole("Judged", examples.judged())}},
			Problems: reports,
		},
		{
			Method: http.MethodPost, Path: "/claims", ID: "claimRun", Tag: tagEngines,
			Summary: "Claim a run to carry out",
			Description: "The oldest run that waits for an engine of the backend, with the lease under which alone it takes reports from then on. " +
				"Of several who ask, each gets another run.",
			Body: &Body{
				Description: "Which runs, and how long to wait for one.",
				Contents:    sent(ref("ClaimRequest"), contracts.ClaimRequest{Backend: contracts.ExternalEngine, Worker: "worker-1", WaitMS: 30_000}),
			},
			Answers: []Answer{
				{Status: http.StatusOK, Description: "The run.", Contents: whole("Claimed", examples.claimed())},
				{Status: http.StatusNoContent, Description: "No run came."},
			},
			Problems: problems(answers, sends, reads, one(contracts.ProblemUnavailable)),
		},
		{
			Method: http.MethodPut, Path: "/runs/{id}/lease", ID: "renewLease", Tag: tagEngines,
			Summary:     "Renew a lease",
			Description: "It lasts for its whole time again. Reporting does the same.",
			Parameters:  []Parameter{runID(), lease()},
			Answers:     []Answer{{Status: http.StatusOK, Description: "The lease.", Contents: whole("LeaseInfo", examples.lease())}},
			Problems:    leases,
		},
		{
			Method: http.MethodDelete, Path: "/runs/{id}/lease", ID: "dropLease", Tag: tagEngines,
			Summary:     "Give a run back",
			Description: "Another engine can claim it from then on; a run that drains ends.",
			Parameters:  []Parameter{runID(), lease()},
			Answers:     []Answer{{Status: http.StatusNoContent, Description: "Given back."}},
			Problems:    leases,
		},
		{
			Method: http.MethodPost, Path: "/runs/{id}/fork", ID: "forkRun", Tag: tagRuns,
			Summary:     "Create a run that starts where another stood",
			Description: "It has the parent's task, or the one in the body, and a budget of its own. Nothing is copied: the engine may read the parent up to seq.",
			Parameters:  []Parameter{runID(), idempotencyKey(), traceparent()},
			Body: &Body{
				Description: "Where, and what instead.",
				Contents:    sent(ref("ForkRequest"), contracts.ForkRequest{Seq: 3}),
			},
			Answers: []Answer{
				{Status: http.StatusCreated, Description: "The run was created.", Headers: []string{"Location"}, Contents: whole("Created", examples.created())},
				{
					Status: http.StatusOK, Description: "The same request made this run before.",
					Headers: []string{"Location", "Idempotency-Replayed"}, Contents: whole("Created", examples.created()),
				},
			},
			Problems: problems(ofRun, sends, one(
				contracts.ProblemIdempotencyConflict, contracts.ProblemToolUnknown, contracts.ProblemOverCeiling, contracts.ProblemUnavailable,
			)),
		},
		{
			Method: http.MethodPost, Path: "/runs/{id}/cancel", ID: "cancelRun", Tag: tagRuns,
			Summary:     "Cancel a run",
			Description: "The run ends when its engine has; its stream tells. Asking again changes nothing.",
			Parameters:  []Parameter{runID()},
			Body: &Body{
				Description: "Why.", Optional: true,
				Contents: sent(ref("CancelRequest"), contracts.CancelRequest{Reason: "asked the wrong question"}),
			},
			Answers:  []Answer{{Status: http.StatusAccepted, Description: "The run is being cancelled."}},
			Problems: changes,
		},
		{
			Method: http.MethodPost, Path: "/runs/{id}/approvals/{approval}", ID: "decideApproval", Tag: tagRuns,
			Summary:    "Decide about a call that waits for a human",
			Parameters: []Parameter{runID(), approvalID()},
			Body: &Body{
				Description: "The decision.",
				Contents:    sent(ref("ApprovalDecision"), contracts.ApprovalDecision{Decision: contracts.VerbApprove, By: "Ada"}),
			},
			Answers:  []Answer{{Status: http.StatusNoContent, Description: "Decided; the stream tells what follows."}},
			Problems: problems(changes, one(contracts.ProblemApprovalDecided, contracts.ProblemApprovalExpired, contracts.ProblemToolVersionConflict)),
		},
		{
			Method: http.MethodGet, Path: "/tools", ID: "listTools", Tag: tagTools,
			Summary:  "List every version of every tool",
			Answers:  []Answer{{Status: http.StatusOK, Description: "The catalogue.", Contents: whole("ToolList", examples.tools())}},
			Problems: answers,
		},
		{
			Method: http.MethodGet, Path: "/tools/{name}", ID: "getTool", Tag: tagTools,
			Summary:    "Read a tool",
			Parameters: []Parameter{toolName(), toolVersion("The version; without it the highest.")},
			Answers:    []Answer{{Status: http.StatusOK, Description: "The tool.", Contents: whole("ToolEntry", examples.tool())}},
			Problems:   problems(answers, finds),
		},
		{
			Method: http.MethodPut, Path: "/tools/{name}", ID: "putTool", Tag: tagTools,
			Summary:     "Publish a version of a tool",
			Description: "Content never changes under one version. A tool that is set over HTTP starts as untrusted.",
			Parameters:  []Parameter{toolName(), toolVersion("The version, which is then that of the document.")},
			Body:        &Body{Description: "The definition.", Contents: sent(anyVersion("ToolSpec"), contractstest.EngineTool("publish"))},
			Answers: []Answer{
				{Status: http.StatusCreated, Description: "A new version.", Headers: []string{"Location"}, Contents: whole("ToolEntry", examples.tool())},
				{Status: http.StatusOK, Description: "The version was there with the same content.", Contents: whole("ToolEntry", examples.tool())},
			},
			Problems: problems(answers, sends, stores, one(contracts.ProblemToolVersionConflict)),
		},
		{
			Method: http.MethodDelete, Path: "/tools/{name}", ID: "deleteTool", Tag: tagTools,
			Summary:    "Remove a tool",
			Parameters: []Parameter{toolName(), toolVersion("The version; without it every one.")},
			Answers:    []Answer{{Status: http.StatusNoContent, Description: "It is gone. Runs that began before keep what they pinned."}},
			Problems:   problems(answers, finds, stores),
		},
		{
			Method: http.MethodGet, Path: "/engines", ID: "listEngines", Tag: tagEngines,
			Summary:  "List what runs can be given to",
			Answers:  []Answer{{Status: http.StatusOK, Description: "The engines.", Contents: whole("EngineList", examples.engines())}},
			Problems: answers,
		},
		{
			Method: http.MethodPost, Path: "/validate/{contract}", ID: "validateDocument", Tag: tagContracts,
			Summary:     "Hold a document against a contract",
			Description: "Says what the console says of the same bytes. What only this server knows, its catalogue and its ceiling, createRun looks at.",
			Parameters:  []Parameter{contract()},
			Body:        &Body{Description: "The document.", Contents: sent(object{{"anyOf", everyContract()}}, contractstest.TaskSpec())},
			Answers:     []Answer{{Status: http.StatusNoContent, Description: "The document is valid."}},
			Problems:    problems(asks, finds, sends),
		},
		{
			Method: http.MethodGet, Path: "/schemas/{version}/{contract}.json", ID: "getSchema", Tag: tagContracts, Open: true,
			Summary: "Read the JSON Schema of a contract",
			Parameters: []Parameter{
				{
					Name: "version", In: "path", Description: "v and the version.",
					Schema: object{{"type", "string"}, {"pattern", "^v[1-9][0-9]*$"}}, Example: "v2",
				},
				contract(), unlessChanged(),
			},
			Answers:  file(contracts.SchemaMediaType, "The schema."),
			Problems: finds,
		},
		{
			Method: http.MethodGet, Path: "/openapi.json", ID: "getOpenAPI", Tag: tagContracts, Open: true,
			Summary: "Read this document", Parameters: []Parameter{unlessChanged()}, Answers: file(mediaJSON, "OpenAPI 3.1."),
		},
		{
			Method: http.MethodGet, Path: "/asyncapi.json", ID: "getAsyncAPI", Tag: tagContracts, Open: true,
			Summary: "Read what the streams carry", Parameters: []Parameter{unlessChanged()}, Answers: file(mediaJSON, "AsyncAPI 3.0."),
		},
		{
			Method: http.MethodGet, Path: "/problems/{type}", ID: "getProblem", Tag: tagContracts, Open: true,
			Summary: "Read about a type of problem", Parameters: []Parameter{problemType()},
			Answers: []Answer{{
				Status: http.StatusOK, Description: "What it means and what to do.",
				Contents: []Content{{Media: "text/markdown", Schema: object{{"type", "string"}}}},
			}},
			Problems: finds,
		},
		{
			Method: http.MethodGet, Path: "/metrics", ID: "getMetrics", Tag: tagServer,
			Summary: "Read the server's metrics",
			Answers: []Answer{{
				Status: http.StatusOK, Description: "In the formats of Prometheus.",
				Contents: []Content{
					{Media: "text/plain", Schema: object{{"type", "string"}}},
					{Media: "application/openmetrics-text", Schema: object{{"type", "string"}}},
				},
			}},
		},
		{
			Method: http.MethodGet, Path: "/healthz", ID: "getHealth", Tag: tagServer, Open: true,
			Summary:  "Ask whether the server answers",
			Answers:  []Answer{{Status: http.StatusOK, Description: "It does.", Contents: whole("Health", object{{"status", "ok"}, {"version", "1.2.3"}})}},
			Problems: asks,
		},
		{
			Method: http.MethodGet, Path: "/readyz", ID: "getReadiness", Tag: tagServer, Open: true,
			Summary:  "Ask whether the server takes runs",
			Answers:  []Answer{{Status: http.StatusOK, Description: "It does.", Contents: whole("Health", object{{"status", "ready"}, {"version", "1.2.3"}})}},
			Problems: problems(asks, reads),
		},
		{
			Method: http.MethodGet, Path: "/login", ID: "logIn", Tag: tagServer, Open: true,
			Summary: "Trade the token for a cookie",
			Parameters: []Parameter{{
				Name: "token", In: "query", Description: "The server's token.", Schema: object{{"type", "string"}}, Example: "TOKEN",
			}},
			Answers: []Answer{{
				Status: http.StatusSeeOther, Description: "To the console, with a cookie.", Headers: []string{"Location", "Set-Cookie"},
				Contents: []Content{{Media: "text/html", Schema: object{{"type", "string"}}}},
			}},
			Problems: problems(asks, one(contracts.ProblemUnauthorized)),
		},
	}
}

// The groups of operations.
const (
	tagRuns      = "runs"
	tagEngines   = "engines"
	tagTools     = "tools"
	tagContracts = "contracts"
	tagServer    = "server"
)

// tags describes the groups.
func tags() []object {
	return []object{
		{{"name", tagRuns}, {"description", "Create, read, follow, cancel runs, and decide about their calls."}},
		{{"name", tagEngines}, {"description", "What programs need that carry runs out."}},
		{{"name", tagTools}, {"description", "The catalogue of tools."}},
		{{"name", tagContracts}, {"description", "Schemas, validation, and these documents."}},
		{{"name", tagServer}, {"description", "Health, metrics, login."}},
	}
}

// maxSeq is the highest number that every JSON reader holds exactly, 2^53 − 1.
const maxSeq = 1<<53 - 1

// integer is the schema of a whole number.
func integer(lo, hi int64) object {
	return object{{"type", "integer"}, {"minimum", lo}, {"maximum", hi}}
}

// preset adds a default to a schema.
func preset(schema object, value any) object { return schema.with("default", value) }

// whole is the content of an answer that is a struct of package contracts.
func whole(name string, example any) []Content {
	return []Content{{Media: mediaJSON, Schema: ref(name), Example: example}}
}

// sent is the content of a request.
func sent(schema, example any) []Content {
	return []Content{{Media: mediaJSON, Schema: schema, Example: example}}
}

// anyVersion is the schema of a document of a contract in one of the versions that are read.
func anyVersion(name string) object { return anyVersionOf(name, name) }

// anyVersionOf is anyVersion where another schema says what the current version is.
func anyVersionOf(current, name string) object {
	return object{{"anyOf", []object{ref(current), ref(name + "V1")}}}
}

// everyContract are the schemas of the documents that can be validated.
func everyContract() []object {
	var list []object
	for _, name := range inputContracts() {
		list = append(list, ref(name), ref(name+"V1"))
	}
	return append(list, ref("RunEvent"))
}

// inputContracts are the contracts that people write, which version 1 has too.
func inputContracts() []string { return []string{"TaskSpec", "Budget", "VerifyContract", "ToolSpec"} }

// file are the answers of a route whose content changes with the server's version only.
func file(media, description string) []Answer {
	kept := []string{"ETag", "Cache-Control"}
	return []Answer{
		{
			Status: http.StatusOK, Description: description, Headers: kept,
			Contents: []Content{{Media: media, Schema: object{{"type", "object"}}}},
		},
		{Status: http.StatusNotModified, Description: "The client has it already.", Headers: kept},
	}
}

func runID() Parameter {
	return Parameter{
		Name: "id", In: "path", Description: "The run.",
		Schema: object{{"type", "string"}, {"pattern", "^run_[0-7][0-9a-hjkmnp-tv-z]{25}$"}}, Example: contractstest.RunID(1),
	}
}

func idempotencyKey() Parameter {
	return Parameter{
		Name: "Idempotency-Key", In: "header", Description: "Names the request, as long as the run is kept.",
		Schema: object{{"type", "string"}, {"pattern", `^[ -~]{1,255}$`}}, Example: "order-7-report",
	}
}

func traceparent() Parameter {
	return Parameter{
		Name: "Traceparent", In: "header", Description: "W3C Trace Context; it stands in the first event. One that is not well formed is ignored.",
		Schema: object{{"type", "string"}}, Example: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	}
}

// lease is what an engine proves its claim by.
func lease() Parameter {
	return Parameter{
		Name: "Axiom25-Lease", In: "header", Description: "The token of the run's lease, as the claim gave it. A run that nobody has claimed needs none.",
		Schema: object{{"type", "string"}, {"minLength", 1}, {"maxLength", 128}}, Example: exampleToken,
	}
}

// exampleToken is a token as claims give them.
const exampleToken = "1.Q5CHLG4XZ5KXQ3JZ2N6VUB4ZLE" //nolint:gosec // the token of no lease

func approvalID() Parameter {
	return Parameter{
		Name: "approval", In: "path", Description: "The approval, as the tool_start event names it.",
		Schema: object{{"type", "string"}, {"pattern", "^apr_[0-7][0-9a-hjkmnp-tv-z]{25}$"}}, Example: contractstest.ApprovalID(1),
	}
}

func toolName() Parameter {
	return Parameter{
		Name: "name", In: "path", Description: "The tool's name.",
		Schema: object{{"type", "string"}, {"pattern", "^[a-zA-Z0-9_-]{1,64}$"}}, Example: "publish",
	}
}

func toolVersion(description string) Parameter {
	return Parameter{
		Name: "version", In: "query", Description: description,
		Schema: object{{"type", "string"}, {"minLength", 1}, {"maxLength", 128}}, Example: "1.0.0",
	}
}

func contract() Parameter {
	return Parameter{
		Name: "contract", In: "path", Description: "The contract.",
		Schema: object{{"type", "string"}, {"enum", contracts.Kinds()}}, Example: contracts.KindTaskSpec,
	}
}

func problemType() Parameter {
	var names []contracts.ProblemType
	for _, info := range contracts.ProblemTypes() {
		names = append(names, info.Type)
	}
	return Parameter{
		Name: "type", In: "path", Description: "The last part of a problem's type.",
		Schema: object{{"type", "string"}, {"enum", names}}, Example: contracts.ProblemNotFound,
	}
}

func after(description string, schema object, example any) Parameter {
	return Parameter{Name: "after", In: "query", Description: description, Schema: schema, Example: example}
}

func unlessChanged() Parameter {
	return Parameter{
		Name: "If-None-Match", In: "header", Description: "The ETag of what the client has.",
		Schema: object{{"type", "string"}}, Example: `"k2Jx0y"`,
	}
}

// listParameters say which runs a list has, and how many where the request does not say.
func listParameters(limit int) []Parameter {
	states := []contracts.State{
		contracts.StateQueued, contracts.StateRunning, contracts.StateWaiting, contracts.StateDraining, contracts.StateSucceeded,
		contracts.StateRefused, contracts.StateFailed, contracts.StateCancelled, contracts.StateExhausted,
	}
	instant := object{{"type", "string"}, {"format", "date-time"}}
	return []Parameter{
		{
			Name: "state", In: "query", Description: "Runs in one of these states.",
			Schema: object{{"type", "array"}, {"items", object{{"type", "string"}, {"enum", states}}}}, Example: []string{"running", "waiting"},
		},
		{
			Name: "label", In: "query", Description: "Runs with all of these labels, each as name:value.",
			Schema: object{{"type", "array"}, {"items", object{{"type", "string"}, {"pattern", "^[^:]+:"}}}}, Example: []string{"team:astronomy"},
		},
		{Name: "q", In: "query", Description: "Runs whose goal has this text.", Schema: object{{"type", "string"}}, Example: "moons"},
		{Name: "since", In: "query", Description: "Runs that were created then or later.", Schema: instant, Example: contractstest.Start},
		{Name: "until", In: "query", Description: "Runs that were created before.", Schema: instant, Example: contractstest.Start},
		{Name: "limit", In: "query", Description: "How many runs at most.", Schema: preset(integer(1, 500), limit), Example: 100},
	}
}

// listPages say which part of a list of runs a page has, and when it is answered.
func listPages() []Parameter {
	return []Parameter{
		{
			Name: "before", In: "query", Description: "Runs behind this one in the list: the next of the page before.",
			Schema: runID().Schema, Example: contractstest.RunID(1),
		},
		{
			Name: "wait", In: "query", Description: "How long to wait for another list than that of If-None-Match, in milliseconds.",
			Schema: preset(integer(0, 30_000), 0), Example: 30_000,
		},
		unlessChanged(),
	}
}

// engineToken and engineLines are what an engine reports.
func engineToken() contracts.EngineEvent {
	return contracts.EngineEvent{
		SchemaVersion: contracts.Version, Type: contracts.EventToken,
		Data: &contracts.TokenData{ID: "m1", Delta: "Saturn has the most moons", Attempt: 1, Channel: contracts.ChannelAnswer},
	}
}

func engineLines() string {
	usage := contracts.EngineEvent{
		SchemaVersion: contracts.Version, Type: contracts.EventBudget,
		Data: &contracts.EngineBudget{Used: contracts.EngineUsage{TokensIn: 420, TokensOut: 12}},
	}
	var b strings.Builder
	for _, line := range []contracts.EngineEvent{engineToken(), usage} {
		b.Write(contractstest.Document(line))
		b.WriteByte('\n')
	}
	return b.String()
}
