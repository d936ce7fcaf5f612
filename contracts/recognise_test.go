package contracts_test

import (
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

func TestRecognise(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]contracts.Kind{
		`{"goal":"a"}`:                           contracts.KindTaskSpec,
		`{"goal":"a","budget":{"max_tokens":1}}`: contracts.KindTaskSpec,
		`{"time_s":3}`:                           contracts.KindBudget,
		`{"refusal_threshold":0.5}`:              contracts.KindVerifyContract,
		`{"effect":"read","goal`:                 contracts.KindToolSpec,
		`{"run_id":1,"run_id":2}`:                contracts.KindRunEvent,
		`[]`:                                     contracts.KindTaskSpec,
		`{`:                                      "",
		`{"schema_version":2}`:                   "",
		`{"goal":"a","effect":"read"}`:           "",
		``:                                       contracts.KindTaskSpec,
	} {
		if got, ok := contracts.Recognise([]byte(doc)); got != want || ok != (want != "") {
			t.Errorf("%s is taken for %q, %t; want %q", doc, got, ok, want)
		}
	}
	for _, kind := range contracts.Kinds() {
		for _, doc := range contractstest.ValidDocuments(kind) {
			got, ok := contracts.Recognise(doc)
			if string(doc) == `{"schema_version":2}` { // a budget without limits bears no mark
				continue
			}
			if got != kind || !ok {
				t.Errorf("a %s is taken for %q, %t: %s", kind, got, ok, doc)
			}
		}
	}
}

func TestVersionOf(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]int64{
		`{"goal":"a","schema_version":1}`: 1, `{"schema_version":9,`: 9, `{"schema_version":"2"}`: 0, `{}`: 0, `[`: 0,
	} {
		if got, ok := contracts.VersionOf([]byte(doc)); got != want || ok != (want != 0) {
			t.Errorf("%s names version %d, %t; want %d", doc, got, ok, want)
		}
	}
}

func TestReadable(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		`{"a":[1,2.50,"\u00e9"]}`: "{\n  \"a\": [\n    1,\n    2.50,\n    \"\\u00e9\"\n  ]\n}\n",
		`{`:                       `{`,
	} {
		if got := string(contracts.Readable([]byte(doc))); got != want {
			t.Errorf("%s reads\n%s\nwant\n%s", doc, got, want)
		}
	}
}
