//go:build js && wasm

package store

import (
	"context"
	"sync"
	"syscall/js"
	"time"

	"axiom25/app/command"
	"axiom25/app/shelf"
)

// queueName names the lock and the channel of all tabs.
const queueName = "axiom25.queue"

// TabQueue returns this tab's end of the queue.
var TabQueue = sync.OnceValue(func() *Queue { //nolint:gochecknoglobals // a function that remembers
	channel := js.Global().Get("BroadcastChannel").New(queueName)
	q := NewQueue(shelf.Browser(), command.Client{}, alone, func() { channel.Call("postMessage", "") })
	channel.Set("onmessage", js.FuncOf(func(js.Value, []js.Value) any {
		go q.Hear()
		return nil
	}))
	return q
})

// queueRest is how long the queue waits at the start of a page, which is to be drawn first.
const queueRest = time.Second

// ServeQueue sends what waits for as long as the tab is open: at once when the browser is online again or the page is looked
// at, and now and then in between.
func ServeQueue() {
	go func() {
		time.Sleep(queueRest)
		q := TabQueue()
		ring := js.FuncOf(func(js.Value, []js.Value) any {
			q.Ring()
			return nil
		})
		js.Global().Call("addEventListener", "online", ring)
		js.Global().Get("document").Call("addEventListener", "visibilitychange", ring)
		q.Serve(context.Background())
	}()
}

// alone runs do while this tab holds the lock that all tabs ask for (Web Locks API, W3C). A page that did not come over a safe
// connection has no locks; there the idempotency key alone sees to it that a submission becomes one run.
func alone(do func()) {
	locks := js.Global().Get("navigator").Get("locks")
	if !locks.Truthy() {
		do()
		return
	}
	granted, done := make(chan js.Value, 1), make(chan struct{})
	executor := js.FuncOf(func(_ js.Value, args []js.Value) any {
		granted <- args[0]
		return nil
	})
	defer executor.Release()
	held := js.FuncOf(func(js.Value, []js.Value) any { return js.Global().Get("Promise").New(executor) })
	defer held.Release()
	released := js.FuncOf(func(js.Value, []js.Value) any {
		close(done)
		return nil
	})
	defer released.Release()
	locks.Call("request", queueName, held).Call("then", released, released)
	select {
	case release := <-granted:
		do()
		release.Invoke()
		<-done
	case <-done: // the browser would not give it
		do()
	}
}
