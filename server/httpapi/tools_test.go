package httpapi_test

import (
	"net/http"
	"testing"

	"axiom25/contracts"
)

// A version that is named and empty, as a script's unset variable leaves it, must not stand for all of them.
func TestTools_emptyVersion(t *testing.T) {
	t.Parallel()
	h := open(t)
	if got := h.do(http.MethodPut, "/tools/publish", tool("publish", "1.0.0", "x")); got.status != http.StatusCreated {
		t.Fatalf("put: %d %s", got.status, got.body)
	}
	for _, method := range []string{http.MethodDelete, http.MethodGet} {
		p := want[contracts.Problem](t, h.do(method, "/tools/publish?version=", ""), http.StatusBadRequest)
		if !p.Has(contracts.ProblemMalformed) {
			t.Errorf("%s: problem %s", method, p.Type)
		}
	}
	if got := h.do(http.MethodGet, "/tools/publish", ""); got.status != http.StatusOK {
		t.Errorf("the tool is gone: %d %s", got.status, got.body)
	}
}
