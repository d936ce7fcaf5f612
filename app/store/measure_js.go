//go:build js && wasm

package store

import "syscall/js"

// measured runs work and enters it into the browser's timeline, where its developer tools show it and scripts can read
// it as a measure of this name (User Timing, W3C).
func measured(name string, work func()) {
	performance := js.Global().Get("performance")
	start := performance.Call("now")
	work()
	performance.Call("measure", name, map[string]any{"start": start})
}

// untilIdle waits until the browser has nothing to draw or to answer, or for as long as a reader takes to begin typing.
// A browser without requestIdleCallback is given a moment.
func untilIdle() {
	idle := make(chan struct{})
	wake := js.FuncOf(func(js.Value, []js.Value) any {
		close(idle)
		return nil
	})
	defer wake.Release()
	if window := js.Global(); window.Get("requestIdleCallback").Truthy() {
		window.Call("requestIdleCallback", wake, map[string]any{"timeout": 200})
	} else {
		window.Call("setTimeout", wake, 20)
	}
	<-idle
}
