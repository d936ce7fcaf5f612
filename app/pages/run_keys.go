package pages

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/contracts"
)

// typesText are the elements that want every key for themselves, and takesArrows those that want the keys without a letter.
const (
	typesText   = `input:not([type=range],[type=checkbox],[type=radio]),textarea,select,[contenteditable],dialog`
	takesArrows = `input,button,a,summary,[role=tab],[popover]`
)

// freeKey returns the key of an event that nothing on the page wants for itself, or none.
func freeKey(event app.Event) string {
	for _, modifier := range [...]string{"ctrlKey", "metaKey", "altKey", "defaultPrevented", "isComposing"} {
		if event.Get(modifier).Bool() {
			return ""
		}
	}
	key, target := event.Get("key").String(), event.Get("target")
	closest := func(selector string) bool {
		return target.Get("closest").Truthy() && target.Call("closest", selector).Truthy()
	}
	if closest(typesText) || len(key) > 1 && key != "Escape" && closest(takesArrows) {
		return ""
	}
	if key == "Escape" && app.Window().Get("document").Call("querySelector", ":popover-open").Truthy() {
		return "" // the browser closes it
	}
	return key
}

// pressed takes a key that is for the page or its view.
func (p *Run) pressed(ctx app.Context, event app.Event) {
	ctx.PreventUpdate() // most keys change nothing here
	key := freeKey(event)
	if key == "" {
		return
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
	case "[":
		p.step(-1)
	case "]":
		p.step(1)
	case "l":
		p.watch.Follow()
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

// step goes from the moment that is shown to one nearby.
func (p *Run) step(by contracts.Seq) {
	seq := p.run.Past
	if seq == 0 {
		seq = p.run.Head.LastSeq
	}
	p.watch.Show(seq + by)
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
			{Key: "[ ]", Does: "Step to the moment before or after"},
			{Key: "l", Does: "Follow the newest events again"},
			{Key: "Esc", Does: "Close the selected event"},
			{Key: "?", Does: "Show this list"},
		}},
	}
}
