package v1

import "encoding/json"

// VerifyContract says how an answer is judged. At least one assertion or scorer is required.
type VerifyContract struct {
	// SchemaVersion is required where the contract is a document of its own and inherited where it is embedded.
	SchemaVersion int `json:"schema_version,omitzero" validate:"omitempty,version=1"`
	// Assertions are deterministic checks.
	Assertions []Assertion `json:"assertions,omitempty" validate:"max=64,unique=ID,dive"`
	// Scorers are graded judgements within 0..1.
	Scorers []Scorer `json:"scorers,omitempty" validate:"max=16,unique=ID,dive"`
	// RefusalThreshold is the score below which an answer is withheld.
	RefusalThreshold float64 `json:"refusal_threshold" default:"0" validate:"gte=0,lte=1"`
}

// Assertion is one deterministic check.
type Assertion struct {
	// ID names the check in the verdict.
	ID string `json:"id" validate:"ident"`
	// Type says what is checked.
	Type string `json:"type" validate:"oneof=equals contains matches json_schema length tool_called tool_sequence usage_max"`
	// Target is what the check looks at: output, usage or tool:NAME, with an optional #/json/pointer.
	Target string `json:"target" default:"output" validate:"max=1024,target"`
	// Value is what the target is held against; its shape follows the type.
	Value json.RawMessage `json:"value,omitempty"`
	// Negate swaps pass and fail; an error stays an error.
	Negate bool `json:"negate,omitempty"`
	// Severity says whether the check blocks a pass (must) or only adds weight to the score (should).
	Severity string `json:"severity" default:"must" validate:"oneof=must should"`
	// Weight is the check's share of the score, 1 where absent; only with severity should.
	Weight *int64 `json:"weight,omitempty" validate:"omitnil,gte=1,lte=1000"`
}

// Scorer is one graded judgement, a score within 0..1.
type Scorer struct {
	// ID names the judgement in the verdict.
	ID string `json:"id" validate:"ident"`
	// Type is the kind of judge.
	Type string `json:"type" validate:"oneof=exact similarity rubric label"`
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
