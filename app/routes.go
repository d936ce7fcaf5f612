//go:build !gallery

package app

// developmentRoutes are the pages for who works on the console. What is shipped has none.
func developmentRoutes() []Route { return nil }
