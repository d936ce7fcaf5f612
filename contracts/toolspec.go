package contracts

import "encoding/json"

// ToolSpec describes one version of a tool: what it takes and gives, what it does to the world, who carries a
// call out, and under which gate and limits. The catalogue is keyed by name and version.
type ToolSpec struct {
	// SchemaVersion is the version that the document is written in.
	SchemaVersion int `json:"schema_version" validate:"version"`
	// Name is valid as an MCP and as an OpenAI tool name.
	Name string `json:"name" validate:"toolname"`
	// Version is a semantic version (SemVer 2.0.0). Content never changes under one version.
	Version string `json:"version" validate:"max=128,semver"`
	// Description is shown to the model.
	Description string `json:"description" validate:"notblank,max=2048"`
	// InputSchema is a JSON Schema 2020-12 of the arguments: an object at the root, local $ref only.
	InputSchema json.RawMessage `json:"input_schema" validate:"objectschema"`
	// OutputSchema, where present, is a JSON Schema that results must conform to.
	OutputSchema json.RawMessage `json:"output_schema,omitempty" validate:"omitempty,jsonschema"`
	// Effect says what a call does to the world.
	Effect Effect `json:"effect" validate:"oneof=read write destructive"`
	// Idempotent hints that a repeated call has no further effect.
	Idempotent bool `json:"idempotent" default:"false"`
	// OpenWorld hints that the tool reaches beyond a closed domain.
	OpenWorld bool `json:"open_world" default:"true"`
	// Transport says who carries the call out.
	Transport Transport `json:"transport" default:"{}"`
	// Auth says how a call is authenticated, by reference only.
	Auth Auth `json:"auth" default:"{}"`
	// Trust is the operator's judgement; a tool set over HTTP starts as untrusted.
	Trust Trust `json:"trust" default:"untrusted" validate:"oneof=untrusted reviewed trusted builtin"`
	// Approval is the human gate.
	Approval ApprovalPolicy `json:"approval" default:"auto" validate:"oneof=auto always never"`
	// Limits bound one call.
	Limits ToolLimits `json:"limits" default:"{}"`
	// Redact lists JSON Pointers into arguments and output that are hidden in events and receipts.
	Redact []string `json:"redact,omitempty" validate:"max=64,unique,dive,max=1024,pointer"`
}

// Ref returns the exact reference to this version.
func (t *ToolSpec) Ref() ToolRef { return ToolRef(t.Name + "@" + t.Version) }

// Effect says what a call does to the world.
type Effect string

// The effects, from harmless to irreversible.
const (
	EffectRead        Effect = "read"
	EffectWrite       Effect = "write"
	EffectDestructive Effect = "destructive"
)

// Transport says who carries a call out.
type Transport struct {
	// Type is builtin (this server's code), http (an HTTP endpoint), mcp (an MCP server) or engine (the engine
	// itself; the server then only gates and records).
	Type TransportType `json:"type" default:"engine" validate:"oneof=builtin http mcp engine"`
	// URL is https, or http for a loopback address; required with, and only with, http and mcp.
	URL string `json:"url,omitempty" validate:"omitempty,max=2048,toolurl"`
}

// TransportType is a way of carrying a call out.
type TransportType string

// The transports.
const (
	TransportBuiltin TransportType = "builtin"
	TransportHTTP    TransportType = "http"
	TransportMCP     TransportType = "mcp"
	TransportEngine  TransportType = "engine"
)

