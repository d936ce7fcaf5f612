package store_test

import (
	"slices"
	"strings"
	"testing"

	"axiom25/app/store"
	"axiom25/contracts"
)

// TestJudgeTakesBothVersions shows the console documents of the version before, the current one and the one to come.
func TestJudgeTakesBothVersions(t *testing.T) {
	t.Parallel()
	for kind, document := range map[contracts.Kind]string{
		contracts.KindTaskSpec:       `{"schema_version":N,"goal":"g"}`,
		contracts.KindBudget:         `{"schema_version":N}`,
		contracts.KindVerifyContract: `{"schema_version":N,"scorers":[{"id":"a","type":"exact","reference":"x"}]}`,
		contracts.KindToolSpec:       `{"schema_version":N,"name":"t","version":"1.0.0","description":"d","input_schema":{"type":"object"},"effect":"read"}`,
	} {
		for _, version := range []string{"1", "2"} {
			if got := store.Judge(kind, strings.Replace(document, "N", version, 1)); !got.Valid {
				t.Errorf("%s of version %s: %+v", kind, version, got.Problem)
			}
		}
		got := store.Judge(kind, strings.Replace(document, "N", "3", 1))
		p := got.Problem
		if p == nil || !p.Has(contracts.ProblemUnsupportedVersion) || p.Requested == nil || *p.Requested != 3 || !slices.Equal(p.Supported, []int{1, 2}) {
			t.Fatalf("%s of version 3: %+v", kind, got)
		}
		if len(got.Places) != 1 || got.Places[0].Start != strings.Index(document, "N") || got.Places[0].End != got.Places[0].Start+1 {
			t.Errorf("%s of version 3: shown at %+v", kind, got.Places)
		}
	}
}
