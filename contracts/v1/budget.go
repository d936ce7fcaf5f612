package v1

// Budget lays overrides over a profile. Every field is optional: an absent one takes the profile's value.
type Budget struct {
	// SchemaVersion is required where the budget is a document of its own and inherited where it is embedded.
	SchemaVersion int `json:"schema_version,omitzero" validate:"omitempty,version=1"`
	// Tokens bounds input, output and reasoning tokens together.
	Tokens *int64 `json:"tokens,omitempty" validate:"omitnil,gte=1"`
	// TimeS bounds the time since creation in whole seconds, at most a day.
	TimeS *int64 `json:"time_s,omitempty" validate:"omitnil,gte=1,lte=86400"`
	// Width bounds the branches alive at once.
	Width *int64 `json:"width,omitempty" validate:"omitnil,gte=1,lte=64"`
	// Reflection bounds the revisions after the first attempt.
	Reflection *int64 `json:"reflection,omitempty" validate:"omitnil,gte=0,lte=20"`
}
