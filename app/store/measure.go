//go:build !js || !wasm

package store

// measured runs work. There is no timeline to show it in.
func measured(_ string, work func()) { work() }

// untilIdle returns at once: nobody waits for a frame.
func untilIdle() {}
