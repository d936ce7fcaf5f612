package schemadiff_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/docs/schemadiff"
)

// input is a schema as that of an input: closed.
const input = `{
	"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "/schemas/v2/thing.json", "title": "Thing", "type": "object",
	"description": "A thing.",
	"properties": {
		"schema_version": {"type": "integer", "const": 2},
		"name": {"type": "string", "maxLength": 64, "pattern": "^[a-z]+$"},
		"count": {"type": "integer", "minimum": 1, "maximum": 10, "default": 5},
		"profile": {"type": "string", "enum": ["tight", "max"], "default": "tight"},
		"parts": {"type": "array", "maxItems": 8, "uniqueItems": true, "items": {"$ref": "#/$defs/Part"}},
		"labels": {"type": "object", "maxProperties": 4, "additionalProperties": {"type": "string", "maxLength": 9}, "propertyNames": {"pattern": "^x$"}}
	},
	"required": ["schema_version", "name"],
	"additionalProperties": false,
	"allOf": [{"if": {"properties": {"profile": {"const": "max"}}, "required": ["profile"]}, "then": {"required": ["count"]}, "else": {"properties": {"count": false}}}],
	"$defs": {"Part": {"type": "object", "properties": {"id": {"type": "string", "minLength": 1}}, "required": ["id"], "additionalProperties": false, "anyOf": [{"required": ["id"]}]}}
}`

// events is a schema as that of events: open.
const events = `{
	"title": "RunEvent", "type": "object",
	"properties": {"type": {"type": "string", "enum": ["token", "done"]}, "seq": {"type": "integer", "minimum": 1}, "data": {"type": "object"}},
	"required": ["type", "seq", "data"],
	"allOf": [
		{"if": {"properties": {"type": {"const": "token"}}, "required": ["type"]}, "then": {"properties": {"data": {"$ref": "#/$defs/TokenData"}}}},
		{"if": {"properties": {"type": {"const": "done"}}, "required": ["type"]}, "then": {"properties": {"data": {"$ref": "#/$defs/DoneData"}}}}
	],
	"$defs": {
		"TokenData": {"type": "object", "properties": {"id": {"type": "string"}, "delta": {"type": "string"}}, "required": ["id", "delta"]},
		"DoneData": {
			"type": "object", "properties": {"status": {"type": "string", "enum": ["ok", "failed"]}, "output": {"type": "string"}}, "required": ["status"],
			"allOf": [{"if": {"properties": {"status": {"const": "ok"}}, "required": ["status"]}, "then": {"required": ["output"]}, "else": {"properties": {"output": false}}}]
		}
	}
}`

// edit is a change of a schema's text.
type edit struct{ from, to string }

