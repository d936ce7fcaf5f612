//go:build !gallery

package app_test

import (
	"slices"
	"testing"

	"axiom25/app"
)

func TestTheShippedConsoleHasNoGallery(t *testing.T) {
	t.Parallel()
	if slices.ContainsFunc(app.Routes(), func(r app.Route) bool { return r.Pattern == "/gallery" }) {
		t.Error("the console that is shipped has the gallery")
	}
}
