package document

import "strings"

// Place returns the bytes that show a reader what a problem is about: those of the value that begins at offset, or,
// where offset is negative, at pointer; where that is missing, of the deepest value around it that exists. Of a container it
// is the bracket alone.
func (t *Text) Place(pointer string, offset int) (start, end int) {
	switch {
	case offset >= 0:
		start = min(offset, len(t.src))
	default:
		if v := t.Nearest(pointer); v != nil {
			start = v.Start
		}
	}
	return start, start + shownLength(t.src[start:])
}

// shownLength is how much of a value is shown: a scalar to its end, a container by its bracket.
func shownLength(text string) int {
	if text == "" {
		return 0
	}
	switch text[0] {
	case '{', '[', '}', ']', '\n':
		return 1
	case '"':
		for i := 1; i < len(text); i++ {
			switch text[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			case '\n':
				return i
			}
		}
		return len(text)
	}
	if end := strings.IndexAny(text, " \t\r\n,:]}"); end > 0 {
		return end
	}
	return len(text)
}
