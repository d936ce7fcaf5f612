package httpapi

import (
	"net/http"

	"github.com/gorilla/mux"

	"axiom25/contracts"
)

// decide answers POST /runs/{id}/approvals/{approval}: 204, and the stream tells what follows.
func (a *API) decide(w http.ResponseWriter, r *http.Request) error {
	id, err := readsRun(r)
	if err != nil {
		return err
	}
	approval, err := contracts.ParseApprovalID(mux.Vars(r)["approval"])
	if err != nil {
		return contracts.NewProblem(contracts.ProblemNotFound, "the run has no approval with this id")
	}
	doc, err := readDocument(w, r)
	if err != nil {
		return err
	}
	decision, err := contracts.Decode[contracts.ApprovalDecision](doc)
	if err != nil {
		return err
	}
	if err := a.Intake.Decide(r.Context(), id, approval, *decision); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
