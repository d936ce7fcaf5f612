package contracts

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The sizes that every reader of this package holds to.
const (
	// MaxDocumentBytes bounds a document, and an event.
	MaxDocumentBytes = 1 << 20
	// MaxBatchBytes and MaxBatchEvents bound what an engine reports at once.
	MaxBatchBytes  = 4 << 20
	MaxBatchEvents = 1000
	// MaxAnswerBytes bounds the text of an answer.
	MaxAnswerBytes = 512 << 10
	// MaxDepth bounds the nesting of objects and arrays; the root is level 1.
	MaxDepth = 32
)

// Decode reads one whole document as a T: a contract (TaskSpec, Budget, VerifyContract, ToolSpec) or a request
// body (Answer, CancelRequest, ApprovalDecision, ForkRequest, ClaimRequest). It refuses what the contract does
// not say (unknown fields, duplicate names, null, trailing bytes …), fills in defaults, and collects every
// problem. A contract that names the version before the current one is held against the rules of that version, its
// problems point into it as it was sent, and what is returned is what it becomes in the current one. The error is always
// a *Problem: malformed, too-large, unsupported-schema-version or invalid-document. The result shares no memory with
// doc.
func Decode[T any](doc []byte) (*T, error) {
	v := new(T)
	if p := decodeDocument(doc, v, false); p != nil {
		return nil, p
	}
	return v, nil
}

// DecodeEngineEvents reads the lines that an engine reports: NDJSON (blank lines do not count), or a JSON array.
// It is as strict as Decode; pointers begin with the index of the event. The error is always a *Problem: one of those
// of Decode; too-large for more than MaxBatchEvents too, and invalid-document for none.
func DecodeEngineEvents(body []byte) ([]EngineEvent, error) {
	events, p := decodeBatch(body, false)
	if p != nil {
		return nil, p
	}
	return events, nil
}

// DecodeEvent reads one event of a journal as a client does: unknown fields are ignored, an unknown type gives
// UnknownData, and a known type with a bad body is an error. The error is always a *Problem.
func DecodeEvent(line []byte) (RunEvent, error) {
	var ev RunEvent
	if p := decodeDocument(line, &ev, true); p != nil {
		return RunEvent{}, p
	}
	return ev, nil
}

// Encode returns v as compact JSON, without HTML escaping and without a newline: the one way in which this
// project writes contract values. Fields stand in the order of the struct.
func Encode(v any) ([]byte, error) {
	if doc, ok := encodeSurely(v); ok {
		return doc, nil
	}
	return encode(v)
}

// encode is Encode for any value, by reflection.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// unit is one document to read: a whole body, or one event of a batch.
type unit struct {
	doc     []byte
	base    int64  // where doc lies in the body
	pointer string // of the document within the body
	lenient bool
	// lifts are how events of older versions become current ones, where that is not eventLifts.
	lifts map[int]eventLift
	// full leaves the quick path out, so that tests can hold it against this one.
	full bool
}

// decodeDocument reads doc into the struct that v points to.
func decodeDocument(doc []byte, v any, lenient bool) *Problem {
	return unit{doc: doc, pointer: rootPointer, lenient: lenient}.document(v)
}

// document is decodeDocument for a unit that is the whole body.
func (u unit) document(v any) *Problem {
	if len(u.doc) > MaxDocumentBytes {
		return tooLarge(MaxDocumentBytes)
	}
	var found findings
	version, p := u.decode(v, &found)
	if p != nil {
		return p
	}
	if p := found.invalid(v, version); p != nil {
		return p
	}
	return nil
}

// invalid turns the findings into the problem of a document of v's type that was sent in a version.
func (f *findings) invalid(v any, version int) *Problem {
	name := reflect.TypeOf(v).Elem().Name()
	return f.problem(ProblemInvalidDocument, name+" is invalid", schemaNameIn(name, version))
}

// schemaName is the contract and version that a problem names.
func schemaName(name string) string { return schemaNameIn(name, Version) }

// schemaNameIn is schemaName for a document that was sent in another version.
func schemaNameIn(name string, version int) string {
	return strings.ToLower(name) + "/v" + strconv.Itoa(version)
}

