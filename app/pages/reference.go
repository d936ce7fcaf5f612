package pages

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
)

// Reference is the contracts and the API, to be read.
type Reference struct {
	app.Compo
}

// OnNav implements app.Navigator.
func (p *Reference) OnNav(ctx app.Context) { ctx.Page().SetTitle("Reference · Axiom25") }

// Render implements app.Composer.
func (p *Reference) Render() app.UI {
	return parts.Page("/reference",
		app.Div().Class("title-row").Body(app.H1().Class("title").Text("Reference")),
	)
}
