package contractstest

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"

	"axiom25/contracts"
)

// Damage returns a copy of a document after what happens to bytes on their way, or is done to them on purpose: one to
// three of cuts, wrong bytes, NULs, lone surrogates, numbers that are none, and depth.
func Damage(random *rand.Rand, doc []byte) []byte {
	doc = slices.Clone(doc)
	for range 1 + random.IntN(3) {
		doc = damageOnce(random, doc)
	}
	return doc
}

func damageOnce(random *rand.Rand, doc []byte) []byte {
	at := random.IntN(len(doc) + 1)
	span := at + random.IntN(min(40, len(doc)-at)+1)
	switch random.IntN(12) {
	case 0:
		return doc[:at]
	case 1:
		return slices.Delete(doc, at, span)
	case 2: // a part twice: names too
		return slices.Insert(doc, at, slices.Clone(doc[at:span])...)
	case 3:
		return slices.Replace(doc, at, min(at+1, len(doc)), randomByte(random))
	case 4:
		return slices.Insert(doc, at, pick(random, wrongBytes)...)
	case 5: // behind a quote, so that it mostly stands in a text or a name
		return slices.Insert(doc, behind(random, doc, '"'), pick(random, wrongBytes)...)
	case 6:
		return slices.Insert(doc, behind(random, doc, '"'), pick(random, wrongEscapes)...)
	case 7:
		return slices.Insert(doc, behind(random, doc, ':'), pick(random, wrongNumbers)...)
	case 8:
		return nest(random, doc, behind(random, doc, ':'))
	case 9:
		return append(doc, pick(random, wrongEnds)...)
	case 10:
		return slices.Insert(doc, 0, pick(random, wrongEnds)...)
	}
	return noise(random)
}

// randomByte returns any byte.
func randomByte(random *rand.Rand) byte { return byte(random.Uint32() >> 24) }

// behind returns the place after one of the marks in a document, or its beginning where it has none.
func behind(random *rand.Rand, doc []byte, mark byte) int {
	n := bytes.Count(doc, []byte{mark})
	if n == 0 {
		return 0
	}
	at := 0
	for range 1 + random.IntN(n) {
		at += bytes.IndexByte(doc[at:], mark) + 1
	}
	return at
}

// nest puts containers before what stands at a place, to the edge of a limit and far over it, and often closes them
// again at the end.
func nest(random *rand.Rand, doc []byte, at int) []byte {
	deep := pick(random, []int{1, contracts.MaxDepth - 2, contracts.MaxDepth - 1, contracts.MaxDepth, contracts.MaxDepth + 1, 5_000})
	open, end := "[", "]"
	if random.IntN(2) == 0 {
		open, end = `{"a":`, "}"
	}
	doc = slices.Insert(doc, at, []byte(strings.Repeat(open, deep))...)
	if random.IntN(4) > 0 {
		closing := max(bytes.LastIndexByte(doc, '}'), 0)
		doc = slices.Insert(doc, closing, []byte(strings.Repeat(end, deep))...)
	}
	return doc
}

// noise returns bytes that mean nothing; half of the time they look like JSON.
func noise(random *rand.Rand) []byte {
	b := make([]byte, random.IntN(200))
	alphabet := []byte("{}[]\":,0123456789.eE+-truefalsn \t\r\n\\u\x00\xff\xc3")
	looks := random.IntN(2) == 0
	for i := range b {
		b[i] = randomByte(random)
		if looks {
			b[i] = pick(random, alphabet)
		}
	}
	return b
}

// wrongBytes are no UTF-8, or characters that JSON does not let stand as they are: a stray continuation, one that lacks
// its end, overlong forms, a surrogate and a character above the last.
var wrongBytes = [][]byte{
	{0},
	{0, 0, 0},
	{0x80},
	{0xff},
	{0xfe, 0xff},
	{0xc3, '('},
	{0xe2, 0x82},
	{0xf0, 0x9f, 0x92},
	{0xc0, 0x80},
	{0xe0, 0x80, 0x80},
	{0xed, 0xa0, 0x80},
	{0xed, 0xbf, 0xbf},
	{0xf4, 0x90, 0x80, 0x80},
	{'\n'},
	{'\r'},
	{'\t'},
	{0x1f},
	{0x7f},
	{0xc2, 0x85},
}

// wrongEscapes are escapes that stand for no character, and some that do.
var wrongEscapes = [][]byte{
	[]byte(`\ud800`), []byte(`\udbff`), []byte(`\udc00`), []byte(`\uDFFF`), []byte(`\udc00\ud800`), []byte(`\ud83d\u0041`),
	[]byte(`\ud83d\ud83d\ude00`), []byte(`\ud83d\n`), []byte(`\ud83d\ude00`), []byte(`\u0000`), []byte(`\u12`), []byte(`\uzzzz`),
	[]byte(`\x41`), []byte(`\'`), []byte(`\`), []byte(`\/`), []byte(`\u2028`), []byte(`\ufeff`), []byte(`\ufffd`),
}

// wrongNumbers are no numbers, or numbers that no double holds; some change what follows.
var wrongNumbers = [][]byte{
	[]byte("-"), []byte("+1"), []byte("01"), []byte("1."), []byte(".5"), []byte("1e"), []byte("1e400,"), []byte("-1e-400,"),
	[]byte("NaN"), []byte("Infinity"), []byte("0x10"), []byte("9007199254740993,"), []byte("0.1000000000000000055511151231257827,"),
	[]byte(strings.Repeat("9", 400)), []byte("1e"), []byte("0."), []byte("-0,"), []byte("1E+2,"), []byte("null,"), []byte("tru"),
}

// wrongEnds are what must not stand around a document, and white space, which may.
var wrongEnds = [][]byte{
	[]byte("{}"), []byte("\x00"), []byte("\ufeff"), []byte(" \r\n\t"), []byte("\v"), []byte("]"), []byte("}"), []byte("//"), []byte(","),
	[]byte("\xff"), []byte("\u0085"), []byte("\u00a0"),
}
