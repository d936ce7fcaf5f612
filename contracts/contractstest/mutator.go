package contractstest

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Mutator changes documents. It is not safe for concurrent use.
type Mutator struct {
	random *rand.Rand
	seeds  []any
	// names, values and valuesOf are what the seeds hold, to be put elsewhere; valuesOf are the values of a name.
	names    []string
	values   []any
	valuesOf map[string][]any
}

// NewMutator returns a mutator of JSON documents; what it does follows from random and the seeds alone. It panics where a
// seed is no JSON.
func NewMutator(random *rand.Rand, seeds [][]byte) *Mutator {
	m := &Mutator{random: random, valuesOf: make(map[string][]any)}
	for _, seed := range seeds {
		v := parsed(seed)
		m.seeds = append(m.seeds, v)
		m.collect(v)
	}
	m.names = slices.Sorted(maps.Keys(m.valuesOf))
	return m
}

// parsed returns a document as maps, lists and literals.
func parsed(doc []byte) any {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		panic(err) // a seed that is no JSON
	}
	return v
}

// collect gathers names and values.
func (m *Mutator) collect(v any) {
	m.values = append(m.values, v)
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			m.valuesOf[name] = append(m.valuesOf[name], v[name])
			m.collect(v[name])
		}
	case []any:
		for _, elem := range v {
			m.collect(elem)
		}
	}
}

// Document returns a seed after a few changes: mostly one, so that most documents are near the edge.
func (m *Mutator) Document() []byte {
	v := clone(m.seeds[m.random.IntN(len(m.seeds))])
	for range 1 + m.random.IntN(3)*m.random.IntN(2) {
		v = m.change(v)
	}
	return Document(v)
}

// clone copies maps and lists.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for name, value := range v {
			c[name] = clone(value)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, elem := range v {
			c[i] = clone(elem)
		}
		return c
	}
	return v
}

// change changes one thing, somewhere in v.
func (m *Mutator) change(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) > 0 && m.random.IntN(5) > 0 {
			name := pick(m.random, slices.Sorted(maps.Keys(v)))
			if others := m.valuesOf[name]; len(others) > 0 && m.random.IntN(3) == 0 {
				v[name] = clone(pick(m.random, others)) // plausible on its own, so that rules between fields get their turn
				return v
			}
			v[name] = m.change(v[name])
			return v
		}
		return m.changeObject(v)
	case []any:
		if len(v) > 0 && m.random.IntN(3) > 0 {
			i := m.random.IntN(len(v))
			v[i] = m.change(v[i])
			return v
		}
		return m.changeList(v)
	case string:
		if m.random.IntN(6) > 0 {
			return m.changeText(v)
		}
	case json.Number:
		if m.random.IntN(6) > 0 {
			return m.changeNumber(v)
		}
	case bool:
		if m.random.IntN(3) > 0 {
			return !v
		}
	}
	return m.anything()
}

// anything returns a value of any type, and often one that stands somewhere in a seed.
func (m *Mutator) anything() any {
	literals := []any{
		nil, true, false, "", " ", "a", "stop", json.Number("0"), json.Number("1"), json.Number("-1"), json.Number("0.5"),
		json.Number("2"),
		[]any{},
		map[string]any{},
		[]any{nil},
		map[string]any{"a": nil},
	}
	if m.random.IntN(2) == 0 {
		return clone(pick(m.random, m.values))
	}
	return pick(m.random, literals)
}

// changeObject drops, adds, renames or swaps members.
func (m *Mutator) changeObject(v map[string]any) any {
	names := slices.Sorted(maps.Keys(v))
	switch m.random.IntN(6) {
	case 0, 1:
		if len(names) > 0 {
			delete(v, pick(m.random, names))
		}
	case 2, 3:
		name := pick(m.random, m.names)
		if v[name] = m.anything(); m.random.IntN(3) > 0 {
			v[name] = clone(pick(m.random, m.valuesOf[name]))
		}
	case 4:
		if len(names) > 0 {
			from := pick(m.random, names)
			to := m.changeText(from)
			if m.random.IntN(2) == 0 {
				to = pick(m.random, m.names)
			}
			value := v[from]
			delete(v, from)
			v[to] = value
		}
	case 5:
		if len(names) > 1 {
			a, b := pick(m.random, names), pick(m.random, names)
			v[a], v[b] = v[b], v[a]
		} else {
			v["a"] = clone(v) // nested copies
		}
	}
	return v
}

// changeList drops, adds, doubles or swaps elements.
func (m *Mutator) changeList(v []any) any {
	switch m.random.IntN(5) {
	case 0:
		return []any{}
	case 1:
		return append(v, m.anything())
	case 2:
		if len(v) > 0 {
			return append(v, clone(pick(m.random, v)))
		}
	case 3:
		if len(v) > 0 {
			i := m.random.IntN(len(v))
			return slices.Delete(v, i, i+1)
		}
	case 4: // to the edge of a limit and over it
		long := make([]any, pick(m.random, []int{4, 5, 8, 9, 16, 17, 32, 33, 64, 65, 80, 81, 128, 129}))
		for i := range long {
			long[i] = "a" + strconv.Itoa(i)
			if len(v) > 0 && m.random.IntN(20) == 0 {
				long[i] = clone(v[0])
			}
		}
		return long
	}
	return []any{v}
}

