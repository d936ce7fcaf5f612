package contracts

import "encoding/json"

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
