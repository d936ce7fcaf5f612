package parts

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Select lets the reader choose one of a few.
type Select struct {
	app.Compo

	// Label names the choice.
	Label string
	// Options are offered in their order, and Chosen is the position of the one that is shown.
	Options []string
	Chosen  int
	// OnChoose is called with the position of the reader's choice.
	OnChoose func(ctx app.Context, i int)
}

// Render implements app.Composer.
func (s *Select) Render() app.UI {
	options := make([]app.UI, 0, len(s.Options))
	for i, words := range s.Options {
		options = append(options, app.Option().Value(strconv.Itoa(i)).Text(words).Selected(i == s.Chosen))
	}
	return app.Select().Class("select").Aria("label", s.Label).OnChange(s.choose).Body(options...)
}

// OnUpdate implements app.Updater: what a reader once chose the browser goes on showing, whatever the options say.
func (s *Select) OnUpdate(ctx app.Context) {
	ctx.Defer(func(app.Context) {
		if list := s.JSValue(); list.Truthy() {
			list.Set("selectedIndex", s.Chosen)
		}
	})
}

func (s *Select) choose(ctx app.Context, _ app.Event) {
	i, err := strconv.Atoi(ctx.JSSrc().Get("value").String())
	if err == nil && s.OnChoose != nil {
		s.OnChoose(ctx, i)
	}
}

// ExampleCard offers a task: to start it at once, or to look at it in the editor.
type ExampleCard struct {
	app.Compo

	// Index is handed to the callbacks.
	Index int
	// Name and About say what the example shows.
	Name, About string
	// Busy says that a run is being started.
	Busy bool
	// OnRun starts it, OnOpen opens it in the editor.
	OnRun, OnOpen func(ctx app.Context, index int)
}

// Render implements app.Composer.
func (c *ExampleCard) Render() app.UI {
	return app.Article().Class("example").Body(
		app.H2().Class("example-name").Text(c.Name),
		app.P().Class("example-about").Text(c.About),
		app.Div().Class("actions").Body(
			app.Button().Class("button", "button-primary").Type("button").Disabled(c.Busy).
				Aria("label", "Run "+c.Name).Text("Run").OnClick(c.run),
			app.Button().Class("button", "button-quiet").Type("button").
				Aria("label", "Open in the editor: "+c.Name).Text("Open in the editor").OnClick(c.open),
		),
	)
}

func (c *ExampleCard) run(ctx app.Context, _ app.Event) {
	if c.OnRun != nil {
		c.OnRun(ctx, c.Index)
	}
}

func (c *ExampleCard) open(ctx app.Context, _ app.Event) {
	if c.OnOpen != nil {
		c.OnOpen(ctx, c.Index)
	}
}
