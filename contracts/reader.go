package contracts

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// reader reads one document in one pass, driven by plans. What breaks the contract is recorded, the value skipped,
// and the reading goes on; what is not JSON ends it, and so do more findings than a problem shows.
type reader struct {
	doc  []byte
	dec  *jsontext.Decoder
	base int64 // where doc lies in the body, for offsets
	// lenient ignores unknown fields and unknown event types, as a reader of events does.
	lenient bool
	full    bool   // for the documents within the document
	at      string // the pointer of the value being read, built for containers only
	path    []step
	found   *findings
}

// step is one token of the way to the value being read.
type step struct {
	name  string
	index int // where name is not used: -1 for a member
}

// errFull ends the reading of a document in which enough was found.
var errFull = errors.New("more findings than a problem shows")

// newDecoder returns a decoder over doc that reads it in place. Duplicate names are the reader's to find: the
// decoder would stop at the first.
func newDecoder(doc []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(doc), jsontext.AllowDuplicateNames(true))
}

// read reads the whole document as the struct v. The error says that doc is not JSON.
func (r *reader) read(p *plan, v reflect.Value) error {
	r.dec = newDecoder(r.doc)
	if err := r.object(p, v); err != nil {
		return err
	}
	return r.end()
}

// end makes sure that nothing follows the document.
func (r *reader) end() error {
	_, err := r.dec.ReadToken()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return &trailingError{offset: valueStart(r.doc, r.dec.InputOffset())}
}

// trailingError says that bytes follow the document.
type trailingError struct{ offset int64 }

func (e *trailingError) Error() string { return "bytes follow the document" }

// pointer returns the pointer of the value being read.
func (r *reader) pointer() string {
	p := r.at
	for _, s := range r.path {
		if s.index < 0 {
			p = appendMember(p, s.name)
		} else {
			p = appendIndex(p, s.index)
		}
	}
	return p
}

func (r *reader) enter(name string) { r.path = append(r.path, step{name: name, index: -1}) }
func (r *reader) enterAt(i int)     { r.path = append(r.path, step{index: i}) }
func (r *reader) leave()            { r.path = r.path[:len(r.path)-1] }

// offset returns where the next value begins in the body.
func (r *reader) offset() int64 { return r.base + valueStart(r.doc, r.dec.InputOffset()) }

// refuse records that the next value breaks a rule and skips it.
func (r *reader) refuse(code Code, values params) error {
	r.found.addUnread(r.pointer(), r.offset(), code, values)
	return r.dec.SkipValue()
}

// value reads the next value into v, which the node describes.
func (r *reader) value(n *node, v reflect.Value) error {
	if r.found.full() {
		return errFull
	}
	kind := r.dec.PeekKind()
	if kind == jsontext.KindInvalid {
		return r.dec.SkipValue() // returns the error
	}
	if kind == 'n' && n.shape != shapeFree && n.shape != shapeAny {
		return r.refuse(CodeNull, nil)
	}
	if n.pointer {
		target := reflect.New(n.typ)
		v.Set(target)
		v = target.Elem()
	}
	switch n.shape {
	case shapeText:
		return r.text(n, v)
	case shapeBool:
		return r.boolean(v)
	case shapeInteger, shapeNumber:
		return r.number(n, v)
	case shapeTime:
		return r.time(v)
	case shapeFree, shapeAny:
		return r.free(n, v)
	case shapeObject:
		if n.plan.versioned {
			return r.document(v)
		}
		return r.object(n.plan, v)
	case shapeList:
		return r.list(n, v)
	case shapeMap:
		return r.members(n, v)
	case shapeBody: // read by object, which knows the type
	}
	return r.dec.SkipValue()
}

