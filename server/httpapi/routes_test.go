package httpapi_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/server/httpapi"
)

// routes are the paths of the API and their methods, as the documentation has them.
func routes(run contracts.RunID) map[string][]string {
	self := "/runs/" + run.String()
	return map[string][]string{
		"/runs":                {"GET", "POST"},
		self:                   {"GET"},
		self + "/task":         {"GET"},
		self + "/stream":       {"GET"},
		self + "/events":       {"GET", "POST"},
		self + "/answer":       {"POST"},
		self + "/cancel":       {"POST"},
		self + "/approvals/x":  {"POST"},
		"/tools":               {"GET"},
		"/tools/publish":       {"GET", "PUT", "DELETE"},
		"/engines":             {"GET"},
		"/validate/budget":     {"POST"},
		"/healthz":             {"GET"},
		"/readyz":              {"GET"},
		"/metrics":             {"GET"},
		"/login":               {"GET"},
		"/problems/over-limit": {"GET"},

		"/schemas/v2/budget.json": {"GET"},
		"/openapi.json":           {"GET"},
		"/asyncapi.json":          {"GET"},
	}
}

// TestMethods walks every route with every method.
func TestMethods(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.putTool("publish")
	id := h.create("")
	h.finish(id)
	for path, methods := range routes(id) {
		allow := slices.Concat(methods, []string{"OPTIONS"})
		if slices.Contains(methods, "GET") {
			allow = append(allow, "HEAD")
		}
		slices.Sort(allow)
		want := strings.Join(allow, ", ")
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
			a := h.do(method, path, "")
			switch {
			case method == "OPTIONS":
				if a.status != http.StatusNoContent || a.header.Get("Allow") != want {
					t.Errorf("OPTIONS %s: %d, Allow: %s, want %s", path, a.status, a.header.Get("Allow"), want)
				}
			case slices.Contains(allow, method):
				if a.status == http.StatusMethodNotAllowed || a.status >= 500 {
					t.Errorf("%s %s: %d", method, path, a.status)
				}
			default:
				if a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != want {
					t.Errorf("%s %s: %d, Allow: %s, want 405 and %s", method, path, a.status, a.header.Get("Allow"), want)
				}
				if method != "HEAD" { // which has no body
					wantProblem(t, a, contracts.ProblemMethodNotAllowed)
				}
			}
		}
	}
}

// TestHead compares HEAD with GET wherever there is one.
func TestHead(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.putTool("publish")
	id := h.create("")
	h.finish(id)
	for path, methods := range routes(id) {
		if !slices.Contains(methods, "GET") || path == "/metrics" { // whose numbers change
			continue
		}
		get, head := h.do("GET", path, ""), h.do("HEAD", path, "")
		if head.body != "" || head.status != get.status || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
			t.Errorf("%s: HEAD %d %s, GET %d %s", path, head.status, head.header.Get("Content-Type"), get.status, get.header.Get("Content-Type"))
		}
		if length := get.header.Get("Content-Length"); length != "" && head.header.Get("Content-Length") != length {
			t.Errorf("%s: HEAD has Content-Length %s, GET %s", path, head.header.Get("Content-Length"), length)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, path := range []string{"/runs", "/nothing", "/healthz"} {
		a := h.do("GET", path, "")
		for name, value := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		} {
			if got := a.header.Get(name); got != value {
				t.Errorf("%s: %s: %q, want %q", path, name, got, value)
			}
		}
		if id := a.header.Get("X-Request-Id"); len(id) != 26 || id != strings.ToLower(id) {
			t.Errorf("%s: X-Request-Id: %q", path, id)
		}
	}
}

func TestFallback(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) {
		c.Fallback = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				http.Error(w, "<h1>nothing here</h1>", http.StatusNotFound)
				return
			}
			w.Header().Set("Cache-Control", "public")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "the console")
		})
	})
	if a := h.do("GET", "/", ""); a.status != 200 || a.body != "the console" || a.header.Get("Cache-Control") != "public" {
		t.Errorf("GET / = %d %s", a.status, a.body)
	}
	if a := h.do("GET", "/nothing", "", "Accept: text/html,*/*;q=0.8"); a.status != 404 || !strings.Contains(a.body, "<h1>") {
		t.Errorf("a browser got %d %s", a.status, a.body)
	}
	wantProblem(t, h.do("GET", "/nothing", ""), contracts.ProblemNotFound)
	wantProblem(t, h.do("POST", "/", "{}"), contracts.ProblemNotFound)
	wantProblem(t, h.do("GET", "/runs/x/y", "", "Accept: application/json"), contracts.ProblemNotFound)
	h.log.wait(t, "route=console", "status=200")
}

func TestProblemPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	p := wantProblem(t, h.do("GET", "/nothing", ""), contracts.ProblemNotFound)
	a := h.do("GET", p.Type, "")
	if a.status != 200 || a.header.Get("Content-Type") != "text/markdown; charset=utf-8" || !strings.HasPrefix(a.body, "## not-found\n") ||
		strings.Count(a.body, "\n## ") != 0 {
		t.Errorf("%s: %d %s", p.Type, a.status, a.body)
	}
}
