package contracts_test

import (
	"bytes"
	"cmp"
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
	v1 "axiom25/contracts/v1"
)

// mutants is how many documents of each contract the validator and the schema are asked about.
const mutants = 20_000

// edition is a contract in one of its versions.
type edition struct {
	kind    contracts.Kind
	version int
}

// String names it as problems do.
func (e edition) String() string { return fmt.Sprintf("%s/v%d", e.kind, e.version) }

// editions returns the contracts in every version that is read.
func editions() []edition {
	var list []edition
	for _, kind := range contracts.Kinds() {
		for _, version := range contracts.SchemaVersions(kind) {
			list = append(list, edition{kind, version})
		}
	}
	return list
}

// rows are documents of this edition and what is wrong with them.
func (e edition) rows() []row {
	if e.version == v1.Version {
		return rowsOfV1[e.kind]
	}
	return rows[string(e.kind)]
}

// broken are the documents of the rows and, of an older version, those of the current rows that name that version: most
// of their rules are the same.
func (e edition) broken() [][]byte {
	var docs [][]byte
	for _, r := range e.rows() {
		docs = append(docs, []byte(r.doc))
	}
	if e.version == contracts.Version {
		return docs
	}
	current, sent := fmt.Sprintf(`"schema_version":%d`, contracts.Version), fmt.Sprintf(`"schema_version":%d`, e.version)
	for _, r := range rows[string(e.kind)] {
		docs = append(docs, []byte(strings.ReplaceAll(r.doc, current, sent)))
	}
	return docs
}

// oracle is a published validator over the schema of a contract.
type oracle struct {
	edition
	schema *jsonschema.Schema
	unsaid map[contracts.Code]bool
	codes  map[contracts.Code]bool
}

// oracleOf compiles the schema of a contract.
func oracleOf(tb testing.TB, e edition) *oracle {
	tb.Helper()
	return oracleWith(tb, e, schemaOf(tb, e))
}

// schemaOf returns the schema of a contract as a document.
func schemaOf(tb testing.TB, e edition) any {
	tb.Helper()
	raw, err := contracts.JSONSchemaIn(e.kind, e.version)
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
func oracleWith(tb testing.TB, e edition, doc any) *oracle {
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
	o := &oracle{edition: e, schema: schema, unsaid: make(map[contracts.Code]bool), codes: make(map[contracts.Code]bool)}
	for _, r := range contracts.UnsaidRules() {
		o.unsaid[r.Code] = true
	}
	list, err := contracts.CodesIn(e.kind, e.version)
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

// ofAnotherVersion reports whether a document names another version than the schema's: each version has its own. One that
// names its version twice may be read in the other.
func (d document) ofAnotherVersion(schemas int) bool {
	root, _ := d.value.(map[string]any)
	n, named := root["schema_version"].(json.Number)
	version, isInteger := contracts.ParseInteger([]byte(n))
	return named && isInteger && version != int64(schemas)
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
func seedsOf(e edition) [][]byte {
	var seeds [][]byte
	for _, r := range e.rows() {
		if len(r.want) == 0 && len(r.doc) < 4_000 {
			seeds = append(seeds, []byte(r.doc))
		}
	}
	if e.version == contracts.Version {
		return append(seeds, contractstest.ValidDocuments(e.kind)...)
	}
	for doc := range documentsOfV1(e.kind, 200) {
		if len(doc) < 4_000 {
			seeds = append(seeds, doc)
		}
	}
	return seeds
}

// ask holds a document against both.
func (o *oracle) ask(d document) verdict {
	refusal := o.refusal(d)
	if d.ofAnotherVersion(o.version) {
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
	if p.Has(contracts.ProblemInvalidDocument) && p.Schema != o.String() {
		return o.readElsewhere(p, refusal)
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

// readElsewhere is ask for a document that was held against another version, because it names none or first that one.
func (o *oracle) readElsewhere(p *contracts.Problem, refusal error) verdict {
	twice := slices.ContainsFunc(p.Errors, func(e contracts.FieldError) bool { return e.Code == contracts.CodeDuplicateKey })
	if refusal == nil && !twice {
		return verdict{disagreement: "the schema takes a document of " + p.Schema}
	}
	return verdict{}
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
	for _, e := range editions() {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			o, seeds := oracleOf(t, e), seedsOf(e)
			for _, seed := range seeds {
				if v := o.ask(read(seed)); !v.valid || v.disagreement != "" {
					t.Fatalf("%s: %+v: %v", seed, v, contracts.Validate(e.kind, seed))
				}
			}
			total := mutants
			if testing.Short() || slow {
				total = mutants / 20
			}
			random := rand.New(rand.NewPCG(25, uint64(len(e.kind)))) //nolint:gosec // a fixed seed, so that a failure comes back
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
	for _, e := range editions() {
		o := oracleOf(t, e)
		for _, doc := range e.broken() {
			if v := o.ask(read(doc)); v.disagreement != "" {
				t.Errorf("%s: %.400s: %s", e, doc, v.disagreement)
			}
		}
	}
}

// TestEachRuleBetweenFieldsIsMissed takes the rules between fields out of the schemas, one at a time, and expects a row
// to show it: so no rule is said in vain, and none of its rows is blind.
func TestEachRuleBetweenFieldsIsMissed(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	list := editions()
	slices.SortStableFunc(list, func(a, b edition) int { // a task holds others, whose own rows show their rules
		return cmp.Compare(holdsOthers(a.kind), holdsOthers(b.kind))
	})
	for _, e := range list {
		root := member(schemaOf(t, e))
		structs := maps.Clone(member(root["$defs"]))
		if structs == nil {
			structs = make(map[string]any)
		}
		structs[fmt.Sprint(root["title"])] = root
		for _, name := range slices.Sorted(maps.Keys(structs)) {
			defined := fmt.Sprintf("v%d %s", e.version, name)
			if seen[defined] {
				continue
			}
			seen[defined] = true
			rules, _ := member(structs[name])["allOf"].([]any)
			for i := range rules {
				rule := rules[i]
				rules[i] = true
				o := oracleWith(t, e, root)
				if !slices.ContainsFunc(e.broken(), func(doc []byte) bool { return o.ask(read(doc)).disagreement != "" }) {
					t.Errorf("%s: no row misses %s", name, contractstest.Document(rule))
				}
				rules[i] = rule
			}
		}
	}
}

// holdsOthers is 1 for the contract that embeds others.
func holdsOthers(kind contracts.Kind) int {
	if kind == contracts.KindTaskSpec {
		return 1
	}
	return 0
}

// member returns an object of a schema.
func member(v any) map[string]any {
	object, _ := v.(map[string]any)
	return object
}

// FuzzSchemasAgree is TestSchemasAgree over whatever the fuzzer thinks of.
func FuzzSchemasAgree(f *testing.F) {
	var oracles []*oracle
	for i, e := range editions() {
		oracles = append(oracles, oracleOf(f, e))
		for _, seed := range seedsOf(e) {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, doc []byte) {
		o := oracles[int(which)%len(oracles)]
		if v := o.ask(read(doc)); v.disagreement != "" {
			t.Errorf("%s: %s: %s", o, doc, v.disagreement)
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
