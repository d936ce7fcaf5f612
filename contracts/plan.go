package contracts

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// shape is what a value must look like in JSON.
type shape uint8

const (
	shapeText shape = iota
	shapeBool
	shapeInteger
	shapeNumber
	shapeTime
	shapeFree   // json.RawMessage: any JSON, kept as it was sent
	shapeAny    // any JSON, decoded
	shapeObject // a struct
	shapeList
	shapeMap
	shapeBody // EventData: the struct that the member type names
)

// maxFields is how many fields a struct may have: the reader keeps those it saw in one word.
const maxFields = 64

// errPlan is what every error of the plan compiler wraps.
var errPlan = errors.New("contract struct")

// plan is how a struct is read: compiled once from its tags.
type plan struct {
	typ    reflect.Type
	fields []field
	byName map[string]int
	// versioned says that a value is a document of its own wherever it stands: it names its version.
	versioned bool
}

// field is one member of an object.
type field struct {
	name     string
	index    []int
	node     node
	required bool
	// preset is what an absent field becomes; invalid where there is no default.
	preset reflect.Value
}

// node is how a value is read and which rules it obeys.
type node struct {
	shape   shape
	typ     reflect.Type // without the pointer
	pointer bool
	// skipZero says that the rules do not apply where the field is absent.
	skipZero bool
	rules    []tagRule
	// limit is of the elements of a list or map; overfull are the params of its rule.
	limit    int
	overfull params
	keys     []tagRule
	elem     *node
	plan     *plan
}

// tagRule is a rule of the table with the argument that a tag gives it.
type tagRule struct {
	*rule
	tag    string // as the validator reads it
	arg    string
	params params
}

// plans caches what compilePlan returned, by type.
var plans sync.Map

// planOf returns the plan of a struct type.
func planOf(t reflect.Type) (*plan, error) {
	if cached, ok := plans.Load(t); ok {
		if p, ok := cached.(*plan); ok {
			return p, nil
		}
	}
	p, err := compilePlan(t, nil)
	if err != nil {
		return nil, err
	}
	plans.Store(t, p)
	return p, nil
}

// compilePlan reads the tags of a struct. It refuses what the reader could not hold to the contract: lists and maps
// without a limit, rules that are not in the table, defaults that do not parse, structs that hold themselves.
func compilePlan(t reflect.Type, within []reflect.Type) (*plan, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%w %s: not a struct", errPlan, t)
	}
	if slices.Contains(within, t) {
		return nil, fmt.Errorf("%w %s: holds itself", errPlan, t)
	}
	p := &plan{typ: t, byName: make(map[string]int)}
	if err := p.addFields(t, nil, append(within, t)); err != nil {
		return nil, err
	}
	if len(p.fields) > maxFields {
		return nil, fmt.Errorf("%w %s: more than %d fields", errPlan, t, maxFields)
	}
	i, named := p.byName[versionField]
	p.versioned = named && p.fields[i].required
	return p, nil
}

// addFields adds the fields of t, which stands at index within the plan's struct.
func (p *plan) addFields(t reflect.Type, index []int, within []reflect.Type) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		at := append(append([]int(nil), index...), i)
		if sf.Anonymous && sf.Tag.Get("json") == "" {
			if err := p.addFields(sf.Type, at, within); err != nil {
				return err
			}
			continue
		}
		f, err := compileField(sf, at, within)
		if err != nil {
			return fmt.Errorf("%w %s.%s: %w", errPlan, t, sf.Name, err)
		}
		if _, twice := p.byName[f.name]; twice {
			return fmt.Errorf("%w %s.%s: %q stands twice", errPlan, t, sf.Name, f.name)
		}
		p.byName[f.name] = len(p.fields)
		p.fields = append(p.fields, f)
	}
	return nil
}

// compileField reads the three tags of a field.
func compileField(sf reflect.StructField, index []int, within []reflect.Type) (field, error) {
	name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
	if name == "" || name == "-" || !sf.IsExported() {
		return field{}, errors.New("needs a json name and to be exported")
	}
	f := field{name: name, index: index}
	tags := splitTag(sf.Tag.Get("validate"))
	n, rest, err := compileNode(sf.Type, tags, within)
	if err != nil {
		return field{}, err
	}
	if len(rest) > 0 {
		return field{}, fmt.Errorf("rules left over: %q", rest)
	}
	f.node = *n

	preset, hasDefault := sf.Tag.Lookup("default")
	optional := options == "omitempty" || options == "omitzero"
	if options != "" && !optional {
		return field{}, fmt.Errorf("json option %q", options)
	}
	if optional && hasDefault {
		return field{}, errors.New("a field is either optional or has a default")
	}
	f.required = !optional && !hasDefault
	if hasDefault {
		if f.preset, err = compilePreset(n, preset); err != nil {
			return field{}, err
		}
	}
	return f, nil
}

// splitTag returns the rules of a validate tag.
func splitTag(tag string) []string {
	if tag == "" {
		return nil
	}
	return strings.Split(tag, ",")
}

// compileNode reads the rules that apply to a value of type t and, behind dive, to its elements. It returns the
// rules that belong to the container around it.
func compileNode(t reflect.Type, tags []string, within []reflect.Type) (*node, []string, error) {
	n := &node{typ: t}
	if t.Kind() == reflect.Pointer {
		n.pointer, n.typ = true, t.Elem()
	}
	if len(tags) > 0 && (tags[0] == "omitempty" || tags[0] == "omitnil") {
		if (tags[0] == "omitnil") != n.pointer {
			return nil, nil, errors.New("omitnil is for pointers, omitempty for values")
		}
		n.skipZero, tags = true, tags[1:]
	}
	if err := n.setShape(within); err != nil {
		return nil, nil, err
	}
	for len(tags) > 0 && tags[0] != "dive" && tags[0] != "endkeys" {
		r, err := compileRule(n, tags[0])
		if err != nil {
			return nil, nil, err
		}
		n.rules, tags = append(n.rules, r), tags[1:]
	}
	if n.shape != shapeList && n.shape != shapeMap {
		return n, tags, nil
	}
	return n.compileElements(tags, within)
}

