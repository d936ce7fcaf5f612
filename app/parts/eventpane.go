package parts

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// EventLink leads from an event to one that belongs to it.
type EventLink struct {
	// Seq is the event that it leads to, and Title what that is.
	Seq   contracts.Seq
	Title string
}

// EventPane shows one event whole: beside the view, or over it on a narrow screen. It closes with its button and with Esc, which
// is the page's.
type EventPane struct {
	app.Compo

	// Page is the path of the run's page, and Last the run's last event.
	Page string
	Last contracts.Seq
	// Seq, Time, Type and Branch are the event's, and Since is the time from the run's start in words.
	Seq    contracts.Seq
	Time   contracts.Time
	Since  string
	Type   contracts.EventType
	Branch contracts.Branch
	// Gist says what the event brings.
	Gist string
	// Sent is the event as it was sent; empty where its text is not here, of which Missing says why. Reading says that it is
	// being read.
	Sent    string
	Missing string
	// Receipt is the event's receipt, or nil, and Sound says that its hash is that of its content.
	Receipt *contracts.Receipt
	Sound   bool
	// Links lead to the events that belong to it.
	Links []EventLink
	// OnSelect is called with another event, and with 0 to close. OnRead is called where the text is to be read again; nil where
	// that is no use.
	OnSelect func(ctx app.Context, seq contracts.Seq)
	OnRead   func(ctx app.Context)

	asSent       bool   // the JSON is shown as it was sent
	indented, of string // Sent on many lines, and the Sent that this is of
}

const eventPaneID = "event-pane"

// narrow is where the pane covers the page, as web/console.css has it.
const narrow = "(max-width: 960px)"

// FocusEventPane puts the focus on the pane.
func FocusEventPane() {
	if pane := app.Window().GetElementByID(eventPaneID); pane.Truthy() {
		pane.Call("focus")
	}
}

// OnMount implements app.Mounter.
func (p *EventPane) OnMount(app.Context) {
	if app.Window().Call("matchMedia", narrow).Get("matches").Bool() {
		FocusEventPane() // what had the focus is covered
	}
}

// OnDismount implements app.Dismounter.
func (p *EventPane) OnDismount() {
	document := app.Window().Get("document")
	if focused := document.Get("activeElement"); focused.Truthy() && focused.Equal(document.Get("body")) {
		FocusEventList()
	}
}

// Render implements app.Composer.
func (p *EventPane) Render() app.UI {
	return app.Aside().Class("event-pane", "panel").ID(eventPaneID).TabIndex(-1).Aria("label", "Event "+p.number()).Body(
		app.Div().Class("event-pane-head").Body(
			app.H2().Class("event-pane-title").Body(app.Text("Event "+p.number()), app.Span().Class("quiet").Text(" "+string(p.Type))),
			p.step("Previous event", "‹", p.Seq-1),
			p.step("Next event", "›", p.Seq+1),
			app.Button().Class("button", "button-quiet").Type("button").Title("Close (Esc)").Aria("label", "Close").Text("✕").
				DataSet("seq", "0").OnClick(p.follow),
		),
		app.P().Class("event-pane-gist").Text(p.Gist),
		app.Dl().Class("facts").Body(p.facts()...),
		p.links(),
		app.If(p.Receipt != nil, p.receipt),
		p.json(),
	)
}

func (p *EventPane) number() string { return Grouped(int64(p.Seq)) }

// step leads to a neighbour.
func (p *EventPane) step(name, sign string, seq contracts.Seq) app.UI {
	return app.Button().Class("button", "button-quiet").Type("button").Title(name).Aria("label", name).Text(sign).
		Disabled(seq < 1 || seq > p.Last).DataSet("seq", int64(seq)).OnClick(p.follow)
}

func (p *EventPane) facts() []app.UI {
	facts := []app.UI{
		app.Dt().Text("time"), app.Dd().Title(p.Time.String()).Text(Clock(p.Time) + ", " + p.Since),
		app.Dt().Text("UTC"), app.Dd().Text(p.Time.String()),
		app.Dt().Text("type"), app.Dd().Text(string(p.Type)),
		app.Dt().Text("branch"), app.Dd().Text(branchName(p.Branch)),
		app.Dt().Text("size"), app.Dd().Text(p.size()),
	}
	return facts
}

func branchName(b contracts.Branch) string {
	if b == "" {
		return "root"
	}
	return string(b)
}

