package contracts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// mutants is how many documents of each contract the validator and the schema are asked about.
const mutants = 20_000

// oracle is a published validator over the schema of a contract.
type oracle struct {
	kind   contracts.Kind
	schema *jsonschema.Schema
	unsaid map[contracts.Code]bool
	codes  map[contracts.Code]bool
}

// oracleOf compiles the schema of a contract.
func oracleOf(tb testing.TB, kind contracts.Kind) *oracle {
	tb.Helper()
	return oracleWith(tb, kind, schemaOf(tb, kind))
}

// schemaOf returns the schema of a contract as a document.
func schemaOf(tb testing.TB, kind contracts.Kind) any {
	tb.Helper()
	raw, err := contracts.JSONSchema(kind)
	if err != nil {
		tb.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		tb.Fatal(err)
	}
	return doc
}

// oracleWith compiles a schema as that of a contract.
func oracleWith(tb testing.TB, kind contracts.Kind, doc any) *oracle {
	tb.Helper()
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(ecmaRegexp)
	const address = "https://axiom25.example/"
	if err := c.AddResource(address, doc); err != nil {
		tb.Fatal(err)
	}
	schema, err := c.Compile(address)
	if err != nil {
		tb.Fatal(err)
	}
	o := &oracle{kind: kind, schema: schema, unsaid: make(map[contracts.Code]bool), codes: make(map[contracts.Code]bool)}
	for _, r := range contracts.UnsaidRules() {
		o.unsaid[r.Code] = true
	}
	list, err := contracts.CodesOf(kind)
	if err != nil {
		tb.Fatal(err)
	}
	for _, info := range list {
		o.codes[info.Code] = true
	}
	return o
}

// ecmaRegexp compiles an expression of ECMA-262 that differs from RE2 in its escapes for characters only.
func ecmaRegexp(expression string) (jsonschema.Regexp, error) {
	return regexp.Compile(regexp.MustCompile(`\\u([0-9A-F]{4})`).ReplaceAllString(expression, `\x{$1}`))
}

// document is one that both are asked about.
type document struct {
	raw []byte
	// value is what a schema looks at; err says why there is none.
	value any
	err   error
}

// hugeExponent is what costs a schema validator that computes with fractions gigabytes.
var hugeExponent = regexp.MustCompile(`[eE][+-]?[0-9]{4,}`)

// errHuge keeps such a document from the schema.
var errHuge = errors.New("a number with a huge exponent")