// compileElements reads what stands behind dive.
func (n *node) compileElements(tags []string, within []reflect.Type) (*node, []string, error) {
	for _, r := range n.rules {
		if r.code == CodeMax {
			n.limit, _ = strconv.Atoi(r.arg)
			n.overfull = r.params
		}
	}
	if n.limit <= 0 {
		return nil, nil, errors.New("a list or map needs max=")
	}
	dives := len(tags) > 0 && tags[0] == "dive"
	if dives {
		tags = tags[1:]
	}
	if n.shape == shapeMap && len(tags) > 0 && tags[0] == "keys" {
		keys, rest, err := compileNode(n.typ.Key(), tags[1:], within)
		if err != nil {
			return nil, nil, err
		}
		if len(rest) == 0 || rest[0] != "endkeys" {
			return nil, nil, errors.New("keys without endkeys")
		}
		n.keys, tags = keys.rules, rest[1:]
	}
	elem, rest, err := compileNode(n.typ.Elem(), tags, within)
	if err != nil {
		return nil, nil, err
	}
	if elem.shape == shapeObject && !dives {
		return nil, nil, errors.New("a list of objects needs dive")
	}
	n.elem = elem
	return n, rest, n.checkSiblings()
}

// checkSiblings refuses a unique= that names no field of the elements: the validator would panic on it.
func (n *node) checkSiblings() error {
	for _, r := range n.rules {
		if r.code != CodeUnique || r.arg == "" {
			continue
		}
		if n.elem.shape != shapeObject {
			return errors.New("unique= is for lists of objects")
		}
		if _, ok := n.elem.typ.FieldByName(r.arg); !ok {
			return fmt.Errorf("unique=%s names no field", r.arg)
		}
	}
	return nil
}

// setShape says what JSON the type is read from.
func (n *node) setShape(within []reflect.Type) error {
	switch n.typ {
	case reflect.TypeFor[json.RawMessage]():
		n.shape = shapeFree
		return nil
	case reflect.TypeFor[Time]():
		n.shape = shapeTime
		return nil
	case reflect.TypeFor[EventData]():
		n.shape = shapeBody
		return nil
	case reflect.TypeFor[any]():
		n.shape = shapeAny
		return nil
	}
	switch n.typ.Kind() { //nolint:exhaustive // the other kinds have no JSON that a contract allows
	case reflect.String:
		n.shape = shapeText
	case reflect.Bool:
		n.shape = shapeBool
	case reflect.Int, reflect.Int64:
		n.shape = shapeInteger
	case reflect.Float64:
		n.shape = shapeNumber
	case reflect.Slice:
		n.shape = shapeList
	case reflect.Map:
		if n.typ.Key().Kind() != reflect.String {
			return fmt.Errorf("map keys of type %s", n.typ.Key())
		}
		n.shape = shapeMap
	case reflect.Struct:
		n.shape = shapeObject
		var err error
		n.plan, err = compilePlan(n.typ, within)
		return err
	default:
		return fmt.Errorf("type %s", n.typ)
	}
	return nil
}

// compileRule finds a rule in the table and parses its argument.
func compileRule(n *node, tag string) (tagRule, error) {
	name, arg, _ := strings.Cut(tag, "=")
	r, ok := rulesByTag()[name]
	if !ok {
		return tagRule{}, fmt.Errorf("rule %q is not in the table", name)
	}
	if !r.fits(n.shape) {
		return tagRule{}, fmt.Errorf("rule %q does not fit the type %s", name, n.typ)
	}
	values, err := r.values(arg)
	if err != nil {
		return tagRule{}, fmt.Errorf("rule %q: %w", tag, err)
	}
	if r.code == CodeMax {
		values["unit"] = map[shape]string{shapeText: "characters", shapeList: "elements", shapeMap: "members"}[n.shape]
	}
	return tagRule{rule: r, tag: tag, arg: arg, params: values}, nil
}

// compilePreset parses a default tag: the text of a string, else JSON. An object's default is {}: the defaults of its
// own fields.
func compilePreset(n *node, text string) (reflect.Value, error) {
	v := reflect.New(n.typ).Elem()
	if n.pointer {
		return v, errors.New("a pointer has no default: it tells absence from zero")
	}
	switch n.shape {
	case shapeText:
		v.SetString(text)
		return v, nil
	case shapeObject:
		if text != "{}" {
			return v, errors.New("the default of an object is {}")
		}
		return v, n.plan.fill(v, 0)
	case shapeBool, shapeInteger, shapeNumber:
		return v, json.Unmarshal([]byte(text), v.Addr().Interface())
	case shapeTime, shapeFree, shapeAny, shapeList, shapeMap, shapeBody:
	}
	return v, fmt.Errorf("type %s has no default", n.typ)
}

// fill sets the defaults of the fields whose bit in seen is not set. It returns an error where one of them is
// required.
func (p *plan) fill(v reflect.Value, seen uint64) error {
	for i := range p.fields {
		f := &p.fields[i]
		if seen&(1<<i) != 0 {
			continue
		}
		if f.required {
			return fmt.Errorf("%s is required and cannot be a default", f.name)
		}
		if f.preset.IsValid() {
			v.FieldByIndex(f.index).Set(f.preset)
		}
	}
	return nil
}
