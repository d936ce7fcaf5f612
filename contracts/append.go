package contracts

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// appender writes JSON as encode does, byte for byte. Each member writes the comma before it; the first comma of an
// object becomes its bracket.
type appender struct {
	b []byte
	// unsure says that something was met that encode must write.
	unsure bool
}

// begin begins an object, which end is told of.
func (a *appender) begin() int { return len(a.b) }

// end ends the object that began at start.
func (a *appender) end(start int) {
	if len(a.b) == start {
		a.b = append(a.b, "{}"...)
		return
	}
	a.b[start] = '{'
	a.b = append(a.b, '}')
}

// name writes the name of a member, with its punctuation.
func (a *appender) name(quoted string) { a.b = append(a.b, quoted...) }

func (a *appender) null() { a.b = append(a.b, "null"...) }

func (a *appender) boolean(v bool) { a.b = strconv.AppendBool(a.b, v) }

func (a *appender) integer(v int64) { a.b = strconv.AppendInt(a.b, v, 10) }

// text writes a string. What stands between the characters that need an escape is copied as a whole.
func (a *appender) text(s string) {
	b := append(a.b, '"')
	plain := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if escape := escapeOf(r, n); escape != "" {
				b = append(append(b, s[plain:i]...), escape...)
				plain = i + n
			}
			i += n
			continue
		}
		b = appendEscape(append(b, s[plain:i]...), c)
		i++
		plain = i
	}
	a.b = append(append(b, s[plain:]...), '"')
}

// escapeOf returns how a character of n bytes beyond ASCII is written where that is not as it stands: what is no UTF-8,
// and the two line ends that JavaScript once could not read.
func escapeOf(r rune, n int) string {
	switch {
	case r == utf8.RuneError && n == 1:
		return `\ufffd`
	case r == '\u2028':
		return `\u2028`
	case r == '\u2029':
		return `\u2029`
	}
	return ""
}

// appendEscape writes a character of ASCII that cannot stand in a string.
func appendEscape(b []byte, c byte) []byte {
	const lowerHex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	return append(b, '\\', 'u', '0', '0', lowerHex[c>>4], lowerHex[c&15])
}

// time writes a time of the years 1970 to 9999.
func (a *appender) time(t Time) {
	const endOfYears = 253_402_300_800_000 // 10000-01-01
	if t < 0 || t >= endOfYears {
		a.unsure = true
		return
	}
	ms, seconds := int64(t)%1000, int64(t)/1000
	year, month, day := dateOf(seconds / secondsPerDay)
	second := seconds % secondsPerDay
	b := append(a.b, '"')
	b = appendDigits(b, year, 4)
	b = appendDigits(append(b, '-'), month, 2)
	b = appendDigits(append(b, '-'), day, 2)
	b = appendDigits(append(b, 'T'), second/3600, 2)
	b = appendDigits(append(b, ':'), second/60%60, 2)
	b = appendDigits(append(b, ':'), second%60, 2)
	b = appendDigits(append(b, '.'), ms, 3)
	a.b = append(b, 'Z', '"')
}

// appendDigits writes the last n digits of a number.
func appendDigits(b []byte, number int64, n int) []byte {
	for range n {
		b = append(b, 0)
	}
	for i := len(b) - 1; i >= len(b)-n; i-- {
		b[i] = byte('0' + number%10)
		number /= 10
	}
	return b
}

// raw writes free JSON without the white space around its values.
func (a *appender) raw(v json.RawMessage) {
	if v == nil {
		a.null()
		return
	}
	s := scanner{doc: v}
	if !s.free() || !s.end() {
		a.unsure = true
		return
	}
	quoted, kept := false, 0
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case !quoted && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			a.b = append(a.b, v[kept:i]...)
			kept = i + 1
		}
	}
	a.b = append(a.b, v[kept:]...)
}

// other writes what is rare as encode does.
func (a *appender) other(v any) {
	b, err := encode(v)
	a.unsure = a.unsure || err != nil
	a.b = append(a.b, b...)
}

// appendList writes an array.
func appendList[T any](a *appender, list []T, element func(T)) {
	if list == nil {
		a.null()
		return
	}
	a.b = append(a.b, '[')
	for i := range list {
		if i > 0 {
			a.b = append(a.b, ',')
		}
		element(list[i])
	}
	a.b = append(a.b, ']')
}

// appendMap writes an object, ordered by its names.
func appendMap[K ~string, V any](a *appender, members map[K]V, value func(V)) {
	if members == nil {
		a.null()
		return
	}
	start := a.begin()
	for _, name := range slices.Sorted(maps.Keys(members)) {
		a.b = append(a.b, ',')
		a.text(string(name))
		a.b = append(a.b, ':')
		value(members[name])
	}
	a.end(start)
}
