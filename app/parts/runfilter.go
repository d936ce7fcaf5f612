package parts

import (
	"math"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// StateFilter lets the reader choose states, any number of them, and says how many runs are in each.
type StateFilter struct {
	app.Compo

	// Chosen are the states that are shown; none for all.
	Chosen []contracts.State
	// Counts are the runs in each state that are known.
	Counts map[contracts.State]int
	// Of says what is counted.
	Of string
	// OnToggle is called with a state that is to be shown, or no more.
	OnToggle func(ctx app.Context, s contracts.State)
}

// states are all, in the order of a run's life.
var states = [...]contracts.State{
	contracts.StateQueued, contracts.StateRunning, contracts.StateWaiting, contracts.StateDraining,
	contracts.StateSucceeded, contracts.StateRefused, contracts.StateFailed, contracts.StateCancelled,
	contracts.StateExhausted,
}

// Render implements app.Composer.
func (f *StateFilter) Render() app.UI {
	chips := make([]app.UI, 0, len(states)+1)
	for _, s := range states {
		chosen := false
		for _, c := range f.Chosen {
			chosen = chosen || c == s
		}
		count := ""
		if n := f.Counts[s]; n > 0 {
			count = strconv.Itoa(n)
		}
		chips = append(chips, app.Button().Class("button", "chip").Type("button").Value(string(s)).
			Aria("pressed", strconv.FormatBool(chosen)).OnClick(f.toggle).
			Body(&StateBadge{State: s}, app.Span().Class("chip-count").Text(count)))
	}
	chips = append(chips, app.Span().Class("quiet").Text(f.Of))
	return app.Div().Class("actions", "chips").Role("group").Aria("label", "States").Body(chips...)
}

func (f *StateFilter) toggle(ctx app.Context, _ app.Event) {
	if f.OnToggle != nil {
		f.OnToggle(ctx, contracts.State(ctx.JSSrc().Get("value").String()))
	}
}

// SearchField is a line of text that is looked for as it is typed.
type SearchField struct {
	app.Compo

	// ID is the field's in the page; Label names it, and Hint stands in it while it is empty.
	ID, Label, Hint string
	// Text is what stands in it, and replaces what does each time when it changes.
	Text string
	// OnText is called with the text as the reader changes it, OnEnter for Enter.
	OnText, OnEnter func(ctx app.Context, text string)

	shown string
}

// OnMount implements app.Mounter.
func (f *SearchField) OnMount(app.Context) { f.fill() }

// OnUpdate implements app.Updater.
func (f *SearchField) OnUpdate(app.Context) { f.fill() }

// fill puts the text into the field: what is in there is its own once it was typed in.
func (f *SearchField) fill() {
	if f.shown != f.Text {
		f.shown = f.Text
		f.JSValue().Set("value", f.Text)
	}
}

// Render implements app.Composer.
func (f *SearchField) Render() app.UI {
	return app.Elem("input").Class("select", "find").Attr("type", "search").ID(f.ID).Aria("label", f.Label).Attr("placeholder", f.Hint).
		Attr("autocomplete", "off").Spellcheck(false).OnInput(f.typed).OnKeyDown(f.pressed)
}

func (f *SearchField) typed(ctx app.Context, _ app.Event) {
	f.shown = ctx.JSSrc().Get("value").String()
	if f.OnText != nil {
		f.OnText(ctx, f.shown)
	}
}

func (f *SearchField) pressed(ctx app.Context, e app.Event) {
	if e.Get("key").String() == "Enter" && f.OnEnter != nil {
		f.OnEnter(ctx, ctx.JSSrc().Get("value").String())
	}
}

// LabelFilter shows the labels that a run has to have, each of which can be dropped.
type LabelFilter struct {
	app.Compo

	// Labels are those, each as name:value.
	Labels []string
	// OnDrop is called with a label that is not to be asked for any more.
	OnDrop func(ctx app.Context, label string)
}

// Render implements app.Composer.
func (f *LabelFilter) Render() app.UI {
	chips := make([]app.UI, 0, len(f.Labels))
	for _, l := range f.Labels {
		chips = append(chips, app.Button().Class("button", "chip").Type("button").Value(l).
			Aria("label", "Without the label "+l).OnClick(f.drop).
			Body(app.Text(l), drawing("state-shape", stroked("M4.500 4.500l7 7M11.500 4.500l-7 7"))))
	}
	return app.Div().Class("actions", "chips", "chips-labels").Role("group").Aria("label", "Labels").Body(chips...)
}

func (f *LabelFilter) drop(ctx app.Context, _ app.Event) {
	if f.OnDrop != nil {
		f.OnDrop(ctx, ctx.JSSrc().Get("value").String())
	}
}

// TimeFilter lets the reader choose when a run was created.
type TimeFilter struct {
	app.Compo

	// Since and Until are times in RFC 3339 or, for Since, how long ago; empty for an open end.
	Since, Until string
	// OnChoose is called with the reader's choice.
	OnChoose func(ctx app.Context, since, until string)

	exact bool // the reader gives times
}

// presets are offered before exact times.
var presets = [...]struct{ since, name string }{
	{anyTime, "any time"}, {"1h", "the last hour"}, {"1d", "the last day"}, {"7d", "the last week"},
}

// The choices that are no age. (An option without a value has its text for one.)
const (
	anyTime = "any"
	exactly = "exact"
)

// Render implements app.Composer.
func (f *TimeFilter) Render() app.UI {
	exact := f.exact || f.Until != ""
	known := false
	options := make([]app.UI, 0, len(presets)+1)
	for _, p := range presets {
		chosen := !exact && (p.since == f.Since || p.since == anyTime && f.Since == "")
		known = known || chosen
		options = append(options, app.Option().Value(p.since).Text(p.name).Selected(chosen))
	}
	exact = exact || !known
	options = append(options, app.Option().Value(exactly).Text("between").Selected(exact))
	return app.Div().Class("actions", "times").Body(
		app.Select().Class("select").Aria("label", "Created").OnChange(f.choose).Body(options...),
		app.If(exact, func() app.UI {
			return app.Div().Class("actions", "times").Body(
				&timeField{Label: "Created since", Time: f.Since, OnTime: f.since},
				&timeField{Label: "Created until", Time: f.Until, OnTime: f.until},
			)
		}),
	)
}

func (f *TimeFilter) choose(ctx app.Context, _ app.Event) {
	since := ctx.JSSrc().Get("value").String()
	f.exact = since == exactly
	switch since {
	case exactly:
	case anyTime:
		f.tell(ctx, "", "")
	default:
		f.tell(ctx, since, "")
	}
}

func (f *TimeFilter) since(ctx app.Context, t string) { f.tell(ctx, t, f.Until) }

func (f *TimeFilter) until(ctx app.Context, t string) {
	since := f.Since
	if !strings.Contains(since, "T") {
		since = "" // an age does not go with an exact end
	}
	f.tell(ctx, since, t)
}

func (f *TimeFilter) tell(ctx app.Context, since, until string) {
	if f.OnChoose != nil {
		f.OnChoose(ctx, since, until)
	}
}

// timeField is a time to the minute in the reader's zone.
type timeField struct {
	app.Compo

	// Label names it.
	Label string
	// Time is in RFC 3339; what is none is not shown.
	Time string
	// OnTime is called with the reader's choice in RFC 3339; empty for none.
	OnTime func(ctx app.Context, t string)

	shown string
}

// OnMount implements app.Mounter.
func (f *timeField) OnMount(app.Context) { f.fill() }

// OnUpdate implements app.Updater.
func (f *timeField) OnUpdate(app.Context) { f.fill() }

// fill shows a time that is new by the browser's own calendar, which knows the zone's summers.
func (f *timeField) fill() {
	if f.shown == f.Time {
		return
	}
	f.shown = f.Time
	date := app.Window().Get("Date").New(f.Time)
	ms := date.Call("getTime").Float() - date.Call("getTimezoneOffset").Float()*60_000
	if math.IsNaN(ms) {
		f.JSValue().Set("value", "")
		return
	}
	f.JSValue().Set("valueAsNumber", ms)
}

// Render implements app.Composer.
func (f *timeField) Render() app.UI {
	return app.Elem("input").Class("select", "find").Attr("type", "datetime-local").Attr("step", "1").Aria("label", f.Label).Title(f.Time).OnChange(f.changed)
}

func (f *timeField) changed(ctx app.Context, _ app.Event) {
	text := ctx.JSSrc().Get("value").String()
	if text != "" {
		text = app.Window().Get("Date").New(text).Call("toISOString").String()
	}
	f.shown = text
	if f.OnTime != nil {
		f.OnTime(ctx, text)
	}
}
