// Package lookup finds things in the reference as a reader types: fields, codes, types of events and problems, invariants and
// routes, by their names first and by what is said of them then.
package lookup

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"axiom25/docs/handbook"
)

// Entry is something that can be found.
type Entry struct {
	// Group is the kind of thing, Title its name, Text what is said of it, and Href where it stands.
	Group, Title, Text, Href string

	title, text string // in lower case
}

// Group is what was found of one kind.
type Group struct {
	Name    string
	Entries []Entry
	// More is how many others match.
	More int
}

// Index returns everything that can be found in a book.
func Index(book *handbook.Book) []Entry {
	var list []Entry
	add := func(group, title, text, href string) {
		list = append(list, Entry{
			Group: group, Title: title, Text: text, Href: "/reference/" + href, title: strings.ToLower(title), text: strings.ToLower(text),
		})
	}
	for _, c := range book.Contracts {
		for i, s := range c.Structs {
			if i == 0 {
				add("Contracts", s.Name, s.Meaning, c.Kind)
			}
			within := s.Name
			if i > 0 {
				within = c.Name + ", " + s.Name
			}
			for _, f := range s.Fields {
				add("Fields", f.Name, within+". "+f.Meaning, c.Kind+"#"+s.Name+"."+f.Name)
			}
		}
	}
	for _, e := range book.Events {
		add("Events", e.Type, e.Says, "events#"+e.Type)
	}
	for i, text := range book.Invariants {
		n := strconv.Itoa(i + 1)
		add("Invariants", "Invariant "+n, text, "events#invariant-"+n)
	}
	for _, r := range book.Routes {
		add("Routes", r.Method+" "+r.Path, r.Summary+". "+r.ID, "api#"+r.ID)
	}
	for _, p := range book.Problems {
		add("Problems", p.Type, strconv.Itoa(p.Status)+" "+p.Title+". "+p.Meaning, "problems#"+p.Type)
	}
	for _, c := range book.Codes {
		add("Codes", c.Code, c.Detail, "problems#"+c.Code)
	}
	return list
}

// most is how many entries of a group are listed.
const most = 8

// Find returns what has every word of the query, the best first, in groups in the order of their best.
func Find(index []Entry, query string) []Group {
	words := strings.Fields(strings.ToLower(query))
	if len(words) == 0 {
		return nil
	}
	type hit struct {
		entry Entry
		rank  int
	}
	var hits []hit
	for _, e := range index {
		if rank, ok := e.rank(words); ok {
			hits = append(hits, hit{e, rank})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.rank, b.rank) })
	var groups []Group
	for _, h := range hits {
		i := slices.IndexFunc(groups, func(g Group) bool { return g.Name == h.entry.Group })
		if i < 0 {
			i, groups = len(groups), append(groups, Group{Name: h.entry.Group})
		}
		if g := &groups[i]; len(g.Entries) < most {
			g.Entries = append(g.Entries, h.entry)
		} else {
			g.More++
		}
	}
	return groups
}

// rank is how well an entry fits, 0 best; ok is false where it lacks a word.
func (e *Entry) rank(words []string) (rank int, ok bool) {
	for _, w := range words {
		switch {
		case e.title == w:
		case strings.HasPrefix(e.title, w):
			rank++
		case strings.Contains(e.title, w):
			rank += 2
		case strings.Contains(e.text, w):
			rank += 4
		default:
			return 0, false
		}
	}
	return rank, true
}

// Piece is a part of a text, Hit where a word of the query stands there.
type Piece struct {
	Text string
	Hit  bool
}

// Pieces splits a text where words of the query stand in it.
func Pieces(text, query string) []Piece {
	words := strings.Fields(strings.ToLower(query))
	lower := strings.ToLower(text)
	if len(lower) != len(text) { // some letters have another length in lower case
		lower = text
	}
	var pieces []Piece
	for len(text) > 0 {
		at, length := -1, 0
		for _, w := range words {
			if i := strings.Index(lower, w); i >= 0 && (at < 0 || i < at || i == at && len(w) > length) {
				at, length = i, len(w)
			}
		}
		if at < 0 {
			return append(pieces, Piece{Text: text})
		}
		if at > 0 {
			pieces = append(pieces, Piece{Text: text[:at]})
		}
		pieces = append(pieces, Piece{Text: text[at : at+length], Hit: true})
		text, lower = text[at+length:], lower[at+length:]
	}
	return pieces
}
