package parts

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Tab is one of several views of the same thing.
type Tab struct {
	// Name is its name in an address, Title what the reader sees.
	Name, Title string
	// Count stands behind the title; nothing where 0.
	Count int
}

// Tabs lets the reader choose a view. The view itself has the id "view" and is labelled by "tab-" and its name. The arrow keys
// move between tabs (ARIA Authoring Practices, tabs with automatic activation).
type Tabs struct {
	app.Compo

	// Label names the group.
	Label string
	// Tabs are shown in their order, and Shown is the name of the one that is open.
	Tabs  []Tab
	Shown string
	// OnShow is called with the name of the reader's choice.
	OnShow func(ctx app.Context, name string)
}

// Render implements app.Composer.
func (t *Tabs) Render() app.UI {
	tabs := make([]app.UI, 0, len(t.Tabs))
	for _, tab := range t.Tabs {
		index := -1
		if tab.Name == t.Shown {
			index = 0
		}
		tabs = append(tabs, app.Button().Class("tab").Type("button").ID("tab-"+tab.Name).Role("tab").
			Aria("selected", strconv.FormatBool(tab.Name == t.Shown)).Aria("controls", "view").TabIndex(index).
			DataSet("name", tab.Name).OnClick(t.clicked).OnKeyDown(t.pressed).
			Body(
				app.Span().Text(tab.Title),
				app.Span().Class("tab-count").Text(countOrNothing(tab.Count)),
			))
	}
	return app.Div().Class("tabs").Role("tablist").Aria("label", t.Label).Body(tabs...)
}

func (t *Tabs) clicked(ctx app.Context, _ app.Event) {
	t.show(ctx, ctx.JSSrc().Get("dataset").Get("name").String())
}

// pressed moves to the neighbour that an arrow key points at, and around the ends.
func (t *Tabs) pressed(ctx app.Context, event app.Event) {
	var step int
	switch event.Get("key").String() {
	case "ArrowRight":
		step = 1
	case "ArrowLeft":
		step = len(t.Tabs) - 1
	default:
		return
	}
	event.PreventDefault()
	for i, tab := range t.Tabs {
		if tab.Name == t.Shown {
			next := t.Tabs[(i+step)%len(t.Tabs)].Name
			t.show(ctx, next)
			app.Window().GetElementByID("tab-" + next).Call("focus")
			return
		}
	}
}

func (t *Tabs) show(ctx app.Context, name string) {
	if t.OnShow != nil && name != t.Shown {
		t.OnShow(ctx, name)
	}
}

func countOrNothing(n int) string {
	if n == 0 {
		return ""
	}
	return Count(int64(n))
}
