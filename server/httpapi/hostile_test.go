package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"axiom25/contracts"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// canary is a word that requests carry and no answer may repeat.
const canary = "canary7"

// hostile is a request that must be refused.
type hostile struct {
	name, method, path, body string
	headers                  []string
}

// hostiles are requests against a house with these runs: one that is queued, one that is running, one that has
// ended, one whose call waits for a human, one whose call was decided.
func hostiles(h *house) []hostile {
	queued := "/runs/" + h.create("").String()
	running := "/runs/" + h.create("").String()
	h.report(contracts.RunID(strings.TrimPrefix(running, "/runs/")),
		line("tool_start", `{"call_id":"denied","tool":"none","args":{}}`), `{"schema_version":2,"type":"token","data":{"id":"f","delta":"x","final":true}}`)
	endedID := h.create("")
	h.finish(endedID)
	ended := "/runs/" + endedID.String()
	waitingID, waitingApproval := h.ask()
	waiting := "/runs/" + waitingID.String()
	decidedID, decidedApproval := h.ask()
	decided := "/runs/" + decidedID.String()
	if a := h.do("POST", decided+"/approvals/"+decidedApproval.String(), `{"decision":"deny"}`); a.status != 204 {
		h.t.Fatalf("decide: %d %s", a.status, a.body)
	}
	verified := "/runs/" + h.create(`,"verification":{"release":"verified","assertions":[{"id":"a","type":"contains","value":"8"}]}`).String()
	if a := h.do("POST", "/runs", task(""), "Idempotency-Key: taken"); a.status != 201 {
		h.t.Fatalf("create: %d %s", a.status, a.body)
	}

	const absent = "/runs/run_01jz0000000000000000000000"
	const ndjson = "Content-Type: application/x-ndjson"
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	big := `{"schema_version":2,"goal":"` + strings.Repeat("x", 2<<20) + `"}`
	var squeezed bytes.Buffer
	z := gzip.NewWriter(&squeezed)
	_, _ = z.Write([]byte(task("")))
	_ = z.Close()

	return []hostile{
		{"create: nothing", "POST", "/runs", "", []string{"Content-Type: application/json"}},
		{"create: not JSON", "POST", "/runs", "goal=" + canary, nil},
		{"create: half a document", "POST", "/runs", `{"schema_version":2,"goal":"` + canary, nil},
		{"create: trailing bytes", "POST", "/runs", task("") + " {}", nil},
		{"create: bad UTF-8", "POST", "/runs", "{\"schema_version\":2,\"goal\":\"\xff\"}", nil},
		{"create: a lone surrogate", "POST", "/runs", `{"schema_version":2,"goal":"\ud800"}`, nil},
		{"create: duplicate keys", "POST", "/runs", `{"schema_version":2,"goal":"a","goal":"` + canary + `"}`, nil},
		{"create: wrong case", "POST", "/runs", `{"schema_version":2,"Goal":"` + canary + `"}`, nil},
		{"create: null", "POST", "/runs", task(`,"labels":null`), nil},
		{"create: unknown field", "POST", "/runs", task(`,"gaol":"` + canary + `"`), nil},
		{"create: unknown field in a budget", "POST", "/runs", task(`,"budget":{"max_token":5}`), nil},
		{"create: many faults", "POST", "/runs", `{"schema_version":2,"goal":" ","profile":"` + canary + `","budget":{"max_tokens":0,"branch_width":65}}`, nil},
		{"create: too deep", "POST", "/runs", task(`,"inputs":[{"name":"a","data":` + deep + `}]`), nil},
		{"create: an array", "POST", "/runs", `[]`, nil},
		{"create: a number beyond doubles", "POST", "/runs", task(`,"inputs":[{"name":"a","data":1e999}]`), nil},
		{"create: 2 MiB", "POST", "/runs", big, nil},
		{"create: version 9", "POST", "/runs", `{"schema_version":9,"goal":"x"}`, nil},
		{"create: no version", "POST", "/runs", `{"goal":"x"}`, nil},
		{"create: unknown tool", "POST", "/runs", task(`,"allowed_tools":["sql_query"]`), nil},
		{"create: a check of a tool that is not allowed", "POST", "/runs", task(`,"verification":{"assertions":[{"id":"a","type":"tool_called","target":"tool:x"}]}`), nil},
		{"create: over the ceiling", "POST", "/runs", task(`,"budget":{"max_tokens":9000000}`), nil},
		{"create: no such engine", "POST", "/runs", task(`,"backend":{"prefer":["nowhere"]}`), nil},
		{"create: taken key", "POST", "/runs", task(`,"profile":"tight"`), []string{"Idempotency-Key: taken"}},
		{"create: a key too long", "POST", "/runs", task(""), []string{"Idempotency-Key: " + strings.Repeat("k", 256)}},
		{"create: a key that is no ASCII", "POST", "/runs", task(""), []string{"Idempotency-Key: schlüssel"}},
		{"create: no content type", "POST", "/runs", task(""), []string{"Content-Type: "}},
		{"create: a form", "POST", "/runs", task(""), []string{"Content-Type: application/x-www-form-urlencoded"}},
		{"create: NDJSON", "POST", "/runs", task(""), []string{ndjson}},
		{"create: latin-1", "POST", "/runs", task(""), []string{"Content-Type: application/json; charset=iso-8859-1"}},
		{"create: gzip", "POST", "/runs", squeezed.String(), []string{"Content-Encoding: gzip"}},
		{"create: accepts images", "POST", "/runs", task(""), []string{"Accept: image/*"}},
		{"create: a query", "POST", "/runs?" + canary + "=1", task(""), nil},
		{"create: from another origin", "POST", "/runs", task(""), []string{"Origin: https://evil.example"}},
		{"create: from another site", "POST", "/runs", task(""), []string{"Sec-Fetch-Site: cross-site"}},
		{"create: under another name", "POST", "/runs", task(""), []string{"Host: evil.example"}},

		{"list: unknown parameter", "GET", "/runs?" + canary + "=1", "", nil},
		{"list: unknown state", "GET", "/runs?state=" + canary, "", nil},
		{"list: a label without value", "GET", "/runs?label=" + canary, "", nil},
		{"list: a label twice", "GET", "/runs?label=a:1&label=a:2", "", nil},
		{"list: a limit too high", "GET", "/runs?limit=501", "", nil},
		{"list: a limit that is no number", "GET", "/runs?limit=" + canary, "", nil},
		{"list: an empty limit", "GET", "/runs?limit=", "", nil},
		{"list: limit twice", "GET", "/runs?limit=1&limit=2", "", nil},
		{"list: q twice", "GET", "/runs?q=a&q=b", "", nil},
		{"list: since yesterday", "GET", "/runs?since=yesterday", "", nil},
		{"list: until twice", "GET", "/runs?until=2026-01-02T03:04:05Z&until=2026-01-02T03:04:05Z", "", nil},
		{"list: before is no id", "GET", "/runs?before=" + canary, "", nil},
		{"list: before twice", "GET", "/runs?before=a&before=b", "", nil},
		{"list: a query that cannot be read", "GET", "/runs?q=%zz", "", nil},
		{"list: accepts HTML only", "GET", "/runs", "", []string{"Accept: text/html"}},
		{"list: JSON refused", "GET", "/runs", "", []string{"Accept: */*, application/json;q=0"}},
		{"list: a broken weight", "GET", "/runs", "", []string{"Accept: application/json;q=much"}},
		{"list: under another name", "GET", "/runs", "", []string{"Host: evil.example:80"}},

		{"run: no such", "GET", absent, "", nil},
		{"run: no id", "GET", "/runs/" + canary, "", nil},
		{"run: a query", "GET", queued + "?x=1", "", nil},
		{"run: accepts HTML only", "GET", queued, "", []string{"Accept: text/html"}},
		{"run: PUT", "PUT", queued, "{}", nil},
		{"task: no such", "GET", absent + "/task", "", nil},
		{"task: no id", "GET", "/runs/x/task", "", nil},
		{"stream: no such", "GET", absent + "/stream", "", nil},
		{"stream: no such, with a cursor that is no number", "GET", absent + "/stream?after=x", "", nil},
		{"stream: no id", "GET", "/runs/x/stream", "", nil},
		{"stream: unknown parameter", "GET", queued + "/stream?from=1", "", nil},
		{"stream: accepts JSON only", "GET", queued + "/stream", "", []string{"Accept: application/json"}},
		{"events: no such", "GET", absent + "/events", "", nil},
		{"events: no id", "GET", "/runs/x/events", "", nil},
		{"events: unknown parameter", "GET", queued + "/events?from=1", "", nil},
		{"events: a negative cursor", "GET", queued + "/events?after=-1", "", nil},
		{"events: a cursor beyond 2^53", "GET", queued + "/events?after=9007199254740992", "", nil},
		{"events: limit 0", "GET", queued + "/events?limit=0", "", nil},
		{"events: a long wait", "GET", queued + "/events?wait=30001", "", nil},
		{"events: accepts HTML only", "GET", queued + "/events", "", []string{"Accept: text/html"}},

		{"append: no such run", "POST", absent + "/events", token("x"), nil},
		{"append: no id", "POST", "/runs/x/events", token("x"), nil},
		{"append: nothing", "POST", queued + "/events", " ", []string{ndjson}},
		{"append: not JSON", "POST", queued + "/events", canary, []string{ndjson}},
		{"append: the second line is half", "POST", queued + "/events", token("x") + "\n{", []string{ndjson}},
		{"append: null", "POST", queued + "/events", "[null]", nil},
		{"append: a server's event", "POST", queued + "/events", line("done", `{"status":"succeeded"}`), []string{ndjson}},
		{"append: a server's field", "POST", queued + "/events", `{"schema_version":2,"seq":7,"type":"token","data":{"id":"m","delta":"x"}}`, []string{ndjson}},
		{"append: an unknown field in the data", "POST", queued + "/events", line("token", `{"id":"m","delta":"x","extra":"`+canary+`"}`), []string{ndjson}},
		{"append: no data", "POST", queued + "/events", `{"schema_version":2,"type":"token"}`, []string{ndjson}},
		{"append: version 9", "POST", queued + "/events", `{"schema_version":9,"type":"token","data":{}}`, []string{ndjson}},
		{"append: 1001 events", "POST", queued + "/events", strings.Repeat(token("x")+"\n", 1001), []string{ndjson}},
		{"append: 5 MiB", "POST", queued + "/events", strings.Repeat(token(strings.Repeat("x", 1<<19))+"\n", 10), []string{ndjson}},
		{"append: an event over 1 MiB", "POST", queued + "/events", token(strings.Repeat("x", 1<<20)), []string{ndjson}},
		{"append: to an ended run", "POST", ended + "/events", token("x"), []string{ndjson}},
		{"append: the end of no call", "POST", running + "/events", line("tool_end", `{"call_id":"c9","status":"ok"}`), []string{ndjson}},
		{"append: behind final", "POST", running + "/events", line("token", `{"id":"f","delta":"more"}`), []string{ndjson}},
		{"append: tokens of a verified run", "POST", verified + "/events", token("8"), []string{ndjson}},
		{"append: the end of a call that waits", "POST", waiting + "/events", line("tool_end", `{"call_id":"c1","status":"ok"}`), []string{ndjson}},
		{"append: a cursor ahead", "POST", running + "/events?after=99", token("x"), []string{ndjson}},
		{"append: a cursor behind", "POST", running + "/events?after=1", token("x"), []string{ndjson}},
		{"append: a cursor that is no number", "POST", running + "/events?after=x", token("x"), []string{ndjson}},
		{"append: unknown parameter", "POST", running + "/events?x=1", token("x"), []string{ndjson}},
		{"append: plain text", "POST", running + "/events", token("x"), []string{"Content-Type: text/plain"}},
		{"append: accepts HTML only", "POST", running + "/events", token("x"), []string{ndjson, "Accept: text/html"}},

		{"append: a line as a stream that is not NDJSON", "POST", running + "/events", token("x"), []string{"Accept: application/x-ndjson"}},
		{"append: as a stream to no run", "POST", absent + "/events", token("x"), []string{ndjson, "Accept: application/x-ndjson"}},
		{"append: as a stream to an ended run", "POST", ended + "/events", token("x"), []string{ndjson, "Accept: application/x-ndjson"}},
		{"append: as a stream ahead", "POST", running + "/events?after=99", token("x"), []string{ndjson, "Accept: application/x-ndjson"}},
		{"append: under no lease", "POST", running + "/events", token("x"), []string{ndjson, "Axiom25-Lease: 1." + canary}},
		{"append: under a long lease", "POST", running + "/events", token("x"), []string{ndjson, "Axiom25-Lease: " + strings.Repeat("x", 129)}},

		{"claim: nothing", "POST", "/claims", `{}`, nil},
		{"claim: an engine of this server", "POST", "/claims", `{"backend":"` + canary + `"}`, nil},
		{"claim: a long wait", "POST", "/claims", `{"backend":"external","wait_ms":30001}`, nil},
		{"claim: a worker with spaces", "POST", "/claims", `{"backend":"external","worker":"a b"}`, nil},
		{"claim: a query", "POST", "/claims?x=1", `{"backend":"external"}`, nil},
		{"claim: plain text", "POST", "/claims", `external`, []string{"Content-Type: text/plain"}},
		{"renew: no such run", "PUT", absent + "/lease", "", nil},
		{"renew: no id", "PUT", "/runs/x/lease", "", nil},
		{"renew: no lease", "PUT", running + "/lease", "", nil},
		{"renew: a lease that is none", "PUT", running + "/lease", "", []string{"Axiom25-Lease: " + canary}},
		{"renew: an ended run", "PUT", ended + "/lease", "", nil},
		{"give back: no such run", "DELETE", absent + "/lease", "", nil},
		{"give back: no lease", "DELETE", running + "/lease", "", nil},
		{"give back: a lease that is none", "DELETE", running + "/lease", "", []string{"Axiom25-Lease: 1." + canary}},
		{"task: a lease that is none", "GET", running + "/task", "", []string{"Axiom25-Lease: 1." + canary}},
		{"fork: no such run", "POST", absent + "/fork", `{"seq":1}`, nil},
		{"fork: no id", "POST", "/runs/x/fork", `{"seq":1}`, nil},
		{"fork: nowhere", "POST", ended + "/fork", `{}`, nil},
		{"fork: beyond the end", "POST", ended + "/fork", `{"seq":99}`, nil},
		{"fork: a bad task", "POST", ended + "/fork", `{"seq":1,"task":{"schema_version":2,"gaol":"` + canary + `"}}`, nil},
		{"fork: a bad task of version 1", "POST", ended + "/fork", `{"seq":1,"task":{"schema_version":1,"goal":"x","budget":{"tokens":0}}}`, nil},
		{"fork: a task over the ceiling", "POST", ended + "/fork", `{"seq":1,"task":{"schema_version":1,"goal":"x","budget":{"tokens":999999999999}}}`, nil},
		{"fork: unknown tool", "POST", ended + "/fork", `{"seq":1,"task":{"schema_version":2,"goal":"x","allowed_tools":["nothing"]}}`, nil},
		{"fork: an engine that is not there", "POST", ended + "/fork", `{"seq":1,"task":{"schema_version":1,"goal":"x","backend_pref":"nowhere"}}`, nil},
		{"fork: a key twice as long", "POST", ended + "/fork", `{"seq":1}`, []string{"Idempotency-Key: " + strings.Repeat("x", 256)}},

		{"answer: under no lease", "POST", running + "/answer", `{"message_id":"m","text":"x"}`, []string{"Axiom25-Lease: 1." + canary}},
		{"answer: no such run", "POST", absent + "/answer", `{"message_id":"m","text":"x"}`, nil},
		{"answer: no id", "POST", "/runs/x/answer", `{"message_id":"m","text":"x"}`, nil},
		{"answer: empty", "POST", running + "/answer", `{}`, nil},
		{"answer: a text too long", "POST", running + "/answer", `{"message_id":"m","text":"` + strings.Repeat("x", 512<<10+1) + `"}`, nil},
		{"answer: over 1 MiB", "POST", running + "/answer", `{"message_id":"m","text":"` + strings.Repeat("x", 1<<20) + `"}`, nil},
		{"answer: not what was streamed", "POST", running + "/answer", `{"message_id":"f","text":"` + canary + `"}`, nil},
		{"answer: to an ended run", "POST", ended + "/answer", `{"message_id":"n","text":"x"}`, nil},
		{"answer: while a call waits", "POST", waiting + "/answer", `{"message_id":"n","text":"x"}`, nil},
		{"answer: a form", "POST", running + "/answer", `x`, []string{"Content-Type: text/plain"}},

		{"cancel: no such run", "POST", absent + "/cancel", "", nil},
		{"cancel: no id", "POST", "/runs/x/cancel", "", nil},
		{"cancel: an ended run", "POST", ended + "/cancel", "", nil},
		{"cancel: unknown field", "POST", running + "/cancel", `{"why":"` + canary + `"}`, nil},
		{"cancel: a long reason", "POST", running + "/cancel", `{"reason":"` + strings.Repeat("x", 513) + `"}`, nil},
		{"cancel: plain text", "POST", running + "/cancel", `stop`, []string{"Content-Type: text/plain"}},

		{"approval: no such run", "POST", absent + "/approvals/" + waitingApproval.String(), `{"decision":"approve"}`, nil},
		{"approval: no run id", "POST", "/runs/x/approvals/" + waitingApproval.String(), `{"decision":"approve"}`, nil},
		{"approval: no id", "POST", waiting + "/approvals/x", `{"decision":"approve"}`, nil},
		{"approval: of another run", "POST", queued + "/approvals/" + waitingApproval.String(), `{"decision":"approve"}`, nil},
		{"approval: decided", "POST", decided + "/approvals/" + decidedApproval.String(), `{"decision":"approve"}`, nil},
		{"approval: unknown decision", "POST", waiting + "/approvals/" + waitingApproval.String(), `{"decision":"` + canary + `"}`, nil},
		{"approval: edit without args", "POST", waiting + "/approvals/" + waitingApproval.String(), `{"decision":"edit"}`, nil},
		{"approval: edited to what the tool does not take", "POST", waiting + "/approvals/" + waitingApproval.String(), `{"decision":"edit","args":[1]}`, nil},
		{"approval: approve with args", "POST", waiting + "/approvals/" + waitingApproval.String(), `{"decision":"approve","args":{}}`, nil},
		{"approval: plain text", "POST", waiting + "/approvals/" + waitingApproval.String(), `yes`, []string{"Content-Type: text/plain"}},

		{"tools: a query", "GET", "/tools?x=1", "", nil},
		{"tools: accepts HTML only", "GET", "/tools", "", []string{"Accept: text/html"}},
		{"tool: no such", "GET", "/tools/" + canary, "", nil},
		{"tool: no such version", "GET", "/tools/publish?version=9.9.9", "", nil},
		{"tool: version twice", "GET", "/tools/publish?version=1.0.0&version=1.0.0", "", nil},
		{"tool: accepts HTML only", "GET", "/tools/publish", "", []string{"Accept: text/html"}},
		{"put tool: another name", "PUT", "/tools/other", tool("publish", "2.0.0", "x"), nil},
		{"put tool: another version", "PUT", "/tools/publish?version=2.0.0", tool("publish", "3.0.0", "x"), nil},
		{"put tool: unknown parameter", "PUT", "/tools/publish?x=1", tool("publish", "3.0.0", "x"), nil},
		{"put tool: other content", "PUT", "/tools/publish", tool("publish", "1.0.0", canary), nil},
		{"put tool: invalid", "PUT", "/tools/publish", `{"schema_version":2,"name":"publish","version":"one","description":"x","input_schema":{"type":"array"},"effect":"none"}`, nil},
		{"put tool: a schema that reaches out", "PUT", "/tools/far", strings.Replace(tool("far", "1.0.0", "x"), `{"type":"object"}`, `{"type":"object","properties":{"a":{"$ref":"https://evil.example/x"}}}`, 1), nil},
		{"put tool: a builtin", "PUT", "/tools/mine", strings.Replace(tool("mine", "1.0.0", "x"), `"effect"`, `"transport":{"type":"builtin"},"trust":"builtin","effect"`, 1), nil},
		{"put tool: plain text", "PUT", "/tools/publish", "x", []string{"Content-Type: text/plain"}},
		{"delete tool: no such", "DELETE", "/tools/" + canary, "", nil},
		{"delete tool: no such version", "DELETE", "/tools/publish?version=9.9.9", "", nil},
		{"delete tool: from another origin", "DELETE", "/tools/publish", "", []string{"Origin: https://evil.example"}},
		{"delete tool: unknown parameter", "DELETE", "/tools/publish?x=1", "", nil},
		{"engines: a query", "GET", "/engines?x=1", "", nil},
		{"engines: accepts HTML only", "GET", "/engines", "", []string{"Accept: text/html"}},

		{"validate: no such contract", "POST", "/validate/" + canary, "{}", nil},
		{"validate: a query", "POST", "/validate/budget?x=1", "{}", nil},
		{"validate: plain text", "POST", "/validate/budget", "{}", []string{"Content-Type: text/plain"}},
		{"validate: a task", "POST", "/validate/taskspec", `{"schema_version":2}`, nil},
		{"validate: a budget", "POST", "/validate/budget", `{"schema_version":2,"max_active_ms":1,"reserve_tokens":5,"on_exhausted":"stop"}`, nil},
		{"validate: a verify contract", "POST", "/validate/verifycontract", `{"schema_version":2}`, nil},
		{"validate: a tool", "POST", "/validate/toolspec", `{"schema_version":2}`, nil},
		{"validate: an event", "POST", "/validate/runevent", `{"schema_version":2,"type":"done"}`, nil},

		{"health: a query", "GET", "/healthz?x=1", "", nil},
		{"ready: a query", "GET", "/readyz?x=1", "", nil},
		{"health: POST", "POST", "/healthz", "", nil},
		{"login: no token is set", "GET", "/login?token=" + canary, "", nil},
		{"login: unknown parameter", "GET", "/login?x=1", "", nil},
		{"login: token twice", "GET", "/login?token=1&token=2", "", nil},
		{"problem: no such type", "GET", "/problems/" + canary, "", nil},
		{"schema: no such contract", "GET", "/schemas/v2/" + canary + ".json", "", nil},
		{"schema: no such version", "GET", "/schemas/v99/budget.json", "", nil},
		{"schema: a path that climbs", "GET", "/schemas/../problems.json", "", nil},
		{"nothing there", "GET", "/" + canary, "", nil},
		{"nothing there to write to", "POST", "/" + canary, "{}", nil},
		{"below a run", "GET", queued + "/" + canary, "", nil},
		{"a path with empty parts", "GET", "//runs", "", nil},
		{"a path that climbs", "GET", "/runs/../runs", "", nil},
		{"an invented method", "BREW", "/runs", "", nil},
	}
}

