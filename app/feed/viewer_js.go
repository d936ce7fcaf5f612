//go:build js && wasm

package feed

import "syscall/js"

// View opens a stream for somebody who wants to see its frames. phase is called with open, lost while the browser comes back
// by itself, and closed where it does not.
func View(url string, frame func(ViewedFrame), phase func(string)) Source {
	s := &eventSource{value: js.Global().Get("EventSource").New(url)}
	for _, event := range [...]string{"message", "reset", "problem", "list"} {
		s.listen(event, func(e js.Value) {
			frame(ViewedFrame{ID: e.Get("lastEventId").String(), Event: event, Data: e.Get("data").String()})
		})
	}
	s.listen("open", func(js.Value) { phase("open") })
	s.listen("error", func(js.Value) {
		if s.value.Get("readyState").Int() == closed {
			phase("closed")
			return
		}
		phase("lost")
	})
	return s
}