// decode reads the unit into v and collects what is wrong, by the rules of the version that it was sent in, which it
// returns. The problem that it returns is one that leaves nothing to collect.
func (u unit) decode(v any, found *findings) (version int, p *Problem) {
	if !u.full && u.sure(v) {
		return Version, nil
	}
	version, p = u.sentIn(v)
	if p != nil {
		return version, p
	}
	first := len(found.list)
	switch {
	case version == Version:
		p = u.decodeCurrent(v, found)
	case u.lifted(v, version):
		p = u.decodeLifted(v, version, found)
	default:
		p = u.decodeEarlier(v, earlierOf(v, int64(version)), found)
	}
	if p == nil {
		found.locate(first, u.doc, u.base, u.pointer)
	}
	return version, p
}

// decodeCurrent is decode for a document of the current version.
func (u unit) decodeCurrent(v any, found *findings) *Problem {
	if p := u.read(v, MaxDepth, found); p != nil {
		return p
	}
	u.crossCheck(v, nil, found)
	return nil
}

// decodeEarlier is decode for a document of an older version. The rules between its fields are those of the current
// version, asked of what it becomes under the names that its author knows: so nothing that is valid turns invalid on
// its way.
func (u unit) decodeEarlier(v any, e *earlier, found *findings) *Problem {
	if len(u.doc) > e.maxBytes {
		return tooLarge(int64(e.maxBytes))
	}
	if p := u.read(e.sent, e.maxDepth, found); p != nil {
		return p
	}
	e.lift()
	u.crossCheck(v, e.names, found)
	return nil
}

// read reads the unit into the struct that v points to and holds each value against its own rules: first all at once,
// which is quick and mostly enough, and where that finds anything each rule on its own.
func (u unit) read(v any, maxDepth int, found *findings) *Problem {
	target := reflect.ValueOf(v).Elem()
	p, err := planOf(target.Type())
	if err != nil {
		return NewProblem(ProblemInternal, err.Error())
	}
	if offset, deep := tooDeep(u.doc, maxDepth); deep {
		place := u.base + offset
		found.addUnread(u.pointer, place, CodeDepth, params{"max": maxDepth})
		return nil
	}
	r := reader{doc: u.doc, base: u.base, at: u.pointer, lenient: u.lenient, full: u.full, found: found}
	if err := r.read(p, target); err != nil && !errors.Is(err, errFull) {
		return u.malformed(err)
	}
	if !found.full() && (!found.clean() || engine().Struct(v) != nil) {
		judge{found: found, lenient: u.lenient}.object(p, target, u.pointer)
	}
	return nil
}

// crossCheck holds what was read against the rules that look at more than one field. names are what the author calls
// the members that have another name now.
func (u unit) crossCheck(v any, names map[string]string, found *findings) {
	if c, ok := v.(crossChecked); ok && !found.full() {
		c.crossCheck(place{found: found, pointer: u.pointer, names: names})
	}
}

// crossChecked is a contract with rules that look at more than one field.
type crossChecked interface {
	// crossCheck records the rules that the value at p breaks. It looks only at what is sound.
	crossCheck(p place)
}

// place is where a value stands, for cross-field rules.
type place struct {
	found   *findings
	pointer string
	// names are what the document calls the members that it does not call as the struct does.
	names map[string]string
}

// to returns the pointer to a member.
func (p place) to(name string) string {
	if p.found.silent {
		return ""
	}
	if sent, ok := p.names[name]; ok {
		name = sent
	}
	return appendMember(p.pointer, name)
}

// in returns the place of a member.
func (p place) in(name string) place { return place{p.found, p.to(name), p.names} }

// item returns the place of an element.
func (p place) item(i int) place {
	if p.found.silent {
		return p
	}
	return place{p.found, appendIndex(p.pointer, i), p.names}
}

// sound reports whether all named members were read and obey their own rules; absent ones are sound.
func (p place) sound(names ...string) bool {
	if len(p.found.broken) == 0 {
		return true
	}
	for _, name := range names {
		if !p.found.sound(p.to(name)) {
			return false
		}
	}
	return !p.found.unread(p.pointer)
}

