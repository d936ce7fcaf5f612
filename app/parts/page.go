package parts

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Page is the frame around every page: a link that skips to the content, the header and the content.
func Page(current string, content ...app.UI) app.UI {
	return app.Div().Class("page").Body(
		app.A().Class("skip-link").Href("#content").Text("Skip to the content"),
		&Header{Current: current},
		app.Main().ID("content").Class("content").TabIndex(-1).Body(content...),
	)
}

// Header names the console, leads to its pages and switches the theme.
type Header struct {
	app.Compo

	// Current is the path of the page that is shown.
	Current string

	theme  string // as chosen; empty where the system's preference stands
	update string // what web/update.js says of a newer version: nothing, ready or stale
}

// navigation lists the pages that the header leads to.
var navigation = [...]struct{ path, name, key string }{
	{"/", "Runs", "r"},
	{"/new", "New", "n"},
	{"/validate", "Validate", "v"},
	{"/catalog", "Catalog", "l"},
	{"/reference", "Reference", "e"},
}

// OnMount implements app.Mounter.
func (h *Header) OnMount(app.Context) {
	h.theme = chosenTheme()
	h.update = newerVersion()
}

// OnAppUpdate implements app.AppUpdater.
func (h *Header) OnAppUpdate(app.Context) { h.update = newerVersion() }

// Render implements app.Composer.
func (h *Header) Render() app.UI {
	links := make([]app.UI, 0, len(navigation))
	for _, page := range navigation {
		link := app.A().Class("nav-link").Href(page.path).Text(page.name).AccessKey(page.key)
		if page.path == h.Current {
			link = link.Aria("current", "page")
		}
		links = append(links, link)
	}
	return app.Header().Class("header").Body(
		app.A().Class("brand").Href("/").Aria("label", "Axiom25, all runs").Body(
			drawing("brand-mark", stroked("M8 2.500a5.500 5.500 0 1 0 0 11a5.500 5.500 0 1 0 0-11z"), filled("M8 2.500a5.500 5.500 0 0 1 0 11z")),
			app.Span().Class("brand-name").Text("Axiom25"),
		),
		app.Nav().Class("nav").Aria("label", "Pages").Body(links...),
		&UpdateNotice{State: h.update, OnApply: applyVersion},
		app.Button().Class("theme-switch").Type("button").
			Title("Theme: "+themeName(h.theme)+". Switch").
			AccessKey("t").
			OnClick(h.switchTheme).
			Body(
				drawing("theme-icon", stroked("M8 2.500a5.500 5.500 0 1 0 0 11a5.500 5.500 0 1 0 0-11z"), filled("M8 2.500a5.500 5.500 0 0 1 0 11z")),
				app.Span().Class("theme-name").Text(themeName(h.theme)),
			),
	)
}

// switchTheme goes on from the system's preference to light, to dark, and back.
func (h *Header) switchTheme(app.Context, app.Event) {
	switch h.theme {
	case "":
		h.theme = "light"
	case "light":
		h.theme = "dark"
	default:
		h.theme = ""
	}
	chooseTheme(h.theme)
}

func themeName(theme string) string {
	if theme == "" {
		return "auto"
	}
	return theme
}

func chosenTheme() string {
	theme := app.Window().Get("document").Get("documentElement").Get("dataset").Get("theme")
	if !theme.Truthy() {
		return ""
	}
	return theme.String()
}

// chooseTheme is web/theme.js, which knows where a choice is kept.
func chooseTheme(theme string) { app.Window().Call("axiom25ChooseTheme", theme) }
