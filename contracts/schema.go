package contracts

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	v1 "axiom25/contracts/v1"
)

// SchemaMediaType is the media type of a JSON Schema (draft-bhutton-json-schema-01, section 14.1).
const SchemaMediaType = "application/schema+json"

// Describe returns what a Go struct means or, where field is not empty, what that field of it means. Both are names
// of Go.
type Describe func(structName, field string) string

// JSONSchema returns the JSON Schema (2020-12) of contract k at the current version, indented, ending in a newline, and
// the same bytes every time. A document that obeys the schema is valid apart from what UnsaidRules lists, and a valid
// document always obeys it. The error is ErrUnknownKind, or says what in the structs no schema can be made of.
func JSONSchema(k Kind) ([]byte, error) { return DescribedSchema(k, nil) }

// DescribedSchema is JSONSchema with descriptions, which change no verdict. A nil describe adds none.
func DescribedSchema(k Kind, describe Describe) ([]byte, error) {
	return DescribedSchemaIn(k, Version, describe)
}

// JSONSchemaIn is JSONSchema for a version of the contract, one of SchemaVersions. The error is ErrUnknownKind where that
// version has no such contract.
func JSONSchemaIn(k Kind, version int) ([]byte, error) { return DescribedSchemaIn(k, version, nil) }

