package contracts

import "github.com/go-json-experiment/json/jsontext"

// Version is the version of the contract suite that this code writes.
const Version = 2

// supportedVersions returns the versions in which the struct that v points to can be sent, the lowest first: the current
// one, and those before from which there is a way up.
func (u unit) supportedVersions(v any) []int {
	if earlierOf(v, Version-1) != nil {
		return []int{Version - 1, Version}
	}
	return append(u.liftable(v), Version)
}

// versionField is the member of a document's root that names its version.
const versionField = "schema_version"

// sentIn returns the version that the unit's document was sent in, or a problem where it cannot be read in that version
// as the struct that v points to. It is asked before anything else, because a document is held against the rules of the
// version that it was written in. A document that names none, or not by an integer, is left to its current contract.
func (u unit) sentIn(v any) (int, *Problem) {
	requested, offset, ok := versionOf(u.doc)
	if !ok || requested == Version {
		return Version, nil
	}
	supported := u.supportedVersions(v)
	for _, supported := range supported {
		if requested == int64(supported) {
			return supported, nil
		}
	}
	offset += u.base
	p := NewProblem(ProblemUnsupportedVersion, "this server does not read this version")
	p.Requested, p.Supported = &requested, supported
	truncated := false
	p.Truncated = &truncated
	p.Errors = []FieldError{{
		Pointer: appendMember(u.pointer, versionField), Code: CodeVersion, Detail: detail(CodeVersion, nil), Offset: &offset,
	}}
	return 0, p
}

// versionOf returns the version that a document names and where it does, without reading further than it must.
func versionOf(doc []byte) (version, offset int64, ok bool) {
	dec := newDecoder(doc)
	if dec.PeekKind() != '{' {
		return 0, 0, false
	}
	if _, err := dec.ReadToken(); err != nil {
		return 0, 0, false
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadValue()
		if err != nil {
			return 0, 0, false
		}
		if unquote(name) != versionField {
			if dec.SkipValue() != nil {
				return 0, 0, false
			}
			continue
		}
		kind, offset := dec.PeekKind(), valueStart(doc, dec.InputOffset())
		raw, err := dec.ReadValue()
		if err != nil || kind != jsontext.Kind('0') {
			return 0, 0, false
		}
		n, whole := parseInteger(raw)
		return n, offset, whole
	}
	return 0, 0, false
}
