// Command wasm is the console as it runs in the browser.
package main

import "axiom25/app"

func main() {
	keepHeapSmall()
	app.Run()
}
