package contracts

import (
	"encoding/json"
	"reflect"
	"slices"
)

// StructReference says what a document may hold where one of the structs of a contract stands.
type StructReference struct {
	// Name is that of the Go struct.
	Name string
	// Fields stand in the order of the struct.
	Fields []FieldReference
	// Between are the rules that look at more than one field, in words.
	Between []string
}

// FieldReference is one member.
type FieldReference struct {
	// Owner is the Go struct that declares the field, and GoName the field's name there.
	Owner, GoName string
	// Name is the member's name in a document.
	Name string
	// Type says in words what JSON it is; where Struct is not empty it is, or holds, that struct.
	Type   string
	Struct string
	// Required says that the member is present in every document.
	Required bool
	// Default is what an absent member becomes, as JSON; empty where there is no default.
	Default string
	// Rules are those of its value, in the words of their problems.
	Rules []string
}

// Reference returns the structs of contract k, its own first and the others where they are first mentioned. The error
// is ErrUnknownKind.
func Reference(k Kind) ([]StructReference, error) {
	root, err := planOfKind(k)
	if err != nil {
		return nil, err
	}
	queue, list := []*plan{root}, []StructReference(nil)
	seen := map[reflect.Type]bool{root.typ: true}
	for ; len(queue) > 0; queue = queue[1:] {
		p := queue[0]
		s := StructReference{Name: p.typ.Name()}
		for _, r := range crossRules()[p.typ] {
			s.Between = append(s.Between, r.says)
		}
		for i := range p.fields {
			f := &p.fields[i]
			described := f.reference(p)
			described.Required = f.required || p == root && f.name == versionField
			s.Fields = append(s.Fields, described)
			for _, next := range f.node.structs() {
				if !seen[next.typ] {
					seen[next.typ] = true
					queue = append(queue, next)
				}
			}
		}
		list = append(list, s)
	}
	return list, nil
}

// reference describes a field of a struct.
func (f *field) reference(p *plan) FieldReference {
	r := FieldReference{Name: f.name, Rules: f.node.words("")}
	r.Owner, r.GoName = p.goName(f)
	r.Type, r.Struct = f.node.describe()
	if preset, ok := f.presetJSON(); ok {
		if text, err := json.Marshal(preset); err == nil {
			r.Default = string(text)
		}
	}
	return r
}

// describe says in words what JSON a value is, and which struct it is or holds.
func (n *node) describe() (words, structName string) {
	switch n.shape {
	case shapeText:
		return "string", ""
	case shapeBool:
		return "boolean", ""
	case shapeInteger:
		return "integer", ""
	case shapeNumber:
		return "number", ""
	case shapeTime:
		return "time", ""
	case shapeObject:
		return n.typ.Name(), n.typ.Name()
	case shapeList:
		words, structName = n.elem.describe()
		return "list of " + words, structName
	case shapeMap:
		words, structName = n.elem.describe()
		return "object, each member " + words, structName
	case shapeBody:
		return "object, by type", ""
	case shapeFree, shapeAny:
	}
	return "any JSON", ""
}

// words returns the rules of a value in the words of their problems, those of names and elements behind a prefix.
func (n *node) words(prefix string) []string {
	var list []string
	for _, r := range n.rules {
		list = append(list, prefix+detail(r.code, r.params))
	}
	for _, r := range n.keys {
		list = append(list, "each name "+detail(r.code, r.params))
	}
	if n.elem != nil && n.elem.shape != shapeObject {
		list = slices.Concat(list, n.elem.words("each "))
	}
	return list
}

// structs returns the plans of the structs that a value is, holds, or can be.
func (n *node) structs() []*plan {
	switch {
	case n.shape == shapeBody:
		var bodies []*plan
		for _, t := range eventTypes() {
			if p, err := planOf(bodyType(t)); err == nil {
				bodies = append(bodies, p)
			}
		}
		return bodies
	case n.elem != nil:
		return n.elem.structs()
	case n.plan != nil:
		return []*plan{n.plan}
	}
	return nil
}