// changeText returns a neighbour of a text, a text of a length at the edge, or one that some rule is about.
func (m *Mutator) changeText(s string) string {
	runes := []rune(s)
	switch m.random.IntN(7) {
	case 0: // a character more
		i := m.random.IntN(len(runes) + 1)
		return string(slices.Insert(runes, i, pick(m.random, []rune("aZ0 ._-/~:@#%é\n\u2028\u0085\ufeff\v𝄞\x00"))))
	case 1: // a character less
		if len(runes) > 0 {
			i := m.random.IntN(len(runes))
			return string(slices.Delete(runes, i, i+1))
		}
	case 2: // another character
		if len(runes) > 0 {
			runes[m.random.IntN(len(runes))] = pick(m.random, []rune("aZ019 ._-/~:@#%é\n"))
			return string(runes)
		}
	case 3:
		if m.random.IntN(4) == 0 {
			length := pick(m.random, []int{63, 64, 65, 127, 128, 129, 512, 513, 1024, 1025, 2048, 2049, 8192, 8193})
			return strings.Repeat(pick(m.random, []string{"a", "é", " "}), length)
		}
		return strings.ToUpper(s)
	case 4:
		return s + s
	case 5:
		return pick(m.random, hardTexts)
	}
	if other, ok := pick(m.random, m.values).(string); ok {
		return other
	}
	return ""
}

// hardTexts are texts that people got wrong before.
var hardTexts = []string{
	"", " ", "\v", "\ufeff", "\u0085", "\u3000\u2003", "\t\n\r\f", "2026-01-02T03:04:05.678Z", "2024-02-29T23:59:59.999Z",
	"2023-02-29T00:00:00.000Z", "2100-02-29T00:00:00.000Z", "2000-02-29T00:00:00.000Z", "2016-12-31T23:59:60.000Z",
	"1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z",
	"2026-04-31T00:00:00.000Z", "2026-01-02T24:00:00.000Z", "2026-01-02T03:04:05,678Z", "2026-01-02T03:04:05.678+24:00",
	"2026-01-02t03:04:05.678z", "output", "output#", "output#/", "output#/a~2", "output#/a%2", "output#/a%2F", "usage",
	"usage#/tokens_in", "usage#/tokens%5Fin", "usage#tokens_in", "usage#/tokens", "usage#", "tool:sql_query",
	"tool:sql_query#", "tool:sql_query#/a", "tool:", "tool:sql_query@1.0.0", "tool:a@01.0.0", "sql_query@1.0.0-rc.1+b.2",
	"1.0.0-01", "1.0.0-0a", "01.0.0", "1.0", "https://example.com", "https://a:1234567/", "http://localhost:80/x?y=z",
	"http://127.0.0.1", "http://127.0.0.256", "http://[::1]/", "http://example.com", "https://user@example.com",
	"https://example.com/#x", "https://-a.example", "urn:a", "a:", "a:%zz", "1:a", "text/plain", "text/plain; charset=utf-8",
	"text/plain; a=\"b\"", "text/", "secret://a/b", "secret://", "secret:///a", "/a/b", "/a~1", "/a~", "a/b", "/",
	"a.b", ".a", "a..b", "a.", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	"00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
	"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "run_81kdy700000000000000000001", "[a", "(?=a)", "a{1001}",
	"\u2028", "none", "finalize", "stop", "tight", "builtin", "http", "never", "oauth2", "api_key", "edited", "ask", "warn",
	"queued", "running", "label", "rubric", "exact", "should", "verified", "destructive", "write",
}

// changeNumber returns a neighbour, the same number spelled in another way, or a number at some edge.
func (m *Mutator) changeNumber(n json.Number) any {
	edges := []json.Number{
		"0", "1", "-1", "2", "3", "5", "9", "10", "20", "21", "64", "65", "99", "100", "101", "1000", "1001", "10000", "10001",
		"600000", "600001", "524288", "524289", "86400000", "86400001", "9007199254740991", "9007199254740992",
		"9007199254740993", "-9007199254740991", "-9007199254740992", "9223372036854775807", "9223372036854775808", "1e2",
		"1.0", "1.5", "1e-2", "0.1", "0.10000000000000001", "0.1000000000000000000001", "-0", "-0.0", "0e5", "1e400", "1E+2",
		"10e-1", "1e15", "1e16", "0.9999999999999999", "1.0000000000000002", "1.00000000000000000001", "5e-324", "1e-400",
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	if err != nil || m.random.IntN(2) == 0 {
		return pick(m.random, edges)
	}
	switch m.random.IntN(4) {
	case 0:
		return json.Number(strconv.FormatInt(i+1, 10))
	case 1:
		return json.Number(strconv.FormatInt(i-1, 10))
	case 2:
		return json.Number(n.String() + ".0")
	}
	return n.String() // as a text
}

// pick returns one of a list.
func pick[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }
