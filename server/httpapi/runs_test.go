package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	h := open(t)
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	a := h.do("POST", "/runs", task(""), "Idempotency-Key: k 1", "Content-Type: application/json; charset=UTF-8", "Traceparent: "+trace)
	created := want[contracts.Created](t, a, http.StatusCreated)
	if a.header.Get("Location") != "/runs/"+created.RunID.String() || created.State != contracts.StateQueued ||
		created.Links != contracts.LinksOf(created.RunID) || a.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("created %+v, %v", created, a.header)
	}
	if first := h.history(created.RunID)[0]; !strings.Contains(first, trace) {
		t.Errorf("the trace is lost: %s", first)
	}
	again := h.do("POST", "/runs", " "+task("")+"\n", "Idempotency-Key: k 1")
	if got := want[contracts.Created](t, again, http.StatusOK); got.RunID != created.RunID {
		t.Errorf("the same key made run %s, want %s", got.RunID, created.RunID)
	}
	if again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("Location") != a.header.Get("Location") {
		t.Errorf("replay: %v", again.header)
	}
	h.log.wait(t, "route=/runs", "method=POST", "status=201", "run="+created.RunID.String())
}

func TestTraceparent(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, broken := range []string{
		"00", "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		"00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
	} {
		created := want[contracts.Created](t, h.do("POST", "/runs", task(""), "Traceparent: "+broken), http.StatusCreated)
		if first := h.history(created.RunID)[0]; strings.Contains(first, "traceparent") {
			t.Errorf("%s was kept: %s", broken, first)
		}
	}
}

func TestListRuns(t *testing.T) {
	t.Parallel()
	h := open(t)
	if a := h.do("GET", "/runs", ""); a.body != `{"runs":[]}` {
		t.Errorf("an empty list: %s", a.body)
	}
	ids := make([]contracts.RunID, 4)
	for i := range ids {
		ids[i] = h.create(fmt.Sprintf(`,"labels":{"n":"%d","team":"sky: above"}`, i))
		time.Sleep(2 * time.Millisecond) // ids and times of different milliseconds
	}
	h.finish(ids[1])
	created := want[contracts.Snapshot](t, h.do("GET", "/runs/"+ids[2].String(), ""), 200).CreatedAt
	all := []contracts.RunID{ids[3], ids[2], ids[1], ids[0]}
	for query, wanted := range map[string][]contracts.RunID{
		"":                                       all,
		"state=succeeded":                        {ids[1]},
		"state=succeeded&state=queued":           all,
		"state=running":                          {},
		"label=n:2":                              {ids[2]},
		"label=n:2&label=team:sky: above":        {ids[2]},
		"label=n:2&label=team:x":                 {},
		"q=PLANETS":                              all,
		"q=moons":                                {},
		"since=" + created.String():              {ids[3], ids[2]},
		"until=" + created.String():              {ids[1], ids[0]},
		"since=2999-01-01T00:00:00%2B01:00":      {},
		"before=" + ids[2].String():              {ids[1], ids[0]},
		"limit=500":                              all,
		"limit=1&before=" + ids[1].String():      {ids[0]},
		"state=queued&before=" + ids[2].String(): {ids[0]},
	} {
		list := want[contracts.RunList](t, h.do("GET", "/runs?"+strings.ReplaceAll(query, " ", "%20"), ""), 200)
		got := []contracts.RunID{}
		for _, run := range list.Runs {
			got = append(got, run.RunID)
		}
		if fmt.Sprint(got) != fmt.Sprint(wanted) || list.Next != "" {
			t.Errorf("%s: %v, next %q, want %v", query, got, list.Next, wanted)
		}
	}

	var paged []contracts.RunID
	for next := contracts.RunID(""); ; {
		query := url.Values{"limit": {"2"}}
		if next != "" {
			query.Set("before", next.String())
		}
		list := want[contracts.RunList](t, h.do("GET", "/runs?"+query.Encode(), ""), 200)
		for _, run := range list.Runs {
			paged = append(paged, run.RunID)
		}
		if next = list.Next; next == "" {
			break
		}
	}
	if fmt.Sprint(paged) != fmt.Sprint(all) {
		t.Errorf("page by page: %v, want %v", paged, all)
	}
}

