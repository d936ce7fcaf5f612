package builtin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"mime"
	"strings"

	"github.com/itchyny/gojq"

	"axiom25/contracts"
)

var (
	// ErrQuery says that a query cannot be read, or uses what the tool does not have.
	ErrQuery = errors.New("the query cannot be used")
	// ErrQueryFailed says that a query met a value that it cannot work on, or raised an error.
	ErrQueryFailed = errors.New("the query failed on the data")
	// ErrValueSize says that a query built a value beyond the tool's limits.
	ErrValueSize = errors.New("the query built a value that is too large or nested too deeply")
	// ErrNotJSON says that an input is text of another media type than JSON.
	ErrNotJSON = errors.New("the input is neither JSON data nor text of a JSON media type")
)

// maxResults bounds the values that a query returns.
const maxResults = 1000

// JSONQuery runs a jq query over an input or over data in its arguments. It implements tools.Builtin.
//
// Queries are read with gojq and rewritten before they run (see confineQuery), so that they can only compute, and
// so that no value grows beyond a limit; the interpreter itself stops between steps when the context ends.
type JSONQuery struct {
	spec   *contracts.ToolSpec
	memory memory
}

// NewJSONQuery returns the tool.
func NewJSONQuery() *JSONQuery {
	return &JSONQuery{spec: computing("json_query", jsonQueryDescription, jsonQueryInput, jsonQueryOutput), memory: newMemory()}
}

const jsonQueryDescription = `Runs a jq query over a JSON input of the task, or over data given in the arguments, and returns its results in order. ` +
	`The query reads and computes: there are no assignments, definitions, modules, environment, further inputs, clock or debug output. ` +
	`At most 1000 results and 256 KiB are returned (truncated says so); whole numbers beyond ±(2^53-1) are returned as text.`

const jsonQueryInput = `{
	"type": "object", "required": ["query"], "additionalProperties": false,
	"properties": {
		"query": {"type": "string", "minLength": 1, "maxLength": 8192, "description": "a jq filter, for instance [.[] | .mass] | add"},
		"input": {"type": "string", "pattern": "^inputs\\.", "maxLength": 80, "description": "the input to query, as inputs.NAME"},
		"data": {"description": "the value to query"}
	},
	"oneOf": [{"required": ["input"]}, {"required": ["data"]}]
}`

const jsonQueryOutput = `{
	"type": "object", "required": ["results", "count", "truncated"], "additionalProperties": false,
	"properties": {
		"results": {"type": "array"},
		"count": {"type": "integer", "minimum": 0, "maximum": 1000},
		"truncated": {"type": "boolean", "description": "there were more results"}
	}
}`

// Spec implements tools.Builtin.
func (q *JSONQuery) Spec() *contracts.ToolSpec { return q.spec }

// jsonQueryArgs are the tool's arguments.
type jsonQueryArgs struct {
	Query string          `json:"query"`
	Input string          `json:"input"`
	Data  json.RawMessage `json:"data"`
}

// jsonQueryResult is the tool's output.
type jsonQueryResult struct {
	Results   []json.RawMessage `json:"results"`
	Count     int               `json:"count"`
	Truncated bool              `json:"truncated"`
}

// Call implements tools.Builtin.
func (q *JSONQuery) Call(ctx context.Context, args json.RawMessage, inputs []contracts.Input) (json.RawMessage, error) {
	var a jsonQueryArgs
	if err := decodeArgs(args, &a); err != nil {
		return nil, err
	}
	doc := a.Data
	if a.Input != "" {
		in, err := findInput(inputs, a.Input)
		if err != nil {
			return nil, err
		}
		if doc, err = jsonContent(in); err != nil {
			return nil, err
		}
	}
	value, err := parseValue(doc)
	if err != nil {
		return nil, err
	}
	code, err := compileQuery(a.Query)
	if err != nil {
		return nil, err
	}
	watched, stop := q.memory.watch(ctx)
	defer stop()
	result, err := results(code.RunWithContext(watched, value))
	if watched.Err() != nil {
		return nil, context.Cause(watched)
	}
	if err != nil {
		return nil, err
	}
	return encode(result)
}

