// Package schemadiff says what a change of a contract's JSON Schema means for those who rely on the released one.
//
// The law is a closed one: without a new version a schema may gain an optional field of an event and a type of events,
// which readers of events ignore, and nothing else. Whatever is not known to be one of these needs a version, also where
// it only loosens a rule: readers of the released schema would refuse what later ones write. Descriptions are no part of
// a contract.
package schemadiff

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is what became of a place in a schema.
type Kind string

// The kinds of changes. Only the first two need no new version.
const (
	EventFieldAdded    Kind = "optional event field added"
	EventTypeAdded     Kind = "event type added"
	InputFieldAdded    Kind = "input field added"
	RequiredFieldAdded Kind = "required field added"
	FieldRemoved       Kind = "field removed"
	FieldRenamed       Kind = "field renamed"
	Required           Kind = "field became required"
	NoLongerRequired   Kind = "field is no longer required"
	TypeChanged        Kind = "type changed"
	EnumValueAdded     Kind = "value added to a closed enum"
	EnumValueRemoved   Kind = "value removed from an enum"
	Tightened          Kind = "rule tightened"
	Loosened           Kind = "rule loosened"
	PatternChanged     Kind = "pattern changed"
	DefaultChanged     Kind = "default changed"
	ConditionAdded     Kind = "rule between fields added"
	ConditionRemoved   Kind = "rule between fields removed"
	ConditionChanged   Kind = "rule between fields changed"
	Closed             Kind = "unknown fields are refused now"
	Opened             Kind = "unknown fields are taken now"
	KeywordChanged     Kind = "schema changed"
)

// NeedsVersion reports whether a change of this kind needs a new version of the contracts.
func (k Kind) NeedsVersion() bool { return k != EventFieldAdded && k != EventTypeAdded }

// Change is one difference between two schemas of a contract.
type Change struct {
	// Pointer is where it is (RFC 6901, in its form for URI fragments): in the later schema, or in the earlier one where
	// that alone has the place.
	Pointer string
	Kind    Kind
	// Detail names values; it may be empty.
	Detail string
}

// String says it in one line.
func (c Change) String() string {
	if c.Detail == "" {
		return c.Pointer + ": " + string(c.Kind)
	}
	return c.Pointer + ": " + string(c.Kind) + ": " + c.Detail
}

// Compare returns the changes from one schema of a contract to another, sorted by pointer. A schema whose root is closed
// is of an input, an open one of events. The error says which of the two is no schema.
func Compare(earlier, later []byte) ([]Change, error) {
	var c comparison
	if err := parse(earlier, &c.earlier); err != nil {
		return nil, fmt.Errorf("the earlier schema: %w", err)
	}
	if err := parse(later, &c.later); err != nil {
		return nil, fmt.Errorf("the later schema: %w", err)
	}
	c.events = c.earlier["additionalProperties"] != false
	c.seen = make(map[[2]string]bool)
	c.schema(c.earlier, c.later, scope{at: "#"})
	// What only a condition refers to was compared by name so far.
	before, after := object(c.earlier["$defs"]), object(c.later["$defs"])
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if after[name] != nil {
			c.referred("#/$defs/"+escape(name), "#/$defs/"+escape(name), scope{})
		}
	}
	slices.SortFunc(c.changes, func(a, b Change) int {
		return cmp.Or(strings.Compare(a.Pointer, b.Pointer), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Detail, b.Detail))
	})
	return slices.Compact(c.changes), nil
}

// parse reads a schema with numbers as they are spelled.
func parse(doc []byte, schema *map[string]any) error {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	return dec.Decode(schema)
}

// comparison is one walk through two schemas.
type comparison struct {
	earlier, later map[string]any
	events         bool
	changes        []Change
	// seen are the pairs of definitions that were compared.
	seen map[[2]string]bool
}

// scope is where a schema stands.
type scope struct {
	at string
	// conditional says that the schema belongs to a rule between fields.
	conditional bool
	// fresh are the optional event fields that the object around a rule has gained: what the rule says of them is new too.
	fresh map[string]bool
}

// in returns the scope of a part.
func (s scope) in(tokens ...string) scope {
	for _, token := range tokens {
		s.at += "/" + escape(token)
	}
	return s
}