// read returns a document as both look at it.
func read(raw []byte) document {
	if hugeExponent.Match(raw) {
		return document{raw: raw, err: errHuge}
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	return document{raw: raw, value: v, err: err}
}

// ofAnotherVersion reports whether a document names another version than the schema's: each version has its own.
func (d document) ofAnotherVersion() bool {
	root, _ := d.value.(map[string]any)
	n, named := root["schema_version"].(json.Number)
	version, isInteger := contracts.ParseInteger([]byte(n))
	return named && isInteger && version != contracts.Version
}

// refusal returns what the schema has against a document. What is not JSON it never sees.
func (o *oracle) refusal(d document) error {
	if d.err != nil {
		return d.err
	}
	return o.schema.Validate(d.value)
}

// verdict is what both say of a document.
type verdict struct {
	valid bool
	// unsaid are the codes of a document that breaks only rules which a schema cannot say.
	unsaid []contracts.Code
	// disagreement says how the two differ.
	disagreement string
}

// slow is where the schema validator is several times slower than elsewhere: there a twentieth of the mutants has to
// do. make test asks about all of them natively.
const slow = raceDetector || runtime.GOARCH == "wasm"

// seedsOf returns valid documents of a contract that between them have every field.
func seedsOf(kind contracts.Kind) [][]byte {
	var seeds [][]byte
	for _, r := range rows[string(kind)] {
		if len(r.want) == 0 && len(r.doc) < 4_000 {
			seeds = append(seeds, []byte(r.doc))
		}
	}
	return append(seeds, contractstest.ValidDocuments(kind)...)
}

// ask holds a document against both.
func (o *oracle) ask(d document) verdict {
	refusal := o.refusal(d)
	if d.ofAnotherVersion() {
		if refusal == nil {
			return verdict{disagreement: "the schema takes another version"}
		}
		return verdict{}
	}
	var p *contracts.Problem
	err := contracts.Validate(o.kind, d.raw)
	if err == nil {
		v := verdict{valid: true}
		if refusal != nil && !errors.Is(refusal, errHuge) {
			v.disagreement = fmt.Sprintf("valid, but the schema says: %v", refusal)
		}
		return v
	}
	if !errors.As(err, &p) {
		return verdict{disagreement: err.Error()}
	}
	v := verdict{unsaid: o.onlyUnsaid(p)}
	for _, e := range p.Errors {
		if !o.codes[e.Code] {
			v.disagreement = fmt.Sprintf("CodesOf lacks %s", e.Code)
		}
	}
	if refusal == nil && v.unsaid == nil {
		v.disagreement = "the schema takes what is refused: " + string(contractstest.Document(p.Errors))
	}
	if o.kind == contracts.KindRunEvent && refusal != nil && v.disagreement == "" {
		v.disagreement = readerTakes(d, refusal)
	}
	return v
}

// readerTakes says that DecodeEvent, which ignores what it does not know, takes an event that the schema refuses.
func readerTakes(d document, refusal error) string {
	ev, err := contracts.DecodeEvent(d.raw)
	if _, unknown := ev.Data.(contracts.UnknownData); err != nil || unknown || errors.Is(refusal, errHuge) {
		return ""
	}
	return fmt.Sprintf("a reader takes it, but the schema says: %v", refusal)
}

// onlyUnsaid returns the codes of a problem if each is of a rule that the schema cannot say, else nil.
func (o *oracle) onlyUnsaid(p *contracts.Problem) []contracts.Code {
	codes := make(map[contracts.Code]bool)
	for _, e := range p.Errors {
		if !o.unsaid[e.Code] || o.saysAllTheSame(e) {
			return nil
		}
		codes[e.Code] = true
	}
	return slices.Sorted(maps.Keys(codes))
}

// saysAllTheSame looks closer at the codes of rules that a schema says in part.
func (o *oracle) saysAllTheSame(e contracts.FieldError) bool {
	if e.Code == contracts.CodeUnknownField {
		return o.kind != contracts.KindRunEvent
	}
	if e.Code == contracts.CodeUnique { // whole elements: the pointer ends in an index, not in a member
		_, err := strconv.Atoi(e.Pointer[strings.LastIndexByte(e.Pointer, '/')+1:])
		return err == nil
	}
	// Whatever else is wrong in a schema, the meta-schema says it.
	keyword := fmt.Sprint(e.Params["keyword"])
	return e.Code == contracts.CodeSchemaInvalid && keyword != "$ref" && keyword != "$dynamicRef" && keyword != "$schema"
}

// TestSchemasAgree asks the validator and the published schema about thousands of documents of each contract that are
// a few changes away from a valid one.
func TestSchemasAgree(t *testing.T) {
	t.Parallel()
	for _, kind := range contracts.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			o, seeds := oracleOf(t, kind), seedsOf(kind)
			for _, seed := range seeds {
				if v := o.ask(read(seed)); !v.valid || v.disagreement != "" {
					t.Fatalf("%s: %+v: %v", seed, v, contracts.Validate(kind, seed))
				}
			}
			total := mutants
			if testing.Short() || slow {
				total = mutants / 20
			}
			random := rand.New(rand.NewPCG(25, uint64(len(kind)))) //nolint:gosec // a fixed seed, so that a failure comes back
			m := contractstest.NewMutator(random, seeds)
			valid, refused, disagreements, only := 0, 0, 0, make(map[contracts.Code]int)
			for range total {
				doc := m.Document()
				v := o.ask(read(doc))
				if v.disagreement != "" {
					if disagreements++; disagreements <= 10 {
						t.Errorf("%s: %s", doc, v.disagreement)
					}
				}
				switch {
				case v.valid:
					valid++
				case v.unsaid == nil:
					refused++
				}
				for _, code := range v.unsaid {
					only[code]++
				}
			}
			t.Logf("%d documents: %d valid, %d refused by both, %d disagreements", total, valid, refused, disagreements)
			for _, code := range slices.Sorted(maps.Keys(only)) {
				t.Logf("  %5d break only what a schema cannot say: %s", only[code], code)
			}
			if valid < total/20 || refused < total/20 {
				t.Errorf("%d valid and %d refused of %d: the mutations are one-sided", valid, refused, total)
			}
		})
	}
}

