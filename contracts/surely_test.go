package contracts_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// quickPath is what the quick path and the one that decides make of the documents of one struct.
type quickPath struct {
	name string
	// surely is the quick path, full the other.
	surely func(doc []byte) (v any, ok bool)
	full   func(doc []byte) (v any, err error)
	seeds  func() [][]byte
}

func quickOf[T any](name string, seeds func() [][]byte) quickPath {
	return quickPath{
		name:   name,
		surely: func(doc []byte) (any, bool) { return contracts.Surely[T](doc) },
		full:   func(doc []byte) (any, error) { return contracts.DecodeFull[T](doc) },
		seeds:  seeds,
	}
}

// quicks are all documents that have a quick path.
func quicks() []quickPath {
	seeds := func(kind contracts.Kind) func() [][]byte {
		return func() [][]byte { return seedsOf(edition{kind, contracts.Version}) }
	}
	list := []quickPath{
		quickOf[contracts.TaskSpec]("TaskSpec", seeds(contracts.KindTaskSpec)),
		quickOf[contracts.Budget]("Budget", seeds(contracts.KindBudget)),
		quickOf[contracts.VerifyContract]("VerifyContract", seeds(contracts.KindVerifyContract)),
		quickOf[contracts.ToolSpec]("ToolSpec", seeds(contracts.KindToolSpec)),
		quickOf[contracts.RunEvent]("RunEvent", seeds(contracts.KindRunEvent)),
		{
			name: "EngineEvents", seeds: engineLines,
			surely: func(doc []byte) (any, bool) { return contracts.SurelyEngineEvents(doc) },
			full:   func(doc []byte) (any, error) { return contracts.DecodeEngineEventsFull(doc) },
		},
	}
	return append(list, quickValues()...)
}

// quickValues are the values of assertions that are read like documents.
func quickValues() []quickPath {
	literals := func(docs ...string) func() [][]byte {
		return func() [][]byte {
			var seeds [][]byte
			for _, doc := range docs {
				seeds = append(seeds, []byte(doc))
			}
			return seeds
		}
	}
	return []quickPath{
		quickOf[contracts.Bounds]("bounds", literals(`{"min":1,"max":5}`, `{"min":0}`, `{"max":9}`, `{}`)),
		quickOf[contracts.UsageLimit]("usageLimit", literals(`{"limit":10.5}`, `{"limit":0}`, `{"limit":1e3}`)),
		quickOf[contracts.Sequence]("toolList", literals(`{"tools":["t","t@1.0.0","a_b-c@1.0.0-rc.1+b"]}`, `{"tools":[]}`)),
	}
}

// engineLines are lines that an engine may report, of each type and with every field.
func engineLines() [][]byte {
	var lines [][]byte
	for _, line := range append(slices.Clone(goodLines),
		`{"data":{"id":"m","delta":"data may stand before its type"},"type":"token","schema_version":2}`,
		`{"schema_version":2,"branch":"a.b-1","type":"token","data":{"channel":"refusal","attempt":3,"id":"gen_1:a/b","delta":"\ud834\udd1e \u00e9é\n","final":false}}`,
		engineLine("thought", `{"id":"t","delta":"","kind":"plan","attempt":1000,"final":true}`),
		engineLine("tool_start", `{"call_id":"c","tool":"a_b-c@1.0.0-rc.1+b","args":{"a":[1,2.5,-1e3,{"b":"\\"}],"é":null},"attempt":2}`),
		engineLine("tool_end", `{"call_id":"c","status":"error","error":{"type":"/problems/tool-failed","title":"x","status":500,"detail":"d",`+
			`"errors":[{"pointer":"#/a","code":"c","detail":"d","params":{"min":1,"list":[null]},"offset":0,"related":["#/b"]}],"truncated":false},"cost_microusd":5}`),
		engineLine("budget", `{"used":{"tokens_in":9007199254740991,"tokens_out":1,"tokens_cached":1,"tokens_reasoning":0,"cost_microusd":999999999999999}}`),
		engineLine("error", `{"type":"/problems/engine-failed","title":"x","status":599,"retry":"retrying","retry_after_ms":5,"call_id":"c1"}`),
	) {
		lines = append(lines, []byte(line))
	}
	return lines
}

