package verdict

import (
	"encoding/json"
	"errors"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"axiom25/contracts"
)

// Why a check cannot be evaluated. The texts stand in verdicts and never quote what was judged.
var (
	errValue      = errors.New("the check's value does not fit its type")
	errTarget     = errors.New("the check's target does not fit its type")
	errType       = errors.New("the check is of an unknown type")
	errNotJSON    = errors.New("the target is not JSON")
	errNoPlace    = errors.New("the target has nothing at the pointer")
	errNoCall     = errors.New("no call of the tool has ended")
	errNoOutput   = errors.New("the tool's last call has no output")
	errCut        = errors.New("the tool's output was cut")
	errHidden     = errors.New("the tool's output was hidden")
	errNoLength   = errors.New("the target has no length")
	errNoNumber   = errors.New("the target is not a number")
	errCostly     = errors.New("the contract's expressions are too costly for texts of this length")
	errExpression = errors.New("the check's expression cannot be compiled")
	errJudge      = errors.New("the check needs an engine that judges")
	errTooLong    = errors.New("the texts are too long to be compared")
	errUnjudged   = errors.New("the target is too deep or takes too much work for the schema")
)

// maxExpressionSteps bounds what the expressions of one contract may cost together, in instructions times bytes
// of text: some seconds of one processor at worst.
const maxExpressionSteps = 1 << 27

// judge is one judgement in the making.
type judge struct {
	contract *contracts.VerifyContract
	evidence Evidence
	// steps is what remains of maxExpressionSteps.
	steps int64
	// parsed is the answer as JSON, once a check has asked for it.
	parsed    jsontext.Value
	parsedErr error
}

// results evaluates every check: assertions, then scorers.
func (j *judge) results() []contracts.CheckResult {
	results := make([]contracts.CheckResult, 0, len(j.contract.Assertions)+len(j.contract.Scorers))
	for i := range j.contract.Assertions {
		results = append(results, j.assertion(&j.contract.Assertions[i]))
	}
	for i := range j.contract.Scorers {
		results = append(results, j.scorer(&j.contract.Scorers[i]))
	}
	return results
}

// assertion evaluates one assertion. Negate swaps pass and fail.
func (j *judge) assertion(a *contracts.Assertion) contracts.CheckResult {
	result := contracts.CheckResult{ID: a.ID}
	holds, why, err := j.holds(a)
	if err != nil {
		result.Status, result.Reason = contracts.CheckError, err.Error()
		return result
	}
	score := float64(0)
	if holds != a.Negate {
		score, result.Status = 1, contracts.CheckPass
	} else {
		result.Status, result.Reason = contracts.CheckFail, why
		if a.Negate {
			result.Reason = "what the negated check looks for is there"
		}
	}
	result.Score = &score
	return result
}

// holds evaluates an assertion without its negation. why says what is wrong where it does not hold.
func (j *judge) holds(a *contracts.Assertion) (holds bool, why string, err error) {
	switch a.Type {
	case contracts.AssertEquals:
		holds, err = j.equals(a)
		return holds, "the target is not the expected value", err
	case contracts.AssertContains:
		holds, err = j.contains(a)
		return holds, "the target does not contain the expected text", err
	case contracts.AssertMatches:
		holds, err = j.matches(a)
		return holds, "the target does not match the expression", err
	case contracts.AssertJSONSchema:
		holds, err = j.conforms(a)
		return holds, "the target does not conform to the schema", err
	case contracts.AssertLength:
		holds, err = j.length(a)
		return holds, "the target's length is out of bounds", err
	case contracts.AssertToolCalled:
		holds, err = j.toolCalled(a)
		return holds, "the number of successful calls is out of bounds", err
	case contracts.AssertToolSequence:
		holds, err = j.toolSequence(a)
		return holds, "the tools were not called in this order", err
	case contracts.AssertUsageMax:
		holds, err = j.usageMax(a)
		return holds, "more was used than the limit", err
	}
	return false, "", errType
}

func (j *judge) equals(a *contracts.Assertion) (bool, error) {
	var text string
	if a.Target == targetOutput && json.Unmarshal(a.Value, &text) == nil && isString(a.Value) {
		return j.evidence.Output == text, nil
	}
	want, err := canonical(a.Value)
	if err != nil {
		return false, errValue
	}
	got, err := j.value(a.Target)
	return err == nil && string(got) == string(want), err
}

