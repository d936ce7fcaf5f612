package store

import goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

// Listen calls do on the goroutine that draws for each event of a target, such as the document, until stop is called. The
// browser waits for do, which can therefore prevent what the event would do.
func Listen(ctx goapp.Context, target goapp.Value, event string, do func(ctx goapp.Context, event goapp.Event)) (stop func()) {
	if goapp.IsServer {
		return func() {}
	}
	call := goapp.FuncOf(func(_ goapp.Value, args []goapp.Value) any {
		ctx.Dispatch(func(ctx goapp.Context) { do(ctx, goapp.Event{Value: args[0]}) })
		return nil
	})
	target.Call("addEventListener", event, call)
	return func() {
		target.Call("removeEventListener", event, call)
		call.Release()
	}
}

// visible reports whether the page can be seen.
func visible() bool {
	return goapp.Window().Get("document").Get("visibilityState").String() != "hidden"
}

// online reports whether the browser has a network at all. One that has may still not reach the server, and the server of
// its own machine it reaches without.
func online() bool { return !goapp.Window().Get("navigator").Get("onLine").Equal(goapp.ValueOf(false)) }
