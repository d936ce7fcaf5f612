package document_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"axiom25/app/document"
)

func TestEdits(t *testing.T) {
	t.Parallel()
	set := func(pointer, value string) func(*document.Text) (string, error) {
		return func(t *document.Text) (string, error) { return t.Set(pointer, value) }
	}
	insert := func(pointer, value string) func(*document.Text) (string, error) {
		return func(t *document.Text) (string, error) { return t.Insert(pointer, value) }
	}
	remove := func(pointer string) func(*document.Text) (string, error) {
		return func(t *document.Text) (string, error) { return t.Remove(pointer) }
	}
	for name, c := range map[string]struct {
		text string
		edit func(*document.Text) (string, error)
		want string
	}{
		"a value":                       {`{ "a" :1.50, "b":2 }`, set("/a", "1.0"), `{ "a" :1.0, "b":2 }`},
		"the whole document":            {" {} \n", set("", "1.0"), " 1.0 \n"},
		"into nothing":                  {"", set("/a/b", "1"), `{"a":{"b":1}}` + "\n"},
		"a member as its neighbours":    {"{\n\t\"a\" : 1,\n\t\"b\" : 2\n}", set("/c", "3"), "{\n\t\"a\" : 1,\n\t\"b\" : 2,\n\t\"c\" : 3\n}"},
		"a second member":               {"{\n  \"a\": 1\n}", set("/b", "2"), "{\n  \"a\": 1,\n  \"b\": 2\n}"},
		"a second member on one line":   {`{"a": 1}`, set("/b", "2"), `{"a": 1, "b": 2}`},
		"a second member without space": {`{"a":1}`, set("/b", "2"), `{"a":1,"b":2}`},
		"a second member with padding":  {`{ "a": 1 }`, set("/b", "2"), `{ "a": 1, "b": 2 }`},
		"what is missing on the way":    {`{"a":1}`, set("/b/c/d", "2"), `{"a":1,"b":{"c":{"d":2}}}`},
		"a list that is missing":        {`{"a":1}`, set("/b/-", "2"), `{"a":1,"b":[2]}`},
		"a name that looks like one":    {`{"a":{}}`, set("/a/0", "2"), `{"a":{"0":2}}`},
		"into an empty object":          {"{\n  \"a\": {}\n}", set("/a/b", "1"), "{\n  \"a\": {\n    \"b\": 1\n  }\n}"},
		"into an empty document":        {`{}`, set("/a", "1"), "{\n  \"a\": 1\n}"},
		"a container is laid out":       {"{\n  \"a\": 1\n}", set("/b", `{"c":[1,2]}`), "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [\n      1,\n      2\n    ]\n  }\n}"},
		"lines are kept":                {"{\n  \"a\": 1\n}", set("/a", "[\n 1.0]"), "{\n  \"a\": [\n   1.0]\n}"},
		"behind the last element":       {`[1, 2]`, set("/2", "3"), `[1, 2, 3]`},
		"a hostile name":                {`{}`, set("/\"\n\u2028", "3"), "{\n  \"\\\"\\n\u2028\": 3\n}"},
		"inserts in front":              {`[1, 2]`, insert("/0", "3"), `[3, 1, 2]`},
		"inserts on a line":             {"[\n  1,\n  2\n]", insert("/1", `{"a":1}`), "[\n  1,\n  {\n    \"a\": 1\n  },\n  2\n]"},
		"inserts behind":                {`[1]`, insert("/1", "3"), `[1, 3]`},
		"removes the first":             {`{ "a": 1, "b": 2 }`, remove("/a"), `{ "b": 2 }`},
		"removes one between":           {"[\n 1,\n 2,\n 3\n]", remove("/1"), "[\n 1,\n 3\n]"},
		"removes the last":              {"[\n 1,\n 2\n]", remove("/1"), "[\n 1\n]"},
		"removes the only one":          {"[\n 1\n]", remove("/0"), "[]"},
		"removes what is empty": {`{"a":{"b":{"c":1}},"d":2}`, func(t *document.Text) (string, error) {
			return t.Clear("/a/b/c")
		}, `{"d":2}`},
		"removes no more than that": {`{"a":{"b":{"c":1},"e":1}}`, func(t *document.Text) (string, error) {
			return t.Clear("/a/b/c")
		}, `{"a":{"e":1}}`},
		"keeps the root": {`{"a":1}`, func(t *document.Text) (string, error) { return t.Clear("/a") }, `{}`},
		"moves down":     {"[ 1,2 ,  3]", func(t *document.Text) (string, error) { return t.Move("/0", 2) }, "[ 2,3 ,  1]"},
		"moves up":       {"[ 1,2 ,  3]", func(t *document.Text) (string, error) { return t.Move("/2", 1) }, "[ 1,3 ,  2]"},
		"moves nowhere":  {"[1]", func(t *document.Text) (string, error) { return t.Move("/0", 0) }, "[1]"},
		"renames":        {`{"gaol": "x"}`, func(t *document.Text) (string, error) { return t.Rename("/gaol", "goal") }, `{"goal": "x"}`},

		"before a break":       {`{"a":1,"b":tru`, set("/a", "2"), `{"a":2,"b":tru`},
		"removes before it":    {`{"a":1,"c":2,"b":tru`, remove("/a"), `{"c":2,"b":tru`},
		"moves before it":      {`[1,2,x`, func(t *document.Text) (string, error) { return t.Move("/0", 1) }, `[2,1,x`},
		"renames before it":    {`{"a":{x`, func(t *document.Text) (string, error) { return t.Rename("/a", "b") }, `{"b":{x`},
		"what follows the end": {`{"a":1} x`, set("/b", "2"), `{"a":1,"b":2} x`},
	} {
		if got, err := c.edit(document.Read(c.text)); err != nil || got != c.want {
			t.Errorf("%s: %q becomes %q, %v; want %q", name, c.text, got, err, c.want)
		}
	}
}

func TestEditsThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		edit func(*document.Text) (string, error)
		want error
	}{
		"a value that is broken":  {`{"a":{"b":`, func(t *document.Text) (string, error) { return t.Set("/a", "1") }, document.ErrBroken},
		"a member behind a break": {`{"a":1,x`, func(t *document.Text) (string, error) { return t.Set("/b", "1") }, document.ErrBroken},
		"no JSON at all":          {`x`, func(t *document.Text) (string, error) { return t.Set("/b", "1") }, document.ErrBroken},
		"removes what is broken":  {`{"a":[1`, func(t *document.Text) (string, error) { return t.Remove("/a") }, document.ErrBroken},
		"moves to a break":        {`[1,[`, func(t *document.Text) (string, error) { return t.Move("/0", 1) }, document.ErrBroken},
		"the only one known":      {`{"a":1 x`, func(t *document.Text) (string, error) { return t.Remove("/a") }, document.ErrBroken},
		"a value that is no JSON": {`{"a":1}`, func(t *document.Text) (string, error) { return t.Set("/a", "1,") }, document.ErrNoJSON},
		"inserts no JSON":         {`[1]`, func(t *document.Text) (string, error) { return t.Insert("/0", "") }, document.ErrNoJSON},
		"within a scalar":         {`{"a":1}`, func(t *document.Text) (string, error) { return t.Set("/a/b", "1") }, document.ErrNowhere},
		"far behind the end":      {`[1]`, func(t *document.Text) (string, error) { return t.Set("/5", "1") }, document.ErrNowhere},
		"inserts into an object":  {`{"a":1}`, func(t *document.Text) (string, error) { return t.Insert("/0", "1") }, document.ErrNowhere},
		"removes what is missing": {`{"a":1}`, func(t *document.Text) (string, error) { return t.Remove("/b/c") }, document.ErrNowhere},
		"removes the document":    {`{"a":1}`, func(t *document.Text) (string, error) { return t.Remove("") }, document.ErrNowhere},
		"clears what is missing":  {`{"a":{"c":1}}`, func(t *document.Text) (string, error) { return t.Clear("/a/b") }, document.ErrNowhere},
		"moves out of the list":   {`[1,2]`, func(t *document.Text) (string, error) { return t.Move("/0", 2) }, document.ErrNowhere},
		"renames an element":      {`[1,2]`, func(t *document.Text) (string, error) { return t.Rename("/0", "a") }, document.ErrNowhere},
	} {
		if got, err := c.edit(document.Read(c.text)); !errors.Is(err, c.want) || got != "" {
			t.Errorf("%s: %q becomes %q, %v; want %v", name, c.text, got, err, c.want)
		}
	}
}

func TestShownIsWhatSetTakes(t *testing.T) {
	t.Parallel()
	text := "{\n    \"a\": {\n        \"b\": [\n            1.0,\n            2\n        ]\n    }\n}"
	read := document.Read(text)
	shown := read.Shown(read.Find("/a/b"))
	if shown != "[\n    1.0,\n    2\n]" {
		t.Errorf("shows %q", shown)
	}
	if got, err := read.Set("/a/b", shown); err != nil || got != text {
		t.Errorf("puts it back as %q, %v", got, err)
	}
}

// randomValue writes JSON as carelessly as people do.
func randomValue(r *rand.Rand, depth int) string {
	space := func() string { return []string{"", "", " ", "\n", "\t", "\r\n  "}[r.IntN(6)] }
	if depth == 0 || r.IntN(3) == 0 {
		return []string{`1.50`, `-0`, `1e2`, `"a\u0041,]"`, `""`, `true`, `null`, `{}`, `[]`, `[ ]`, `"ü\"{"`}[r.IntN(11)]
	}
	n := r.IntN(4)
	var b strings.Builder
	open, end := "[", "]"
	if r.IntN(2) == 0 {
		open, end = "{", "}"
	}
	b.WriteString(open + space())
	for i := range n {
		if i > 0 {
			b.WriteString("," + space())
		}
		if open == "{" {
			b.WriteString(document.Quote([]string{"a", "b/", "~c", "d e"}[i]) + space() + ":" + space())
		}
		b.WriteString(randomValue(r, depth-1) + space())
	}
	b.WriteString(end)
	return b.String()
}

