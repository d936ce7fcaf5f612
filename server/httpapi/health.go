package httpapi

import (
	"net/http"

	"axiom25/contracts"
)

// healthz answers GET /healthz: the process runs and answers.
func (a *API) healthz(w http.ResponseWriter, r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, health{Status: "ok", Version: a.Version})
}

// health is the body of /healthz and /readyz.
type health struct {
	Status  string `json:"status"`
	Version string `json:"version"`
}

// readyz answers GET /readyz: the server takes runs. It does not while the journal cannot be written, and no longer
// once it is closing.
func (a *API) readyz(w http.ResponseWriter, r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	if a.streams.closing() {
		return contracts.NewProblem(contracts.ProblemOverloaded, "the server is closing")
	}
	if err := a.Journal.Ready(r.Context()); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, health{Status: "ready", Version: a.Version})
}
