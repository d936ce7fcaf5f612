package contracts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// The bounds of JSON Schemas and regular expressions: what people write is far below them, and what is below them
// costs milliseconds.
const (
	// MaxSchemaBytes bounds a JSON Schema.
	MaxSchemaBytes = 64 << 10
	// maxSubschemas bounds the objects in a schema.
	maxSubschemas = 1000
	// maxSchemaSteps bounds how often a (sub)schema is held against a (sub)value. Without it a few $ref that fan out
	// take a time that is exponential in the depth of the value.
	maxSchemaSteps = 200_000
	// maxRegexpBytes and maxRegexpSize bound an expression and the program that it becomes: (a{100}){100} is short and
	// large.
	maxRegexpBytes = 4096
	maxRegexpSize  = 10_000
)

// draft2020 is the only $schema that is accepted.
const draft2020 = "https://json-schema.org/draft/2020-12/schema"

// schemaAddress names the schema to its compiler. Nothing is ever fetched.
const schemaAddress = "urn:axiom25:schema"

// Schema is a compiled JSON Schema (2020-12). Its methods may be called from any number of goroutines.
type Schema struct {
	compiled *jsonschema.Schema
	mu       sync.Mutex // guards steps
	steps    *stepCounter
}

// CompileSchema compiles a JSON Schema. It refuses references that leave the schema, schemas beyond MaxSchemaBytes and
// regular expressions of excessive size; it fetches nothing. The error is always a *Problem (invalid-document).
func CompileSchema(raw []byte) (*Schema, error) {
	compiled, errs := compileSchema(raw)
	if len(errs) > 0 {
		return nil, DocumentProblem(ProblemInvalidDocument, "Schema", errs...)
	}
	s := &Schema{compiled: compiled, steps: &stepCounter{}}
	s.steps.watch(compiled, make(map[*jsonschema.Schema]bool))
	return s, nil
}

// Validate holds a JSON document against the schema. It returns what does not conform, sorted by pointer, at most
// MaxFieldErrors of it; nil where all conforms. It takes a bounded time whatever the document.
func (s *Schema) Validate(raw []byte) []FieldError {
	v, errs := parseFree(raw)
	if len(errs) > 0 {
		return errs
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.steps.count(func() error { return s.compiled.Validate(v) })

	var found findings
	var mismatch *jsonschema.ValidationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mismatch):
		found.mismatches(mismatch, CodeSchemaMismatch)
	default:
		found.add(rootPointer, CodeSchemaSteps, params{"max": maxSchemaSteps})
	}
	return found.sorted()
}

// sorted returns the findings as a problem would show them.
func (f *findings) sorted() []FieldError {
	if p := f.problem(ProblemInvalidDocument, "", ""); p != nil {
		return p.Errors
	}
	return nil
}

// judgeSchema returns what is wrong in a JSON Schema; object asks for one whose root is of type object.
func judgeSchema(raw []byte, object bool) []FieldError {
	if object && len(raw) <= MaxSchemaBytes && !describesObject(raw) {
		return []FieldError{{Pointer: rootPointer, Code: CodeSchemaRoot}}
	}
	_, errs := compileSchema(raw)
	return errs
}

// describesObject reports whether the root of a schema says type: object, as MCP and the model APIs demand it. It reads
// a map because a struct's names would match in any case.
func describesObject(raw []byte) bool {
	var root map[string]any
	return json.Unmarshal(raw, &root) == nil && root["type"] == "object"
}

// parseFree reads free JSON for the schema library. It refuses what is not I-JSON: the library would spend gigabytes
// on a number like 1e999999999.
func parseFree(raw []byte) (any, []FieldError) {
	var found findings
	if len(raw) > MaxDocumentBytes {
		found.add(rootPointer, CodeSize, params{"max": MaxDocumentBytes})
		return nil, found.sorted()
	}
	u := unit{doc: raw, pointer: rootPointer}
	if offset, deep := tooDeep(raw, MaxDepth); deep {
		found.addUnread(rootPointer, offset, CodeDepth, params{"max": MaxDepth})
		return nil, found.sorted()
	}
	r := reader{doc: raw, dec: newDecoder(raw), at: rootPointer, found: &found}
	value, err := r.dec.ReadValue()
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return nil, u.malformed(err).Errors
	}
	if sound, _ := r.lookThrough(value, valueStart(raw, 0)); !sound {
		return nil, found.sorted()
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, u.malformed(err).Errors
	}
	return v, nil
}

