package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

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
	return writeFile(w, r, contracts.SchemaMediaType, schema)
}

// openAPI shows what requests and answers look like.
func (a *API) openAPI(w http.ResponseWriter, r *http.Request) error {
	return writeFile(w, r, mediaJSON, docs.OpenAPI)
}

// asyncAPI shows what streams carry.
func (a *API) asyncAPI(w http.ResponseWriter, r *http.Request) error {
	return writeFile(w, r, mediaJSON, docs.AsyncAPI)
}

// writeFile answers with a file that was compiled in, or with 304 where the client has it (RFC 9110, section 13.1.2).
func writeFile(w http.ResponseWriter, r *http.Request, media string, file []byte) error {
	sum := sha256.Sum256(file)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	if hasTag(r, tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return writeBody(w, http.StatusOK, media, file)
}

// hasTag reports whether a request says that the client has what an entity tag names.
func hasTag(r *http.Request, tag string) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("If-None-Match"), ","), ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == tag || part == "*" {
			return true
		}
	}
	return false
}
