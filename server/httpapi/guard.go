package httpapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"axiom25/contracts"
)

// sessionCookie is the cookie that stands for the token in a browser, whose EventSource cannot send headers.
const sessionCookie = "axiom25_session"

// guard decides who may speak to the server.
type guard struct {
	hosts   []string
	origins []string
	token   string
	session string // the cookie's value: derived from the token, so that it never holds it
	cross   *http.CrossOriginProtection
}

func newGuard(cfg Config) (*guard, error) {
	g := &guard{origins: cfg.CORSOrigins, token: cfg.Token, cross: http.NewCrossOriginProtection()}
	for _, host := range cfg.Hosts {
		g.hosts = append(g.hosts, normalHost(host))
	}
	for _, origin := range cfg.CORSOrigins {
		if err := g.cross.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("CORS origin: %w", err)
		}
	}
	mac := hmac.New(sha256.New, []byte(cfg.Token))
	mac.Write([]byte(sessionCookie))
	g.session = hex.EncodeToString(mac.Sum(nil))
	return g, nil
}

// admit refuses requests that a page of another site makes a browser send: by a name that it pointed at this
// server's address (DNS rebinding), or as a write from its own origin.
func (g *guard) admit(r *http.Request) error {
	if !g.knowsHost(r.Host) {
		return contracts.NewProblem(contracts.ProblemForbidden, "the server is not known under this host name")
	}
	if err := g.cross.Check(r); err != nil {
		return contracts.NewProblem(contracts.ProblemForbidden, "writes from another origin are refused")
	}
	return nil
}

// knowsHost reports whether a Host header names this server: a loopback address, localhost, or a configured name.
func (g *guard) knowsHost(hostport string) bool {
	host := normalHost(hostport)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		return true
	}
	return slices.Contains(g.hosts, host)
}

// normalHost returns a host without port, brackets and final dot, in lower case.
func normalHost(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// shareWithOrigin lets the pages of a configured origin read the answer (Fetch, CORS protocol). It reports whether
// the request was a preflight, which is answered then.
func (g *guard) shareWithOrigin(w http.ResponseWriter, r *http.Request) bool {
	if len(g.origins) == 0 {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !slices.Contains(g.origins, origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		h.Set("Access-Control-Expose-Headers", "Idempotency-Replayed, Location, Retry-After, X-Request-Id")
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Axiom25-Lease, Content-Type, Idempotency-Key, Last-Event-ID, Traceparent")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// authorized reports whether a request carries the token, where one is needed. The comparisons take the same time
// whatever differs.
func (g *guard) authorized(r *http.Request) bool {
	if g.token == "" {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && same(strings.TrimSpace(token), g.token) {
		return true
	}
	cookie, err := r.Cookie(sessionCookie)
	return err == nil && same(cookie.Value, g.session)
}

// same compares two texts by their digests, so that not even a difference in length shows.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// login trades the token in the address for a cookie and leads to the console, so that a person can open the address
// that the server prints. The cookie is out of reach for scripts and other sites, and the token does not stay in the
// address bar.
func (a *API) login(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r, "token")
	if err != nil {
		return err
	}
	token, err := q.one("token")
	if err != nil {
		return err
	}
	if a.Token == "" || !same(token, a.Token) {
		return contracts.NewProblem(contracts.ProblemUnauthorized, "this is not the server's token")
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // secure wherever the connection is
		Name: sessionCookie, Value: a.guard.session, Path: "/",
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
