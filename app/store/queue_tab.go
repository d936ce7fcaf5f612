//go:build !js || !wasm

package store

import (
	"axiom25/app/command"
	"axiom25/app/shelf"
)

// TabQueue returns a queue that nobody serves: there is no browser here.
func TabQueue() *Queue {
	return NewQueue(shelf.Browser(), command.Client{}, func(do func()) { do() }, func() {})
}

// ServeQueue does nothing: there is no browser here.
func ServeQueue() {}
