package pages

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
)

// Catalog is the tools of the server.
type Catalog struct {
	app.Compo
}

// OnNav implements app.Navigator.
func (p *Catalog) OnNav(ctx app.Context) { ctx.Page().SetTitle("Catalog · Axiom25") }

// Render implements app.Composer.
func (p *Catalog) Render() app.UI {
	return parts.Page("/catalog",
		app.Div().Class("title-row").Body(app.H1().Class("title").Text("Catalog")),
	)
}
