package contracts

import "slices"

// Events are stored once and read for years: what a journal holds stays in the version that it was written in, byte for
// byte, and is lifted to the current one whenever it is read. Digests and receipts cover values that every version writes
// alike, so that they hold after lifting as before: a version that would write such a value otherwise cannot be lifted,
// and must not be made.

// eventLift rewrites an event of one version, or an engine's line, as the next version writes it, schema_version
// included. It gets one document and returns one of at most the same depth, keeps members that it does not know, and
// leaves the document alone. It is total: what breaks the rules of its version is lifted too, and what is wrong with it is
// found afterwards. The error is that of reading JSON.
type eventLift func(event []byte) ([]byte, error)

// eventLifts returns the table of lifts by the version that each lifts from. It is empty because events begin with the
// current version. The next one puts the lift from this version here; none is ever taken out.
func eventLifts() map[int]eventLift { return nil }

// liftsOf returns the table that the unit is read with.
func (u unit) liftsOf() map[int]eventLift {
	if u.lifts != nil {
		return u.lifts
	}
	return eventLifts()
}

// liftable returns the versions of events before the current one that are read, the lowest first: those from which there
// is an unbroken way up. A journal may hold any of them; an engine reports in the current version or the one before.
func (u unit) liftable(v any) []int {
	oldest := Version
	for lifts := u.liftsOf(); lifts[oldest-1] != nil; {
		oldest--
	}
	switch v.(type) {
	case *RunEvent:
	case *EngineEvent:
		oldest = max(oldest, Version-1)
	default:
		return nil
	}
	var versions []int
	for version := oldest; version < Version; version++ {
		versions = append(versions, version)
	}
	return versions
}

// lifted reports whether a document of a version is lifted, rather than read into a struct of that version.
func (u unit) lifted(v any, version int) bool { return slices.Contains(u.liftable(v), version) }

// decodeLifted is decode for an event of an older version. Problems are found in what it becomes and point into that; an
// offset is kept only where the same pointer leads into the document as it was sent.
func (u unit) decodeLifted(v any, version int, found *findings) *Problem {
	first := len(found.list)
	up := u
	for lifts := u.liftsOf(); version < Version; version++ {
		doc, err := lifts[version](up.doc)
		if err != nil {
			return u.malformed(err)
		}
		up.doc = doc
	}
	if p := up.decodeCurrent(v, found); p != nil {
		return p
	}
	for i := first; i < len(found.list); i++ {
		found.list[i].Offset = nil
	}
	return nil
}
