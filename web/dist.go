//go:build !gallery

package web

import "embed"

// Folder is the directory of this package with the built files.
const Folder = "dist"

// Tag is the build tag of the console's program; empty for the program that is shipped.
const Tag = ""

//go:embed all:dist
var built embed.FS

// Styles are the files of this package that the stylesheet is made of, in their order.
func Styles() []string { return []string{"tokens.css", "console.css"} }
