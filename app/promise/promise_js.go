//go:build js && wasm

package promise

import (
	"context"
	"fmt"
	"syscall/js"
)

// Error is what the browser threw, or rejected a promise with. Name is a DOMException's, such as QuotaExceededError.
type Error struct{ Name, Message string }

// Error implements error.
func (e *Error) Error() string { return e.Name + ": " + e.Message }

// ErrorOf reads an exception; nil where there is none.
func ErrorOf(v js.Value) error {
	if v.IsNull() || v.IsUndefined() {
		return nil
	}
	if v.Type() != js.TypeObject {
		return &Error{Name: "Error", Message: fmt.Sprint(v)}
	}
	return &Error{Name: v.Get("name").String(), Message: v.Get("message").String()}
}

// Try calls the browser, and returns what it throws as an Error.
func Try(call func() js.Value) (v js.Value, err error) {
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case js.Error:
			err = ErrorOf(thrown.Value)
		default:
			panic(thrown)
		}
	}()
	return call(), nil
}

// Await blocks the goroutine until a promise is settled. The error is an Error.
func Await(promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)
	then := js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{value: args[0]}
		return nil
	})
	defer then.Release()
	catch := js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{err: ErrorOf(args[0])}
		return nil
	})
	defer catch.Release()
	promise.Call("then", then, catch)
	o := <-settled
	return o.value, o.err
}

// Event blocks the goroutine until one of these events happens to target, and returns which. The error is the context's,
// where that ends before. It takes the target's handler properties, so that there can be one wait on it at a time, which has
// to begin before the caller lets the browser go on.
func Event(ctx context.Context, target js.Value, events ...string) (string, error) {
	happened := make(chan string, len(events))
	for _, event := range events {
		handler := js.FuncOf(func(js.Value, []js.Value) any {
			select {
			case happened <- event:
			default:
			}
			return nil
		})
		defer handler.Release()
		target.Set("on"+event, handler)
		defer target.Set("on"+event, nil)
	}
	select {
	case event := <-happened:
		return event, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
