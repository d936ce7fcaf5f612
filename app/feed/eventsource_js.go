//go:build js && wasm

package feed

import "syscall/js"

// closed is EventSource.readyState when the source will not reconnect (WHATWG HTML, section 9.2).
const closed = 2

// eventSource is the browser's EventSource and the functions that it calls.
type eventSource struct {
	value     js.Value
	listeners []js.Func
}

// OpenEventSource opens the browser's own EventSource.
func OpenEventSource(url string, h Handlers) Source {
	s := &eventSource{value: js.Global().Get("EventSource").New(url)}
	s.listen("open", func(js.Value) { h.Open() })
	s.listen("message", func(event js.Value) { h.Message(event.Get("data").String()) })
	s.listen("reset", func(js.Value) { h.Reset() })
	s.listen("list", func(event js.Value) { h.List(event.Get("data").String()) })
	s.listen("error", func(js.Value) { h.Lost(s.value.Get("readyState").Int() == closed) })
	return s
}

func (s *eventSource) listen(event string, do func(event js.Value)) {
	f := js.FuncOf(func(_ js.Value, args []js.Value) any {
		do(args[0])
		return nil
	})
	s.value.Call("addEventListener", event, f)
	s.listeners = append(s.listeners, f)
}

// Close implements Source. The listeners are kept until the browser's queue is surely empty: it may still call
// one whose event was dispatched before.
func (s *eventSource) Close() {
	s.value.Call("close")
	var release js.Func
	release = js.FuncOf(func(js.Value, []js.Value) any {
		for _, f := range s.listeners {
			f.Release()
		}
		release.Release()
		return nil
	})
	js.Global().Call("setTimeout", release, 1000)
}
