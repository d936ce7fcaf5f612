package pages

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
)

// timelineView is the run on a clock.
type timelineView struct {
	app.Compo

	// View is the run, and Drawn counts its renderings.
	View  *RunView
	Drawn uint64
}

// Render implements app.Composer.
func (v *timelineView) Render() app.UI {
	return &parts.Notice{Tone: parts.ToneEmpty, Text: "The timeline is not drawn yet."}
}
