package contracts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	oldrand "math/rand" // quick takes no other
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	v1 "axiom25/contracts/v1"
)

// checkWayBack holds a valid document to the law of the way back: it says what is lost, and where nothing is, what it
// writes is a document of version 1 that means the same. It reports whether nothing was lost.
func checkWayBack(t *testing.T, kind contracts.Kind, doc []byte) bool {
	t.Helper()
	old, changes, err := contracts.Downgrade(kind, doc)
	if again, changesAgain, errAgain := contracts.Downgrade(kind, doc); !bytes.Equal(old, again) ||
		!reflect.DeepEqual(changes, changesAgain) || !reflect.DeepEqual(err, errAgain) {
		t.Fatalf("another result the second time: %s", doc)
	}
	was := meaning(t, kind, doc)
	var p *contracts.Problem
	switch {
	case err == nil:
		if is := meaning(t, kind, old); !bytes.Equal(is, was) {
			t.Fatalf("it means something else:\n%s\n%s\n%s", was, is, old)
		}
		if settled, changes, err := contracts.Downgrade(kind, old); err != nil || changes != nil || !bytes.Equal(settled, old) {
			t.Fatalf("what it becomes is changed again: %s, %v, %v", settled, changes, err)
		}
		return true
	case errors.As(err, &p) && p.Has(contracts.ProblemNotAcceptable) && len(p.Errors) > 0 && old == nil && changes == nil:
		var root any
		if err := json.Unmarshal(was, &root); err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Errors {
			if e.Code == contracts.CodeVersionLoss && !leads(root, e.Pointer) {
				t.Fatalf("%s leads nowhere in %s", e.Pointer, was)
			}
		}
		return false
	}
	t.Fatalf("%s, %v, %s\n%s", old, changes, contractstest.Document(err), doc)
	return false
}

// meaning returns what Decode makes of a valid document.
func meaning(t *testing.T, kind contracts.Kind, doc []byte) []byte {
	t.Helper()
	v, err := decoders()[kind](doc)
	if err != nil {
		t.Fatalf("%s\n%s", contractstest.Document(err), doc)
	}
	return contractstest.Document(v)
}

// TestWhatCameFromVersion1GoesBack takes valid documents of version 1 up and down again: nothing is lost, and the frozen
// struct is what it was.
func TestWhatCameFromVersion1GoesBack(t *testing.T) {
	for _, kind := range inputs() {
		t.Run(string(kind), func(t *testing.T) {
			for doc := range documentsOfV1(kind, 400) {
				current, _, err := contracts.Migrate(kind, doc)
				if err != nil {
					t.Fatalf("%s\n%s", contractstest.Document(err), doc)
				}
				if !checkWayBack(t, kind, current) {
					t.Fatalf("something is lost of %s", doc)
				}
				v, err := decoders()[kind](doc)
				if err != nil {
					t.Fatal(err)
				}
				back, err := contracts.EncodeIn(v1.Version, v)
				if err != nil {
					t.Fatalf("%s\n%s", contractstest.Document(err), doc)
				}
				if is, was := frozen(t, kind, back), frozen(t, kind, doc); !bytes.Equal(is, was) {
					t.Fatalf("got  %s\nwant %s", is, was)
				}
			}
		})
	}
}

// frozen returns the canonical form of what a document of version 1 says, with its defaults.
func frozen(t *testing.T, kind contracts.Kind, doc []byte) []byte {
	t.Helper()
	var v any
	switch kind {
	case contracts.KindTaskSpec:
		v = &v1.TaskSpec{Profile: "balanced"}
	case contracts.KindBudget:
		v = new(v1.Budget)
	case contracts.KindVerifyContract:
		v = new(v1.VerifyContract)
	case contracts.KindToolSpec:
		v = &v1.ToolSpec{
			OpenWorld: true, TrustLevel: "low", Approval: "auto", Transport: v1.Transport{Type: "engine"},
			Auth: v1.Auth{Type: "none"}, Limits: v1.ToolLimits{TimeoutMS: 30_000, MaxAttempts: 1, MaxResultBytes: 65_536},
		}
	case contracts.KindRunEvent:
	}
	// Numbers may be spelled as 1.0 or 1e0, which encoding/json takes for no integer.
	plain, err := json.Marshal(parsedNumbers(t, doc))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(plain, v); err != nil {
		t.Fatal(err)
	}
	setDefaultsOfV1(v)
	canonical, err := json.Marshal(parsedNumbers(t, contractstest.Document(v)))
	if err != nil {
		t.Fatal(err)
	}
	return canonical
}

