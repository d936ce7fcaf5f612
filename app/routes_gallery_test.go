//go:build gallery

package app_test

import (
	"slices"
	"testing"

	"axiom25/app"
	"axiom25/app/gallery"
)

func TestADevelopmentBuildHasTheGallery(t *testing.T) {
	t.Parallel()
	i := slices.IndexFunc(app.Routes(), func(r app.Route) bool { return r.Pattern == "/gallery" })
	if i < 0 {
		t.Fatal("no page is at /gallery")
	}
	if page, ok := app.Routes()[i].New().(*gallery.Page); !ok {
		t.Errorf("the page at /gallery is a %T", page)
	}
}
