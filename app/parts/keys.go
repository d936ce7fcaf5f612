package parts

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Key is what a key does, for the list that `?` opens.
type Key struct {
	// Key is one key or several, with a space between them, as they are written on it: "j k", "Esc".
	Key string
	// Does says what it does, as an order: "Move to the next event".
	Does string
}

// KeyGroup is keys that belong together.
type KeyGroup struct {
	// Title says where they work.
	Title string
	Keys  []Key
}

// KeyHelp is the dialog that lists the keys of a page. It is the browser's own: Esc closes it, and the focus goes back to
// where it was. ShowKeyHelp opens it.
type KeyHelp struct {
	app.Compo

	// Groups are listed in their order; those without keys are left out.
	Groups []KeyGroup
}

const keyHelpID = "key-help"

// ShowKeyHelp opens the dialog of the page.
func ShowKeyHelp() {
	if dialog := app.Window().GetElementByID(keyHelpID); dialog.Truthy() && !dialog.Get("open").Bool() {
		dialog.Call("showModal")
	}
}

// Render implements app.Composer.
func (h *KeyHelp) Render() app.UI {
	var body []app.UI
	for _, g := range h.Groups {
		if len(g.Keys) == 0 {
			continue
		}
		rows := make([]app.UI, 0, 2*len(g.Keys))
		for _, k := range g.Keys {
			var caps []app.UI
			for key := range strings.FieldsSeq(k.Key) {
				caps = append(caps, app.Kbd().Class("key").Text(key))
			}
			rows = append(rows, app.Dt().Body(caps...), app.Dd().Text(k.Does))
		}
		body = append(body, app.H3().Class("panel-title").Text(g.Title), app.Dl().Class("key-list").Body(rows...))
	}
	return app.Dialog().Class("dialog").ID(keyHelpID).Aria("labelledby", keyHelpID+"-title").Body(
		app.Div().Class("title-row").Body(
			app.H2().Class("title").ID(keyHelpID+"-title").Text("Keys"),
			app.Button().Class("button", "button-quiet").Type("button").Text("Close").OnClick(h.close),
		),
		app.Div().Body(body...),
	)
}

func (h *KeyHelp) close(app.Context, app.Event) {
	app.Window().GetElementByID(keyHelpID).Call("close")
}
