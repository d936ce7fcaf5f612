package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/server/apidoc/apidoctest"
	"axiom25/server/fanout"
	"axiom25/server/httpapi"
	"axiom25/server/intake"
	"axiom25/server/journal"
	"axiom25/server/journal/sqlitejournal"
	"axiom25/server/tools"
)

// house is a whole server but for its engines, on a real socket, over a real journal.
type house struct {
	*httptest.Server
	t         *testing.T
	api       *httpapi.API
	door      *intake.Intake
	journal   journal.Journal
	catalogue *tools.Catalogue
	hub       *fanout.Hub
	log       *logbook
	documents *apidoctest.Checker
}

// engines give every run to an external engine, but for the backend "nowhere".
type engines struct{}

func (engines) Choose(task *contracts.TaskSpec, _ map[contracts.ToolRef]*contracts.ToolSpec) (intake.Choice, error) {
	if slices.Contains(task.Backend.Prefer, "nowhere") {
		return intake.Choice{}, contracts.NewProblem(contracts.ProblemUnavailable, "no engine of this server can carry the task out")
	}
	return intake.Choice{Name: "external"}, nil
}

func (engines) Start(contracts.RunID, string) {}

func (engines) List() []contracts.Engine {
	return []contracts.Engine{{Name: "external", Description: "any program", Capabilities: []contracts.Capability{}, Available: true}}
}

// logbook collects log lines.
type logbook struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(b)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

// wait returns when a line of the log has every one of the texts.
func (l *logbook) wait(t *testing.T, texts ...string) {
	t.Helper()
	for range 500 {
		for line := range strings.Lines(l.String()) {
			if containsAll(line, texts) {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no line of the log has %q:\n%s", texts, l)
}

func containsAll(line string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(line, text) {
			return false
		}
	}
	return true
}

// now is the clock of the tests.
func now() time.Time { return time.Now() } //nolint:forbidigo // the clock itself

// open starts a server; change may alter its configuration. Whatever it answers is held against the OpenAPI and
// AsyncAPI documents.
func open(t *testing.T, change ...func(*httpapi.Config)) *house {
	t.Helper()
	documents := apidoctest.Watch(t)
	store, err := sqlitejournal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), sqlitejournal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close journal: %v", err)
		}
	})
	h := &house{t: t, journal: store, hub: fanout.New(store), log: &logbook{}, documents: documents}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	h.catalogue, err = tools.Open(t.Context(), store, log)
	if err != nil {
		t.Fatal(err)
	}
	h.door, err = intake.New(intake.Config{
		Journal: store, Hub: h.hub, Catalogue: h.catalogue, Engines: engines{}, Log: slog.New(slog.DiscardHandler), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := httpapi.Config{
		Intake: h.door, Journal: store, Hub: h.hub, Catalogue: h.catalogue, Engines: engines{}, Log: log, Version: "1.2.3", Now: now,
	}
	for _, f := range change {
		f(&cfg)
	}
	h.api, err = httpapi.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.Server = httptest.NewServer(documents.Handler(h.api))
	h.Server.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(func() {
		h.api.Close()
		h.Close()
	})
	return h
}

// answer is an answer that was read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request; headers are lines "Name: value".
func (h *house) do(method, path, body string, headers ...string) answer {
	h.t.Helper()
	res := h.start(h.t.Context(), method, path, body, headers...)
	defer res.Body.Close() //nolint:errcheck // read to its end
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

// start sends a request whose answer the caller reads and closes.
func (h *house) start(ctx context.Context, method, path, body string, headers ...string) *http.Response {
	h.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, h.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Host":
			req.Host = value
		default:
			req.Header.Del(name)
			if value != "" {
				req.Header.Set(name, value)
			}
		}
	}
	res, err := h.Client().Do(req)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	return res
}

// want reads an answer of a status as a T.
func want[T any](t *testing.T, a answer, status int) T {
	t.Helper()
	var v T
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("answer %s: %v", a.body, err)
	}
	return v
}

// wantProblem expects a problem document of a type.
func wantProblem(t *testing.T, a answer, want contracts.ProblemType) contracts.Problem {
	t.Helper()
	var p contracts.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("status %d, body %q is no problem document: %v", a.status, a.body, err)
	}
	if !p.Has(want) || p.Status != a.status || a.header.Get("Content-Type") != contracts.ProblemMediaType {
		t.Fatalf("status %d, %s, %s; want %s", a.status, a.header.Get("Content-Type"), a.body, want)
	}
	return p
}