// compileSchema compiles a schema that obeys the bounds.
func compileSchema(raw []byte) (*jsonschema.Schema, []FieldError) {
	var found findings
	if len(raw) > MaxSchemaBytes {
		found.add(rootPointer, CodeSchemaSize, params{"max": MaxSchemaBytes})
		return nil, found.sorted()
	}
	doc, errs := parseFree(raw)
	if len(errs) > 0 {
		return nil, errs
	}
	w := schemaWalk{root: doc, found: &found, objects: new(int)}
	if w.schema(doc, rootPointer); len(found.list) > 0 {
		return nil, found.sorted()
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(noLoader{})
	c.UseRegexpEngine(func(expression string) (jsonschema.Regexp, error) { return CompileRegexp(expression) })
	err := c.AddResource(schemaAddress, doc)
	var compiled *jsonschema.Schema
	if err == nil {
		compiled, err = c.Compile(schemaAddress)
	}
	if err == nil {
		return compiled, nil
	}
	var invalid *jsonschema.SchemaValidationError
	var mismatch *jsonschema.ValidationError
	if errors.As(err, &invalid) && errors.As(invalid.Err, &mismatch) {
		found.mismatches(mismatch, CodeSchemaInvalid)
		return nil, found.sorted()
	}
	found.add(rootPointer, CodeSchemaInvalid, params{"keyword": "$ref"})
	return nil, found.sorted()
}

// errNoFetch is what a schema gets that asks for another document.
var errNoFetch = errors.New("schemas are not fetched")

// noLoader refuses to fetch schemas.
type noLoader struct{}

// Load implements jsonschema.URLLoader.
func (noLoader) Load(string) (any, error) { return nil, errNoFetch }

// schemaWalk looks through a schema for what the compiler does not bound, or names less precisely.
type schemaWalk struct {
	root    any
	found   *findings
	objects *int
	inner   bool // below the root
}

// schema looks through a (sub)schema.
func (w schemaWalk) schema(v any, pointer string) {
	if list, ok := v.([]any); ok { // such as that of allOf
		for i, sub := range list {
			w.schema(sub, appendIndex(pointer, i))
		}
		return
	}
	object, ok := v.(map[string]any)
	if !ok {
		if _, isBool := v.(bool); !w.inner && !isBool {
			w.found.add(pointer, CodeSchemaInvalid, params{"keyword": "type"})
		}
		return
	}
	if *w.objects++; *w.objects > maxSubschemas {
		if *w.objects == maxSubschemas+1 {
			w.found.add(rootPointer, CodeSchemaSize, params{"max": MaxSchemaBytes})
		}
		return
	}
	below := w
	below.inner = true
	for _, keyword := range slices.Sorted(maps.Keys(object)) {
		at := appendMember(pointer, keyword)
		w.keyword(keyword, object[keyword], at)
		switch keyword {
		case "const", "enum", "default", "examples": // values, not schemas
		case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas":
			below.named(object[keyword], at)
		default:
			below.schema(object[keyword], at)
		}
	}
}

// named looks through an object whose members are schemas.
func (w schemaWalk) named(v any, pointer string) {
	members, _ := v.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		w.schema(members[name], appendMember(pointer, name))
	}
}

// keyword judges the keywords that reach out of the schema or run expressions.
func (w schemaWalk) keyword(keyword string, v any, pointer string) {
	text, isText := v.(string)
	switch keyword {
	case "$ref", "$dynamicRef":
		if isText && !strings.HasPrefix(text, "#") {
			w.found.add(pointer, CodeSchemaRef, nil)
		} else if strings.HasPrefix(text, "#/") && !resolves(w.root, text) {
			w.found.add(pointer, CodeSchemaInvalid, params{"keyword": keyword})
		}
	case "$id":
		if w.inner {
			w.found.add(pointer, CodeSchemaRef, nil)
		}
	case "$schema":
		if w.inner || strings.TrimSuffix(text, "#") != draft2020 {
			w.found.add(pointer, CodeSchemaInvalid, params{"keyword": keyword})
		}
	case "pattern":
		if _, err := CompileRegexp(text); isText && err != nil {
			w.found.add(pointer, CodeValueRegexp, nil)
		}
	case "patternProperties":
		members, _ := v.(map[string]any)
		for _, expression := range slices.Sorted(maps.Keys(members)) {
			if _, err := CompileRegexp(expression); err != nil {
				w.found.add(appendMember(pointer, expression), CodeValueRegexp, nil)
			}
		}
	}
}