// whole reports whether a member and all that it holds is sound.
func (p place) whole(name string) bool { return p.found.whole(p.to(name)) }

// breaks records that the value breaks a rule; related names other members of the same object.
func (p place) breaks(code Code, values params) { p.found.add(p.pointer, code, values) }

// member records that a member breaks a rule together with its siblings.
func (p place) member(name string, code Code, values params, siblings ...string) {
	related := make([]string, len(siblings))
	for i, s := range siblings {
		related[i] = p.to(s)
	}
	p.found.add(p.to(name), code, values, related...)
}

// demandVersion records that a document at p does not name its version. An embedded contract may leave it out.
func (p place) demandVersion(version int) {
	if version == 0 && p.sound(versionField) {
		p.found.add(p.to(versionField), CodeRequired, nil)
	}
}

// needs records where a member is absent though the value of its siblings demands it, or present though they forbid it.
// with says in words what demands it.
func (p place) needs(name string, present, demanded bool, with string, siblings ...string) {
	if present == demanded || !p.sound(name) {
		return
	}
	code := CodeOnlyWith
	if demanded {
		code = CodeRequiredWith
	}
	p.member(name, code, params{"with": with}, siblings...)
}

// malformed turns what the decoder says into a problem. Nothing else in the document is looked at.
func (u unit) malformed(err error) *Problem {
	offset, code := u.base+int64(len(u.doc)), CodeSyntax
	var syntactic *jsontext.SyntacticError
	var trailing *trailingError
	var embedded *Problem
	switch {
	case errors.As(err, &embedded):
		return embedded
	case errors.As(err, &trailing):
		offset, code = u.base+trailing.offset, CodeTrailing
	case errors.As(err, &syntactic):
		offset = u.base + syntactic.ByteOffset
		if strings.Contains(syntactic.Err.Error(), "UTF-8") || strings.Contains(syntactic.Err.Error(), "surrogate") {
			code = CodeEncoding
		}
	}
	return malformed(FieldError{Pointer: u.pointer, Code: code, Detail: detail(code, nil), Offset: &offset})
}

// malformed is the problem of a body that is not JSON.
func malformed(e FieldError) *Problem {
	truncated := false
	p := NewProblem(ProblemMalformed, countProblems(1, false))
	p.Truncated, p.Errors = &truncated, []FieldError{e}
	return p
}

// tooLarge is the problem of a body of more than limit bytes.
func tooLarge(limit int64) *Problem {
	truncated := false
	p := NewProblem(ProblemTooLarge, countProblems(1, false))
	values := params{"max": limit}
	p.Truncated = &truncated
	p.Errors = []FieldError{{Pointer: rootPointer, Code: CodeSize, Detail: detail(CodeSize, values), Params: values}}
	return p
}

// tooDeep returns where a document nests deeper than limit. It looks at brackets only, so that depth costs nothing to
// refuse.
func tooDeep(doc []byte, limit int) (offset int64, deep bool) {
	depth, quoted := 0, false
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return int64(i), true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return 0, false
}

// decodeBatch reads the events of a body; full leaves the quick path out.
func decodeBatch(body []byte, full bool) ([]EngineEvent, *Problem) {
	if len(body) > MaxBatchBytes {
		return nil, tooLarge(MaxBatchBytes)
	}
	if !full {
		if events, ok := sureEvents(body); ok {
			return events, nil
		}
	}
	units, p := splitBatch(body)
	if p != nil {
		return nil, p
	}
	var found findings
	if len(units) == 0 || len(units) > MaxBatchEvents {
		found.add(rootPointer, CodeBatch, params{"max": MaxBatchEvents})
	}
	if len(units) > MaxBatchEvents {
		return nil, found.problem(ProblemTooLarge, "", schemaName("EngineEvent"))
	}
	if len(units) == 0 {
		return nil, found.problem(ProblemInvalidDocument, "EngineEvent is invalid", schemaName("EngineEvent"))
	}
	events := make([]EngineEvent, len(units))
	for i, u := range units {
		if len(u.doc) > MaxDocumentBytes {
			offset := u.base
			found.addUnread(u.pointer, offset, CodeSize, params{"max": MaxDocumentBytes})
			continue
		}
		u.full = full
		if _, p := u.decode(&events[i], &found); p != nil {
			return nil, p
		}
	}
	if p := found.invalid(&events[0], Version); p != nil {
		return nil, p
	}
	return events, nil
}