// task returns a TaskSpec; more is members after the goal, each beginning with a comma.
func task(more string) string {
	return `{"schema_version":2,"goal":"say how many planets there are"` + more + `}`
}

// create makes a run.
func (h *house) create(more string) contracts.RunID {
	h.t.Helper()
	return want[contracts.Created](h.t, h.do("POST", "/runs", task(more)), http.StatusCreated).RunID
}

// line is one line of an engine.
func line(kind, data string) string {
	return fmt.Sprintf(`{"schema_version":2,"type":%q,"data":%s}`, kind, data)
}

// token is a line with a piece of an answer.
func token(delta string) string {
	return line("token", `{"id":"m","delta":"`+delta+`"}`)
}

// report appends lines as an engine does.
func (h *house) report(id contracts.RunID, lines ...string) contracts.Appended {
	h.t.Helper()
	a := h.do("POST", "/runs/"+id.String()+"/events", strings.Join(lines, "\n"), "Content-Type: application/x-ndjson")
	return want[contracts.Appended](h.t, a, http.StatusOK)
}

// finish ends a run that streamed nothing.
func (h *house) finish(id contracts.RunID) contracts.Seq {
	h.t.Helper()
	return h.conclude(id, "eight")
}

// conclude ends a run with an answer, the message that token streams.
func (h *house) conclude(id contracts.RunID, text string) contracts.Seq {
	h.t.Helper()
	body := string(contractstest.Document(contracts.Answer{MessageID: "m", Channel: contracts.ChannelAnswer, Text: text}))
	judged := want[contracts.Judged](h.t, h.do("POST", "/runs/"+id.String()+"/answer", body), http.StatusOK)
	if judged.Done == nil {
		h.t.Fatalf("the answer did not end the run: %+v", judged)
	}
	return judged.Seq
}

// ask makes a run whose one call waits for a human.
func (h *house) ask() (contracts.RunID, contracts.ApprovalID) {
	h.t.Helper()
	h.putTool("publish")
	id := h.create(`,"allowed_tools":["publish"]`)
	stored := h.report(id, line("tool_start", `{"call_id":"c1","tool":"publish","args":{"to":"all"}}`))
	for _, ev := range stored.Events {
		if start, ok := ev.Data.(*contracts.ToolStartData); ok && start.Approval != nil {
			return id, start.Approval.ID
		}
	}
	h.t.Fatalf("no approval was asked for: %+v", stored)
	return "", ""
}

// tool is a ToolSpec that the engine carries out.
func tool(name, version, description string) string {
	return fmt.Sprintf(`{"schema_version":2,"name":%q,"version":%q,"description":%q,"input_schema":{"type":"object"},"effect":"write"}`,
		name, version, description)
}

// putTool sets a tool, which may be there.
func (h *house) putTool(name string) {
	h.t.Helper()
	a := h.do("PUT", "/tools/"+name, tool(name, "1.0.0", "publishes"))
	if a.status != http.StatusOK && a.status != http.StatusCreated {
		h.t.Fatalf("PUT tool: %d %s", a.status, a.body)
	}
}

// history returns the stored bytes of a run.
func (h *house) history(id contracts.RunID) []string {
	h.t.Helper()
	var all []string
	for {
		page, err := h.journal.Read(h.t.Context(), id, contracts.Seq(len(all)), journal.MaxBatchEvents, journal.MaxBatchBytes)
		if err != nil {
			h.t.Fatal(err)
		}
		if len(page.Events) == 0 {
			return all
		}
		for _, ev := range page.Events {
			all = append(all, string(ev.JSON))
		}
	}
}

// everything is all that the journal holds, as text.
func (h *house) everything() string {
	h.t.Helper()
	var b strings.Builder
	runs, err := h.journal.List(h.t.Context(), journal.Query{Limit: 500})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, run := range runs {
		fmt.Fprintf(&b, "%+v\n%s\n", run, strings.Join(h.history(run.RunID), "\n"))
	}
	stored, err := h.journal.Tools(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, s := range stored {
		fmt.Fprintf(&b, "%s@%s %s %s\n", s.Name, s.Version, s.Digest, s.Spec)
	}
	return b.String()
}
