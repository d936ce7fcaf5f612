package httpapi_test

import (
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/server/httpapi"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) { c.Hosts = []string{"Axiom.example", "fd00::1"} })
	for host, known := range map[string]bool{
		"localhost": true, "LOCALHOST:8025": true, "localhost.": true, "console.localhost:80": true,
		"127.0.0.1": true, "127.9.9.9:1": true, "[::1]": true, "[::1]:8025": true,
		"axiom.example": true, "AXIOM.example.:443": true, "[fd00::1]:80": true,
		"evil.example": false, "localhost.evil.example": false, "10.0.0.1": false, "[fd00::2]": false, "axiom.example.evil": false,
		"127.0.0.1.evil.example": false, "notlocalhost": false,
	} {
		a := h.do("GET", "/healthz", "", "Host: "+host)
		if known && a.status != 200 {
			t.Errorf("%s: %d %s", host, a.status, a.body)
		}
		if !known {
			wantProblem(t, a, contracts.ProblemForbidden)
		}
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	const friend = "https://console.example"
	h := open(t, func(c *httpapi.Config) {
		c.CORSOrigins = []string{friend}
		c.Token = "secret"
	})
	a := h.do("OPTIONS", "/runs", "", "Origin: "+friend, "Access-Control-Request-Method: POST")
	if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != friend || a.header.Get("Vary") != "Origin" ||
		!strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "Idempotency-Key") ||
		!strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "PUT") {
		t.Errorf("preflight: %d %v", a.status, a.header)
	}
	a = h.do("POST", "/runs", task(""), "Origin: "+friend, "Sec-Fetch-Site: cross-site", "Authorization: Bearer secret")
	if a.status != 201 || a.header.Get("Access-Control-Allow-Origin") != friend ||
		!strings.Contains(a.header.Get("Access-Control-Expose-Headers"), "Location") {
		t.Errorf("write: %d %v", a.status, a.header)
	}
	a = h.do("GET", "/runs", "", "Origin: https://evil.example", "Authorization: Bearer secret")
	if a.status != 200 || a.header.Get("Access-Control-Allow-Origin") != "" || a.header.Get("Vary") != "Origin" {
		t.Errorf("read from elsewhere: %d %v", a.status, a.header)
	}
	a = h.do("OPTIONS", "/runs", "", "Origin: https://evil.example", "Access-Control-Request-Method: POST")
	if a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight from elsewhere: %v", a.header)
	}
	wantProblem(t, h.do("POST", "/runs", task(""), "Origin: https://evil.example", "Authorization: Bearer secret"), contracts.ProblemForbidden)

	if _, err := httpapi.New(httpapi.Config{CORSOrigins: []string{"console.example"}}); err == nil {
		t.Error("what is no origin was taken for one")
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) { c.Token = "s3cret of ours" })
	for path := range routes("run_01jz0000000000000000000000") {
		a := h.do("GET", path, "")
		switch path {
		case "/healthz", "/readyz", "/problems/over-limit", "/schemas/v2/budget.json", "/openapi.json", "/asyncapi.json":
			if a.status == 401 {
				t.Errorf("%s needs a token", path)
			}
		default:
			wantProblem(t, a, contracts.ProblemUnauthorized)
			if a.header.Get("WWW-Authenticate") != `Bearer realm="axiom25"` {
				t.Errorf("WWW-Authenticate: %s", a.header.Get("WWW-Authenticate"))
			}
		}
	}
	for header, status := range map[string]int{
		"Authorization: Bearer s3cret of ours":  200,
		"Authorization: bearer s3cret of ours":  200,
		"Authorization: Bearer s3cret of our":   401,
		"Authorization: Bearer s3cret of ours!": 401,
		"Authorization: Bearer":                 401,
		"Authorization: Basic s3cret of ours":   401,
		"Cookie: axiom25_session=s3cret":        401,
		"Cookie: axiom25_session=":              401,
	} {
		if a := h.do("GET", "/runs", "", header); a.status != status {
			t.Errorf("%s: %d, want %d", header, a.status, status)
		}
	}
	if strings.Contains(h.log.String(), "s3cret") {
		t.Error("the log has the token")
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) { c.Token = "s3cret" })
	wantProblem(t, h.do("GET", "/login?token=other", ""), contracts.ProblemUnauthorized)
	wantProblem(t, h.do("GET", "/login", ""), contracts.ProblemUnauthorized)
	a := h.do("GET", "/login?token=s3cret", "")
	cookie := a.header.Get("Set-Cookie")
	if a.status != 303 || a.header.Get("Location") != "/" || !strings.Contains(cookie, "; HttpOnly; SameSite=Strict") ||
		strings.Contains(cookie, "s3cret") {
		t.Fatalf("login: %d %s, cookie %s", a.status, a.header.Get("Location"), cookie)
	}
	value, _, _ := strings.Cut(cookie, ";")
	if a := h.do("GET", "/runs", "", "Cookie: "+value); a.status != 200 {
		t.Errorf("with the cookie: %d %s", a.status, a.body)
	}
	if strings.Contains(h.log.String(), "s3cret") {
		t.Error("the log has the token")
	}
}
