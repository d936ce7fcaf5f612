// Package promise lets a goroutine wait for what the browser does later: promises, and the events of its older
// interfaces. Whoever waits must not be the goroutine that draws. Outside of a browser the package is empty.
package promise
