package httpapi

import (
	"net/http"

	"axiom25/contracts"
)

// listEngines answers GET /engines with what runs can be given to.
func (a *API) listEngines(w http.ResponseWriter, r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	if _, err := negotiate(r, mediaJSON); err != nil {
		return err
	}
	list := contracts.EngineList{Engines: a.Engines.List()}
	if list.Engines == nil {
		list.Engines = []contracts.Engine{}
	}
	return writeJSON(w, http.StatusOK, list)
}
