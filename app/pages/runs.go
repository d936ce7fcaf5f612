// Package pages arranges parts into the pages of the console. A page observes what package store publishes and
// asks the store for changes; it sends no request itself.
package pages

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/feed"
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
	filter store.RunFilter
	typed  string // what stands in the search field, which the list follows when the typing pauses
	label  string // what stands in the label field
	wrong  string // why that is no label

	bar      addressBar
	scroll   runScroll
	keyboard func() // ends the listening
}

// OnNav implements app.Navigator. The address says which runs are wanted.
func (p *Runs) OnNav(ctx app.Context) {
	ctx.Page().SetTitle("Runs · Axiom25")
	if app.IsServer {
		return // the server draws the shell alone
	}
	f := store.ParseRunFilter(ctx.Page().URL().Query())
	switch {
	case p.watch == nil:
		p.bar.ctx = ctx
		p.filter, p.typed = f, f.Text
		ctx.ObserveState(store.KeyRuns, &p.runs).OnChange(func() { p.scroll.changed(ctx, p.runs.List) })
		p.watch = store.WatchRuns(ctx, command.Client{}, f)
		p.keyboard = store.Listen(ctx, app.Window().Get("document"), "keydown", p.pressed)
		p.scroll.open(ctx, func() []*contracts.Summary { return p.runs.List }, p.end)
	case f.Address() != p.filter.Address():
		p.filter, p.typed = f, f.Text
		p.scroll.reset()
		p.watch.Filter(f)
	}
}

// OnDismount implements app.Dismounter.
func (p *Runs) OnDismount() {
	if p.watch != nil {
		p.watch.Close()
		p.keyboard()
		p.scroll.close()
	}
}

// OnResize implements app.Resizer.
func (p *Runs) OnResize(ctx app.Context) { p.scroll.look(ctx) }

// Render implements app.Composer.
func (p *Runs) Render() app.UI {
	return parts.Page("/",
		app.Div().Class("title-row").Body(
			app.H1().Class("title").Text("Runs"),
			&parts.Connection{
				Words: p.runs.Connection.Words(clock(p.Now)()), Phase: connectionPhase(p.runs.Connection.Phase),
				Retry: p.runs.Connection.Phase == feed.Waiting, OnRetry: p.retry,
			},
			app.A().Class("button", "button-primary").Href("/new").Text("New run"),
		),
		p.filters(),
		p.trouble(),
		p.list(),
		&parts.KeyHelp{Groups: []parts.KeyGroup{{Title: "The runs", Keys: runsKeys[:]}}},
	)
}

// runsKeys are the keys of the page.
var runsKeys = [...]parts.Key{
	{Key: "/", Does: "Search"},
	{Key: "j k", Does: "Move to the next or the previous run"},
	{Key: "Enter", Does: "Open the run"},
	{Key: "g", Does: "Go to the newest run"},
	{Key: "n", Does: "Start a new run"},
	{Key: "?", Does: "Show this list"},
}

// pressed takes a key that is for the page.
func (p *Runs) pressed(ctx app.Context, event app.Event) {
	ctx.PreventUpdate() // what is to be drawn anew says so itself
	key := freeKey(event)
	switch key {
	case "/":
		app.Window().GetElementByID("search").Call("select")
	case "j":
		p.scroll.move(ctx, 1)
	case "k":
		p.scroll.move(ctx, -1)
	case "g":
		p.scroll.move(ctx, -len(p.runs.List))
	case "n":
		ctx.Navigate("/new")
	case "?":
		parts.ShowKeyHelp()
	default:
		return
	}
	event.PreventDefault()
}

// connectionPhase is the class that a connection is shown in.
func connectionPhase(phase feed.Phase) string {
	switch phase {
	case feed.Live, feed.Polled:
		return "live"
	case feed.Connecting, feed.Asleep, feed.Ended:
		return "complete"
	case feed.Reconnecting, feed.Waiting:
	}
	return "lost"
}

// filters are what the reader looks for.
func (p *Runs) filters() app.UI {
	return app.Div().Class("run-filters").Role("search").Body(
		app.Div().Class("actions", "filter-fields").Body(
			&parts.SearchField{
				ID: "search", Label: "Search the runs by goal or id", Hint: "Search by goal or id", Text: p.typed, OnText: p.search,
			},
			&parts.SearchField{
				ID: "label", Label: "Add a label to filter by, as name:value", Hint: "Label, as team:a", Text: p.label,
				OnText: p.typeLabel, OnEnter: p.addLabel,
			},
			&parts.TimeFilter{Since: p.filter.Since, Until: p.filter.Until, OnChoose: p.created},
		),
		app.P().Class("field-error").Role("status").Text(p.wrong),
		&parts.LabelFilter{Labels: p.filter.Labels, OnDrop: p.dropLabel},
		&parts.StateFilter{
			Chosen: p.filter.States, Counts: store.CountRuns(p.runs.List), Of: p.counted(), OnToggle: p.toggle,
		},
	)
}