// pointersOf lists every value below one.
func pointersOf(text *document.Text, at ...string) []string {
	list := []string{document.Pointer(at...)}
	v := text.Find(list[0])
	for i, c := range v.Children() {
		token := c.Name
		if v.Kind() == '[' {
			token = strconv.Itoa(i)
		}
		list = append(list, pointersOf(text, append(slices.Clone(at), token)...)...)
	}
	return list
}

// TestEditsOfAnyText makes many edits of many texts: the edit is there, the rest is as it was, byte for byte, and the text
// is JSON.
func TestEditsOfAnyText(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test that is the same each time
	for range 3000 {
		text := randomValue(r, 4)
		read := document.Read(text)
		pointers := pointersOf(read)
		pointer := pointers[r.IntN(len(pointers))]
		checkEdits(t, text, pointer, randomValue(r, 2))
	}
}

// checkEdits holds each edit of the value at a pointer that exists to what it promises.
func checkEdits(t *testing.T, text, pointer, value string) {
	t.Helper()
	read := document.Read(text)
	v := read.Find(pointer)
	got, err := read.Set(pointer, value)
	if err != nil {
		t.Fatalf("set %q in %q: %v", pointer, text, err)
	}
	if !strings.HasPrefix(got, text[:v.Start]) || !strings.HasSuffix(got, text[v.End:]) {
		t.Errorf("setting %q to %q changes more than that: %q becomes %q", pointer, value, text, got)
	}
	after := document.Read(got)
	if now := after.Find(pointer).Raw(); !same(now, value) || !after.Whole() {
		t.Errorf("set %q to %q, and it is %q in %q", pointer, value, now, got)
	}
	if v.Kind() == '{' && v.Member("new") == nil {
		checkPut(t, text, pointer, "new", value)
	}
	if v.Kind() == '[' {
		checkPut(t, text, pointer, strconv.Itoa(len(v.Children())), value)
		checkPut(t, text, pointer, "0", value)
	}
}

// checkPut puts a child into a container and takes it out again, which leaves what was there, in its spelling.
func checkPut(t *testing.T, text, container, token, value string) {
	t.Helper()
	read := document.Read(text)
	at := container + "/" + token
	put, err := read.Set(at, value)
	if token == "0" {
		put, err = read.Insert(at, value)
	}
	if err != nil {
		t.Fatalf("put %q into %q: %v", at, text, err)
	}
	after := document.Read(put)
	if now := after.Find(at).Raw(); !same(now, value) || !after.Whole() {
		t.Errorf("put %q at %q into %q, and it is %q in %q", value, at, text, now, put)
	}
	var had, has []string
	for _, c := range read.Find(container).Children() {
		had = append(had, c.Name+c.Raw())
	}
	back, err := after.Remove(at)
	if err != nil {
		t.Fatalf("remove %q from %q: %v", at, put, err)
	}
	for _, c := range document.Read(back).Find(container).Children() {
		has = append(has, c.Name+c.Raw())
	}
	if !slices.Equal(had, has) || !same(text, back) {
		t.Errorf("%q with and without %q is %q", text, at, back)
	}
	v := read.Find(container)
	if !strings.HasPrefix(back, text[:v.Start+1]) || !strings.HasSuffix(back, text[v.End-1:]) {
		t.Errorf("%q changed outside of %q: %q", text, container, back)
	}
}

// same reports whether two texts are the same JSON with the same spelling of strings and numbers.
func same(a, b string) bool {
	x, y := jsontext.Value(a), jsontext.Value(b)
	return x.Compact() == nil && y.Compact() == nil && string(x) == string(y)
}

func FuzzEdits(f *testing.F) {
	f.Add(pretty, "/inputs/0", `{"a":1}`)
	f.Add(`{"a":[1,{"b":`, "/a/0", "2")
	f.Add("[\n]", "/0", "[\n1]")
	f.Fuzz(func(t *testing.T, text, pointer, value string) {
		read := document.Read(text)
		start, end := read.Place(pointer, -1)
		if start < 0 || end < start || end > len(text) {
			t.Fatalf("the place is %d..%d of %d", start, end, len(text))
		}
		got, err := read.Set(pointer, value)
		if err != nil {
			return
		}
		after := document.Read(got)
		if read.Whole() && !after.Whole() {
			t.Errorf("setting %q to %q in %q gives %q", pointer, value, text, got)
		}
		if after.Find(pointer) == nil && !strings.Contains(pointer, "-") && utf8.ValidString(pointer) {
			t.Errorf("%q was set in %q, and is not in %q", pointer, text, got)
		}
		for _, tried := range []func(string) (string, error){read.Remove, read.Clear} {
			if less, err := tried(pointer); err == nil && read.Whole() && !document.Read(less).Whole() {
				t.Errorf("without %q %q is %q", pointer, text, less)
			}
		}
	})
}
