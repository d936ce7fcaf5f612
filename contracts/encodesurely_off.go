//go:build js || bootstrap

package contracts

// encodeSurely says that nothing is sure to be written in another way than by encoding/json. In the browser because it
// writes a command now and then, and no events: 30 kB of app.wasm (brotli) for nothing that a reader notices. In the
// build that generates the code because it cannot depend on it.
func encodeSurely(any) ([]byte, bool) { return nil, false }
