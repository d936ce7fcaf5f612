package parts

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Kept is something that the browser keeps for the reader.
type Kept struct {
	// ID is handed to the callbacks.
	ID string
	// Title tells it from others, Note says how it stands, and NoteTitle when that was, in UTC.
	Title, Note, NoteTitle string
	// Trouble is what is wrong with it.
	Trouble string
	// Href is where it leads.
	Href string
	// Edit and Remove are the words of its buttons; without them it has none.
	Edit, Remove string
}

// KeptList lists what the browser keeps.
type KeptList struct {
	app.Compo

	// Label names the list. An empty one is not shown.
	Label   string
	Entries []Kept
	// Folded says that the entries are shown on demand.
	Folded bool
	// OnEdit and OnRemove are called with the id of an entry.
	OnEdit, OnRemove func(ctx app.Context, id string)
}

// Render implements app.Composer.
func (l *KeptList) Render() app.UI {
	if len(l.Entries) == 0 {
		return app.Div()
	}
	rows := make([]app.UI, 0, len(l.Entries))
	for _, e := range l.Entries {
		rows = append(rows, app.Li().Class("kept-row").DataSet("kept", e.ID).Body(
			app.If(e.Href != "", func() app.UI { return app.A().Class("kept-title", "link").Href(e.Href).Text(e.Title) }).
				Else(func() app.UI { return app.Span().Class("kept-title").Text(e.Title) }),
			app.Span().Class("quiet").Title(e.NoteTitle).Text(e.Note),
			app.If(e.Edit != "", func() app.UI {
				return app.Button().Class("button-inline").Type("button").Aria("label", e.Edit+" "+e.Title).Text(e.Edit).OnClick(l.edit)
			}),
			app.If(e.Remove != "", func() app.UI {
				return app.Button().Class("button-inline").Type("button").Aria("label", e.Remove+" "+e.Title).Text(e.Remove).OnClick(l.remove)
			}),
			app.If(e.Trouble != "", func() app.UI { return app.P().Class("field-error", "kept-trouble").Text(e.Trouble) }),
		))
	}
	return app.Section().Class("panel", "kept").Aria("label", l.Label).Body(
		app.Details().Class("kept-fold").Open(!l.Folded).Body(
			app.Summary().Class("fold-summary").Body(
				app.Span().Class("fold-title").Text(l.Label), app.Span().Class("fold-note").Text(fmt.Sprint(len(l.Entries))),
			),
			app.Ul().Body(rows...),
		),
	)
}

func (l *KeptList) edit(ctx app.Context, _ app.Event) { l.OnEdit(ctx, keptOf(ctx)) }

func (l *KeptList) remove(ctx app.Context, _ app.Event) { l.OnRemove(ctx, keptOf(ctx)) }

// keptOf is the id of the entry that a button belongs to.
func keptOf(ctx app.Context) string {
	return ctx.JSSrc().Call("closest", "[data-kept]").Get("dataset").Get("kept").String()
}