// parsedNumbers reads JSON with every number as a float64.
func parsedNumbers(t *testing.T, doc []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// setDefaultsOfV1 fills in the defaults within lists.
func setDefaultsOfV1(v any) {
	var c *v1.VerifyContract
	switch v := v.(type) {
	case *v1.TaskSpec:
		c = v.Verification
	case *v1.VerifyContract:
		c = v
	}
	if c == nil {
		return
	}
	for i := range c.Assertions {
		a := &c.Assertions[i]
		a.Target, a.Severity = orDefault(a.Target, "output"), orDefault(a.Severity, "must")
	}
	for i := range c.Scorers {
		s := &c.Scorers[i]
		s.Weight, s.Samples = orDefault(s.Weight, 1), orDefault(s.Samples, 1)
	}
}

func orDefault[T comparable](v, preset T) T {
	var zero T
	if v == zero {
		return preset
	}
	return v
}

// TestTheWayBack holds the law on mutants of current documents, of which most lose something.
func TestTheWayBack(t *testing.T) {
	t.Parallel()
	for _, kind := range inputs() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			seeds := contractstest.ValidDocuments(kind)
			for doc := range documentsOfV1(kind, 50) {
				current, _, err := contracts.Migrate(kind, doc)
				if err != nil {
					t.Fatal(err)
				}
				seeds = append(seeds, current)
			}
			m := contractstest.NewMutator(rand.New(rand.NewPCG(8, 2025)), seeds) //nolint:gosec // the same documents every time
			whole, lossy := 0, 0
			for range 2_000 {
				doc := m.Document()
				if contracts.Validate(kind, doc) != nil {
					continue
				}
				if checkWayBack(t, kind, doc) {
					whole++
				} else {
					lossy++
				}
			}
			t.Logf("%d go back whole, %d would lose something", whole, lossy)
			if whole < 50 || lossy < 5 {
				t.Error("the documents are one-sided")
			}
		})
	}
}

