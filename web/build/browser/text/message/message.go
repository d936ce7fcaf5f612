//go:build js

// Package message is compiled into the browser's program in place of golang.org/x/text/message. The library for JSON Schema words
// its errors with that, in any language; the contracts say in their own words what does not conform, and never ask it for its own.
// Nothing imports this package from here.
package message

import "fmt"

// Printer writes texts as they stand, whatever the language.
type Printer struct{}

// NewPrinter returns a Printer.
func NewPrinter(any) *Printer { return &Printer{} }

// Sprintf formats as fmt does.
func (*Printer) Sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }
