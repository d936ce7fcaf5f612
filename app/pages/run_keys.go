package pages

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
)

// listener is a function that the browser calls for an event of an object other than the page's own elements.
type listener struct {
	target app.Value
	event  string
	call   app.Func
}

// listen calls do on the goroutine that draws for each event of a target, until the listener is stopped.
func listen(ctx app.Context, target app.Value, event string, do func(ctx app.Context, event app.Event)) listener {
	call := app.FuncOf(func(_ app.Value, args []app.Value) any {
		// The browser waits for what is dispatched here, so that do can still prevent what the event would do.
		ctx.Dispatch(func(ctx app.Context) { do(ctx, app.Event{Value: args[0]}) })
		return nil
	})
	target.Call("addEventListener", event, call)
	return listener{target: target, event: event, call: call}
}

// stop ends it.
func (l listener) stop() {
	l.target.Call("removeEventListener", l.event, l.call)
	l.call.Release()
}

// typesText are the elements that want every key for themselves, and takesArrows those that want the keys without a letter.
const (
	typesText   = `input:not([type=range],[type=checkbox],[type=radio]),textarea,select,[contenteditable],dialog`
	takesArrows = `input,button,a,summary,[role=tab],[popover]`
)

// pressed takes a key that is for the page or its view.
func (p *Run) pressed(ctx app.Context, event app.Event) {
	ctx.PreventUpdate() // most keys change nothing here
	for _, modifier := range [...]string{"ctrlKey", "metaKey", "altKey", "defaultPrevented", "isComposing"} {
		if event.Get(modifier).Bool() {
			return
		}
	}
	key, target := event.Get("key").String(), event.Get("target")
	closest := func(selector string) bool {
		return target.Get("closest").Truthy() && target.Call("closest", selector).Truthy()
	}
	if closest(typesText) || len(key) > 1 && key != "Escape" && closest(takesArrows) {
		return
	}
	if key == "Escape" && app.Window().Get("document").Call("querySelector", ":popover-open").Truthy() {
		return // the browser closes it
	}
	if p.view.Key != nil && p.view.Key(ctx, key) || p.take(ctx, key) {
		event.PreventDefault()
		ctx.Update()
	}
}

// take does what a key of the page stands for, and reports whether it is one.
func (p *Run) take(ctx app.Context, key string) bool {
	views := p.runViews()
	if len(key) == 1 && key[0] >= '1' && int(key[0]-'1') < len(views) {
		p.show(ctx, views[key[0]-'1'].Name)
		return true
	}
	switch key {
	case "?":
		parts.ShowKeyHelp()
	case "Escape":
		if p.view.Selected == 0 {
			return false
		}
		p.choose(ctx, 0)
	default:
		return false
	}
	return true
}

// keys lists the keys of the page and of the view that is shown.
func (p *Run) keys() []parts.KeyGroup {
	var shown string
	views := p.runViews()
	for _, v := range views {
		if v.Name == p.shown {
			shown = v.Title
		}
	}
	return []parts.KeyGroup{
		{Title: shown, Keys: p.view.Keys},
		{Title: "The run", Keys: []parts.Key{
			{Key: "1 … 6", Does: "Show the answer, timeline, events, tools, verdict or task"},
			{Key: "Esc", Does: "Close the selected event"},
			{Key: "?", Does: "Show this list"},
		}},
	}
}