// agree holds the quick path against the one that decides, and reports whether it was sure and whether the document is
// valid.
func (q quickPath) agree(t *testing.T, doc []byte) (sure, valid bool) {
	t.Helper()
	got, sure := q.surely(doc)
	want, err := q.full(doc)
	switch {
	case sure && err != nil:
		t.Errorf("%s is sure of what is refused: %.2000s\n%s", q.name, doc, contractstest.Document(err))
	case sure && !reflect.DeepEqual(got, want):
		t.Errorf("%s reads %.2000s\nas   %s\nwant %s", q.name, doc, contractstest.Document(got), contractstest.Document(want))
	case !sure && !isZero(got):
		t.Errorf("%s leaves %s of %.2000s", q.name, contractstest.Document(got), doc)
	}
	return sure, err == nil
}

// isZero reports whether v, or what it points to, is zero.
func isZero(v any) bool {
	value := reflect.ValueOf(v)
	if value.Kind() == reflect.Pointer {
		value = value.Elem()
	}
	return value.IsZero()
}

// respell writes valid JSON in another way: with white space, and with escapes where none are needed.
func respell(random *rand.Rand, doc []byte) []byte {
	var b []byte
	quoted := false
	for i := 0; i < len(doc); i++ {
		c := doc[i]
		switch {
		case quoted && c == '\\':
			b = append(b, c)
			i++
			c = doc[i]
		case c == '"':
			quoted = !quoted
		case quoted && c > ' ' && c < 0x7F && random.IntN(2_000) == 0:
			b = fmt.Appendf(b, `\u%04x`, c)
			continue
		case !quoted && random.IntN(20) == 0 && strings.IndexByte("{}[]:,", c) >= 0:
			b = append(b, " \t\r "[random.IntN(4)])
		}
		b = append(b, c)
	}
	return b
}

// TestSurelyAgrees asks both paths about thousands of documents: those that are a few changes away from a valid one, also
// spelled in another way, and damaged ones.
func TestSurelyAgrees(t *testing.T) {
	t.Parallel()
	for _, q := range quicks() {
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			total := mutants + mutants/4
			if testing.Short() || slow {
				total /= 20
			}
			random := rand.New(rand.NewPCG(25, uint64(len(q.name)))) //nolint:gosec // a fixed seed, so that a failure comes back
			seeds := q.seeds()
			m := contractstest.NewMutator(random, seeds)
			sure, valid := 0, 0
			for i := range total {
				var doc []byte
				switch i % 5 {
				case 0, 1:
					doc = m.Document()
				case 2:
					doc = respell(random, m.Document())
				case 3:
					doc = respell(random, pick(random, seeds))
				case 4:
					doc = contractstest.Damage(random, pick(random, seeds))
				}
				s, v := q.agree(t, doc)
				if s {
					sure++
				}
				if v {
					valid++
				}
			}
			t.Logf("%d documents, %d valid, of which the quick path is sure of %d", total, valid, sure)
			if valid < total/20 || valid > total*19/20 {
				t.Errorf("%d of %d are valid: the changes are one-sided", valid, total)
			}
			if sure < valid*3/4 {
				t.Errorf("the quick path is sure of %d of %d valid documents only", sure, valid)
			}
		})
	}
}

// TestSurelyAgreesOnTheRows asks both about the documents that break each rule on its own.
func TestSurelyAgreesOnTheRows(t *testing.T) {
	for _, q := range quicks() {
		for _, r := range rows[strings.ToLower(q.name)] {
			q.agree(t, []byte(r.doc))
		}
		for _, doc := range []string{``, ` `, `{`, `{}`, `[]`, `[{}]`, `null`, `{"a":1,}`, `{,}`, `{"a"}`, `{} {}`, "\ufeff{}", `{"schema_version":2`} {
			q.agree(t, []byte(doc))
		}
	}
	if slow {
		return // the hostile ones are a megabyte each, and read by nothing that is not read above
	}
	for name, doc := range hostile() {
		for _, q := range quicks()[:6] {
			if !slices.Contains([]string{"numbers that need a close look"}, name) {
				q.agree(t, []byte(doc))
			}
		}
	}
}

// TestSurelyIsSure counts the documents of which the quick path is not sure though they are as programs write them, so that
// it cannot fall out of use without a sound.
func TestSurelyIsSure(t *testing.T) {
	all := quicks()
	for _, q := range all[:5] {
		docs := contractstest.ValidDocuments(contracts.Kind(strings.ToLower(q.name)))
		stored := os.DirFS(corpus)
		for _, name := range documents(t, stored, "v2/"+strings.ToLower(q.name)+"/valid") {
			doc, err := os.ReadFile(corpus + "/" + name + ".json") //nolint:gosec // a file of the corpus
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(name, "spelled-differently") {
				docs = append(docs, doc)
			}
		}
		for _, doc := range docs {
			if sure, valid := q.agree(t, doc); !sure || !valid {
				t.Errorf("%s: sure %t, valid %t: %s", q.name, sure, valid, doc)
			}
		}
		t.Logf("%s: sure of all %d", q.name, len(docs))
	}
	for name, body := range engineBodies() {
		if _, sure := contracts.SurelyEngineEvents([]byte(body)); !sure {
			t.Errorf("not sure of %s", name)
		}
	}
}