// text reads a string.
func (r *reader) text(n *node, v reflect.Value) error {
	if r.dec.PeekKind() != '"' {
		return r.refuse(CodeType, params{"type": "string"})
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	s := unquote(raw)
	v.SetString(s)
	if s == "" && n.skipZero && !n.pointer {
		r.found.markBlank(r.pointer())
	}
	return nil
}

// unquoteText is unquote for a string, of which the result may be a part.
func unquoteText(raw string) string {
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	return unquote([]byte(raw))
}

// unquote returns the text of a valid JSON string.
func unquote(raw []byte) string {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	text, err := jsontext.AppendUnquote(make([]byte, 0, len(inner)), raw)
	if err != nil {
		return string(inner) // the decoder has accepted raw
	}
	return string(text)
}

func (r *reader) boolean(v reflect.Value) error {
	if kind := r.dec.PeekKind(); kind != 't' && kind != 'f' {
		return r.refuse(CodeType, params{"type": "boolean"})
	}
	token, err := r.dec.ReadToken()
	if err != nil {
		return err
	}
	v.SetBool(token.Bool())
	return nil
}

// number reads an integer or a float.
func (r *reader) number(n *node, v reflect.Value) error {
	if r.dec.PeekKind() != '0' {
		kind := "number"
		if n.shape == shapeInteger {
			kind = "integer"
		}
		return r.refuse(CodeType, params{"type": kind})
	}
	offset := r.offset()
	raw, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	if n.shape == shapeInteger {
		i, ok := parseInteger(raw)
		if !ok {
			r.found.addUnread(r.pointer(), offset, CodeInteger, nil)
			return nil
		}
		v.SetInt(i)
		if i == 0 && n.skipZero && !n.pointer {
			r.found.markBlank(r.pointer())
		}
		return nil
	}
	f, ok := parseNumber(raw)
	if !ok {
		r.found.addUnread(r.pointer(), offset, CodeNumber, nil)
		return nil
	}
	v.SetFloat(f)
	return nil
}

func (r *reader) time(v reflect.Value) error {
	if r.dec.PeekKind() != '"' {
		return r.refuse(CodeType, params{"type": "string"})
	}
	offset := r.offset()
	raw, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	t, err := ParseTime(unquote(raw))
	if err != nil {
		r.found.addUnread(r.pointer(), offset, CodeTime, nil)
		return nil //nolint:nilerr // recorded: the document goes on
	}
	v.SetInt(int64(t))
	return nil
}

// free reads any JSON. It is kept as it was sent, once it is seen to be I-JSON (RFC 7493): no name twice, no number
// that a reader would round.
func (r *reader) free(n *node, v reflect.Value) error {
	offset := r.offset()
	raw, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	if sound, err := r.lookThrough(raw, offset); !sound {
		r.found.mask(r.pointer())
		return err
	}
	if n.shape == shapeFree {
		v.SetBytes(bytes.Clone(raw))
		return nil
	}
	var decoded any
	if err := json.Unmarshal(raw, &decoded); err != nil {
		return err
	}
	if decoded != nil {
		v.Set(reflect.ValueOf(decoded))
	}
	return nil
}

// lookThrough looks for what I-JSON forbids in raw, valid JSON that lies at base, and reports whether it found none. The
// error is errFull.
func (r *reader) lookThrough(raw []byte, base int64) (sound bool, err error) {
	before, depth := len(r.found.list), len(r.path)
	look := freeLook{r: r, doc: string(raw), base: base}
	err = look.value()
	r.path = r.path[:depth]
	return len(r.found.list) == before, err
}

// freeLook looks for what I-JSON forbids in free JSON. That is valid JSON, so that it need not be read token by token.
type freeLook struct {
	r *reader
	// doc is the value, which lies at base in the body. Names are parts of it, so that they take no memory.
	doc  string
	pos  int
	base int64
}

// value looks through the next value. The error is errFull.
func (l *freeLook) value() error {
	switch l.next() {
	case '{':
		return l.object()
	case '[':
		return l.list()
	case '"':
		l.text()
	case 't', 'n':
		l.pos += len("true")
	case 'f':
		l.pos += len("false")
	default:
		return l.number()
	}
	return nil
}

// next passes over white space and returns what comes next.
func (l *freeLook) next() byte {
	for l.doc[l.pos] <= ' ' {
		l.pos++
	}
	return l.doc[l.pos]
}

// more passes over white space and a comma, and reports whether there is another element before the bracket, which it
// passes over too.
func (l *freeLook) more(bracket byte) bool {
	c := l.next()
	if c == ',' {
		l.pos++
		c = l.next()
	}
	if c == bracket {
		l.pos++
		return false
	}
	return true
}

// text passes over a text, quotes included, and returns it.
func (l *freeLook) text() string {
	start := l.pos
	for l.pos++; l.doc[l.pos] != '"'; l.pos++ {
		if l.doc[l.pos] == '\\' {
			l.pos++
		}
	}
	l.pos++
	return l.doc[start:l.pos]
}

func (l *freeLook) number() error {
	start, short := l.pos, true
	for ; l.pos < len(l.doc) && !endsScalar(l.doc[l.pos]); l.pos++ {
		short = short && l.doc[l.pos] <= '9' // no exponent
	}
	if short && l.pos-start <= sureDigits {
		return nil
	}
	if _, ok := parseNumber([]byte(l.doc[start:l.pos])); ok {
		return nil
	}
	return l.refuse(start, CodeNumber)
}

// endsScalar reports whether c ends a number or a word.
func endsScalar(c byte) bool { return c <= ' ' || c == ',' || c == ']' || c == '}' }

// refuse records what is wrong at a place.
func (l *freeLook) refuse(place int, code Code) error {
	l.r.found.addUnread(l.r.pointer(), l.base+int64(place), code, nil)
	if l.r.found.full() {
		return errFull
	}
	return nil
}

func (l *freeLook) list() error {
	l.pos++
	for i := 0; l.more(']'); i++ {
		l.r.enterAt(i)
		if err := l.value(); err != nil {
			return err
		}
		l.r.leave()
	}
	return nil
}

func (l *freeLook) object() error {
	l.pos++
	var seen names
	for l.more('}') {
		place := l.pos
		name := unquoteText(l.text())
		l.next()
		l.pos++ // the colon
		l.r.enter(name)
		if seen.add(name) {
			if err := l.value(); err != nil {
				return err
			}
		} else {
			if err := l.refuse(place, CodeDuplicateKey); err != nil {
				return err
			}
			l.skip()
		}
		l.r.leave()
	}
	return nil
}

// skip passes over a value that nobody looks through.
func (l *freeLook) skip() {
	for depth := 0; ; {
		switch l.next() {
		case ':', ',':
			l.pos++
			continue
		case '{', '[':
			depth++
			l.pos++
		case '}', ']':
			depth--
			l.pos++
		case '"':
			l.text()
		default:
			for l.pos < len(l.doc) && !endsScalar(l.doc[l.pos]) {
				l.pos++
			}
		}
		if depth == 0 {
			return
		}
	}
}

// names are those of one object. Most objects have few.
type names struct {
	few  []string
	many map[string]struct{}
}

// fewNames is up to how many names are compared one by one.
const fewNames = 16

// add adds a name and reports whether it is a new one.
func (n *names) add(name string) bool {
	if n.many == nil {
		if slices.Contains(n.few, name) {
			return false
		}
		if n.few = append(n.few, name); len(n.few) > fewNames {
			n.many = make(map[string]struct{}, 4*fewNames)
			for _, before := range n.few {
				n.many[before] = struct{}{}
			}
		}
		return true
	}
	before := len(n.many)
	n.many[name] = struct{}{}
	return len(n.many) > before
}

// within lets read work on raw, a value that was read before and lies at base.
func (r *reader) within(raw []byte, base int64, read func() error) error {
	doc, outer, dec, depth := r.doc, r.base, r.dec, len(r.path)
	r.doc, r.base, r.dec = raw, base, newDecoder(raw)
	err := read()
	r.doc, r.base, r.dec, r.path = doc, outer, dec, r.path[:depth]
	return err
}

// overfull reports whether the next value, a list or map, holds more than limit elements. It looks no further than it
// must.
func (r *reader) overfull(limit int) bool {
	depth, elements, quoted := 0, 1, false
	doc := r.doc[valueStart(r.doc, r.dec.InputOffset()):]
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return false
			}
		case c == ',' && depth == 1:
			if elements++; elements > limit {
				return true
			}
		}
	}
	return false
}

