package contracts

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// marks returns members that documents of contract k have at the root, in one of the versions that are read, and those of no
// other contract do.
func marks(k Kind) []string {
	switch k {
	case KindTaskSpec:
		return []string{"goal"}
	case KindBudget:
		return []string{
			"max_tokens", "max_wall_ms", "max_active_ms", "branch_width", "reflection_passes", "max_tool_calls",
			"max_cost_microusd", "warn_pct", "on_exhausted", "reserve_tokens",
			"tokens", "time_s", "width", "reflection",
		}
	case KindVerifyContract:
		return []string{"assertions", "scorers", "pass_at", "refuse_below", "refusal_threshold"}
	case KindToolSpec:
		return []string{"input_schema", "effect"}
	case KindRunEvent:
		return []string{"seq", "run_id"}
	}
	return nil
}

// Recognise tells the contract of a document by the members at its root, as far as they can be read. It does not guess: ok is
// false for an object that bears the marks of none or of several. What is no JSON object is of none, and every contract says
// so alike: it is taken for the first.
func Recognise(doc []byte) (k Kind, ok bool) {
	members, object := rootMembers(doc)
	if !object {
		return Kinds()[0], true
	}
	for _, candidate := range Kinds() {
		own := marks(candidate)
		if !slices.ContainsFunc(members, func(name string) bool { return slices.Contains(own, name) }) {
			continue
		}
		if ok {
			return "", false
		}
		k, ok = candidate, true
	}
	return k, ok
}

// VersionOf returns the version that a document names; ok is false where it names none, or not by an integer.
func VersionOf(doc []byte) (version int64, ok bool) {
	version, _, ok = versionOf(doc)
	return version, ok
}

// rootMembers returns the names of the members of the first JSON value, as far as it can be read, and whether it is an object.
func rootMembers(doc []byte) (names []string, object bool) {
	dec := newDecoder(doc)
	if t, err := dec.ReadToken(); err != nil || t.Kind() != jsontext.BeginObject.Kind() {
		return nil, false
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadValue()
		if err != nil {
			break
		}
		names = append(names, unquote(name))
		if dec.SkipValue() != nil {
			break
		}
	}
	return names, true
}
