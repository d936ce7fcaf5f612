package parts

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Fold is a title that opens to more. What it opens to is drawn once it was opened.
type Fold struct {
	app.Compo

	// Key tells what is folded from what else may come to stand in its place: that is closed again.
	Key string
	// Title is always shown, Note more quietly behind it.
	Title, Note string
	// Text is what opens, as it was written; Body is drawn behind it.
	Text string
	Body func() app.UI
	// Tone is added to the part's class, for what may look different.
	Tone string
	// Growing draws a caret behind the text.
	Growing bool

	opened disclosure
}

// Render implements app.Composer.
func (f *Fold) Render() app.UI {
	return app.Details().Class("fold", f.Tone).Open(f.opened.is(f.Key)).On("toggle", f.toggled).Body(
		app.Summary().Class("fold-summary").Body(
			app.Span().Class("fold-title").Text(f.Title),
			app.Span().Class("fold-note").Text(f.Note),
		),
		app.If(f.opened.is(f.Key) && f.Text != "", func() app.UI {
			return &GrowingText{Class: "fold-text", Text: f.Text, Growing: f.Growing}
		}),
		app.If(f.opened.is(f.Key) && f.Body != nil, f.Body),
	)
}

func (f *Fold) toggled(ctx app.Context, _ app.Event) { f.opened.toggle(ctx, f.Key) }

// disclosure keeps whether the reader has opened a details element, by the key of what it shows: the element may come to show
// something else, which the reader has not opened.
type disclosure struct {
	key  string
	open bool
}

// is reports whether what key names is open.
func (d *disclosure) is(key string) bool { return d.open && d.key == key }

// toggle takes over what the browser has made of the element.
func (d *disclosure) toggle(ctx app.Context, key string) {
	d.key, d.open = key, ctx.JSSrc().Get("open").Bool()
}
