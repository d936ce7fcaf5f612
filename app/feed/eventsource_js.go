//go:build js && wasm

package feed

import (
	"strings"
	"sync"
	"syscall/js"
)

// closed is EventSource.readyState when the source will not reconnect (WHATWG HTML, section 9.2).
const closed = 2

// placed is a stream that is open once this page has one of the places that all pages of the browser share (web/streams.js).
type placed struct {
	source Source // nil before
	closed bool
	give   js.Value // gives the place back, or ends the wait for one
}

// OpenEventSource opens the browser's own EventSource, where the browser has a connection for it.
func OpenEventSource(url string, h Handlers) Source {
	p := &placed{}
	var got js.Func
	got = js.FuncOf(func(_ js.Value, args []js.Value) any {
		got.Release()
		switch {
		case p.closed:
		case args[0].Bool():
			p.source = openEventSource(url, h)
		default:
			h.Crowded()
			h.Lost(true)
		}
		return nil
	})
	p.give = js.Global().Call("axiom25Place", got)
	return p
}

// Close implements Source.
func (p *placed) Close() {
	p.closed = true
	if p.source != nil {
		p.source.Close()
	}
	p.give.Invoke()
}

// eventSource is the browser's EventSource and the functions that it calls.
type eventSource struct {
	value     js.Value
	listeners []js.Func

	// A call from the browser into Go costs as much as folding an event. So messages are collected without one, in waiting,
	// an Array of MessageEvents, and bell is called for the first of them alone.
	waiting, bell js.Value
	handlers      Handlers
}

func openEventSource(url string, h Handlers) *eventSource {
	s := &eventSource{value: js.Global().Get("EventSource").New(url), waiting: js.Global().Get("Array").New(), handlers: h}
	s.value.Call("addEventListener", "message", s.waiting.Get("push").Call("bind", s.waiting))
	s.bell = s.listener(func(js.Value) { h.Waiting(s.flush) })
	s.arm()
	s.listen("open", func(js.Value) { h.Open() })
	s.listen("reset", func(js.Value) { s.flushAll(); h.Reset() })
	s.listen("list", func(event js.Value) { s.flushAll(); h.List(event.Get("data").String()) })
	s.listen("error", func(js.Value) { s.flushAll(); h.Lost(s.value.Get("readyState").Int() == closed) })
	return s
}

// arm has the bell called for the next message.
func (s *eventSource) arm() {
	s.value.Call("addEventListener", "message", s.bell, map[string]any{"once": true})
}

// separator stands between messages on their way into Go: no JSON text contains it as it is (RFC 8259, section 7).
const separator = "\x1e"

// dataOf is a function of the browser that returns the data of the MessageEvent that it is given.
var dataOf = sync.OnceValue(func() js.Value { //nolint:gochecknoglobals // made when the first message comes
	get := js.Global().Get("Object").Call("getOwnPropertyDescriptor", js.Global().Get("MessageEvent").Get("prototype"), "data").Get("get")
	return get.Get("call").Call("bind", get)
})

// flushMost is how many messages come into Go at once: what waits here is memory that the program never gives back.
const flushMost = 512

// flush hands over messages that wait, and returns how many are left.
func (s *eventSource) flush() (left int) {
	if s.waiting.Length() > 0 {
		some := s.waiting.Call("splice", 0, flushMost)
		for message := range strings.SplitSeq(some.Call("map", dataOf()).Call("join", separator).String(), separator) {
			s.handlers.Message(message)
		}
	}
	if left = s.waiting.Length(); left == 0 {
		s.arm()
	}
	return left
}

// flushAll hands over all of them, before something else is said.
func (s *eventSource) flushAll() {
	for s.flush() > 0 {
	}
}

func (s *eventSource) listen(event string, do func(event js.Value)) {
	s.value.Call("addEventListener", event, s.listener(do))
}

// listener is a function that the browser calls with an event, until Close.
func (s *eventSource) listener(do func(event js.Value)) js.Value {
	f := js.FuncOf(func(_ js.Value, args []js.Value) any {
		do(args[0])
		return nil
	})
	s.listeners = append(s.listeners, f)
	return f.Value
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
