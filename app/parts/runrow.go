package parts

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// RunRow is a run in a list, as one link.
type RunRow struct {
	app.Compo

	// ID, State, Goal and Backend are the run's.
	ID      contracts.RunID
	State   contracts.State
	Goal    string
	Backend string
	// Age is how long ago it was created, and Tokens what it used, in words.
	Age, Tokens string
	// Gauge names the limit that is closest to being reached; the others are as in Gauge.
	Gauge, GaugeWords string
	Share, Warn       float64
	Level             Level
	// Approvals counts the calls that wait for a human.
	Approvals int
}

// Render implements app.Composer.
func (r *RunRow) Render() app.UI {
	return app.Li().Class("run-item").Body(
		app.A().Class("run-row").Href(contracts.LinksOf(r.ID).Page).Body(
			&StateBadge{State: r.State},
			app.Span().Class("run-goal").Text(r.Goal),
			app.Span().Class("run-facts").Body(
				app.If(r.Approvals > 0, func() app.UI {
					return app.Span().Class("run-asks").Text("asks you")
				}),
				app.Span().Class("run-backend").Text(r.Backend),
				app.Span().Class("run-age").Title("since it was created").Text(r.Age),
				app.Span().Class("run-tokens").Text(r.Tokens),
			),
			&Gauge{Name: r.Gauge, Words: r.GaugeWords, Share: r.Share, Warn: r.Warn, Level: r.Level, Slim: true},
		),
	)
}

// StateFilter lets the reader choose one state, or all.
type StateFilter struct {
	app.Compo

	// Chosen is the state that is shown; empty for all.
	Chosen contracts.State
	// OnChoose is called with the reader's choice.
	OnChoose func(ctx app.Context, s contracts.State)
}

// states are all, in the order of a run's life.
var states = [...]contracts.State{
	contracts.StateQueued, contracts.StateRunning, contracts.StateWaiting, contracts.StateDraining,
	contracts.StateSucceeded, contracts.StateRefused, contracts.StateFailed, contracts.StateCancelled,
	contracts.StateExhausted,
}

// Render implements app.Composer.
func (f *StateFilter) Render() app.UI {
	options := []app.UI{app.Option().Value("").Text("all states").Selected(f.Chosen == "")}
	for _, s := range states {
		options = append(options, app.Option().Value(string(s)).Text(string(s)).Selected(f.Chosen == s))
	}
	return app.Select().Class("select").Aria("label", "Filter by state").OnChange(f.choose).Body(options...)
}

func (f *StateFilter) choose(ctx app.Context, _ app.Event) {
	if f.OnChoose != nil {
		f.OnChoose(ctx, contracts.State(ctx.JSSrc().Get("value").String()))
	}
}
