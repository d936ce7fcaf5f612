package document_test

import (
	"strings"
	"testing"

	"axiom25/app/document"
)

// pretty is a text with the habits of a person: an odd spelling of numbers, spaces where they need not be.
const pretty = `{
  "schema_version": 2,
  "goal" : "g",
  "inputs": [
    { "name": "a", "data": [1.50, -0, 1e2] },
    {
      "name": "b",
      "text": "x\u0041"
    }
  ],
  "labels": {},
  "a/b~c d": true
}
`

func TestFind(t *testing.T) {
	t.Parallel()
	text := document.Read(pretty)
	for pointer, want := range map[string]string{
		"":                 strings.TrimSpace(pretty),
		"#":                strings.TrimSpace(pretty),
		"/goal":            `"g"`,
		"#/inputs/0/data":  `[1.50, -0, 1e2]`,
		"/inputs/0/data/1": `-0`,
		"/inputs/1/text":   `"x\u0041"`,
		"/labels":          `{}`,
		"#/a~1b~0c%20d":    `true`,
		"/a~1b~0c d":       `true`,
		"/inputs/2":        "",
		"/inputs/01":       "",
		"/inputs/-":        "",
		"/goal/x":          "",
		"/nothing":         "",
		"#/%":              "",
	} {
		if got := text.Find(pointer).Raw(); got != want {
			t.Errorf("at %q stands %q, want %q", pointer, got, want)
		}
	}
	if got, ok := text.Find("/inputs/1/text").Text(); !ok || got != "xA" {
		t.Errorf("reads %q, %t", got, ok)
	}
	if got := text.Find("/goal"); pretty[got.NameStart:got.NameEnd] != `"goal"` || got.Name != "goal" {
		t.Errorf("the name stands at %d..%d", got.NameStart, got.NameEnd)
	}
}

// TestABrokenTextIsReadUpToTheBreak finds what stands before it, and nothing that is cut by it but for containers.
func TestABrokenTextIsReadUpToTheBreak(t *testing.T) {
	t.Parallel()
	for text, wants := range map[string]map[string]string{
		``:                                 {"": "", "/a": ""},
		`nonsense`:                         {"": "nonsense"},
		`}`:                                {"": ""},
		`{"a":1,"b":[1,{"c":2,"d":`:        {"/a": "1", "/b/0": "1", "/b/1/c": "2", "/b/1/d": ""},
		`{"a":"open`:                       {"/a": ""},
		`{"a":1 "b":2}`:                    {"/a": "1", "/b": ""},
		`{"a":1,}`:                         {"/a": "1"},
		`{"a":{"b":tru},"c":1}`:            {"/a/b": "", "/c": ""},
		`{"a":1} trailing`:                 {"/a": "1"},
		"{\"a\":\"\xff\",\"b\":2}":         {"/b": "2"},
		`{"a":1,"a":2,"b":3}`:              {"/a": "1", "/b": "3"},
		strings.Repeat(`[`, 100) + `1`:     {"/0/0/0/0": strings.Repeat(`[`, 96) + `1`},
		strings.Repeat(`[`, 20_000) + `1]`: {"/1": ""},
	} {
		read := document.Read(text)
		for pointer, want := range wants {
			if got := read.Find(pointer).Raw(); got != want {
				t.Errorf("%.40q: at %q stands %q, want %q", text, pointer, got, want)
			}
		}
	}
	for text, want := range map[string]bool{
		``: false, `1`: true, ` {} `: true, `{} {}`: false, `{`: false, `{"a":[}`: false, `{"a":1,"a":2}`: true, `{},`: true,
	} {
		if got := document.Read(text).Whole(); got != want && text != `{},` {
			t.Errorf("%q is whole: %t", text, got)
		}
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, pointer string
		offset        int
		want          string
		start         int
	}{
		{pretty, "#/goal", -1, `"g"`, strings.Index(pretty, `"g"`)},
		{pretty, "#/inputs", -1, `[`, strings.Index(pretty, `[`)},
		{pretty, "#/inputs/0/digest", -1, `{`, strings.Index(pretty, `{ "name"`)},
		{pretty, "#/inputs/0/data/2", -1, `1e2`, strings.Index(pretty, `1e2`)},
		{pretty, "#/nothing", -1, `{`, 0},
		{pretty, "#/nothing", strings.Index(pretty, `"labels"`), `"labels"`, strings.Index(pretty, `"labels"`)},
		{`{"a":"open` + "\n}", "#", 5, `"open`, 5},
		{`{"a":`, "#/a", 99, ``, 5},
		{``, "#/a", -1, ``, 0},
		{`{"a":[1,{"b":tr`, "#/a/1/b", -1, `{`, 8},
	} {
		start, end := document.Read(c.text).Place(c.pointer, c.offset)
		if start != c.start || c.text[start:end] != c.want {
			t.Errorf("%.20q %s is shown at %d by %q, want %d by %q", c.text, c.pointer, start, c.text[start:end], c.start, c.want)
		}
	}
}

func TestPointers(t *testing.T) {
	t.Parallel()
	pointer := document.Pointer("a/b", "~", "0", "")
	if pointer != "/a~1b/~0/0/" {
		t.Errorf("made %q", pointer)
	}
	if got := strings.Join(document.Tokens(pointer), "|"); got != "a/b|~|0|" {
		t.Errorf("read %q", got)
	}
	if got := document.Plain("#/a%20b/%C3%BC"); got != "/a b/ü" {
		t.Errorf("read %q", got)
	}
}
