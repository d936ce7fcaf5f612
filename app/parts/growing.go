package parts

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// GrowingText is a text that gets longer at its end. It is one text node, to which the browser is given what is new alone: what
// a piece costs does not depend on how much was said before it.
type GrowingText struct {
	app.Compo

	// Class is the element's, and Text what was said so far.
	Class, Text string
	// Growing draws a caret behind the text.
	Growing bool
	// Follow keeps the end of the text on the screen for a reader who has scrolled to it, until they scroll back.
	Follow bool

	drawn string // what the node was made with, and go-app takes for its content ever after
	shown string // what the node holds

	atEnd    bool
	scrolled float64 // where the reader stood last, in pixels from the top of the page
	watch    app.Func
}

// OnInit implements app.Initializer.
func (g *GrowingText) OnInit() { g.drawn, g.shown = g.Text, g.Text }

// OnMount implements app.Mounter.
func (g *GrowingText) OnMount(app.Context) {
	if !g.Follow {
		return
	}
	g.watch = app.FuncOf(func(app.Value, []app.Value) any {
		g.look()
		return nil
	})
	app.Window().Call("addEventListener", "scroll", g.watch, map[string]any{"passive": true})
}

// OnDismount implements app.Dismounter.
func (g *GrowingText) OnDismount() {
	if g.watch != nil {
		app.Window().Call("removeEventListener", "scroll", g.watch)
		g.watch.Release()
		g.watch = nil
	}
}

// OnUpdate implements app.Updater. A text that does not continue the one before it, as after a step back in time, takes its
// place.
func (g *GrowingText) OnUpdate(app.Context) {
	if g.shown == g.Text {
		return
	}
	node := g.JSValue().Get("firstChild")
	if added, grew := strings.CutPrefix(g.Text, g.shown); grew {
		node.Call("appendData", added)
	} else {
		node.Set("data", g.Text)
	}
	g.shown = g.Text
	if g.atEnd {
		g.follow()
	}
}

// Render implements app.Composer. It draws the same text each time: what the node holds is OnUpdate's.
func (g *GrowingText) Render() app.UI {
	return app.Div().Class(g.Class).Body(
		app.Text(g.drawn),
		app.If(g.Growing, func() app.UI { return app.Span().Class("caret").Aria("hidden", "true") }),
	)
}

// footRoom is what may lie over the foot of the page, in pixels.
const footRoom = 96

// below is how far the end of the text lies below the bottom of the window, in pixels.
func (g *GrowingText) below() float64 {
	return g.JSValue().Call("getBoundingClientRect").Get("bottom").Float() - app.Window().Get("innerHeight").Float()
}

// look notes whether the reader has come to the end or has left it.
func (g *GrowingText) look() {
	scrolled := app.Window().Get("scrollY").Float()
	back := scrolled < g.scrolled
	g.scrolled = scrolled
	g.atEnd = !back && g.below() <= 0
}

// follow brings the end into sight.
func (g *GrowingText) follow() {
	if over := g.below() + footRoom; over > 0 {
		app.Window().Call("scrollBy", 0, over)
	}
}