// TestSchemasAgreeOnTheRows asks both about the documents of the decoder's tables, which break each rule on its own.
func TestSchemasAgreeOnTheRows(t *testing.T) {
	t.Parallel()
	for _, kind := range contracts.Kinds() {
		o := oracleOf(t, kind)
		for _, r := range rows[string(kind)] {
			if v := o.ask(read([]byte(r.doc))); v.disagreement != "" {
				t.Errorf("%s: %s: %.400s: %s", kind, r.name, r.doc, v.disagreement)
			}
		}
	}
}

// TestEachRuleBetweenFieldsIsMissed takes the rules between fields out of the schemas, one at a time, and expects a row
// to show it: so no rule is said in vain, and none of its rows is blind.
func TestEachRuleBetweenFieldsIsMissed(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, kind := range []contracts.Kind{
		contracts.KindVerifyContract, contracts.KindToolSpec, contracts.KindBudget, contracts.KindRunEvent, contracts.KindTaskSpec,
	} {
		root := member(schemaOf(t, kind))
		structs := maps.Clone(member(root["$defs"]))
		if structs == nil {
			structs = make(map[string]any)
		}
		structs[fmt.Sprint(root["title"])] = root
		for _, name := range slices.Sorted(maps.Keys(structs)) {
			if seen[name] {
				continue
			}
			seen[name] = true
			rules, _ := member(structs[name])["allOf"].([]any)
			for i := range rules {
				rule := rules[i]
				rules[i] = true
				o := oracleWith(t, kind, root)
				if !slices.ContainsFunc(rows[string(kind)], func(r row) bool { return o.ask(read([]byte(r.doc))).disagreement != "" }) {
					t.Errorf("%s: no row misses %s", name, contractstest.Document(rule))
				}
				rules[i] = rule
			}
		}
	}
}

// member returns an object of a schema.
func member(v any) map[string]any {
	object, _ := v.(map[string]any)
	return object
}

// FuzzSchemasAgree is TestSchemasAgree over whatever the fuzzer thinks of.
func FuzzSchemasAgree(f *testing.F) {
	var oracles []*oracle
	for i, kind := range contracts.Kinds() {
		oracles = append(oracles, oracleOf(f, kind))
		for _, seed := range seedsOf(kind) {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, doc []byte) {
		o := oracles[int(which)%len(oracles)]
		if v := o.ask(read(doc)); v.disagreement != "" {
			t.Errorf("%s: %s: %s", o.kind, doc, v.disagreement)
		}
	})
}

// TestUnsaidRules prints the closed list.
func TestUnsaidRules(t *testing.T) {
	known := make(map[contracts.Code]bool)
	for _, info := range contracts.Codes() {
		known[info.Code] = true
	}
	for _, r := range contracts.UnsaidRules() {
		t.Logf("%-24s %s", r.Code, r.Why)
		if !known[r.Code] || r.Why == "" {
			t.Errorf("%+v: no such code, or no reason", r)
		}
		delete(known, r.Code) // each once
	}
}
