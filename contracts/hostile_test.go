package contracts_test

import (
	"errors"
	"fmt"
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
		"a long key":                     task(`"` + strings.Repeat("k", size) + `":0`),
		"an escaped key":                 task(`"` + strings.Repeat(`\u0000`, size/6) + `":0`),
		"a long pattern":                 assertion(`"type":"matches","value":"` + strings.Repeat("(a{9}", 800) + strings.Repeat("){9}", 800) + `"`),
		"a schema of references":         tool(`"input_schema":` + schema),
	}
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

func BenchmarkHostile(b *testing.B) {
	for name, doc := range hostile() {
		kind, bytes := kindOf(doc), []byte(doc)
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				_ = contracts.Validate(kind, bytes)
			}
		})
	}
}