func TestReadRun(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.create(`,"inputs":[{"name":"k","text":"` + canary + `","sensitive":true},{"name":"open","text":"seen"}]`)
	snapshot := want[contracts.Snapshot](t, h.do("GET", "/runs/"+id.String(), "", "Accept: text/html;q=0.1, application/*"), 200)
	if snapshot.RunID != id || snapshot.LastSeq != 1 || snapshot.State != contracts.StateQueued {
		t.Errorf("snapshot %+v", snapshot)
	}
	a := h.do("GET", "/runs/"+id.String()+"/task", "")
	if a.status != 200 || !strings.Contains(a.body, `"seen"`) || strings.Contains(a.body, canary) {
		t.Errorf("task: %d %s", a.status, a.body)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.create("")
	path := "/runs/" + id.String() + "/events"
	h.report(id, token("a"), token("b"), token("c"))
	history := h.history(id)
	n := len(history)

	page := func(query string) string { return h.do("GET", path+query, "").body }
	if got, wanted := page(""), fmt.Sprintf(`{"events":[%s],"last_seq":%d}`, strings.Join(history, ","), n); got != wanted {
		t.Errorf("page %s, want the stored bytes %s", got, wanted)
	}
	want[contracts.EventPage](t, h.do("GET", path, ""), 200)
	if got, wanted := page("?after=1&limit=1"), fmt.Sprintf(`{"events":[%s],"last_seq":%d}`, history[1], n); got != wanted {
		t.Errorf("page %s, want %s", got, wanted)
	}
	if got, wanted := page("?after=99&wait=30000"), fmt.Sprintf(`{"events":[],"last_seq":%d}`, n); got != wanted {
		t.Errorf("page ahead of the run %s, want %s", got, wanted)
	}
	a := h.do("GET", path+"?after=1", "", "Accept: application/json;q=0.5, application/x-ndjson")
	if a.header.Get("Content-Type") != "application/x-ndjson" || a.body != strings.Join(history[1:], "\n")+"\n" {
		t.Errorf("NDJSON %v %s", a.header, a.body)
	}
	if got, wanted := page(fmt.Sprintf("?after=%d&wait=10", n)), fmt.Sprintf(`{"events":[],"last_seq":%d}`, n); got != wanted {
		t.Errorf("after the wait %s, want %s", got, wanted)
	}

	polled := make(chan string)
	go func() { polled <- page(fmt.Sprintf("?after=%d&wait=30000", n)) }()
	for h.hub.Stats().Viewers == 0 {
		time.Sleep(time.Millisecond)
	}
	h.report(id, token("d"))
	got := <-polled
	if wanted := fmt.Sprintf(`{"events":[%s]`, strings.Join(h.history(id)[n:], ",")); !strings.HasPrefix(got, wanted) {
		t.Errorf("the wait gave %s, want %s", got, wanted)
	}
	last := h.conclude(id, "abcd")
	if got, wanted := page(fmt.Sprintf("?after=%d&wait=30000", last)), fmt.Sprintf(`{"events":[],"last_seq":%d}`, last); got != wanted {
		t.Errorf("behind the end %s, want %s", got, wanted)
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.create("")
	path := "/runs/" + id.String() + "/events"
	first := want[contracts.Appended](t, h.do("POST", path+"?after=0", "["+token("a")+","+token("b")+"]"), 200)
	last := first.Events[len(first.Events)-1]
	if last.Seq != first.Seq || first.Events[0].RunID != id {
		t.Errorf("appended %+v", first)
	}
	again := h.do("POST", path+"?after=0", "["+token("a")+","+token("b")+"]")
	if got := want[contracts.Appended](t, again, 200); got.Seq != first.Seq || len(got.Events) != len(first.Events) {
		t.Errorf("the same again gave %+v, want %+v", got, first)
	}
	wantProblem(t, h.do("POST", path+"?after=0", "["+token("x")+"]"), contracts.ProblemSequenceConflict)
	second := want[contracts.Appended](t,
		h.do("POST", fmt.Sprintf("%s?after=%d", path, first.Seq), token("c"), "Content-Type: application/x-ndjson; charset=utf-8"), 200)
	if second.Seq <= first.Seq {
		t.Errorf("appended %+v", second)
	}
	if got := int(second.Seq); got != len(h.history(id)) {
		t.Errorf("the journal has %d events, the engine was told %d", len(h.history(id)), got)
	}
}

func TestAnswerAndCancel(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.create(`,"verification":{"assertions":[{"id":"says","type":"contains","value":"8"}]}`)
	body := string(contractstest.Document(contracts.Answer{MessageID: "m", Channel: contracts.ChannelAnswer, Text: "seven"}))
	judged := want[contracts.Judged](t, h.do("POST", "/runs/"+id.String()+"/answer", body), 200)
	if judged.Verdict == nil || judged.Verdict.Outcome != contracts.OutcomeRevise || judged.Done != nil {
		t.Errorf("judged %+v", judged)
	}
	for range 2 {
		a := h.do("POST", "/runs/"+id.String()+"/cancel", `{"reason":"enough"}`)
		if a.status != http.StatusAccepted || a.body != "" {
			t.Errorf("cancel: %d %s", a.status, a.body)
		}
	}
	queued := h.create("")
	if a := h.do("POST", "/runs/"+queued.String()+"/cancel", ""); a.status != http.StatusAccepted {
		t.Errorf("cancel without a body: %d %s", a.status, a.body)
	}
	snapshot := want[contracts.Snapshot](t, h.do("GET", "/runs/"+queued.String(), ""), 200)
	if snapshot.State != contracts.StateCancelled {
		t.Errorf("the run is %s", snapshot.State)
	}
}

func TestApprovals(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, decision := range []string{`{"decision":"approve","by":"ada"}`, `{"decision":"deny"}`, `{"decision":"edit","args":{"to":"few"}}`} {
		id, approval := h.ask()
		a := h.do("POST", "/runs/"+id.String()+"/approvals/"+approval.String(), decision)
		if a.status != http.StatusNoContent || a.body != "" {
			t.Errorf("%s: %d %s", decision, a.status, a.body)
		}
	}
}

func TestTools(t *testing.T) {
	t.Parallel()
	h := open(t)
	if a := h.do("GET", "/tools", ""); a.body != `{"tools":[]}` {
		t.Errorf("an empty catalogue: %s", a.body)
	}
	a := h.do("PUT", "/tools/send", tool("send", "1.2.0+b", "sends"))
	entry := want[contracts.ToolEntry](t, a, http.StatusCreated)
	if a.header.Get("Location") != "/tools/send?version=1.2.0%2Bb" || entry.Spec.Trust != contracts.TrustUntrusted || entry.Gate != contracts.GateAsk {
		t.Errorf("put %+v, %v", entry, a.header)
	}
	if a := h.do("GET", a.header.Get("Location"), ""); a.status != 200 {
		t.Errorf("Location: %d %s", a.status, a.body)
	}
	want[contracts.ToolEntry](t, h.do("PUT", "/tools/send", tool("send", "1.2.0+b", "sends")), http.StatusOK)
	want[contracts.ToolEntry](t, h.do("PUT", "/tools/send?version=1.10.0", tool("send", "1.10.0", "sends")), http.StatusCreated)
	if got := want[contracts.ToolEntry](t, h.do("GET", "/tools/send", ""), 200); got.Spec.Version != "1.10.0" {
		t.Errorf("the highest version is %s", got.Spec.Version)
	}
	if got := want[contracts.ToolList](t, h.do("GET", "/tools", ""), 200); len(got.Tools) != 2 {
		t.Errorf("%d tools", len(got.Tools))
	}
	for _, path := range []string{"/tools/send?version=1.10.0", "/tools/send"} {
		if a := h.do("DELETE", path, ""); a.status != http.StatusNoContent {
			t.Errorf("DELETE %s: %d %s", path, a.status, a.body)
		}
	}
	wantProblem(t, h.do("GET", "/tools/send", ""), contracts.ProblemNotFound)
}

func TestEnginesAndValidate(t *testing.T) {
	t.Parallel()
	h := open(t)
	engines := want[contracts.EngineList](t, h.do("GET", "/engines", ""), 200)
	if len(engines.Engines) != 1 || engines.Engines[0].Name != "external" {
		t.Errorf("engines %+v", engines)
	}
	id := h.create("")
	for contract, doc := range map[string]string{
		"taskspec":       task(""),
		"budget":         `{"schema_version":2,"max_tokens":5}`,
		"verifycontract": `{"schema_version":2,"assertions":[{"id":"a","type":"contains","value":"8"}]}`,
		"toolspec":       tool("a", "1.0.0", "x"),
		"runevent":       h.history(id)[0],
	} {
		if a := h.do("POST", "/validate/"+contract, doc); a.status != http.StatusNoContent || a.body != "" {
			t.Errorf("%s: %d %s", contract, a.status, a.body)
		}
	}
	_, err := contracts.Decode[contracts.TaskSpec]([]byte(`{"goal":1}`))
	if got, wanted := h.do("POST", "/validate/taskspec", `{"goal":1}`).body, string(contractstest.Document(err)); got != wanted {
		t.Errorf("the edge says %s, the contract %s", got, wanted)
	}
}

func TestHealthAndMetrics(t *testing.T) {
	t.Parallel()
	h := open(t)
	for path, wanted := range map[string]string{
		"/healthz": `{"status":"ok","version":"1.2.3"}`, "/readyz": `{"status":"ready","version":"1.2.3"}`,
	} {
		if a := h.do("GET", path, ""); a.status != 200 || a.body != wanted {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	id := h.create("")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	res := h.start(ctx, http.MethodGet, "/runs/"+id.String()+"/stream", "")
	defer res.Body.Close() //nolint:errcheck // cut off
	h.do("BREW", "/runs", "")
	h.do("GET", "/"+canary, "")
	page := h.do("GET", "/metrics", "").body
	for _, wanted := range []string{
		`axiom25_http_requests_total{method="POST",route="/runs",status="201"} 1`,
		`axiom25_http_requests_total{method="other",route="/runs",status="405"} 1`,
		`axiom25_http_requests_total{method="GET",route="none",status="404"} 1`,
		`axiom25_http_request_seconds_count{route="/runs"} 2`,
		"axiom25_viewers 1", "axiom25_watched_runs 1", "axiom25_events_stored_total 1", `axiom25_build_info{version="1.2.3"} 1`, "go_goroutines",
	} {
		if !strings.Contains(page, wanted) {
			t.Errorf("/metrics lacks %s", wanted)
		}
	}
	if strings.Contains(page, canary) || strings.Contains(page, "BREW") || strings.Contains(page, id.String()) {
		t.Error("/metrics repeats what was sent")
	}
}
