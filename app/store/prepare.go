package store

import (
	"strings"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// Prepare judges small documents of the contracts, one contract each time when the browser has nothing else to do, and
// then calls ready. The first document that a program judges costs tens of milliseconds: its rules are compiled from the
// struct tags, and the browser compiles each WebAssembly function when it is first called. After Prepare the reader's
// own first document costs little more than any other. What each contract took is the measure "prepare CONTRACT".
func Prepare(ctx goapp.Context, kinds []contracts.Kind, ready func(goapp.Context)) {
	ctx.Async(func() {
		for _, kind := range kinds {
			for _, document := range preparations(kind) {
				untilIdle()
				measured("prepare "+string(kind), func() { _ = contracts.Validate(kind, []byte(document)) })
			}
		}
		ctx.Dispatch(ready)
	})
}

// preparations returns documents that between them need most of a contract's rules: one that keeps them, and one that
// breaks some, since what a reader types is mostly not whole yet.
func preparations(kind contracts.Kind) []string {
	digest := "sha256:" + strings.Repeat("0", 64)
	const checks = `"assertions":[{"id":"a","type":"contains","target":"output#/a","value":"b"},{"id":"b","type":"tool_called","target":"tool:a"},` +
		`{"id":"c","type":"json_schema","value":{"type":"object"}}],` +
		`"scorers":[{"id":"a","type":"exact","reference":"b"}]}`
	switch kind {
	case contracts.KindBudget:
		return []string{`{"schema_version":2,"max_tokens":9,"max_wall_ms":500,"on_exhausted":"stop"}`, `{"max_token":0,"warn_pct":0}`}
	case contracts.KindVerifyContract:
		return []string{`{"schema_version":2,` + checks, `{"schema_version":2,"pass_at":2}`}
	case contracts.KindToolSpec:
		return []string{`{"schema_version":2,"name":"a","version":"1.0.0","description":"b","input_schema":{"type":"object"},"effect":"read",` +
			`"transport":{"type":"http","url":"https://a.example"},"auth":{"type":"http_bearer","secret_ref":"secret://a"},"redact":["/a"]}`}
	case contracts.KindRunEvent:
		return []string{`{"schema_version":2,"run_id":"run_01kdy700000000000000000001","seq":1,"time":"2026-01-02T03:04:05.678Z",` +
			`"type":"token","data":{"id":"a","delta":"b"}}`}
	case contracts.KindTaskSpec:
	}
	return []string{
		`{"schema_version":2,"goal":"a","inputs":[{"name":"a","text":"b","media_type":"text/plain"},{"name":"b","data":[1.5,null]},` +
			`{"name":"c","uri":"https://a.example","digest":"` + digest + `"}],"allowed_tools":["a","b@1.0.0"],` +
			`"backend":{"prefer":["local"],"needs":["tools"]},"labels":{"a":"b"},"verification":{` + checks + `}`,
		`{"schema_version":2,"gaol":1,"profile":"mx"}`,
	}
}
