package httpapi

import (
	"net/http"

	"github.com/gorilla/mux"

	"axiom25/contracts"
	"axiom25/docs"
)

// schema shows the JSON Schema of a contract in a version.
func (a *API) schema(w http.ResponseWriter, r *http.Request) error {
	vars := mux.Vars(r)
	schema, ok := docs.Schema(vars["version"], vars["contract"])
	if !ok {
		return contracts.NewProblem(contracts.ProblemNotFound, "there is no schema of this contract and version")
	}
	w.Header().Set("Content-Type", contracts.SchemaMediaType)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, err := w.Write(schema) //nolint:gosec // a file that was compiled in
	return err
}
