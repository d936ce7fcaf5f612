// Package apidoc says what the routes of the server are, in one table, and writes two documents from it: OpenAPI 3.1
// for requests and answers, AsyncAPI 3.0 for what streams carry. The schemas come from package contracts, the
// descriptions from the comments of its structs, the examples of problems from docs/problems.md. The same source makes
// the same bytes; `make gen` writes them into docs/api, from where the server serves them.
//
// To add a route, put it into the route table of package httpapi and an Operation into the table below; a stream lists
// its frames in its answer. If a request or an answer is a new struct of package contracts, add it to
// contracts.Components. Then `make gen`. Tests hold the two tables against each other, the documents against the
// meta-schemas of their specifications, the examples against their schemas and, with package apidoctest, whatever the
// server sends in its tests against the documents: a status, header, media type, problem type or member that stands
// nowhere here fails them.
package apidoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"axiom25/contracts"
)

// The media types of bodies.
const (
	mediaJSON   = "application/json"
	mediaNDJSON = "application/x-ndjson"
	mediaSSE    = "text/event-stream"
)

// Operation is one method of one path. HEAD is answered wherever GET is, and OPTIONS everywhere: they are in no table.
type Operation struct {
	Method string
	// Path has its parameters in braces, as the route table does.
	Path string
	// ID names the operation for those who generate code, in camel case.
	ID string
	// Tag is the group that it is shown in.
	Tag string
	// Summary says in a few words what it does, Description what else to know.
	Summary, Description string
	// Open says that no token is needed.
	Open       bool
	Parameters []Parameter
	// Body is what the request carries; nil where it carries nothing.
	Body *Body
	// Answers are the successes, the first one first.
	Answers []Answer
	// Problems are what it answers instead, besides what every route can answer: see everyProblem.
	Problems []contracts.ProblemType
}

// Parameter is a part of the address or of the head of a request.
type Parameter struct {
	Name string
	// In is path, query or header.
	In          string
	Description string
	// Schema is a JSON Schema; Example obeys it. A list in a query is repeated: state=queued&state=running.
	Schema  any
	Example any
}

// Body is the content of a request.
type Body struct {
	Description string
	Optional    bool
	Contents    []Content
}

// Content is a representation in a media type.
type Content struct {
	Media string
	// Schema is a JSON Schema of the whole.
	Schema any
	// Lines is the schema of each line of NDJSON.
	Lines any
	// Example obeys the schema; nil where there is none.
	Example any
	// Frames are what an event stream carries.
	Frames []Frame
}

// Answer is a success.
type Answer struct {
	Status      int
	Description string
	// Headers are names of the table of headers, without X-Request-Id, which every answer has.
	Headers []string
	// Contents are empty where the answer has no body.
	Contents []Content
}

// Frame is one kind of message of a stream of server-sent events.
type Frame struct {
	// Name is the message's in AsyncAPI.
	Name, Title, Description string
	// Event is the `event:` line; empty where there is none, so that EventSource calls onmessage.
	Event string
	// ID says what the `id:` line is; nil where there is none.
	ID any
	// Retry says what the `retry:` line is; nil where there is none.
	Retry any
	// Comment is what follows a colon at the start of a line; such a frame has no data.
	Comment string
	// Data is the schema of the `data:` line, and Example obeys it.
	Data, Example any
}

// object is a JSON object whose members keep their order.
type object []member

// member is one member of an object.
type member struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := contracts.Encode(m.name)
		if err != nil {
			return nil, err
		}
		value, err := contracts.Encode(m.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

// with adds a member where there is something to say.
func (o object) with(name string, value any) object {
	switch v := value.(type) {
	case nil:
		return o
	case string:
		if v == "" {
			return o
		}
	case object:
		if len(v) == 0 {
			return o
		}
	}
	return append(o, member{name, value})
}

// write returns a document, indented, ending in a newline.
func write(doc object) ([]byte, error) {
	compact, err := contracts.Encode(doc)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, compact, "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// schemasAt is where both documents have their schemas.
const schemasAt = "#/components/schemas/"

// ref refers to a schema of the document by its name.
func ref(name string) object { return object{{"$ref", schemasAt + name}} }

// everyProblem are the problems that an operation can answer: its own, and those of every request that has come under
// a foreign host name or from a foreign origin, without the token, or upon a fault of the server.
func (o *Operation) everyProblem() []contracts.ProblemType {
	every := slices.Concat(o.Problems, []contracts.ProblemType{contracts.ProblemForbidden, contracts.ProblemInternal})
	if !o.Open {
		every = append(every, contracts.ProblemUnauthorized)
	}
	var sorted []contracts.ProblemType
	for _, info := range contracts.ProblemTypes() {
		if slices.Contains(every, info.Type) {
			sorted = append(sorted, info.Type)
		}
	}
	return sorted
}
