package apidoctest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/server/apidoc/apidoctest"
)

// probe is a test that does not fail itself, but says what it was told.
type probe struct {
	testing.TB
	found    []string
	cleanups []func()
}

func (p *probe) Errorf(format string, args ...any) {
	p.found = append(p.found, fmt.Sprintf(format, args...))
}
func (*probe) Logf(string, ...any) {}

func (p *probe) Cleanup(f func()) { p.cleanups = append(p.cleanups, f) }

// end ends the test as package testing does.
func (p *probe) end() {
	for _, f := range slices.Backward(p.cleanups) {
		f()
	}
}

const run = "/runs/run_01kdy700000000000000000001"

// TestChecker has servers answer as the documents say, and as they do not.
func TestChecker(t *testing.T) {
	t.Parallel()
	event := string(contractstest.Document(contractstest.SucceededRun().Events[0]))
	engines := `{"engines":[{"name":"external","description":"","capabilities":[],"available":true}]}`
	hello := "retry: 2000\n: axiom25\n\n"
	for name, c := range map[string]struct {
		request       string // method, path, and the body where there is one
		status        int
		header, body  string // lines "Name: value"
		noID          bool
		disagreements int
	}{
		"as documented":               {"GET /engines", 200, "Content-Type: application/json", engines, false, 0},
		"a member too many":           {"GET /engines", 200, "Content-Type: application/json", strings.Replace(engines, `"name"`, `"secret":1,"name"`, 1), false, 1},
		"a member too few":            {"GET /engines", 200, "Content-Type: application/json", `{}`, false, 1},
		"half a document":             {"GET /engines", 200, "Content-Type: application/json", `{"engines":[`, false, 1},
		"an unknown status":           {"GET /engines", 203, "Content-Type: application/json", engines, false, 1},
		"an unknown media type":       {"GET /engines", 200, "Content-Type: text/json", engines, false, 1},
		"no media type":               {"GET /engines", 200, "", engines, false, 1},
		"without a required header":   {"GET /engines", 200, "Content-Type: application/json", engines, true, 1},
		"a body where none is":        {"POST " + run + "/cancel", 202, "Content-Type: application/json", `{}`, false, 1},
		"a parameter nobody knows":    {"GET /engines?page=2", 200, "Content-Type: application/json", engines, false, 1},
		"a request nobody may send":   {"POST " + run + `/cancel {"reson":"x"}`, 202, "", "", false, 1},
		"a request as documented":     {"POST " + run + `/cancel {"reason":"x"}`, 202, "", "", false, 0},
		"a problem of the operation":  {"GET " + run, 404, problemHeader, problem(contracts.ProblemNotFound), false, 0},
		"a problem of another":        {"GET /engines", 404, problemHeader, problem(contracts.ProblemNotFound), false, 1},
		"a problem of another status": {"GET " + run, 410, problemHeader, problem(contracts.ProblemNotFound), false, 1},
		"503 without Retry-After":     {"GET " + run, 503, problemHeader, problem(contracts.ProblemOverloaded), false, 1},
		"503":                         {"GET " + run, 503, problemHeader + "\nRetry-After: 1", problem(contracts.ProblemOverloaded), false, 0},
		"a path nobody knows":         {"GET /nothing", 404, problemHeader, problem(contracts.ProblemNotFound), false, 0},
		"JSON at a path nobody knows": {"GET /nothing", 200, "Content-Type: application/json", `{}`, false, 1},
		"a file of the console":       {"GET /web/reference.json", 200, "Content-Type: application/json", `{}`, false, 0},
		"a page of the console":       {"GET /", 200, "Content-Type: text/html", `<!doctype html>`, false, 0},
		"a method nobody knows":       {"DELETE " + run, 204, "", "", false, 1},
		"405 with another Allow":      {"DELETE " + run, 405, problemHeader + "\nAllow: GET", problem(contracts.ProblemMethodNotAllowed), false, 1},
		"405":                         {"DELETE " + run, 405, problemHeader + "\nAllow: GET, HEAD, OPTIONS", problem(contracts.ProblemMethodNotAllowed), false, 0},
		"OPTIONS":                     {"OPTIONS " + run, 204, "Allow: GET, HEAD, OPTIONS", "", false, 0},
		"OPTIONS with another Allow":  {"OPTIONS " + run, 204, "Allow: GET, HEAD", "", false, 1},
		"HEAD":                        {"HEAD /engines", 200, "Content-Type: application/json", "", false, 0},
		"HEAD of another media type":  {"HEAD /engines", 200, "Content-Type: text/plain", "", false, 1},
		"NDJSON":                      {"GET " + run + "/events", 200, "Content-Type: application/x-ndjson", event + "\n" + event + "\n", false, 0},
		"a bad line of NDJSON":        {"GET " + run + "/events", 200, "Content-Type: application/x-ndjson", event + "\n{}\n", false, 1},
		"a stream":                    {"GET " + run + "/stream", 200, stream, hello + "id: 1\ndata: " + event + "\n\n: hb\n\n", false, 0},
		"half a frame":                {"GET " + run + "/stream", 200, stream, hello + "id: 1\nda", false, 0},
		"an event without an id":      {"GET " + run + "/stream", 200, stream, hello + "data: " + event + "\n\n", false, 1},
		"a frame that is no event":    {"GET " + run + "/stream", 200, stream, hello + "id: 1\ndata: {}\n\n", false, 1},
		"a frame of another name":     {"GET " + run + "/stream", 200, stream, hello + "event: bye\ndata: {}\n\n", false, 1},
		"a reset that keeps its id":   {"GET " + run + "/stream", 200, stream, hello + "event: reset\nid: 7\ndata: {\"last_seq\":7}\n\n", false, 1},
		"a reset":                     {"GET " + run + "/stream", 200, stream, hello + "event: reset\nid: \ndata: {\"last_seq\":7}\n\n", false, 0},
		"a comment nobody knows":      {"GET " + run + "/stream", 200, stream, ": hello there\n\n", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &probe{TB: t}
			server := httptest.NewServer(apidoctest.Watch(p).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if !c.noID {
					w.Header().Set("X-Request-Id", "01kdy7000000000000000000ab")
				}
				for line := range strings.Lines(c.header) {
					name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
					w.Header().Set(name, value)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})))
			method, rest, _ := strings.Cut(c.request, " ")
			path, body, _ := strings.Cut(rest, " ")
			send(t, method, server.URL+path, body)
			server.Close()
			p.end()
			if len(p.found) != c.disagreements {
				t.Errorf("%d disagreements, want %d: %q", len(p.found), c.disagreements, p.found)
			}
		})
	}
}

