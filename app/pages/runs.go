// Package pages arranges parts into the pages of the console. A page observes what package store publishes and
// asks the store for changes; it sends no request itself.
package pages

import (
	"fmt"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// Runs is the list of runs with where each stands.
type Runs struct {
	app.Compo

	// Now is the clock; the system's where nil.
	Now func() time.Time

	runs   store.Runs
	watch  *store.RunsWatch
	filter contracts.State // empty for all
}

// OnNav implements app.Navigator.
func (p *Runs) OnNav(ctx app.Context) {
	ctx.Page().SetTitle("Runs · Axiom25")
	if app.IsServer || p.watch != nil {
		return // the server draws the shell alone
	}
	ctx.ObserveState(store.KeyRuns, &p.runs)
	p.watch = store.WatchRuns(ctx, command.Client{})
}

// OnDismount implements app.Dismounter.
func (p *Runs) OnDismount() {
	if p.watch != nil {
		p.watch.Close()
	}
}

// Render implements app.Composer.
func (p *Runs) Render() app.UI {
	return parts.Page("/",
		app.Div().Class("title-row").Body(
			app.H1().Class("title").Text("Runs"),
			&parts.StateFilter{Chosen: p.filter, OnChoose: p.choose},
			app.If(p.runs.Loaded && p.runs.Problem == nil, p.connection),
			app.A().Class("button", "button-primary").Href("/new").Text("New run"),
		),
		p.trouble(),
		p.list(),
	)
}

// connection says how fresh the list is.
func (p *Runs) connection() app.UI {
	if p.runs.Live {
		return &parts.Connection{Words: "Live", Phase: "live"}
	}
	return &parts.Connection{Words: "Read every 2 s", Phase: "live"}
}

// trouble says that the list below is no longer fresh.
func (p *Runs) trouble() app.UI {
	if p.runs.Problem == nil || !p.runs.Loaded {
		return app.Div().Class("banner-place")
	}
	sentence, _ := parts.Trouble(p.runs.Problem)
	if p.runs.Kept {
		return app.Div().Class("banner-place").Body(
			app.P().Class("banner").Role("status").Text(sentence + ". These are the runs that this browser has kept, as they were then."),
		)
	}
	return app.Div().Class("banner-place").Body(
		app.P().Class("banner").Role("status").
			Text(fmt.Sprintf("%s. This is what it was %s ago.", sentence, parts.Age(p.now(), contracts.TimeOf(p.runs.ReadAt)))),
	)
}

func (p *Runs) list() app.UI {
	switch {
	case !p.runs.Loaded && p.runs.Problem != nil:
		sentence, detail := parts.Trouble(p.runs.Problem)
		return &parts.Notice{Tone: parts.ToneError, Text: sentence + ".", Detail: detail, Action: "Try again", OnAction: p.again}
	case !p.runs.Loaded:
		return &parts.Notice{Tone: parts.ToneLoading, Text: "Reading the runs"}
	case len(p.runs.List) == 0 && p.filter != "":
		return &parts.Notice{Tone: parts.ToneEmpty, Text: fmt.Sprintf("No run is %s.", p.filter), Action: "Show all", OnAction: p.all}
	case len(p.runs.List) == 0:
		return &parts.Notice{Tone: parts.ToneEmpty, Text: "Nothing has run here yet.", Action: "Start a run", Href: "/new"}
	}
	now := p.now()
	rows := make([]app.UI, 0, len(p.runs.List)+1)
	for _, s := range p.runs.List {
		used := s.Used
		if !s.State.Terminal() {
			used.WallMS = max(used.WallMS, now.Sub(s.CreatedAt))
		}
		tightest := parts.Tightest(parts.Gauges(used, s.Limits))
		rows = append(rows, &parts.RunRow{
			ID: s.RunID, State: s.State, Goal: s.Goal, Backend: s.Backend,
			Age: parts.Age(now, s.CreatedAt), Tokens: parts.Count(used.Tokens()) + " tok",
			Gauge: tightest.Name, GaugeWords: tightest.Words, Share: tightest.Share, Warn: tightest.Warn,
			Level: tightest.Level, Approvals: s.Approvals,
		})
	}
	list := app.Ol().Class("run-list").Aria("label", "Runs, the newest first").Body(rows...)
	if !p.runs.More {
		return list
	}
	return app.Div().Body(list, app.P().Class("aside-note").Text(fmt.Sprintf("The newest %d are shown.", len(p.runs.List))))
}

func (p *Runs) choose(_ app.Context, s contracts.State) {
	p.filter = s
	if s == "" {
		p.watch.Filter(nil)
		return
	}
	p.watch.Filter([]contracts.State{s})
}

func (p *Runs) all(ctx app.Context) { p.choose(ctx, "") }

func (p *Runs) again(app.Context) { p.watch.Ask() }

func (p *Runs) now() contracts.Time { return contracts.TimeOf(clock(p.Now)()) }

// clock returns now, or the system's clock where it is nil.
func clock(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now //nolint:forbidigo // the default of the clock field
	}
	return now
}