// counted says what the numbers of the states count.
func (p *Runs) counted() string {
	n := len(p.runs.List)
	switch {
	case !p.runs.Loaded:
		return ""
	case p.runs.More:
		return fmt.Sprintf("of the newest %d runs%s", n, matching(p.filter))
	case n == 1:
		return "of 1 run" + matching(p.filter)
	}
	return fmt.Sprintf("of all %d runs%s", n, matching(p.filter))
}

func matching(f store.RunFilter) string {
	if f.Empty() {
		return ""
	}
	return " that match"
}

// searchPause is how long the typing has to pause before the list follows.
const searchPause = 250 * time.Millisecond

func (p *Runs) search(ctx app.Context, text string) {
	p.typed = text
	ctx.After(searchPause, func(ctx app.Context) {
		if p.typed == text && p.filter.Text != strings.TrimSpace(text) {
			f := p.filter
			f.Text = strings.TrimSpace(text)
			p.show(ctx, f)
		}
	})
}

func (p *Runs) typeLabel(_ app.Context, text string) { p.label, p.wrong = text, "" }

func (p *Runs) addLabel(ctx app.Context, text string) {
	text = strings.TrimSpace(text)
	name, _, ok := strings.Cut(text, ":")
	if !ok || name == "" {
		p.label, p.wrong = text, "A label is a name and a value: team:a"
		return
	}
	p.label, p.wrong = "", ""
	p.show(ctx, p.filter.WithLabel(text))
}

func (p *Runs) dropLabel(ctx app.Context, label string) { p.show(ctx, p.filter.WithoutLabel(label)) }

func (p *Runs) created(ctx app.Context, since, until string) {
	f := p.filter
	f.Since, f.Until = since, until
	p.show(ctx, f)
}

func (p *Runs) toggle(ctx app.Context, s contracts.State) { p.show(ctx, p.filter.Toggle(s)) }

func (p *Runs) all(ctx app.Context) { p.show(ctx, store.RunFilter{}) }

// show lists other runs: the address says which, and so the way back leads to those before. A search that goes on takes the
// place of its beginning.
func (p *Runs) show(ctx app.Context, f store.RunFilter) {
	goesOn := p.filter
	goesOn.Text = f.Text
	if p.filter.Text == "" || f.Text == "" || goesOn.Address() != f.Address() {
		ctx.Navigate(f.Address())
		return
	}
	p.bar.show(f.Address())
	p.filter = f
	p.scroll.reset()
	p.watch.Filter(f)
}

// trouble says that the list below is no longer fresh.
func (p *Runs) trouble() app.UI {
	status := p.runs.Connection
	if !p.runs.Loaded || p.runs.Problem == nil && connectionPhase(status.Phase) != "lost" {
		return app.Div().Class("banner-place")
	}
	sentence, detail := "The server cannot be reached", ""
	if p.runs.Problem != nil {
		sentence, detail = parts.Trouble(p.runs.Problem)
	}
	if detail != "" {
		detail = " " + upperFirst(detail) + "."
	}
	if p.runs.Kept {
		return app.Div().Class("banner-place").Body(
			app.P().Class("banner").Role("status").Text(sentence + ". These are the runs that this browser has kept, as they were then."),
		)
	}
	return app.Div().Class("banner-place").Body(
		app.P().Class("banner").Role("status").Body(
			app.Text(sentence+"."+detail+" What is shown is of "),
			app.Span().Title(contracts.TimeOf(p.runs.ReadAt).String()).
				Text(parts.Clock(contracts.TimeOf(p.runs.ReadAt))),
			app.Text("."),
		),
	)
}

