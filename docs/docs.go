// Package docs holds the pages that the server itself shows: the problem types that its answers link to.
package docs

import (
	_ "embed"
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
