package contracts

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// findings collects what is wrong in a document. It stops when a problem can show no more.
type findings struct {
	list []FieldError
	// broken are the pointers that have a finding: true where the value could not be read at all, so that nothing
	// below it can be judged either.
	broken map[string]bool
	// blank are the pointers of values that are present and zero. The validator takes zero for absent.
	blank map[string]bool
	// silent says that nobody asks what is wrong, only whether anything is: no pointers are made, and broke tells.
	silent, broke bool
}

// full reports whether there are more findings than a problem shows.
func (f *findings) full() bool { return f.broke || len(f.list) > MaxFieldErrors }

// clean reports whether nothing was found and nothing needs a closer look.
func (f *findings) clean() bool { return len(f.list) == 0 && len(f.blank) == 0 }

// add records that the value at pointer breaks a rule.
func (f *findings) add(pointer string, code Code, values params, related ...string) {
	f.addAt(pointer, nowhere, code, values, related...)
}

// nowhere is the offset of what is not in the document, or is still to be located.
const nowhere int64 = -1

// addAt is add with the place in bytes.
func (f *findings) addAt(pointer string, offset int64, code Code, values params, related ...string) {
	if f.full() {
		return
	}
	if f.silent {
		f.broke = true
		return
	}
	if f.broken == nil {
		f.broken = make(map[string]bool)
	}
	if _, known := f.broken[pointer]; !known {
		f.broken[pointer] = false
	}
	e := FieldError{Pointer: pointer, Code: code, Detail: detail(code, values), Params: values, Related: related}
	if offset != nowhere {
		e.Offset = &offset
	}
	f.list = append(f.list, e)
}

// addUnread records that the value at pointer could not be read; whatever follows from that is masked.
func (f *findings) addUnread(pointer string, offset int64, code Code, values params) {
	f.addAt(pointer, offset, code, values)
	if f.broken != nil {
		f.broken[pointer] = true
	}
}

// mask marks the value at pointer as unread because of a finding below it.
func (f *findings) mask(pointer string) { f.broken[pointer] = true }

// unread reports whether the value at pointer, or one around it, could not be read.
func (f *findings) unread(pointer string) bool {
	if len(f.broken) == 0 {
		return false
	}
	for {
		if f.broken[pointer] {
			return true
		}
		i := strings.LastIndexByte(pointer, '/')
		if i < 0 {
			return false
		}
		pointer = pointer[:i]
	}
}

// sound reports whether the value at pointer was read and obeys its own rules, so that a rule that looks at several
// fields may look at it.
func (f *findings) sound(pointer string) bool {
	if len(f.broken) == 0 {
		return true
	}
	if _, found := f.broken[pointer]; found {
		return false
	}
	return !f.unread(pointer)
}

// whole reports whether the value at pointer is sound and so is all that it holds.
func (f *findings) whole(pointer string) bool {
	if !f.sound(pointer) {
		return false
	}
	for at := range f.broken {
		if strings.HasPrefix(at, pointer+"/") {
			return false
		}
	}
	return true
}

// markBlank notes that the value at pointer is present and zero.
func (f *findings) markBlank(pointer string) {
	if f.blank == nil {
		f.blank = make(map[string]bool)
	}
	f.blank[pointer] = true
}

// problem turns the findings into a problem of the given type, or nil where there are none. The list is sorted by
// pointer and cut.
func (f *findings) problem(t ProblemType, title, schema string) *Problem {
	if len(f.list) == 0 {
		return nil
	}
	list := slices.Clone(f.list)
	slices.SortStableFunc(list, func(a, b FieldError) int {
		return cmp.Or(
			strings.Compare(a.Pointer, b.Pointer),
			cmp.Compare(offsetOf(a), offsetOf(b)),
			strings.Compare(string(a.Code), string(b.Code)),
		)
	})
	truncated := len(list) > MaxFieldErrors
	if truncated {
		list = list[:MaxFieldErrors]
	}
	p := NewProblem(t, countProblems(len(list), truncated))
	if title != "" {
		p.Title = title
	}
	p.Schema, p.Truncated, p.Errors = schema, &truncated, list
	return p
}

// offsetOf returns where a finding lies; what has no place comes first.
func offsetOf(e FieldError) int64 {
	if e.Offset == nil {
		return nowhere
	}
	return *e.Offset
}

// countProblems is the detail of a problem with n errors.
func countProblems(n int, more bool) string {
	switch {
	case more:
		return "more than " + strconv.Itoa(n) + " problems"
	case n == 1:
		return "1 problem"
	default:
		return strconv.Itoa(n) + " problems"
	}
}

// places is a tree of the pointers whose offsets are wanted.
type places struct {
	errors   []*FieldError
	children map[string]*places
}

// locate fills in the offsets that the findings from index first on lack: where each value begins, in bytes. What is
// not in the document keeps none. The pointers of doc begin with prefix, its bytes lie at base.
func (f *findings) locate(first int, doc []byte, base int64, prefix string) {
	root, wanted := &places{}, 0
	for i := first; i < len(f.list); i++ {
		e := &f.list[i]
		if e.Offset != nil || e.Code == CodeRequired {
			continue
		}
		at := root
		for _, token := range pointerTokens(rootPointer + strings.TrimPrefix(e.Pointer, prefix)) {
			next := at.children[token]
			if next == nil {
				if at.children == nil {
					at.children = make(map[string]*places)
				}
				next = &places{}
				at.children[token] = next
			}
			at = next
		}
		at.errors = append(at.errors, e)
		wanted++
	}
	if wanted > 0 {
		search := placeSearch{doc: doc, base: base, dec: newDecoder(doc), wanted: wanted}
		search.value(root)
	}
}

// placeSearch reads a document once more to see where values begin. The document was read before: it is JSON up to
// where the findings end.
type placeSearch struct {
	doc    []byte
	base   int64
	dec    *jsontext.Decoder
	wanted int
}

// value reads the next value, whose place is at. It stops when all is found.
func (s *placeSearch) value(at *places) {
	kind := s.dec.PeekKind()
	start := s.base + valueStart(s.doc, s.dec.InputOffset())
	for _, e := range at.errors {
		if e.Offset == nil { // a name that stands twice has been seen
			e.Offset = &start
			s.wanted--
		}
	}
	if len(at.children) == 0 || (kind != '{' && kind != '[') {
		_ = s.dec.SkipValue()
		return
	}
	_, _ = s.dec.ReadToken()
	left := len(at.children)
	for i := 0; s.wanted > 0; i++ {
		if next := s.dec.PeekKind(); next == '}' || next == ']' {
			_, _ = s.dec.ReadToken()
			return
		} else if next == jsontext.KindInvalid {
			s.wanted = 0
			return
		}
		token := ""
		if kind == '[' && left > 0 {
			token = strconv.Itoa(i)
		} else if kind == '[' { // an array has each of its elements once
			_ = s.dec.SkipValue()
			continue
		} else if raw, err := s.dec.ReadValue(); err == nil && len(raw) <= maxRawName {
			token = unquote(raw)
		}
		if child := at.children[token]; child != nil {
			left--
			s.value(child)
			continue
		}
		_ = s.dec.SkipValue()
	}
}

// valueStart skips what may stand before a value: white space, a colon, a comma.
func valueStart(doc []byte, offset int64) int64 {
	for offset < int64(len(doc)) && strings.IndexByte(" \t\r\n:,", doc[offset]) >= 0 {
		offset++
	}
	return offset
}
