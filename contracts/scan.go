package contracts

import (
	"encoding/json"
	"unicode/utf8"
)

// scanner reads JSON in place, for documents that are as they should be: which is nearly all of them. It says "no"
// as soon as it is not sure, and then the reader, which knows what is wrong and where, starts anew. So it may refuse
// what is valid, such as 1.0 for an integer or an escaped name, but never accept what the reader refuses.
//
// The browser has it too: 65 kB of app.wasm (brotli), for which an editor judges a task in a quarter of the time, and a run
// of thousands of events opens in an eighth.
type scanner struct {
	doc   []byte
	pos   int
	depth int
	// last is the short text that was read last: ids come again line after line, and share their memory.
	last string
}

// The bounds beyond which a scanner is not sure.
const (
	// sureNumber is longer than a double that was printed with the digits that it needs.
	sureNumber = 25
	// sureBytes bounds a document, or a line of a batch. What is refused costs both ways, and where it is large that is
	// more than what accepting it the quick way saves.
	sureBytes = 64 << 10
	// sureMembers bounds the members of an object of free JSON: their names are compared with each other.
	sureMembers = 32
	// sharedText is how long a text may be that shares its memory with the one before it.
	sharedText = 128
)

// skipSpace passes over white space.
func (s *scanner) skipSpace() {
	for s.pos < len(s.doc) {
		switch s.doc[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return
		}
	}
}

// take passes over the character c and reports whether it came next.
func (s *scanner) take(c byte) bool {
	s.skipSpace()
	if s.pos >= len(s.doc) || s.doc[s.pos] != c {
		return false
	}
	s.pos++
	return true
}

// enter begins an object or array.
func (s *scanner) enter(bracket byte) bool {
	if s.depth == MaxDepth || !s.take(bracket) {
		return false
	}
	s.depth++
	return true
}

// leave ends an object or array where its bracket comes next.
func (s *scanner) leave(bracket byte) bool {
	if !s.take(bracket) {
		return false
	}
	s.depth--
	return true
}

// end reports whether nothing follows.
func (s *scanner) end() bool {
	s.skipSpace()
	return s.pos == len(s.doc)
}

// name reads the name of a member, up to its value, and the comma before it unless it is the first. Only names in
// ASCII without escapes are read; for all others it is empty, which is the name of no field.
func (s *scanner) name(first bool) []byte {
	if !first && !s.take(',') {
		return nil
	}
	name := s.plain()
	if name == nil || !s.take(':') {
		return nil
	}
	return name
}

// plain reads a text in ASCII without escapes; nil stands for any other.
func (s *scanner) plain() []byte {
	if !s.take('"') {
		return nil
	}
	for i := s.pos; i < len(s.doc); i++ {
		switch c := s.doc[i]; {
		case c == '"':
			text := s.doc[s.pos:i]
			s.pos = i + 1
			return text
		case c == '\\' || c < ' ' || c >= utf8.RuneSelf:
			return nil
		}
	}
	return nil
}

// quoted reads a text and returns what stands between the quotes, and whether that has escapes.
func (s *scanner) quoted() (inner []byte, escaped, ok bool) {
	if !s.take('"') {
		return nil, false, false
	}
	var seen byte
	for i := s.pos; i < len(s.doc); i++ {
		c := s.doc[i]
		switch {
		case c == '"':
			inner = s.doc[s.pos:i]
			s.pos = i + 1
			return inner, escaped, seen < utf8.RuneSelf || utf8.Valid(inner)
		case c == '\\':
			escaped = true
			i++ // a quote behind it does not end the text
		case c < ' ':
			return nil, false, false
		}
		seen |= c
	}
	return nil, false, false
}

// unescape returns what a text means whose inner bytes are valid UTF-8. It is not ok where an escape is unknown, or half
// of a surrogate pair (RFC 8259, section 7).
func unescape(inner []byte) (text []byte, ok bool) {
	text = make([]byte, 0, len(inner))
	for i := 0; i < len(inner); {
		c := inner[i]
		if c != '\\' {
			text = append(text, c)
			i++
			continue
		}
		if i+1 == len(inner) {
			return nil, false
		}
		if inner[i+1] == 'u' {
			r, n := unescapeRune(inner[i:])
			if n == 0 {
				return nil, false
			}
			text = utf8.AppendRune(text, r)
			i += n
			continue
		}
		plain := unescapeByte(inner[i+1])
		if plain == 0 {
			return nil, false
		}
		text = append(text, plain)
		i += 2
	}
	return text, true
}

