//go:build js && wasm

package command

import (
	"context"
	"syscall/js"
	"time"

	"axiom25/app/promise"
)

// BrowserFetch sends a request with the browser's own fetch, which costs the program nothing, where net/http's
// client would cost 1.2 MB.
func BrowserFetch(ctx context.Context, r Request) (Response, error) {
	abort := js.Global().Get("AbortController").New()
	header := map[string]any{"Accept": "application/json"}
	if r.Body != nil {
		header["Content-Type"] = "application/json"
	}
	for name, value := range r.Header {
		header[name] = value
	}
	options := map[string]any{
		"method":      r.Method,
		"headers":     header,
		"signal":      abort.Get("signal"),
		"cache":       "no-store",
		"credentials": "same-origin",
	}
	if r.Body != nil {
		options["body"] = string(r.Body)
	}
	if r.Static {
		options["cache"] = "default"
	}
	stop := context.AfterFunc(ctx, func() { abort.Call("abort") })
	defer stop()

	sent := time.Now() //nolint:forbidigo // the browser's clock is what is measured
	res, err := promise.Await(js.Global().Call("fetch", r.Path, options))
	if err != nil {
		return Response{}, err
	}
	received := time.Now() //nolint:forbidigo // as above
	text, err := promise.Await(res.Call("text"))
	if err != nil {
		return Response{}, err
	}
	field := func(name string) string {
		if value := res.Get("headers").Call("get", name); value.Truthy() {
			return value.String()
		}
		return ""
	}
	asked := make(map[string]string)
	for _, name := range r.Asked {
		if value := field(name); value != "" {
			asked[name] = value
		}
	}
	return Response{
		Status: res.Get("status").Int(), Body: []byte(text.String()), Header: asked,
		Date: field("Date"), RetryAfter: field("Retry-After"), Sent: sent, Received: received,
	}, nil
}
