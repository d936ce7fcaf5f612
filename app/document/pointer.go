package document

import (
	"net/url"
	"strings"
)

// Pointer returns the plain pointer to a value by the names and indices on the way to it.
func Pointer(tokens ...string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(t, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

// Plain returns a pointer of either form as a plain one. A fragment with broken escapes is taken as it is.
func Plain(pointer string) string {
	fragment, ok := strings.CutPrefix(pointer, "#")
	if !ok {
		return pointer
	}
	if plain, err := url.PathUnescape(fragment); err == nil {
		return plain
	}
	return fragment
}

// Tokens returns the names and indices on the way to a value. A pointer that lacks its first slash is read as if it had it.
func Tokens(pointer string) []string {
	plain := Plain(pointer)
	if plain == "" {
		return nil
	}
	tokens := strings.Split(strings.TrimPrefix(plain, "/"), "/")
	for i, t := range tokens {
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
	}
	return tokens
}