// TestWhatVersion1CannotSay names each loss.
func TestWhatVersion1CannotSay(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0a", 32)
	for name, c := range map[string]struct {
		kind contracts.Kind
		doc  string
		want []string
	}{
		"nothing":           {contracts.KindTaskSpec, task(`"inputs":[{"name":"a","text":"x"},{"name":"b","data":[1]}],"backend":{"prefer":["local"]}`), nil},
		"an order":          {contracts.KindTaskSpec, task(`"inputs":[{"name":"b","text":"x"},{"name":"a","text":"x"}]`), []string{"#/inputs"}},
		"a string as data":  {contracts.KindTaskSpec, task(`"inputs":[{"name":"a","data":"x"}]`), []string{"#/inputs/0/data"}},
		"a reference":       {contracts.KindTaskSpec, task(`"inputs":[{"name":"a","uri":"urn:x","digest":"` + digest + `"}]`), []string{"#/inputs/0/digest", "#/inputs/0/uri"}},
		"a secret":          {contracts.KindTaskSpec, task(`"inputs":[{"name":"a","text":"x","sensitive":true,"media_type":"text/html"}]`), []string{"#/inputs/0/media_type", "#/inputs/0/sensitive"}},
		"engines":           {contracts.KindTaskSpec, task(`"backend":{"prefer":["a","b","c"],"fallback":"any","needs":["tools"],"seed":1}`), []string{"#/backend/fallback", "#/backend/needs/0", "#/backend/prefer/1", "#/backend/prefer/2", "#/backend/seed"}},
		"part of a budget":  {contracts.KindTaskSpec, task(`"budget":{"max_wall_ms":1500,"max_tokens":7,"warn_pct":50}`), []string{"#/budget/max_wall_ms", "#/budget/warn_pct"}},
		"less than 1 s":     {contracts.KindBudget, `{"schema_version":2,"max_wall_ms":100}`, []string{"#/max_wall_ms"}},
		"the rest of it":    {contracts.KindBudget, `{"schema_version":2,"max_active_ms":100,"max_tool_calls":1,"max_cost_microusd":1,"on_exhausted":"finalize","reserve_tokens":1}`, []string{"#/max_active_ms", "#/max_cost_microusd", "#/max_tool_calls", "#/on_exhausted", "#/reserve_tokens"}},
		"a whole budget":    {contracts.KindBudget, `{"schema_version":2,"max_wall_ms":86400000,"max_tokens":7,"branch_width":64,"reflection_passes":0}`, nil},
		"pass_at":           {contracts.KindVerifyContract, `{"schema_version":2,"pass_at":0.7,"scorers":[{"id":"a","type":"exact","reference":""}]}`, []string{"#/pass_at"}},
		"pass_at raised":    {contracts.KindVerifyContract, `{"schema_version":2,"pass_at":0.9,"refuse_below":0.9,"scorers":[{"id":"a","type":"exact","reference":""}]}`, nil},
		"what a check does": {contracts.KindVerifyContract, `{"schema_version":2,"on_error":"refuse","on_model_refusal":"accept","release":"verified","scorers":[{"id":"a","type":"exact","reference":""}]}`, []string{"#/on_error", "#/on_model_refusal", "#/release"}},
		"a trusted tool":    {contracts.KindToolSpec, tool(`"trust":"trusted"`), nil},
		"a builtin tool":    {contracts.KindToolSpec, tool(`"trust":"builtin","transport":{"type":"builtin"}`), []string{"#/transport/type", "#/trust"}},
		"a depth":           {contracts.KindVerifyContract, `{"schema_version":2,"assertions":[{"id":"a","type":"equals","value":` + nested(29) + `}]}`, []string{"#"}},
	} {
		t.Run(name, func(t *testing.T) {
			doc, _, err := contracts.Downgrade(c.kind, []byte(c.doc))
			var p *contracts.Problem
			if c.want == nil {
				if err != nil {
					t.Errorf("got %s", contractstest.Document(err))
				}
				return
			}
			if !errors.As(err, &p) || !p.Has(contracts.ProblemNotAcceptable) || p.Schema != string(c.kind)+"/v1" || doc != nil {
				t.Fatalf("got %s, %v", doc, err)
			}
			var got []string
			for _, e := range p.Errors {
				got = append(got, e.Pointer)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			checkWayBack(t, c.kind, []byte(c.doc))
		})
	}
}

// TestDowngradeSaysWhatChanged names the members as both versions do.
func TestDowngradeSaysWhatChanged(t *testing.T) {
	out, changes, err := contracts.Downgrade(contracts.KindBudget, []byte(`{"schema_version":2,"max_wall_ms":3000}`))
	want := []contracts.Change{
		{From: "#/schema_version", To: "#/schema_version", Detail: "as version 1 has it"},
		{From: "#/max_wall_ms", To: "#/time_s", Detail: "as version 1 has it"},
	}
	if err != nil || string(out) != `{"schema_version":1,"time_s":3}` || !slices.Equal(changes, want) {
		t.Errorf("got %s, %+v, %v", out, changes, err)
	}
	if out, changes, err := contracts.Downgrade(contracts.KindBudget, []byte(`{ "schema_version":1 }`)); err != nil || changes != nil ||
		string(out) != `{ "schema_version":1 }` {
		t.Errorf("got %s, %+v, %v", out, changes, err)
	}
}

// TestNoWayBack asks for what has none.
func TestNoWayBack(t *testing.T) {
	event := contractstest.Runs()[0].Events[0]
	_, _, eventErr := contracts.Downgrade(contracts.KindRunEvent, contractstest.Document(event))
	_, encodeErr := contracts.EncodeIn(1, &event)
	_, laterErr := contracts.EncodeIn(3, new(contracts.Budget))
	for _, err := range []error{eventErr, encodeErr, laterErr} {
		var p *contracts.Problem
		if !errors.As(err, &p) || !p.Has(contracts.ProblemUnsupportedVersion) || p.Requested == nil || len(p.Supported) == 0 {
			t.Errorf("got %v", err)
		}
	}
	if _, _, err := contracts.Downgrade("memo", []byte(`{}`)); !errors.Is(err, contracts.ErrUnknownKind) {
		t.Errorf("got %v", err)
	}
	if _, _, err := contracts.Downgrade(contracts.KindBudget, []byte(`{"schema_version":2,"max_tokens":0}`)); !slices.Equal(found(t, err), []string{"#/max_tokens rule.gte"}) {
		t.Errorf("got %v", err)
	}
	if doc, err := contracts.EncodeIn(contracts.Version, &contracts.Budget{SchemaVersion: 2}); err != nil || string(doc) != `{"schema_version":2}` {
		t.Errorf("the current version: %s, %v", doc, err)
	}
}

// TestDownIsTotal asks for the way back of values that no document has.
func TestDownIsTotal(t *testing.T) {
	config := &quick.Config{MaxCount: 500, Rand: oldrand.New(oldrand.NewSource(1))} //nolint:gosec // the same values every time
	for name, property := range map[string]any{
		"TaskSpec": func(v contracts.TaskSpec) bool {
			old, lost := contracts.DownTaskSpec(&v)
			again, lostAgain := contracts.DownTaskSpec(&v)
			return reflect.DeepEqual(old, again) && reflect.DeepEqual(lost, lostAgain) && (len(lost) > 0 || same(v, contracts.UpTaskSpec(&old)))
		},
		"Budget": func(v contracts.Budget) bool {
			old, lost := contracts.DownBudget(&v)
			again, lostAgain := contracts.DownBudget(&v)
			return reflect.DeepEqual(old, again) && reflect.DeepEqual(lost, lostAgain) && (len(lost) > 0 || same(v, contracts.UpBudget(&old)))
		},
		"VerifyContract": func(v contracts.VerifyContract) bool {
			old, lost := contracts.DownVerifyContract(&v)
			again, lostAgain := contracts.DownVerifyContract(&v)
			return reflect.DeepEqual(old, again) && reflect.DeepEqual(lost, lostAgain) && (len(lost) > 0 || same(v, contracts.UpVerifyContract(&old)))
		},
		"ToolSpec": func(v contracts.ToolSpec) bool {
			old, lost := contracts.DownToolSpec(&v)
			again, lostAgain := contracts.DownToolSpec(&v)
			return reflect.DeepEqual(old, again) && reflect.DeepEqual(lost, lostAgain) && (len(lost) > 0 || same(v, contracts.UpToolSpec(&old)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := quick.Check(property, config); err != nil {
				t.Error(err)
			}
		})
	}
}

// same compares two values but for the version at their root.
func same[T any](a, b T) bool {
	x, y := reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem()
	x.FieldByName("SchemaVersion").SetInt(0)
	y.FieldByName("SchemaVersion").SetInt(0)
	return reflect.DeepEqual(a, b)
}

// FuzzDowngrade holds whatever is valid to the law of the way back.
func FuzzDowngrade(f *testing.F) {
	kinds := inputs()
	for i, kind := range kinds {
		for _, doc := range contractstest.ValidDocuments(kind) {
			f.Add(uint8(i), doc)
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, doc []byte) {
		kind := kinds[int(n)%len(kinds)]
		if contracts.Validate(kind, doc) == nil {
			checkWayBack(t, kind, doc)
		}
	})
}
