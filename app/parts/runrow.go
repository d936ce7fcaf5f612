package parts

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// RunRow is a run in a list, as one link. All rows are equally high.
type RunRow struct {
	app.Compo

	// ID, State, Goal and Backend are the run's.
	ID      contracts.RunID
	State   contracts.State
	Goal    string
	Backend string
	// Labels are the run's labels as they are shown: name:value, separated by two spaces.
	Labels string
	// Age is how long ago it was created, Created the exact time, and Tokens what it used, in words.
	Age, Created, Tokens string
	// Gauge names the limit that is closest to being reached; the others are as in Gauge.
	Gauge, GaugeWords string
	Share, Warn       float64
	Level             Level
	// Approvals counts the calls that wait for a human.
	Approvals int
	// Pruned says that this row is all that is left of the run.
	Pruned bool
	// Position is the row's place in the whole list, from 1, and Count the length of that; 0 where it is not known.
	Position, Count int
}

// Render implements app.Composer.
func (r *RunRow) Render() app.UI {
	return app.Li().Class("run-item").
		Aria("posinset", strconv.Itoa(r.Position)).Aria("setsize", strconv.Itoa(r.Count)).
		Body(
			app.A().Class("run-row").ID(r.ID.String()).Href(contracts.LinksOf(r.ID).Page).Body(
				&StateBadge{State: r.State},
				app.Span().Class("run-goal").Body(
					app.Text(r.Goal),
					app.If(r.Labels != "", func() app.UI { return app.Span().Class("run-labels").Title(r.Labels).Text(r.Labels) }),
				),
				app.Span().Class("run-facts").Body(
					app.If(r.Approvals > 0, func() app.UI {
						return app.Span().Class("run-asks").Text("asks you")
					}).ElseIf(r.Pruned, func() app.UI {
						return app.Span().Title("Retention has deleted its events and its task; this row is what is left of it").Text("pruned")
					}),
					app.Span().Class("run-backend").Text(r.Backend),
					app.Span().Class("run-age").Title("created "+r.Created).Text(r.Age),
					app.Span().Class("run-tokens").Text(r.Tokens),
				),
				&Gauge{Name: r.Gauge, Words: r.GaugeWords, Share: r.Share, Warn: r.Warn, Level: r.Level, Slim: true},
			),
		)
}

// Gap keeps the place of rows that are not drawn, height CSS pixels high. An attribute of a drawing says it, since styles may
// not stand in the document.
func Gap(height int) app.UI {
	return app.Li().Class("row-gap").Role("presentation").Aria("hidden", "true").Body(
		app.Elem("svg").XMLNS(svgNamespace).Attr("width", "1").Attr("height", strconv.Itoa(height)),
	)
}
