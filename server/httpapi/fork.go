package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"

	"axiom25/contracts"
	"axiom25/server/intake"
)

// forkRun answers POST /runs/{id}/fork as createRun answers POST /runs: with a new run that may read its parent up to an
// event. Nothing is copied.
func (a *API) forkRun(w http.ResponseWriter, r *http.Request) error {
	parent, err := readsRun(r)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	doc, err := readDocument(w, r)
	if err != nil {
		return err
	}
	request, err := contracts.Decode[contracts.ForkRequest](doc)
	if err != nil {
		return err
	}
	var sent struct {
		Task json.RawMessage `json:"task"`
	}
	if err := json.Unmarshal(doc, &sent); err != nil {
		return fmt.Errorf("task of a valid request: %w", err)
	}
	created, replayed, err := a.Intake.Fork(r.Context(), parent, request.Seq, sent.Task, intake.CreateOptions{
		IdempotencyKey: key,
		Traceparent:    traceparent(r),
	})
	if err != nil {
		return err
	}
	return writeCreated(w, r, created, replayed)
}

// writeCreated answers with a run that was made, now or by the same request before.
func writeCreated(w http.ResponseWriter, r *http.Request, created contracts.Created, replayed bool) error {
	exchangeOf(r).run = created.RunID
	w.Header().Set("Location", created.Links.Self)
	if replayed {
		w.Header().Set("Idempotency-Replayed", "true")
		return writeJSON(w, http.StatusOK, created)
	}
	return writeJSON(w, http.StatusCreated, created)
}
