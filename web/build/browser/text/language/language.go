//go:build js

// Package language is compiled into the browser's program in place of golang.org/x/text/language: see package message.
package language

// English is the one language that is named.
const English = "en"
