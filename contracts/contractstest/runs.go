package contractstest

import "axiom25/contracts"

// Run is a whole run, from queued to done.
type Run struct {
	// Name says what the run shows.
	Name   string
	Task   *contracts.TaskSpec
	Events []contracts.RunEvent
}

// Runs returns whole, valid runs: one for each way in which a run can end and each thing that can happen on the way.
func Runs() []Run {
	return []Run{
		SucceededRun(), RevisedRun(), ApprovedRun(), DeniedRun(), ParallelRun(), UnverifiedRun(),
		RefusedRun(), FailedRun(), CancelledRun(), ExhaustedRun(),
	}
}

const saturn = "SELECT name, moons FROM planets ORDER BY moons DESC LIMIT 1"

// query are the arguments of a sql_query call.
func query(sql string) string { return string(Document(map[string]string{"query": sql})) }

// SucceededRun thinks, calls a tool, answers and passes.
func SucceededRun() Run {
	task := TaskSpec()
	s := NewStream(task).Running()
	s.Spent.TokensIn = 420
	s.Thought("t1", contracts.ThoughtPlan, "One query over the planets ", "answers this.").
		Call("c1", "sql_query@1.0.0", query(saturn), `{"columns":["name","moons"],"rows":[["Saturn",274]]}`).
		Answer("m1", "Saturn has ", "the most moons: ", "274.").
		Verdict("m1", contracts.OutcomePass).
		Done(contracts.StateSucceeded, "m1")
	return Run{"succeeded", task, s.Events()}
}

// RevisedRun answers twice: the first answer fails its check.
func RevisedRun() Run {
	task := TaskSpec()
	s := NewStream(task).Running().
		Answer("m1", "Jupiter has ", "the most moons.").
		Verdict("m1", contracts.OutcomeRevise).
		Thought("t1", contracts.ThoughtReflection, "The answer must name another planet.").
		Answer("m2", "Saturn has ", "the most moons.").
		Verdict("m2", contracts.OutcomePass).
		Done(contracts.StateSucceeded, "m2")
	return Run{"revised", task, s.Events()}
}

// withTool allows publish, a tool that a human is asked about.
func withTool(t *contracts.TaskSpec) { t.AllowedTools = append(t.AllowedTools, "publish@1.0.0") }

// ApprovedRun waits for a human, who edits the arguments.
func ApprovedRun() Run {
	task := TaskSpec(withTool)
	s := NewStream(task, EngineTool("publish")).Running().
		ToolStart("c1", "publish@1.0.0", `{"to":"everyone"}`).
		Status(contracts.StateWaiting, contracts.ReasonApproval).Wait(4_000).
		Decide("c1", contracts.DecisionEdited, `{"to":"the team"}`).
		Status(contracts.StateRunning, contracts.ReasonResumed).
		ToolEnd("c1", contracts.CallOK, `{"sent":true}`).
		Answer("m1", "Published: Saturn.").
		Verdict("m1", contracts.OutcomePass).
		Done(contracts.StateSucceeded, "m1")
	return Run{"approved", task, s.Events()}
}

// DeniedRun calls a tool that the task does not allow, and one that a human denies.
func DeniedRun() Run {
	task := TaskSpec(withTool)
	s := NewStream(task, EngineTool("publish")).Running().
		ToolStart("c1", "shell", `{"command":"ls"}`).ToolEnd("c1", contracts.CallDenied, "").
		ToolStart("c2", "publish@1.0.0", `{"to":"everyone"}`).
		Status(contracts.StateWaiting, contracts.ReasonApproval).
		Decide("c2", contracts.DecisionDenied, "").
		ToolEnd("c2", contracts.CallDenied, "").
		Status(contracts.StateRunning, contracts.ReasonResumed).
		Answer("m1", "Saturn, though nothing was published.").
		Verdict("m1", contracts.OutcomePass).
		Done(contracts.StateSucceeded, "m1")
	return Run{"denied", task, s.Events()}
}

// ParallelRun works on two branches side by side; one call fails and is tried again.
func ParallelRun() Run {
	task := TaskSpec()
	s := NewStream(task).Running().
		On("a").ToolStart("c1", "sql_query@1.0.0", query("SELECT max(moons) FROM planets")).
		On("b").ToolStart("c2", "sql_query@1.0.0", query("SELEC name FROM planets")).
		On("a").ToolEnd("c1", contracts.CallOK, `{"columns":["max(moons)"],"rows":[[274]]}`).
		On("b").ToolEnd("c2", contracts.CallError, "").
		ToolStart("c2", "sql_query@1.0.0", query("SELECT name FROM planets WHERE moons = 274")).
		ToolEnd("c2", contracts.CallOK, `{"columns":["name"],"rows":[["Saturn"]]}`).
		On("").Answer("m1", "Saturn, ", "with 274.").
		Verdict("m1", contracts.OutcomePass).
		Done(contracts.StateSucceeded, "m1")
	return Run{"parallel", task, s.Events()}
}

// UnverifiedRun has no contract to be judged by.
func UnverifiedRun() Run {
	task := TaskSpec(func(t *contracts.TaskSpec) { t.Verification = nil })
	s := NewStream(task).Running().Answer("m1", "Saturn.").Done(contracts.StateSucceeded, "m1")
	return Run{"unverified", task, s.Events()}
}

// RefusedRun gives an answer that is withheld: it was never streamed.
func RefusedRun() Run {
	task := TaskSpec(func(t *contracts.TaskSpec) {
		t.Verification.RefuseBelow = 0.5
		t.Verification.Release = contracts.ReleaseVerified
	})
	s := NewStream(task).Running().
		Thought("t1", contracts.ThoughtReasoning, "Perhaps Jupiter.").
		Verdict("m1", contracts.OutcomeRefuse).
		Done(contracts.StateRefused, "m1")
	return Run{"refused", task, s.Events()}
}

// FailedRun loses its engine in the middle of a call.
func FailedRun() Run {
	task := TaskSpec()
	s := NewStream(task).Running().
		ToolStart("c1", "sql_query@1.0.0", query(saturn)).
		Fail(contracts.ProblemEngineLost, "the server that carried the run was restarted").
		ToolEnd("c1", contracts.CallCancelled, "").
		Done(contracts.StateFailed, "")
	return Run{"failed", task, s.Events()}
}

// CancelledRun is ended by a human while a call is open.
func CancelledRun() Run {
	task := TaskSpec()
	s := NewStream(task).Running().
		ToolStart("c1", "sql_query@1.0.0", query(saturn)).
		Status(contracts.StateDraining, contracts.ReasonCancel).
		ToolEnd("c1", contracts.CallCancelled, "").
		Done(contracts.StateCancelled, "")
	return Run{"cancelled", task, s.Events()}
}

// ExhaustedRun runs out of tokens, with a warning before.
func ExhaustedRun() Run {
	task := TaskSpec(func(t *contracts.TaskSpec) {
		t.Profile, t.Verification = contracts.ProfileTight, nil
		t.Budget = &contracts.Budget{MaxTokens: new(int64(1_000))}
	})
	s := NewStream(task).Running()
	s.Spent.TokensIn = 850
	s.Warn(contracts.DimensionTokens)
	s.Spent.TokensIn = 1_000
	s.Tick().
		Status(contracts.StateDraining, contracts.ReasonTokens).
		Done(contracts.StateExhausted, "")
	return Run{"exhausted", task, s.Events()}
}
