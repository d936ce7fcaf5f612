package document

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrBroken says that the text cannot be read as far as an edit needs.
var ErrBroken = errors.New("the text cannot be read this far")

// ErrNowhere says that there is no such place in the text: a value on the way is missing, or is of another kind.
var ErrNowhere = errors.New("there is no such place in the text")

// ErrNoJSON says that the value to be put in is no JSON.
var ErrNoJSON = errors.New("the value is not JSON")

// Set returns the text with the value at a pointer replaced by value, which is JSON. What is missing on the way is made: a
// member goes to the end of its object, an element behind the last of its array, which "-" names too. A value of one line is laid out as the text
// around it is; one of several keeps its lines, each as far to the right as the place is.
func (t *Text) Set(pointer, value string) (string, error) {
	if !valid(value) {
		return "", ErrNoJSON
	}
	tokens := Tokens(pointer)
	v, depth := t.nearest(tokens)
	switch {
	case v == nil && t.src != "" && skipped(t.src, 0) < len(t.src):
		return "", ErrBroken
	case v == nil:
		return t.replace(0, len(t.src), wrapped(tokens, value)+"\n"), nil
	case depth == len(tokens) && !v.Whole:
		return "", ErrBroken
	case depth == len(tokens):
		return t.replace(v.Start, v.End, t.fitted(value, v.Start)), nil
	}
	name, value := tokens[depth], wrapped(tokens[depth+1:], value)
	if v.Kind() == '{' {
		return t.put(v, len(v.Children()), quote(name), value)
	}
	if i, ok := indexOf(name); v.Kind() == '[' && (name == "-" || ok && i == len(v.Children())) {
		return t.put(v, len(v.Children()), "", value)
	}
	return "", ErrNowhere
}

// Insert returns the text with value as the element of an array that the pointer names; what stood there follows.
func (t *Text) Insert(pointer, value string) (string, error) {
	tokens := Tokens(pointer)
	if len(tokens) == 0 {
		return "", ErrNowhere
	}
	if !valid(value) {
		return "", ErrNoJSON
	}
	v, depth := t.nearest(tokens[:len(tokens)-1])
	i, ok := indexOf(tokens[len(tokens)-1])
	if depth < len(tokens)-1 || v.Kind() != '[' || !ok || i > len(v.Children()) {
		return "", ErrNowhere
	}
	return t.put(v, i, "", value)
}

// Remove returns the text without the value at a pointer, its name and the comma that it needed.
func (t *Text) Remove(pointer string) (string, error) {
	tokens := Tokens(pointer)
	if len(tokens) == 0 {
		return "", ErrNowhere
	}
	v, depth := t.nearest(tokens[:len(tokens)-1])
	if depth < len(tokens)-1 {
		return "", ErrNowhere
	}
	c := v.child(tokens[len(tokens)-1])
	if c == nil {
		return "", ErrNowhere
	}
	siblings := v.Children()
	switch i := slices.Index(siblings, c); {
	case !c.Whole:
		return "", ErrBroken
	case i > 0:
		return t.replace(siblings[i-1].End, c.End, ""), nil
	case len(siblings) > 1:
		return t.replace(c.outset(), siblings[1].outset(), ""), nil
	case !v.Whole:
		return "", ErrBroken
	}
	return t.replace(v.Start+1, v.End-1, ""), nil
}

// Clear is Remove, and takes the objects and arrays with it that are empty then, up to the root, which stays.
func (t *Text) Clear(pointer string) (string, error) {
	tokens := Tokens(pointer)
	for n := len(tokens) - 1; n > 0; n-- {
		v, depth := t.nearest(tokens[:n])
		if depth < n || len(v.Children()) != 1 {
			break
		}
		if v.child(tokens[n]) == nil {
			return "", ErrNowhere
		}
		tokens = tokens[:n]
	}
	return t.Remove(Pointer(tokens...))
}

// Move returns the text with the element of an array that the pointer names at index to; those between make room. Commas
// and the white space between the elements stay where they are.
func (t *Text) Move(pointer string, to int) (string, error) {
	tokens := Tokens(pointer)
	if len(tokens) == 0 {
		return "", ErrNowhere
	}
	v, depth := t.nearest(tokens[:len(tokens)-1])
	from, ok := indexOf(tokens[len(tokens)-1])
	siblings := v.Children()
	if depth < len(tokens)-1 || v.Kind() != '[' || !ok || from >= len(siblings) || to < 0 || to >= len(siblings) {
		return "", ErrNowhere
	}
	first, last := min(from, to), max(from, to)
	if !siblings[first].Whole || !siblings[last].Whole {
		return "", ErrBroken
	}
	order := slices.Clone(siblings)
	order = slices.Insert(slices.Delete(order, from, from+1), to, siblings[from])
	var b strings.Builder
	for i := first; i <= last; i++ {
		if i > first {
			b.WriteString(t.src[siblings[i-1].End:siblings[i].Start])
		}
		b.WriteString(order[i].Raw())
	}
	return t.replace(siblings[first].Start, siblings[last].End, b.String()), nil
}

// Rename returns the text with another name for the member at a pointer.
func (t *Text) Rename(pointer, name string) (string, error) {
	v := t.Find(pointer)
	if v == nil || v.NameEnd == 0 {
		return "", ErrNowhere
	}
	return t.replace(v.NameStart, v.NameEnd, quote(name)), nil
}

// outset is where a child begins, its name included.
func (v *Value) outset() int {
	if v.NameEnd > 0 {
		return v.NameStart
	}
	return v.Start
}

// replace returns the text with other bytes from start to end.
func (t *Text) replace(start, end int, by string) string {
	return t.src[:start] + by + t.src[end:]
}

// wrapped returns value within the objects that the tokens name, the first outermost; "-" makes a list.
func wrapped(tokens []string, value string) string {
	for _, token := range slices.Backward(tokens) {
		if token == "-" {
			value = "[" + value + "]"
		} else {
			value = "{" + quote(token) + ":" + value + "}"
		}
	}
	return value
}

func valid(value string) bool {
	return jsontext.Value(value).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// Quote returns a text as a JSON string; bytes that are not UTF-8 become U+FFFD.
func Quote(text string) string { return quote(text) }

func quote(text string) string {
	quoted, err := jsontext.AppendQuote(nil, strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil {
		return strconv.Quote(text) // never: what is valid UTF-8 can be quoted
	}
	return string(quoted)
}
