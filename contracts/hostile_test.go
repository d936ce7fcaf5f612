package contracts_test

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"axiom25/contracts"
)

// hostile documents are as large as they may be, and made to be dear: what they cost must follow from their size, and
// not from its square or from what they claim.
func hostile() map[string]string {
	const size = 1<<20 - 200
	fill := func(part string) string { return strings.TrimSuffix(strings.Repeat(part, size/len(part)), ",") }
	keys := func() string {
		var b strings.Builder
		for i := 0; b.Len() < size-20; i++ {
			fmt.Fprintf(&b, `"k%d":0,`, i)
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	var chain strings.Builder
	for i := range 900 {
		fmt.Fprintf(&chain, `"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	schema := `{"type":"object","$defs":{` + chain.String()[:30_000]
	schema = schema[:strings.LastIndex(schema, `,"d`)] + `}}`
	return map[string]string{
		"empty objects":                  task(`"inputs":[` + fill(`{},`) + `]`),
		"nulls":                          task(`"inputs":[` + fill(`null,`) + `]`),
		"bad keys":                       task(keys()),
		"the same key":                   task(fill(`"x":0,`)),
		"duplicate keys":                 task(fill(`"profile":0,`)),
		"labels":                         task(`"labels":{` + keys() + `}`),
		"duplicate labels":               task(`"labels":{` + fill(`"a":"b",`) + `}`),
		"duplicates in free JSON":        task(`"inputs":[{"name":"a","data":{` + fill(`"x":0,`) + `}}]`),
		"members of free JSON":           task(`"inputs":[{"name":"a","data":{` + keys() + `,"k0":1}}]`),
		"brackets":                       strings.Repeat("[", size),
		"nested objects":                 strings.Repeat(`{"a":`, size/5),
		"a long number":                  task(`"budget":{"max_tokens":` + strings.Repeat("9", size) + `}`),
		"a long fraction":                assertion(`"type":"equals","value":0.` + strings.Repeat("3", size)),
		"long numbers":                   task(`"inputs":[{"name":"a","data":[` + fill(strings.Repeat("7", 300)+",") + `]}]`),
		"numbers that need a close look": task(`"inputs":[{"name":"a","data":[` + fill(`9223372036854775808,36893488147419103232,`) + `]}]`),
		"exponents":                      task(`"inputs":[{"name":"a","data":[` + fill(`1e999999999999999999999,`) + `]}]`),
		"numbers of seventeen digits":    task(`"inputs":[{"name":"a","data":[` + fill(`0.30000000000000004,`) + `,1e400]}]`),
		"long fractions":                 task(`"inputs":[{"name":"a","data":[` + fill(`0.1`+strings.Repeat("3", 760)+"125,") + `]}]`),
		"small fractions":                task(`"inputs":[{"name":"a","data":[` + fill(`1234567890123456785e-340,`) + `]}]`),
		"large exponents":                task(`"inputs":[{"name":"a","data":[` + fill(`123456789012345678e290,`) + `]}]`),
		"exact doubles in full":          task(`"inputs":[{"name":"a","data":[` + fill(exactDouble()+",") + `,1e400]}]`),
		"integers at the edge":           task(`"inputs":[{"name":"a","data":[` + fill(`9007199254740993,`) + `]}]`),
		"integers of forty digits":       task(`"inputs":[{"name":"a","data":[` + fill(`1267650600228229401496703205376000000000,`) + `,1e400]}]`),
		"a long escaped text":            task(`"labels":{"a":"` + strings.Repeat(`\u00e9`, size/6) + `"}`),
		"a long text of bad escapes":     task(`"labels":{"a":"` + strings.Repeat(`\ud800`, size/6) + `"}`),
		"problems":                       task(`"labels":{` + fill(`"a b":1,"c":[],"d":{},`) + `}`),
		"problems in elements":           `{"schema_version":2,"assertions":[` + fill(`{"id":"-","type":"x","weight":0},`) + `]}`,
		"problems at once":               task(`"backend":{"prefer":[` + fill(`"",`) + `],"needs":[` + `"x","y"` + `]}`),
		"duplicates at all levels":       task(`"inputs":[{"name":"a","data":` + duplicates(size) + `}]`),
		"duplicate inputs":               task(`"inputs":[` + fill(`{"name":"a","data":{"b":0}},`) + `]`),
		"many large objects":             task(`"inputs":[{"name":"a","data":[` + fill(`{`+numbered(40)+`},`) + `,{"a":0,"a":1}]}]`),
		"names with escapes":             task(`"inputs":[{"name":"a","data":{` + escapedMembers(size) + `,"k\u00300":1}}]`),
		"nested free JSON":               task(`"inputs":[{"name":"a","data":[` + fill(strings.Repeat("[", 27)+strings.Repeat("]", 27)+",") + `,1e400]}]`),
		"white space":                    task(`"inputs":` + strings.Repeat(" ", size) + `0`),
		"large schemas":                  schemas(size, schema),
		"long patterns":                  patterns(size),
		"a long key":                     task(`"` + strings.Repeat("k", size) + `":0`),
		"an escaped key":                 task(`"` + strings.Repeat(`\u0000`, size/6) + `":0`),
		"a long pattern":                 assertion(`"type":"matches","value":"` + strings.Repeat("(a{9}", 800) + strings.Repeat("){9}", 800) + `"`),
		"a schema of references":         tool(`"input_schema":` + schema),
	}
}

// exactDouble is the smallest normal double, written in full.
func exactDouble() string {
	text := new(big.Float).SetMantExp(big.NewFloat(1), -1022).Text('f', 1074)
	return strings.TrimRight(text, "0")
}

// numbered returns n members of an object.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"k%d":0,`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// escapedMembers are members whose names have escapes.
func escapedMembers(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size-40; i++ {
		fmt.Fprintf(&b, `"k\u%04x%d":0,`, 0x30+i%10, i/10)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// duplicates are objects in objects, each with a name twice.
func duplicates(size int) string {
	const levels = 28
	var b strings.Builder
	b.WriteString("[")
	for b.Len() < size-levels*20 {
		b.WriteString(strings.Repeat(`{"a":0,"a":1,"b":`, levels) + "0" + strings.Repeat("}", levels) + ",")
	}
	return strings.TrimSuffix(b.String(), ",") + "]"
}

// schemas is a contract of as many assertions with large schemas as there may be.
func schemas(size int, schema string) string {
	var list []string
	for i := 0; i < 64 && (i+1)*(len(schema)+60) < size; i++ {
		list = append(list, fmt.Sprintf(`{"id":"a%d","type":"json_schema","value":%s}`, i, schema))
	}
	return `{"schema_version":2,"assertions":[` + strings.Join(list, ",") + `],"x":0}`
}

// patterns is a contract of as many assertions with large patterns as there may be.
func patterns(size int) string {
	var list []string
	for i := range 64 {
		list = append(list, fmt.Sprintf(`{"id":"a%d","type":"matches","value":"%s"}`, i, strings.Repeat("[a-z]{9}", size/64/8-8)))
	}
	return `{"schema_version":2,"assertions":[` + strings.Join(list, ",") + `],"x":0}`
}

func TestHostileDocumentsAreRefused(t *testing.T) {
	for name, doc := range hostile() {
		t.Run(name, func(t *testing.T) {
			if len(doc) > contracts.MaxDocumentBytes {
				t.Fatalf("the document has %d bytes: its size alone would be refused", len(doc))
			}
			err := contracts.Validate(kindOf(doc), []byte(doc))
			if name == "numbers that need a close look" {
				if err != nil {
					t.Errorf("powers of two are exact: %v", err)
				}
				return
			}
			var p *contracts.Problem
			if !errors.As(err, &p) {
				t.Fatalf("got %v", err)
			}
			if n := len(p.Errors); n == 0 || n > contracts.MaxFieldErrors {
				t.Errorf("%d errors", n)
			}
			for _, e := range p.Errors {
				if len(e.Pointer) > 4096 {
					t.Errorf("a pointer of %d bytes", len(e.Pointer))
				}
			}
		})
	}
}

func TestProblemIsCut(t *testing.T) {
	var keys []string
	for i := range 100 {
		keys = append(keys, fmt.Sprintf(`"k%03d":0`, i))
	}
	for n, more := range map[int]bool{100: false, 101: true} {
		all := strings.Join(append(keys, `"k100":0`)[:n], ",")
		_, err := contracts.Decode[contracts.TaskSpec]([]byte(task(all)))
		var p *contracts.Problem
		if !errors.As(err, &p) || len(p.Errors) != 100 || p.Truncated == nil || *p.Truncated != more {
			t.Errorf("%d problems: got %d, truncated %v", n, len(p.Errors), *p.Truncated)
		}
	}
}

// kindOf tells which contract a hostile document is for.
func kindOf(doc string) contracts.Kind {
	switch {
	case strings.HasPrefix(doc, `{"schema_version":2,"assertions"`):
		return contracts.KindVerifyContract
	case strings.HasPrefix(doc, `{"schema_version":2,"name"`):
		return contracts.KindToolSpec
	}
	return contracts.KindTaskSpec
}

// BenchmarkHostile reads each of the hostile documents, which have 1 MiB at most.
func BenchmarkHostile(b *testing.B) {
	for name, doc := range hostile() {
		kind, bytes := kindOf(doc), []byte(doc)
		measure(b, strings.ReplaceAll(name, " ", "_"), len(doc), func() error {
			_ = contracts.Validate(kind, bytes)
			return nil
		})
	}
}

// hostileBatches are what an engine could report to be dear: up to 4 MiB, so that they may take four times as long as a
// document.
func hostileBatches() map[string]string {
	const size = 4<<20 - 200
	lines := func(line string) string {
		return strings.Repeat(line+"\n", min(size/(len(line)+1), contracts.MaxBatchEvents))
	}
	args := func(json string) string {
		return engineLine("tool_start", `{"call_id":"c","tool":"a","args":`+json+`}`)
	}
	return map[string]string{
		"empty objects in lines":    strings.Repeat("{}\n", size/3),
		"a thousand empty objects":  lines("{}"),
		"empty objects in an array": "[" + strings.Repeat("{},", size/3) + "{}]",
		"bad keys in lines":         lines(`{` + numbered(400) + `}`),
		"bad keys in bodies":        lines(engineLine("token", `{`+numbered(400)+`}`)),
		"members with a duplicate":  lines(args(`{` + numbered(400) + `,"k0":1}`)),
		"brackets":                  strings.Repeat("[", size),
		"deep lines":                lines(strings.Repeat(`{"a":`, 800)),
		"long numbers":              lines(args(strings.Repeat("7", 4000))),
		"numbers":                   lines(args("[" + strings.Repeat("0.30000000000000004,", 200) + "1e400]")),
		"blank lines":               strings.Repeat("\n", size),
		"long escapes":              lines(engineLine("token", `{"id":"m","attempt":0,"delta":"`+strings.Repeat(`\u00e9`, 650)+`"}`)),
	}
}

func TestHostileBatchesAreRefused(t *testing.T) {
	for name, body := range hostileBatches() {
		_, err := contracts.DecodeEngineEvents([]byte(body))
		var p *contracts.Problem
		if !errors.As(err, &p) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if n := len(p.Errors); n == 0 || n > contracts.MaxFieldErrors {
			t.Errorf("%s: %d errors", name, n)
		}
	}
}

// BenchmarkHostileBatch reads each of the hostile batches, which have 4 MiB at most.
func BenchmarkHostileBatch(b *testing.B) {
	for name, body := range hostileBatches() {
		measure(b, strings.ReplaceAll(name, " ", "_"), len(body), func() error {
			_, _ = contracts.DecodeEngineEvents([]byte(body))
			return nil
		})
	}
}
