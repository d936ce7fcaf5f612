package form

import (
	"axiom25/app/document"
	"axiom25/contracts"
)

// ToolSpec is the form of a tool's definition.
func ToolSpec() []Section {
	const transport, auth = "transport/", "auth/"
	keyed := within("auth", is("type", string(contracts.AuthAPIKey)))
	issued := within("auth", is("type", string(contracts.AuthOAuth2), string(contracts.AuthOIDC)))
	return []Section{
		{Name: "tool", Title: "Tool", Pointers: []string{"/schema_version"}, Fields: []Field{
			{Name: "name", Label: "Name", Control: Line, Keep: true},
			{Name: "version", Label: "Version", Control: Line, Keep: true},
			{Name: "description", Label: "Description", Control: Area, Keep: true},
		}},
		{Name: "effect", Title: "Effect", Fields: []Field{
			{Name: "effect", Label: "Effect", Control: Choice, Options: texts(
				contracts.EffectRead, contracts.EffectWrite, contracts.EffectDestructive)},
			{Name: "idempotent", Label: "A repeated call has no further effect", Control: Flag},
			{Name: "open_world", Label: "Reaches beyond a closed domain", Control: Amount, Default: "true", Options: []string{"true", "false"}},
		}},
		{Name: "schemas", Title: "Schemas", Fields: []Field{
			{Name: "input_schema", Label: "Of the arguments", Control: JSON},
			{Name: "output_schema", Label: "Of a result", Control: JSON},
		}},
		{Name: "transport", Title: "Transport", Pointers: []string{"/transport"}, Fields: []Field{
			{Name: transport + "type", Label: "Who carries it out", Control: Choice, Default: string(contracts.TransportEngine), Options: texts(
				contracts.TransportBuiltin, contracts.TransportHTTP, contracts.TransportMCP, contracts.TransportEngine)},
			{Name: transport + "url", Label: "Address", Control: Line, When: within("transport", is("type",
				string(contracts.TransportHTTP), string(contracts.TransportMCP)))},
		}},
		{Name: "auth", Title: "Authentication", Pointers: []string{"/auth"}, Fields: []Field{
			{Name: auth + "type", Label: "Kind", Control: Choice, Default: string(contracts.AuthNone), Options: texts(
				contracts.AuthNone, contracts.AuthAPIKey, contracts.AuthHTTPBasic, contracts.AuthHTTPBearer, contracts.AuthOAuth2,
				contracts.AuthOIDC, contracts.AuthMTLS)},
			{Name: auth + "secret_ref", Label: "Secret, by reference", Control: Line, Default: "secret://…", When: within("auth", both(
				has("type"), not(is("type", string(contracts.AuthNone)))))},
			{Name: auth + "in", Label: "The key goes into", Control: Choice, Options: []string{"header", "query", "cookie"}, When: keyed},
			{Name: auth + "name", Label: "Under the name", Control: Line, When: keyed},
			{Name: auth + "issuer", Label: "Issuer", Control: Line, When: issued},
			{Name: auth + "scopes", Label: "Scopes, one a line", Control: Lines, When: issued},
		}},
		{Name: "gate", Title: "Gate", Fields: []Field{
			{Name: "trust", Label: "Trust", Control: Choice, Default: string(contracts.TrustUntrusted), Options: texts(
				contracts.TrustUntrusted, contracts.TrustReviewed, contracts.TrustTrusted, contracts.TrustBuiltin)},
			{Name: "approval", Label: "Approval", Control: Choice, Default: string(contracts.ApprovalAuto), Options: texts(
				contracts.ApprovalAuto, contracts.ApprovalAlways, contracts.ApprovalNever)},
			{Name: "redact", Label: "Hidden, one JSON Pointer a line", Control: Lines},
		}},
		{Name: "limits", Title: "Limits", Pointers: []string{"/limits"}, Fields: []Field{
			{Name: "limits/timeout_ms", Label: "Time of an attempt", Control: Number, Unit: "ms", Default: "30000"},
			{Name: "limits/max_attempts", Label: "Attempts", Control: Number, Default: "1"},
			{Name: "limits/max_result_bytes", Label: "Output is cut at", Control: Number, Unit: "bytes", Default: "65536"},
		}},
	}
}

// within asks of a member what when asks of an object.
func within(name string, when func(*document.Value) bool) func(*document.Value) bool {
	return func(v *document.Value) bool { return when(v.Member(name)) }
}
