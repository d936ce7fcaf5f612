package contractstest

import (
	"fmt"
	"strings"

	"axiom25/contracts"
)

// ValidDocuments returns valid documents of a contract's current version that between them have every field.
func ValidDocuments(kind contracts.Kind) [][]byte {
	var docs [][]byte
	switch kind {
	case contracts.KindTaskSpec:
		for _, run := range Runs() {
			docs = append(docs, Document(run.Task))
		}
	case contracts.KindBudget:
	case contracts.KindVerifyContract:
		docs = append(docs, Document(VerifyContract(func(c *contracts.VerifyContract) { c.SchemaVersion = contracts.Version })))
	case contracts.KindToolSpec:
		docs = append(docs, Document(ToolSpec()), Document(EngineTool("publish")))
	case contracts.KindRunEvent:
		for _, run := range Runs() {
			for _, ev := range run.Events {
				docs = append(docs, Document(ev))
			}
		}
	}
	for _, doc := range richDocuments[kind] {
		docs = append(docs, []byte(doc))
	}
	return docs
}

// event returns the first event of a run.
func event(kind, data string) string {
	return fmt.Sprintf(`{"schema_version":2,"run_id":%q,"seq":1,"time":"2026-01-02T03:04:05.678Z","type":%q,"data":%s}`,
		RunID(1), kind, data)
}

