package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"axiom25/contracts"
)

// handler answers one request, or returns what keeps it from doing so: a *contracts.Problem where the client is to
// read it, any other error where problemOf decides. An error after the first byte just ends the answer.
type handler func(w http.ResponseWriter, r *http.Request) error

// resource is one path of the API and what can be done there.
type resource struct {
	path    string
	methods map[string]handler
	// open says that no token is needed.
	open bool
}

// resources is the API's one route table. HEAD stands wherever GET does, OPTIONS everywhere. Package apidoc says what
// each of them takes and gives.
func (a *API) resources() []resource {
	type methods = map[string]handler
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	return []resource{
		{path: "/runs", methods: methods{get: a.listRuns, post: a.createRun}},
		{path: "/runs/{id}", methods: methods{get: a.getRun}},
		{path: "/runs/{id}/task", methods: methods{get: a.getTask}},
		{path: "/runs/{id}/stream", methods: methods{get: a.stream}},
		{path: "/stream", methods: methods{get: a.streamMany}},
		{path: "/runs/{id}/events", methods: methods{get: a.listEvents, post: a.appendEvents}},
		{path: "/runs/{id}/lease", methods: methods{put: a.renewLease, del: a.dropLease}},
		{path: "/runs/{id}/fork", methods: methods{post: a.forkRun}},
		{path: "/runs/{id}/answer", methods: methods{post: a.answer}},
		{path: "/runs/{id}/cancel", methods: methods{post: a.cancel}},
		{path: "/runs/{id}/approvals/{approval}", methods: methods{post: a.decide}},
		{path: "/claims", methods: methods{post: a.claimRun}},
		{path: "/tools", methods: methods{get: a.listTools}},
		{path: "/tools/{name}", methods: methods{get: a.getTool, put: a.putTool, del: a.deleteTool}},
		{path: "/engines", methods: methods{get: a.listEngines}},
		{path: "/validate/{contract}", methods: methods{post: a.validate}},
		{path: "/metrics", methods: methods{get: a.showMetrics}},
		{path: "/healthz", methods: methods{get: a.healthz}, open: true},
		{path: "/readyz", methods: methods{get: a.readyz}, open: true},
		{path: "/login", methods: methods{get: a.login}, open: true},
		{path: "/problems/{type}", methods: methods{get: a.problemPage}, open: true},
		{path: "/schemas/{version}/{contract}.json", methods: methods{get: a.schema}, open: true},
		{path: "/openapi.json", methods: methods{get: a.openAPI}, open: true},
		{path: "/asyncapi.json", methods: methods{get: a.asyncAPI}, open: true},
	}
}

// routes builds the router. Methods are not left to it: it would answer 405 without the Allow that RFC 9110 asks
// for. Nor are paths cleaned: a redirect is no answer to a request that names nothing.
func (a *API) routes() *mux.Router {
	router := mux.NewRouter().SkipClean(true)
	for _, res := range a.resources() {
		router.Handle(res.path, a.serve(res))
	}
	router.NotFoundHandler = http.HandlerFunc(a.fallback)
	return router
}

// serve answers the requests for one resource.
func (a *API) serve(res resource) http.Handler {
	allow := allowed(res.methods)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r)
		x.route = res.path
		w.Header().Set("Cache-Control", "no-store")
		if !res.open && !a.guard.authorized(r) {
			a.fail(w, r, contracts.NewProblem(contracts.ProblemUnauthorized, "send the server's token as a bearer token"))
			return
		}
		method := r.Method
		switch method {
		case http.MethodOptions:
			w.Header().Set("Allow", allow)
			w.WriteHeader(http.StatusNoContent)
			return
		case http.MethodHead:
			method = http.MethodGet
		}
		handle, ok := res.methods[method]
		if !ok {
			w.Header().Set("Allow", allow)
			a.fail(w, r, contracts.NewProblem(contracts.ProblemMethodNotAllowed, "allowed here: "+allow))
			return
		}
		if err := handle(w, r); err != nil {
			a.fail(w, r, err)
		}
	})
}

// allowed returns the value of the Allow header (RFC 9110, section 10.2.1).
func allowed(methods map[string]handler) string {
	names := []string{http.MethodOptions}
	for name := range methods {
		names = append(names, name)
		if name == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// fallback answers what no resource does: by the console where it may have it, else 404.
func (a *API) fallback(w http.ResponseWriter, r *http.Request) {
	nothing := contracts.NewProblem(contracts.ProblemNotFound, "no route of this server has this address")
	if a.Fallback == nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		a.fail(w, r, nothing)
		return
	}
	exchangeOf(r).route = "console"
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		a.Fallback.ServeHTTP(w, r)
		return
	}
	page := &notFoundFilter{ResponseWriter: w}
	a.Fallback.ServeHTTP(page, r)
	if page.missing {
		a.fail(w, r, nothing)
	}
}

// notFoundFilter lets every answer through but a 404, whose header and body it swallows.
type notFoundFilter struct {
	http.ResponseWriter
	missing bool
}

// WriteHeader implements http.ResponseWriter.
func (f *notFoundFilter) WriteHeader(status int) {
	if status == http.StatusNotFound {
		f.missing = true
		return
	}
	f.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (f *notFoundFilter) Write(b []byte) (int, error) {
	if f.missing {
		return len(b), nil
	}
	return f.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (f *notFoundFilter) Unwrap() http.ResponseWriter { return f.ResponseWriter }

// runID returns the run that the address names.
func runID(r *http.Request) (contracts.RunID, error) {
	id, err := contracts.ParseRunID(mux.Vars(r)["id"])
	if err != nil {
		return "", noRun()
	}
	exchangeOf(r).run = id
	return id, nil
}

func noRun() *contracts.Problem {
	return contracts.NewProblem(contracts.ProblemNotFound, "there is no run with this id")
}
