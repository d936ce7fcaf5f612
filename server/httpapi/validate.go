package httpapi

import (
	"net/http"

	"github.com/gorilla/mux"

	"axiom25/contracts"
)

// validate answers POST /validate/{contract}: 204, or the document's problems. It says what the browser says of the
// same bytes; what only this server knows, its catalogue and its ceiling, POST /runs looks at.
func (a *API) validate(w http.ResponseWriter, r *http.Request) error {
	decode, ok := decoderOf(mux.Vars(r)["contract"])
	if !ok {
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
	if err := decode(doc); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// decoderOf returns what holds a document against a contract.
func decoderOf(contract string) (decode func(doc []byte) error, ok bool) {
	switch contract {
	case "taskspec":
		return decodes[contracts.TaskSpec], true
	case "budget":
		return decodes[contracts.Budget], true
	case "verifycontract":
		return decodes[contracts.VerifyContract], true
	case "toolspec":
		return decodes[contracts.ToolSpec], true
	case "runevent":
		return func(doc []byte) error {
			_, err := contracts.DecodeEvent(doc)
			return err
		}, true
	}
	return nil, false
}

func decodes[T any](doc []byte) error {
	_, err := contracts.Decode[T](doc)
	return err
}
