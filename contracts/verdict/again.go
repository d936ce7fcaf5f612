package verdict

import (
	"slices"
	"strconv"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// StandingOf is where a run stands for an answer that comes now.
func StandingOf(s *runstate.State) Standing {
	return Standing{
		Pass: s.Passes(), ReflectionPasses: s.Limits().ReflectionPasses, Draining: s.Phase() == contracts.StateDraining,
	}
}

// LooksAt reports whether a contract has a check on tool calls, and whether it has one on the meter.
func LooksAt(c *contracts.VerifyContract) (calls, usage bool) {
	for i := range c.Assertions {
		a := &c.Assertions[i]
		subject, _, _ := a.Target.Split()
		calls = calls || subject == targetTool || a.Type == contracts.AssertToolSequence
		usage = usage || subject == targetUsage
	}
	return calls, usage
}

// Unknown says why a check cannot be evaluated again, in words; it is empty for one that can.
type Unknown string

// What keeps a check from being evaluated again.
const (
	// UnknownText is that of a check on an answer that the stream does not show: one that was withheld.
	UnknownText Unknown = "the judged text is not in the stream"
	// UnknownJudge is that of a check that an engine judges.
	UnknownJudge Unknown = "an engine judged it"
)

// Rejudged is one check of a verdict, judged again.
type Rejudged struct {
	// ID is the check's.
	ID string
	// Unknown says why it was not judged again: the recorded result was believed.
	Unknown Unknown
	// Differs says that what was recorded is something else.
	Differs bool
}

// Difference is something that was recorded otherwise than it comes out again.
type Difference struct {
	// What names it: a check by its id, or a field of the verdict.
	What string
	// Recorded and Again are both sides, in words.
	Recorded, Again string
}

// Review is a verdict judged again, from the evidence that its run's events show.
type Review struct {
	// Checks are in the order of the contract.
	Checks []Rejudged
	// Differences are what does not come out as it was recorded; none where all does.
	Differences []Difference
}

// Same reports whether all that could be judged again came out as it was recorded.
func (r *Review) Same() bool { return len(r.Differences) == 0 }

// Unknown counts the checks whose recorded results were believed.
func (r *Review) Unknown() int {
	n := 0
	for i := range r.Checks {
		if r.Checks[i].Unknown != "" {
			n++
		}
	}
	return n
}

// Again judges an answer again, and holds the recorded verdict against what comes out. shown says that e.Output is the
// judged text; without it the checks that look at the answer are believed as recorded, as those are that an engine judges, and
// the decision is made anew from both kinds.
func Again(c *contracts.VerifyContract, e Evidence, s Standing, recorded *contracts.VerdictData, shown bool) Review {
	var r Review
	again := Judge(c, e, s)
	refusal := again.Score == nil && again.Outcome != contracts.OutcomeError // the model declined, and that decides
	for i := range again.Results {
		result := &again.Results[i]
		check := Rejudged{ID: result.ID}
		if !refusal {
			check.Unknown = unknown(c, i, shown)
		}
		was := slices.IndexFunc(recorded.Results, func(was contracts.CheckResult) bool { return was.ID == result.ID })
		switch {
		case was < 0:
			check.Differs = true
			r.differs(result.ID, "nothing", resultWords(result))
		case check.Unknown != "" && believable(&recorded.Results[was]):
			*result = recorded.Results[was]
		case check.Unknown != "":
			check.Differs = true
			r.differs(result.ID, resultWords(&recorded.Results[was]), "a score where there is a result")
		default:
			if a, b := resultWords(&recorded.Results[was]), resultWords(result); a != b {
				check.Differs = true
				r.differs(result.ID, a, b)
			}
		}
		r.Checks = append(r.Checks, check)
	}
	for i := range recorded.Results {
		if !slices.ContainsFunc(again.Results, func(a contracts.CheckResult) bool { return a.ID == recorded.Results[i].ID }) {
			r.differs(recorded.Results[i].ID, resultWords(&recorded.Results[i]), "no such check")
		}
	}
	if !refusal {
		again.Outcome, again.Score = decide(c, again.Results, s)
		again.Final = again.Outcome != contracts.OutcomeRevise
	}
	r.field("outcome", string(recorded.Outcome), string(again.Outcome))
	r.field("score", scoreWords(recorded.Score), scoreWords(again.Score))
	r.field("pass", strconv.FormatInt(recorded.Pass, 10), strconv.FormatInt(again.Pass, 10))
	r.field("final", strconv.FormatBool(recorded.Final), strconv.FormatBool(again.Final))
	return r
}

// unknown says why the check at a place of the contract cannot be evaluated again.
func unknown(c *contracts.VerifyContract, i int, shown bool) Unknown {
	if i < len(c.Assertions) {
		a := &c.Assertions[i]
		subject, _, _ := a.Target.Split()
		if !shown && subject == targetOutput && a.Type != contracts.AssertToolSequence {
			return UnknownText
		}
		return ""
	}
	switch c.Scorers[i-len(c.Assertions)].Type {
	case contracts.ScoreRubric, contracts.ScoreLabel:
		return UnknownJudge
	case contracts.ScoreExact, contracts.ScoreSimilarity:
	}
	if !shown {
		return UnknownText
	}
	return ""
}

// believable reports whether a decision can be made from a recorded result: it has a score, or it is an error.
func believable(r *contracts.CheckResult) bool {
	return r.Status == contracts.CheckError || r.Score != nil
}

func (r *Review) field(name, recorded, again string) {
	if recorded != again {
		r.differs(name, recorded, again)
	}
}

func (r *Review) differs(what, recorded, again string) {
	r.Differences = append(r.Differences, Difference{What: what, Recorded: recorded, Again: again})
}

// resultWords says all of a result, so that two results are the same where their words are.
func resultWords(r *contracts.CheckResult) string {
	words := string(r.Status)
	if r.Score != nil {
		words += " " + scoreWords(r.Score)
	}
	if r.Reason != "" {
		words += ", " + r.Reason
	}
	return words
}

func scoreWords(score *float64) string {
	if score == nil {
		return "none"
	}
	return strconv.FormatFloat(*score, 'g', -1, 64)
}
