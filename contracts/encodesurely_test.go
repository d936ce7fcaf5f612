//go:build !js

package contracts_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// TestEncodeSurelyAgrees holds the quick way of writing against encoding/json, byte for byte.
func TestEncodeSurelyAgrees(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(25, 9)) //nolint:gosec // a fixed seed, so that a failure comes back
	seeds := seedsOf(edition{contracts.KindRunEvent, contracts.Version})
	m := contractstest.NewMutator(random, seeds)
	written, total := 0, mutants
	if testing.Short() || slow {
		total /= 20
	}
	for i := range total {
		doc := m.Document()
		if i < len(seeds) {
			doc = seeds[i]
		}
		ev, err := contracts.DecodeEventFull(respell(random, doc))
		if err != nil {
			continue
		}
		for _, v := range []any{ev, &ev, contracts.Appended{Seq: ev.Seq, Events: []contracts.RunEvent{ev, ev}}} {
			if checkEncoded(t, v) {
				written++
			}
		}
	}
	t.Logf("wrote %d values the quick way", written)
	if written < total/10 {
		t.Errorf("wrote %d values only", written)
	}
}

// checkEncoded compares what is written, and reports whether the quick way was sure.
func checkEncoded(t *testing.T, v any) bool {
	t.Helper()
	got, sure := contracts.EncodeSurely(v)
	want, err := contracts.EncodeFull(v)
	if sure && (err != nil || !bytes.Equal(got, want)) {
		t.Errorf("got  %s\nwant %s, %v", got, want, err)
	}
	if doc, errDoc := contracts.Encode(v); !bytes.Equal(doc, want) || (err == nil) != (errDoc == nil) {
		t.Errorf("Encode: got %s, %v, want %s, %v", doc, errDoc, want, err)
	}
	return sure
}

// TestEncodeSurelyOfHardValues writes what no document says.
func TestEncodeSurelyOfHardValues(t *testing.T) {
	hard := contracts.RunEvent{SchemaVersion: 2, RunID: contractstest.RunID(1), Seq: 1, Type: contracts.EventToken}
	var nothing *contracts.RunEvent
	var noToken *contracts.TokenData
	checkEncoded(t, nothing)
	checkEncoded(t, contracts.Appended{})
	checkEncoded(t, contracts.Appended{Events: []contracts.RunEvent{}})
	for _, data := range []contracts.EventData{
		nil, noToken,
		contracts.UnknownData{},
		contracts.UnknownData{Raw: json.RawMessage(`{ "a": 1 }`)},
		&contracts.EngineBudget{}, &contracts.StatusData{}, &contracts.VerdictData{}, &contracts.ToolEndData{},
		&contracts.StatusData{Tools: map[string]contracts.Digest{}},
		&contracts.StatusData{Tools: map[string]contracts.Digest{"b": "2", "a\n": "1", "<": ">", "é": ""}},
		&contracts.ToolStartData{}, &contracts.ToolStartData{Args: json.RawMessage{}}, &contracts.ToolStartData{Args: json.RawMessage(`{`)},
		&contracts.ToolStartData{Args: json.RawMessage("\n{ \"a b\" : [ 1 , \"\\\" \" ]\t}\r ")},
		&contracts.ToolStartData{Args: json.RawMessage(`{"a":1,"a":2}`)}, &contracts.ToolStartData{Args: json.RawMessage("\"<\u2028>\"")},
		&contracts.ErrorData{Problem: contracts.Problem{Errors: []contracts.FieldError{{Params: map[string]any{"b": 1.5, "a": []string{"<"}}}}}},
		&contracts.ErrorData{Problem: contracts.Problem{Errors: []contracts.FieldError{{Params: map[string]any{"b": make(chan int)}}}}},
		&contracts.DoneData{Output: new("")}, &contracts.VerdictData{Score: new(0.1), Results: []contracts.CheckResult{}},
	} {
		hard.Data = data
		checkEncoded(t, hard)
	}
	random := rand.New(rand.NewPCG(25, 11)) //nolint:gosec // a fixed seed, so that a failure comes back
	for range 2_000 {
		b := make([]byte, random.IntN(12))
		for i := range b {
			b[i] = byte(random.Uint32() & 0xff)
		}
		text := string(b)
		if random.IntN(2) == 0 {
			text += pick(random, []string{"\u2028", "\u2029", "\ufffd", "𝄞", "<>&", "\x7f", `\"`, "\x00\b\f\n\r\t\x1f"})
		}
		hard.Data = &contracts.TokenData{ID: text, Delta: text, Attempt: random.Int64() - random.Int64()}
		hard.Branch, hard.Time = contracts.Branch(text), contracts.Time(random.Int64N(1<<49)-1<<40)
		checkEncoded(t, hard)
	}
}
