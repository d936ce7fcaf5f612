package contracts

import "encoding/json"

// TaskSpec says what a run is asked to do, with what, within which budget and how its answer is judged. It
// is what a client posts to start a run, and it is content-addressable: its digest covers the RFC 8785 form
// of the document as it was sent.
type TaskSpec struct {
	// SchemaVersion is the version that the document is written in.
	SchemaVersion int `json:"schema_version" validate:"version"`
	// Goal says what must be true or delivered when the run succeeds.
	Goal string `json:"goal" validate:"notblank,max=8192"`
	// Inputs are named material that the agent may read.
	Inputs []Input `json:"inputs,omitempty" validate:"max=64,unique=Name,dive"`
	// AllowedTools are the exact tools permitted, each as name or name@version; none where absent.
	AllowedTools []ToolRef `json:"allowed_tools,omitempty" validate:"max=128,unique,dive,toolref"`
	// Backend says which engines may carry the run out.
	Backend BackendPolicy `json:"backend" default:"{}"`
	// Profile is the named budget that the run starts from.
	Profile Profile `json:"profile" default:"balanced" validate:"oneof=tight balanced max"`
	// Budget lays overrides over the profile.
	Budget *Budget `json:"budget,omitempty"`
	// Verification says how the answer is judged; where it is absent the answer stays unverified.
	Verification *VerifyContract `json:"verification,omitempty"`
	// Labels are the caller's own tags.
	Labels map[string]string `json:"labels,omitempty" validate:"max=16,dive,keys,ident,endkeys,max=512"`
}

// Input is one piece of named material: exactly one of text, data and uri.
type Input struct {
	// Name is the handle that goal, assertions and engines use.
	Name string `json:"name" validate:"ident"`
	// Text is the content as text.
	Text *string `json:"text,omitempty" validate:"omitnil,max=1048576"`
	// Data is the content as any JSON value.
	Data json.RawMessage `json:"data,omitempty"`
	// URI refers to the content; Digest says what it must resolve to.
	URI string `json:"uri,omitempty" validate:"omitempty,max=2048,uri"`
	// MediaType says how to read the content: text/plain for text and application/json for data where absent.
	MediaType string `json:"media_type,omitempty" validate:"omitempty,max=127,mediatype"`
	// Digest is what the content must hash to; it is required with uri.
	Digest Digest `json:"digest,omitempty" validate:"omitempty,digest"`
	// Sensitive keeps the content out of events and receipts: a call whose arguments refer to it has its
	// arguments and its output redacted. Text that an engine derives from it is not covered.
	Sensitive bool `json:"sensitive,omitempty"`
}

// BackendPolicy says which engines may carry a run out and what they must be able to do.
type BackendPolicy struct {
	// Prefer names engines in order of preference.
	Prefer []string `json:"prefer,omitempty" validate:"max=8,unique,dive,notblank,max=128"`
	// Fallback says what to do when the first preference is unavailable: none refuses the run, listed tries
	// the other preferences, any takes whatever engine meets the needs.
	Fallback Fallback `json:"fallback" default:"listed" validate:"oneof=none listed any"`
	// Needs are capabilities without which the run must not start.
	Needs []Capability `json:"needs,omitempty" validate:"max=4,unique,dive,oneof=tools vision json_schema thoughts"`
	// Seed asks for reproducible sampling.
	Seed *int64 `json:"seed,omitempty" validate:"omitnil,gte=0"`
}

// Fallback is a policy for when the first preferred engine is unavailable.
type Fallback string

// The fallback policies.
const (
	FallbackNone   Fallback = "none"
	FallbackListed Fallback = "listed"
	FallbackAny    Fallback = "any"
)

// Capability is something that an engine can do and that a task may need.
type Capability string

// The capabilities.
const (
	CapabilityTools      Capability = "tools"
	CapabilityVision     Capability = "vision"
	CapabilityJSONSchema Capability = "json_schema"
	CapabilityThoughts   Capability = "thoughts"
)

// Sensitive returns the names of the inputs that must never be shown.
func (t *TaskSpec) Sensitive() []string {
	var names []string
	for i := range t.Inputs {
		if t.Inputs[i].Sensitive {
			names = append(names, t.Inputs[i].Name)
		}
	}
	return names
}

// crossCheck implements crossChecked.
func (t *TaskSpec) crossCheck(p place) {
	for i := range t.Inputs {
		t.Inputs[i].crossCheck(p.in("inputs").item(i))
	}
	if t.Budget != nil && p.sound("profile", "budget") {
		t.Budget.checkOver(t.Profile, p.in("budget"))
	}
	if t.Verification != nil && p.sound("verification") {
		t.Verification.check(p.in("verification"))
		t.Verification.checkTargets(t.AllowedTools, p)
	}
}

// crossCheck holds an input to exactly one content, and its digest to that content.
func (in *Input) crossCheck(p place) {
	if !p.sound("text", "data", "uri") {
		return
	}
	contents := 0
	for _, present := range []bool{in.Text != nil, in.Data != nil, in.URI != ""} {
		if present {
			contents++
		}
	}
	if contents != 1 {
		p.breaks(CodeExactlyOne, params{"fields": []string{"text", "data", "uri"}})
		return
	}
	if !p.sound("digest") {
		return
	}
	switch {
	case in.URI != "":
		if in.Digest == "" {
			p.member("digest", CodeRequiredWith, params{"with": "uri"}, "uri")
		}
	case in.Digest == "":
	case in.Text != nil:
		if DigestText(*in.Text) != in.Digest {
			p.member("digest", CodeDigestMismatch, nil, "text")
		}
	default:
		if sum, err := DigestJSON(in.Data); err != nil || sum != in.Digest {
			p.member("digest", CodeDigestMismatch, nil, "data")
		}
	}
}

// allows reports whether the list of allowed tools has the tool that ref names: where one of both names no version,
// the name decides.
func allows(allowed []ToolRef, ref ToolRef) bool {
	name, version := ref.Split()
	for _, a := range allowed {
		allowedName, allowedVersion := a.Split()
		if name == allowedName && (version == "" || allowedVersion == "" || version == allowedVersion) {
			return true
		}
	}
	return false
}
