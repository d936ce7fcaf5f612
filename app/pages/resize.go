package pages

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// resizeObserver tells when an element has another size (Resize Observer, W3C).
type resizeObserver struct {
	observer app.Value
	called   app.Func
}

// observeSize calls do whenever the element with an id has got another size, and once at the start.
func observeSize(ctx app.Context, id string, do func()) *resizeObserver {
	element, class := app.Window().GetElementByID(id), app.Window().Get("ResizeObserver")
	if !element.Truthy() || !class.Truthy() {
		return nil
	}
	r := &resizeObserver{}
	r.called = app.FuncOf(func(app.Value, []app.Value) any {
		ctx.Dispatch(func(app.Context) { do() })
		return nil
	})
	r.observer = class.New(r.called)
	r.observer.Call("observe", element)
	return r
}

// close ends it. A nil one has nothing to end.
func (r *resizeObserver) close() {
	if r == nil {
		return
	}
	r.observer.Call("disconnect")
	r.called.Release()
}