func (j *judge) contains(a *contracts.Assertion) (bool, error) {
	part, err := stringOf(a.Value)
	if err != nil {
		return false, err
	}
	text, err := j.text(a.Target)
	return err == nil && strings.Contains(text, part), err
}

func (j *judge) matches(a *contracts.Assertion) (bool, error) {
	expression, err := stringOf(a.Value)
	if err != nil {
		return false, err
	}
	text, err := j.text(a.Target)
	if err != nil {
		return false, err
	}
	re, err := contracts.CompileRegexp(expression)
	if err != nil {
		return false, errExpression
	}
	instructions, err := cost(expression)
	if err != nil {
		return false, err
	}
	if j.steps -= instructions * int64(len(text)+1); j.steps < 0 {
		return false, errCostly
	}
	return re.MatchString(text), nil
}

// cost is the number of instructions that an RE2 expression compiles to: a short one with counted repetitions
// can be long.
func cost(expression string) (int64, error) {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return 0, errExpression
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0, errExpression
	}
	return int64(len(program.Inst)), nil
}

// bounds is the value of length and tool_called.
type bounds struct {
	Min *int64 `json:"min"`
	Max *int64 `json:"max"`
}

// hold reports whether n lies within the bounds; an absent one does not bind.
func (b bounds) hold(n int64) bool {
	return (b.Min == nil || n >= *b.Min) && (b.Max == nil || n <= *b.Max)
}

func (j *judge) length(a *contracts.Assertion) (bool, error) {
	var b bounds
	if !isObject(a.Value) || json.Unmarshal(a.Value, &b) != nil {
		return false, errValue
	}
	if a.Target == targetOutput {
		return b.hold(int64(utf8.RuneCountInString(j.evidence.Output))), nil
	}
	value, err := j.value(a.Target)
	if err != nil {
		return false, err
	}
	n, err := lengthOf(value)
	return err == nil && b.hold(n), err
}

func (j *judge) toolCalled(a *contracts.Assertion) (bool, error) {
	one := int64(1)
	b := bounds{Min: &one}
	if len(a.Value) > 0 {
		b = bounds{}
		if !isObject(a.Value) || json.Unmarshal(a.Value, &b) != nil {
			return false, errValue
		}
	}
	subject, tool, _ := a.Target.Split()
	if subject != targetTool {
		return false, errTarget
	}
	var n int64
	for i := range j.evidence.Calls {
		if succeeded(&j.evidence.Calls[i], tool) {
			n++
		}
	}
	return b.hold(n), nil
}

func (j *judge) toolSequence(a *contracts.Assertion) (bool, error) {
	var tools []contracts.ToolRef
	if err := json.Unmarshal(a.Value, &tools); err != nil || len(tools) == 0 {
		return false, errValue
	}
	for i := range j.evidence.Calls {
		if len(tools) > 0 && succeeded(&j.evidence.Calls[i], tools[0]) {
			tools = tools[1:]
		}
	}
	return len(tools) == 0, nil
}

// succeeded reports whether a call of the tool that ref names went well.
func succeeded(c *CallEvidence, ref contracts.ToolRef) bool {
	return c.Status == contracts.CallOK && names(ref, c.Tool)
}

// names reports whether ref is the exact tool, or the bare name of any version of it.
func names(ref, exact contracts.ToolRef) bool {
	name, version := ref.Split()
	exactName, exactVersion := exact.Split()
	return name == exactName && (version == "" || version == exactVersion)
}

func (j *judge) usageMax(a *contracts.Assertion) (bool, error) {
	var value struct {
		Limit *float64 `json:"limit"`
	}
	if !isObject(a.Value) || json.Unmarshal(a.Value, &value) != nil || value.Limit == nil {
		return false, errValue
	}
	if subject, _, _ := a.Target.Split(); subject != targetUsage {
		return false, errTarget
	}
	field, err := j.value(a.Target)
	if err != nil {
		return false, err
	}
	var used float64
	if json.Unmarshal(field, &used) != nil {
		return false, errNoNumber
	}
	return used <= *value.Limit, nil
}
