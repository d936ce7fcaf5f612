package contracts

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxPointer is the longest pointer that a problem shows, in bytes; what lies deeper is shown by the place around it.
const maxPointer = 4096

// rootPointer is the whole document (RFC 6901, section 6).
const rootPointer = "#"

// appendMember returns the pointer to a member of the object at pointer, as a URI fragment: ~ and / are escaped by
// RFC 6901, section 3, and what RFC 3986 does not allow in a fragment by section 6. A pointer that would grow too
// long stays at the object.
func appendMember(pointer, name string) string {
	if len(name) > maxPointer {
		return pointer
	}
	b := make([]byte, 0, len(pointer)+1+len(name))
	b = append(b, pointer...)
	b = append(b, '/')
	for i := range len(name) {
		switch c := name[i]; {
		case c == '~':
			b = append(b, "~0"...)
		case c == '/':
			b = append(b, "~1"...)
		case inFragment(c):
			b = append(b, c)
		default:
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	if len(b) > maxPointer {
		return pointer
	}
	return string(b)
}

// appendIndex returns the pointer to an element of the array at pointer.
func appendIndex(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }

const upperHex = "0123456789ABCDEF"

// inFragment reports whether c may stand in a URI fragment as it is (RFC 3986, section 3.5). The slash is left out:
// within a name it is escaped.
func inFragment(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	return strings.IndexByte("-._!$&'()*+,;=:@?", c) >= 0
}

// pointerTokens returns the reference tokens of a pointer that appendMember and appendIndex made.
func pointerTokens(pointer string) []string {
	rest, ok := strings.CutPrefix(pointer, rootPointer+"/")
	if !ok {
		return nil
	}
	tokens := strings.Split(rest, "/")
	for i, t := range tokens {
		tokens[i] = unescapeToken(t)
	}
	return tokens
}

// unescapeToken undoes the escapes of appendMember.
func unescapeToken(token string) string {
	if strings.IndexByte(token, '%') < 0 && strings.IndexByte(token, '~') < 0 {
		return token
	}
	b := make([]byte, 0, len(token))
	for i := 0; i < len(token); i++ {
		if token[i] == '%' && i+2 < len(token) {
			if c, err := strconv.ParseUint(token[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(c))
				i += 2
				continue
			}
		}
		b = append(b, token[i])
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(string(b))
}

// Position returns where a byte offset of a document lies: the line, counted from 1, and the column in it, counted
// from 1 in runes (a byte that is not UTF-8 counts as one). An offset outside of the document is brought to its
// nearest end.
func Position(doc []byte, offset int64) (line, column int) {
	before := doc[:min(max(offset, 0), int64(len(doc)))]
	line = bytes.Count(before, []byte{'\n'}) + 1
	return line, utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
}
