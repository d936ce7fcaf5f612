//go:build js || bootstrap

package contracts

// sure says that nothing is sure: every document takes the full path, which decides everywhere. In the browser because
// the code of the quick one would not fit into app.wasm, whose reader has one document at a time; in the build that
// generates that code because it cannot depend on it.
func (u unit) sure(any) bool { return false }

// sureEvents says so of a batch.
func sureEvents([]byte) ([]EngineEvent, bool) { return nil, false }

// encodeSurely says that nothing is sure to be written in another way than by encoding/json.
func encodeSurely(any) ([]byte, bool) { return nil, false }
