package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"axiom25/contracts"
)

// template is an answer's text with values to be filled in.
type template struct {
	parts []part
}

// part is a piece of text, or a value.
type part struct {
	text   string
	ref    *reference
	format *numberFormat
}

// numberFormat says how to write a number.
type numberFormat struct {
	grouped  bool // commas between thousands
	decimals int
	verb     byte // d, f or e
}

var (
	errUnclosed = errors.New("{{ without }}")
	errFormat   = errors.New("a format is %d, %f or %e, with an optional comma and number of decimals, as in %,.2f")
	errNoNumber = errors.New("the value is not a number")
)

// formatPattern is the grammar of a number's format.
var formatPattern = regexp.MustCompile(`^%(,)?(?:\.([0-9]|1[0-5]))?([dfe])$`)

// parseTemplate reads a template.
func parseTemplate(text string) (*template, error) {
	t := &template{}
	for {
		before, rest, found := strings.Cut(text, "{{")
		if before != "" {
			t.parts = append(t.parts, part{text: before})
		}
		if !found {
			return t, nil
		}
		inner, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return nil, errUnclosed
		}
		p, err := parsePlaceholder(inner)
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, p)
		text = after
	}
}

// parsePlaceholder reads what stands between the braces.
func parsePlaceholder(inner string) (part, error) {
	where, how, formatted := strings.Cut(inner, " | ")
	ref, err := parseReference(strings.TrimSpace(where))
	if err != nil {
		return part{}, err
	}
	p := part{ref: &ref}
	if !formatted {
		return p, nil
	}
	m := formatPattern.FindStringSubmatch(strings.TrimSpace(how))
	if m == nil || (m[3] == "d" && m[2] != "") {
		return part{}, errFormat
	}
	p.format = &numberFormat{grouped: m[1] != "", verb: m[3][0]}
	if m[2] != "" {
		if p.format.decimals, err = strconv.Atoi(m[2]); err != nil {
			return part{}, errFormat
		}
	} else if m[3] != "d" {
		p.format.decimals = 6
	}
	return p, nil
}

// references returns what a template needs.
func (t *template) references() []reference {
	var refs []reference
	for _, p := range t.parts {
		if p.ref != nil {
			refs = append(refs, *p.ref)
		}
	}
	return refs
}

// render fills a template in.
func (t *template) render(resolve func(reference) (any, error)) (string, error) {
	var b strings.Builder
	for _, p := range t.parts {
		if p.ref == nil {
			b.WriteString(p.text)
			continue
		}
		value, err := resolve(*p.ref)
		if err == nil {
			var shown string
			if shown, err = show(value, p.format); err == nil {
				b.WriteString(shown)
				continue
			}
		}
		return "", fmt.Errorf("{{%s#…}}: %w", p.ref, err)
	}
	return b.String(), nil
}

// show writes a value.
func show(value any, format *numberFormat) (string, error) {
	if format != nil {
		return format.write(value)
	}
	if text, ok := value.(string); ok {
		return text, nil
	}
	doc, err := contracts.Encode(value)
	return string(doc), err
}

// write writes a number, be it a JSON number or a text that holds one.
func (f *numberFormat) write(value any) (string, error) {
	var digits string
	switch value := value.(type) {
	case json.Number:
		digits = value.String()
	case string:
		digits = value
	default:
		return "", errNoNumber
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return "", errNoNumber
	}
	verb := f.verb
	if verb == 'd' {
		n, verb = math.Round(n), 'f'
	}
	written := strconv.FormatFloat(n, verb, f.decimals, 64)
	if f.grouped && verb == 'f' {
		written = group(written)
	}
	return written, nil
}

// group puts commas between the thousands of a decimal number.
func group(number string) string {
	sign := ""
	if strings.HasPrefix(number, "-") {
		sign, number = "-", number[1:]
	}
	whole, fraction, hasFraction := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if hasFraction {
		whole += "." + fraction
	}
	return sign + whole
}