// Auth says how a call is authenticated. It holds references, never a secret.
type Auth struct {
	// Type is one of the OpenAPI security kinds.
	Type AuthType `json:"type" default:"none" validate:"oneof=none api_key http_basic http_bearer oauth2 oidc mtls"`
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

// AuthType is one of the security kinds of OpenAPI 3.1.
type AuthType string

// The kinds of authentication.
const (
	AuthNone       AuthType = "none"
	AuthAPIKey     AuthType = "api_key"
	AuthHTTPBasic  AuthType = "http_basic"
	AuthHTTPBearer AuthType = "http_bearer"
	AuthOAuth2     AuthType = "oauth2"
	AuthOIDC       AuthType = "oidc"
	AuthMTLS       AuthType = "mtls"
)

// Trust is the operator's judgement of a tool.
type Trust string

// The levels of trust, from least to most.
const (
	TrustUntrusted Trust = "untrusted"
	TrustReviewed  Trust = "reviewed"
	TrustTrusted   Trust = "trusted"
	TrustBuiltin   Trust = "builtin"
)

// ApprovalPolicy is the human gate of a tool.
type ApprovalPolicy string

// The approval policies.
const (
	ApprovalAuto   ApprovalPolicy = "auto"
	ApprovalAlways ApprovalPolicy = "always"
	ApprovalNever  ApprovalPolicy = "never"
)

// ToolLimits bound one call of a tool.
type ToolLimits struct {
	// TimeoutMS is how long one attempt may take, in milliseconds.
	TimeoutMS int64 `json:"timeout_ms" default:"30000" validate:"gte=1,lte=600000"`
	// MaxAttempts is how often a call may be tried; more than one needs effect read or idempotent.
	MaxAttempts int64 `json:"max_attempts" default:"1" validate:"gte=1,lte=5"`
	// MaxResultBytes is where an output is cut.
	MaxResultBytes int64 `json:"max_result_bytes" default:"65536" validate:"gte=1,lte=524288"`
}

// Gate is what stands before a call.
type Gate string

// The gates: go on, ask a human first, or never.
const (
	GateAllow Gate = "allow"
	GateAsk   Gate = "ask"
	GateDeny  Gate = "deny"
)

// Gate returns what stands before a call of this tool. The policies always and never decide alone; auto asks
// by trust and effect: an untrusted tool is always asked for, a reviewed one unless it only reads, a trusted
// one only where it destroys, a builtin one never. GateDeny is not a tool's property: it is what a call of a
// tool gets that the task does not allow.
func (t *ToolSpec) Gate() Gate {
	switch t.Approval {
	case ApprovalAlways:
		return GateAsk
	case ApprovalNever:
		return GateAllow
	case ApprovalAuto:
	}
	var free bool
	switch t.Trust {
	case TrustBuiltin:
		free = true
	case TrustTrusted:
		free = t.Effect != EffectDestructive
	case TrustReviewed:
		free = t.Effect == EffectRead
	case TrustUntrusted:
	}
	if free {
		return GateAllow
	}
	return GateAsk
}

// crossCheck implements crossChecked.
func (t *ToolSpec) crossCheck(p place) {
	t.Transport.crossCheck(p.in("transport"))
	t.Auth.crossCheck(p.in("auth"))

	trusted := t.Trust != TrustUntrusted
	if t.Approval == ApprovalNever && p.sound("approval", "trust", "effect") && (!trusted || t.Effect == EffectDestructive) {
		p.member("approval", CodeGateNever, nil, "trust", "effect")
	}
	limits := p.in("limits")
	if limits.sound("max_attempts") && p.sound("effect", "idempotent") &&
		t.Limits.MaxAttempts > 1 && t.Effect != EffectRead && !t.Idempotent {
		p.found.add(limits.in("max_attempts").pointer, CodeAttempts, nil, p.in("effect").pointer, p.in("idempotent").pointer)
	}
	transport, auth := p.in("transport"), p.in("auth")
	if !transport.sound("type") {
		return
	}
	builtin := t.Transport.Type == TransportBuiltin
	if p.sound("trust") && builtin != (t.Trust == TrustBuiltin) {
		p.found.add(p.in("trust").pointer, CodeBuiltin, nil, transport.in("type").pointer)
	}
	if auth.sound("type") && builtin && t.Auth.Type != AuthNone {
		p.found.add(auth.in("type").pointer, CodeOnlyWith, params{"with": "transport http, mcp or engine"}, transport.in("type").pointer)
	}
}

// crossCheck holds the address to the transport's type.
func (t *Transport) crossCheck(p place) {
	if p.sound("type") {
		p.needs("url", t.URL != "", t.Type == TransportHTTP || t.Type == TransportMCP, "type http or mcp", "type")
	}
}

// crossCheck holds the fields to the type that they belong to.
func (a *Auth) crossCheck(p place) {
	if !p.sound("type") {
		return
	}
	key, issued := a.Type == AuthAPIKey, a.Type == AuthOAuth2 || a.Type == AuthOIDC
	p.needs("secret_ref", a.SecretRef != "", a.Type != AuthNone, "a type other than none", "type")
	p.needs("in", a.In != "", key, "type api_key", "type")
	p.needs("name", a.Name != "", key, "type api_key", "type")
	p.needs("issuer", a.Issuer != "", issued, "type oauth2 or oidc", "type")
	if !issued {
		p.needs("scopes", len(a.Scopes) > 0, false, "type oauth2 or oidc", "type")
	}
}
