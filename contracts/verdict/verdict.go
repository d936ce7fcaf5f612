// Package verdict judges answers: the deterministic assertions and scorers of a VerifyContract, and the
// decision that follows. It is pure, and sees only what the journal shows, so that the browser's verdict and the
// server's are the same.
//
// # What a check looks at
//
// The target `output` is the answer's text, `tool:NAME` the output of the last ended call of that tool (any
// version of it, or exactly NAME where that is name@version), and `usage` the meter when the answer came. A
// #/json/pointer behind it reads the target as JSON and picks a value (RFC 6901, section 6); `output#` is the
// whole answer read as JSON.
//
//   - equals compares JSON values by their RFC 8785 form. The plain output against a JSON string is compared as
//     text, without reading it as JSON.
//   - contains and matches look at a text: the plain output, the content of a JSON string, or the RFC 8785 form
//     of any other value.
//   - length counts the characters (code points) of the plain output and of a JSON string, the elements of an
//     array, the members of an object.
//   - json_schema reads the target as JSON.
//   - tool_called counts the successful calls of the target's tool, at least one where the value says nothing
//     else; tool_sequence finds its tools in this order among the successful calls, others in between allowed.
//   - usage_max bounds a field of the meter, inclusively.
//
// What cannot be looked at is an error and never a failure: no such value or call, a text that is not JSON, an
// output that was cut or hidden, a check whose value is of the wrong shape, and work beyond the bounds below.
//
// # Bounds
//
// Judge takes a bounded time whatever the answer: RE2 expressions run in time linear in the text, and what all
// of a contract's expressions may cost together is limited; similarity is limited to 8192 characters on both
// sides.
package verdict

import "axiom25/contracts"

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
//
// An answer in which the model declined is judged as any other where the contract accepts that; otherwise its
// checks are skipped. An outcome of error is final, and what the run ends as is Status's to say.
func Judge(c *contracts.VerifyContract, e Evidence, s Standing) contracts.VerdictData {
	v := contracts.VerdictData{Pass: s.Pass}
	if e.Channel == contracts.ChannelRefusal && c.OnModelRefusal != contracts.ModelRefusalAccept {
		v.Results = skipped(c)
		v.Outcome = contracts.OutcomeFail
		if c.OnModelRefusal == contracts.ModelRefusalRefuse {
			v.Outcome = contracts.OutcomeRefuse
		}
		v.Final = true
		return v
	}
	j := judge{contract: c, evidence: e, steps: maxExpressionSteps}
	v.Results = j.results()
	v.Outcome, v.Score = decide(c, v.Results, s)
	v.Final = v.Outcome != contracts.OutcomeRevise
	return v
}

// Status is how a run that did not drain ends after a final verdict: an error ends it as the contract's on_error
// says. It is empty for a verdict that asks for a revision.
func Status(c *contracts.VerifyContract, v contracts.VerdictData) contracts.State {
	switch v.Outcome {
	case contracts.OutcomePass:
		return contracts.StateSucceeded
	case contracts.OutcomeRefuse:
		return contracts.StateRefused
	case contracts.OutcomeFail:
		return contracts.StateFailed
	case contracts.OutcomeError:
		if c.OnError == contracts.CheckErrorRefuse {
			return contracts.StateRefused
		}
		return contracts.StateFailed
	case contracts.OutcomeRevise:
	}
	return ""
}

// skipped gives every check of a contract the same result.
func skipped(c *contracts.VerifyContract) []contracts.CheckResult {
	results := make([]contracts.CheckResult, 0, len(c.Assertions)+len(c.Scorers))
	for i := range c.Assertions {
		results = append(results, contracts.CheckResult{ID: c.Assertions[i].ID, Status: contracts.CheckSkipped})
	}
	for i := range c.Scorers {
		results = append(results, contracts.CheckResult{ID: c.Scorers[i].ID, Status: contracts.CheckSkipped})
	}
	return results
}

// decide applies the contract's thresholds to the results, which stand in its order.
func decide(c *contracts.VerifyContract, results []contracts.CheckResult, s Standing) (contracts.Outcome, *float64) {
	for i := range results {
		if results[i].Status == contracts.CheckError {
			return contracts.OutcomeError, nil
		}
	}
	score := total(c, results)
	switch {
	case score < c.RefuseBelow:
		return contracts.OutcomeRefuse, &score
	case score >= c.PassAt && mustsPass(c, results) && floorsHold(c, results):
		return contracts.OutcomePass, &score
	case s.Pass < s.ReflectionPasses && !s.Draining:
		return contracts.OutcomeRevise, &score
	}
	return contracts.OutcomeFail, &score
}

// total is the weighted mean of the should-assertions and the scorers, or the share of musts that passed where
// nothing is weighted.
func total(c *contracts.VerifyContract, results []contracts.CheckResult) float64 {
	var sum, weights, musts float64
	for i := range c.Assertions {
		a := &c.Assertions[i]
		if a.Severity != contracts.SeverityShould {
			musts += *results[i].Score
			continue
		}
		weight := float64(1)
		if a.Weight != nil {
			weight = float64(*a.Weight)
		}
		sum += float64(weight * *results[i].Score) // the conversion forbids a fused multiply-add: every machine sums alike
		weights += weight
	}
	for i := range c.Scorers {
		weight := float64(c.Scorers[i].Weight)
		sum += float64(weight * *results[len(c.Assertions)+i].Score)
		weights += weight
	}
	switch {
	case weights > 0:
		return sum / weights
	case len(c.Assertions) > 0:
		return musts / float64(len(c.Assertions))
	}
	return 0
}

func mustsPass(c *contracts.VerifyContract, results []contracts.CheckResult) bool {
	for i := range c.Assertions {
		if c.Assertions[i].Severity != contracts.SeverityShould && results[i].Status != contracts.CheckPass {
			return false
		}
	}
	return true
}

func floorsHold(c *contracts.VerifyContract, results []contracts.CheckResult) bool {
	for i := range c.Scorers {
		floor := c.Scorers[i].Floor
		if floor != nil && *results[len(c.Assertions)+i].Score < *floor {
			return false
		}
	}
	return true
}
