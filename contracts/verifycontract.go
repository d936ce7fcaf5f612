package contracts

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// VerifyContract says how an answer is judged: by deterministic assertions, which the server and the browser
// evaluate with the same code, by graded scorers, and by the thresholds over both. At least one assertion or
// scorer is required.
type VerifyContract struct {
	// SchemaVersion is required where the contract is a document of its own and inherited where it is embedded.
	SchemaVersion int `json:"schema_version,omitzero" validate:"omitempty,version"`
	// Assertions are deterministic checks.
	Assertions []Assertion `json:"assertions,omitempty" validate:"max=64,unique=ID,dive"`
	// Scorers are graded judgements within 0..1.
	Scorers []Scorer `json:"scorers,omitempty" validate:"max=16,unique=ID,dive"`
	// PassAt is the score at or above which an answer is accepted.
	PassAt float64 `json:"pass_at" default:"0.8" validate:"gte=0,lte=1"`
	// RefuseBelow is the score below which an answer is withheld and no further pass is tried.
	RefuseBelow float64 `json:"refuse_below" default:"0" validate:"gte=0,lte=1"`
	// OnError says what follows when a check cannot be evaluated. There is no "pass".
	OnError OnCheckError `json:"on_error" default:"fail" validate:"oneof=refuse fail"`
	// OnModelRefusal says what follows when the model itself declined to answer.
	OnModelRefusal OnModelRefusal `json:"on_model_refusal" default:"fail" validate:"oneof=accept fail refuse"`
	// Release says when answer tokens are sent: as they come, or only after a passing verdict. A verified run's
	// thoughts may still give its answer away.
	Release Release `json:"release" default:"stream" validate:"oneof=stream verified"`
}

// Assertion is one deterministic check.
type Assertion struct {
	// ID names the check in the verdict.
	ID string `json:"id" validate:"ident"`
	// Type says what is checked.
	Type AssertionType `json:"type" validate:"oneof=equals contains matches json_schema length tool_called tool_sequence usage_max"`
	// Target is what the check looks at: output, usage or tool:NAME, with an optional #/json/pointer.
	Target Target `json:"target" default:"output" validate:"max=1024,target"`
	// Value is what the target is held against; its shape follows the type: expected JSON, text, an RE2
	// expression, a JSON Schema, {min,max}, a list of tools, or {limit}.
	Value json.RawMessage `json:"value,omitempty"`
	// Negate swaps pass and fail; an error stays an error.
	Negate bool `json:"negate,omitempty"`
	// Severity says whether the check blocks a pass (must) or only adds weight to the score (should).
	Severity Severity `json:"severity" default:"must" validate:"oneof=must should"`
	// Weight is the check's share of the score, 1 where absent; only with severity should.
	Weight *int64 `json:"weight,omitempty" validate:"omitnil,gte=1,lte=1000"`
}

// AssertionType says what an assertion checks.
type AssertionType string

// The assertion types.
const (
	AssertEquals       AssertionType = "equals"
	AssertContains     AssertionType = "contains"
	AssertMatches      AssertionType = "matches"
	AssertJSONSchema   AssertionType = "json_schema"
	AssertLength       AssertionType = "length"
	AssertToolCalled   AssertionType = "tool_called"
	AssertToolSequence AssertionType = "tool_sequence"
	AssertUsageMax     AssertionType = "usage_max"
)

// Target names what an assertion looks at: `output`, `usage` or `tool:NAME`, each with an optional JSON
// Pointer behind a #.
type Target string

// Severity says how much a failed assertion matters.
type Severity string

// The severities.
const (
	SeverityMust   Severity = "must"
	SeverityShould Severity = "should"
)

// Scorer is one graded judgement, a score within 0..1.
type Scorer struct {
	// ID names the judgement in the verdict.
	ID string `json:"id" validate:"ident"`
	// Type is the kind of judge. rubric and label need an engine that judges.
	Type ScorerType `json:"type" validate:"oneof=exact similarity rubric label"`
	// Rubric is what a rubric judge is given; required for, and only with, that type.
	Rubric string `json:"rubric,omitempty" validate:"max=8192"`
	// Reference is what exact and similarity compare with; required for, and only with, those types.
	Reference *string `json:"reference,omitempty" validate:"omitnil,max=8192"`
	// Labels are what a label judge chooses from; required for, and only with, that type.
	Labels []string `json:"labels,omitempty" validate:"max=64,unique,dive,notblank,max=128"`
	// PassingLabels are those of the labels that score 1.
	PassingLabels []string `json:"passing_labels,omitempty" validate:"max=64,unique,dive,notblank,max=128"`
	// Backend is the engine that judges; the run's own where absent.
	Backend string `json:"backend,omitempty" validate:"max=128"`
	// Weight is the judgement's share of the score.
	Weight int64 `json:"weight" default:"1" validate:"gte=1,lte=1000"`
	// Floor is a score below which there is no pass whatever the other checks say.
	Floor *float64 `json:"floor,omitempty" validate:"omitnil,gte=0,lte=1"`
	// Samples is how often the judge is asked; the median counts.
	Samples int64 `json:"samples" default:"1" validate:"oneof=1 3 5 7 9"`
}

