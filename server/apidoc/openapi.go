package apidoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"axiom25/contracts"
	"axiom25/docs"
)

// errProblemPage is what is returned where docs/problems.md has no example of a type of problem.
var errProblemPage = errors.New("docs/problems.md has no section with an example")

// introduction is what stands above the operations.
const introduction = "Axiom25 records what AI agents do, and holds them to what they were asked.\n\n" +
	"HEAD is answered wherever GET is, with the same head and no body. OPTIONS is answered everywhere with 204 and `Allow`; any other " +
	"method with 405 `method-not-allowed` and `Allow`; any other path with 404 `not-found`.\n\n" +
	"Every answer has `X-Request-Id`. Every answer that went wrong is a problem document (RFC 9457); `type` says which of the closed list. " +
	"Query parameters that are not listed, or given twice, are refused with 400 `malformed`.\n\n" +
	"Where the server was started with a token every request carries it, except for operations without security.\n\n" +
	"Requests may hold documents of version 1 of the contracts as well; answers are of version 2. Clients ignore members of answers that " +
	"they do not know; requests have no members but those listed. What streams carry is in [asyncapi.json](asyncapi.json)."

// OpenAPI returns the document for requests and answers, indented. A nil describe adds no descriptions to the schemas.
func OpenAPI(describe contracts.Describe) ([]byte, error) {
	components, err := openAPIComponents(describe)
	if err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	return write(object{
		{"openapi", "3.1.1"},
		{"info", info(introduction)},
		{"servers", []object{
			{{"url", "/"}, {"description", "The server that this document is from."}},
			{{"url", "http://127.0.0.1:8025"}, {"description", "A server on this machine, as make run starts it."}},
		}},
		{"security", []object{{{"bearer", []string{}}}, {{"session", []string{}}}, {}}},
		{"tags", tags()},
		{"paths", paths()},
		{"components", components},
		{"externalDocs", object{{"description", "The event model"}, {"url", "event_model.md"}}},
	})
}

// info is the head of both documents.
func info(description string) object {
	return object{
		{"title", "Axiom25"},
		{"version", strconv.Itoa(contracts.Version)},
		{"description", description},
		{"license", object{{"name", "Apache 2.0"}, {"url", "https://www.apache.org/licenses/LICENSE-2.0"}}},
	}
}

// paths returns the operations by path and method.
func paths() object {
	var list object
	for _, op := range Operations() {
		i := slices.IndexFunc(list, func(m member) bool { return m.name == op.Path })
		if i < 0 {
			list, i = append(list, member{op.Path, object(nil)}), len(list)
		}
		if methods, ok := list[i].value.(object); ok {
			list[i].value = append(methods, member{strings.ToLower(op.Method), op.openAPI()})
		}
	}
	return list
}

// openAPI returns the Operation Object.
func (o *Operation) openAPI() object {
	doc := object{{"operationId", o.ID}, {"tags", []string{o.Tag}}, {"summary", o.Summary}}
	doc = doc.with("description", o.Description)
	if o.Open {
		doc = doc.with("security", []object{})
	}
	if len(o.Parameters) > 0 {
		var list []object
		for _, p := range o.Parameters {
			list = append(list, p.openAPI())
		}
		doc = doc.with("parameters", list)
	}
	if o.Body != nil {
		doc = doc.with("requestBody", object{
			{"description", o.Body.Description}, {"content", contents(o.Body.Contents)}, {"required", !o.Body.Optional},
		})
	}
	return doc.with("responses", o.responses())
}

// openAPI returns the Parameter Object.
func (p Parameter) openAPI() object {
	doc := object{{"name", p.Name}, {"in", p.In}, {"description", p.Description}}
	if p.In == "path" {
		doc = doc.with("required", true)
	}
	return doc.with("schema", p.Schema).with("example", p.Example)
}

// contents returns representations by media type.
func contents(list []Content) object {
	var doc object
	for _, c := range list {
		body := object{{"schema", c.Schema}}
		if c.Lines != nil {
			body = body.with("x-itemSchema", c.Lines) // itemSchema in OpenAPI 3.2
		}
		if c.Example != nil {
			body = body.with("example", c.Example)
		}
		doc = append(doc, member{c.Media, body})
	}
	return doc
}

// responses returns the answers by status.
func (o *Operation) responses() object {
	var doc object
	for _, a := range o.Answers {
		headers := object{{"X-Request-Id", headerRef("X-Request-Id")}}
		for _, name := range a.Headers {
			headers = append(headers, member{name, headerRef(name)})
		}
		response := object{{"description", a.Description}, {"headers", headers}}.with("content", contents(a.Contents))
		doc = append(doc, member{strconv.Itoa(a.Status), response})
	}
	byStatus := make(map[int][]contracts.ProblemInfo)
	var statuses []int
	for _, info := range problemInfos(o.everyProblem()) {
		if byStatus[info.Status] == nil {
			statuses = append(statuses, info.Status)
		}
		byStatus[info.Status] = append(byStatus[info.Status], info)
	}
	for _, status := range statuses {
		doc = append(doc, member{strconv.Itoa(status), problemResponse(byStatus[status])})
	}
	return doc
}

