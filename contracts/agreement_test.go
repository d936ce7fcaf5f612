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
	switch kind {
	case contracts.KindTaskSpec:
		for _, run := range contractstest.Runs() {
			seeds = append(seeds, contractstest.Document(run.Task))
		}
	case contracts.KindBudget:
	case contracts.KindVerifyContract:
		seeds = append(seeds, contractstest.Document(contractstest.VerifyContract(func(c *contracts.VerifyContract) {
			c.SchemaVersion = contracts.Version
		})))
	case contracts.KindToolSpec:
		seeds = append(seeds, contractstest.Document(contractstest.ToolSpec()), contractstest.Document(contractstest.EngineTool("publish")))
	case contracts.KindRunEvent:
		for _, run := range contractstest.Runs() {
			for _, ev := range run.Events {
				seeds = append(seeds, contractstest.Document(ev))
			}
		}
	}
	for _, doc := range richDocuments[kind] {
		seeds = append(seeds, []byte(doc))
	}
	return seeds
}

// richDocuments are valid and have the fields that are rare elsewhere.
var richDocuments = map[contracts.Kind][]string{
	contracts.KindTaskSpec: {
		`{"schema_version":2,"goal":"a","inputs":[{"name":"t","text":"x","media_type":"text/plain; charset=utf-8","sensitive":true},` +
			`{"name":"u","uri":"https://example.com/a","digest":"sha256:` + strings.Repeat("0a", 32) + `"},{"name":"d","data":null}],` +
			`"allowed_tools":["a","b@1.0.0"],"backend":{"prefer":["local","x"],"fallback":"any","needs":["tools","vision"],"seed":7},` +
			`"profile":"max","budget":{"schema_version":2,"max_tokens":5000,"max_wall_ms":4000,"max_active_ms":3000,"branch_width":2,` +
			`"reflection_passes":1,"max_tool_calls":3,"max_cost_microusd":0,"warn_pct":50,"on_exhausted":"finalize","reserve_tokens":10},` +
			`"verification":{"scorers":[{"id":"s","type":"exact","reference":"42"}]},"labels":{"team":"a","x.y":""}}`,
		`{"schema_version":2,"goal":"a","profile":"tight","budget":{"on_exhausted":"finalize","reserve_tokens":10}}`,
		`{"schema_version":2,"goal":"a","allowed_tools":["a"],"verification":{"schema_version":2,"assertions":[` +
			`{"id":"a","type":"tool_called","target":"tool:a"},{"id":"b","type":"tool_sequence","value":["a"]}]}}`,
	},
	contracts.KindBudget: {
		`{"schema_version":2}`,
		`{"schema_version":2,"max_tokens":5000,"max_wall_ms":4000,"max_active_ms":3000,"branch_width":2,"reflection_passes":1,` +
			`"max_tool_calls":3,"max_cost_microusd":0,"warn_pct":50,"on_exhausted":"finalize","reserve_tokens":10}`,
		`{"schema_version":2,"on_exhausted":"stop","max_tokens":1}`,
		`{"schema_version":2,"max_active_ms":2000,"reserve_tokens":0}`,
	},
	contracts.KindVerifyContract: {
		`{"schema_version":2,"assertions":[{"id":"a","type":"equals","value":null,"negate":true,"severity":"should","weight":3},` +
			`{"id":"b","type":"contains","target":"tool:t@1.0.0#/rows/0","value":"x"},{"id":"c","type":"matches","value":"^a+$"},` +
			`{"id":"d","type":"json_schema","value":{"type":"object","properties":{"a":{"$ref":"#/$defs/b"}},"$defs":{"b":{"minimum":1,"pattern":"^x$"}}}},` +
			`{"id":"e","type":"length","value":{"min":1,"max":5}},{"id":"f","type":"tool_called","target":"tool:t#","value":{"min":1}},` +
			`{"id":"g","type":"tool_sequence","value":["t","t@1.0.0"]},{"id":"h","type":"usage_max","target":"usage#/tokens_out","value":{"limit":10.5}}]}`,
		`{"schema_version":2,"scorers":[{"id":"a","type":"exact","reference":""},{"id":"b","type":"similarity","reference":"x","floor":0.5},` +
			`{"id":"c","type":"rubric","rubric":"Is it kind?","backend":"judge","samples":5},` +
			`{"id":"d","type":"label","labels":["good","bad"],"passing_labels":["good"],"weight":1000}],"pass_at":0.5,"refuse_below":0.25,` +
			`"on_error":"refuse","on_model_refusal":"accept","release":"verified"}`,
		`{"schema_version":2,"assertions":[],"scorers":[{"id":"a","type":"exact","reference":"","labels":[],"rubric":""}]}`,
		`{"schema_version":2,"assertions":[{"id":"d","type":"json_schema","value":true}]}`,
	},
	contracts.KindToolSpec: {
		`{"schema_version":2,"name":"t","version":"1.0.0-rc.1+b","description":"A tool.","input_schema":{"type":"object","properties":{"a":{"type":"string"}}},` +
			`"output_schema":{"type":["array","null"],"items":{"enum":[1]}},"effect":"write","idempotent":true,"open_world":false,` +
			`"transport":{"type":"http","url":"https://example.com:8443/x"},"auth":{"type":"api_key","secret_ref":"secret://vault/key","in":"header","name":"X-Key"},` +
			`"trust":"reviewed","approval":"never","limits":{"timeout_ms":1,"max_attempts":5,"max_result_bytes":524288},"redact":["/a/0","/b~1c",""]}`,
		`{"schema_version":2,"name":"t","version":"1.0.0","description":"A tool.","input_schema":{"type":"object"},"effect":"read",` +
			`"transport":{"type":"mcp","url":"http://127.0.0.1:9/"},"auth":{"type":"oauth2","secret_ref":"secret://a","issuer":"https://example.com","scopes":["a","b"]},` +
			`"limits":{"max_attempts":2}}`,
		`{"schema_version":2,"name":"t","version":"1.0.0","description":"A tool.","input_schema":{"type":"object"},"effect":"destructive",` +
			`"auth":{"type":"mtls","secret_ref":"secret://a/b"},"trust":"trusted","approval":"always"}`,
	},
	contracts.KindRunEvent: {
		event("status", `{"state":"queued","reason":"submitted","task_digest":"sha256:`+strings.Repeat("0a", 32)+`","limits":{"max_tokens":5,`+
			`"max_wall_ms":100,"max_active_ms":100,"branch_width":1,"reflection_passes":0,"max_tool_calls":0,"max_cost_microusd":0,"warn_pct":1,`+
			`"on_exhausted":"finalize","reserve_tokens":1},"profile":"tight","release":"verified","backend":"external","tools":{"a@1.0.0":"sha256:`+
			strings.Repeat("0a", 32)+`"},"forked_from":{"run_id":"run_01kdy700000000000000000001","seq":5},`+
			`"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}`),
		event("error", `{"type":"/problems/internal","title":"a","status":500,"detail":"b","schema":"taskspec/v2","truncated":true,"errors":`+
			`[{"pointer":"#/a","code":"b","detail":"c","params":{"a":null},"offset":1,"related":["#/b"]}],"requested":1,"supported":[2,1],`+
			`"expected":5,"request_id":"x","fatal":true,"retry":"retrying","retry_after_ms":5,"call_id":"c1"}`),
		event("done", `{"status":"succeeded","message_id":"m","output":"","output_hash":"sha256:`+strings.Repeat("0a", 32)+`","verdict_seq":5,"used":`+
			`{"tokens_in":1,"tokens_out":1,"tokens_cached":0,"tokens_reasoning":0,"wall_ms":1,"active_ms":1,"tool_calls":0,"branches":1,`+
			`"reflections":0,"cost_microusd":0},"receipts":0,"receipts_head":"sha256:`+strings.Repeat("0a", 32)+`"}`),
	},
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
			m := newMutator(random, seeds)
			valid, refused, disagreements, only := 0, 0, 0, make(map[contracts.Code]int)
			for range total {
				doc := m.document()
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

// mutator changes documents.
type mutator struct {
	*rand.Rand
	seeds []any
	// names, values and valuesOf are what the seeds hold, to be put elsewhere; valuesOf are the values of a name.
	names    []string
	values   []any
	valuesOf map[string][]any
}

// newMutator returns a mutator of valid documents.
func newMutator(random *rand.Rand, seeds [][]byte) *mutator {
	m := &mutator{Rand: random, valuesOf: make(map[string][]any)}
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
func (m *mutator) collect(v any) {
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

// document returns a seed after a few changes: mostly one, so that most documents are near the edge.
func (m *mutator) document() []byte {
	v := clone(m.seeds[m.IntN(len(m.seeds))])
	for range 1 + m.IntN(3)*m.IntN(2) {
		v = m.change(v)
	}
	return contractstest.Document(v)
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
func (m *mutator) change(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) > 0 && m.IntN(5) > 0 {
			name := pick(m.Rand, slices.Sorted(maps.Keys(v)))
			if others := m.valuesOf[name]; len(others) > 0 && m.IntN(3) == 0 {
				v[name] = clone(pick(m.Rand, others)) // plausible on its own, so that rules between fields get their turn
				return v
			}
			v[name] = m.change(v[name])
			return v
		}
		return m.changeObject(v)
	case []any:
		if len(v) > 0 && m.IntN(3) > 0 {
			i := m.IntN(len(v))
			v[i] = m.change(v[i])
			return v
		}
		return m.changeList(v)
	case string:
		if m.IntN(6) > 0 {
			return m.changeText(v)
		}
	case json.Number:
		if m.IntN(6) > 0 {
			return m.changeNumber(v)
		}
	case bool:
		if m.IntN(3) > 0 {
			return !v
		}
	}
	return m.anything()
}

// anything returns a value of any type, and often one that stands somewhere in a seed.
func (m *mutator) anything() any {
	literals := []any{
		nil, true, false, "", " ", "a", "stop", json.Number("0"), json.Number("1"), json.Number("-1"), json.Number("0.5"),
		json.Number("2"),
		[]any{},
		map[string]any{},
		[]any{nil},
		map[string]any{"a": nil},
	}
	if m.IntN(2) == 0 {
		return clone(pick(m.Rand, m.values))
	}
	return pick(m.Rand, literals)
}

// changeObject drops, adds, renames or swaps members.
func (m *mutator) changeObject(v map[string]any) any {
	names := slices.Sorted(maps.Keys(v))
	switch m.IntN(6) {
	case 0, 1:
		if len(names) > 0 {
			delete(v, pick(m.Rand, names))
		}
	case 2, 3:
		name := pick(m.Rand, m.names)
		if v[name] = m.anything(); m.IntN(3) > 0 {
			v[name] = clone(pick(m.Rand, m.valuesOf[name]))
		}
	case 4:
		if len(names) > 0 {
			from := pick(m.Rand, names)
			to := m.changeText(from)
			if m.IntN(2) == 0 {
				to = pick(m.Rand, m.names)
			}
			value := v[from]
			delete(v, from)
			v[to] = value
		}
	case 5:
		if len(names) > 1 {
			a, b := pick(m.Rand, names), pick(m.Rand, names)
			v[a], v[b] = v[b], v[a]
		} else {
			v["a"] = clone(v) // nested copies
		}
	}
	return v
}

// changeList drops, adds, doubles or swaps elements.
func (m *mutator) changeList(v []any) any {
	switch m.IntN(5) {
	case 0:
		return []any{}
	case 1:
		return append(v, m.anything())
	case 2:
		if len(v) > 0 {
			return append(v, clone(pick(m.Rand, v)))
		}
	case 3:
		if len(v) > 0 {
			i := m.IntN(len(v))
			return slices.Delete(v, i, i+1)
		}
	case 4: // to the edge of a limit and over it
		long := make([]any, pick(m.Rand, []int{4, 5, 8, 9, 16, 17, 32, 33, 64, 65, 80, 81, 128, 129}))
		for i := range long {
			long[i] = "a" + strconv.Itoa(i)
			if len(v) > 0 && m.IntN(20) == 0 {
				long[i] = clone(v[0])
			}
		}
		return long
	}
	return []any{v}
}

// changeText returns a neighbour of a text, a text of a length at the edge, or one that some rule is about.
func (m *mutator) changeText(s string) string {
	runes := []rune(s)
	switch m.IntN(7) {
	case 0: // a character more
		i := m.IntN(len(runes) + 1)
		return string(slices.Insert(runes, i, pick(m.Rand, []rune("aZ0 ._-/~:@#%é\n\u2028\u0085\ufeff\v𝄞\x00"))))
	case 1: // a character less
		if len(runes) > 0 {
			i := m.IntN(len(runes))
			return string(slices.Delete(runes, i, i+1))
		}
	case 2: // another character
		if len(runes) > 0 {
			runes[m.IntN(len(runes))] = pick(m.Rand, []rune("aZ019 ._-/~:@#%é\n"))
			return string(runes)
		}
	case 3:
		if m.IntN(4) == 0 {
			length := pick(m.Rand, []int{63, 64, 65, 127, 128, 129, 512, 513, 1024, 1025, 2048, 2049, 8192, 8193})
			return strings.Repeat(pick(m.Rand, []string{"a", "é", " "}), length)
		}
		return strings.ToUpper(s)
	case 4:
		return s + s
	case 5:
		return pick(m.Rand, hardTexts)
	}
	if other, ok := pick(m.Rand, m.values).(string); ok {
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
func (m *mutator) changeNumber(n json.Number) any {
	edges := []json.Number{
		"0", "1", "-1", "2", "3", "5", "9", "10", "20", "21", "64", "65", "99", "100", "101", "1000", "1001", "10000", "10001",
		"600000", "600001", "524288", "524289", "86400000", "86400001", "9007199254740991", "9007199254740992",
		"9007199254740993", "-9007199254740991", "-9007199254740992", "9223372036854775807", "9223372036854775808", "1e2",
		"1.0", "1.5", "1e-2", "0.1", "0.10000000000000001", "0.1000000000000000000001", "-0", "-0.0", "0e5", "1e400", "1E+2",
		"10e-1", "1e15", "1e16", "0.9999999999999999", "1.0000000000000002", "1.00000000000000000001", "5e-324", "1e-400",
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	if err != nil || m.IntN(2) == 0 {
		return pick(m.Rand, edges)
	}
	switch m.IntN(4) {
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
