package pages

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
)

// taskView is what the run was asked.
type taskView struct {
	app.Compo

	// View is the run, and Drawn counts its renderings.
	View  *RunView
	Drawn uint64
}

// Render implements app.Composer.
func (v *taskView) Render() app.UI {
	return &parts.Notice{Tone: parts.ToneEmpty, Text: "The task is not shown yet."}
}
