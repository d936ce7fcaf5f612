//go:build !js

package contracts

import "reflect"

// GenerateScanner returns what the generator says about a struct type.
func GenerateScanner(t reflect.Type) error {
	g := newGenerator(t)
	return g.each(g.scanStruct)
}

// ErrGenerate is what the generator's errors wrap.
var ErrGenerate = errGenerate