func TestCompare(t *testing.T) {
	const doneRule = `"else": {"properties": {"output": false}}}]`
	for name, c := range map[string]struct {
		schema string
		edits  []edit
		// want are the changes; those that need no version begin with a plus.
		want []string
	}{
		"nothing":       {input, nil, nil},
		"a description": {input, []edit{{`"A thing."`, `"Another thing."`}, {`"title": "Thing"`, `"title": "Something"`}}, nil},
		"a definition's name": {input, []edit{
			{`"#/$defs/Part"`, `"#/$defs/Piece"`},
			{`"$defs": {"Part"`, `"$defs": {"Piece"`},
		}, nil},

		"an input field":                  {input, []edit{{`"name": {`, `"nick": {"type": "string"}, "name": {`}}, []string{"#/properties/nick: input field added"}},
		"an input field in a part":        {input, []edit{{`"id": {`, `"size": {}, "id": {`}}, []string{"#/$defs/Part/properties/size: input field added"}},
		"a field removed":                 {input, []edit{{`"count": {"type": "integer", "minimum": 1, "maximum": 10, "default": 5},`, ``}}, []string{"#/properties/count: field removed"}},
		"a field renamed":                 {input, []edit{{`"count": {`, `"number": {`}}, []string{"#/properties/number: field renamed: was count"}},
		"a field renamed and changed":     {input, []edit{{`"count": {"type": "integer", `, `"number": {`}}, []string{"#/properties/count: field removed", "#/properties/number: input field added"}},
		"required":                        {input, []edit{{`["schema_version", "name"]`, `["schema_version", "name", "count"]`}}, []string{"#/required: field became required: count"}},
		"no longer required":              {input, []edit{{`["schema_version", "name"]`, `["schema_version"]`}}, []string{"#/required: field is no longer required: name"}},
		"another type":                    {input, []edit{{`"name": {"type": "string"`, `"name": {"type": "integer"`}}, []string{"#/properties/name/type: type changed"}},
		"another constant":                {input, []edit{{`"const": 2`, `"const": 3`}}, []string{"#/properties/schema_version/const: type changed"}},
		"a value for an enum":             {input, []edit{{`["tight", "max"]`, `["tight", "huge", "max"]`}}, []string{`#/properties/profile/enum: value added to a closed enum: "huge"`}},
		"a value taken from an enum":      {input, []edit{{`["tight", "max"]`, `["tight"]`}}, []string{`#/properties/profile/enum: value removed from an enum: "max"`}},
		"an enum's order":                 {input, []edit{{`["tight", "max"]`, `["max", "tight"]`}}, nil},
		"an enum where there was none":    {input, []edit{{`"pattern": "^[a-z]+$"`, `"pattern": "^[a-z]+$", "enum": ["a"]`}}, []string{"#/properties/name/enum: rule tightened"}},
		"an enum given up":                {input, []edit{{`"enum": ["tight", "max"], `, ``}}, []string{"#/properties/profile/enum: rule loosened"}},
		"a tighter maximum":               {input, []edit{{`"maximum": 10`, `"maximum": 9`}}, []string{"#/properties/count/maximum: rule tightened: 9, was 10"}},
		"a tighter minimum":               {input, []edit{{`"minimum": 1`, `"minimum": 2`}}, []string{"#/properties/count/minimum: rule tightened: 2, was 1"}},
		"a looser maximum":                {input, []edit{{`"maxLength": 64`, `"maxLength": 65`}}, []string{"#/properties/name/maxLength: rule loosened: 65, was 64"}},
		"a looser minimum":                {input, []edit{{`"minLength": 1`, `"minLength": 0`}}, []string{"#/$defs/Part/properties/id/minLength: rule loosened: 0, was 1"}},
		"a bound where there was none":    {input, []edit{{`"maxItems": 8`, `"maxItems": 8, "minItems": 1`}}, []string{"#/properties/parts/minItems: rule tightened: 1, was none"}},
		"a bound given up":                {input, []edit{{`"maxProperties": 4, `, ``}}, []string{"#/properties/labels/maxProperties: rule loosened: none, was 4"}},
		"a bound spelled otherwise":       {input, []edit{{`"maximum": 10`, `"maximum": 1e1`}}, nil},
		"a pattern":                       {input, []edit{{`^[a-z]+$`, `^[a-z]*$`}}, []string{"#/properties/name/pattern: pattern changed"}},
		"a pattern given up":              {input, []edit{{`, "pattern": "^[a-z]+$"`, ``}}, []string{"#/properties/name/pattern: pattern changed"}},
		"a pattern of names":              {input, []edit{{`"^x$"`, `"^y$"`}}, []string{"#/properties/labels/propertyNames/pattern: pattern changed"}},
		"any names":                       {input, []edit{{`, "propertyNames": {"pattern": "^x$"}`, ``}}, []string{"#/properties/labels/propertyNames: rule loosened"}},
		"unique no more":                  {input, []edit{{`"uniqueItems": true, `, ``}}, []string{"#/properties/parts/uniqueItems: rule loosened"}},
		"other elements":                  {input, []edit{{`"items": {"$ref": "#/$defs/Part"}`, `"items": {"type": "string"}`}}, []string{"#/properties/parts/items/additionalProperties: unknown fields are taken now", "#/properties/parts/items/anyOf: rule between fields removed", "#/properties/parts/items/properties/id: field removed", "#/properties/parts/items/type: type changed"}},
		"a default":                       {input, []edit{{`"default": 5`, `"default": 6`}}, []string{"#/properties/count/default: default changed"}},
		"a default where there was none":  {input, []edit{{`"maxItems": 8`, `"maxItems": 8, "default": []`}}, []string{"#/properties/parts/default: default changed"}},
		"unknown fields":                  {input, []edit{{"\"additionalProperties\": false,\n", ``}}, []string{"#/additionalProperties: unknown fields are taken now"}},
		"values of a map":                 {input, []edit{{`"maxLength": 9`, `"maxLength": 8`}}, []string{"#/properties/labels/additionalProperties/maxLength: rule tightened: 8, was 9"}},
		"a rule between fields":           {input, []edit{{`"allOf": [`, `"allOf": [{"required": ["parts"]}, `}}, []string{"#/allOf/0: rule between fields added"}},
		"a rule between fields given up":  {input, []edit{{`"allOf": [{"if": {"properties": {"profile": {"const": "max"}}, "required": ["profile"]}, "then": {"required": ["count"]}, "else": {"properties": {"count": false}}}],`, ``}}, []string{"#/allOf/0: rule between fields removed"}},
		"another demand":                  {input, []edit{{`"then": {"required": ["count"]}`, `"then": {"required": ["count", "parts"]}`}}, []string{"#/allOf/0/then/required: rule between fields changed: parts"}},
		"a demand given up":               {input, []edit{{`"then": {"required": ["count"]}, `, ``}}, []string{"#/allOf/0/then: rule between fields removed"}},
		"another condition":               {input, []edit{{`{"const": "max"}`, `{"const": "tight"}`}}, []string{"#/allOf/0: rule between fields added", "#/allOf/0: rule between fields removed"}},
		"an alternative":                  {input, []edit{{`"anyOf": [{"required": ["id"]}]`, `"anyOf": [{"required": ["id"]}, {"required": ["x"]}]`}}, []string{"#/$defs/Part/anyOf: rule between fields changed"}},
		"a keyword that is not known":     {input, []edit{{`"maxItems": 8`, `"maxItems": 8, "contains": {"type": "string"}`}}, []string{"#/properties/parts/contains: rule tightened"}},
		"another value of such a keyword": {input, []edit{{`"uniqueItems": true`, `"uniqueItems": false`}}, []string{"#/properties/parts/uniqueItems: schema changed: uniqueItems"}},

		"an optional event field":          {events, []edit{{`"seq": {`, `"node": {"type": "string"}, "seq": {`}}, []string{"+#/properties/node: optional event field added"}},
		"an optional field of a body":      {events, []edit{{`"delta": {`, `"lang": {"type": "string"}, "delta": {`}}, []string{"+#/$defs/TokenData/properties/lang: optional event field added"}},
		"a field that only one state has":  {events, []edit{{`"output": {"type"`, `"why": {"type": "string"}, "output": {"type"`}, {doneRule, `"else": {"properties": {"output": false, "why": false}}}]`}}, []string{"+#/$defs/DoneData/properties/why: optional event field added"}},
		"a rule of a new field alone":      {events, []edit{{`"output": {"type"`, `"why": {"type": "string"}, "output": {"type"`}, {doneRule, doneRule[:len(doneRule)-1] + `, {"if": {"properties": {"status": {"const": "failed"}}}, "else": {"properties": {"why": false}}}]`}}, []string{"+#/$defs/DoneData/properties/why: optional event field added"}},
		"a required event field":           {events, []edit{{`"seq": {`, `"node": {}, "seq": {`}, {`["type", "seq", "data"]`, `["type", "seq", "data", "node"]`}}, []string{"#/properties/node: required field added"}},
		"an event field sometimes needed":  {events, []edit{{`"output": {"type"`, `"why": {"type": "string"}, "output": {"type"`}, {`"then": {"required": ["output"]}`, `"then": {"required": ["output", "why"]}`}}, []string{"+#/$defs/DoneData/properties/why: optional event field added", "#/$defs/DoneData/allOf/0/then/required: rule between fields changed: why"}},
		"an event field removed":           {events, []edit{{`, "output": {"type": "string"}`, ``}}, []string{"#/$defs/DoneData/properties/output: field removed"}},
		"an event field renamed":           {events, []edit{{`"delta": {`, `"text": {`}, {`["id", "delta"]`, `["id", "text"]`}}, []string{"#/$defs/TokenData/properties/text: field renamed: was delta"}},
		"an event field bounded":           {events, []edit{{`"id": {"type": "string"}`, `"id": {"type": "string", "maxLength": 5}`}}, []string{"#/$defs/TokenData/properties/id/maxLength: rule tightened: 5, was none"}},
		"an event field no longer there":   {events, []edit{{`["id", "delta"]`, `["id"]`}}, []string{"#/$defs/TokenData/required: field is no longer required: delta"}},
		"a value of an event's enum":       {events, []edit{{`["ok", "failed"]`, `["ok", "failed", "lost"]`}}, []string{`#/$defs/DoneData/properties/status/enum: value added to a closed enum: "lost"`}},
		"an event type removed":            {events, []edit{{`["token", "done"]`, `["token"]`}}, []string{`#/properties/type/enum: value removed from an enum: "done"`}},
		"events that refuse what is new":   {events, []edit{{`"required": ["type", "seq", "data"],`, `"required": ["type", "seq", "data"], "additionalProperties": false,`}}, []string{"#/additionalProperties: unknown fields are refused now"}},
		"another body for an event":        {events, []edit{{`"#/$defs/DoneData"`, `"#/$defs/TokenData"`}}, []string{"#/$defs/TokenData/allOf/0: rule between fields removed", "#/$defs/TokenData/properties/delta: field renamed: was output", "#/$defs/TokenData/properties/id: required field added", "#/$defs/TokenData/properties/status: field removed"}},
		"a type of events, with its body":  {events, []edit{{`["token", "done"]`, `["token", "done", "note"]`}, {`"allOf": [` + "\n", `"allOf": [{"if": {"properties": {"type": {"const": "note"}}, "required": ["type"]}, "then": {"properties": {"data": {"$ref": "#/$defs/NoteData"}}}},` + "\n"}, {`"TokenData": {`, `"NoteData": {"type": "object", "properties": {"x": {}}, "required": ["x"]}, "TokenData": {`}}, []string{`+#/properties/type/enum: event type added: "note"`}},
		"a body for a type that was there": {events, []edit{{`"allOf": [` + "\n", `"allOf": [{"if": {"properties": {"type": {"const": "token"}}}, "then": {"properties": {"data": {"required": ["x"]}}}},` + "\n"}}, []string{"#/allOf/0: rule between fields added"}},
	} {
		t.Run(name, func(t *testing.T) {
			later := c.schema
			for _, e := range c.edits {
				if !strings.Contains(later, e.from) {
					t.Fatalf("the schema has no %s", e.from)
				}
				later = strings.Replace(later, e.from, e.to, 1)
			}
			got := describe(t, []byte(c.schema), []byte(later))
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// describe returns the changes, those that need no version behind a plus.
func describe(t *testing.T, earlier, later []byte) []string {
	t.Helper()
	changes, err := schemadiff.Compare(earlier, later)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, c := range changes {
		mark := "+"
		if c.Kind.NeedsVersion() {
			mark = ""
		}
		list = append(list, mark+c.String())
	}
	return list
}

// TestEveryKeywordOfTheContractsIsSeen takes members of each schema away, one at a time: whatever is no description is missed.
func TestEveryKeywordOfTheContractsIsSeen(t *testing.T) {
	t.Parallel()
	for _, kind := range contracts.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			raw, err := contracts.JSONSchema(kind)
			if err != nil {
				t.Fatal(err)
			}
			var schema map[string]any
			if err := json.Unmarshal(raw, &schema); err != nil {
				t.Fatal(err)
			}
			whole := contractstest.Document(schema)
			if changes := describe(t, raw, whole); changes != nil {
				t.Errorf("from itself: %q", changes)
			}
			members, taken := 0, 0
			takeEach(schema, "#", func(string) { members++ })
			every := 1 + members/150 // the rest is of the same sorts
			takeEach(schema, "#", func(pointer string) {
				if taken++; taken%every != 0 {
					return
				}
				if changes, err := schemadiff.Compare(whole, contractstest.Document(schema)); err != nil || len(changes) == 0 {
					t.Errorf("nobody misses %s: %v", pointer, err)
				}
			})
			if taken < 20 {
				t.Errorf("only %d members were taken away", taken)
			}
		})
	}
}

// takeEach calls without for each member of a schema while it is taken away.
func takeEach(v any, pointer string, without func(pointer string)) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			at, member := pointer+"/"+name, v[name]
			if name == "title" || name == "$id" || len(contractstest.Document(member)) == 2 {
				continue // no part of the contract, or an empty list or object, which says nothing
			}
			delete(v, name)
			without(at)
			v[name] = member
			takeEach(member, at, without)
		}
	case []any:
		for i, elem := range v {
			takeEach(elem, pointer+"/"+strconv.Itoa(i), without)
		}
	}
}

func TestCompareWhatIsNoSchema(t *testing.T) {
	for _, c := range [][2]string{{`[`, input}, {input, `7`}} {
		if _, err := schemadiff.Compare([]byte(c[0]), []byte(c[1])); err == nil {
			t.Errorf("%.10s and %.10s were compared", c[0], c[1])
		}
	}
}
