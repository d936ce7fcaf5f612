//go:build !js || !wasm

package feed

// View opens a stream that stays silent: there is no browser here.
func View(string, func(ViewedFrame), func(phase string)) Source { return silent{} }
