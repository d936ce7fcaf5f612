package local

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// source is what a reference points into.
type source string

// The sources.
const (
	fromStep  source = "steps"
	fromInput source = "inputs"
)

// reference names a value of an input or of a step's output.
type reference struct {
	from source
	name string
	path []string // a JSON Pointer's tokens, unescaped
}

var errReference = errors.New("a reference is steps.ID or inputs.NAME, with an optional # and JSON Pointer")

// parseReference reads a reference such as steps.mass#/rows/0/0.
func parseReference(s string) (reference, error) {
	place, pointer, _ := strings.Cut(s, "#")
	from, name, _ := strings.Cut(place, ".")
	r := reference{from: source(from), name: name}
	if (r.from != fromStep && r.from != fromInput) || name == "" {
		return r, errReference
	}
	if pointer == "" {
		return r, nil
	}
	if pointer[0] != '/' {
		return r, errReference
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		plain := strings.NewReplacer("~0", "", "~1", "").Replace(token)
		if strings.Contains(plain, "~") {
			return r, errReference
		}
		r.path = append(r.path, strings.NewReplacer("~1", "/", "~0", "~").Replace(token))
	}
	return r, nil
}

// String returns the source without the pointer.
func (r reference) String() string { return string(r.from) + "." + r.name }

// errNoValue says that a pointer leads nowhere.
var errNoValue = errors.New("there is no such value")

// lookup follows a pointer into a value (RFC 6901, section 4).
func lookup(value any, path []string) (any, error) {
	for _, token := range path {
		switch node := value.(type) {
		case map[string]any:
			child, ok := node[token]
			if !ok {
				return nil, errNoValue
			}
			value = child
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(node) || strconv.Itoa(i) != token {
				return nil, errNoValue
			}
			value = node[i]
		default:
			return nil, errNoValue
		}
	}
	return value, nil
}

// parseJSON reads a value without rounding its numbers.
func parseJSON(doc []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	return value, nil
}

// fromMember is the one member of an object that stands for another value.
const fromMember = "$from"

// referenceIn returns the reference that an object stands for.
func referenceIn(object map[string]any) (text string, is bool) {
	from, ok := object[fromMember]
	if !ok {
		return "", false
	}
	text, isText := from.(string)
	if !isText || len(object) > 1 {
		return "", true
	}
	return text, true
}

// substitute returns a copy of a value in which each reference is replaced by what resolve returns.
func substitute(value any, resolve func(object map[string]any, ref reference) (any, error)) (any, error) {
	switch node := value.(type) {
	case []any:
		list := make([]any, len(node))
		for i := range node {
			child, err := substitute(node[i], resolve)
			if err != nil {
				return nil, err
			}
			list[i] = child
		}
		return list, nil
	case map[string]any:
		if text, is := referenceIn(node); is {
			ref, err := parseReference(text)
			if err != nil {
				return nil, err
			}
			return resolve(node, ref)
		}
		object := make(map[string]any, len(node))
		for name := range node {
			child, err := substitute(node[name], resolve)
			if err != nil {
				return nil, err
			}
			object[name] = child
		}
		return object, nil
	}
	return value, nil
}
