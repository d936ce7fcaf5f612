package pages

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
)

// Lost is what an address shows that is no page's.
type Lost struct {
	app.Compo
}

// OnNav implements app.Navigator.
func (p *Lost) OnNav(ctx app.Context) { ctx.Page().SetTitle("No such page · Axiom25") }

// Render implements app.Composer.
func (p *Lost) Render() app.UI {
	return parts.Page("", &parts.Notice{
		Tone: parts.ToneEmpty, Text: "There is no such page.", Detail: "The address may be of another version, or mistyped.",
		Action: "All runs", Href: "/",
	})
}