// TestHostileInput sends what must be refused: each request gets exactly the problem that testdata/hostile.golden has
// for it, and none leaves a trace in the journal.
func TestHostileInput(t *testing.T) {
	t.Parallel()
	h := open(t)
	var got strings.Builder
	rows := hostiles(h)
	before := h.everything()
	seen := make(map[string]bool)
	for _, row := range rows {
		a := h.do(row.method, row.path, row.body, row.headers...)
		fmt.Fprintf(&got, "%s\n\t%d %s\n", row.name, a.status, a.body)
		if a.header.Get("Content-Type") != contracts.ProblemMediaType || a.status < 400 || a.status >= 500 {
			t.Errorf("%s: status %d, %s: %s", row.name, a.status, a.header.Get("Content-Type"), a.body)
		}
		if strings.Contains(a.body, canary) {
			t.Errorf("%s: the answer repeats what was sent: %s", row.name, a.body)
		}
		if seen[row.name] {
			t.Errorf("two rows are named %q", row.name)
		}
		seen[row.name] = true
		if after := h.everything(); after != before {
			t.Errorf("%s: the journal was changed", row.name)
			before = after
		}
	}
	if strings.Contains(h.log.String(), canary) {
		t.Error("the log repeats what was sent")
	}
	golden(t, "hostile.golden", got.String())
}

// golden compares with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	stored, err := os.ReadFile(path) //nolint:gosec // a test names it
	if err != nil {
		t.Fatal(err)
	}
	wantLines, gotLines := strings.Split(string(stored), "\n"), strings.Split(got, "\n")
	for i := range max(len(wantLines), len(gotLines)) {
		var w, g string
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if i < len(gotLines) {
			g = gotLines[i]
		}
		if w != g {
			t.Errorf("%s, line %d:\n got %s\nwant %s", path, i+1, g, w)
		}
	}
}