// ScorerType is the kind of a judge.
type ScorerType string

// The scorer types.
const (
	ScoreExact      ScorerType = "exact"
	ScoreSimilarity ScorerType = "similarity"
	ScoreRubric     ScorerType = "rubric"
	ScoreLabel      ScorerType = "label"
)

// OnCheckError is what follows when a check cannot be evaluated.
type OnCheckError string

// What follows when a check cannot be evaluated.
const (
	CheckErrorRefuse OnCheckError = "refuse"
	CheckErrorFail   OnCheckError = "fail"
)

// OnModelRefusal is what follows when the model itself declined.
type OnModelRefusal string

// What follows when the model itself declined.
const (
	ModelRefusalAccept OnModelRefusal = "accept"
	ModelRefusalFail   OnModelRefusal = "fail"
	ModelRefusalRefuse OnModelRefusal = "refuse"
)

// Release says when an answer's tokens are sent to viewers.
type Release string

// The release modes.
const (
	ReleaseStream   Release = "stream"
	ReleaseVerified Release = "verified"
)

// Split returns what the target looks at (output, usage or tool), the tool where it is one, and the JSON Pointer behind
// the #, as RFC 6901, section 6, writes it.
func (t Target) Split() (subject string, tool ToolRef, pointer string) {
	subject, pointer, _ = strings.Cut(string(t), "#")
	if name, ok := strings.CutPrefix(subject, "tool:"); ok {
		return "tool", ToolRef(name), pointer
	}
	return subject, "", pointer
}

// crossCheck implements crossChecked: the contract is a document of its own.
func (c *VerifyContract) crossCheck(p place) {
	p.demandVersion(c.SchemaVersion)
	c.check(p)
}

// check holds the contract to its rules, wherever it stands.
func (c *VerifyContract) check(p place) {
	if p.sound("assertions", "scorers") && len(c.Assertions) == 0 && len(c.Scorers) == 0 {
		p.breaks(CodeNoChecks, nil)
	}
	if p.sound("pass_at", "refuse_below") && c.RefuseBelow > c.PassAt {
		p.member("refuse_below", CodeRefuseOverPass, params{"max": c.PassAt}, "pass_at")
	}
	for i := range c.Assertions {
		if p.found.full() {
			return // a schema takes a while
		}
		c.Assertions[i].crossCheck(p.in("assertions").item(i))
	}
	for i := range c.Scorers {
		c.Scorers[i].crossCheck(p.in("scorers").item(i))
	}
}

// checkTargets holds the tools that assertions look at against those that the task at p allows: what cannot be called
// cannot be checked.
func (c *VerifyContract) checkTargets(allowed []ToolRef, p place) {
	if !p.whole("allowed_tools") {
		return
	}
	tools := p.to("allowed_tools")
	for i := range c.Assertions {
		a, at := &c.Assertions[i], p.in("verification").in("assertions").item(i)
		if !at.sound("type", "target", "value") {
			continue
		}
		if _, tool, _ := a.Target.Split(); tool != "" && !allows(allowed, tool) {
			p.found.add(at.in("target").pointer, CodeTargetNotAllowed, nil, tools)
		}
		if a.Type != AssertToolSequence {
			continue
		}
		var sequence []ToolRef
		if json.Unmarshal(a.Value, &sequence) != nil {
			continue
		}
		for n, tool := range sequence {
			if !allows(allowed, tool) {
				p.found.add(at.in("value").item(n).pointer, CodeTargetNotAllowed, nil, tools)
			}
		}
	}
}

// assertionRule is what an assertion type takes.
type assertionRule struct {
	// targets says in words what the type looks at, and reaches decides it.
	targets string
	reaches func(subject, pointer string) bool
	// shape says in words what the value is, and fits decides it. An absent value is given as nil.
	shape string
	fits  func(value json.RawMessage) bool
}

// assertionRules is the one table of what each assertion type takes.
var assertionRules = sync.OnceValue(func() map[AssertionType]assertionRule {
	const texts = "output or tool:NAME"
	isText := func(subject, _ string) bool { return subject != "usage" }
	anything := func(string, string) bool { return true }
	return map[AssertionType]assertionRule{
		AssertEquals: {"output, usage or tool:NAME", anything, "any JSON", func(v json.RawMessage) bool { return v != nil }},
		AssertContains: {texts, isText, "a text that is not empty", func(v json.RawMessage) bool {
			var text string
			return isJSON(v, '"') && json.Unmarshal(v, &text) == nil && text != ""
		}},
		AssertMatches:    {texts, isText, "an RE2 expression", func(v json.RawMessage) bool { return isJSON(v, '"') }},
		AssertJSONSchema: {texts, isText, "a JSON Schema", func(v json.RawMessage) bool { return isJSON(v, '{') || isJSON(v, 't') || isJSON(v, 'f') }},
		AssertLength:     {texts, isText, "{min, max}, at least one of them", isBounds},
		AssertToolCalled: {
			"tool:NAME, without a pointer",
			func(subject, pointer string) bool { return subject == "tool" && pointer == "" },
			"{min, max}, or left out",
			func(v json.RawMessage) bool { return v == nil || isBounds(v) },
		},
		AssertToolSequence: {
			"the calls of the run: leave the target out",
			func(subject, pointer string) bool { return subject == "output" && pointer == "" },
			"a list of 1 to 64 tools", isToolList,
		},
		AssertUsageMax: {
			"one count of the meter, such as usage#/tokens_out", isUsageField,
			"{limit}, a number of 0 or more", isLimit,
		},
	}
})

