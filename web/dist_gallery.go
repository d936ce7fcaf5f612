//go:build gallery

package web

import "embed"

// Folder is the directory of this package with the built files. It is another one than that of the console which is shipped, so
// that no build takes the one for the other.
const Folder = "dist-gallery"

// Tag is the build tag of the console's program.
const Tag = "gallery"

//go:embed all:dist-gallery
var built embed.FS

// Styles are the files of this package that the stylesheet is made of, in their order.
func Styles() []string { return []string{"tokens.css", "console.css", "gallery.css"} }