func (c *comparison) add(s scope, kind Kind, detail string) {
	c.changes = append(c.changes, Change{s.at, kind, detail})
}

// schema compares two schemas.
func (c *comparison) schema(before, after any, s scope) {
	b, isObject := before.(map[string]any)
	a, staysObject := after.(map[string]any)
	if !isObject || !staysObject {
		if text(before) != text(after) {
			c.add(s, c.changed(s, KeywordChanged), "")
		}
		return
	}
	from, refers := localRef(b)
	to, stillRefers := localRef(a)
	switch {
	case refers && stillRefers:
		c.referred(from, to, s)
		b, a = without(b, "$ref"), without(a, "$ref")
	case refers:
		b = merged(without(b, "$ref"), object(resolve(c.earlier, from)))
	case stillRefers:
		a = merged(without(a, "$ref"), object(resolve(c.later, to)))
	}
	if c.events && !s.conditional {
		s.fresh = c.freshFields(b, a)
	}
	for _, keyword := range slices.Sorted(maps.Keys(merged(b, a))) {
		c.keyword(keyword, b, a, s)
	}
}

// referred compares two definitions, once.
func (c *comparison) referred(from, to string, s scope) {
	if pair := [2]string{from, to}; !c.seen[pair] {
		c.seen[pair] = true
		c.schema(resolve(c.earlier, from), resolve(c.later, to), scope{at: to, conditional: s.conditional && !isObjectSchema(resolve(c.later, to))})
	}
}

// isObjectSchema reports whether a definition is of a struct, whose fields are fields wherever it is referred to.
func isObjectSchema(v any) bool { return object(v)["type"] == "object" }

// freshFields returns the optional fields that an object has gained.
func (c *comparison) freshFields(before, after map[string]any) map[string]bool {
	fresh := make(map[string]bool)
	for name := range object(after["properties"]) {
		if object(before["properties"])[name] == nil && !slices.Contains(texts(after["required"]), name) {
			fresh[name] = true
		}
	}
	return fresh
}

// keyword compares one keyword of two schemas.
func (c *comparison) keyword(keyword string, before, after map[string]any, s scope) {
	b, was := before[keyword]
	a, is := after[keyword]
	here := s.in(keyword)
	switch keyword {
	case "description", "title", "$comment", "examples", "$id", "$defs":
	case "properties":
		c.properties(object(b), object(a), texts(after["required"]), here)
	case "required":
		c.required(before, after, here)
	case "enum":
		c.enum(before, after, here)
	case "allOf":
		c.conditions(list(b), list(a), before, after, here)
	case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties":
		c.bound(b, a, here, 1)
	case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties":
		c.bound(b, a, here, -1)
	case "additionalProperties":
		c.openness(b, a, here)
	case "items", "propertyNames", "then", "else":
		here.conditional = s.conditional || keyword == "then" || keyword == "else"
		switch {
		case was && is:
			c.schema(b, a, here)
		case is && saysNothing(a, s.fresh):
		default:
			c.presence(was, is, here)
		}
	case "if", "anyOf", "oneOf", "not", "dependentRequired", "dependentSchemas":
		if text(bare(b)) != text(bare(a)) {
			c.add(here, conditionKind(was, is), "")
		}
	default:
		if text(b) != text(a) {
			c.other(keyword, was, is, here)
		}
	}
}

// other reports a keyword whose value is compared as a whole.
func (c *comparison) other(keyword string, was, is bool, s scope) {
	kinds := map[string]Kind{"type": TypeChanged, "const": TypeChanged, "default": DefaultChanged, "pattern": PatternChanged, "format": PatternChanged}
	kind, ok := kinds[keyword]
	switch {
	case ok:
		c.add(s, c.changed(s, kind), "")
	case was && is:
		c.add(s, c.changed(s, KeywordChanged), keyword)
	default:
		c.presence(was, is, s)
	}
}

// presence reports a rule that came or went.
func (c *comparison) presence(was, is bool, s scope) {
	switch {
	case s.conditional:
		c.add(s, conditionKind(was, is), "")
	case is:
		c.add(s, Tightened, "")
	case was:
		c.add(s, Loosened, "")
	}
}

// changed is the kind of a change within a rule between fields, or the one given.
func (c *comparison) changed(s scope, kind Kind) Kind {
	if s.conditional {
		return ConditionChanged
	}
	return kind
}

