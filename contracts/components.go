package contracts

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Component is the JSON Schema of a Go struct that requests or answers hold.
type Component struct {
	// Name is the struct's. Where an engine may write a struct that the server writes as well, Engine stands before
	// the name of what the engine writes: EngineThoughtData knows no other members, ThoughtData may have some more.
	Name string
	// Schema is compact JSON. It refers to other components.
	Schema json.RawMessage
}

// Components returns the schemas of everything that a server takes and gives, sorted by name, the same every time. They
// refer to each other by at and a name: at is where they will stand, such as #/components/schemas/. What a client
// sends has no members but those of its schema; those who read what the server writes ignore members that they do not
// know. A nil describe adds no descriptions. An error says what in the structs no schema can be made of.
func Components(at string, describe Describe) ([]Component, error) {
	sent := schemaWriter{at: at, describe: describe, defs: make(map[string]keywords), pending: make(map[string]*plan)}
	for _, t := range []reflect.Type{
		reflect.TypeFor[TaskSpec](), reflect.TypeFor[Budget](), reflect.TypeFor[VerifyContract](), reflect.TypeFor[ToolSpec](),
		reflect.TypeFor[Answer](), reflect.TypeFor[CancelRequest](), reflect.TypeFor[ApprovalDecision](),
		reflect.TypeFor[ForkRequest](), reflect.TypeFor[ClaimRequest](),
	} {
		sent.refTo(t)
	}
	sentErr := sent.define()
	edited := when(has("decision", is(VerbEdit)), required("args"), without("args"))
	sent.defs["ApprovalDecision"] = sent.defs["ApprovalDecision"].with("allOf", []keywords{edited})

	engine := schemaWriter{
		at: at, prefix: "Engine", describe: describe, defs: make(map[string]keywords), pending: make(map[string]*plan),
	}
	engine.refTo(reflect.TypeFor[EngineEvent]())
	engineErr := engine.define()
	engine.defs["EngineEvent"] = engine.defs["EngineEvent"].with("allOf", engine.engineBodies())
	engineErr = errors.Join(engineErr, engine.define())

	read := schemaWriter{at: at, open: true, describe: describe, defs: maps.Clone(sent.defs), pending: make(map[string]*plan)}
	for _, t := range []reflect.Type{
		reflect.TypeFor[RunEvent](), reflect.TypeFor[Problem](), reflect.TypeFor[Created](), reflect.TypeFor[RunList](),
		reflect.TypeFor[Snapshot](), reflect.TypeFor[Appended](), reflect.TypeFor[Judged](), reflect.TypeFor[EventPage](),
		reflect.TypeFor[EngineList](), reflect.TypeFor[ToolList](), reflect.TypeFor[Claimed](), reflect.TypeFor[LeaseInfo](),
		reflect.TypeFor[Acked](),
	} {
		read.defs[t.Name()] = read.written(t)
	}
	if err := errors.Join(sentErr, engineErr, read.define()); err != nil {
		return nil, fmt.Errorf("schemas of requests and answers: %w", err)
	}

	schemas := maps.Clone(engine.defs)
	maps.Copy(schemas, read.defs)
	list := make([]Component, 0, len(schemas))
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		schema, err := Encode(schemas[name])
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", name, err)
		}
		list = append(list, Component{Name: name, Schema: schema})
	}
	return list, nil
}

// engineBodies says which struct the data of each type of event is that engines report.
func (w *schemaWriter) engineBodies() []keywords {
	var list []keywords
	for _, t := range eventTypes() {
		if body := newEngineData(t); body != nil {
			data := w.refTo(reflect.TypeOf(body).Elem())
			list = append(list, when(has("type", is(t)), members("data", data), nil))
		}
	}
	return list
}

// written returns the schema of a struct that the server writes. No plan reads it, so that a list of structs needs no
// limit there: a catalogue has as many tools as people put into it.
func (w *schemaWriter) written(t reflect.Type) keywords {
	p := &plan{typ: t, byName: make(map[string]int)}
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Anonymous {
			err := p.addFields(sf.Type, []int{i}, nil)
			w.err = errors.Join(w.err, err)
			continue
		}
		f, err := compileField(sf, []int{i}, nil)
		if err != nil && sf.Type.Kind() == reflect.Slice {
			f, err = listField(sf, i)
		}
		if err != nil {
			w.err = errors.Join(w.err, err)
			continue
		}
		p.fields = append(p.fields, f)
	}
	return w.object(p)
}

// listField returns a field that is a list of structs without a limit.
func listField(sf reflect.StructField, index int) (field, error) {
	elem, err := planOf(sf.Type.Elem())
	f := field{name: sf.Tag.Get("json"), index: []int{index}, required: true}
	f.node = node{shape: shapeList, typ: sf.Type, elem: &node{shape: shapeObject, typ: sf.Type.Elem(), plan: elem}}
	return f, err
}
