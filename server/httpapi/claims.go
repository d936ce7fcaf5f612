package httpapi

import (
	"context"
	"errors"
	"net/http"

	"axiom25/contracts"
	"axiom25/server/intake"
)

// leaseHeader carries the token of an engine's lease.
const leaseHeader = "Axiom25-Lease"

// maxToken is how long a lease's token may be, in bytes.
const maxToken = 128

// leaseToken returns the token of a request's lease, or the empty one where it names none.
func leaseToken(r *http.Request) (intake.Token, error) {
	values := r.Header.Values(leaseHeader)
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || values[0] == "" || len(values[0]) > maxToken {
		return "", malformed(leaseHeader + ": one token, as the claim gave it")
	}
	return intake.Token(values[0]), nil
}

// holder returns who reports by a request.
func (a *API) holder(r *http.Request) (intake.Holder, error) {
	token, err := leaseToken(r)
	if err != nil {
		return intake.Holder{}, err
	}
	return a.Intake.As(token), nil
}

// claimRun answers POST /claims with the oldest run that waits for an engine of the backend, or with 204 where none came
// in the time that the engine was willing to wait, or before the server closes.
func (a *API) claimRun(w http.ResponseWriter, r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	if _, err := negotiate(r, mediaJSON); err != nil {
		return err
	}
	doc, err := readDocument(w, r)
	if err != nil {
		return err
	}
	request, err := contracts.Decode[contracts.ClaimRequest](doc)
	if err != nil {
		return err
	}
	if !a.admission.wait() {
		return contracts.NewProblem(contracts.ProblemOverloaded, "too many requests wait")
	}
	defer a.admission.leave()
	ctx, done := a.streams.untilClosed(r.Context())
	defer done()
	claimed, err := a.Intake.Claim(ctx, *request)
	if errors.Is(context.Cause(ctx), errClosing) && errors.Is(err, context.Canceled) || claimed == nil && err == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil {
		return err
	}
	exchangeOf(r).run = claimed.RunID
	return writeJSON(w, http.StatusOK, claimed)
}

// renewLease answers PUT /runs/{id}/lease: the lease lasts for its whole time again.
func (a *API) renewLease(w http.ResponseWriter, r *http.Request) error {
	id, err := readsRun(r)
	if err != nil {
		return err
	}
	holder, err := a.holder(r)
	if err != nil {
		return err
	}
	lease, err := holder.Renew(r.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, lease)
}

// dropLease answers DELETE /runs/{id}/lease: the run can be claimed again.
func (a *API) dropLease(w http.ResponseWriter, r *http.Request) error {
	id, err := readsRun(r)
	if err != nil {
		return err
	}
	holder, err := a.holder(r)
	if err != nil {
		return err
	}
	if err := holder.Release(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
