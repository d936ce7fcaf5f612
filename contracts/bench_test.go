package contracts_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// measure runs work over size bytes at a time.
func measure(b *testing.B, name string, size int, work func() error) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		b.SetBytes(int64(size))
		b.ReportAllocs()
		for b.Loop() {
			if err := work(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDecodeTaskSpec reads a task that has every field: as the server does (axiom25), by the path that decides
// where the quick one is not sure (full), and beside the floor, encoding/json, which judges nothing.
func BenchmarkDecodeTaskSpec(b *testing.B) {
	doc := contractstest.Document(fullTask())
	measure(b, "axiom25", len(doc), func() error {
		_, err := contracts.Decode[contracts.TaskSpec](doc)
		return err
	})
	measure(b, "full", len(doc), func() error {
		_, err := contracts.DecodeFull[contracts.TaskSpec](doc)
		return err
	})
	measure(b, "encoding_json", len(doc), func() error {
		var v contracts.TaskSpec
		return json.Unmarshal(doc, &v)
	})
}

// tokenLines is a batch of n tokens as an engine reports them.
func tokenLines(n int) []byte {
	var body bytes.Buffer
	for i := range n {
		body.WriteString(engineLine("token", fmt.Sprintf(`{"id":"msg_01HZX","delta":" word%d"}`, i)))
		body.WriteByte('\n')
	}
	return body.Bytes()
}

// jsonLines reads a batch by encoding/json, which judges nothing: envelope first, then the body.
func jsonLines(body []byte) error {
	for line := range bytes.Lines(body) {
		var envelope struct {
			SchemaVersion int                 `json:"schema_version"`
			Type          contracts.EventType `json:"type"`
			Branch        contracts.Branch    `json:"branch"`
			Data          json.RawMessage     `json:"data"`
		}
		if err := json.Unmarshal(line, &envelope); err != nil {
			return err
		}
		if err := json.Unmarshal(envelope.Data, new(contracts.TokenData)); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkDecodeEngineEvents reads batches of tokens.
func BenchmarkDecodeEngineEvents(b *testing.B) {
	for _, n := range []int{1, 20, 1000} {
		body := tokenLines(n)
		measure(b, fmt.Sprintf("axiom25_%d", n), len(body), func() error {
			_, err := contracts.DecodeEngineEvents(body)
			return err
		})
		measure(b, fmt.Sprintf("full_%d", n), len(body), func() error {
			_, err := contracts.DecodeEngineEventsFull(body)
			return err
		})
		measure(b, fmt.Sprintf("encoding_json_%d", n), len(body), func() error { return jsonLines(body) })
	}
}

// eventKinds returns an event of each type that a run without faults has.
func eventKinds() []contracts.RunEvent {
	var list []contracts.RunEvent
	seen := make(map[contracts.EventType]bool)
	for _, ev := range contractstest.SucceededRun().Events {
		if !seen[ev.Type] {
			seen[ev.Type] = true
			list = append(list, ev)
		}
	}
	return list
}

// BenchmarkDecodeEvent reads stored events.
func BenchmarkDecodeEvent(b *testing.B) {
	for _, ev := range eventKinds() {
		line := contractstest.Document(ev)
		measure(b, string(ev.Type)+"/axiom25", len(line), func() error {
			_, err := contracts.DecodeEvent(line)
			return err
		})
		measure(b, string(ev.Type)+"/full", len(line), func() error {
			_, err := contracts.DecodeEventFull(line)
			return err
		})
	}
}

// BenchmarkEncodeEvent writes events as they are stored.
func BenchmarkEncodeEvent(b *testing.B) {
	for _, ev := range eventKinds() {
		size := len(contractstest.Document(ev))
		measure(b, string(ev.Type)+"/axiom25", size, func() error {
			_, err := contracts.Encode(ev)
			return err
		})
		measure(b, string(ev.Type)+"/encoding_json", size, func() error {
			_, err := contracts.EncodeFull(ev)
			return err
		})
	}
}

// BenchmarkInvalid stands beside its floor: the same document without its twenty problems, by the same path.
func BenchmarkInvalid(b *testing.B) {
	valid, invalid := []byte(plantedTask(0).doc), []byte(plantedTask(20).doc)
	measure(b, "valid_full", len(valid), func() error {
		_, err := contracts.DecodeFull[contracts.TaskSpec](valid)
		return err
	})
	measure(b, "20_problems", len(invalid), func() error {
		if _, err := contracts.Decode[contracts.TaskSpec](invalid); err == nil {
			return fmt.Errorf("no problem in %s", invalid)
		}
		return nil
	})
}

func BenchmarkCompileSchema(b *testing.B) {
	schema := contractstest.ToolSpec().InputSchema
	measure(b, "tool", len(schema), func() error {
		_, err := contracts.CompileSchema(schema)
		return err
	})
}
