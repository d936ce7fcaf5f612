package httpapi

import (
	"net/http"

	"github.com/gorilla/mux"

	"axiom25/contracts"
)

// validate answers POST /validate/{contract}: 204, or the document's problems. It says what the browser says of the
// same bytes; what only this server knows, its catalogue and its ceiling, POST /runs looks at.
func (a *API) validate(w http.ResponseWriter, r *http.Request) error {
	name := mux.Vars(r)["contract"]
	kind, err := contracts.ParseKind(name)
	if err != nil || string(kind) != name { // one address for each
		return contracts.NewProblem(contracts.ProblemNotFound,
			"the contracts are taskspec, budget, verifycontract, toolspec and runevent")
	}
	if err := noQuery(r); err != nil {
		return err
	}
	doc, err := readDocument(w, r)
	if err != nil {
		return err
	}
	if err := contracts.Validate(kind, doc); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
