// Package docs holds the pages that the server itself shows: the problem types that its answers link to, the JSON
// Schemas of the contracts, and the documents that say what its routes and streams are.
package docs

import (
	"embed"
	"strings"
)

//go:embed problems.md
var problems string

// Problem returns the section of problems.md about a problem type, heading included; ok is false where there is none.
func Problem(name string) (section string, ok bool) {
	for part := range strings.SplitSeq(problems, "\n## ") {
		heading, _, _ := strings.Cut(part, "\n")
		if heading == name && strings.Contains(part, "\n```json\n") {
			return "## " + part, true
		}
	}
	return "", false
}

//go:embed schemas
var schemas embed.FS

// Schema returns the JSON Schema of a contract in a version, such as "v2" and "taskspec"; ok is false where there is
// none.
func Schema(version, contract string) (schema []byte, ok bool) {
	schema, err := schemas.ReadFile("schemas/" + version + "/" + contract + ".json")
	return schema, err == nil
}

// OpenAPI is what requests and answers look like (OpenAPI 3.1), as JSON.
//
//go:embed api/openapi.json
var OpenAPI []byte

// AsyncAPI is what streams carry (AsyncAPI 3.0), as JSON.
//
//go:embed api/asyncapi.json
var AsyncAPI []byte
