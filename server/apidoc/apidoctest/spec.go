package apidoctest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"axiom25/contracts"
	"axiom25/docs"
)

// quiet drops what a proxy's server says of broken connections, which tests break on purpose.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// Spec is the two documents, ready to be asked.
type Spec struct {
	open, async *Document
	routes      []route
}

// route is one path of the OpenAPI document.
type route struct {
	path    string
	pattern *regexp.Regexp
	methods map[string]any
}

// Load returns the documents that the server serves.
func Load() (*Spec, error) { return loaded() }

// loaded reads them once for all tests of a process.
var loaded = sync.OnceValues(func() (*Spec, error) { return Read(docs.OpenAPI, docs.AsyncAPI) })

// Read returns the documents that these bytes are.
func Read(openAPI, asyncAPI []byte) (*Spec, error) {
	open, err := Parse(openAPI)
	if err != nil {
		return nil, fmt.Errorf("OpenAPI: %w", err)
	}
	async, err := Parse(asyncAPI)
	if err != nil {
		return nil, fmt.Errorf("AsyncAPI: %w", err)
	}
	s := &Spec{open: open, async: async}
	paths, _ := open.At("/paths").(map[string]any)
	for path, methods := range paths {
		var expression strings.Builder
		rest := path
		for {
			fixed, after, ok := strings.Cut(rest, "{")
			expression.WriteString(regexp.QuoteMeta(fixed))
			if !ok {
				break
			}
			_, rest, _ = strings.Cut(after, "}")
			expression.WriteString("[^/]+")
		}
		pattern, err := regexp.Compile("^" + expression.String() + "$")
		if err != nil {
			return nil, err
		}
		byMethod, _ := methods.(map[string]any)
		s.routes = append(s.routes, route{path: path, pattern: pattern, methods: byMethod})
	}
	if len(s.routes) == 0 {
		return nil, errors.New("OpenAPI: no paths")
	}
	return s, nil
}

// check compares an exchange with the documents. It returns how many bodies it held against a schema.
func (s *Spec) check(x *exchange) (bodies int, err error) {
	i := slices.IndexFunc(s.routes, func(r route) bool { return r.pattern.MatchString(x.path) })
	if i < 0 {
		return s.checkProblemOnly(x, contracts.ProblemNotFound, contracts.ProblemForbidden, contracts.ProblemMethodNotAllowed, contracts.ProblemInternal)
	}
	r := s.routes[i]
	method := x.method
	switch {
	case method == http.MethodOptions && x.status == http.StatusNoContent:
		if x.header.Get("Allow") != r.allow() && !x.preflight {
			return 0, fmt.Errorf("the header Allow is %s, documented are %s", x.header.Get("Allow"), r.allow())
		}
		return 0, nil
	case method == http.MethodHead:
		method = http.MethodGet
	}
	if r.methods[strings.ToLower(method)] == nil {
		if x.status == http.StatusMethodNotAllowed && x.header.Get("Allow") != r.allow() {
			return 0, fmt.Errorf("the header Allow is %s, documented are %s", x.header.Get("Allow"), r.allow())
		}
		if x.status < http.StatusBadRequest {
			return 0, errors.New("the method is not documented")
		}
		return s.checkProblemOnly(x, contracts.ProblemMethodNotAllowed, contracts.ProblemForbidden, contracts.ProblemUnauthorized, contracts.ProblemInternal)
	}
	operation := pointer("paths", r.path, strings.ToLower(method))
	n, err := s.checkResponse(x, r.path, s.open.Resolve(operation+pointer("responses", strconv.Itoa(x.status))))
	if err != nil || x.status >= http.StatusBadRequest {
		return n, err
	}
	m, err := s.checkRequest(x, operation)
	return n + m, err
}

