package pages

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// addressBar writes into the browser's address bar what a page shows, without a step in the history. Browsers refuse too many
// changes, Safari more than 100 within 30 s: of several in quick succession the last one is written.
type addressBar struct {
	ctx app.Context // the page's

	resting bool   // something was written a moment ago
	next    string // the path to be written after that, or none
	from    string // the address before it
}

// addressPause is how long the bar rests after a change.
const addressPause = 400 * time.Millisecond

// show writes a path, now or when the bar has rested.
func (a *addressBar) show(path string) {
	a.next, a.from = path, currentAddress()
	if !a.resting {
		a.resting = true
		a.write()
		a.rest()
	}
}

// rest waits, writes what has come meanwhile, and rests again where something has.
func (a *addressBar) rest() {
	a.ctx.After(addressPause, func(ctx app.Context) {
		ctx.PreventUpdate()
		if a.next == "" {
			a.resting = false
			return
		}
		a.write()
		a.rest()
	})
}

// write writes what waits, unless the reader has gone elsewhere meanwhile.
func (a *addressBar) write() {
	path := a.next
	a.next = ""
	if path == "" || a.from != currentAddress() {
		return
	}
	// A browser that refuses throws. The address is then an older one until the next change, which harms nobody.
	defer func() { _ = recover() }()
	app.Window().Get("history").Call("replaceState", nil, "", path)
}

func currentAddress() string { return app.Window().Get("location").Get("href").String() }
