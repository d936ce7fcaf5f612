package v1

import "encoding/json"

// ToolSpec describes one version of a tool. It has no tools that are part of the server: they came with version 2.
type ToolSpec struct {
	// SchemaVersion is the version that the document is written in.
	SchemaVersion int `json:"schema_version" validate:"version=1"`
	// Name is valid as an MCP and as an OpenAI tool name.
	Name string `json:"name" validate:"toolname"`
	// Version is a semantic version (SemVer 2.0.0).
	Version string `json:"version" validate:"max=128,semver"`
	// Description is shown to the model.
	Description string `json:"description" validate:"notblank,max=2048"`
	// InputSchema is a JSON Schema 2020-12 of the arguments: an object at the root, local $ref only.
	InputSchema json.RawMessage `json:"input_schema" validate:"objectschema"`
	// OutputSchema, where present, is a JSON Schema that results must conform to.
	OutputSchema json.RawMessage `json:"output_schema,omitempty" validate:"omitempty,jsonschema"`
	// Effect says what a call does to the world.
	Effect string `json:"effect" validate:"oneof=read write destructive"`
	// Idempotent hints that a repeated call has no further effect.
	Idempotent bool `json:"idempotent" default:"false"`
	// OpenWorld hints that the tool reaches beyond a closed domain.
	OpenWorld bool `json:"open_world" default:"true"`
	// Transport says who carries the call out.
	Transport Transport `json:"transport" default:"{}"`
	// Auth says how a call is authenticated, by reference only.
	Auth Auth `json:"auth" default:"{}"`
	// TrustLevel is the operator's judgement.
	TrustLevel string `json:"trust_level" default:"low" validate:"oneof=low medium high"`
	// Approval is the human gate.
	Approval string `json:"approval" default:"auto" validate:"oneof=auto always never"`
	// Limits bound one call.
	Limits ToolLimits `json:"limits" default:"{}"`
	// Redact lists JSON Pointers into arguments and output that are hidden in events and receipts.
	Redact []string `json:"redact,omitempty" validate:"max=64,unique,dive,max=1024,pointer"`
}

// Transport says who carries a call out.
type Transport struct {
	// Type is http (an HTTP endpoint), mcp (an MCP server) or engine (the engine itself).
	Type string `json:"type" default:"engine" validate:"oneof=http mcp engine"`
	// URL is https, or http for a loopback address; required with, and only with, http and mcp.
	URL string `json:"url,omitempty" validate:"omitempty,max=2048,toolurl"`
}

// Auth says how a call is authenticated. It holds references, never a secret.
type Auth struct {
	// Type is one of the OpenAPI security kinds.
	Type string `json:"type" default:"none" validate:"oneof=none api_key http_basic http_bearer oauth2 oidc mtls"`
	// SecretRef is secret://…; required unless the type is none.
	SecretRef string `json:"secret_ref,omitempty" validate:"omitempty,max=512,secretref"`
	// In says where an API key goes; with api_key only.
	In string `json:"in,omitempty" validate:"omitempty,oneof=header query cookie"`
	// Name is the header, parameter or cookie of an API key; with api_key only.
	Name string `json:"name,omitempty" validate:"omitempty,notblank,max=128"`
	// Issuer is the authorization server; with oauth2 and oidc only.
	Issuer string `json:"issuer,omitempty" validate:"omitempty,max=2048,uri"`
	// Scopes are what is asked for; with oauth2 and oidc only.
	Scopes []string `json:"scopes,omitempty" validate:"max=32,unique,dive,notblank,max=128"`
}

// ToolLimits bound one call of a tool.
type ToolLimits struct {
	// TimeoutMS is how long one attempt may take, in milliseconds.
	TimeoutMS int64 `json:"timeout_ms" default:"30000" validate:"gte=1,lte=600000"`
	// MaxAttempts is how often a call may be tried; more than one needs effect read or idempotent.
	MaxAttempts int64 `json:"max_attempts" default:"1" validate:"gte=1,lte=5"`
	// MaxResultBytes is where an output is cut.
	MaxResultBytes int64 `json:"max_result_bytes" default:"65536" validate:"gte=1,lte=524288"`
}
