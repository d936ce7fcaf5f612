package verdict

import (
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"
)

// conforms reports whether a document is valid against a JSON Schema.
func conforms(schema json.RawMessage, doc jsontext.Value) (bool, error) {
	_, _ = schema, doc
	return false, errType
}
