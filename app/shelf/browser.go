//go:build !js || !wasm

package shelf

// Browser returns a shelf that forgets: there is no browser here.
func Browser() Shelf { return NewMemory() }