// engineBodies are batches in all forms.
func engineBodies() map[string]string {
	return map[string]string{
		"lines":                  strings.Join(goodLines, "\n") + "\n",
		"lines without the last": strings.Join(goodLines, "\n"),
		"blank lines":            "\n \r\n" + strings.Join(goodLines, "\r\n\n"),
		"array":                  " [" + strings.Join(goodLines, " , ") + "]\n",
		"a thousand lines":       strings.Repeat(goodLines[1]+"\n", contracts.MaxBatchEvents),
		"an array of a thousand": "[" + strings.Repeat(goodLines[1]+",", contracts.MaxBatchEvents-1) + goodLines[1] + "]",
	}
}

// TestSurelyAgreesOnBatches asks both about batches in which some lines are not as they should be.
func TestSurelyAgreesOnBatches(t *testing.T) {
	q := quicks()[5]
	random := rand.New(rand.NewPCG(25, 7)) //nolint:gosec // a fixed seed, so that a failure comes back
	lines := engineLines()
	m := contractstest.NewMutator(random, lines)
	total, sure := mutants/4, 0
	if testing.Short() || slow {
		total /= 20
	}
	for range total {
		batch := make([][]byte, 1+random.IntN(5))
		for i := range batch {
			if batch[i] = pick(random, lines); random.IntN(10) == 0 {
				batch[i] = m.Document()
			}
		}
		body := bytes.Join(batch, []byte(pick(random, []string{"\n", "\r\n", "\n\n", "\n \t\n", " "})))
		if random.IntN(2) == 0 {
			body = slices.Concat([]byte("["), bytes.Join(batch, []byte(" ,")), []byte("]"))
		}
		if random.IntN(10) == 0 {
			body = contractstest.Damage(random, body)
		}
		if s, _ := q.agree(t, body); s {
			sure++
		}
	}
	t.Logf("sure of %d of %d", sure, total)
	for name, body := range engineBodies() {
		if s, valid := q.agree(t, []byte(body)); !s || !valid {
			t.Errorf("%s: sure %t, valid %t", name, s, valid)
		}
	}
	for _, body := range []string{
		strings.Repeat(goodLines[1]+"\n", contracts.MaxBatchEvents+1),
		"[" + strings.Repeat(goodLines[1]+",", contracts.MaxBatchEvents) + goodLines[1] + "]",
		"[" + goodLines[1] + "," + engineLine("token", `{"id":"m","delta":"`+strings.Repeat("x", contracts.MaxDocumentBytes)+`"}`) + "]",
		engineLine("token", `{"id":"m","delta":"`+strings.Repeat("x", contracts.MaxDocumentBytes)+`"}`),
		"[" + engineLine("tool_start", `{"call_id":"c","tool":"a","args":`+strings.Repeat("[", 30)+strings.Repeat("]", 30)+`}`) + "]",
		"[" + engineLine("tool_start", `{"call_id":"c","tool":"a","args":`+strings.Repeat("[", 29)+strings.Repeat("]", 29)+`}`) + "]",
		engineLine("tool_start", `{"call_id":"c","tool":"a","args":`+strings.Repeat("[", 30)+strings.Repeat("]", 30)+`}`),
		engineLine("tool_start", `{"call_id":"c","tool":"a","args":`+strings.Repeat("[", 31)+strings.Repeat("]", 31)+`}`),
	} {
		q.agree(t, []byte(body))
	}
}

// pick returns one of a list.
func pick[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }

// fuzzQuick holds the two paths against each other over whatever the fuzzer thinks of.
func fuzzQuick(f *testing.F, which int) {
	f.Helper()
	q := quicks()[which]
	for _, seed := range q.seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, doc []byte) { q.agree(t, doc) })
}

func FuzzSurelyTaskSpec(f *testing.F)       { fuzzQuick(f, 0) }
func FuzzSurelyBudget(f *testing.F)         { fuzzQuick(f, 1) }
func FuzzSurelyVerifyContract(f *testing.F) { fuzzQuick(f, 2) }
func FuzzSurelyToolSpec(f *testing.F)       { fuzzQuick(f, 3) }
func FuzzSurelyRunEvent(f *testing.F)       { fuzzQuick(f, 4) }
func FuzzSurelyEngineEvents(f *testing.F)   { fuzzQuick(f, 5) }
