package contracts

import "github.com/go-json-experiment/json/jsontext"

// Version is the version of the contract suite that this code writes.
const Version = 2

// supportedVersions are the versions that this code reads, the highest first. A version that joins the list brings
// its own structs and its way up to the next.
func supportedVersions() []int { return []int{Version} }

// versionField is the member of a document's root that names its version.
const versionField = "schema_version"

// checkVersion returns a problem where the document names a version that is not supported. It is asked before
// anything else, because a document is held against the rules of the version that it was written in. A document that
// names none, or not by an integer, is left to its contract.
func checkVersion(doc []byte, base int64, pointer string) *Problem {
	requested, offset, ok := versionOf(doc)
	if !ok {
		return nil
	}
	for _, supported := range supportedVersions() {
		if requested == int64(supported) {
			return nil
		}
	}
	offset += base
	p := NewProblem(ProblemUnsupportedVersion, "this server does not read this version")
	p.Requested, p.Supported = &requested, supportedVersions()
	truncated := false
	p.Truncated = &truncated
	p.Errors = []FieldError{{
		Pointer: appendMember(pointer, versionField), Code: CodeVersion, Detail: detail(CodeVersion, nil), Offset: &offset,
	}}
	return p
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
