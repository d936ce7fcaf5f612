package contracts

import (
	"errors"
	"strings"
)

// ErrInvalidID is what every Parse function of this file wraps.
var ErrInvalidID = errors.New("invalid id")

// Seq is the position of an event in its run's journal, counted from 1 without a gap. 0 stands for "before
// the first event", which makes it a cursor too.
type Seq int64

// RunID names a run: "run_" and a lowercase ULID, so that ids sort by the time of creation.
type RunID string

// runPrefix is what every RunID begins with.
const runPrefix = "run_"

// ulidLength is the number of Crockford base32 digits of a ULID (128 bits), per the ULID specification.
const ulidLength = 26

// ParseRunID returns s as a RunID, or an error that wraps ErrInvalidID.
func ParseRunID(s string) (RunID, error) {
	digits, ok := strings.CutPrefix(s, runPrefix)
	if !ok || !isULID(digits) {
		return "", errors.Join(ErrInvalidID, errors.New(`a run id is "run_" and a lowercase ULID`))
	}
	return RunID(s), nil
}

// String returns the id as it stands in documents and addresses.
func (id RunID) String() string { return string(id) }

// ApprovalID names one request for a human decision: "apr_" and a lowercase ULID.
type ApprovalID string

const approvalPrefix = "apr_"

// ParseApprovalID returns s as an ApprovalID, or an error that wraps ErrInvalidID.
func ParseApprovalID(s string) (ApprovalID, error) {
	digits, ok := strings.CutPrefix(s, approvalPrefix)
	if !ok || !isULID(digits) {
		return "", errors.Join(ErrInvalidID, errors.New(`an approval id is "apr_" and a lowercase ULID`))
	}
	return ApprovalID(s), nil
}

// String returns the id as it stands in documents and addresses.
func (id ApprovalID) String() string { return string(id) }

// isULID reports whether s is a ULID in lowercase: 26 digits of Crockford's base32 (no i, l, o, u), the
// first at most 7 since a ULID has 128 bits.
func isULID(s string) bool {
	if len(s) != ulidLength || s[0] > '7' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		digit := c >= '0' && c <= '9'
		letter := c >= 'a' && c <= 'z' && c != 'i' && c != 'l' && c != 'o' && c != 'u'
		if !digit && !letter {
			return false
		}
	}
	return true
}

// ToolRef names a tool of the catalogue: `name` for its highest version, or `name@version`.
type ToolRef string

// Split returns the tool's name and its version, which is empty in a bare reference.
func (r ToolRef) Split() (name, version string) {
	name, version, _ = strings.Cut(string(r), "@")
	return name, version
}

// Branch is where in a run's tree of work an event belongs: a dotted path such as "a.b"; the root is empty.
type Branch string
