package parts

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Menu is a button that opens a list of further actions. The list is the browser's own popover: it closes with Esc and by a
// click elsewhere, and the focus goes back to the button.
type Menu struct {
	app.Compo

	// ID is the list's, unique in the page.
	ID string
	// Name says what the actions are about.
	Name string
	// Items are the actions: buttons and links of the class menu-item, or parts that draw them.
	Items []app.UI
}

// Render implements app.Composer.
func (m *Menu) Render() app.UI {
	items := make([]app.UI, 0, len(m.Items))
	for _, item := range m.Items {
		items = append(items, app.Li().Body(item))
	}
	return app.Div().Class("menu").Body(
		app.Button().Class("button", "menu-button").Type("button").Title(m.Name).Aria("label", m.Name).
			Attr("popovertarget", m.ID).Body(drawing("theme-icon",
			filled("M3 6.500a1.500 1.500 0 1 0 0 3a1.500 1.500 0 1 0 0-3zM8 6.500a1.500 1.500 0 1 0 0 3a1.500 1.500 0 1 0 0-3zM13 6.500a1.500 1.500 0 1 0 0 3a1.500 1.500 0 1 0 0-3z"))),
		app.Ul().Class("menu-list").ID(m.ID).Attr("popover", "auto").Aria("label", m.Name).Body(items...),
	)
}
