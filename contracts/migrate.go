package contracts

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Change says in which way a document of an older version differs from what it becomes.
type Change struct {
	// From is where a value stands in the document as it was sent, To where it stands now.
	From, To string
	// Detail says in words what became of it.
	Detail string
}

// Migrate rewrites a valid document of an older version to the current one and says what it changed. Members keep their
// order and values their spelling, but for the inputs of a task, which are ordered by name; nothing that was absent is
// filled in. The result is compact, and Decode reads the same from it as from doc. A document of the current version is
// returned as it is, without changes. The error is ErrUnknownKind or a *Problem, as of Validate.
func Migrate(kind Kind, doc []byte) (out []byte, changes []Change, err error) {
	if err := Validate(kind, doc); err != nil {
		return nil, nil, err
	}
	version, _, named := versionOf(doc)
	if !named || version == Version {
		return doc, nil, nil
	}
	m := migration{moves: movesFromV1(), sent: make(map[string]string)}
	migrated := jsontext.Value(m.object(doc, rootPointer, rootPointer))
	if err := migrated.Compact(); err != nil {
		return nil, nil, NewProblem(ProblemInternal, err.Error())
	}
	return migrated, m.changes, nil
}

// Readable indents a document, and ends it with a newline, as far as it stays a document then: it is what people are shown of
// what Migrate and Downgrade return.
func Readable(doc []byte) []byte {
	indented := jsontext.Value(slices.Clone(doc))
	err := indented.Indent(jsontext.WithIndent("  "))
	if err != nil || len(indented) >= MaxDocumentBytes {
		return doc
	}
	return append(indented, '\n')
}

// AsSent returns a problem that was found in what Decode made of doc, a valid document, as a problem of doc: where that
// was sent in an older version, with the pointers that its author knows. Any other error is returned as it is.
func AsSent(kind Kind, doc []byte, err error) error {
	var p *Problem
	version, _, named := versionOf(doc)
	if !errors.As(err, &p) || !named || version == Version {
		return err
	}
	m := migration{moves: movesFromV1(), sent: make(map[string]string)}
	m.object(doc, rootPointer, rootPointer)
	sent := *p
	if sent.Schema == schemaName(string(kind)) {
		sent.Schema = schemaNameIn(string(kind), int(version))
	}
	sent.Errors = slices.Clone(p.Errors)
	for i := range sent.Errors {
		e := &sent.Errors[i]
		e.Pointer = m.sentPointer(e.Pointer)
		e.Related = slices.Clone(e.Related)
		for n := range e.Related {
			e.Related[n] = m.sentPointer(e.Related[n])
		}
	}
	slices.SortStableFunc(sent.Errors, func(a, b FieldError) int { return strings.Compare(a.Pointer, b.Pointer) })
	return &sent
}

// migration is one document on its way.
type migration struct {
	moves   map[string]move
	changes []Change
	// sent holds where the values at the pointers of the new document stood in the old one.
	sent map[string]string
}

// rawMember is a member of an object of the contract: its name is a plain field name.
type rawMember struct {
	name  string
	value []byte
}

// move returns what a member of an older version becomes. from is where it stands, to where its object stands now.
type move func(m *migration, sent rawMember, from, to string) []rawMember

// object returns what an object becomes.
func (m *migration) object(raw []byte, from, to string) []byte {
	var members []rawMember
	for _, sent := range membersOf(raw) {
		moved, ok := m.moves[sent.name]
		if !ok {
			members = append(members, sent)
			continue
		}
		members = append(members, moved(m, sent, appendMember(from, sent.name), to)...)
	}
	return joinMembers(members...)
}

// note records a change that people want to hear of.
func (m *migration) note(from, to, words string) {
	m.sent[to] = from
	m.changes = append(m.changes, Change{From: from, To: to, Detail: words})
}

// sentPointer returns where the value at a pointer of the new document stood in the old one.
func (m *migration) sentPointer(pointer string) string {
	for around := pointer; around != rootPointer && around != ""; {
		if from, moved := m.sent[around]; moved {
			return from + pointer[len(around):]
		}
		around = around[:max(strings.LastIndexByte(around, '/'), 0)]
	}
	return pointer
}

// movesFromV1 returns what becomes of the members of version 1, at the root of each contract and in what a task embeds.
// The names do not depend on where they stand.
func movesFromV1() map[string]move {
	moves := map[string]move{
		versionField:   moveVersion,
		"inputs":       moveInputs,
		"backend_pref": movePreference,
		"budget":       moveWithin,
		"verification": moveWithin,
	}
	for name, sent := range namesInV1() {
		moves[sent] = renamed(name)
	}
	moves["time_s"] = moveSeconds
	moves["refusal_threshold"] = moveThreshold
	moves["trust_level"] = moveTrust
	return moves
}