// bounded calls read for a list or map. Where that holds more than the limit, the surplus is passed over as a whole,
// so that a hostile document costs no more than an honest one.
func (r *reader) bounded(n *node, read func() error) error {
	if !r.overfull(n.limit) {
		return read()
	}
	offset := r.offset()
	r.found.addAt(r.pointer(), offset, CodeMax, n.overfull)
	raw, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	return r.within(raw, offset, read)
}

// list reads an array, at most as far as its limit.
func (r *reader) list(n *node, v reflect.Value) error {
	if r.dec.PeekKind() != '[' {
		return r.refuse(CodeType, params{"type": "array"})
	}
	return r.bounded(n, func() error {
		if _, err := r.dec.ReadToken(); err != nil {
			return err
		}
		v.Set(reflect.MakeSlice(n.typ, 0, 0))
		for i := 0; r.dec.PeekKind() != ']'; i++ {
			if i == n.limit {
				return nil
			}
			v.Grow(1)
			v.SetLen(i + 1)
			r.enterAt(i)
			if err := r.value(n.elem, v.Index(i)); err != nil {
				return err
			}
			r.leave()
		}
		_, err := r.dec.ReadToken()
		return err
	})
}

// members reads an object whose names the contract leaves open, at most as far as its limit.
func (r *reader) members(n *node, v reflect.Value) error {
	if r.dec.PeekKind() != '{' {
		return r.refuse(CodeType, params{"type": "object"})
	}
	return r.bounded(n, func() error {
		if _, err := r.dec.ReadToken(); err != nil {
			return err
		}
		v.Set(reflect.MakeMap(n.typ))
		for i := 0; r.dec.PeekKind() != '}'; i++ {
			if i == n.limit {
				return nil
			}
			place := r.offset()
			raw, err := r.dec.ReadValue()
			if err != nil {
				return err
			}
			if err := r.member(n, v, unquote(raw), place); err != nil {
				return err
			}
		}
		_, err := r.dec.ReadToken()
		return err
	})
}