// resolves reports whether a pointer (RFC 6901, section 6) leads to a value.
func resolves(v any, pointer string) bool {
	for _, token := range pointerTokens(pointer) {
		switch container := v.(type) {
		case map[string]any:
			next, ok := container[token]
			if !ok {
				return false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(container) {
				return false
			}
			v = container[i]
		default:
			return false
		}
	}
	return true
}

// mismatches records the leaves of what the library found.
func (f *findings) mismatches(e *jsonschema.ValidationError, code Code) {
	pointer := rootPointer
	for _, token := range e.InstanceLocation {
		pointer = appendMember(pointer, token)
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf, *kind.Not, *kind.Contains, *kind.PropertyNames:
		// What is wrong with each alternative says little.
	case *kind.Required:
		for _, name := range k.Missing {
			f.add(appendMember(pointer, name), code, params{"keyword": "required"})
		}
		return
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			f.add(appendMember(pointer, name), code, params{"keyword": "additionalProperties"})
		}
		return
	default:
		if len(e.Causes) > 0 {
			for _, cause := range e.Causes {
				f.mismatches(cause, code)
			}
			return
		}
	}
	f.add(pointer, code, params{"keyword": keywordOf(e.ErrorKind)})
}

// keywordOf names the keyword that a value does not conform to.
func keywordOf(k jsonschema.ErrorKind) string {
	if path := k.KeywordPath(); len(path) > 0 {
		return path[0]
	}
	switch k.(type) {
	case *kind.Not:
		return "not"
	case *kind.RefCycle:
		return "$ref"
	}
	return "false"
}

// stepCounter ends a validation that takes too long. The library has no such limit, but calls an extension for each
// schema that it evaluates.
type stepCounter struct{ left int }

// errTooManySteps is how the counter leaves the library, which has no other way out.
var errTooManySteps = errors.New("too many steps")

// Validate implements jsonschema.SchemaExt.
func (c *stepCounter) Validate(*jsonschema.ValidatorContext, any) {
	if c.left--; c.left < 0 {
		panic(errTooManySteps)
	}
}

// count runs a validation within the limit.
func (c *stepCounter) count(validate func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			stop, ok := r.(error)
			if !ok || !errors.Is(stop, errTooManySteps) {
				panic(r)
			}
			err = stop
		}
	}()
	c.left = maxSchemaSteps
	return validate()
}

// watch adds the counter to a schema and to all that it leads to.
func (c *stepCounter) watch(s *jsonschema.Schema, seen map[*jsonschema.Schema]bool) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	s.Extensions = append(s.Extensions, c)
	for _, sub := range subschemas(s) {
		c.watch(sub, seen)
	}
}

// subschemas returns the schemas that a schema applies.
func subschemas(s *jsonschema.Schema) []*jsonschema.Schema {
	subs := []*jsonschema.Schema{
		s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else, s.PropertyNames, s.UnevaluatedProperties,
		s.Contains, s.Items2020, s.UnevaluatedItems, s.ContentSchema,
	}
	if s.DynamicRef != nil {
		subs = append(subs, s.DynamicRef.Ref)
	}
	if sub, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
		subs = append(subs, sub)
	}
	subs = slices.Concat(subs, s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems)
	subs = slices.AppendSeq(subs, maps.Values(s.Properties))
	subs = slices.AppendSeq(subs, maps.Values(s.PatternProperties))
	return slices.AppendSeq(subs, maps.Values(s.DependentSchemas))
}

// ErrRegexp is what every error of CompileRegexp wraps.
var ErrRegexp = errors.New("regular expression")

// CompileRegexp compiles an RE2 expression whose size is moderate: at most 4096 bytes, and at most 10 000 instructions
// with its counted repetitions written out.
func CompileRegexp(expression string) (*regexp.Regexp, error) {
	if len(expression) > maxRegexpBytes {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrRegexp, maxRegexpBytes)
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRegexp, err)
	}
	if regexpSize(parsed) > maxRegexpSize {
		return nil, fmt.Errorf("%w: too large", ErrRegexp)
	}
	return regexp.Compile(expression)
}

// regexpSize estimates the instructions of an expression. It stops growing above the limit.
func regexpSize(re *syntax.Regexp) int {
	size := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		size = min(size+regexpSize(sub), maxRegexpSize+1)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Min+1, re.Max, 1)
	}
	return min(size, maxRegexpSize+1)
}