func conditionKind(was, is bool) Kind {
	switch {
	case !was:
		return ConditionAdded
	case !is:
		return ConditionRemoved
	}
	return ConditionChanged
}

// properties compares the fields of an object.
func (c *comparison) properties(before, after map[string]any, required []string, s scope) {
	gone := make(map[string]string) // by what they are
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, stays := after[name]; !stays {
			gone[text(bare(before[name]))] = name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		here := s.in(name)
		here.fresh = nil // of the object around, not of this field
		old, stays := before[name]
		if stays {
			c.schema(old, after[name], here)
			continue
		}
		was, renamed := gone[text(bare(after[name]))]
		switch {
		case s.conditional && s.fresh[name]:
		case s.conditional:
			c.add(here, ConditionChanged, "")
		case renamed:
			delete(gone, text(bare(after[name])))
			before = without(before, was)
			c.add(here, FieldRenamed, "was "+was)
		case !c.events:
			c.add(here, InputFieldAdded, "")
		case slices.Contains(required, name):
			c.add(here, RequiredFieldAdded, "")
		default:
			c.add(here, EventFieldAdded, "")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, stays := after[name]; !stays {
			c.add(s.in(name), c.changed(s, FieldRemoved), "")
		}
	}
}

// required compares which fields an object must have. A field that is new, gone or renamed is reported as that.
func (c *comparison) required(before, after map[string]any, s scope) {
	was, is := texts(before["required"]), texts(after["required"])
	stays := func(name string) bool {
		_, had := object(before["properties"])[name]
		_, has := object(after["properties"])[name]
		return s.conditional || had == has
	}
	for _, name := range is {
		if !slices.Contains(was, name) && stays(name) {
			c.add(s, c.changed(s, Required), name)
		}
	}
	for _, name := range was {
		if !slices.Contains(is, name) && stays(name) {
			c.add(s, c.changed(s, NoLongerRequired), name)
		}
	}
}

// enum compares closed lists of values.
func (c *comparison) enum(before, after map[string]any, s scope) {
	was, isEnum := before["enum"].([]any)
	is, staysEnum := after["enum"].([]any)
	if !isEnum || !staysEnum {
		c.presence(isEnum, staysEnum, s)
		return
	}
	values := func(list []any) map[string]bool {
		set := make(map[string]bool)
		for _, v := range list {
			set[text(v)] = true
		}
		return set
	}
	had, has := values(was), values(is)
	for _, value := range slices.Sorted(maps.Keys(has)) {
		switch {
		case had[value]:
		case c.events && s.at == "#/properties/type/enum":
			c.add(s, EventTypeAdded, value)
		default:
			c.add(s, c.changed(s, EnumValueAdded), value)
		}
	}
	for _, value := range slices.Sorted(maps.Keys(had)) {
		if !has[value] {
			c.add(s, c.changed(s, EnumValueRemoved), value)
		}
	}
}

// bound compares a limit, which is tighter where it grows in the direction of sign.
func (c *comparison) bound(before, after any, s scope, sign int) {
	was, isNumber := number(before)
	is, staysNumber := number(after)
	switch {
	case isNumber && staysNumber && was == is:
	case s.conditional:
		c.add(s, ConditionChanged, "")
	case !isNumber || staysNumber && sign*cmp.Compare(is, was) > 0:
		c.add(s, Tightened, fmt.Sprintf("%s, was %s", text(after), orNone(before)))
	default:
		c.add(s, Loosened, fmt.Sprintf("%s, was %s", orNone(after), text(before)))
	}
}

// orNone is text, for a bound that may be missing.
func orNone(v any) string {
	if v == nil {
		return "none"
	}
	return text(v)
}

// openness compares what an object says of unknown fields.
func (c *comparison) openness(before, after any, s scope) {
	_, wasSchema := before.(map[string]any)
	_, isSchema := after.(map[string]any)
	switch {
	case wasSchema && isSchema:
		c.schema(before, after, s)
	case text(before) == text(after):
	case before == false:
		c.add(s, c.changed(s, Opened), "")
	case after == false:
		c.add(s, c.changed(s, Closed), "")
	default:
		c.presence(before != nil, after != nil, s)
	}
}

// conditions compares the rules between fields of an object. Those with the same condition belong together.
func (c *comparison) conditions(before, after []any, was, is map[string]any, s scope) {
	s.conditional = true
	waiting := make(map[string][]any)
	for _, rule := range before {
		key := conditionOf(rule)
		waiting[key] = append(waiting[key], rule)
	}
	types := addedTypes(was, is)
	for i, rule := range after {
		key, here := conditionOf(rule), s.in(fmt.Sprint(i))
		if old := waiting[key]; len(old) > 0 {
			waiting[key] = old[1:]
			c.schema(old[0], rule, here)
			continue
		}
		if c.events && types[eventTypeOf(rule)] || saysNothing(rule, s.fresh) {
			continue
		}
		c.add(here, ConditionAdded, "")
	}
	for i, rule := range before {
		key := conditionOf(rule)
		if left := waiting[key]; len(left) > 0 && text(left[0]) == text(rule) {
			waiting[key] = left[1:]
			c.add(s.in(fmt.Sprint(i)), ConditionRemoved, "")
		}
	}
}

// conditionOf is what a rule between fields asks first, or all that it says where it asks nothing.
func conditionOf(rule any) string {
	if condition, ok := object(rule)["if"]; ok {
		return text(bare(condition))
	}
	return text(bare(rule))
}

// addedTypes returns the types of events that the root has gained.
func addedTypes(was, is map[string]any) map[string]bool {
	types := make(map[string]bool)
	typesOf := func(root map[string]any) []any {
		return list(object(object(root["properties"])["type"])["enum"])
	}
	for _, t := range typesOf(is) {
		types[text(t)] = true
	}
	for _, t := range typesOf(was) {
		delete(types, text(t))
	}
	return types
}

// eventTypeOf returns the type of events that a rule is about alone.
func eventTypeOf(rule any) string {
	condition := object(object(rule)["if"])
	fields := object(condition["properties"])
	if constant, ok := object(fields["type"])["const"]; ok && len(fields) == 1 {
		return text(constant)
	}
	return ""
}

// saysNothing reports whether a rule between fields says nothing of fields but the new ones: that they are optional is
// known, and that they are absent where the rule forbids them too.
func saysNothing(rule any, fresh map[string]bool) bool {
	parts, ok := rule.(map[string]any)
	if !ok {
		return false
	}
	for keyword, part := range parts {
		switch keyword {
		case "if", "description":
		case "then", "else":
			if !saysNothing(part, fresh) {
				return false
			}
		case "properties":
			for name := range object(part) {
				if !fresh[name] {
					return false
				}
			}
		default:
			return false
		}
	}
	return len(fresh) > 0
}

// localRef returns the definition that a schema refers to.
func localRef(schema map[string]any) (pointer string, ok bool) {
	pointer, _ = schema["$ref"].(string)
	return pointer, strings.HasPrefix(pointer, "#/")
}

// resolve follows a pointer into a schema; nil where it leads nowhere.
func resolve(root map[string]any, pointer string) any {
	var v any = root
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "#/"), "/") {
		v = object(v)[strings.NewReplacer("~1", "/", "~0", "~").Replace(token)]
	}
	return v
}

// escape writes a name as a token of a pointer (RFC 6901, section 3).
func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// bare returns a schema without its descriptions.
func bare(v any) any {
	switch v := v.(type) {
	case map[string]any:
		b := make(map[string]any, len(v))
		for name, member := range v {
			if _, isText := member.(string); name == "description" && isText {
				continue
			}
			b[name] = bare(member)
		}
		return b
	case []any:
		b := make([]any, len(v))
		for i := range v {
			b[i] = bare(v[i])
		}
		return b
	}
	return v
}

// text is a value as JSON with its members sorted.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error() // nothing that was read from JSON
	}
	return string(b)
}

// number returns a JSON number.
func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// texts returns a list of strings.
func texts(v any) []string {
	var all []string
	for _, elem := range list(v) {
		if s, ok := elem.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// without returns an object without a member.
func without(o map[string]any, name string) map[string]any {
	rest := maps.Clone(o)
	delete(rest, name)
	return rest
}

// merged returns the members of both objects, the first one's where both have one.
func merged(first, second map[string]any) map[string]any {
	all := make(map[string]any, len(first)+len(second))
	maps.Copy(all, second)
	maps.Copy(all, first)
	return all
}
