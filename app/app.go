// Package app is the console: pages over a store that folds what the server streams, compiled to WebAssembly
// for the browser; the build of package web draws its Frame, for the first paint.
//
// What happens where: package feed is the only one that opens an EventSource, command the only one that sends
// requests, shelf the only one that keeps things in the browser, store the only one that sets state; pages observe and arrange; parts draw.
package app

import (
	"strings"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/pages"
	"axiom25/app/parts"
	"axiom25/app/store"
)

// Route is one page of the console.
type Route struct {
	// Pattern is a path, or a regular expression for a family of paths where it begins with ^.
	Pattern string
	// New returns the page's component.
	New func() goapp.Composer
}

// Family reports whether the pattern is a regular expression.
func (r Route) Family() bool { return strings.HasPrefix(r.Pattern, "^") }

// Routes is the one table of pages. The browser draws them; the server answers 200 for them and for no others.
func Routes() []Route {
	return append([]Route{
		{Pattern: "/", New: func() goapp.Composer { return &pages.Runs{} }},
		{Pattern: "^/r/[^/]+$", New: func() goapp.Composer { return &pages.Run{} }},
		{Pattern: "/new", New: func() goapp.Composer { return &pages.New{} }},
		{Pattern: "/validate", New: func() goapp.Composer { return &pages.Validate{} }},
		{Pattern: "/catalog", New: func() goapp.Composer { return &pages.Catalog{} }},
		{Pattern: "/reference", New: func() goapp.Composer { return &pages.Reference{} }},
		{Pattern: "^/reference/[a-z]+$", New: func() goapp.Composer { return &pages.Reference{} }},
	}, developmentRoutes()...)
}

// Frame is what every page has before the program that draws it has come.
func Frame() goapp.UI {
	return parts.Page("", &parts.Notice{Tone: parts.ToneLoading, Text: "Loading the console"})
}

// Register hands the table to go-app's router, which is the process's, and behind it a page for every other address.
func Register() {
	for _, r := range Routes() {
		if r.Family() {
			goapp.RouteWithRegexp(r.Pattern, r.New)
		} else {
			goapp.Route(r.Pattern, r.New)
		}
	}
	goapp.RouteWithRegexp("^", func() goapp.Composer { return &pages.Lost{} })
}

// Run draws the console in the browser, and sends what waits to be sent, until the page is closed. Outside of a browser it returns at once.
func Run() {
	Register()
	store.ServeQueue()
	goapp.RunWhenOnBrowser()
}
