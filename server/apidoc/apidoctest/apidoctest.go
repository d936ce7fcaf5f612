// Package apidoctest holds what a server sends, and what it accepts, against the documents of package apidoc. A test
// puts a Checker between a server and its clients; it looks at every exchange as it passes, delays none, and fails the
// test at its end where the two disagree: over a path, method, status, header, media type, problem type, or a body that
// does not obey its schema. Members that no schema names are a disagreement too, though a client would ignore them.
package apidoctest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"axiom25/contracts"
)

// Checker watches the exchanges of one test.
type Checker struct {
	spec *Spec

	mu        sync.Mutex
	every     bool
	exchanges int
	seen      map[[sha256.Size]byte]bool
	pending   []*exchange
}

// Watch returns a Checker that reports to tb at its end. Call it before what starts the server, so that its report comes
// after the server's end.
func Watch(tb testing.TB) *Checker {
	tb.Helper()
	spec, err := Load()
	if err != nil {
		tb.Fatal(err)
	}
	c := &Checker{spec: spec, seen: make(map[[sha256.Size]byte]bool)}
	tb.Cleanup(func() {
		bodies := 0
		for _, x := range c.pending {
			n, err := spec.check(x)
			if err != nil && c.every && x.media() == contracts.ProblemMediaType {
				n, err = spec.checkProblemOnly(x, everyProblem()...)
			}
			bodies += n
			if err != nil {
				tb.Errorf("%s %s answered %d, which the documents do not say: %v", x.method, x.path, x.status, err)
			}
		}
		tb.Logf("apidoctest: %d exchanges, %d different bodies held against their schemas", c.exchanges, bodies)
	})
	return c
}

// AllowEveryProblem lets any operation answer any problem of the closed list: for a server that a test makes fail from
// within, in ways that no request could bring about.
func (c *Checker) AllowEveryProblem() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.every = true
}

// everyProblem is the closed list.
func everyProblem() []contracts.ProblemType {
	var list []contracts.ProblemType
	for _, info := range contracts.ProblemTypes() {
		list = append(list, info.Type)
	}
	return list
}

// Handler returns a handler that passes everything to next, and watches.
func (c *Checker) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{
			method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, sent: r.Header.Get("Content-Type"),
			preflight: r.Header.Get("Access-Control-Request-Method") != "",
		}
		if r.Body != nil {
			r.Body = &teeBody{ReadCloser: r.Body, copy: &x.request}
		}
		rec := &recorder{ResponseWriter: w, x: x}
		x.cut = true
		defer func() {
			x.gone = r.Context().Err() != nil
			c.add(x)
		}()
		next.ServeHTTP(rec, r)
		x.cut = rec.failed
	})
}

// Proxy starts a server that passes everything on to the one at target, a URL, watches, and ends with the test. It
// holds nothing back: a stream's bytes go on as they come, and a connection that the target breaks is broken.
func (c *Checker) Proxy(tb testing.TB, target string) string {
	tb.Helper()
	to, err := url.Parse(target)
	if err != nil {
		tb.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // by which the server knows itself, and which a browser's Origin is compared with
		},
		Transport:     transport,
		FlushInterval: -1,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	watched := c.Handler(proxy)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex() // some requests stay open while they are answered
		watched.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = quiet()
	server.Start()
	tb.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	return server.URL
}

// add takes in an exchange that is over.
func (c *Checker) add(x *exchange) {
	if x.status == 0 && (x.cut || x.gone) {
		return // nothing was answered
	}
	if x.status == 0 {
		x.status, x.header = http.StatusOK, http.Header{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.exchanges++
	sum := x.sum()
	if !c.seen[sum] {
		c.seen[sum] = true
		c.pending = append(c.pending, x)
	}
}

// exchange is a request and its answer.
type exchange struct {
	method, path, query string
	sent                string // the request's media type
	preflight           bool
	request             bytes.Buffer

	status int
	header http.Header
	body   bytes.Buffer
	// cut says that the answer did not reach its end, and gone that the client did not wait for it.
	cut, gone bool
}

// sum tells exchanges apart of which one is enough: streams of one run have the same bytes for every viewer.
func (x *exchange) sum() [sha256.Size]byte {
	h := sha256.New()
	_, _ = fmt.Fprintln(h, x.method, x.path, x.query, x.sent, x.status, x.cut)
	for _, part := range []fmt.Stringer{&x.request, &x.body} {
		_, _ = fmt.Fprintln(h, part.String())
	}
	_ = x.header.Write(h)
	return [sha256.Size]byte(h.Sum(nil))
}

// media returns the media type of the answer, without parameters.
func (x *exchange) media() string {
	media, _, _ := strings.Cut(x.header.Get("Content-Type"), ";")
	return media
}

// recorder is a response writer that keeps what passes.
type recorder struct {
	http.ResponseWriter
	x      *exchange
	failed bool
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	r.begin(status)
	r.ResponseWriter.WriteHeader(status)
}

// begin notes the head.
func (r *recorder) begin(status int) {
	if r.x.status == 0 && status >= http.StatusOK {
		r.x.status, r.x.header = status, r.Header().Clone()
	}
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	r.begin(http.StatusOK)
	n, err := r.ResponseWriter.Write(b)
	if r.x.method != http.MethodHead {
		r.x.body.Write(b[:n])
	}
	r.failed = r.failed || err != nil
	return n, err
}

// FlushError lets http.ResponseController and go-sse flush.
func (r *recorder) FlushError() error {
	r.begin(http.StatusOK)
	return http.NewResponseController(r.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Hijack implements http.Hijacker: what goes over a connection of the handler's own cannot be watched, so it gets none.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}

// teeBody is a request's body that keeps what was read of it.
type teeBody struct {
	io.ReadCloser
	copy *bytes.Buffer
}

// Read implements io.Reader.
func (b *teeBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.copy.Write(p[:n])
	return n, err
}