// splitBatch cuts a body into its events.
func splitBatch(body []byte) ([]unit, *Problem) {
	start := spaceEnd(body, 0)
	if start < int64(len(body)) && body[start] == '[' {
		return splitArray(body)
	}
	var units []unit
	for start < int64(len(body)) && len(units) <= MaxBatchEvents {
		end := int64(len(body))
		if i := bytes.IndexByte(body[start:], '\n'); i >= 0 {
			end = start + int64(i) + 1
		}
		if line := body[start:end]; len(bytes.TrimSpace(line)) > 0 {
			units = append(units, unit{doc: line, base: start, pointer: appendIndex(rootPointer, len(units))})
		}
		start = spaceEnd(body, end)
	}
	return units, nil
}

// spaceEnd passes over white space, blank lines included.
func spaceEnd(body []byte, offset int64) int64 {
	for offset < int64(len(body)) && strings.IndexByte(" \t\r\n", body[offset]) >= 0 {
		offset++
	}
	return offset
}

// splitArray cuts a JSON array into its elements.
func splitArray(body []byte) ([]unit, *Problem) {
	whole := unit{doc: body, pointer: rootPointer}
	if offset, deep := tooDeep(body, MaxDepth); deep {
		var found findings
		found.addUnread(rootPointer, offset, CodeDepth, params{"max": MaxDepth})
		return nil, found.problem(ProblemInvalidDocument, "EngineEvent is invalid", schemaName("EngineEvent"))
	}
	r := reader{doc: body, dec: newDecoder(body)}
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, whole.malformed(err)
	}
	var units []unit
	for r.dec.PeekKind() != ']' {
		base := r.offset()
		raw, err := r.dec.ReadValue()
		if err != nil {
			return nil, whole.malformed(err)
		}
		if units = append(units, unit{doc: raw, base: base, pointer: appendIndex(rootPointer, len(units))}); len(units) > MaxBatchEvents {
			return units, nil // too many: what else there is does not matter
		}
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, whole.malformed(err)
	}
	if err := r.end(); err != nil {
		return nil, whole.malformed(err)
	}
	return units, nil
}

// newEventData returns an empty body for an event of type t, or nil where there is no such type.
func newEventData(t EventType) EventData {
	switch t {
	case EventStatus:
		return new(StatusData)
	case EventThought:
		return new(ThoughtData)
	case EventToken:
		return new(TokenData)
	case EventToolStart:
		return new(ToolStartData)
	case EventApproval:
		return new(ApprovalData)
	case EventToolEnd:
		return new(ToolEndData)
	case EventBudget:
		return new(BudgetData)
	case EventVerdict:
		return new(VerdictData)
	case EventError:
		return new(ErrorData)
	case EventDone:
		return new(DoneData)
	}
	return nil
}

// newEngineData is newEventData for the lines that an engine reports.
func newEngineData(t EventType) EventData {
	switch t {
	case EventThought:
		return new(ThoughtData)
	case EventToken:
		return new(TokenData)
	case EventToolStart:
		return new(EngineToolStart)
	case EventToolEnd:
		return new(EngineToolEnd)
	case EventBudget:
		return new(EngineBudget)
	case EventError:
		return new(ErrorData)
	case EventStatus, EventApproval, EventVerdict, EventDone:
	}
	return nil
}

// UnmarshalJSON reads an event as DecodeEvent does, so that events within a page or an answer are read as strictly.
func (e *RunEvent) UnmarshalJSON(b []byte) error {
	ev, err := DecodeEvent(b)
	if err != nil {
		return err
	}
	*e = ev
	return nil
}

// MarshalJSON writes the body as it was read.
func (d UnknownData) MarshalJSON() ([]byte, error) {
	if len(d.Raw) == 0 {
		return []byte("null"), nil
	}
	return d.Raw, nil
}
