package parts

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAGrowingTextIsCutIntoBlocks(t *testing.T) {
	t.Parallel()
	line, word, rune3 := strings.Repeat("x", 99)+"\n", strings.Repeat("x", 99)+" ", "€"
	for name, c := range map[string]struct {
		text  string
		sizes []int // of the blocks, in bytes
	}{
		"nothing":                    {"", []int{0}},
		"a short text":               {"a\nb\n", []int{4}},
		"whole lines":                {strings.Repeat(line, 50), []int{2100, 2100, 800}},
		"a long line between others": {line + strings.Repeat(word, 60) + "\n" + line, []int{6101, 100}},
		"no line break":              {strings.Repeat(word, 700), []int{32700, 32700, 4600}},
		"no word either":             {strings.Repeat(rune3, 20_000), []int{32766, 27234}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var blocks []string
			for piece, rest := cutBlock(0, c.text); ; piece, rest = cutBlock(0, rest) {
				blocks = append(blocks, piece)
				if rest == "" {
					break
				}
			}
			sizes := make([]int, len(blocks))
			for i, b := range blocks {
				if sizes[i] = len(b); !utf8.ValidString(b) {
					t.Errorf("block %d ends within a character", i)
				}
			}
			if strings.Join(blocks, "") != c.text || !slices.Equal(sizes, c.sizes) {
				t.Errorf("blocks of %v bytes, want %v", sizes, c.sizes)
			}
			// The same text in pieces gives the same blocks, but where a word comes in two.
			held, grown := 0, []string{""}
			for i := 0; i < len(c.text); i += 3 {
				piece, rest := cutBlock(held, c.text[i:min(i+3, len(c.text))])
				grown[len(grown)-1] += piece
				for held += len(piece); rest != ""; held = len(piece) {
					piece, rest = cutBlock(0, rest)
					grown = append(grown, piece)
				}
			}
			if strings.Join(grown, "") != c.text {
				t.Error("a text that comes in pieces is another one")
			}
			for i, b := range grown {
				if len(b) > longestBlock || !utf8.ValidString(b) {
					t.Errorf("block %d of a text that comes in pieces has %d bytes", i, len(b))
				}
			}
		})
	}
}