// bounds is the value of length and tool_called.
type bounds struct {
	Min *int64 `json:"min,omitempty" validate:"omitnil,gte=0"`
	Max *int64 `json:"max,omitempty" validate:"omitnil,gte=0"`
}

// usageLimit is the value of usage_max.
type usageLimit struct {
	Limit float64 `json:"limit" validate:"gte=0"`
}

// toolList is the value of tool_sequence, as a member so that it can be read by its tags.
type toolList struct {
	Tools []ToolRef `json:"tools" validate:"max=64,dive,toolref"`
}

// isJSON reports whether v is JSON of this kind.
func isJSON(v json.RawMessage, kind jsontext.Kind) bool { return jsontext.Value(v).Kind() == kind }

// obeys reports whether doc is a valid T.
func obeys[T any](doc []byte, v *T) bool {
	u := unit{doc: doc, pointer: rootPointer}
	var found findings
	_, p := u.decode(v, &found)
	return p == nil && found.clean()
}

func isBounds(v json.RawMessage) bool {
	var b bounds
	return obeys(v, &b) && (b.Min != nil || b.Max != nil)
}

func isLimit(v json.RawMessage) bool { return obeys(v, new(usageLimit)) }

func isToolList(v json.RawMessage) bool {
	if !isJSON(v, '[') {
		return false
	}
	var list toolList
	return obeys(slices.Concat([]byte(`{"tools":`), v, []byte(`}`)), &list) && len(list.Tools) > 0
}

// isUsageField reports whether a target is one field of Usage.
func isUsageField(subject, pointer string) bool {
	p, err := planOf(reflect.TypeFor[Usage]())
	if subject != "usage" || err != nil {
		return false
	}
	_, ok := p.byName[strings.TrimPrefix(pointer, "/")]
	return ok && strings.HasPrefix(pointer, "/")
}

// crossCheck holds target and value to the assertion's type, and the weight to its severity.
func (a *Assertion) crossCheck(p place) {
	if a.Weight != nil && p.sound("severity", "weight") && a.Severity != SeverityShould {
		p.member("weight", CodeOnlyWith, params{"with": "severity should"}, "severity")
	}
	if !p.sound("type") {
		return
	}
	takes := assertionRules()[a.Type]
	if subject, _, pointer := a.Target.Split(); p.sound("target") && !takes.reaches(subject, pointer) {
		p.member("target", CodeTargetType, params{"type": string(a.Type), "targets": takes.targets}, "type")
	}
	if !p.sound("value") {
		return
	}
	if !takes.fits(a.Value) {
		p.member("value", CodeValueShape, params{"type": string(a.Type), "shape": takes.shape}, "type")
		return
	}
	a.checkValue(p)
}

// checkValue holds a value of the right shape to what it means.
func (a *Assertion) checkValue(p place) {
	switch a.Type {
	case AssertMatches:
		if _, err := CompileRegexp(unquote(a.Value)); err != nil {
			p.member("value", CodeValueRegexp, nil)
		}
	case AssertJSONSchema:
		for _, e := range judgeSchema(a.Value, false) {
			p.found.add(p.in("value").pointer+strings.TrimPrefix(e.Pointer, rootPointer), e.Code, e.Params)
		}
	case AssertLength, AssertToolCalled:
		var b bounds
		if a.Value != nil && obeys(a.Value, &b) && b.Min != nil && b.Max != nil && *b.Min > *b.Max {
			p.in("value").member("min", CodeValueMinOverMax, nil, "max")
		}
	case AssertEquals, AssertContains, AssertToolSequence, AssertUsageMax:
	}
}

// crossCheck holds what a judge is given to the scorer's type.
func (s *Scorer) crossCheck(p place) {
	if !p.sound("type") {
		return
	}
	label, compares := s.Type == ScoreLabel, s.Type == ScoreExact || s.Type == ScoreSimilarity
	p.needs("rubric", s.Rubric != "", s.Type == ScoreRubric, "type rubric", "type")
	p.needs("reference", s.Reference != nil, compares, "type exact or similarity", "type")
	p.needs("labels", len(s.Labels) > 0, label, "type label", "type")
	p.needs("passing_labels", len(s.PassingLabels) > 0, label, "type label", "type")
	if !label || !p.whole("labels") {
		return
	}
	for i, passing := range s.PassingLabels {
		if !slices.Contains(s.Labels, passing) {
			at := p.in("passing_labels").item(i)
			p.found.add(at.pointer, CodePassingLabel, nil, p.in("labels").pointer)
		}
	}
}
