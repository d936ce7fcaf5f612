// Package parts holds what pages are made of. A part is dumb: props in, callbacks out. It keeps nothing but
// what the reader did to it (a text being typed, a fold that was opened), knows no address of the API, and draws
// the same for the same props. Each has an entry in the gallery.
package parts
