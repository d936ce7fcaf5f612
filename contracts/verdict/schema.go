package verdict

import (
	"github.com/go-json-experiment/json/jsontext"

	"axiom25/contracts"
)

// conforms holds the target against a JSON Schema. A schema that cannot be compiled and a value that takes too
// much work or depth to be judged are errors.
func (j *judge) conforms(a *contracts.Assertion) (bool, error) {
	doc, err := j.value(a.Target)
	if err != nil {
		return false, err
	}
	return conforms(a.Value, doc)
}

func conforms(schema []byte, doc jsontext.Value) (bool, error) {
	s, err := contracts.CompileSchema(schema)
	if err != nil {
		return false, errValue
	}
	wrong := s.Validate(doc)
	for i := range wrong {
		if wrong[i].Code != contracts.CodeSchemaMismatch {
			return false, errUnjudged
		}
	}
	return len(wrong) == 0, nil
}
