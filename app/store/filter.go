package store

import (
	"bytes"
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"axiom25/contracts"
)

// Filter says which events of a log a reader wants to see. Its zero value wants all.
type Filter struct {
	// Types are the types wanted; all where empty.
	Types []contracts.EventType
	// Branch is the branch wanted where OneBranch is set; the root is empty.
	Branch    contracts.Branch
	OneBranch bool
	// Text is looked for in the JSON of the event's data, as it was sent, whatever the case of its letters. Expression, where it
	// is not nil, is held against the same text instead.
	Text       string
	Expression *regexp.Regexp
}

// All reports whether every event is wanted.
func (f *Filter) All() bool { return len(f.Types) == 0 && !f.OneBranch && !f.reads() }

// reads reports whether the filter looks into texts.
func (f *Filter) reads() bool { return f.Text != "" || f.Expression != nil }

// errExpression is an expression that is none without a reason that can be named.
var errExpression = errors.New("it is too large")

// ParseSearch reads what a reader typed into a search field: an expression (RE2) where it stands between slashes, with an i
// behind them for one that ignores the case, or where expression says that it is one; else a text. The error says in words
// what is wrong with an expression.
func ParseSearch(typed string, expression bool) (text string, re *regexp.Regexp, err error) {
	pattern := typed
	switch body, ok := strings.CutPrefix(typed, "/"); {
	case ok && strings.HasSuffix(body, "/i") && len(body) > 2:
		pattern = "(?i)" + strings.TrimSuffix(body, "/i")
	case ok && strings.HasSuffix(body, "/") && len(body) > 1:
		pattern = strings.TrimSuffix(body, "/")
	case !expression || typed == "":
		return typed, nil, nil
	}
	re, err = regexp.Compile(pattern)
	if broken, ok := errors.AsType[*syntax.Error](err); ok {
		return "", nil, expressionError{broken}
	}
	if err != nil {
		return "", nil, errExpression
	}
	return "", re, nil
}

// expressionError is a syntax error without the name of its package.
type expressionError struct{ broken *syntax.Error }

func (e expressionError) Error() string {
	words := string(e.broken.Code)
	if e.broken.Expr != "" {
		words += ": " + e.broken.Expr
	}
	return words
}

// Matches are the events of a log that a filter wants, as far as they have been tested. New events are tested by Extend, and
// each event once.
type Matches struct {
	log    *Log
	filter Filter
	lower  string // the filter's text as it stands in JSON, in lower case
	ascii  bool   // lower is of ASCII alone
	tested contracts.Seq
	unread []contracts.Seq // the first events of the log's pages that were not kept when they should have been looked into
	seqs   []uint32
}

// NewMatches returns the matches of a filter in a log, before the first event was tested.
func NewMatches(log *Log, f Filter) *Matches {
	m := &Matches{log: log, filter: f}
	m.lower = strings.ToLower(string(appendQuoted(nil, f.Text)))
	m.ascii = !strings.ContainsFunc(m.lower, func(r rune) bool { return r >= utf8.RuneSelf })
	return m
}

// appendQuoted writes a text as it stands within JSON that escapes no more than it must (RFC 8259, section 7).
func appendQuoted(b []byte, text string) []byte {
	for _, r := range text {
		switch r {
		case '"', '\\':
			b = append(b, '\\', byte(r))
		case '\n':
			b = append(b, `\n`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// Log is the log that the events are of.
func (m *Matches) Log() *Log { return m.log }

// Len is how many events matched so far.
func (m *Matches) Len() int { return len(m.seqs) }

// Seq is the position of the event of a match, from 0.
func (m *Matches) Seq(i int) contracts.Seq { return contracts.Seq(m.seqs[i]) }

// Index returns which match an event is, or where it would stand.
func (m *Matches) Index(seq contracts.Seq) (i int, found bool) {
	i = sort.Search(len(m.seqs), func(i int) bool { return contracts.Seq(m.seqs[i]) >= seq })
	return i, i < len(m.seqs) && contracts.Seq(m.seqs[i]) == seq
}

// Tested is the last event that was tested.
func (m *Matches) Tested() contracts.Seq { return m.tested }

// Unread returns the first event of those that could not be looked into, since their texts are not kept, and how many there
// are at most.
func (m *Matches) Unread() (first contracts.Seq, n int) {
	if len(m.unread) == 0 {
		return 0, 0
	}
	return m.unread[0], len(m.unread) * pageEvents
}

// Extend tests the events that have not been tested, and those whose texts are there again, until stop says so: it is asked
// after each kilobyte or so. more says that events are left which can be tested.
func (m *Matches) Extend(stop func() bool) (more bool) {
	m.again()
	const aKilobyte = 1024
	work := 0
	for m.tested < m.log.Last() {
		if work >= aKilobyte {
			if stop() {
				return true
			}
			work = 0
		}
		m.tested++
		wanted, cost := m.test(m.log.Brief(m.tested))
		if wanted {
			m.seqs = append(m.seqs, uint32(m.tested)) //nolint:gosec // a browser does not hold 2^32 events
		}
		work += cost
	}
	return false
}

// again tests the pages of the log that were not kept and are there now.
func (m *Matches) again() {
	m.unread = slices.DeleteFunc(m.unread, func(first contracts.Seq) bool {
		if _, ok := m.log.Data(first); !ok {
			return false
		}
		from, _ := m.Index(first)
		to, _ := m.Index(first + pageEvents)
		var wanted []uint32
		for seq := first; seq < first+pageEvents; seq++ {
			if ok, _ := m.test(m.log.Brief(seq)); ok {
				wanted = append(wanted, uint32(seq)) //nolint:gosec // as in Extend
			}
		}
		m.seqs = slices.Replace(m.seqs, from, to, wanted...)
		return true
	})
}

// test reports whether an event is wanted, and how many bytes that took to look at, or as many as would have cost the same.
func (m *Matches) test(b Brief) (wanted bool, work int) {
	const aBrief = 8
	f := &m.filter
	if len(f.Types) > 0 && !slices.Contains(f.Types, b.Type) || f.OneBranch && f.Branch != b.Branch {
		return false, aBrief
	}
	if !f.reads() {
		return true, aBrief
	}
	data, ok := m.log.Data(b.Seq)
	if !ok {
		if first := pageOf(b.Seq); len(m.unread) == 0 || m.unread[len(m.unread)-1] < first {
			m.unread = append(m.unread, first)
		}
		return false, aBrief
	}
	return m.says(data), aBrief + len(data)
}

// says reports whether a text is what the filter looks for.
func (m *Matches) says(data []byte) bool {
	switch {
	case m.filter.Expression != nil:
		return m.filter.Expression.Match(data)
	case m.ascii:
		return containsFold(data, m.lower)
	}
	return bytes.Contains(bytes.ToLower(data), []byte(m.lower))
}

// containsFold reports whether b holds an ASCII text that is in lower case, whatever the case of b. It makes no copy.
func containsFold(b []byte, lower string) bool {
	for i := 0; i <= len(b)-len(lower); i++ {
		if lowerASCII(b[i]) != lower[0] {
			continue
		}
		j := 1
		for j < len(lower) && lowerASCII(b[i+j]) == lower[j] {
			j++
		}
		if j == len(lower) {
			return true
		}
	}
	return false
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
