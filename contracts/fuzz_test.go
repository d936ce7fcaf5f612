package contracts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// judgeFuzzed checks what holds for every problem: it is the same again, its errors are sorted, few and known, and
// each pointer leads into the document, or to a member that its object lacks.
func judgeFuzzed(t *testing.T, doc []byte, decode func([]byte) (any, error)) {
	t.Helper()
	before := bytes.Clone(doc)
	v, err := decode(doc)
	again, errAgain := decode(doc)
	if !bytes.Equal(before, doc) {
		t.Fatal("the document was changed")
	}
	if !reflect.DeepEqual(err, errAgain) || !reflect.DeepEqual(v, again) {
		t.Fatalf("another result the second time: %v, %v", err, errAgain)
	}
	if err == nil {
		if !json.Valid(doc) {
			t.Fatal("accepted, but not JSON")
		}
		return
	}
	var p *contracts.Problem
	if !errors.As(err, &p) {
		t.Fatalf("error %T", err)
	}
	if n := len(p.Errors); n == 0 || n > contracts.MaxFieldErrors {
		t.Fatalf("%d errors", n)
	}
	if !slices.IsSortedFunc(p.Errors, func(a, b contracts.FieldError) int { return strings.Compare(a.Pointer, b.Pointer) }) {
		t.Errorf("not sorted: %s", contractstest.Document(p))
	}
	var root any
	readable := json.Unmarshal(doc, &root) == nil
	for _, e := range p.Errors {
		if e.Detail == "" {
			t.Errorf("%s has no detail", e.Code)
		}
		if e.Offset != nil && (*e.Offset < 0 || *e.Offset > int64(len(doc))) {
			t.Errorf("%s at offset %d of %d", e.Code, *e.Offset, len(doc))
		}
		if readable && p.Has(contracts.ProblemInvalidDocument) && !leads(root, e.Pointer) {
			t.Errorf("%s leads nowhere (%s)", e.Pointer, e.Code)
		}
	}
}

// leads reports whether a pointer leads to a value or to a member that is missing from an object.
func leads(v any, pointer string) bool {
	tokens := strings.Split(pointer, "/")[1:]
	for i, token := range tokens {
		plain, err := unescape(token)
		if err != nil {
			return false
		}
		switch container := v.(type) {
		case map[string]any:
			next, ok := container[plain]
			if !ok {
				// A default object is not there, and neither is what it lacks.
				return i >= len(tokens)-2
			}
			v = next
		case []any:
			n, err := strconv.Atoi(plain)
			if err != nil || n >= len(container) {
				return false
			}
			v = container[n]
		default:
			// The name stood in the object twice, and encoding/json kept the other value.
			return true
		}
	}
	return true
}

// unescape undoes the escapes of RFC 6901, sections 3 and 6.
func unescape(token string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		if token[i] != '%' {
			b.WriteByte(token[i])
			continue
		}
		if i+2 >= len(token) {
			return "", strconv.ErrSyntax
		}
		c, err := strconv.ParseUint(token[i+1:i+3], 16, 8)
		if err != nil {
			return "", err
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(b.String()), nil
}

// decoder turns Decode into a function of any result.
func decoder[T any](doc []byte) (any, error) {
	v, err := contracts.Decode[T](doc)
	return v, err
}

// fuzz seeds the fuzzer with the rows of a contract.
func fuzz(f *testing.F, kind contracts.Kind, decode func([]byte) (any, error)) {
	f.Helper()
	for _, r := range rows[string(kind)] {
		if len(r.doc) < 10_000 {
			f.Add([]byte(r.doc))
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte) { judgeFuzzed(t, doc, decode) })
}

func FuzzDecodeTaskSpec(f *testing.F) { fuzz(f, contracts.KindTaskSpec, decoder[contracts.TaskSpec]) }

func FuzzDecodeBudget(f *testing.F) { fuzz(f, contracts.KindBudget, decoder[contracts.Budget]) }

func FuzzDecodeVerifyContract(f *testing.F) {
	fuzz(f, contracts.KindVerifyContract, decoder[contracts.VerifyContract])
}

func FuzzDecodeToolSpec(f *testing.F) { fuzz(f, contracts.KindToolSpec, decoder[contracts.ToolSpec]) }

func FuzzDecodeEvent(f *testing.F) {
	for _, run := range contractstest.Runs() {
		for _, ev := range run.Events {
			f.Add(contractstest.Document(ev))
		}
	}
	fuzz(f, contracts.KindRunEvent, func(doc []byte) (any, error) {
		ev, err := contracts.DecodeEvent(doc)
		if err == nil {
			// What was read can be written, and read again as the same.
			line, encodeErr := contracts.Encode(ev)
			if encodeErr != nil {
				return nil, encodeErr
			}
			if again, err := contracts.DecodeEvent(line); err != nil || !bytes.Equal(contractstest.Document(again), line) {
				return nil, errors.New("the event changes on its way")
			}
		}
		return ev, err
	})
}

func FuzzDecodeEngineEvents(f *testing.F) {
	for _, line := range goodLines {
		f.Add([]byte(line))
	}
	f.Add([]byte(strings.Join(goodLines, "\n")))
	f.Add([]byte("[" + strings.Join(goodLines, ",") + "]"))
	f.Add([]byte(goodLines[0] + "\n" + engineLine("token", `{}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := contracts.DecodeEngineEvents(body)
		again, errAgain := contracts.DecodeEngineEvents(body)
		if !reflect.DeepEqual(err, errAgain) || !reflect.DeepEqual(events, again) {
			t.Fatal("another result the second time")
		}
		if err == nil {
			return
		}
		var p *contracts.Problem
		if !errors.As(err, &p) || len(p.Errors) == 0 {
			t.Fatalf("got %v", err)
		}
		if !slices.IsSortedFunc(p.Errors, func(a, b contracts.FieldError) int { return strings.Compare(a.Pointer, b.Pointer) }) {
			t.Errorf("not sorted: %s", contractstest.Document(p))
		}
	})
}

func FuzzSchema(f *testing.F) {
	f.Add([]byte(`{"type":"object","properties":{"a":{"$ref":"#/$defs/b"}},"$defs":{"b":{"pattern":"^a+$"}}}`), []byte(`{"a":"b"}`))
	f.Add([]byte(`{"allOf":[{"$ref":"#"}]}`), []byte(`1`))
	f.Add([]byte(`{"$dynamicRef":"#x","$dynamicAnchor":"x"}`), []byte(`[]`))
	f.Fuzz(func(t *testing.T, schema, doc []byte) {
		s, err := contracts.CompileSchema(schema)
		if err != nil {
			var p *contracts.Problem
			if !errors.As(err, &p) || len(p.Errors) == 0 {
				t.Fatalf("got %v", err)
			}
			return
		}
		if got, again := s.Validate(doc), s.Validate(doc); !reflect.DeepEqual(got, again) {
			t.Errorf("got %v, then %v", got, again)
		}
	})
}