// jsonContent returns an input's content as JSON.
func jsonContent(in *contracts.Input) (json.RawMessage, error) {
	if in.URI != "" {
		return nil, ErrNoContent
	}
	if in.Text == nil {
		return in.Data, nil
	}
	mediaType, _, err := mime.ParseMediaType(in.MediaType)
	if err != nil || (mediaType != "application/json" && !strings.HasSuffix(mediaType, "+json")) {
		return nil, ErrNotJSON
	}
	return json.RawMessage(*in.Text), nil
}

// compileQuery reads and confines a query.
func compileQuery(text string) (*gojq.Code, error) {
	query, err := gojq.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: syntax error", ErrQuery) // gojq's message quotes the query
	}
	if err := confineQuery(query); err != nil {
		return nil, err
	}
	code, err := gojq.Compile(query, queryGuards()...)
	if err != nil {
		return nil, fmt.Errorf("%w: it names an unknown variable or label, or calls a function with a wrong number of arguments", ErrQuery)
	}
	return code, nil
}

// results collects what a query yields, up to the limits.
func results(iter gojq.Iter) (*jsonQueryResult, error) {
	out := &jsonQueryResult{Results: []json.RawMessage{}}
	size := 0
	for {
		value, ok := iter.Next()
		if !ok {
			return out, nil
		}
		if err, failed := value.(error); failed {
			return nil, queryError(err)
		}
		if err := bounded(value); err != nil {
			return nil, err
		}
		doc, err := contracts.Encode(plainValue(value))
		if err != nil {
			return nil, fmt.Errorf("encode a result: %w", err)
		}
		if size == 0 && len(doc) > maxResultBytes-256 {
			return nil, ErrResultTooLarge
		}
		size += len(doc) + 1
		if out.Count == maxResults || size > maxResultBytes-256 { // 256: what stands around the results
			out.Truncated = true
			return out, nil
		}
		out.Results = append(out.Results, doc)
		out.Count++
	}
}

// queryError says what went wrong, without the values that gojq's message quotes.
func queryError(err error) error {
	for _, own := range []error{ErrValueSize, ErrQuery} {
		if errors.Is(err, own) {
			return own
		}
	}
	if _, raised := errors.AsType[gojq.ValueError](err); raised {
		return fmt.Errorf("%w: it raised an error", ErrQueryFailed)
	}
	what, _, _ := strings.Cut(err.Error(), "(")
	what, _, _ = strings.Cut(what, `"`)
	if what = strings.TrimRight(what, " :"); what == "" {
		return ErrQueryFailed
	}
	return fmt.Errorf("%w: %s", ErrQueryFailed, what)
}

// parseValue reads JSON as gojq takes it: whole numbers keep their precision.
func parseValue(doc json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, ErrNotJSON
	}
	if d.More() {
		return nil, ErrNotJSON
	}
	return gojqValue(value), nil
}

// gojqValue makes numbers int, *big.Int or float64.
func gojqValue(value any) any {
	switch value := value.(type) {
	case json.Number:
		if n, err := value.Int64(); err == nil {
			return int(n)
		}
		if n, ok := new(big.Int).SetString(value.String(), 10); ok {
			return n
		}
		f, err := value.Float64()
		if err != nil {
			return math.Copysign(math.MaxFloat64, f)
		}
		return f
	case []any:
		for i := range value {
			value[i] = gojqValue(value[i])
		}
	case map[string]any:
		for name := range value {
			value[name] = gojqValue(value[name])
		}
	}
	return value
}

// plainValue returns a result as JSON can hold it without loss: what is not a number is null, and infinities
// are the greatest numbers, as jq has it. Results share their parts, so nothing is changed in place.
func plainValue(value any) any {
	switch value := value.(type) {
	case int:
		if value > maxExact || value < -maxExact {
			return fmt.Sprint(value)
		}
	case *big.Int:
		return value.String()
	case float64:
		if math.IsNaN(value) {
			return nil
		}
		return max(-math.MaxFloat64, min(math.MaxFloat64, value))
	case string:
		return strings.ToValidUTF8(value, "\uFFFD")
	case []any:
		list := make([]any, len(value))
		for i := range value {
			list[i] = plainValue(value[i])
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(value))
		for name := range value {
			object[strings.ToValidUTF8(name, "\uFFFD")] = plainValue(value[name])
		}
		return object
	}
	return value
}
