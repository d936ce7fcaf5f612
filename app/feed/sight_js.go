//go:build js && wasm

package feed

import "syscall/js"

// browserSight reports whether the page can be seen, and calls change when that changes (Page Visibility, W3C).
func browserSight(change func(seen bool)) (seen bool, stop func()) {
	document := js.Global().Get("document")
	visible := func() bool { return document.Get("visibilityState").String() != "hidden" }
	listener := js.FuncOf(func(js.Value, []js.Value) any {
		change(visible())
		return nil
	})
	document.Call("addEventListener", "visibilitychange", listener)
	return visible(), func() {
		document.Call("removeEventListener", "visibilitychange", listener)
		listener.Release()
	}
}