// unescapeByte returns what a backslash and c mean, or 0.
func unescapeByte(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

// unescapeRune returns the character that \uXXXX, or a pair of surrogates, at the start of text means, and how long that
// is: 0 where it means none.
func unescapeRune(text []byte) (r rune, n int) {
	const single, pair = len(`\u0000`), len(`\u0000\u0000`)
	r = hexRune(text)
	switch {
	case r < 0 || r >= 0xDC00 && r <= 0xDFFF:
		return 0, 0
	case r < 0xD800 || r > 0xDFFF:
		return r, single
	}
	low := hexRune(text[single:])
	if low < 0xDC00 || low > 0xDFFF {
		return 0, 0
	}
	return 0x10000 + (r-0xD800)<<10 + (low - 0xDC00), pair
}

// hexRune returns the code unit of \uXXXX at the start of text, or -1.
func hexRune(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range text[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// number reads a JSON number and returns its bytes; nil where none comes next.
func (s *scanner) number() []byte {
	s.skipSpace()
	start, i := s.pos, s.pos
	if i < len(s.doc) && s.doc[i] == '-' {
		i++
	}
	whole := s.digits(i)
	if whole == i || s.doc[i] == '0' && whole > i+1 {
		return nil
	}
	i = whole
	if i < len(s.doc) && s.doc[i] == '.' {
		fraction := s.digits(i + 1)
		if fraction == i+1 {
			return nil
		}
		i = fraction
	}
	if i < len(s.doc) && (s.doc[i] == 'e' || s.doc[i] == 'E') {
		i++
		if i < len(s.doc) && (s.doc[i] == '+' || s.doc[i] == '-') {
			i++
		}
		power := s.digits(i)
		if power == i {
			return nil
		}
		i = power
	}
	s.pos = i
	return s.doc[start:i]
}

// digits returns where the digits end that begin at i.
func (s *scanner) digits(i int) int {
	for i < len(s.doc) && s.doc[i] >= '0' && s.doc[i] <= '9' {
		i++
	}
	return i
}

// literal passes over the bytes of true, false or null.
func (s *scanner) literal(word string) bool {
	s.skipSpace()
	if len(s.doc)-s.pos < len(word) || string(s.doc[s.pos:s.pos+len(word)]) != word {
		return false
	}
	s.pos += len(word)
	return true
}

// free passes over any JSON that is surely I-JSON (RFC 7493): no name twice, no number that a reader would round.
func (s *scanner) free() bool {
	s.skipSpace()
	if s.pos == len(s.doc) {
		return false
	}
	switch s.doc[s.pos] {
	case '{':
		return s.freeObject()
	case '[':
		return s.freeList()
	case '"':
		inner, escaped, ok := s.quoted()
		if ok && escaped {
			_, ok = unescape(inner)
		}
		return ok
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	return s.freeNumber()
}

func (s *scanner) freeNumber() bool {
	literal := s.number()
	switch {
	case literal == nil || len(literal) > sureNumber:
		return false
	case len(literal) <= sureDigits && !hasExponent(literal):
		return true
	}
	_, exact := parseNumber(literal)
	return exact
}

// hasExponent reports whether a short number is written with one.
func hasExponent(number []byte) bool {
	for _, c := range number {
		if c == 'e' || c == 'E' {
			return true
		}
	}
	return false
}

func (s *scanner) freeList() bool {
	if !s.enter('[') {
		return false
	}
	for first := true; !s.leave(']'); first = false {
		if !first && !s.take(',') || !s.free() {
			return false
		}
	}
	return true
}

func (s *scanner) freeObject() bool {
	if !s.enter('{') {
		return false
	}
	var names [sureMembers][]byte
	n := 0
	for ; !s.leave('}'); n++ {
		name := s.name(n == 0)
		if name == nil || n == sureMembers {
			return false
		}
		for _, before := range names[:n] {
			if string(before) == string(name) {
				return false
			}
		}
		names[n] = name
		if !s.free() {
			return false
		}
	}
	return true
}

// The functions below read what the plans call for. Generated code calls them.

// once notes that the field of this number was seen, and reports whether it was the first time.
func once(seen *uint64, field uint) bool {
	if *seen&(1<<field) != 0 {
		return false
	}
	*seen |= 1 << field
	return true
}

// fresh makes an optional field present.
func fresh[T any](field **T) *T {
	*field = new(T)
	return *field
}

// scanText reads a text.
func scanText[T ~string](s *scanner, v *T) bool {
	inner, escaped, ok := s.quoted()
	if !ok {
		return false
	}
	if !escaped {
		*v = T(inner)
		return true
	}
	text, ok := unescape(inner)
	*v = T(text)
	return ok
}

// scanAgain is scanText for ids, which share their memory with the one before where they are the same.
func scanAgain[T ~string](s *scanner, v *T) bool {
	inner := s.plain()
	if inner == nil || len(inner) > sharedText {
		return false
	}
	if string(inner) != s.last {
		s.last = string(inner)
	}
	*v = T(s.last)
	return true
}

// scanOneOf reads one of a few texts.
func scanOneOf[T ~string](s *scanner, v *T, choices ...T) bool {
	text := s.plain()
	for _, choice := range choices {
		if string(text) == string(choice) {
			*v = choice
			return true
		}
	}
	return false
}

// scanBool reads true or false.
func scanBool(s *scanner, v *bool) bool {
	*v = s.literal("true")
	return *v || s.literal("false")
}

// scanInteger reads an integer that is written as one, of at most sureDigits digits.
func scanInteger[T ~int | ~int64](s *scanner, v *T) bool {
	s.skipSpace()
	i := s.pos
	negative := i < len(s.doc) && s.doc[i] == '-'
	if negative {
		i++
	}
	start, n := i, T(0)
	for i < len(s.doc) && s.doc[i] >= '0' && s.doc[i] <= '9' && i-start <= sureDigits {
		n = n*10 + T(s.doc[i]-'0')
		i++
	}
	if i == start || i-start > sureDigits || s.doc[start] == '0' && i > start+1 {
		return false
	}
	if i < len(s.doc) && (s.doc[i] == '.' || s.doc[i] == 'e' || s.doc[i] == 'E') {
		return false
	}
	if negative {
		n = -n
	}
	s.pos, *v = i, n
	return true
}

// scanNumber reads a number that a double holds exactly.
func scanNumber(s *scanner, v *float64) bool {
	literal := s.number()
	if literal == nil || len(literal) > sureNumber {
		return false
	}
	var exact bool
	*v, exact = parseNumber(literal)
	return exact
}

// scanTime reads a time.
func scanTime(s *scanner, v *Time) bool {
	var ok bool
	*v, ok = timeOfText(s.plain())
	return ok
}

// scanRaw reads free JSON and keeps it as it was sent.
func scanRaw(s *scanner, v *json.RawMessage) bool {
	s.skipSpace()
	start := s.pos
	if !s.free() {
		return false
	}
	*v = append(make(json.RawMessage, 0, s.pos-start), s.doc[start:s.pos]...)
	return true
}

// scanAny reads free JSON and decodes it.
func scanAny(s *scanner, v *any) bool {
	s.skipSpace()
	start := s.pos
	return s.free() && json.Unmarshal(s.doc[start:s.pos], v) == nil
}

// scanList reads at most limit elements.
func scanList[T any](s *scanner, v *[]T, limit int, read func(*scanner, *T) bool) bool {
	if !s.enter('[') {
		return false
	}
	list := []T{}
	for !s.leave(']') {
		if len(list) == limit || len(list) > 0 && !s.take(',') {
			return false
		}
		var zero T
		list = append(list, zero)
		if !read(s, &list[len(list)-1]) {
			return false
		}
	}
	*v = list
	return true
}

// scanMap reads at most limit members.
func scanMap[K ~string, V any](s *scanner, v *map[K]V, limit int, key func(K) bool, read func(*scanner, *V) bool) bool {
	if !s.enter('{') {
		return false
	}
	members := make(map[K]V)
	for !s.leave('}') {
		if len(members) == limit {
			return false
		}
		name := s.name(len(members) == 0)
		if name == nil {
			return false
		}
		var value V
		if _, twice := members[K(name)]; twice || !key(K(name)) || !read(s, &value) {
			return false
		}
		members[K(name)] = value
	}
	*v = members
	return true
}

// scanLater passes over the body of an event whose type comes behind it, and notes where it stands.
func scanLater(s *scanner, at *int) bool {
	s.skipSpace()
	*at = s.pos
	return s.free()
}

// scanAt reads, once the object is over, what scanLater passed over.
func scanAt[T any](s *scanner, at int, v *T, read func(*scanner, *T) bool) bool {
	end := s.pos
	s.pos = at
	s.depth++ // the object around it
	ok := read(s, v)
	s.depth--
	s.pos = end
	return ok
}

// anyName is the rule of names that have none.
func anyName[K ~string](K) bool { return true }

// shortText reports whether a text has at most limit characters.
func shortText[T ~string](text T, limit int) bool {
	return len(text) <= limit || utf8.RuneCountInString(string(text)) <= limit
}

// distinct reports whether no two elements are the same.
func distinct[T comparable](list []T) bool {
	for i := range list {
		for j := range i {
			if list[i] == list[j] {
				return false
			}
		}
	}
	return true
}

// distinctBy is distinct for what key makes of the elements.
func distinctBy[T any, K comparable](list []T, key func(*T) K) bool {
	for i := range list {
		for j := range i {
			if key(&list[i]) == key(&list[j]) {
				return false
			}
		}
	}
	return true
}

// matches holds a text against a rule of the table that a pattern says.
func matches[T ~string](tag string, text T) bool {
	r, ok := rulesByTag()[tag]
	return ok && r.matches(string(text))
}
