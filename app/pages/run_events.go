package pages

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
)

// eventsView is the events one by one.
type eventsView struct {
	app.Compo

	// View is the run, and Drawn counts its renderings.
	View  *RunView
	Drawn uint64
}

// Render implements app.Composer.
func (v *eventsView) Render() app.UI {
	return &parts.Notice{Tone: parts.ToneEmpty, Text: "The events are not listed yet."}
}
