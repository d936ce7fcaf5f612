package parts

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// svgNamespace is where the elements of a drawing live (SVG 2, section 1.3).
const svgNamespace = "http://www.w3.org/2000/svg"

// StateBadge shows where a run stands: its shape, its colour and its name, so that neither shape nor colour is
// needed alone.
type StateBadge struct {
	app.Compo

	// State is the run's.
	State contracts.State
	// Quiet leaves the name to assistive technology.
	Quiet bool
}

// Render implements app.Composer.
func (b *StateBadge) Render() app.UI {
	name := app.Span().Class("state-name").Text(string(b.State))
	if b.Quiet {
		name = name.Class("visually-hidden")
	}
	return app.Span().Class("state", "state-"+string(b.State)).Body(stateShape(b.State), name)
}

// stateShape draws a state's shape in a square of 16.
func stateShape(s contracts.State) app.UI {
	const ring = "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z"
	switch s {
	case contracts.StateQueued:
		return drawing("state-shape", filled("M8 4a4 4 0 1 0 0 8a4 4 0 1 0 0-8z"))
	case contracts.StateRunning:
		return drawing("state-shape", stroked(ring), filled("M8 2.5a5.5 5.5 0 0 0 0 11z"))
	case contracts.StateWaiting:
		return drawing("state-shape", stroked("M8 2l6 6l-6 6l-6-6z"))
	case contracts.StateDraining:
		return drawing("state-shape", stroked(ring), filled("M2.5 8a5.5 5.5 0 0 1 11 0z"))
	case contracts.StateSucceeded:
		return drawing("state-shape", stroked("M3 8.5l3.5 3.5l6.5-8"))
	case contracts.StateFailed:
		return drawing("state-shape", stroked("M3.5 3.5l9 9M12.500 3.5l-9 9"))
	case contracts.StateRefused:
		return drawing("state-shape", stroked(ring), stroked("M4.200 4.200l7.600 7.600"))
	case contracts.StateCancelled:
		return drawing("state-shape", stroked("M3 8h10"))
	case contracts.StateExhausted:
		return drawing("state-shape", filled("M8 2.500l6 10.500h-12z"))
	}
	return drawing("state-shape", stroked(ring))
}

// drawing is an SVG that assistive technology passes over.
func drawing(class string, shapes ...app.UI) app.UI {
	return app.Elem("svg").XMLNS(svgNamespace).
		Class(class).Attr("viewBox", "0 0 16 16").Aria("hidden", "true").
		Body(shapes...)
}

func stroked(path string) app.UI {
	return app.Elem("path").XMLNS(svgNamespace).Class("stroked").Attr("d", path)
}

func filled(path string) app.UI {
	return app.Elem("path").XMLNS(svgNamespace).Class("filled").Attr("d", path)
}
