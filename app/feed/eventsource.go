//go:build !js || !wasm

package feed

// silent is a stream that never says anything.
type silent struct{}

// Close implements Source.
func (silent) Close() {}

// OpenEventSource opens a stream that stays silent: there is no browser here.
func OpenEventSource(string, Handlers) Source { return silent{} }
