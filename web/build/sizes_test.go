package main

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// part is a section or a name with its length before it.
func part(content ...byte) []byte { return append(length(len(content)), content...) }

// length writes a length below 128, as all are here.
func length(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) } //nolint:gosec // a length

// module is a program of one imported function and three of its own, which have these names.
func module(names ...string) []byte {
	m := []byte("\x00asm\x01\x00\x00\x00")
	m = append(append(m, sectionImport), part(1, 1, 'g', 1, 'f', 0, 0)...)
	m = append(append(m, sectionCode), part(3, 2, 0, 0x0b, 4, 0, 1, 1, 0x0b, 3, 0, 1, 0x0b)...)
	m = append(append(m, sectionData), part(1, 2, 3, 4, 5)...)
	list := length(len(names))
	for i, name := range names {
		list = append(append(list, byte(i)), part([]byte(name)...)...)
	}
	return append(append(m, sectionCustom), part(slices.Concat(part([]byte("name")...), []byte{functionNames}, part(list...))...)...)
}

func TestAttribute(t *testing.T) {
	t.Parallel()
	packages := []string{"strings", "example.com/a-b", "example.com/a-b/c", "unused"}
	sizes, err := attribute(module("imported", "strings.Cut", "example.com_a_b_c.__T_.F", "type_.eq.x"), packages)
	want := []packageSize{{"(data)", 5}, {"example.com/a-b/c", 4}, {"(other)", 3}, {"strings", 2}}
	if err != nil || !slices.Equal(sizes, want) {
		t.Errorf("%v, %v; want %v", sizes, err, want)
	}
	if got := table(sizes); !strings.HasPrefix(got, "     0.0 kB  (data)\n") || strings.Count(got, "\n") != 4 {
		t.Errorf("table\n%s", got)
	}
	whole := module("imported", "strings.Cut", "x", "y")
	for _, damaged := range [][]byte{nil, whole[:len(whole)-3], whole[:30], module()[:9]} {
		if _, err := attribute(damaged, packages); !errors.Is(err, errWasm) {
			t.Errorf("%x gives %v", damaged, err)
		}
	}
}
