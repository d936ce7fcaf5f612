package contracts_test

import (
	"encoding/json"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// BenchmarkDecodeTaskSpec stands beside its floor: encoding/json alone, which judges nothing.
func BenchmarkDecodeTaskSpec(b *testing.B) {
	doc := contractstest.Document(fullTask())
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			var v contracts.TaskSpec
			if err := json.Unmarshal(doc, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := contracts.Decode[contracts.TaskSpec](doc); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeEvent(b *testing.B) {
	for _, ev := range contractstest.SucceededRun().Events[:6] {
		line := contractstest.Document(ev)
		b.Run(string(ev.Type), func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := contracts.DecodeEvent(line); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompileSchema(b *testing.B) {
	schema := contractstest.ToolSpec().InputSchema
	for b.Loop() {
		if _, err := contracts.CompileSchema(schema); err != nil {
			b.Fatal(err)
		}
	}
}
