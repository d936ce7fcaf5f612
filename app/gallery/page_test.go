package gallery_test

import (
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/gallery"
)

// TestThePageShowsEveryEntry draws the page and looks for each part by its heading and its link, and for each situation.
func TestThePageShowsEveryEntry(t *testing.T) {
	t.Parallel()
	page := &gallery.Page{}
	engine := app.NewTestEngine()
	if err := engine.Load(page); err != nil {
		t.Fatal(err)
	}
	engine.ConsumeAll()
	html := app.HTMLString(page)
	parts := make(map[string]bool)
	for _, e := range gallery.Entries() {
		parts[e.Part] = true
		for _, want := range []string{
			`id="part-` + e.Part + `"`, `href="/gallery#part-` + e.Part + `"`,
			`aria-label="` + e.Part + ": " + e.Situation + `"`,
		} {
			if !strings.Contains(html, want) {
				t.Errorf("%s, %s: the page has no %s", e.Part, e.Situation, want)
			}
		}
	}
	if got := strings.Count(html, `id="part-`); got != len(parts) {
		t.Errorf("the page has %d parts, want %d", got, len(parts))
	}
	if got := strings.Count(html, `class="gallery-stage"`); got != len(gallery.Entries()) {
		t.Errorf("the page has %d situations, want %d", got, len(gallery.Entries()))
	}
	for _, forbidden := range []string{"style=", "<script"} {
		if strings.Contains(html, forbidden) {
			t.Errorf("the page has %s", forbidden)
		}
	}
}