// allow is what OPTIONS answers.
func (r route) allow() string {
	names := []string{http.MethodOptions}
	for method := range r.methods {
		names = append(names, strings.ToUpper(method))
		if method == "get" {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// checkProblemOnly checks what answers a request that no operation is for: one of these problems, or, from where the
// console is, no JSON of the API at all.
func (s *Spec) checkProblemOnly(x *exchange, types ...contracts.ProblemType) (int, error) {
	if x.status < http.StatusBadRequest && x.media() != "application/json" && x.media() != contracts.ProblemMediaType {
		return 0, nil
	}
	if strings.HasPrefix(x.path, "/web/") && x.status < http.StatusBadRequest {
		return 0, nil // a file of the console's, which may be JSON
	}
	if x.media() == "text/html" || x.media() == "text/plain" && x.status == http.StatusNotFound {
		return 0, nil // the console's page for people
	}
	for _, t := range types {
		at := pointer("components", "responses", string(t))
		if n, err := s.checkResponse(x, "", at); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("want one of the problems %v, got %s: %s", types, x.media(), &x.body)
}

// checkResponse compares the answer with the Response Object at a pointer.
func (s *Spec) checkResponse(x *exchange, path, at string) (int, error) {
	response, ok := s.open.At(at).(map[string]any)
	if !ok {
		return 0, errors.New("the status is not documented")
	}
	headers, _ := response["headers"].(map[string]any)
	for name := range headers {
		if x.header.Get(name) == "" {
			return 0, fmt.Errorf("the header %s is missing", name)
		}
		if err := s.checkHeader(x.header.Get(name), s.open.Resolve(at+pointer("headers", name))); err != nil {
			return 0, fmt.Errorf("the header %s: %w", name, err)
		}
	}
	content, _ := response["content"].(map[string]any)
	if content == nil {
		if x.body.Len() > 0 {
			return 0, fmt.Errorf("no body is documented, and this is one: %s", &x.body)
		}
		return 0, nil
	}
	media := x.media()
	if content[media] == nil {
		return 0, fmt.Errorf("the media type %q is not documented", media)
	}
	if x.method == http.MethodHead {
		return 0, nil
	}
	at += pointer("content", media)
	switch media {
	case "text/event-stream":
		return s.checkFrames(x, path)
	case "application/x-ndjson":
		return s.checkLines(&x.body, x.cut, at+"/x-itemSchema")
	case "application/json", contracts.ProblemMediaType, contracts.SchemaMediaType:
		if x.cut {
			return 0, nil
		}
		return 1, s.open.Validate(at+"/schema", x.body.Bytes())
	}
	return 0, nil
}

// checkHeader compares a header with its schema.
func (s *Spec) checkHeader(value, at string) error {
	header, _ := s.open.At(at).(map[string]any)
	schema, _ := header["schema"].(map[string]any)
	doc := strconv.Quote(value)
	if schema["type"] == "integer" {
		doc = value
	} else if encoded, err := contracts.Encode(value); err == nil {
		doc = string(encoded)
	}
	return s.open.Validate(at+"/schema", []byte(doc))
}

// checkRequest compares a request that was accepted with its operation: a client that obeys the document must be able to
// send what the server takes.
func (s *Spec) checkRequest(x *exchange, operation string) (int, error) {
	query, err := url.ParseQuery(x.query)
	if err != nil {
		return 0, err
	}
	parameters, _ := s.open.At(operation + "/parameters").([]any)
	for name := range query {
		if !slices.ContainsFunc(parameters, func(p any) bool {
			parameter, _ := p.(map[string]any)
			return parameter["in"] == "query" && parameter["name"] == name
		}) {
			return 0, fmt.Errorf("the query parameter %s is not documented", name)
		}
	}
	if x.request.Len() == 0 {
		return 0, nil
	}
	media, _, _ := strings.Cut(x.sent, ";")
	at := operation + pointer("requestBody", "content", media)
	if s.open.At(at) == nil {
		return 0, fmt.Errorf("a body of media type %q was taken that is not documented", media)
	}
	if media == "application/x-ndjson" {
		return s.checkLines(x.taken(), false, at+"/x-itemSchema")
	}
	return 1, s.open.Validate(at+"/schema", x.request.Bytes())
}

// taken is what was accepted of a request of lines: all of it, unless each line was answered for itself. Then it is as many
// lines as were not answered with a problem.
func (x *exchange) taken() *bytes.Buffer {
	if x.media() != "application/x-ndjson" {
		return &x.request
	}
	accepted := bytes.Count(x.body.Bytes(), []byte(`{"seq":`))
	var lines bytes.Buffer
	for line := range bytes.Lines(x.request.Bytes()) {
		if accepted--; accepted < 0 {
			break
		}
		_, _ = lines.Write(line)
	}
	return &lines
}

// checkLines holds each line of NDJSON against a schema.
func (s *Spec) checkLines(body *bytes.Buffer, cut bool, at string) (int, error) {
	n := 0
	for line := range bytes.Lines(body.Bytes()) {
		if len(bytes.TrimSpace(line)) == 0 || cut && !bytes.HasSuffix(line, []byte("\n")) {
			continue
		}
		n++
		if err := s.open.Validate(at, line); err != nil {
			return n, err
		}
	}
	return n, nil
}

// checkFrames holds each frame of a stream against the messages of its channel.
func (s *Spec) checkFrames(x *exchange, path string) (int, error) {
	channels, _ := s.async.At("/channels").(map[string]any)
	var at string
	for name := range channels {
		if s.async.At(pointer("channels", name, "address")) == path {
			at = pointer("channels", name, "messages")
		}
	}
	if at == "" {
		return 0, errors.New("no channel of the AsyncAPI document has this address")
	}
	n := 0
	blocks := strings.Split(x.body.String(), "\n\n")
	for _, block := range blocks[:len(blocks)-1] { // what follows the last one is no frame
		f := parseFrame(block)
		message := s.async.Resolve(at + pointer(f.message()))
		if s.async.At(message) == nil {
			return n, fmt.Errorf("no message is documented for the frame %q", block)
		}
		if s.async.At(message+"/headers") == nil && len(f.lines) > 0 {
			return n, fmt.Errorf("the message %s has no other lines than its data, and the frame is %q", f.message(), block)
		}
		if s.async.At(message+"/headers") != nil {
			if err := s.async.Validate(message+"/headers", f.headers()); err != nil {
				return n, fmt.Errorf("frame %q: %w", block, err)
			}
		}
		n++
		if err := s.async.Validate(message+"/payload", f.payload()); err != nil {
			return n, fmt.Errorf("frame %q: %w", block, err)
		}
	}
	return n, nil
}

// frame is one frame of a stream.
type frame struct {
	lines         map[string]any
	data, comment string
}

// parseFrame reads a frame (the HTML standard, section 9.2.6).
func parseFrame(block string) frame {
	f := frame{lines: make(map[string]any)}
	var data []string
	for line := range strings.SplitSeq(block, "\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "":
			f.comment = value
		case "data":
			data = append(data, value)
		case "id", "retry":
			f.lines[name] = value
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				f.lines[name] = n
			}
		default:
			f.lines[name] = value
		}
	}
	f.data = strings.Join(data, "\n")
	return f
}

// message returns the name of the message that the frame is.
func (f frame) message() string {
	if event, ok := f.lines["event"].(string); ok {
		return event
	}
	switch {
	case f.data != "":
		var ev struct{ Type string }
		if v, err := jsonschema.UnmarshalJSON(strings.NewReader(f.data)); err == nil {
			members, _ := v.(map[string]any)
			ev.Type, _ = members["type"].(string)
		}
		return cmp.Or(ev.Type, "row")
	case f.comment == "hb":
		return "heartbeat"
	case f.comment != "":
		return "hello"
	}
	return "later"
}

// headers returns the lines beside the data, as JSON.
func (f frame) headers() []byte {
	b, err := contracts.Encode(f.lines)
	if err != nil {
		return nil
	}
	return b
}

// payload returns what the message carries: JSON, or a text where the frame has no data.
func (f frame) payload() []byte {
	if f.data != "" {
		return []byte(f.data)
	}
	b, err := contracts.Encode(f.comment)
	if err != nil {
		return nil
	}
	return b
}