// member reads the value of one name into the map v.
func (r *reader) member(n *node, v reflect.Value, name string, place int64) error {
	r.enter(name)
	defer r.leave()
	key := reflect.ValueOf(name).Convert(n.typ.Key())
	if v.MapIndex(key).IsValid() {
		r.found.addUnread(r.pointer(), place, CodeDuplicateKey, nil)
		return r.dec.SkipValue()
	}
	elem := reflect.New(n.typ.Elem()).Elem()
	err := r.value(n.elem, elem)
	v.SetMapIndex(key, elem)
	return err
}

// object reads a struct.
func (r *reader) object(p *plan, v reflect.Value) error {
	if r.dec.PeekKind() != '{' {
		return r.refuse(CodeType, params{"type": "object"})
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	var seen uint64
	var body pendingBody
	for r.dec.PeekKind() != '}' {
		place := r.offset()
		raw, err := r.dec.ReadValue()
		if err != nil {
			return err
		}
		if err := r.field(p, v, raw, place, &seen, &body); err != nil {
			return err
		}
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	r.missing(p, v, seen)
	return r.body(v, &body)
}

// field reads the value behind the name raw.
func (r *reader) field(p *plan, v reflect.Value, raw []byte, place int64, seen *uint64, body *pendingBody) error {
	i, known := p.lookup(raw)
	if !known {
		if !r.lenient {
			r.unknown(p, raw, place)
		}
		if r.found.full() {
			return errFull
		}
		return r.dec.SkipValue()
	}
	f := &p.fields[i]
	r.enter(f.name)
	defer r.leave()
	if *seen&(1<<i) != 0 {
		if r.found.full() {
			return errFull
		}
		r.found.addUnread(r.pointer(), place, CodeDuplicateKey, nil)
		return r.dec.SkipValue()
	}
	*seen |= 1 << i
	if f.node.shape == shapeBody {
		return body.keep(r)
	}
	return r.value(&f.node, v.FieldByIndex(f.index))
}

// maxRawName is as long as a name can be, quoted and escaped, that is not too long for a pointer.
const maxRawName = 6*maxPointer + 2

// lookup finds the field that a quoted name names.
func (p *plan) lookup(raw []byte) (int, bool) {
	if len(raw) > maxRawName {
		return 0, false
	}
	if bytes.IndexByte(raw, '\\') < 0 && len(raw) >= 2 {
		i, ok := p.byName[string(raw[1:len(raw)-1])]
		return i, ok
	}
	i, ok := p.byName[unquote(raw)]
	return i, ok
}

// unknown records a name that the contract does not have; one that is too long for a pointer, at its object.
func (r *reader) unknown(p *plan, raw []byte, place int64) {
	if len(raw) > maxRawName {
		r.found.addUnread(r.pointer(), place, CodeUnknownField, nil)
		return
	}
	name := unquote(raw)
	names := make([]string, len(p.fields))
	for i := range p.fields {
		names[i] = p.fields[i].name
	}
	var values params
	if guess := nearest(name, names); guess != "" {
		values = params{"did_you_mean": guess}
	}
	r.enter(name)
	r.found.addUnread(r.pointer(), place, CodeUnknownField, values)
	r.leave()
}

// document reads a struct that names its version, within a document that may be of another one. What is found in it is
// judged at once, by the rules of that version, and masked for those around it. The error may be a *Problem.
func (r *reader) document(v reflect.Value) error {
	if r.dec.PeekKind() != '{' {
		return r.refuse(CodeType, params{"type": "object"})
	}
	offset := r.offset()
	raw, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	u := unit{doc: raw, base: offset, pointer: r.pointer(), lenient: r.lenient, full: r.full}
	before := len(r.found.list)
	if _, problem := u.decode(v.Addr().Interface(), r.found); problem != nil {
		return problem
	}
	if len(r.found.list) > before {
		r.found.mask(u.pointer)
	}
	return nil
}

// missing fills in the defaults of the fields that are absent and records those that are required.
func (r *reader) missing(p *plan, v reflect.Value, seen uint64) {
	for i := range p.fields {
		f := &p.fields[i]
		switch {
		case seen&(1<<i) != 0:
		case f.preset.IsValid():
			v.FieldByIndex(f.index).Set(f.preset)
		case f.required:
			r.enter(f.name)
			r.found.addUnread(r.pointer(), nowhere, CodeRequired, nil)
			r.leave()
		}
	}
}

// pendingBody is the data member of an event, kept until the type is known.
type pendingBody struct {
	raw  []byte
	base int64
}

// keep puts the next value aside.
func (b *pendingBody) keep(r *reader) error {
	kind, offset := r.dec.PeekKind(), r.offset()
	if kind != '{' && kind != jsontext.KindInvalid {
		if kind == 'n' {
			return r.refuse(CodeNull, nil)
		}
		return r.refuse(CodeType, params{"type": "object"})
	}
	raw, err := r.dec.ReadValue()
	b.raw, b.base = raw, offset
	return err
}

// body reads what was kept as the struct that the event's type names.
func (r *reader) body(v reflect.Value, kept *pendingBody) error {
	if kept.raw == nil {
		return nil
	}
	var target EventData
	switch ev := v.Addr().Interface().(type) {
	case *RunEvent:
		if target = newEventData(ev.Type); target == nil && r.lenient && ev.Type != "" {
			ev.Data = UnknownData{Type: ev.Type, Raw: bytes.Clone(kept.raw)}
			return nil
		}
		ev.Data = target
	case *EngineEvent:
		target = newEngineData(ev.Type)
		ev.Data = target
	}
	if target == nil {
		return nil // the type is at fault, and is judged by its own rule
	}
	bodyPlan, err := planOf(reflect.TypeOf(target).Elem())
	if err != nil {
		return err
	}
	r.enter("data")
	defer r.leave()
	return r.within(kept.raw, kept.base, func() error {
		return r.object(bodyPlan, reflect.ValueOf(target).Elem())
	})
}

// nearest returns the candidate that differs least from name, by at most two edits; of equals the first in the order
// of the alphabet. Case does not count as a difference.
func nearest(name string, candidates []string) string {
	const maxEdits, maxLength = 2, 64
	if len(name) > maxLength {
		return ""
	}
	best, bestEdits := "", maxEdits+1
	for _, c := range candidates {
		edits := distance(strings.ToLower(name), c)
		// A short name is near everything: at least half of it must stay.
		if edits*2 > len(c) {
			continue
		}
		if edits < bestEdits || edits == bestEdits && c < best {
			best, bestEdits = c, edits
		}
	}
	return best
}

// distance is the number of bytes to insert, delete, replace or swap with a neighbour that makes a into b (optimal
// string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
