package verdict

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"axiom25/contracts"
)

// What a target can look at. The plain output is a text; with a pointer, be it the empty one of `output#`, it is
// read as JSON.
const (
	targetOutput = "output"
	targetUsage  = "usage"
	targetTool   = "tool"
)

// text is what contains and matches look at.
func (j *judge) text(t contracts.Target) (string, error) {
	if t == targetOutput {
		return j.evidence.Output, nil
	}
	value, err := j.value(t)
	if err != nil {
		return "", err
	}
	if isString(value) {
		return stringOf(json.RawMessage(value))
	}
	return string(value), nil
}

// value is the target as JSON in its RFC 8785 form.
func (j *judge) value(t contracts.Target) (jsontext.Value, error) {
	subject, tool, pointer := t.Split()
	var doc jsontext.Value
	var err error
	switch subject {
	case targetOutput:
		doc, err = j.output()
	case targetUsage:
		doc, err = j.usage()
	case targetTool:
		doc, err = j.lastOutput(tool)
	default:
		return nil, errTarget
	}
	if err != nil {
		return nil, err
	}
	if doc, err = at(doc, pointer); err != nil {
		return nil, err
	}
	if subject == targetTool && bytes.Contains(doc, []byte(redacted)) {
		return nil, errHidden
	}
	return doc, nil
}

// output is the answer as JSON.
func (j *judge) output() (jsontext.Value, error) {
	if j.parsed == nil && j.parsedErr == nil {
		j.parsed, j.parsedErr = canonical([]byte(j.evidence.Output))
	}
	return j.parsed, j.parsedErr
}

// usage is the meter as events write it.
func (j *judge) usage() (jsontext.Value, error) {
	doc, err := contracts.Encode(j.evidence.Used)
	if err != nil {
		return nil, errNotJSON
	}
	return canonical(doc)
}

// lastOutput is the output of the last ended call of a tool.
func (j *judge) lastOutput(tool contracts.ToolRef) (jsontext.Value, error) {
	for i := len(j.evidence.Calls) - 1; i >= 0; i-- {
		c := &j.evidence.Calls[i]
		if !names(tool, c.Tool) {
			continue
		}
		switch {
		case c.Redacted:
			return nil, errHidden
		case c.Truncated:
			return nil, errCut
		case len(c.Output) == 0:
			return nil, errNoOutput
		}
		return canonical(c.Output)
	}
	return nil, errNoCall
}

// canonical returns the RFC 8785 form of a document, or errNotJSON.
func canonical(doc []byte) (jsontext.Value, error) {
	v := jsontext.Value(bytes.Clone(doc))
	if err := v.Canonicalize(); err != nil {
		return nil, errNotJSON
	}
	return v, nil
}

// at returns the value that a JSON Pointer in its fragment form (RFC 6901, section 6, without the #) picks, in
// one pass over the document.
func at(doc jsontext.Value, pointer string) (jsontext.Value, error) {
	tokens, err := tokensOf(pointer)
	if err != nil {
		return nil, err
	}
	d := jsontext.NewDecoder(bytes.NewReader(doc))
	for _, token := range tokens {
		found, err := enter(d, token)
		if err != nil {
			return nil, errNotJSON
		}
		if !found {
			return nil, errNoPlace
		}
	}
	v, err := d.ReadValue()
	if err != nil {
		return nil, errNotJSON
	}
	return v, nil
}

// enter reads up to what a reference token names in the value that follows.
func enter(d *jsontext.Decoder, token string) (found bool, err error) {
	kind := d.PeekKind()
	if kind == jsontext.KindBeginObject {
		return enterMember(d, token)
	}
	if kind == jsontext.KindBeginArray {
		return enterElement(d, token)
	}
	return false, nil
}

// enterMember reads up to the value of a member of the object that follows.
func enterMember(d *jsontext.Decoder, name string) (found bool, err error) {
	if _, err := d.ReadToken(); err != nil {
		return false, err
	}
	for d.PeekKind() == jsontext.KindString {
		token, err := d.ReadToken()
		if err != nil {
			return false, err
		}
		if token.String() == name {
			return true, nil
		}
		if err := d.SkipValue(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// enterElement reads up to an element of the array that follows.
func enterElement(d *jsontext.Decoder, index string) (found bool, err error) {
	n, err := strconv.Atoi(index)
	if err != nil || strconv.Itoa(n) != index || n < 0 {
		return false, nil //nolint:nilerr // what is not an index names no element
	}
	if _, err := d.ReadToken(); err != nil {
		return false, err
	}
	for ; n > 0 && d.PeekKind() != jsontext.KindEndArray; n-- {
		if err := d.SkipValue(); err != nil {
			return false, err
		}
	}
	return d.PeekKind() != jsontext.KindEndArray, nil
}

// tokensOf splits a pointer into its reference tokens.
func tokensOf(pointer string) ([]string, error) {
	if pointer == "" {
		return nil, nil
	}
	rest, ok := strings.CutPrefix(pointer, "/")
	if !ok {
		return nil, errTarget
	}
	tokens := strings.Split(rest, "/")
	for i, token := range tokens {
		plain, err := url.PathUnescape(token)
		if err != nil {
			return nil, errTarget
		}
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(plain)
	}
	return tokens, nil
}

// lengthOf counts the characters of a string, the elements of an array, the members of an object.
func lengthOf(v jsontext.Value) (int64, error) {
	if isString(v) {
		text, err := stringOf(json.RawMessage(v))
		return int64(utf8.RuneCountInString(text)), err
	}
	if !isObject(v) && v.Kind() != jsontext.KindBeginArray {
		return 0, errNoLength
	}
	d := jsontext.NewDecoder(bytes.NewReader(v))
	if _, err := d.ReadToken(); err != nil {
		return 0, errNotJSON
	}
	var n int64
	for d.PeekKind() != jsontext.KindEndArray && d.PeekKind() != jsontext.KindEndObject {
		if err := d.SkipValue(); err != nil {
			return 0, errNotJSON
		}
		n++
	}
	if isObject(v) {
		n /= 2 // a name and a value each
	}
	return n, nil
}

func isString[T ~[]byte](v T) bool { return jsontext.Value(v).Kind() == jsontext.KindString }

func isObject[T ~[]byte](v T) bool { return jsontext.Value(v).Kind() == jsontext.KindBeginObject }

// stringOf returns the content of a JSON string, or errValue.
func stringOf(v json.RawMessage) (string, error) {
	var text string
	if !isString(v) || json.Unmarshal(v, &text) != nil {
		return "", errValue
	}
	return text, nil
}