func (p *Runs) list() app.UI {
	status := p.runs.Connection
	switch {
	case !p.runs.Loaded && p.runs.Problem != nil && !p.filter.Empty() && refused(p.runs.Problem):
		sentence, detail := parts.Trouble(p.runs.Problem)
		return &parts.Notice{Tone: parts.ToneError, Text: sentence + ".", Detail: detail, Action: "Show all runs", OnAction: p.all}
	case !p.runs.Loaded && p.runs.Problem != nil:
		sentence, detail := parts.Trouble(p.runs.Problem)
		return &parts.Notice{
			Tone: parts.ToneError, Text: sentence + ".", Detail: orElse(detail, status.Words(clock(p.Now)())), Action: "Try now", OnAction: p.retry,
		}
	case !p.runs.Loaded:
		return &parts.Notice{Tone: parts.ToneLoading, Text: "Reading the runs"}
	case len(p.runs.List) == 0 && !p.filter.Empty():
		return &parts.Notice{Tone: parts.ToneEmpty, Text: "No run matches what you look for.", Action: "Show all runs", OnAction: p.all}
	case len(p.runs.List) == 0:
		return &parts.Notice{Tone: parts.ToneEmpty, Text: "Nothing has run here yet.", Action: "Start a run", Href: "/new"}
	}
	from, to := p.scroll.Span(len(p.runs.List))
	now := p.now()
	rows := make([]app.UI, 0, to-from+2)
	rows = append(rows, parts.Gap(from*p.scroll.Height))
	for i, s := range p.runs.List[from:to] {
		row := rowOf(s, now)
		row.Position, row.Count = from+i+1, len(p.runs.List)
		rows = append(rows, row)
	}
	rows = append(rows, parts.Gap((len(p.runs.List)-to)*p.scroll.Height))
	return app.Div().Class("run-lists").Body(
		p.news(),
		app.Ol().Class("run-list").ID("runs").Aria("label", "Runs, the newest first").On("focusin", p.scroll.focused).Body(rows...),
		p.foot(),
	)
}

// refused reports whether the server will say the same again.
func refused(err error) bool {
	problem, ok := errors.AsType[*contracts.Problem](err)
	return ok && problem.Status >= 400 && problem.Status < 500 && problem.Status != 429
}

// news leads to the runs that came while the reader was further down.
func (p *Runs) news() app.UI {
	n := p.scroll.news(p.runs.List)
	return app.Div().Class("run-news").Aria("live", "polite").Body(
		app.If(n > 0, func() app.UI {
			return app.Button().Class("button", "button-primary").Type("button").Text(fmt.Sprintf("%d new", n)).OnClick(p.toTop)
		}),
	)
}

func (p *Runs) toTop(app.Context, app.Event) { app.Window().Call("scrollTo", 0, 0) }

// foot says where the list ends, and leads further.
func (p *Runs) foot() app.UI {
	switch {
	case p.runs.OlderProblem != nil:
		sentence, _ := parts.Trouble(p.runs.OlderProblem)
		return app.P().Class("aside-note").Role("alert").Body(
			app.Text("Older runs could not be read: "+lowerFirst(sentence)+". "),
			app.Button().Class("button-inline").Type("button").Text("Try again").OnClick(p.older),
		)
	case p.runs.Full():
		return app.P().Class("aside-note").Text(fmt.Sprintf("The newest %d are shown. Filter to see older ones.", len(p.runs.List)))
	case p.runs.More && p.runs.Older:
		return app.P().Class("aside-note").Role("status").Text("Reading older runs")
	case p.runs.More:
		return app.P().Class("aside-note").Body(
			app.Button().Class("button-inline").Type("button").Text("Load older runs").OnClick(p.older),
		)
	}
	return app.P().Class("aside-note").Text("These are all.")
}

func (p *Runs) older(app.Context, app.Event) { p.watch.Older() }

// end reads on when the reader comes to the end of what is known.
func (p *Runs) end() {
	if p.runs.More && p.runs.OlderProblem == nil {
		p.watch.Older()
	}
}

// rowOf draws a run at a time.
func rowOf(s *contracts.Summary, now contracts.Time) *parts.RunRow {
	used := s.Used
	if !s.State.Terminal() {
		used.WallMS = max(used.WallMS, now.Sub(s.CreatedAt))
	}
	tightest := parts.Tightest(parts.Gauges(used, s.Limits))
	return &parts.RunRow{
		ID: s.RunID, State: s.State, Goal: s.Goal, Backend: s.Backend, Labels: labelsOf(s.Labels),
		Age: parts.Age(now, s.CreatedAt), Created: s.CreatedAt.String(), Tokens: parts.Count(used.Tokens()) + " tok",
		Gauge: tightest.Name, GaugeWords: tightest.Words, Share: tightest.Share, Warn: tightest.Warn,
		Level: tightest.Level, Approvals: s.Approvals, Pruned: s.Pruned,
	}
}

// labelsOf writes labels in the order of their names.
func labelsOf(labels map[string]string) string {
	all := make([]string, 0, len(labels))
	for name, value := range labels {
		all = append(all, name+":"+value)
	}
	sort.Strings(all)
	return strings.Join(all, "  ")
}

func (p *Runs) retry(app.Context) { p.watch.Retry() }

func (p *Runs) now() contracts.Time { return contracts.TimeOf(clock(p.Now)()) }

// clock returns now, or the system's clock where it is nil.
func clock(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now //nolint:forbidigo // the default of the clock field
	}
	return now
}
