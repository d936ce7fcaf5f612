package document

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// put puts a child into a container, before the one at index i or behind the last, written as its neighbours are. name
// is quoted, and empty in an array.
func (t *Text) put(v *Value, i int, name, value string) (string, error) {
	siblings := v.Children()
	if !v.Whole && (i == len(siblings) || name != "") {
		return "", ErrBroken
	}
	if len(siblings) == 0 {
		return t.putFirst(v, name, value), nil
	}
	before, colon := t.separator(v)
	if name != "" {
		name += colon
	}
	if i == len(siblings) {
		at := siblings[i-1].End
		return t.replace(at, at, before+name+t.fittedBehind(value, before, siblings[0].outset())), nil
	}
	at := siblings[i].outset()
	return t.replace(at, at, name+t.fittedBehind(value, before, at)+before), nil
}

// putFirst puts a child into an empty container: on a line of its own where the text has lines.
func (t *Text) putFirst(v *Value, name, value string) string {
	unit, lines := t.unit()
	if !lines {
		if name != "" {
			name += t.colon()
		}
		return t.replace(v.Start+1, v.End-1, name+value)
	}
	if name != "" {
		name += ": "
	}
	around := t.indentAt(v.Start)
	within := around + unit
	return t.replace(v.Start+1, v.End-1, "\n"+within+name+t.laidOut(value, within, true)+"\n"+around)
}

// separator is what stands between two children of a container, and between a name and its value.
func (t *Text) separator(v *Value) (between, colon string) {
	siblings := v.Children()
	first := siblings[0]
	if first.NameEnd > 0 {
		colon = t.src[first.NameEnd:first.Start]
	}
	if n := len(siblings); n > 1 {
		return t.src[siblings[n-2].End:siblings[n-1].outset()], colon
	}
	inside := t.src[v.Start+1 : first.outset()]
	if inside == "" && strings.HasSuffix(t.colon(), " ") {
		inside = " "
	}
	return "," + inside, colon
}

// colon is what stands between the first name of the text and its value.
func (t *Text) colon() string {
	if members := t.root.Children(); len(members) > 0 && members[0].NameEnd > 0 {
		return t.src[members[0].NameEnd:members[0].Start]
	}
	return ": "
}

// unit is one step of the text's indentation; lines says that the text has its members on lines of their own.
func (t *Text) unit() (unit string, lines bool) {
	const usual = "  "
	children := t.root.Children()
	if len(children) == 0 {
		return usual, true
	}
	space := t.src[t.root.Start+1 : children[0].outset()]
	if !strings.Contains(space, "\n") {
		return "", false
	}
	step := strings.TrimPrefix(t.indentAt(children[0].outset()), t.indentAt(t.root.Start))
	if step == "" {
		return usual, true
	}
	return step, true
}

// indentAt is the white space at the beginning of the line of an offset.
func (t *Text) indentAt(offset int) string {
	line := t.src[strings.LastIndexByte(t.src[:offset], '\n')+1 : offset]
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// fitted lays value out to stand at an offset.
func (t *Text) fitted(value string, offset int) string {
	_, lines := t.unit()
	return t.laidOut(value, t.indentAt(offset), lines)
}

// fittedBehind lays value out to stand behind the separator of two children, of which one begins at offset.
func (t *Text) fittedBehind(value, separator string, offset int) string {
	return t.laidOut(value, t.indentAt(offset), strings.Contains(separator, "\n"))
}

// laidOut returns value on the lines that it has, each but the first behind indent. A filled container on one line is
// spread over lines where that is wanted.
func (t *Text) laidOut(value, indent string, spread bool) string {
	value = strings.TrimSpace(value)
	if strings.Contains(value, "\n") {
		return strings.ReplaceAll(value, "\n", "\n"+indent)
	}
	if !spread || len(value) < 2 || value[0] != '{' && value[0] != '[' {
		return value
	}
	unit, _ := t.unit()
	if unit == "" {
		unit = "  "
	}
	formatted := jsontext.Value(value)
	if formatted.Indent(jsontext.WithIndentPrefix(indent), jsontext.WithIndent(unit),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return value
	}
	return string(formatted)
}

// Shown returns a value as it is written, without the indentation of the place where it stands: Set puts it back there.
func (t *Text) Shown(v *Value) string {
	if v == nil {
		return ""
	}
	return strings.ReplaceAll(v.Raw(), "\n"+t.indentAt(v.Start), "\n")
}

// Indented returns a JSON text with each member on a line of its own; what is no JSON it returns as it is.
func Indented(text string) string {
	v := jsontext.Value(text)
	if v.Indent(jsontext.WithIndent("  "), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return text
	}
	return string(v)
}
