//go:build !js

package contracts_test

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"testing"

	"axiom25/contracts"
)

// TestGeneratedIsFresh generates the code again.
func TestGeneratedIsFresh(t *testing.T) {
	files, err := contracts.Generated()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(name) //nolint:gosec // one of the generated files
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is out of date, run make gen (%v)", name, err)
		}
	}
}

// TestGeneratorRefuses shows that what the generated code could not say fails, and is not left out.
func TestGeneratorRefuses(t *testing.T) {
	type absentBreaksARule struct {
		A int `json:"a,omitempty" validate:"gte=1"`
	}
	type part struct {
		B bool `json:"b" default:"true"`
	}
	type optionalStruct struct {
		A part `json:"a,omitzero"`
	}
	type bodyWithoutType struct {
		Data contracts.EventData `json:"data"`
	}
	type elementsThatMayBeAbsent struct {
		A []*int `json:"a" validate:"max=3"`
	}
	for _, typ := range []reflect.Type{
		reflect.TypeFor[absentBreaksARule](), reflect.TypeFor[optionalStruct](), reflect.TypeFor[bodyWithoutType](),
		reflect.TypeFor[elementsThatMayBeAbsent](),
		reflect.TypeFor[contracts.ForkRequest](), // a document within a document
	} {
		if err := contracts.GenerateScanner(typ); !errors.Is(err, contracts.ErrGenerate) {
			t.Errorf("%s: got %v", typ, err)
		}
	}
	if err := contracts.GenerateScanner(reflect.TypeFor[contracts.CancelRequest]()); err != nil {
		t.Error(err)
	}
}