// problemInfos returns the rows of these types of problems.
func problemInfos(types []contracts.ProblemType) []contracts.ProblemInfo {
	var list []contracts.ProblemInfo
	for _, info := range contracts.ProblemTypes() {
		if slices.Contains(types, info.Type) {
			list = append(list, info)
		}
	}
	return list
}

// problemResponse returns the response of problems that share a status.
func problemResponse(infos []contracts.ProblemInfo) object {
	if len(infos) == 1 {
		return object{{"$ref", "#/components/responses/" + string(infos[0].Type)}}
	}
	var titles, types []string
	var shown object
	for _, info := range infos {
		titles = append(titles, info.Title)
		types = append(types, problemAddress(info.Type))
		shown = append(shown, member{string(info.Type), object{{"$ref", "#/components/examples/" + string(info.Type)}}})
	}
	return object{
		{"description", strings.Join(titles, ". ") + "."},
		{"headers", problemHeaders(infos[0].Status)},
		{"content", object{{contracts.ProblemMediaType, object{
			{"schema", problemSchema(infos[0].Status, types)},
			{"examples", shown},
		}}}},
	}
}

// problemAddress is the type member of a problem.
func problemAddress(t contracts.ProblemType) string { return "/problems/" + string(t) }

// problemSchema is the schema of problems of a status.
func problemSchema(status int, types []string) object {
	return object{{"allOf", []object{
		ref("Problem"),
		{{"properties", object{{"type", object{{"enum", types}}}, {"status", object{{"const", status}}}}}},
	}}}
}

// problemHeaders are those that a problem of a status comes with.
func problemHeaders(status int) object {
	headers := object{{"X-Request-Id", headerRef("X-Request-Id")}}
	switch status {
	case http.StatusUnauthorized:
		headers = headers.with("WWW-Authenticate", headerRef("WWW-Authenticate"))
	case http.StatusMethodNotAllowed:
		headers = headers.with("Allow", headerRef("Allow"))
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		headers = headers.with("Retry-After", headerRef("Retry-After"))
	}
	return headers
}

func headerRef(name string) object { return object{{"$ref", "#/components/headers/" + name}} }

// openAPIComponents returns what the operations refer to.
func openAPIComponents(describe contracts.Describe) (object, error) {
	schemas, err := schemas(describe)
	if err != nil {
		return nil, err
	}
	responses, examples, err := problemComponents()
	if err != nil {
		return nil, err
	}
	return object{
		{"schemas", schemas},
		{"responses", responses},
		{"examples", examples},
		{"headers", headers()},
		{"securitySchemes", object{
			{"bearer", object{{"type", "http"}, {"scheme", "bearer"}, {"description", "The token that the server was started with."}}},
			{"session", object{
				{"type", "apiKey"}, {"in", "cookie"}, {"name", "axiom25_session"}, {"description", "The cookie that /login sets, for browsers."},
			}},
		}},
	}, nil
}

// problemComponents returns a response and an example for each type of problem.
func problemComponents() (responses, examples object, err error) {
	for _, info := range contracts.ProblemTypes() {
		example, ok := problemExample(info.Type)
		if !ok {
			return nil, nil, fmt.Errorf("%w: %s", errProblemPage, info.Type)
		}
		examples = append(examples, member{string(info.Type), object{{"summary", info.Title}, {"value", example}}})
		responses = append(responses, member{string(info.Type), object{
			{"description", info.Title + "."},
			{"headers", problemHeaders(info.Status)},
			{"content", object{{contracts.ProblemMediaType, object{
				{"schema", problemSchema(info.Status, []string{problemAddress(info.Type)})},
				{"examples", object{{string(info.Type), object{{"$ref", "#/components/examples/" + string(info.Type)}}}}},
			}}}},
		}})
	}
	return responses, examples, nil
}

// problemExample returns the document that docs/problems.md shows of a type of problem.
func problemExample(t contracts.ProblemType) (json.RawMessage, bool) {
	section, ok := docs.Problem(string(t))
	if !ok {
		return nil, false
	}
	_, example, _ := strings.Cut(section, "\n```json\n")
	example, _, ok = strings.Cut(example, "\n```")
	return json.RawMessage(example), ok
}

// headers returns the headers that answers have.
func headers() object {
	text := object{{"type", "string"}}
	var list object
	for _, h := range []struct {
		name, description string
		schema            object
	}{
		{"Allow", "The methods that the path has.", text},
		{"Cache-Control", "How long the answer may be kept.", text},
		{"ETag", "Names the content, for If-None-Match.", text},
		{"Idempotency-Replayed", "Says that the run was there before.", object{{"type", "string"}, {"const", "true"}}},
		{"Location", "Where what was made, or what follows, is.", object{{"type", "string"}, {"format", "uri-reference"}}},
		{"Retry-After", "How long to wait, in seconds.", integer(1, 60)},
		{"Set-Cookie", "The cookie that stands for the token.", text},
		{"WWW-Authenticate", "Asks for the token.", text},
		{"X-Request-Id", "Finds the request in the server's log.", object{{"type", "string"}, {"pattern", "^[0-7][0-9a-hjkmnp-tv-z]{25}$"}}},
	} {
		list = append(list, member{h.name, object{{"description", h.description}, {"required", true}, {"schema", h.schema}}})
	}
	return list
}
