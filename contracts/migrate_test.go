package contracts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	oldrand "math/rand" // quick takes no other
	"math/rand/v2"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	v1 "axiom25/contracts/v1"
)

// writer writes valid documents of version 1 by chance: every field, absent and present, at its bounds and between,
// spelled in every way.
type writer struct{ *rand.Rand }

// one returns one of several values.
func one[T any](w writer, values ...T) T { return values[w.IntN(len(values))] }

// object returns the object of some of the members, in any order; those that end with ! are always there.
func (w writer) object(members ...string) string {
	var some []string
	for _, m := range members {
		always := strings.HasSuffix(m, "!")
		if always || w.IntN(2) == 0 {
			some = append(some, strings.TrimSuffix(m, "!"))
		}
	}
	w.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	space := one(w, "", "", " ", "\n\t")
	return "{" + space + strings.Join(some, space+","+space) + space + "}"
}

// list returns a list of at most limit elements.
func (w writer) list(limit int, element func(i int) string) string {
	list := make([]string, one(w, 0, 1, w.IntN(limit+1), limit))
	for i := range list {
		list[i] = element(i)
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// text returns a quoted text of at least one character that is no white space, and at most limit characters.
func (w writer) text(limit int) string {
	runes := []rune("x aZ09\"\\/<>&\u0001\u007f\u2028é水🪐")
	list := []rune{one(w, 'x', '水', '"', '🪐')}
	length := w.IntN(min(limit, 20))
	if w.IntN(20) == 0 {
		length = limit - 1
	}
	for range length {
		list = append(list, one(w, runes...))
	}
	quoted, err := json.Marshal(string(list))
	if err != nil {
		panic(err)
	}
	if w.IntN(2) == 0 {
		return string(contractstest.Document(string(list)))
	}
	return string(quoted)
}

// integer returns a number within bounds, mostly at them, in one of its spellings.
func (w writer) integer(low, high int64) string {
	n := one(w, low, high, low+w.Int64N(high-low+1))
	return one(w, fmt.Sprint(n), fmt.Sprint(n), fmt.Sprintf("%d.0", n), fmt.Sprintf("%de0", n))
}

// free returns any JSON.
func (w writer) free(depth int) string {
	if depth > 0 && w.IntN(2) == 0 {
		if w.IntN(2) == 0 {
			return w.list(3, func(int) string { return w.free(depth - 1) })
		}
		return w.object(`"a":`+w.free(depth-1), `"tokens":`+w.free(depth-1), `"b\u0063" : `+w.free(depth-1))
	}
	return one(w, "null", "true", "false", "0", "-0", "1.50", "1e2", "9007199254740991", `""`, `"\ud83e\ude90"`, w.text(20))
}

func (w writer) ident(i int) string {
	return one(w, fmt.Sprintf("n%d", i), fmt.Sprintf("%d", i), fmt.Sprintf("N.%d-_", i), fmt.Sprintf("%064d", i))
}

// members returns an object of at most limit members.
func (w writer) members(limit int, value func() string) string {
	n := one(w, 0, 1, w.IntN(limit+1), limit)
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%q:%s", w.ident(i), value())
	}
	return "{" + strings.Join(list, ",") + "}"
}

func (w writer) task() string {
	tools := []string{`"lookup"`, `"lookup@1.2.0"`, `"sql_query@1.0.0-rc.1+b"`, `"x"`}
	return w.object(`"schema_version":1!`, `"goal":`+w.text(8192)+"!",
		`"inputs":`+w.members(64, func() string { return w.free(3) }),
		`"allowed_tools":[`+strings.Join(tools, ",")+`]!`,
		`"backend_pref":`+w.text(128), `"profile":"`+one(w, "tight", "balanced", "max")+`"`,
		`"budget":`+w.budget(false), `"verification":`+w.contract(false),
		`"labels":`+w.members(16, func() string { return w.text(512) }))
}

// version returns the version of a contract, which an embedded one may leave out.
func version(alone bool) string {
	if alone {
		return `"schema_version":1!`
	}
	return `"schema_version":1`
}

func (w writer) budget(alone bool) string {
	return w.object(version(alone), `"tokens":`+w.integer(1, 1<<53-1), `"time_s":`+w.integer(1, 86_400),
		`"width":`+w.integer(1, 64), `"reflection":`+w.integer(0, 20))
}

func (w writer) contract(alone bool) string {
	checks := []string{`"assertions":[` + w.assertion(0) + `]!`, `"scorers":` + w.list(16, w.scorer)}
	if w.IntN(2) == 0 {
		checks = []string{`"assertions":` + w.list(64, w.assertion), `"scorers":[` + w.scorer(0) + `]!`}
	}
	return w.object(append(checks, version(alone),
		`"refusal_threshold":`+one(w, "0", "1", "0.8", "0.81", "0.5", "8e-1", "1.0", fmt.Sprint(w.Float64())))...)
}

func (w writer) assertion(i int) string {
	kind := one(w,
		`"type":"equals"!|"value":`+w.free(2)+`!|"target":"`+one(w, "output", "usage", "tool:lookup#/a~1b", "output#/%C3%A9")+`"`,
		`"type":"contains"!|"value":`+w.text(30)+`!|"target":"tool:x"`,
		`"type":"matches"!|"value":"^a+$"!`,
		`"type":"json_schema"!|"value":`+one(w, "true", `{"type":"array","items":{"$ref":"#/$defs/a"},"$defs":{"a":{}}}`)+`!`,
		`"type":"length"!|"value":`+one(w, `{"min":0}`, `{"max":9007199254740991}`, `{"min":1,"max":1}`)+`!`,
		`"type":"tool_called"!|"target":"tool:lookup@1.2.0"!|"value":{"max":0}`,
		`"type":"tool_sequence"!|"value":["x","lookup"]!`,
		`"type":"usage_max"!|"target":"usage#/tokens_in"!|"value":{"limit":1.5}!`,
	)
	members := append(strings.Split(kind, "|"), fmt.Sprintf(`"id":"a%d"!`, i), `"negate":`+one(w, "true", "false"))
	if w.IntN(2) == 0 {
		members = append(members, `"severity":"should"!`, `"weight":`+w.integer(1, 1000))
	} else {
		members = append(members, `"severity":"must"`)
	}
	return w.object(members...)
}

func (w writer) scorer(i int) string {
	kind := one(w,
		`"type":"exact"!|"reference":`+one(w, `""`, w.text(100))+"!", `"type":"similarity"!|"reference":`+w.text(8192)+"!",
		`"type":"rubric"!|"rubric":`+w.text(8192)+"!",
		`"type":"label"!|"labels":["a","b c"]!|"passing_labels":["b c"]!`)
	return w.object(append(strings.Split(kind, "|"), fmt.Sprintf(`"id":"s%d"!`, i),
		`"backend":`+w.text(128), `"weight":`+w.integer(1, 1000), `"floor":`+one(w, "0", "1", "0.25"),
		`"samples":`+one(w, "1", "3", "5", "7", "9"))...)
}

func (w writer) tool() string {
	level := one(w, "low", "medium", "high")
	effect := one(w, "read", "write", "destructive")
	members := []string{
		`"schema_version":1!`, `"name":"` + strings.Repeat("n", one(w, 1, 64)) + `"!`,
		`"version":"` + one(w, "0.0.0", "1.2.3-rc.1+b") + `"!`, `"description":` + w.text(2048) + "!",
		`"input_schema":` + one(w, `{"type":"object"}`, `{"type":"object","properties":{"trust_level":{"type":"string"}}}`) + "!",
		`"output_schema":` + one(w, "true", `{"type":["object","null"]}`),
		`"effect":"` + effect + `"!`, `"open_world":` + one(w, "true", "false"),
		`"transport":` + one(w, `{}`, `{"type":"engine"}`, `{"type":"http","url":"https://example.org/a"}`, `{"url":"http://[::1]:1/","type":"mcp"}`),
		`"auth":` + one(w, `{}`, `{"type":"mtls","secret_ref":"secret://a/b"}`,
			`{"type":"api_key","secret_ref":"secret://a","in":"cookie","name":"k"}`,
			`{"type":"oidc","secret_ref":"secret://a","issuer":"https://id.example.org","scopes":["a"]}`),
		`"redact":["","/a~0b","/trust_level"]`,
	}
	if level != "low" || w.IntN(2) == 0 {
		members = append(members, `"trust_level":"`+level+`"!`)
	}
	approvals := []string{"auto", "always"}
	if level != "low" && effect != "destructive" {
		approvals = append(approvals, "never")
	}
	attempts := int64(1)
	if w.IntN(2) == 0 {
		members, attempts = append(members, `"idempotent":true!`), 5
	} else if effect == "read" {
		attempts = 5
	}
	return w.object(append(members, `"approval":"`+one(w, approvals...)+`"`, `"limits":`+w.object(
		`"timeout_ms":`+w.integer(1, 600_000), `"max_attempts":`+w.integer(1, attempts), `"max_result_bytes":`+w.integer(1, 524_288)))...)
}

// inputs are the contracts that version 1 has.
func inputs() []contracts.Kind {
	return slices.DeleteFunc(contracts.Kinds(), func(k contracts.Kind) bool { return k == contracts.KindRunEvent })
}

// documentsOfV1 yields valid documents of a contract, the same every time.
func documentsOfV1(kind contracts.Kind, count int) iter.Seq[[]byte] {
	write := map[contracts.Kind]func(writer) string{
		contracts.KindTaskSpec: writer.task, contracts.KindToolSpec: writer.tool,
		contracts.KindBudget:         func(w writer) string { return w.budget(true) },
		contracts.KindVerifyContract: func(w writer) string { return w.contract(true) },
	}[kind]
	return func(yield func([]byte) bool) {
		w := writer{rand.New(rand.NewPCG(2025, 8))} //nolint:gosec // the documents are to be the same every time
		for range count {
			if !yield([]byte(write(w))) {
				return
			}
		}
	}
}

// TestEveryValidDocumentOfVersion1Migrates is the law of versions: what is valid in one is valid in the next, and means
// the same there.
func TestEveryValidDocumentOfVersion1Migrates(t *testing.T) {
	const documents = 400
	for _, kind := range inputs() {
		t.Run(string(kind), func(t *testing.T) {
			for doc := range documentsOfV1(kind, documents) {
				if err := contracts.Validate(kind, doc); err != nil {
					t.Fatalf("the document is not valid: %s\n%s", contractstest.Document(err), doc)
				}
				if err := checkLaw(kind, doc); err != nil {
					t.Fatalf("%v\n%s", err, doc)
				}
			}
		})
	}
}

// decoders returns what Decode makes of a document of each contract that has older versions.
func decoders() map[contracts.Kind]func([]byte) (any, error) {
	return map[contracts.Kind]func([]byte) (any, error){
		contracts.KindTaskSpec: decoder[contracts.TaskSpec], contracts.KindBudget: decoder[contracts.Budget],
		contracts.KindVerifyContract: decoder[contracts.VerifyContract], contracts.KindToolSpec: decoder[contracts.ToolSpec],
	}
}

// checkLaw holds a valid document to the law.
func checkLaw(kind contracts.Kind, doc []byte) error {
	was, err := decoders()[kind](doc)
	if err != nil {
		return fmt.Errorf("decode: %s", contractstest.Document(err))
	}
	migrated, changes, err := contracts.Migrate(kind, doc)
	if err != nil || len(changes) == 0 {
		return fmt.Errorf("migrate: %v, %w", changes, err)
	}
	again, _, _ := contracts.Migrate(kind, doc)
	if !bytes.Equal(migrated, again) {
		return errors.New("migrate: another result the second time")
	}
	is, err := decoders()[kind](migrated)
	if err != nil {
		return fmt.Errorf("decode what it becomes: %s\n%s", contractstest.Document(err), migrated)
	}
	if now, sent := contractstest.Document(is), contractstest.Document(was); !bytes.Equal(now, sent) {
		return fmt.Errorf("it means something else:\n%s\n%s", sent, now)
	}
	if settled, changes, err := contracts.Migrate(kind, migrated); err != nil || changes != nil || !bytes.Equal(settled, migrated) {
		return fmt.Errorf("what it becomes is changed again: %s, %v, %w", settled, changes, err)
	}
	return nil
}

// TestTheLargestDocumentsMigrate holds the law where documents grow most.
func TestTheLargestDocumentsMigrate(t *testing.T) {
	var inputs []string
	for i := range 63 {
		inputs = append(inputs, fmt.Sprintf(`"%064d":0`, i))
	}
	most := `"backend_pref":"x","budget":{"schema_version":1,"tokens":1,"time_s":86400,"width":1,"reflection":1},` +
		`"verification":{"schema_version":1,"refusal_threshold":0.9` + strings.Repeat("0", 1000) + `,"scorers":[{"id":"s","type":"exact","reference":""}]},`
	head := `{"schema_version":1,"goal":"x",` + most + `"inputs":{` + strings.Join(inputs, ",") + `,"last":"`
	const tail = `"}}`
	doc := []byte(head + strings.Repeat("x", v1.MaxDocumentBytes-len(head)-len(tail)) + tail)
	if err := checkLaw(contracts.KindTaskSpec, doc); err != nil {
		t.Errorf("%.2000v", err)
	}
	if err := checkLaw(contracts.KindTaskSpec, []byte(taskV1(`"inputs":{"a":`+nested(v1.MaxDepth-2)+`}`))); err != nil {
		t.Error(err)
	}
}

// TestUpIsTotal asks for what becomes of values that no document has.
func TestUpIsTotal(t *testing.T) {
	config := &quick.Config{MaxCount: 500, Rand: oldrand.New(oldrand.NewSource(1))} //nolint:gosec // the same values every time
	for name, property := range map[string]any{
		"TaskSpec": func(old v1.TaskSpec) bool {
			return reflect.DeepEqual(contracts.UpTaskSpec(&old), contracts.UpTaskSpec(&old))
		},
		"Budget": func(old v1.Budget) bool {
			return reflect.DeepEqual(contracts.UpBudget(&old), contracts.UpBudget(&old))
		},
		"VerifyContract": func(old v1.VerifyContract) bool {
			return reflect.DeepEqual(contracts.UpVerifyContract(&old), contracts.UpVerifyContract(&old))
		},
		"ToolSpec": func(old v1.ToolSpec) bool {
			return reflect.DeepEqual(contracts.UpToolSpec(&old), contracts.UpToolSpec(&old))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := quick.Check(property, config); err != nil {
				t.Error(err)
			}
		})
	}
	if got := contracts.UpTaskSpec(&v1.TaskSpec{Inputs: map[string]json.RawMessage{"a": nil, "b": json.RawMessage(`"`)}}); len(got.Inputs) != 2 ||
		string(got.Inputs[0].Data) != "null" || got.Inputs[1].Text != nil {
		t.Errorf("inputs %+v", got.Inputs)
	}
}

// FuzzMigrate holds whatever is valid to the law.
func FuzzMigrate(f *testing.F) {
	kinds := inputs()
	stored := os.DirFS(corpus)
	for i, kind := range kinds {
		for _, name := range documents(f, stored, path.Join("v1", string(kind), "valid")) {
			doc, err := fs.ReadFile(stored, name+".json")
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), doc)
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, doc []byte) {
		kind := kinds[int(n)%len(kinds)]
		_, changes, err := contracts.Migrate(kind, doc)
		if err != nil || changes == nil {
			return
		}
		if err := checkLaw(kind, doc); err != nil {
			t.Error(err)
		}
	})
}
