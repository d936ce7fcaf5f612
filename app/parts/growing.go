package parts

import (
	"strings"
	"unicode/utf8"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// GrowingText is a text that gets longer at its end. The browser is given what is new alone, and lays out the last of its blocks
// alone: what a piece costs does not depend on how much was said before it.
type GrowingText struct {
	app.Compo

	// Class is the element's, and Text what was said so far.
	Class, Text string
	// Growing draws a caret behind the text.
	Growing bool
	// Follow keeps the end of the text on the screen for a reader who has scrolled to it, until they scroll back.
	Follow bool

	drawn string // what the blocks were made with, and go-app takes for their content ever after
	shown string // what the blocks hold
	held  int    // how much of that the last block holds, in bytes

	atEnd    bool
	scrolled float64 // where the reader stood last, in pixels from the top of the page
	watch    app.Func
}

// A block ends with the first line break behind blockBytes, so that it is whole lines, or with a word before longestBlock where no
// line break comes: a browser lays out a text of megabytes without one for seconds.
const (
	blockBytes   = 2 << 10
	longestBlock = 32 << 10
)

// cutBlock returns the piece of a text that belongs to a block that holds something already, and what comes behind that block.
func cutBlock(held int, text string) (piece, rest string) {
	room := max(longestBlock-held, 0)
	from := min(max(blockBytes-held, 0), len(text))
	if at := strings.IndexByte(text[from:min(max(room, from), len(text))], '\n'); at >= 0 {
		return text[:from+at+1], text[from+at+1:]
	}
	if len(text) <= room {
		return text, ""
	}
	at := strings.LastIndexByte(text[:room], ' ') + 1
	if at == 0 && held == 0 {
		for at = room; at > 0 && !utf8.RuneStart(text[at]); {
			at--
		}
	}
	return text[:at], text[at:]
}

// OnInit implements app.Initializer.
func (g *GrowingText) OnInit() {
	g.drawn, _ = cutBlock(0, g.Text)
	g.shown, g.held = g.drawn, len(g.drawn)
}

// OnMount implements app.Mounter.
func (g *GrowingText) OnMount(app.Context) {
	g.grow()
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

// OnUpdate implements app.Updater.
func (g *GrowingText) OnUpdate(app.Context) {
	if g.grow() && g.atEnd {
		g.follow()
	}
}

// grow brings the blocks up to the text, and reports whether that changed them. A text that does not continue the one before it,
// as after a step back in time, takes its place.
func (g *GrowingText) grow() bool {
	if g.shown == g.Text {
		return false
	}
	rest, grew := strings.CutPrefix(g.Text, g.shown)
	if !grew {
		g.JSValue().Set("textContent", "")
		rest, g.held = g.Text, 0
		g.block()
	}
	g.shown = g.Text
	for {
		var piece string
		piece, rest = cutBlock(g.held, rest)
		g.JSValue().Get("lastChild").Get("firstChild").Call("appendData", piece)
		g.held += len(piece)
		if rest == "" {
			return true
		}
		g.block()
		g.held = 0
	}
}

// block puts an empty block behind the last.
func (g *GrowingText) block() {
	document := app.Window().Get("document")
	block := document.Call("createElement", "div")
	block.Call("appendChild", document.Call("createTextNode", ""))
	g.JSValue().Call("appendChild", block)
}

// Render implements app.Composer. It draws the same block each time: what follows in it and behind it is grow's.
func (g *GrowingText) Render() app.UI {
	growing := ""
	if g.Growing {
		growing = "growing"
	}
	return app.Div().Class(g.Class, growing).Body(app.Div().Text(g.drawn))
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
