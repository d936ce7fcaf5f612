//go:build js

// Package app is compiled into go-app's package of this name in the browser, in place of the files that serve
// (browser.ServerHalf). It holds what the half that draws needs of those; nothing imports it from here.
package app

import "strings"

// Handler serves go-app's pages, which a browser does not: only GenerateStaticWebsite mentions it there, and panics.
type Handler struct{}

// clientResourceResolver returns a function that finds an application's files: what is at or beneath /web is beneath
// root for the browser, and everything else is where it says.
func clientResourceResolver(root string) func(string) string {
	return func(location string) string {
		path := strings.TrimPrefix(location, "/")
		if path != "web" && !strings.HasPrefix(path, "web/") {
			return location
		}
		return root + "/" + strings.TrimPrefix(strings.TrimRight(path, "/"), "web/")
	}
}