// DescribedSchemaIn is JSONSchemaIn with descriptions.
func DescribedSchemaIn(k Kind, version int, describe Describe) ([]byte, error) {
	root, err := planOfKindIn(k, version)
	if err != nil {
		return nil, err
	}
	w := schemaWriter{describe: describe, open: k == KindRunEvent, defs: make(map[string]keywords), pending: make(map[string]*plan)}
	body := w.object(root)
	body.need(versionField)
	if err := w.define(); err != nil {
		return nil, err
	}
	schema := keywords{
		{"$schema", draft2020},
		{"$id", SchemaPathIn(k, version)},
		{"title", root.typ.Name()},
	}
	schema = append(schema, body...)
	var defs keywords
	for _, name := range slices.Sorted(maps.Keys(w.defs)) {
		defs = defs.with(name, w.defs[name])
	}
	schema = schema.with("$defs", defs)

	compact, err := Encode(schema)
	if err := errors.Join(err, w.err); err != nil {
		return nil, fmt.Errorf("schema of %s: %w", k, err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, compact, "", "  "); err != nil {
		return nil, fmt.Errorf("schema of %s: %w", k, err)
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}

// SchemaPath returns where a server has the schema of contract k: /schemas/v2/taskspec.json.
func SchemaPath(k Kind) string { return SchemaPathIn(k, Version) }

// SchemaPathIn is SchemaPath for a version of the contract.
func SchemaPathIn(k Kind, version int) string {
	return "/schemas/v" + strconv.Itoa(version) + "/" + string(k) + ".json"
}

// SchemaVersions returns the versions of contract k that have a schema, the lowest first: those that are read. None has
// a contract that is not there.
func SchemaVersions(k Kind) []int {
	var versions []int
	for version := Version - 1; version <= Version; version++ {
		if _, ok := structsOf(version)[k]; ok {
			versions = append(versions, version)
		}
	}
	return versions
}

// structsOf returns the structs of the contracts of a version.
func structsOf(version int) map[Kind]reflect.Type {
	switch version {
	case Version:
		return map[Kind]reflect.Type{
			KindTaskSpec: reflect.TypeFor[TaskSpec](), KindBudget: reflect.TypeFor[Budget](),
			KindVerifyContract: reflect.TypeFor[VerifyContract](), KindToolSpec: reflect.TypeFor[ToolSpec](),
			KindRunEvent: reflect.TypeFor[RunEvent](),
		}
	case v1.Version:
		return map[Kind]reflect.Type{
			KindTaskSpec: reflect.TypeFor[v1.TaskSpec](), KindBudget: reflect.TypeFor[v1.Budget](),
			KindVerifyContract: reflect.TypeFor[v1.VerifyContract](), KindToolSpec: reflect.TypeFor[v1.ToolSpec](),
		}
	}
	return nil
}

// planOfKind returns the plan of a contract's struct, or ErrUnknownKind.
func planOfKind(k Kind) (*plan, error) { return planOfKindIn(k, Version) }

// planOfKindIn is planOfKind for a version of the contract.
func planOfKindIn(k Kind, version int) (*plan, error) {
	t, ok := structsOf(version)[k]
	if !ok {
		return nil, ErrUnknownKind
	}
	return planOf(t)
}

// keyword is a member of a schema.
type keyword struct {
	name  string
	value any
}

// keywords are a schema, or another object in one, whose members keep their order.
type keywords []keyword

// MarshalJSON writes the members as they stand.
func (k keywords) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, member := range k {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := Encode(member.name)
		if err != nil {
			return nil, err
		}
		value, err := Encode(member.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", member.name, err)
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

// with adds a member, or replaces it where it stands.
func (k keywords) with(name string, value any) keywords {
	if i := slices.IndexFunc(k, func(m keyword) bool { return m.name == name }); i >= 0 {
		k[i].value = value
		return k
	}
	return append(k, keyword{name, value})
}

// need adds a name to the members that an object must have.
func (k keywords) need(name string) {
	for i := range k {
		if list, ok := k[i].value.([]string); ok && k[i].name == "required" && !slices.Contains(list, name) {
			k[i].value = append([]string{name}, list...)
		}
	}
}

// schemaWriter turns plans into schemas.
type schemaWriter struct {
	describe Describe
	// open lets objects have members that the contract does not know, as those who read events do.
	open bool
	// at is where the schemas of structs stand, #/$defs/ where empty; prefix stands before their names.
	at, prefix string
	// defs are the schemas of structs that are done, and pending the structs that are to follow.
	defs    map[string]keywords
	pending map[string]*plan
	err     error
}

// define writes the structs that the schemas so far refer to, and those that these refer to.
func (w *schemaWriter) define() error {
	for len(w.pending) > 0 {
		for _, name := range slices.Sorted(maps.Keys(w.pending)) {
			p := w.pending[name]
			delete(w.pending, name)
			w.defs[name] = w.object(p)
		}
	}
	return w.err
}

// ref returns a reference to the schema of a struct.
func (w *schemaWriter) ref(p *plan) keywords {
	name := strings.ToUpper(p.typ.Name()[:1]) + p.typ.Name()[1:]
	if !strings.HasPrefix(name, w.prefix) {
		name = w.prefix + name
	}
	if _, done := w.defs[name]; !done {
		w.pending[name] = p
	}
	return keywords{{"$ref", cmp.Or(w.at, "#/$defs/") + name}}
}

// refTo is ref for a type that no field has.
func (w *schemaWriter) refTo(t reflect.Type) keywords {
	p, err := planOf(t)
	if err != nil {
		w.err = errors.Join(w.err, err)
		return nil
	}
	return w.ref(p)
}

// object returns the schema of a struct.
func (w *schemaWriter) object(p *plan) keywords {
	schema := keywords{{"type", "object"}}
	if w.describe != nil {
		if text := w.describe(p.typ.Name(), ""); text != "" {
			schema = schema.with("description", text)
		}
	}
	var properties keywords
	required := []string{}
	for i := range p.fields {
		f := &p.fields[i]
		properties = properties.with(f.name, w.field(p, f))
		if f.required {
			required = append(required, f.name)
		}
	}
	schema = schema.with("properties", properties)
	schema = schema.with("required", required)
	if !w.open {
		schema = schema.with("additionalProperties", false)
	}
	var all []keywords
	for _, r := range crossRules()[p.typ] {
		if r.schema != nil {
			all = append(all, r.schema(w)...)
		}
	}
	if len(all) > 0 {
		schema = schema.with("allOf", all)
	}
	return schema
}

// field returns the schema of a member.
func (w *schemaWriter) field(p *plan, f *field) keywords {
	schema := w.value(&f.node)
	if w.describe != nil {
		owner, name := p.goName(f)
		if text := w.describe(owner, name); text != "" {
			schema = schema.with("description", text)
		}
	}
	if preset, ok := f.presetJSON(); ok {
		schema = schema.with("default", preset)
	}
	return schema
}

// goName returns the names of a field in Go, and of the struct that declares it.
func (p *plan) goName(f *field) (owner, name string) {
	t := p.typ
	for _, i := range f.index[:len(f.index)-1] {
		t = t.Field(i).Type
	}
	return t.Name(), t.Field(f.index[len(f.index)-1]).Name
}

// presetJSON returns the default of a field as a document would spell it: that of an object is empty, because its
// members have their own.
func (f *field) presetJSON() (any, bool) {
	if !f.preset.IsValid() {
		return nil, false
	}
	if f.node.shape == shapeObject {
		return keywords{}, true
	}
	return f.preset.Interface(), true
}

// value returns the schema of a value.
func (w *schemaWriter) value(n *node) keywords {
	var schema keywords
	switch n.shape {
	case shapeText:
		schema = schema.with("type", "string")
	case shapeBool:
		schema = schema.with("type", "boolean")
	case shapeInteger:
		schema = keywords{{"type", "integer"}, {"minimum", int64(-maxSafeInteger)}, {"maximum", int64(maxSafeInteger)}}
	case shapeNumber:
		schema = schema.with("type", "number")
	case shapeTime:
		schema = keywords{{"type", "string"}, {"pattern", timePattern}}
	case shapeObject:
		schema = w.ref(n.plan)
	case shapeList:
		schema = keywords{{"type", "array"}, {"items", w.value(n.elem)}}
	case shapeMap:
		schema = keywords{{"type", "object"}, {"additionalProperties", w.value(n.elem)}}
		if len(n.keys) > 0 {
			schema = schema.with("propertyNames", w.rules(nil, n.keys, shapeText))
		}
	case shapeBody:
		schema = schema.with("type", "object")
	case shapeFree, shapeAny: // any JSON
	}
	return w.rules(schema, n.rules, n.shape)
}

// rules adds what the rules of a value say.
func (w *schemaWriter) rules(schema keywords, rules []tagRule, s shape) keywords {
	for _, r := range rules {
		says := r.schema(s, r.params)
		for _, name := range slices.Sorted(maps.Keys(says)) {
			bound := name == "minimum" || name == "maximum" // which are narrower than those of every integer
			stands := slices.ContainsFunc(schema, func(m keyword) bool { return m.name == name })
			if stands && !bound {
				w.err = errors.Join(w.err, fmt.Errorf("%w: two rules of a value say %s", errPlan, name))
			}
			schema = schema.with(name, says[name])
		}
	}
	return schema
}
