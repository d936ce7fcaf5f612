package contracts_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// row is a document and what is wrong with it: "pointer code", in the order of the problem.
type row struct {
	name string
	doc  string
	want []string
}

// task, tool and contract are valid documents with room for one more member.
func task(more string) string {
	return join(`"schema_version":2,"goal":"Count the planets."`, more)
}

func tool(more string) string {
	fields := map[string]string{
		"schema_version": `2`, "name": `"t"`, "version": `"1.0.0"`, "description": `"A tool."`,
		"input_schema": `{"type":"object"}`, "effect": `"read"`,
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal([]byte("{"+more+"}"), &given); err != nil {
		panic(err)
	}
	var base []string
	for _, name := range []string{"schema_version", "name", "version", "description", "input_schema", "effect"} {
		if _, ok := given[name]; !ok {
			base = append(base, fmt.Sprintf("%q:%s", name, fields[name]))
		}
	}
	return join(strings.Join(base, ","), more)
}

func assertion(more string) string {
	return `{"schema_version":2,"assertions":[` + join(`"id":"a"`, more) + `]}`
}

func scorer(more string) string {
	return `{"schema_version":2,"scorers":[` + join(`"id":"a"`, more) + `]}`
}

func event(kind, data string) string {
	return fmt.Sprintf(`{"schema_version":2,"run_id":%q,"seq":1,"time":"2026-01-02T03:04:05.678Z","type":%q,"data":%s}`,
		contractstest.RunID(1), kind, data)
}

// noUse is the reading of a meter that has counted nothing.
const noUse = `{"tokens_in":0,"tokens_out":0,"tokens_cached":0,"tokens_reasoning":0,"wall_ms":0,"active_ms":0,"tool_calls":0,"branches":0,` +
	`"reflections":0,"cost_microusd":0}`

func join(base, more string) string {
	if more == "" {
		return "{" + base + "}"
	}
	return "{" + base + "," + more + "}"
}

const zeroDigest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

// rows holds at least one document for every code that Decode gives, by contract.
var rows = map[string][]row{
	"taskspec": {
		{"valid", task(``), nil},
		{"syntax", `{"schema_version":2,}`, []string{"# syntax"}},
		{"empty", ``, []string{"# syntax"}},
		{"cut", `{"schema_version":2,"goal":"x`, []string{"# syntax"}},
		{"comment", `{"schema_version":2 /* two */}`, []string{"# syntax"}},
		{"byte order mark", "\ufeff" + task(``), []string{"# syntax"}},
		{"bad UTF-8", task("\"labels\":{\"a\":\"\xff\"}"), []string{"# encoding"}},
		{"lone surrogate", task(`"labels":{"a":"\ud800"}`), []string{"# encoding"}},
		{"bad UTF-8 in free JSON", task("\"inputs\":[{\"name\":\"a\",\"data\":\"\xc3\x28\"}]"), []string{"# encoding"}},
		{"trailing bytes", task(``) + `{}`, []string{"# trailing_bytes"}},
		{"trailing white space", task(``) + " \r\n\t", nil},
		{"trailing NUL", task(``) + "\x00", []string{"# trailing_bytes"}},
		{"depth 32", task(`"inputs":[{"name":"a","data":` + nested(29) + `}]`), nil},
		{"depth 33", task(`"inputs":[{"name":"a","data":` + nested(30) + `}]`), []string{"# depth"}},
		{"brackets in a text are no depth", task(`"labels":{"a":"` + strings.Repeat("[", 100) + `\"` + strings.Repeat("{", 100) + `"}`), nil},
		{"a million brackets", strings.Repeat("[", 1_000_000), []string{"# depth"}},
		{"too large", strings.Repeat(" ", 1<<20) + "{}", []string{"# size"}},
		{"exactly 1 MiB", task(``) + strings.Repeat(" ", 1<<20-len(task(``))), nil},
		{"unsupported version", `{"goal":5,"schema_version":3}`, []string{"#/schema_version unsupported_version"}},
		{"unsupported version before all else", `{"gaol":[[[[[`, []string{"# syntax"}},
		{"version as text", `{"schema_version":"2","goal":"x"}`, []string{"#/schema_version type"}},
		{"version as a fraction", `{"schema_version":2.5,"goal":"x"}`, []string{"#/schema_version integer"}},
		{"version as 2.0", `{"schema_version":2.0,"goal":"x"}`, nil},
		{"not an object", `[]`, []string{"# type"}},
		{"null", `null`, []string{"# type"}},
		{"required", `{}`, []string{"#/goal required", "#/schema_version required"}},
		{"unknown field", task(`"gaol":1`), []string{"#/gaol unknown_field"}},
		{"wrong case", task(`"Labels":{}`), []string{"#/Labels unknown_field"}},
		{"escaped name", `{"schema_version":2,"g\u006fal":"x"}`, nil},
		{"strange name", task(`"a~b/c %\u00e4\"":1`), []string{"#/a~0b~1c%20%25%C3%A4%22 unknown_field"}},
		{"duplicate key", task(`"profile":"max","profile":"max"`), []string{"#/profile duplicate_key"}},
		{"duplicate escaped key", task(`"\u0067oal":"y"`), []string{"#/goal duplicate_key"}},
		{"duplicate label", task(`"labels":{"a":"1","a":"2"}`), []string{"#/labels/a duplicate_key"}},
		{"duplicate in free JSON", task(`"inputs":[{"name":"a","data":[{"x":{"y":1,"y":2}}]}]`), []string{"#/inputs/0/data/0/x/y duplicate_key"}},
		{"null field", task(`"labels":null`), []string{"#/labels null"}},
		{"null element", task(`"allowed_tools":[null]`), []string{"#/allowed_tools/0 null"}},
		{"null in free JSON", task(`"inputs":[{"name":"a","data":null}]`), nil},
		{"text for list", task(`"inputs":"x"`), []string{"#/inputs type"}},
		{"list for object", task(`"backend":[]`), []string{"#/backend type"}},
		{"text for object", task(`"labels":"x"`), []string{"#/labels type"}},
		{"number for text", task(`"profile":1`), []string{"#/profile type"}},
		{"text for boolean", task(`"inputs":[{"name":"a","text":"","sensitive":"true"}]`), []string{"#/inputs/0/sensitive type"}},
		{"text for integer", task(`"budget":{"max_tokens":"1"}`), []string{"#/budget/max_tokens type"}},
		{"fraction", task(`"budget":{"max_tokens":1.5}`), []string{"#/budget/max_tokens integer"}},
		{"integer beyond 2^53", task(`"budget":{"max_tokens":9007199254740992}`), []string{"#/budget/max_tokens integer"}},
		{"integer as 1e3", task(`"budget":{"max_tokens":1e3,"reserve_tokens":0}`), nil},
		{"free number that rounds", task(`"inputs":[{"name":"a","data":[0.1,9007199254740993,1e400]}]`), []string{"#/inputs/0/data/1 number", "#/inputs/0/data/2 number"}},
		{"blank goal", `{"schema_version":2,"goal":" \n\u00a0"}`, []string{"#/goal rule.notblank"}},
		{"long goal", `{"schema_version":2,"goal":"` + strings.Repeat("ä", 8193) + `"}`, []string{"#/goal rule.max"}},
		{"goal of 8192 runes", `{"schema_version":2,"goal":"` + strings.Repeat("ä", 8192) + `"}`, nil},
		{"too many labels", task(`"labels":{` + members(17) + `}`), []string{"#/labels rule.max"}},
		{"label key", task(`"labels":{"a b":"x"}`), []string{"#/labels/a%20b rule.ident"}},
		{"long label", task(`"labels":{"a":"` + strings.Repeat("x", 513) + `"}`), []string{"#/labels/a rule.max"}},
		{"input without name", task(`"inputs":[{"text":"x"}]`), []string{"#/inputs/0/name required"}},
		{"input name", task(`"inputs":[{"name":".a","text":"x"}]`), []string{"#/inputs/0/name rule.ident"}},
		{"inputs of one name", task(`"inputs":[{"name":"a","text":"x"},{"name":"b","text":"x"},{"name":"a","text":"x"}]`), []string{"#/inputs/2/name rule.unique"}},
		{"unique and element rules together", task(`"inputs":[{"name":"a","text":"x","uri":""},{"name":"a","text":"x"}]`), []string{"#/inputs/0/uri rule.uri", "#/inputs/1/name rule.unique"}},
		{"no content", task(`"inputs":[{"name":"a"}]`), []string{"#/inputs/0 exactly_one"}},
		{"two contents", task(`"inputs":[{"name":"a","text":"x","data":null}]`), []string{"#/inputs/0 exactly_one"}},
		{"empty text is a content", task(`"inputs":[{"name":"a","text":""}]`), nil},
		{"uri without digest", task(`"inputs":[{"name":"a","uri":"https://example.org/x"}]`), []string{"#/inputs/0/digest required_with"}},
		{"uri", task(`"inputs":[{"name":"a","uri":"example.org","digest":"` + zeroDigest + `"}]`), []string{"#/inputs/0/uri rule.uri"}},
		{"digest", task(`"inputs":[{"name":"a","uri":"urn:x","digest":"md5:0"}]`), []string{"#/inputs/0/digest rule.digest"}},
		{"digest of text", task(`"inputs":[{"name":"a","text":"x","digest":"` + string(contracts.DigestText("x")) + `"}]`), nil},
		{"digest of data, spelled differently", task(`"inputs":[{"name":"a","data":{"b":1.0,"a":[]},"digest":"` + digestJSON(`{"a":[],"b":1}`) + `"}]`), nil},
		{"wrong digest of text", task(`"inputs":[{"name":"a","text":"x","digest":"` + zeroDigest + `"}]`), []string{"#/inputs/0/digest digest.mismatch"}},
		{"wrong digest of data", task(`"inputs":[{"name":"a","data":1,"digest":"` + zeroDigest + `"}]`), []string{"#/inputs/0/digest digest.mismatch"}},
		{"media type", task(`"inputs":[{"name":"a","text":"x","media_type":"text"}]`), []string{"#/inputs/0/media_type rule.mediatype"}},
		{"media type with a parameter", task(`"inputs":[{"name":"a","text":"x","media_type":"text/csv; charset=utf-8; header=\"present\""}]`), nil},
		{"tool reference", task(`"allowed_tools":["a b","a@1","a@1.0.0-rc.1+b"]`), []string{"#/allowed_tools/0 rule.toolref", "#/allowed_tools/1 rule.toolref"}},
		{"tools twice", task(`"allowed_tools":["a","b","a","a"]`), []string{"#/allowed_tools/2 rule.unique", "#/allowed_tools/3 rule.unique"}},
		{"fallback", task(`"backend":{"fallback":"lsited"}`), []string{"#/backend/fallback rule.oneof"}},
		{"empty profile", task(`"profile":""`), []string{"#/profile rule.oneof"}},
		{"needs", task(`"backend":{"needs":["tools","smell"],"prefer":[" "],"seed":-1}`), []string{"#/backend/needs/1 rule.oneof", "#/backend/prefer/0 rule.notblank", "#/backend/seed rule.gte"}},
		{"budget rules", task(`"budget":{"max_tokens":0,"max_wall_ms":86400001,"branch_width":65,"warn_pct":100,"on_exhausted":"halt"}`), []string{
			"#/budget/branch_width rule.lte", "#/budget/max_tokens rule.gte", "#/budget/max_wall_ms rule.lte", "#/budget/on_exhausted rule.oneof", "#/budget/warn_pct rule.lte",
		}},
		{"one override alone", task(`"budget":{"max_active_ms":2000}`), nil},
		{"active over the profile's wall", task(`"profile":"tight","budget":{"max_active_ms":60001}`), []string{"#/budget/max_active_ms budget.active_over_wall"}},
		{"active over wall", task(`"budget":{"max_active_ms":2000,"max_wall_ms":1000}`), []string{"#/budget/max_active_ms budget.active_over_wall"}},
		{"active masked by wall", task(`"budget":{"max_active_ms":2000,"max_wall_ms":99}`), []string{"#/budget/max_wall_ms rule.gte"}},
		{"reserve with stop", task(`"budget":{"on_exhausted":"stop","reserve_tokens":10}`), []string{"#/budget/reserve_tokens budget.reserve_needs_finalize"}},
		{"reserve in the tight profile", task(`"profile":"tight","budget":{"reserve_tokens":10}`), []string{"#/budget/reserve_tokens budget.reserve_needs_finalize"}},
		{"reserve over tokens", task(`"budget":{"max_tokens":10,"reserve_tokens":10}`), []string{"#/budget/reserve_tokens budget.reserve_over_tokens"}},
		{"embedded version", task(`"budget":{"schema_version":2}`), nil},
		{"another embedded version", task(`"budget":{"schema_version":1}`), []string{"#/budget/schema_version rule.version"}},
		{"embedded version 0", task(`"budget":{"schema_version":0}`), []string{"#/budget/schema_version rule.version"}},
		{"nothing to verify", task(`"verification":{}`), []string{"#/verification verify.no_checks"}},
		{"target not allowed", task(`"allowed_tools":["b"],"verification":{"assertions":[{"id":"a","type":"tool_called","target":"tool:a"}]}`), []string{"#/verification/assertions/0/target target.not_allowed"}},
		{"target of another version", task(`"allowed_tools":["a@1.0.0"],"verification":{"assertions":[{"id":"a","type":"tool_called","target":"tool:a@2.0.0"}]}`), []string{"#/verification/assertions/0/target target.not_allowed"}},
		{"target allowed by version", task(`"allowed_tools":["a@1.0.0"],"verification":{"assertions":[{"id":"a","type":"tool_called","target":"tool:a"},{"id":"b","type":"tool_called","target":"tool:a@1.0.0","value":{"max":2}}]}`), nil},
		{"sequence not allowed", task(`"allowed_tools":["a"],"verification":{"assertions":[{"id":"a","type":"tool_sequence","value":["a","b"]}]}`), []string{"#/verification/assertions/0/value/1 target.not_allowed"}},
		{"masked by a broken tool", task(`"allowed_tools":["a b"],"verification":{"assertions":[{"id":"a","type":"tool_called","target":"tool:a"}]}`), []string{"#/allowed_tools/0 rule.toolref"}},
	},
	"budget": {
		{"reserve of a budget that stops", `{"schema_version":2,"on_exhausted":"stop","reserve_tokens":1}`, []string{"#/reserve_tokens budget.reserve_needs_finalize"}},
		{"valid", `{"schema_version":2}`, nil},
		{"over balanced", `{"schema_version":2,"max_wall_ms":1000,"max_active_ms":1001}`, []string{"#/max_active_ms budget.active_over_wall"}},
		{"seconds", `{"schema_version":2,"time_s":10}`, []string{"#/time_s unknown_field"}},
		{"without a version", `{}`, []string{"#/schema_version required"}},
	},
	"verifycontract": {
		{"valid", assertion(`"type":"equals","value":null`), nil},
		{"without a version", `{"assertions":[{"id":"a","type":"equals","value":1}]}`, []string{"#/schema_version required"}},
		{"no checks", `{"schema_version":2}`, []string{"# verify.no_checks"}},
		{"refuse over pass", `{"schema_version":2,"pass_at":0.5,"refuse_below":0.6,"assertions":[{"id":"a","type":"equals","value":1}]}`, []string{"#/refuse_below verify.refuse_over_pass"}},
		{"thresholds", `{"schema_version":2,"pass_at":1.1,"refuse_below":-0.1,"assertions":[{"id":"a","type":"equals","value":1}]}`, []string{"#/pass_at rule.lte", "#/refuse_below rule.gte"}},
		{"threshold that rounds", `{"schema_version":2,"pass_at":0.80000000000000000001,"assertions":[{"id":"a","type":"equals","value":1}]}`, []string{"#/pass_at number"}},
		{"threshold as text", `{"schema_version":2,"pass_at":"0.8","assertions":[{"id":"a","type":"equals","value":1}]}`, []string{"#/pass_at type"}},
		{"ids", `{"schema_version":2,"assertions":[{"id":"a","type":"equals","value":1},{"id":"a","type":"equals","value":1}]}`, []string{"#/assertions/1/id rule.unique"}},
		{"type", assertion(`"type":"equal","value":1`), []string{"#/assertions/0/type rule.oneof"}},
		{"target", assertion(`"type":"equals","target":"input","value":1`), []string{"#/assertions/0/target rule.target"}},
		{"pointer of a target", assertion(`"type":"equals","target":"output#/a~2","value":1`), []string{"#/assertions/0/target rule.target"}},
		{"equals without value", assertion(`"type":"equals"`), []string{"#/assertions/0/value value.shape"}},
		{"contains", assertion(`"type":"contains","value":""`), []string{"#/assertions/0/value value.shape"}},
		{"contains in usage", assertion(`"type":"contains","target":"usage","value":"x"`), []string{"#/assertions/0/target target.type"}},
		{"matches", assertion(`"type":"matches","value":"(a"`), []string{"#/assertions/0/value value.regexp"}},
		{"matches of a large expression", assertion(`"type":"matches","value":"((a{100}){100}){10}"`), []string{"#/assertions/0/value value.regexp"}},
		{"matches by number", assertion(`"type":"matches","value":1`), []string{"#/assertions/0/value value.shape"}},
		{"schema", assertion(`"type":"json_schema","value":{"type":"strin"}`), []string{"#/assertions/0/value/type schema.invalid"}},
		{"schema by text", assertion(`"type":"json_schema","value":"object"`), []string{"#/assertions/0/value value.shape"}},
		{"schema of a number", assertion(`"type":"json_schema","value":{"type":"number"}`), nil},
		{"length", assertion(`"type":"length","value":{}`), []string{"#/assertions/0/value value.shape"}},
		{"length below zero", assertion(`"type":"length","value":{"min":-1}`), []string{"#/assertions/0/value value.shape"}},
		{"length upside down", assertion(`"type":"length","value":{"min":2,"max":1}`), []string{"#/assertions/0/value/min value.min_over_max"}},
		{"calls of the output", assertion(`"type":"tool_called"`), []string{"#/assertions/0/target target.type"}},
		{"calls at a pointer", assertion(`"type":"tool_called","target":"tool:a#/x"`), []string{"#/assertions/0/target target.type"}},
		{"calls", assertion(`"type":"tool_called","target":"tool:a","value":{"max":0}`), nil},
		{"sequence", assertion(`"type":"tool_sequence","value":["a b"]`), []string{"#/assertions/0/value value.shape"}},
		{"empty sequence", assertion(`"type":"tool_sequence","value":[]`), []string{"#/assertions/0/value value.shape"}},
		{"sequence by text", assertion(`"type":"tool_sequence","value":"a"`), []string{"#/assertions/0/value value.shape"}},
		{"sequence on a target", assertion(`"type":"tool_sequence","target":"usage","value":["a"]`), []string{"#/assertions/0/target target.type"}},
		{"usage", assertion(`"type":"usage_max","target":"usage#/tokens","value":{"limit":1}`), []string{"#/assertions/0/target target.type"}},
		{"usage limit", assertion(`"type":"usage_max","target":"usage#/tokens_in","value":{"limit":-1}`), []string{"#/assertions/0/value value.shape"}},
		{"usage valid", assertion(`"type":"usage_max","target":"usage#/tokens_in","value":{"limit":1.5}`), nil},
		{"calls by text", assertion(`"type":"tool_called","target":"tool:a","value":"once"`), []string{"#/assertions/0/value value.shape"}},
		{"weight with must", assertion(`"type":"equals","value":1,"weight":2`), []string{"#/assertions/0/weight only_with"}},
		{"weight with should", assertion(`"type":"equals","value":1,"severity":"should","weight":2`), nil},
		{"value with two problems", assertion(`"type":"equals","value":{"a":1,"a":1e999}`), []string{"#/assertions/0/value/a duplicate_key"}},
		{"rubric", scorer(`"type":"rubric"`), []string{"#/scorers/0/rubric required_with"}},
		{"nothing to compare with", scorer(`"type":"similarity"`), []string{"#/scorers/0/reference required_with"}},
		{"no labels", scorer(`"type":"label"`), []string{"#/scorers/0/labels required_with", "#/scorers/0/passing_labels required_with"}},
		{"reference", scorer(`"type":"exact","rubric":"x","labels":["a"]`), []string{"#/scorers/0/labels only_with", "#/scorers/0/reference required_with", "#/scorers/0/rubric only_with"}},
		{"labels", scorer(`"type":"label","labels":["a","b"],"passing_labels":["a","c"]`), []string{"#/scorers/0/passing_labels/1 verify.passing_label"}},
		{"samples", scorer(`"type":"similarity","reference":"","samples":2,"floor":1.5,"weight":0`), []string{"#/scorers/0/floor rule.lte", "#/scorers/0/samples rule.oneof", "#/scorers/0/weight rule.gte"}},
	},
	"toolspec": {
		{"valid", tool(``), nil},
		{"required", `{"schema_version":2}`, []string{"#/description required", "#/effect required", "#/input_schema required", "#/name required", "#/version required"}},
		{"name", tool(`"name":"a.b"`), []string{"#/name rule.toolname"}},
		{"version", tool(`"version":"1.0"`), []string{"#/version rule.semver"}},
		{"schema root", tool(`"input_schema":{"type":"array"}`), []string{"#/input_schema schema.root"}},
		{"schema of any type", tool(`"input_schema":true`), []string{"#/input_schema schema.root"}},
		{"schema type in capitals", tool(`"input_schema":{"TYPE":"object"}`), []string{"#/input_schema schema.root"}},
		{"schema by text", tool(`"input_schema":"object"`), []string{"#/input_schema schema.root"}},
		{"output schema", tool(`"output_schema":{"properties":{"a":{"minimum":"1"}}}`), []string{"#/output_schema/properties/a/minimum schema.invalid"}},
		{"output schema by number", tool(`"output_schema":5`), []string{"#/output_schema schema.invalid"}},
		{"schema reference", tool(`"input_schema":{"type":"object","properties":{"a":{"$ref":"https://example.org/a.json"}}}`), []string{"#/input_schema/properties/a/$ref schema.ref"}},
		{"schema reference to nothing", tool(`"input_schema":{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}}}`), []string{"#/input_schema/properties/a/$ref schema.invalid"}},
		{"schema anchor of nothing", tool(`"input_schema":{"type":"object","properties":{"a":{"$ref":"#a"}}}`), []string{"#/input_schema schema.invalid"}},
		{"schema reference in an enum", tool(`"input_schema":{"type":"object","enum":[{"$ref":"https://example.org"}],"properties":{"enum":{"$ref":"#/properties/enum"}}}`), nil},
		{"schema dialect", tool(`"input_schema":{"type":"object","$schema":"http://json-schema.org/draft-07/schema#"}`), []string{"#/input_schema/$schema schema.invalid"}},
		{"schema id", tool(`"input_schema":{"type":"object","properties":{"a":{"$id":"https://example.org/a"}}}`), []string{"#/input_schema/properties/a/$id schema.ref"}},
		{"schema expression", tool(`"input_schema":{"type":"object","patternProperties":{"(":true},"properties":{"a":{"pattern":"(?=a)"}}}`), []string{"#/input_schema/patternProperties/( value.regexp", "#/input_schema/properties/a/pattern value.regexp"}},
		{"schema size", tool(`"input_schema":{"type":"object","description":"` + strings.Repeat("x", 65536) + `"}`), []string{"#/input_schema schema.size"}},
		{"schema with many parts", tool(`"input_schema":{"type":"object","anyOf":[` + strings.Repeat("{},", 1000) + `{}]}`), []string{"#/input_schema schema.size"}},
		{"never", tool(`"approval":"never"`), []string{"#/approval tool.gate_never"}},
		{"never for a destructive tool", tool(`"approval":"never","trust":"trusted","effect":"destructive"`), []string{"#/approval tool.gate_never"}},
		{"never for a reviewed tool", tool(`"approval":"never","trust":"reviewed"`), nil},
		{"attempts", tool(`"effect":"write","limits":{"max_attempts":2}`), []string{"#/limits/max_attempts tool.attempts"}},
		{"attempts of an idempotent tool", tool(`"effect":"write","idempotent":true,"limits":{"max_attempts":2}`), nil},
		{"builtin transport", tool(`"transport":{"type":"builtin"}`), []string{"#/trust tool.builtin"}},
		{"builtin trust", tool(`"trust":"builtin"`), []string{"#/trust tool.builtin"}},
		{"builtin with auth", tool(`"trust":"builtin","transport":{"type":"builtin"},"auth":{"type":"mtls","secret_ref":"secret://a"}`), []string{"#/auth/type only_with"}},
		{"url", tool(`"transport":{"type":"http"}`), []string{"#/transport/url required_with"}},
		{"url without need", tool(`"transport":{"url":"https://example.org"}`), []string{"#/transport/url only_with"}},
		{"url in the clear", tool(`"transport":{"type":"mcp","url":"http://example.org/mcp"}`), []string{"#/transport/url rule.toolurl"}},
		{"url with a password", tool(`"transport":{"type":"mcp","url":"https://a:b@example.org/mcp"}`), []string{"#/transport/url rule.toolurl"}},
		{"url of loopback", tool(`"transport":{"type":"mcp","url":"http://127.0.0.1:8080/mcp?x=1"}`), nil},
		{"url of almost loopback", tool(`"transport":{"type":"mcp","url":"http://127.0.0.1.example.org/"}`), []string{"#/transport/url rule.toolurl"}},
		{"url of loopback, version 6", tool(`"transport":{"type":"mcp","url":"http://[::1]:1/"}`), nil},
		{"auth", tool(`"auth":{"type":"api_key"}`), []string{"#/auth/in required_with", "#/auth/name required_with", "#/auth/secret_ref required_with"}},
		{"secret", tool(`"auth":{"type":"http_bearer","secret_ref":"hunter2"}`), []string{"#/auth/secret_ref rule.secretref"}},
		{"secret", tool(`"auth":{"type":"mtls"}`), []string{"#/auth/secret_ref required_with"}},
		{"place of a key", tool(`"auth":{"type":"mtls","secret_ref":"secret://a","in":"header"}`), []string{"#/auth/in only_with"}},
		{"issuer", tool(`"auth":{"type":"oidc","secret_ref":"secret://a"}`), []string{"#/auth/issuer required_with"}},
		{"auth siblings", tool(`"auth":{"secret_ref":"secret://a/b","scopes":["a"],"issuer":"https://example.org"}`), []string{"#/auth/issuer only_with", "#/auth/scopes only_with", "#/auth/secret_ref only_with"}},
		{"oauth2", tool(`"auth":{"type":"oauth2","secret_ref":"secret://a/b","issuer":"https://example.org"}`), nil},
		{"redact", tool(`"redact":["/a","a","/a"]`), []string{"#/redact/1 rule.pointer", "#/redact/2 rule.unique"}},
		{"limits", tool(`"limits":{"timeout_ms":0,"max_result_bytes":524289}`), []string{"#/limits/max_result_bytes rule.lte", "#/limits/timeout_ms rule.gte"}},
	},
	"runevent": {
		{"valid", event("token", `{"id":"m","delta":"x","attempt":1,"channel":"answer"}`), nil},
		{"unknown type", event("tokens", `{}`), []string{"#/type rule.oneof"}},
		{"unknown field", event("token", `{"id":"m","delta":"x","dleta":"x"}`), []string{"#/data/dleta unknown_field"}},
		{"data before type", `{"data":{"id":""},"type":"token","schema_version":2,"run_id":"run_01","seq":0,"time":"2026-01-02T03:04:05Z","branch":""}`, []string{
			"#/branch rule.branch", "#/data/delta required", "#/data/id rule.handle", "#/run_id rule.runid", "#/seq rule.gte", "#/time time",
		}},
		{"data by text", event("token", `"x"`), []string{"#/data type"}},
		{"null data", event("token", `null`), []string{"#/data null"}},
		{"time by number", `{"schema_version":2,"run_id":"` + string(contractstest.RunID(1)) + `","seq":1,"time":5,"type":"token","data":{"id":"m","delta":"x"}}`, []string{"#/time type"}},
		{"queued", event("status", `{"state":"queued","reason":"submitted"}`), []string{"#/data/backend required_with", "#/data/limits required_with", "#/data/profile required_with", "#/data/task_digest required_with"}},
		{"running with a digest", event("status", `{"state":"running","reason":"started","task_digest":"`+zeroDigest+`","traceparent":"00-0-0-00","tools":{"a b":"x"}}`), []string{
			"#/data/task_digest only_with", "#/data/tools only_with", "#/data/tools/a%20b rule.digest", "#/data/tools/a%20b rule.toolref", "#/data/traceparent rule.traceparent",
		}},
		{"trace of zeros", event("status", `{"state":"running","reason":"started","traceparent":"00-00000000000000000000000000000000-0000000000000001-00"}`), []string{"#/data/traceparent rule.traceparent"}},
		{"approval", event("tool_start", `{"call_id":"c","tool":"a","args":{},"attempt":1,"gate":"ask"}`), []string{"#/data/approval required_with"}},
		{"approval id", event("approval", `{"id":"apr_1","call_id":"c","decision":"approved","args":{}}`), []string{"#/data/args only_with", "#/data/id rule.approvalid"}},
		{"warning", event("budget", `{"phase":"warn","used":{}}`), []string{
			"#/data/dimension required_with", "#/data/used/active_ms required", "#/data/used/branches required", "#/data/used/cost_microusd required",
			"#/data/used/reflections required", "#/data/used/tokens_cached required", "#/data/used/tokens_in required", "#/data/used/tokens_out required",
			"#/data/used/tokens_reasoning required", "#/data/used/tool_calls required", "#/data/used/wall_ms required",
		}},
		{"empty thought", event("thought", `{}`), []string{"#/data/delta required", "#/data/id required"}},
		{"empty token", event("token", `{}`), []string{"#/data/delta required", "#/data/id required"}},
		{"empty tool end", event("tool_end", `{}`), []string{"#/data/call_id required", "#/data/receipt required", "#/data/status required"}},
		{"empty verdict", event("verdict", `{}`), []string{"#/data/message_id required", "#/data/outcome required", "#/data/output_hash required", "#/data/pass required", "#/data/results required"}},
		{"empty end", event("done", `{}`), []string{"#/data/receipts required", "#/data/receipts_head required", "#/data/status required", "#/data/used required"}},
		{"warning of nothing", event("budget", `{"phase":"warn","used":`+noUse+`}`), []string{"#/data/dimension required_with"}},
		{"reading of a dimension", event("budget", `{"phase":"tick","dimension":"tokens","used":`+noUse+`}`), []string{"#/data/dimension only_with"}},
		{"reserve with stop", event("status", `{"state":"queued","reason":"submitted","task_digest":"`+zeroDigest+`","profile":"tight","backend":"local","limits":`+
			`{"max_tokens":5,"max_wall_ms":100,"max_active_ms":100,"branch_width":1,"reflection_passes":0,"max_tool_calls":0,"max_cost_microusd":0,"warn_pct":1,`+
			`"on_exhausted":"stop","reserve_tokens":1}}`), []string{"#/data/limits/reserve_tokens budget.reserve_needs_finalize"}},
		{"edited without args", event("approval", `{"id":"`+string(contractstest.ApprovalID(1))+`","call_id":"c","decision":"edited"}`), []string{"#/data/args required_with"}},
		{"approved with args", event("approval", `{"id":"`+string(contractstest.ApprovalID(1))+`","call_id":"c","decision":"approved","args":null}`), []string{"#/data/args only_with"}},
		{"error", event("error", `{"type":"/problems/internal","title":"x","status":200,"errors":[{"pointer":"#","code":"x","detail":"x","params":{"a":[1,null]}}]}`), []string{"#/data/status rule.gte"}},
		{"error with a hostile param", event("error", `{"type":"/problems/internal","title":"x","status":500,"errors":[{"pointer":"#","code":"x","detail":"x","params":{"a":1e999}}]}`), []string{"#/data/errors/0/params/a number"}},
	},
}

// requestRows are documents of the request bodies.
var requestRows = []struct {
	name   string
	decode func([]byte) error
	doc    string
	want   []string
}{
	{"answer", decode[contracts.Answer], `{"message_id":"m","text":""}`, nil},
	{"answer of another version", decode[contracts.Answer], `{"schema_version":9,"message_id":"m","text":""}`, []string{"#/schema_version unsupported_version"}},
	{"answer in bytes", decode[contracts.Answer], `{"message_id":"m","text":"` + strings.Repeat("ä", 262145) + `"}`, []string{"#/text rule.maxbytes"}},
	{"cancel", decode[contracts.CancelRequest], `{}`, nil},
	{"cancel by text", decode[contracts.CancelRequest], `"stop"`, []string{"# type"}},
	{"edit without args", decode[contracts.ApprovalDecision], `{"decision":"edit"}`, []string{"#/args required_with"}},
	{"edit", decode[contracts.ApprovalDecision], `{"decision":"edit","args":{"a":null}}`, nil},
	{"approve with args", decode[contracts.ApprovalDecision], `{"decision":"approve","args":{}}`, []string{"#/args only_with"}},
	{"approved", decode[contracts.ApprovalDecision], `{"decision":"approved","args":{}}`, []string{"#/decision rule.oneof"}},
	{"fork", decode[contracts.ForkRequest], `{"seq":1,"task":` + task(`"inputs":[{"name":"a"}]`) + `}`, []string{"#/task/inputs/0 exactly_one"}},
	{"fork without a version in the task", decode[contracts.ForkRequest], `{"seq":1,"task":{"goal":"x"}}`, []string{"#/task/schema_version required"}},
	{"claim", decode[contracts.ClaimRequest], `{"backend":" ","wait_ms":30001}`, []string{"#/backend rule.notblank", "#/wait_ms rule.lte"}},
}

func decode[T any](doc []byte) error {
	_, err := contracts.Decode[T](doc)
	return err
}

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func members(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"k%d":"v"`, i))
	}
	return strings.Join(list, ",")
}

func digestJSON(doc string) string {
	d, err := contracts.DigestJSON([]byte(doc))
	if err != nil {
		panic(err)
	}
	return string(d)
}

// found returns what a problem lists, as "pointer code".
func found(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var p *contracts.Problem
	if !errors.As(err, &p) {
		t.Fatalf("error %T is not a problem: %v", err, err)
	}
	var list []string
	for _, e := range p.Errors {
		if e.Detail == "" || strings.ContainsAny(e.Detail, "{}") && e.Code != contracts.CodeValueShape {
			t.Errorf("%s has the detail %q", e.Code, e.Detail)
		}
		list = append(list, e.Pointer+" "+string(e.Code))
	}
	return list
}

func TestDecode(t *testing.T) {
	for kind, list := range rows {
		for _, r := range list {
			t.Run(kind+"/"+r.name, func(t *testing.T) {
				err := contracts.Validate(contracts.Kind(kind), []byte(r.doc))
				if got := found(t, err); !slices.Equal(got, r.want) {
					t.Errorf("got  %q\nwant %q\n%s", got, r.want, contractstest.Document(err))
				}
			})
		}
	}
	for _, r := range requestRows {
		t.Run("request/"+r.name, func(t *testing.T) {
			if got := found(t, r.decode([]byte(r.doc))); !slices.Equal(got, r.want) {
				t.Errorf("got  %q\nwant %q", got, r.want)
			}
		})
	}
}

// TestEveryCodeHasARow keeps the rows complete: a code that no document can bring about has no place in the list.
func TestEveryCodeHasARow(t *testing.T) {
	elsewhere := []contracts.Code{
		contracts.CodeBatch, contracts.CodeVersionLoss, contracts.CodeToolUnknown, contracts.CodeOverCeiling,
		contracts.CodeSchemaMismatch, contracts.CodeSchemaSteps,
		contracts.CodeInvariant, contracts.CodeAnswerMismatch, contracts.CodeHidden, contracts.CodeToolReserved,
		contracts.CodeEngineUnknown, contracts.CodeEngineUnavailable, contracts.CodeEngineNeeds,
		contracts.CodeEngineTransport, contracts.CodeEngineJudge,
		contracts.CodePlanMissing, contracts.CodePlanStep, contracts.CodePlanReference, contracts.CodePlanCycle,
		contracts.CodePlanTemplate, contracts.CodePlanSensitive,
	}
	var have []string
	for _, list := range rows {
		for _, r := range list {
			have = append(have, r.want...)
		}
	}
	for _, r := range requestRows {
		have = append(have, r.want...)
	}
	for _, info := range contracts.Codes() {
		shown := slices.ContainsFunc(have, func(want string) bool { return strings.HasSuffix(want, " "+string(info.Code)) })
		if !shown && !slices.Contains(elsewhere, info.Code) {
			t.Errorf("no row brings about %s", info.Code)
		}
	}
}

func TestDecodeFillsInDefaults(t *testing.T) {
	got, err := contracts.Decode[contracts.ToolSpec]([]byte(tool(`"auth":{}`)))
	if err != nil {
		t.Fatal(err)
	}
	want := &contracts.ToolSpec{
		SchemaVersion: 2, Name: "t", Version: "1.0.0", Description: "A tool.",
		InputSchema: json.RawMessage(`{"type":"object"}`), Effect: contracts.EffectRead,
		OpenWorld: true, Transport: contracts.Transport{Type: contracts.TransportEngine},
		Auth: contracts.Auth{Type: contracts.AuthNone}, Trust: contracts.TrustUntrusted, Approval: contracts.ApprovalAuto,
		Limits: contracts.ToolLimits{TimeoutMS: 30_000, MaxAttempts: 1, MaxResultBytes: 65_536},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDecodeSharesNoMemory(t *testing.T) {
	doc := []byte(task(`"inputs":[{"name":"a","data":{"x":"y"}}],"labels":{"k":"v"}`))
	got, err := contracts.Decode[contracts.TaskSpec](doc)
	if err != nil {
		t.Fatal(err)
	}
	clear(doc)
	if string(got.Inputs[0].Data) != `{"x":"y"}` || got.Labels["k"] != "v" || got.Inputs[0].Name != "a" {
		t.Errorf("the value changed with the bytes: %+v", got)
	}
}

// TestProblem shows a whole problem: title, status, detail, params, offsets, related fields.
func TestProblem(t *testing.T) {
	doc := `{"schema_version":2,"gaol":"x","goal":"x","budget":{"max_tokens": 0,"max_wall_ms":200,"max_active_ms":300}}`
	_, err := contracts.Decode[contracts.TaskSpec]([]byte(doc))
	const want = `{"type":"/problems/invalid-document","title":"TaskSpec is invalid","status":422,"detail":"3 problems",` +
		`"schema":"taskspec/v2","truncated":false,"errors":[` +
		`{"pointer":"#/budget/max_active_ms","code":"budget.active_over_wall","detail":"max_active_ms must be at most max_wall_ms, which is 200 here","params":{"max":200},"offset":102,"related":["#/budget/max_wall_ms"]},` +
		`{"pointer":"#/budget/max_tokens","code":"rule.gte","detail":"must be at least 1","params":{"min":1},"offset":66},` +
		`{"pointer":"#/gaol","code":"unknown_field","detail":"unknown field","params":{"did_you_mean":"goal"},"offset":20}]}`
	if got := string(contractstest.Document(err)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUnsupportedVersion(t *testing.T) {
	inputs, others := []int{contracts.Version - 1, contracts.Version}, []int{contracts.Version}
	for name, c := range map[string]struct {
		decode    func([]byte) error
		doc       string
		requested int64
		pointer   string
		supported []int
	}{
		"a task":              {decode[contracts.TaskSpec], `{"gaol":1,"schema_version":9}`, 9, "#/schema_version", inputs},
		"a task of version 0": {decode[contracts.TaskSpec], `{"schema_version":0}`, 0, "#/schema_version", inputs},
		"a budget":            {decode[contracts.Budget], `{"schema_version":3}`, 3, "#/schema_version", inputs},
		"a contract":          {decode[contracts.VerifyContract], `{"schema_version":-1}`, -1, "#/schema_version", inputs},
		"a tool":              {decode[contracts.ToolSpec], `{"schema_version":3}`, 3, "#/schema_version", inputs},
		"a task in a request": {decode[contracts.ForkRequest], `{"seq":0,"task":{"schema_version":3}}`, 3, "#/task/schema_version", inputs},
		"a request":           {decode[contracts.ForkRequest], `{"schema_version":1,"seq":1}`, 1, "#/schema_version", others},
		"an event":            {decode[contracts.RunEvent], `{"schema_version":1}`, 1, "#/schema_version", others},
		"an engine's line": {func(doc []byte) error {
			_, err := contracts.DecodeEngineEvents(doc)
			return err
		}, `{"schema_version":1}`, 1, "#/0/schema_version", others},
	} {
		t.Run(name, func(t *testing.T) {
			var p *contracts.Problem
			if err := c.decode([]byte(c.doc)); !errors.As(err, &p) || !p.Has(contracts.ProblemUnsupportedVersion) || p.Status != 400 {
				t.Fatalf("got %v", err)
			}
			if p.Requested == nil || *p.Requested != c.requested || !slices.Equal(p.Supported, c.supported) {
				t.Errorf("requested %v, supported %v", p.Requested, p.Supported)
			}
			if len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer || p.Errors[0].Offset == nil {
				t.Errorf("errors %+v", p.Errors)
			}
		})
	}
}

func TestStatusOfProblems(t *testing.T) {
	for doc, want := range map[string]contracts.ProblemType{
		`{`:                                 contracts.ProblemMalformed,
		strings.Repeat(" ", 1<<20+1):        contracts.ProblemTooLarge,
		`{"schema_version":1}`:              contracts.ProblemInvalidDocument,
		`{"schema_version":3}`:              contracts.ProblemUnsupportedVersion,
		`{"schema_version":2}`:              contracts.ProblemInvalidDocument,
		strings.Repeat("[", 40) + "garbage": contracts.ProblemInvalidDocument,
	} {
		_, err := contracts.Decode[contracts.TaskSpec]([]byte(doc))
		var p *contracts.Problem
		if !errors.As(err, &p) || !p.Has(want) {
			t.Errorf("%.20s: got %v, want %s", doc, err, want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	for doc, want := range map[string]any{
		task(`"label":{}`):                          "labels",
		task(`"Profile":"max"`):                     "profile",
		task(`"allowed_tool":[]`):                   "allowed_tools",
		task(`"bugdet":{}`):                         "budget",
		task(`"something_else":1`):                  nil,
		task(`"` + strings.Repeat("x", 65) + `":1`): nil,
		task(`"profile":"balancd"`):                 "balanced",
		task(`"profile":"Max"`):                     "max",
		task(`"profile":"xyz"`):                     nil,
	} {
		_, err := contracts.Decode[contracts.TaskSpec]([]byte(doc))
		var p *contracts.Problem
		if !errors.As(err, &p) || len(p.Errors) != 1 {
			t.Fatalf("%s: %v", doc, err)
		}
		if got := p.Errors[0].Params["did_you_mean"]; got != want {
			t.Errorf("%s: did you mean %v, want %v", doc, got, want)
		}
	}
}

// TestProblemsNeverEchoValues puts a secret into every text of a document.
func TestProblemsNeverEchoValues(t *testing.T) {
	const secret = "hunter2 is no id"
	doc := strings.ReplaceAll(`{"schema_version":2,"goal":5,"profile":"S","inputs":[{"name":"S","uri":"S","digest":"S","media_type":"S"}],
		"allowed_tools":["S"],"backend":{"fallback":"S","needs":["S"]},"verification":{"pass_at":"S","assertions":[{"id":"S","type":"S","target":"S","value":"S"}]}}`, "S", secret)
	_, err := contracts.Decode[contracts.TaskSpec]([]byte(doc))
	if err == nil {
		t.Fatal("valid")
	}
	if got := string(contractstest.Document(err)); strings.Contains(got, "hunter2") {
		t.Errorf("the problem echoes the document: %s", got)
	}
}
