package parts

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// MarkList lists what is wrong in a text: the place and the rule.
type MarkList struct {
	app.Compo

	// Marks are listed in their order.
	Marks []Mark
	// Truncated says that there is more than the list shows.
	Truncated bool
	// OnGo is called with the position of the mark that the reader wants to see in the text; nil where the text is not shown.
	OnGo func(ctx app.Context, i int)
	// OnField is called with the position of the mark whose field the reader wants to see; nil where there are no fields.
	OnField func(ctx app.Context, i int)
	// OnFix is called with the position of the mark whose Guess the reader takes; nil where none can be taken.
	OnFix func(ctx app.Context, i int)
}

// Render implements app.Composer.
func (l *MarkList) Render() app.UI {
	rows := make([]app.UI, 0, len(l.Marks)+1)
	for i, m := range l.Marks {
		rows = append(rows, app.Li().Class("mark-row").Body(
			l.place(i, m),
			l.pointer(i, m),
			app.Span().Class("mark-detail").Body(
				app.If(m.Code != "", func() app.UI {
					return app.A().Class("mark-rule").Href("/reference/problems#" + m.Code).Title("What " + m.Code + " means").Text(m.Detail)
				}).Else(func() app.UI { return app.Text(m.Detail) }),
			),
			l.guess(i, m),
		))
	}
	if l.Truncated {
		rows = append(rows, app.Li().Class("mark-row").Text("There are more problems than are listed."))
	}
	return app.Ol().Class("mark-list").Aria("label", "Problems").Body(rows...)
}

// place is where the mark stands, and leads there.
func (l *MarkList) place(i int, m Mark) app.UI {
	if m.Line == 0 {
		return app.Span().Class("mark-place").Text("–") // it is not in the text
	}
	words := strconv.Itoa(m.Line) + ":" + strconv.Itoa(m.Column)
	if l.OnGo == nil {
		return app.Span().Class("mark-place").Text(words)
	}
	return app.Button().Class("button-inline mark-place").Type("button").DataSet("mark", i).
		Aria("label", "Go to line "+strconv.Itoa(m.Line)+", column "+strconv.Itoa(m.Column)).
		Text(words).OnClick(l.goTo)
}

// pointer names the mark's value, and leads to its field.
func (l *MarkList) pointer(i int, m Mark) app.UI {
	if l.OnField == nil {
		return app.Code().Class("mark-pointer").Text(m.Pointer)
	}
	return app.Button().Class("button-inline mark-pointer").Type("button").DataSet("mark", i).
		Aria("label", "Go to the field "+m.Pointer).OnClick(l.toField).Body(app.Code().Text(m.Pointer))
}

func (l *MarkList) guess(i int, m Mark) app.UI {
	if m.Guess == "" {
		return app.Span()
	}
	if l.OnFix == nil {
		return app.Span().Class("mark-guess").Text("Did you mean " + m.Guess + "?")
	}
	return app.Button().Class("button-inline mark-guess").Type("button").DataSet("mark", i).
		Text("Did you mean " + m.Guess + "?").OnClick(l.fix)
}

func (l *MarkList) goTo(ctx app.Context, _ app.Event) { l.OnGo(ctx, markOf(ctx)) }

func (l *MarkList) toField(ctx app.Context, _ app.Event) { l.OnField(ctx, markOf(ctx)) }

func (l *MarkList) fix(ctx app.Context, _ app.Event) { l.OnFix(ctx, markOf(ctx)) }

// markOf reads which mark a button belongs to.
func markOf(ctx app.Context) int {
	i, _ := strconv.Atoi(ctx.JSSrc().Get("dataset").Get("mark").String()) // which Render wrote
	return i
}
