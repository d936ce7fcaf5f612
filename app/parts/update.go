package parts

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// UpdateNotice says that there is a newer version of the console, which the reader takes when it suits.
type UpdateNotice struct {
	app.Compo

	// State is ready for a version that waits for the reader, and stale where another tab has taken it and this one
	// has stayed behind because of what is typed in it. Otherwise nothing is said.
	State string
	// OnApply takes the version, or reloads the page.
	OnApply func()
}

// Render implements app.Composer.
func (n *UpdateNotice) Render() app.UI {
	words, action, title := "", "", ""
	switch n.State {
	case "ready":
		words, action = "A new version is ready", "Apply"
		title = "Every tab takes it; one with something typed waits for you"
	case "stale":
		words, action = "This tab is of an earlier version", "Reload"
		title = "What is typed here and kept nowhere else is lost"
	}
	return app.Div().Class("update").Role("status").Body(
		app.If(words != "", func() app.UI {
			return app.Span().Body(
				app.Text(words+" "),
				app.Button().Class("button-inline").Type("button").Title(title).Text(action).OnClick(n.apply),
			)
		}),
	)
}

func (n *UpdateNotice) apply(app.Context, app.Event) { n.OnApply() }

// newerVersion is what web/update.js says of a newer version.
func newerVersion() string {
	state := app.Window().Get("axiom25Update")
	if !state.Truthy() {
		return ""
	}
	return state.String()
}

func applyVersion() { app.Window().Call("axiom25Apply") }
