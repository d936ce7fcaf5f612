package document

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Text is a JSON text as far as it can be read. It is read level by level, as it is asked for, and never changes.
type Text struct {
	src  string
	root *Value
}

// Value is a value in a text.
type Value struct {
	// Start and End are its bytes; where it is not Whole, End is that of the text.
	Start, End int
	// NameStart and NameEnd are the bytes of its name with the quotes, where it is a member of an object.
	NameStart, NameEnd int
	// Name is the member's name.
	Name string
	// Whole says that the value could be read to its end.
	Whole bool

	src      string
	children []*Value
	read     bool
}

// Read reads a text. It never fails: of what is no JSON at all, no value is found.
func Read(text string) *Text {
	t := &Text{src: text}
	start := skipped(text, 0)
	dec := decoderOf(text[start:])
	if kind := dec.PeekKind(); kind != jsontext.KindInvalid && kind != '}' && kind != ']' {
		t.root = &Value{Start: start, src: text}
		t.root.measure(dec, start)
	}
	return t
}

// Whole reports whether the text is one value that can be read to its end, and nothing else.
func (t *Text) Whole() bool {
	return t.root != nil && t.root.Whole && skipped(t.src, t.root.End) == len(t.src)
}

// String returns the text.
func (t *Text) String() string { return t.src }

// Find returns the value at a pointer, or nil where there is none. Of members with one name it is the first.
func (t *Text) Find(pointer string) *Value {
	tokens := Tokens(pointer)
	v, depth := t.nearest(tokens)
	if depth < len(tokens) {
		return nil
	}
	return v
}

// Nearest returns the value at a pointer, or the deepest one around it that exists; nil where none does.
func (t *Text) Nearest(pointer string) *Value {
	v, _ := t.nearest(Tokens(pointer))
	return v
}

// nearest follows tokens from the root, and says how many of them it could follow.
func (t *Text) nearest(tokens []string) (v *Value, depth int) {
	v = t.root
	for v != nil && depth < len(tokens) {
		next := v.child(tokens[depth])
		if next == nil {
			break
		}
		v, depth = next, depth+1
	}
	return v, depth
}

// Kind is the value's first byte: { [ " t f n, a digit or a minus; 0 for no value.
func (v *Value) Kind() byte {
	if v == nil {
		return 0
	}
	return v.src[v.Start]
}

// Raw returns the value as it is written; nothing for no value.
func (v *Value) Raw() string {
	if v == nil {
		return ""
	}
	return v.src[v.Start:v.End]
}

// Text returns the value where it is a string, and whether it is one.
func (v *Value) Text() (text string, ok bool) {
	if v.Kind() != '"' || !v.Whole {
		return "", false
	}
	return unquote(v.Raw()), true
}

// Children returns the elements of an array or the members of an object, in their order, as far as they can be read.
func (v *Value) Children() []*Value {
	if v == nil {
		return nil
	}
	if kind := v.Kind(); !v.read && (kind == '{' || kind == '[') {
		v.descend()
	}
	v.read = true
	return v.children
}

// Member returns the first member of this name, or nil.
func (v *Value) Member(name string) *Value {
	if v.Kind() != '{' {
		return nil
	}
	for _, c := range v.Children() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// child returns the child that a token of a pointer names, or nil.
func (v *Value) child(token string) *Value {
	if v.Kind() == '{' {
		return v.Member(token)
	}
	children := v.Children()
	if i, ok := indexOf(token); ok && i < len(children) {
		return children[i]
	}
	return nil
}

// indexOf reads a token as the index of an array (RFC 6901, section 4).
func indexOf(token string) (i int, ok bool) {
	i, err := strconv.Atoi(token)
	return i, err == nil && i >= 0 && strconv.Itoa(i) == token
}

// descend reads the children of a container.
func (v *Value) descend() {
	dec := decoderOf(v.src[v.Start:v.End])
	if _, err := dec.ReadToken(); err != nil {
		return
	}
	for {
		c := &Value{src: v.src}
		if v.Kind() == '{' {
			if dec.PeekKind() != '"' {
				return
			}
			raw, err := dec.ReadValue()
			if err != nil {
				return
			}
			c.Name = unquote(string(raw))
			c.NameEnd = v.Start + int(dec.InputOffset())
			c.NameStart = c.NameEnd - len(raw)
		}
		if kind := dec.PeekKind(); kind == '}' || kind == ']' || kind == jsontext.KindInvalid {
			return
		}
		c.Start = skipped(v.src, v.Start+int(dec.InputOffset()))
		if !c.measure(dec, v.Start) {
			if kind := c.Kind(); kind == '{' || kind == '[' {
				v.children = append(v.children, c) // what stands in it before the break can be shown
			}
			return
		}
		v.children = append(v.children, c)
	}
}

// measure reads the value that is next in a decoder whose input begins at base.
func (v *Value) measure(dec *jsontext.Decoder, base int) bool {
	v.End = len(v.src)
	if dec.SkipValue() == nil {
		v.End, v.Whole = base+int(dec.InputOffset()), true
	}
	return v.Whole
}

// decoderOf reads JSON as leniently as it can be read: what else is wrong with it is for the contracts to say.
func decoderOf(text string) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBufferString(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

func unquote(quoted string) string {
	plain, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil && plain == nil {
		return ""
	}
	return string(plain)
}

// skipped returns where the first byte at or behind offset stands that is no white space, comma or colon.
func skipped(text string, offset int) int {
	for offset < len(text) {
		switch text[offset] {
		case ' ', '\t', '\r', '\n', ',', ':':
			offset++
		default:
			return offset
		}
	}
	return offset
}
