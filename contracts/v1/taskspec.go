package v1

import "encoding/json"

// TaskSpec says what a run is asked to do, with what, within which budget and how its answer is judged.
type TaskSpec struct {
	// SchemaVersion is the version that the document is written in.
	SchemaVersion int `json:"schema_version" validate:"version=1"`
	// Goal says what must be true or delivered when the run succeeds.
	Goal string `json:"goal" validate:"notblank,max=8192"`
	// Inputs are the material that the agent may read, by name: text where it is a string, else data.
	Inputs map[string]json.RawMessage `json:"inputs,omitempty" validate:"max=64,dive,keys,ident,endkeys"`
	// AllowedTools are the exact tools permitted, each as name or name@version; none where absent.
	AllowedTools []string `json:"allowed_tools,omitempty" validate:"max=128,unique,dive,toolref"`
	// BackendPref names the engine that is preferred.
	BackendPref string `json:"backend_pref,omitempty" validate:"omitempty,notblank,max=128"`
	// Profile is the named budget that the run starts from.
	Profile string `json:"profile" default:"balanced" validate:"oneof=tight balanced max"`
	// Budget lays overrides over the profile.
	Budget *Budget `json:"budget,omitempty"`
	// Verification says how the answer is judged; where it is absent the answer stays unverified.
	Verification *VerifyContract `json:"verification,omitempty"`
	// Labels are the caller's own tags.
	Labels map[string]string `json:"labels,omitempty" validate:"max=16,dive,keys,ident,endkeys,max=512"`
}