// richDocuments are valid and have the fields that are rare elsewhere.
var richDocuments = map[contracts.Kind][]string{
	contracts.KindTaskSpec: {
		`{"schema_version":2,"goal":"a","inputs":[{"name":"t","text":"x","media_type":"text/plain; charset=utf-8","sensitive":true},` +
			`{"name":"u","uri":"https://example.com/a","digest":"sha256:` + strings.Repeat("0a", 32) + `"},{"name":"d","data":null}],` +
			`"allowed_tools":["a","b@1.0.0"],"backend":{"prefer":["local","x"],"fallback":"any","needs":["tools","vision"],"seed":7},` +
			`"profile":"max","budget":{"schema_version":2,"max_tokens":5000,"max_wall_ms":4000,"max_active_ms":3000,"branch_width":2,` +
			`"reflection_passes":1,"max_tool_calls":3,"max_cost_microusd":0,"warn_pct":50,"on_exhausted":"finalize","reserve_tokens":10},` +
			`"verification":{"scorers":[{"id":"s","type":"exact","reference":"42"}]},"labels":{"team":"a","x.y":""}}`,
		`{"schema_version":2,"goal":"a","profile":"tight","budget":{"on_exhausted":"finalize","reserve_tokens":10}}`,
		`{"schema_version":2,"goal":"a","allowed_tools":["a"],"verification":{"schema_version":2,"assertions":[` +
			`{"id":"a","type":"tool_called","target":"tool:a"},{"id":"b","type":"tool_sequence","value":["a"]}]}}`,
	},
	contracts.KindBudget: {
		`{"schema_version":2}`,
		`{"schema_version":2,"max_tokens":5000,"max_wall_ms":4000,"max_active_ms":3000,"branch_width":2,"reflection_passes":1,` +
			`"max_tool_calls":3,"max_cost_microusd":0,"warn_pct":50,"on_exhausted":"finalize","reserve_tokens":10}`,
		`{"schema_version":2,"on_exhausted":"stop","max_tokens":1}`,
		`{"schema_version":2,"max_active_ms":2000,"reserve_tokens":0}`,
	},
	contracts.KindVerifyContract: {
		`{"schema_version":2,"assertions":[{"id":"a","type":"equals","value":null,"negate":true,"severity":"should","weight":3},` +
			`{"id":"b","type":"contains","target":"tool:t@1.0.0#/rows/0","value":"x"},{"id":"c","type":"matches","value":"^a+$"},` +
			`{"id":"d","type":"json_schema","value":{"type":"object","properties":{"a":{"$ref":"#/$defs/b"}},"$defs":{"b":{"minimum":1,"pattern":"^x$"}}}},` +
			`{"id":"e","type":"length","value":{"min":1,"max":5}},{"id":"f","type":"tool_called","target":"tool:t#","value":{"min":1}},` +
			`{"id":"g","type":"tool_sequence","value":["t","t@1.0.0"]},{"id":"h","type":"usage_max","target":"usage#/tokens_out","value":{"limit":10.5}}]}`,
		`{"schema_version":2,"scorers":[{"id":"a","type":"exact","reference":""},{"id":"b","type":"similarity","reference":"x","floor":0.5},` +
			`{"id":"c","type":"rubric","rubric":"Is it kind?","backend":"judge","samples":5},` +
			`{"id":"d","type":"label","labels":["good","bad"],"passing_labels":["good"],"weight":1000}],"pass_at":0.5,"refuse_below":0.25,` +
			`"on_error":"refuse","on_model_refusal":"accept","release":"verified"}`,
		`{"schema_version":2,"assertions":[],"scorers":[{"id":"a","type":"exact","reference":"","labels":[],"rubric":""}]}`,
		`{"schema_version":2,"assertions":[{"id":"d","type":"json_schema","value":true}]}`,
	},
	contracts.KindToolSpec: {
		`{"schema_version":2,"name":"t","version":"1.0.0-rc.1+b","description":"A tool.","input_schema":{"type":"object","properties":{"a":{"type":"string"}}},` +
			`"output_schema":{"type":["array","null"],"items":{"enum":[1]}},"effect":"write","idempotent":true,"open_world":false,` +
			`"transport":{"type":"http","url":"https://example.com:8443/x"},"auth":{"type":"api_key","secret_ref":"secret://vault/key","in":"header","name":"X-Key"},` +
			`"trust":"reviewed","approval":"never","limits":{"timeout_ms":1,"max_attempts":5,"max_result_bytes":524288},"redact":["/a/0","/b~1c",""]}`,
		`{"schema_version":2,"name":"t","version":"1.0.0","description":"A tool.","input_schema":{"type":"object"},"effect":"read",` +
			`"transport":{"type":"mcp","url":"http://127.0.0.1:9/"},"auth":{"type":"oauth2","secret_ref":"secret://a","issuer":"https://example.com","scopes":["a","b"]},` +
			`"limits":{"max_attempts":2}}`,
		`{"schema_version":2,"name":"t","version":"1.0.0","description":"A tool.","input_schema":{"type":"object"},"effect":"destructive",` +
			`"auth":{"type":"mtls","secret_ref":"secret://a/b"},"trust":"trusted","approval":"always"}`,
	},
	contracts.KindRunEvent: {
		event("status", `{"state":"queued","reason":"submitted","task_digest":"sha256:`+strings.Repeat("0a", 32)+`","limits":{"max_tokens":5,`+
			`"max_wall_ms":100,"max_active_ms":100,"branch_width":1,"reflection_passes":0,"max_tool_calls":0,"max_cost_microusd":0,"warn_pct":1,`+
			`"on_exhausted":"finalize","reserve_tokens":1},"profile":"tight","release":"verified","backend":"external","tools":{"a@1.0.0":"sha256:`+
			strings.Repeat("0a", 32)+`"},"forked_from":{"run_id":"run_01kdy700000000000000000001","seq":5},`+
			`"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}`),
		event("error", `{"type":"/problems/internal","title":"a","status":500,"detail":"b","schema":"taskspec/v2","truncated":true,"errors":`+
			`[{"pointer":"#/a","code":"b","detail":"c","params":{"a":null},"offset":1,"related":["#/b"]}],"requested":1,"supported":[2,1],`+
			`"expected":5,"request_id":"x","fatal":true,"retry":"retrying","retry_after_ms":5,"call_id":"c1"}`),
		event("done", `{"status":"succeeded","message_id":"m","output":"","output_hash":"sha256:`+strings.Repeat("0a", 32)+`","verdict_seq":5,"used":`+
			`{"tokens_in":1,"tokens_out":1,"tokens_cached":0,"tokens_reasoning":0,"wall_ms":1,"active_ms":1,"tool_calls":0,"branches":1,`+
			`"reflections":0,"cost_microusd":0},"receipts":0,"receipts_head":"sha256:`+strings.Repeat("0a", 32)+`"}`),
	},
}
