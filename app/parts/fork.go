package parts

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// ForkLink leads to a new run that starts where another stood.
type ForkLink struct {
	app.Compo

	// Run is the other run, and Seq the last event that the new one may read.
	Run contracts.RunID
	Seq contracts.Seq
	// Class is the link's look; that of a link in a text where empty.
	Class string
}

// Render implements app.Composer.
func (l *ForkLink) Render() app.UI {
	return app.A().Class(orElse(l.Class, "link")).Href(fmt.Sprintf("/new?from=%s&fork=%d", l.Run, l.Seq)).
		Text(fmt.Sprintf("Fork from event %d", l.Seq))
}
