package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"axiom25/contracts"
	"axiom25/docs"
	"axiom25/server/journal"
)

// statusClientGone is what the log calls an answer that nobody waited for; it is never sent. The number is nginx's.
const statusClientGone = 499

// fail answers a request with a problem document. It is the one place that does.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r)
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		x.gone = true
		return
	}
	p := a.shownProblem(r, err)
	if x.status != 0 {
		return
	}
	h := w.Header()
	h.Set("Content-Type", contracts.ProblemMediaType)
	h.Set("Cache-Control", "no-store")
	h.Del("Content-Length") // of an answer that was not sent after all
	h.Del("Content-Encoding")
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="axiom25"`)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		if h.Get("Retry-After") == "" {
			h.Set("Retry-After", strconv.Itoa(retryAfter(p)))
		}
	}
	body, err := contracts.Encode(p)
	if err != nil {
		a.Log.LogAttrs(r.Context(), slog.LevelError, "problem not encoded", slog.Any("error", err))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // an error here is the client's, who is gone
}

// shownProblem returns what the client reads of an error, and notes it for the log.
func (a *API) shownProblem(r *http.Request, err error) *contracts.Problem {
	x := exchangeOf(r)
	p := problemOf(err)
	x.problem = strings.TrimPrefix(p.Type, "/problems/")
	if p.Status >= http.StatusInternalServerError {
		a.Log.LogAttrs(r.Context(), slog.LevelError, "request failed",
			slog.String("request_id", x.id), slog.String("route", x.route), slog.Any("error", err))
	}
	if p.Has(contracts.ProblemInternal) {
		p.Detail, p.Errors, p.RequestID = "", nil, x.id
	}
	return p
}

// retryAfter is how long a client should wait, in seconds: a full queue empties at once, a full disk does not.
func retryAfter(p *contracts.Problem) int {
	if p.Has(contracts.ProblemJournalUnavailable) {
		return 5
	}
	return 1
}

// problemOf turns an error into the problem that the client reads. What is not listed here is internal, and the
// client learns nothing of it.
func problemOf(err error) *contracts.Problem {
	if p, ok := errors.AsType[*contracts.Problem](err); ok {
		shown := *p // fail adds to it
		return &shown
	}
	if conflict, ok := errors.AsType[*journal.ConflictError](err); ok {
		p := contracts.NewProblem(contracts.ProblemSequenceConflict, "the run has moved on")
		p.Expected = &conflict.Last
		return p
	}
	if _, ok := errors.AsType[*journal.KeyTakenError](err); ok {
		return contracts.NewProblem(contracts.ProblemIdempotencyConflict, "the key belongs to a run with another task")
	}
	if _, ok := errors.AsType[*journal.ToolConflictError](err); ok {
		return contracts.NewProblem(contracts.ProblemToolVersionConflict, "publish changed content under a new version")
	}
	if damaged, ok := errors.AsType[*journal.DamagedError](err); ok {
		return contracts.NewProblem(contracts.ProblemHistoryDamaged,
			"the stored run does not match its checksums from event "+strconv.FormatInt(int64(damaged.From), 10)+" on")
	}
	for _, known := range []struct {
		is     error
		t      contracts.ProblemType
		detail string
	}{
		{journal.ErrNotFound, contracts.ProblemNotFound, "there is no run with this id"},
		{journal.ErrPruned, contracts.ProblemHistoryPruned, "retention deleted the run's events"},
		{journal.ErrTooLarge, contracts.ProblemTooLarge, "the events do not fit into one append"},
		{journal.ErrBusy, contracts.ProblemOverloaded, "too many writes are waiting; nothing was stored"},
		{journal.ErrFull, contracts.ProblemJournalUnavailable, "the disk is full; nothing was stored"},
		{journal.ErrUnavailable, contracts.ProblemJournalUnavailable, "the journal takes no writes until the server is restarted"},
		{journal.ErrUnknown, contracts.ProblemJournalUnavailable, "it is not known whether this was stored; the same request again settles it"},
	} {
		if errors.Is(err, known.is) {
			return contracts.NewProblem(known.t, known.detail)
		}
	}
	return contracts.NewProblem(contracts.ProblemInternal, "")
}

// malformed is the problem of a request whose address or headers cannot be read. detail names what is wrong, never
// what was sent.
func malformed(detail string) *contracts.Problem {
	return contracts.NewProblem(contracts.ProblemMalformed, detail)
}

// problemPage shows the section of docs/problems.md that a problem's type names, so that the link in every problem
// document leads somewhere.
func (a *API) problemPage(w http.ResponseWriter, r *http.Request) error {
	section, ok := docs.Problem(mux.Vars(r)["type"])
	if !ok {
		return contracts.NewProblem(contracts.ProblemNotFound, "there is no problem of this type")
	}
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, err := w.Write([]byte(section)) //nolint:gosec // a section of a page that was compiled in
	return err
}