func (p *EventPane) size() string {
	if p.Sent == "" {
		return "not known here"
	}
	return Bytes(int64(len(p.Sent)))
}

// links lead to what belongs to the event.
func (p *EventPane) links() app.UI {
	links := make([]app.UI, 0, len(p.Links))
	for _, l := range p.Links {
		seq := strconv.FormatInt(int64(l.Seq), 10)
		links = append(links, app.Li().Body(
			app.A().Class("event-pane-link").Href(p.Page+"#e"+seq).DataSet("seq", seq).OnClick(p.follow).Body(
				app.Code().Text(seq), app.Text(" "+l.Title)),
		))
	}
	return app.Ul().Class("event-pane-links").Aria("label", "What belongs to it").Hidden(len(links) == 0).Body(links...)
}

func (p *EventPane) receipt() app.UI {
	r := p.Receipt
	var facts []app.UI
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, app.Dt().Text(name), app.Dd().Text(value))
		}
	}
	add("tool", string(r.Tool))
	add("call", r.CallID+", attempt "+strconv.FormatInt(r.Attempt, 10))
	add("status", string(r.Status))
	add("latency", Duration(r.LatencyMS))
	add("result", Bytes(r.ResultBytes))
	if r.CostMicroUSD > 0 {
		add("cost", Money(r.CostMicroUSD))
	}
	if a := r.Approval; a != nil {
		add("decision", string(a.Decision)+" by "+orElse(a.By, "the server"))
	}
	add("tool digest", string(r.ToolDigest))
	add("arguments", string(r.ArgsHash))
	add("result hash", string(r.ResultHash))
	add("previous", string(r.Prev))
	add("hash", string(r.Hash))
	verdict := app.P().Class("event-pane-sound").Text("The hash is that of the receipt, recomputed here.")
	if !p.Sound {
		verdict = app.P().Class("field-error").Text("The hash is not that of the receipt, recomputed here.")
	}
	return app.Details().Class("fold").Body(
		app.Summary().Class("fold-summary").Body(
			app.Span().Class("fold-title").Text("Receipt"), app.Span().Class("fold-note").Text(ShortDigest(r.Hash)),
		),
		app.Dl().Class("facts").Body(facts...),
		verdict,
	)
}

// json is the event's text.
func (p *EventPane) json() app.UI {
	if p.Sent == "" {
		return app.Div().Class("event-pane-json").Body(
			app.P().Class("quiet").Text(p.Missing),
			app.If(p.OnRead != nil, func() app.UI {
				return app.Button().Class("button").Type("button").Text("Read it again").OnClick(p.read)
			}),
		)
	}
	if p.of != p.Sent {
		p.indented, p.of = IndentedJSON([]byte(p.Sent)), p.Sent
	}
	text := p.indented
	if p.asSent {
		text = p.Sent
	}
	return app.Div().Class("event-pane-json").Body(
		app.Div().Class("actions").Body(
			toggle("As sent", "Show the JSON as it was sent", p.asSent).OnClick(p.switchSent),
			&CopyButton{Class: "button", Label: "Copy JSON", Text: p.Sent},
			&CopyButton{Class: "button", Label: "Copy link", Make: p.link},
		),
		app.Pre().Class("code").TabIndex(0).Aria("label", "JSON").Text(text),
	)
}

func (p *EventPane) link() string {
	return app.Window().Get("location").Get("origin").String() + p.Page + "#e" + strconv.FormatInt(int64(p.Seq), 10)
}

// follow goes to the event that is named by what was clicked.
func (p *EventPane) follow(ctx app.Context, event app.Event) {
	for _, modifier := range [...]string{"ctrlKey", "metaKey", "shiftKey", "altKey"} {
		if event.Get(modifier).Bool() {
			return // the browser opens the link elsewhere
		}
	}
	event.PreventDefault()
	event.StopImmediatePropagation() // go-app would navigate, and leave a step in the history
	seq, err := strconv.ParseInt(ctx.JSSrc().Get("dataset").Get("seq").String(), 10, 64)
	if err == nil && p.OnSelect != nil {
		p.OnSelect(ctx, contracts.Seq(seq))
	}
}

func (p *EventPane) read(ctx app.Context, _ app.Event) {
	if p.OnRead != nil {
		p.OnRead(ctx)
	}
}

func (p *EventPane) switchSent(app.Context, app.Event) { p.asSent = !p.asSent }
