package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// packageSize is how many bytes of a program are a package's functions.
type packageSize struct {
	path  string
	bytes int
}

// sizesShown is how many packages a table of sizes has.
const sizesShown = 15

// sizes compiles the console with the names of its functions and says which packages they are of, the largest first. What is no
// package's, such as the program's data, stands under a name in parentheses.
func (b builder) sizes(ctx context.Context) ([]packageSize, error) {
	program, packages, err := b.link(ctx, "-ldflags=-w")
	if err != nil {
		return nil, err
	}
	return attribute(program, packages)
}

// table writes the largest packages, one a line.
func table(sizes []packageSize) string {
	var t strings.Builder
	for _, s := range sizes[:min(sizesShown, len(sizes))] {
		fmt.Fprintf(&t, "%8.1f kB  %s\n", float64(s.bytes)/1e3, s.path)
	}
	return t.String()
}

// unnamed is what the linker replaces in the names of functions.
var unnamed = regexp.MustCompile(`[^\w.]`)

// errWasm says that a program is not as the WebAssembly Core Specification describes it, or has no names.
var errWasm = errors.New("the program cannot be read")

// The ids of a module's sections and of the names' part that is read (WebAssembly Core Specification 2.0, sections 5.5 and 7.4).
const (
	sectionCustom = 0
	sectionImport = 2
	sectionCode   = 10
	sectionData   = 11
	functionNames = 1
)

// attribute divides a program among its packages by the names of its functions.
func attribute(program []byte, packages []string) ([]packageSize, error) {
	of := make(map[string]string, len(packages))
	for _, path := range packages {
		of[unnamed.ReplaceAllString(path, "_")] = path
	}
	r := reader{rest: program[min(8, len(program)):]}
	var bodies []int
	names := make(map[int]string)
	imported, sum := 0, make(map[string]int)
	for len(r.rest) > 0 && !r.failed {
		id := r.byte()
		section := reader{rest: r.bytes(r.number())}
		switch id {
		case sectionImport:
			imported = section.number() // of a Go program all are functions
		case sectionCode:
			for range section.number() {
				size := section.number()
				section.bytes(size)
				bodies = append(bodies, size)
			}
		case sectionData:
			sum["(data)"] += len(section.rest)
		case sectionCustom:
			if string(section.bytes(section.number())) == "name" {
				names = section.names()
			}
		}
		r.failed = r.failed || section.failed
	}
	if r.failed || len(names) == 0 {
		return nil, errWasm
	}
	for i, size := range bodies {
		sum[packageOf(names[imported+i], of)] += size
	}
	sizes := make([]packageSize, 0, len(sum))
	for path, n := range sum {
		sizes = append(sizes, packageSize{path, n})
	}
	slices.SortFunc(sizes, func(a, b packageSize) int { return cmp.Or(b.bytes-a.bytes, strings.Compare(a.path, b.path)) })
	return sizes, nil
}

// packageOf is the package of the longest path that a function's name begins with.
func packageOf(name string, of map[string]string) string {
	path := "(other)"
	for i := range name {
		if name[i] == '.' && of[name[:i]] != "" {
			path = of[name[:i]]
		}
	}
	return path
}

// reader reads a module. After something that is not there it has failed, and reads nothing.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) number() int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > 1<<31 {
		r.failed, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.rest) {
		r.failed, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	b := r.bytes(1)
	if r.failed {
		return 0
	}
	return b[0]
}

// names reads the names of the functions by their indices.
func (r *reader) names() map[int]string {
	names := make(map[int]string)
	for len(r.rest) > 0 {
		id := r.byte()
		part := reader{rest: r.bytes(r.number())}
		if id != functionNames {
			continue
		}
		for range part.number() {
			index := part.number()
			names[index] = string(bytes.Clone(part.bytes(part.number())))
		}
		r.failed = r.failed || part.failed
	}
	return names
}
