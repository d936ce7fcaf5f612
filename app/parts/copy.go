package parts

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// CopyButton copies a text, and says for a moment that it has: on its face, and to assistive technology.
type CopyButton struct {
	app.Compo

	// Label is what stands on the button.
	Label string
	// Name says what is copied where the label alone does not, such as "Copy the run's id".
	Name string
	// Text is what is copied; Make, where set, returns it when it is asked for.
	Text string
	Make func() string
	// Class is the button's look; button-inline where empty.
	Class string

	said   string // what the last press came to, for as long as it is shown
	copies int    // counts them, so that an earlier one's pause does not end a later one's
}

// saidFor is how long a button says that it has copied.
const saidFor = 1500 * time.Millisecond

// Render implements app.Composer.
func (c *CopyButton) Render() app.UI {
	button := app.Button().Class(orElse(c.Class, "button-inline")).Type("button").Text(orElse(c.said, c.Label)).OnClick(c.press)
	if c.Name != "" {
		button = button.Title(c.Name)
		if c.said == "" {
			button = button.Aria("label", c.Name)
		}
	}
	return app.Span().Class("copy").Body(button, app.Span().Class("visually-hidden").Role("status").Text(c.said))
}

func (c *CopyButton) press(ctx app.Context, _ app.Event) {
	text := c.Text
	if c.Make != nil {
		text = c.Make()
	}
	CopyText(ctx, text, func(ctx app.Context, copied bool) {
		c.said = "Copied"
		if !copied {
			c.said = "Not copied"
		}
		c.copies++
		n := c.copies
		ctx.After(saidFor, func(app.Context) {
			if c.copies == n {
				c.said = ""
			}
		})
	})
}

// CopyText puts a text on the clipboard and calls done with what came of it. A page that did not come over a safe
// connection has no clipboard of its own (Clipboard API, W3C): there the text is selected and the browser told to copy.
func CopyText(ctx app.Context, text string, done func(ctx app.Context, copied bool)) {
	finish := func(copied bool) {
		ctx.Dispatch(func(ctx app.Context) { done(ctx, copied) })
	}
	clipboard := app.Window().Get("navigator").Get("clipboard")
	if !clipboard.Truthy() {
		finish(copySelected(text))
		return
	}
	var copied, failed app.Func
	settle := func(ok func() bool) app.Func {
		return app.FuncOf(func(app.Value, []app.Value) any {
			copied.Release()
			failed.Release()
			finish(ok())
			return nil
		})
	}
	copied = settle(func() bool { return true })
	failed = settle(func() bool { return copySelected(text) })
	clipboard.Call("writeText", text).Call("then", copied, failed)
}

// copySelected copies by a field that is there for a moment, and gives the focus back.
func copySelected(text string) bool {
	document := app.Window().Get("document")
	focused := document.Get("activeElement")
	place := document.Get("body")
	if focused.Truthy() && focused.Get("parentElement").Truthy() {
		place = focused.Get("parentElement") // within an open dialog nothing else can be selected
	}
	field := document.Call("createElement", "textarea")
	field.Set("className", "visually-hidden")
	field.Set("value", text)
	place.Call("appendChild", field)
	field.Call("select")
	copied := document.Call("execCommand", "copy").Bool()
	field.Call("remove")
	if focused.Truthy() {
		focused.Call("focus")
	}
	return copied
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
