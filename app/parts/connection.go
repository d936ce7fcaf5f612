package parts

import (
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Connection says whether what is shown is live.
type Connection struct {
	app.Compo

	// Words say it.
	Words string
	// Phase is live, lost or complete.
	Phase string
	// Note is what else there is to say of it, quieter, and Title what that means.
	Note, Title string
	// Retry offers to connect at once, which calls OnRetry.
	Retry   bool
	OnRetry func(app.Context)
}

// Render implements app.Composer.
func (c *Connection) Render() app.UI {
	return app.Span().Class("connection", "connection-"+c.Phase).Body(
		app.Span().Class("connection-dot").Aria("hidden", "true"),
		app.Span().Class("connection-words").Text(c.Words),
		app.If(c.Note != "", func() app.UI { return app.Span().Class("connection-note").Title(c.Title).Text(c.Note) }),
		app.If(c.Retry, func() app.UI {
			return app.Button().Class("button-inline").Type("button").Text("Try now").OnClick(c.retry)
		}),
	)
}

func (c *Connection) retry(ctx app.Context, _ app.Event) {
	if c.OnRetry != nil {
		c.OnRetry(ctx)
	}
}

// Alert says that something went wrong.
type Alert struct {
	app.Compo

	// Title is the sentence, Detail what is wrong this time, Note when and what follows.
	Title, Detail, Note string
	// Fatal marks what ended the run.
	Fatal bool
}

// Render implements app.Composer.
func (a *Alert) Render() app.UI {
	class := "alert"
	if a.Fatal {
		class = "alert alert-fatal"
	}
	return app.Div().Class(class).Role("alert").Body(
		app.P().Class("alert-title").Text(a.Title),
		app.If(a.Detail != "", func() app.UI { return app.P().Class("alert-detail").Text(a.Detail) }),
		app.If(a.Note != "", func() app.UI { return app.P().Class("alert-note").Text(a.Note) }),
	)
}

// LiveRegion reads a growing text out to assistive technology: what was added, at most every three seconds.
type LiveRegion struct {
	app.Compo

	// Text is the whole text so far.
	Text string

	said    int // bytes of Text that were handed over
	current string
	waiting bool
}

// speakEvery is the least time between two announcements, and spokenMost the most that one says, in bytes.
const (
	speakEvery = 3 * time.Second
	spokenMost = 600
)

// OnMount implements app.Mounter.
func (l *LiveRegion) OnMount(app.Context) {
	l.said = len(l.Text) // what was there before is the page's content, not news
}

// OnUpdate implements app.Updater.
func (l *LiveRegion) OnUpdate(ctx app.Context) {
	if l.waiting || len(l.Text) == l.said {
		return
	}
	l.waiting = true
	ctx.After(speakEvery, func(app.Context) { l.speak() })
}

func (l *LiveRegion) speak() {
	l.waiting = false
	if l.said > len(l.Text) {
		l.said = 0 // another answer has begun
	}
	added := l.Text[l.said:]
	if len(added) > spokenMost {
		added = strings.ToValidUTF8(added[len(added)-spokenMost:], "")
	}
	l.current, l.said = added, len(l.Text)
}

// Render implements app.Composer.
func (l *LiveRegion) Render() app.UI {
	return app.Div().Class("visually-hidden").Role("log").Aria("live", "polite").Text(l.current)
}
