//go:build gallery

package app

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/gallery"
)

// developmentRoutes are the pages for who works on the console.
func developmentRoutes() []Route {
	return []Route{{Pattern: gallery.Path, New: func() goapp.Composer { return &gallery.Page{} }}}
}
