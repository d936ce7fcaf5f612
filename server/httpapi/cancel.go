package httpapi

import (
	"net/http"

	"axiom25/contracts"
)

// cancel answers POST /runs/{id}/cancel: 202, since the run ends when its engine has, and the stream tells. A request
// without a body has no reason to give.
func (a *API) cancel(w http.ResponseWriter, r *http.Request) error {
	id, err := readsRun(r)
	if err != nil {
		return err
	}
	request := new(contracts.CancelRequest)
	if r.ContentLength != 0 {
		doc, err := readDocument(w, r)
		if err != nil {
			return err
		}
		if request, err = contracts.Decode[contracts.CancelRequest](doc); err != nil {
			return err
		}
	}
	if err := a.Intake.Cancel(r.Context(), id, *request); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}
