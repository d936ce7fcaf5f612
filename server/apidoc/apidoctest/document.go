package apidoctest

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// address names a document to the compiler of its schemas. Nothing is fetched.
const address = "urn:document"

// Document is a JSON document whose schemas can be asked. Its methods may be called from any number of goroutines.
type Document struct {
	root any

	mu       sync.Mutex // guards the compiler, and what it made
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

// Parse returns a document whose objects have no other members than their schemas name, and whose schemas are of JSON
// Schema 2020-12.
func Parse(raw []byte) (*Document, error) { return ParseDraft(raw, jsonschema.Draft2020) }

// ParseDraft is Parse for schemas of another draft.
func ParseDraft(raw []byte, draft *jsonschema.Draft) (*Document, error) {
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	closed, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	closeObjects(closed)
	d := &Document{root: root, compiler: jsonschema.NewCompiler(), compiled: make(map[string]*jsonschema.Schema)}
	d.compiler.DefaultDraft(draft)
	d.compiler.AssertFormat()
	d.compiler.UseRegexpEngine(Regexp)
	return d, d.compiler.AddResource(address, closed)
}

// Regexp compiles an expression of ECMA-262 that differs from RE2 in its escapes for characters only.
func Regexp(expression string) (jsonschema.Regexp, error) {
	return regexp.Compile(escapes.ReplaceAllString(expression, `\x{$1}`))
}

var escapes = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)

// closeObjects forbids, wherever a schema lists the members of an object and refers to no other schema, any other.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		_, lists := v["properties"].(map[string]any)
		if _, said := v["additionalProperties"]; v["type"] == "object" && v["$ref"] == nil && lists && !said {
			v["additionalProperties"] = false
		}
		for _, child := range v {
			closeObjects(child)
		}
	case []any:
		for _, child := range v {
			closeObjects(child)
		}
	}
}

// pointer returns the JSON Pointer (RFC 6901) of these members, one within the other.
func pointer(members ...string) string {
	var b strings.Builder
	for _, m := range members {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(m))
	}
	return b.String()
}

// At returns what a JSON Pointer names, or nil.
func (d *Document) At(pointer string) any {
	v := d.root
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch parent := v.(type) {
		case map[string]any:
			v = parent[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(parent) {
				return nil
			}
			v = parent[i]
		default:
			return nil
		}
	}
	return v
}

// Resolve returns the pointer of what a pointer names, or refers to.
func (d *Document) Resolve(pointer string) string {
	for {
		object, _ := d.At(pointer).(map[string]any)
		ref, ok := object["$ref"].(string)
		if !ok || !strings.HasPrefix(ref, "#") {
			return pointer
		}
		pointer = ref[1:]
	}
}

// Compile returns the schema at a pointer.
func (d *Document) Compile(pointer string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if schema := d.compiled[pointer]; schema != nil {
		return schema, nil
	}
	fragment := url.URL{Fragment: pointer}
	schema, err := d.compiler.Compile(address + fragment.String())
	if err == nil {
		d.compiled[pointer] = schema
	}
	return schema, err
}

// Validate holds a JSON document against the schema at a pointer.
func (d *Document) Validate(pointer string, doc []byte) error {
	schema, err := d.Compile(pointer)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return fmt.Errorf("not JSON: %w: %.200s", err, doc)
	}
	if err := schema.Validate(v); err != nil {
		return fmt.Errorf("%w\nin %.2000s", err, doc)
	}
	return nil
}
