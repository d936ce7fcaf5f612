package form

import (
	"strings"

	"axiom25/app/document"
)

// Help returns what a contract's JSON Schema says about each row, by the row's id.
func Help(schema *document.Text, drawn []Drawn) map[string]string {
	help := make(map[string]string)
	for i := range drawn {
		for n := range drawn[i].Rows {
			r := &drawn[i].Rows[n]
			if text := described(schema, r.Path); text != "" {
				help[r.ID] = text
			}
		}
	}
	return help
}

// described is the description of the field that a path leads to; "-" is an element of a list, or a member of a map.
func described(schema *document.Text, path []string) string {
	at := schema.Find("")
	for _, name := range path {
		at = resolved(schema, at)
		if name == "-" {
			if at = at.Member("items"); at == nil {
				return ""
			}
			continue
		}
		if at = at.Member("properties").Member(name); at == nil {
			return ""
		}
	}
	text, _ := at.Member("description").Text()
	return text
}

// resolved follows a schema's reference to another one in the same document.
func resolved(schema *document.Text, at *document.Value) *document.Value {
	if ref, ok := at.Member("$ref").Text(); ok && strings.HasPrefix(ref, "#") {
		return schema.Find(ref)
	}
	return at
}
