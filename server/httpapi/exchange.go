package httpapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"axiom25/contracts"
)

// exchange is one request and its answer, as the log and the metrics tell of them. It is the answer's writer, so
// that it knows what was sent.
type exchange struct {
	http.ResponseWriter
	id      string
	method  string
	began   time.Time
	route   string // the template, never the path
	run     contracts.RunID
	status  int
	problem string // the type of the problem that was sent
	end     string // why a stream ended
	gone    bool   // the client went before it was answered

	detached bool // the answer goes on when the handler has returned, and is recorded at its end
}

// exchangeKey is the context key of the exchange.
type exchangeKey struct{}

// exchangeOf returns the exchange that a request belongs to.
func exchangeOf(r *http.Request) *exchange {
	x, _ := r.Context().Value(exchangeKey{}).(*exchange)
	return x
}

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && status >= http.StatusOK {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(b)
}

// FlushError sends what was written, the header at least. go-sse looks for it.
func (x *exchange) FlushError() error {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return http.NewResponseController(x.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := a.Now()
	x := &exchange{ResponseWriter: w, id: newRequestID(began), method: knownMethod(r.Method), began: began, route: "none"}
	r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	defer a.recordAnswered(x, r)
	defer a.recoverPanic(x, r)

	a.limitTime(x, r)
	h := w.Header()
	h.Set("X-Request-Id", x.id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if err := a.guard.admit(r); err != nil {
		a.fail(x, r, err)
		return
	}
	if a.guard.shareWithOrigin(x, r) {
		return
	}
	a.router.ServeHTTP(x, r)
}

// limitTime sees to it that a client that stops reading its answer, or sending its body, holds no goroutine for ever:
// net/http takes in what a handler leaves of a body. Where a connection knows no deadlines, it cannot stall either.
func (a *API) limitTime(x *exchange, r *http.Request) {
	control := http.NewResponseController(x)
	_ = control.SetWriteDeadline(x.began.Add(a.AnswerTimeout))
	if r.ContentLength != 0 {
		_ = control.SetReadDeadline(x.began.Add(a.ReadTimeout))
	}
}

// newRequestID returns a lowercase ULID.
func newRequestID(now time.Time) string {
	id, err := ulid.New(ulid.Timestamp(now), rand.Reader)
	if err != nil { // the clock is beyond the year 10889
		return ""
	}
	return strings.ToLower(id.String())
}

// recoverPanic answers a request whose handler panicked. Where the answer has begun, the connection is cut, so that
// the client does not take a part for the whole.
func (a *API) recoverPanic(x *exchange, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler { //nolint:errorlint // a panic's value, compared as net/http does
		panic(v)
	}
	begun := x.status != 0
	a.fail(x, r, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
	if begun {
		panic(http.ErrAbortHandler)
	}
}

// recordAnswered is record for a request whose handler has returned.
func (a *API) recordAnswered(x *exchange, r *http.Request) {
	if !x.detached {
		a.record(r.Context(), x)
	}
}

// record writes the request's line of the log and counts it. No header, query or body is in it.
func (a *API) record(ctx context.Context, x *exchange) {
	status := x.status
	switch {
	case status == 0 && x.gone:
		status = statusClientGone
	case status == 0:
		status = http.StatusOK // net/http sends it for a handler that wrote nothing
	}
	took := a.Now().Sub(x.began)
	a.metrics.observe(x.route, x.method, status, took)

	attrs := []slog.Attr{
		slog.String("request_id", x.id),
		slog.String("method", x.method),
		slog.String("route", x.route),
		slog.Int("status", status),
		slog.Duration("duration", took),
	}
	if x.run != "" {
		attrs = append(attrs, slog.String("run", x.run.String()))
	}
	if x.problem != "" {
		attrs = append(attrs, slog.String("problem", x.problem))
	}
	if x.end != "" {
		attrs = append(attrs, slog.String("end", x.end))
	}
	a.Log.LogAttrs(ctx, slog.LevelInfo, "request", attrs...)
}

// knownMethod returns the method, or "other", so that a client cannot fill the log or the metrics with inventions.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}