// renamed is the move of a member that has another name now.
func renamed(name string) move {
	return func(m *migration, sent rawMember, from, to string) []rawMember {
		m.note(from, appendMember(to, name), "renamed")
		return []rawMember{{name, sent.value}}
	}
}

func moveVersion(m *migration, sent rawMember, from, to string) []rawMember {
	m.note(from, appendMember(to, sent.name), "the version is "+strconv.Itoa(Version))
	return []rawMember{{sent.name, []byte(strconv.Itoa(Version))}}
}

// moveWithin is the move of an embedded contract.
func moveWithin(m *migration, sent rawMember, from, to string) []rawMember {
	return []rawMember{{sent.name, m.object(sent.value, from, appendMember(to, sent.name))}}
}

func moveInputs(m *migration, sent rawMember, from, to string) []rawMember {
	to = appendMember(to, sent.name)
	m.sent[to] = from
	inputs := membersOf(sent.value)
	slices.SortFunc(inputs, func(a, b rawMember) int { return strings.Compare(a.name, b.name) })
	if len(inputs) == 0 {
		m.note(from, to, "the object is a list")
	}
	list := []byte{'['}
	for i, input := range inputs {
		content := "data"
		if isJSON(input.value, '"') {
			content = "text"
		}
		was, is := appendMember(from, input.name), appendIndex(to, i)
		m.sent[is] = was
		m.sent[appendMember(is, "name")] = was
		m.note(was, appendMember(is, content), "an element of a list, with its name and its "+content)
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, joinMembers(rawMember{"name", strconv.AppendQuote(nil, input.name)}, rawMember{content, input.value})...)
	}
	return []rawMember{{sent.name, append(list, ']')}}
}

func movePreference(m *migration, sent rawMember, from, to string) []rawMember {
	backend := appendMember(to, "backend")
	prefer := appendMember(backend, "prefer")
	m.sent[backend], m.sent[prefer] = from, from
	m.note(from, appendIndex(prefer, 0), "the first of the preferred engines")
	return []rawMember{{"backend", joinMembers(rawMember{"prefer", slices.Concat([]byte{'['}, sent.value, []byte{']'})})}}
}

func moveSeconds(m *migration, sent rawMember, from, to string) []rawMember {
	seconds, _ := parseInteger(sent.value) // the document is valid
	m.note(from, appendMember(to, "max_wall_ms"), "renamed, in milliseconds")
	return []rawMember{{"max_wall_ms", strconv.AppendInt(nil, seconds*millisecondsPerSecond, 10)}}
}

func moveThreshold(m *migration, sent rawMember, from, to string) []rawMember {
	m.note(from, appendMember(to, "refuse_below"), "renamed")
	members := []rawMember{{"refuse_below", sent.value}}
	if threshold, _ := parseNumber(sent.value); threshold > defaultPassAt {
		m.note(from, appendMember(to, "pass_at"), "raised from its default to refuse_below")
		members = append(members, rawMember{"pass_at", sent.value})
	}
	return members
}

func moveTrust(m *migration, sent rawMember, from, to string) []rawMember {
	level := unquote(sent.value)
	trust := string(upTrust(level))
	m.note(from, appendMember(to, "trust"), "renamed; "+level+" is "+trust)
	return []rawMember{{"trust", strconv.AppendQuote(nil, trust)}}
}

// membersOf returns the members of a valid object.
func membersOf(object []byte) []rawMember {
	dec := newDecoder(object)
	if _, err := dec.ReadToken(); err != nil {
		return nil
	}
	var members []rawMember
	for dec.PeekKind() == '"' {
		name, err := dec.ReadValue()
		if err != nil {
			break
		}
		plain := unquote(name)
		value, err := dec.ReadValue()
		if err != nil {
			break
		}
		members = append(members, rawMember{plain, slices.Clone(value)})
	}
	return members
}

// joinMembers returns the object of these members.
func joinMembers(members ...rawMember) []byte {
	object := []byte{'{'}
	for i, member := range members {
		if i > 0 {
			object = append(object, ',')
		}
		object = strconv.AppendQuote(object, member.name)
		object = append(object, ':')
		object = append(object, member.value...)
	}
	return append(object, '}')
}