const (
	problemHeader = "Content-Type: " + contracts.ProblemMediaType
	stream        = "Content-Type: text/event-stream"
)

func problem(of contracts.ProblemType) string {
	return string(contractstest.Document(contracts.NewProblem(of, "")))
}

func send(t *testing.T, method, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
}

// TestEveryProblem lets a server fail in ways that no request could bring about, but still by a problem of the list.
func TestEveryProblem(t *testing.T) {
	t.Parallel()
	for body, disagreements := range map[string]int{problem(contracts.ProblemNotFound): 0, `{"type":"/problems/of-its-own"}`: 1} {
		p := &probe{TB: t}
		checker := apidoctest.Watch(p)
		checker.AllowEveryProblem()
		server := httptest.NewServer(checker.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Request-Id", "01kdy7000000000000000000ab")
			w.Header().Set("Content-Type", contracts.ProblemMediaType)
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, body)
		})))
		send(t, http.MethodGet, server.URL+"/engines", "")
		server.Close()
		p.end()
		if len(p.found) != disagreements {
			t.Errorf("%s: %q", body, p.found)
		}
	}
}

// TestProxy passes a stream on as it comes, names the host that the client asked for, and breaks with its target.
func TestProxy(t *testing.T) {
	t.Parallel()
	hosts := make(chan string, 1)
	broken := make(chan struct{})
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hosts <- r.Host
		w.Header().Set("X-Request-Id", "01kdy7000000000000000000ab")
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, ": hb\n\n")
		_ = http.NewResponseController(w).Flush()
		<-broken
		panic(http.ErrAbortHandler)
	}))
	defer target.Close()
	p := &probe{TB: t}
	address := apidoctest.Watch(p).Proxy(p, target.URL)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+run+"/stream", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Timeout: 30 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it breaks
	first := make([]byte, len(": hb\n\n"))
	if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != ": hb\n\n" {
		t.Errorf("first bytes %q, %v", first, err)
	}
	if host := <-hosts; "http://"+host != address {
		t.Errorf("the target was asked as %s, the proxy as %s", host, address)
	}
	close(broken)
	if rest, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("the stream ended well, with %q", rest)
	}
	p.end()
	if len(p.found) != 0 {
		t.Errorf("%q", p.found)
	}
}
