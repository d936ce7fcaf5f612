package httpapi

import (
	"net/http"

	"axiom25/contracts"
)

// answer answers POST /runs/{id}/answer with what the answer led to: the verdict, the end of the run, or both.
func (a *API) answer(w http.ResponseWriter, r *http.Request) error {
	id, err := readsRun(r)
	if err != nil {
		return err
	}
	doc, err := readDocument(w, r)
	if err != nil {
		return err
	}
	answer, err := contracts.Decode[contracts.Answer](doc)
	if err != nil {
		return err
	}
	holder, err := a.holder(r)
	if err != nil {
		return err
	}
	judged, err := holder.Answer(r.Context(), id, *answer)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, judged)
}
