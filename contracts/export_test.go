package contracts

import "reflect"

// CompilePlan returns what the plan compiler says about a struct type.
func CompilePlan(t reflect.Type) error {
	_, err := compilePlan(t, nil)
	return err
}

// ErrPlan is what the plan compiler's errors wrap.
var ErrPlan = errPlan

// TagRules returns the tags of the rules table, and for each the code and a schema keyword that says the same.
func TagRules() map[string]Code {
	tags := make(map[string]Code)
	for _, r := range rulesTable() {
		tags[r.tag] = r.code
	}
	return tags
}

// RuleKeywords returns the JSON Schema keywords of every rule of every field of a struct type, by pointer-like path.
func RuleKeywords(t reflect.Type) (map[string]map[string]any, error) {
	p, err := planOf(t)
	if err != nil {
		return nil, err
	}
	keywords := make(map[string]map[string]any)
	var walk func(p *plan, path string)
	var value func(n *node, path string)
	value = func(n *node, path string) {
		for _, r := range n.rules {
			keywords[path+" "+r.tag] = r.schema(n.shape, r.params)
		}
		for _, r := range n.keys {
			keywords[path+" keys "+r.tag] = r.schema(shapeText, r.params)
		}
		if n.elem != nil {
			value(n.elem, path+"/*")
		}
		if n.plan != nil {
			walk(n.plan, path)
		}
	}
	walk = func(p *plan, path string) {
		for i := range p.fields {
			value(&p.fields[i].node, path+"/"+p.fields[i].name)
		}
	}
	walk(p, "")
	return keywords, nil
}

// ParseNumber and ParseInteger judge JSON numbers.
var (
	ParseNumber  = parseNumber
	ParseInteger = parseInteger
)

// DecodeFull is Decode by the path that decides alone, in the browser and where the quick one is not sure.
func DecodeFull[T any](doc []byte) (*T, error) {
	v := new(T)
	if p := decodeFull(doc, v, false); p != nil {
		return nil, p
	}
	return v, nil
}

// DecodeEventFull is DecodeEvent by that path.
func DecodeEventFull(line []byte) (RunEvent, error) {
	var ev RunEvent
	if p := decodeFull(line, &ev, true); p != nil {
		return RunEvent{}, p
	}
	return ev, nil
}

func decodeFull(doc []byte, v any, lenient bool) *Problem {
	return unit{doc: doc, pointer: rootPointer, lenient: lenient, full: true}.document(v)
}

// DecodeEngineEventsFull is DecodeEngineEvents by that path.
func DecodeEngineEventsFull(body []byte) ([]EngineEvent, error) {
	events, p := decodeBatch(body, true)
	if p != nil {
		return nil, p
	}
	return events, nil
}

// EncodeFull is Encode by reflection.
func EncodeFull(v any) ([]byte, error) { return encode(v) }

// Surely is Decode by the quick path alone: ok says that it is sure.
func Surely[T any](doc []byte) (v *T, ok bool) {
	v = new(T)
	return v, unit{doc: doc}.sure(v)
}

// SurelyEngineEvents is DecodeEngineEvents by the quick path alone.
func SurelyEngineEvents(body []byte) ([]EngineEvent, bool) { return sureEvents(body) }

// EncodeSurely is Encode by the quick path alone.
func EncodeSurely(v any) ([]byte, bool) { return encodeSurely(v) }

// The values of assertions that are read like documents.
type (
	Bounds     = bounds
	UsageLimit = usageLimit
	Sequence   = toolList
)
