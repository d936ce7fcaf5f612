package pages

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/lookup"
	"axiom25/app/parts"
	"axiom25/app/store"
)

// Reference is the contracts and the API: to be read, searched and tried.
type Reference struct {
	app.Compo

	manual  store.Manual
	section string // of the address; empty for the contents
	anchor  string // of the address

	index  []lookup.Entry
	query  string
	found  []lookup.Group
	chosen int // the position of the result that Enter opens

	trial  trial
	stream streaming
	// ctx is the page's: that of a button ends with the button.
	ctx      app.Context
	unlisten func()
}

// OnMount implements app.Mounter.
func (p *Reference) OnMount(ctx app.Context) {
	p.ctx = ctx
	ctx.ObserveState(store.KeyManual, &p.manual).OnChange(func() { p.loaded(ctx) })
	store.ReadManual(ctx, command.Client{})
	p.unlisten = store.Listen(ctx, app.Window().Get("document"), "keydown", p.pressed)
}

// OnDismount implements app.Dismounter.
func (p *Reference) OnDismount() {
	p.unlisten()
	p.stream.viewer.Close()
}

// OnNav implements app.Navigator.
func (p *Reference) OnNav(ctx app.Context) {
	ctx.Page().SetTitle("Reference · Axiom25")
	if app.IsServer {
		return
	}
	url := ctx.Page().URL()
	p.section = strings.Trim(strings.TrimPrefix(url.Path, "/reference"), "/")
	p.anchor = url.Fragment
	p.query, p.found = "", nil
	p.loaded(ctx)
}

// loaded brings the reader to the place of the address, once there is something to see.
func (p *Reference) loaded(ctx app.Context) {
	if p.manual.Book == nil {
		return
	}
	p.index = lookup.Index(p.manual.Book)
	p.openTrial()
	if p.section == "stream" {
		p.openStream(ctx)
	}
	if anchor := p.anchor; anchor != "" {
		ctx.Defer(func(ctx app.Context) { ctx.ScrollTo(anchor) })
	}
}

// sections are the parts of the reference, in their order.
func sections() [][2]string {
	return [][2]string{
		{"", "Contents"},
		{"taskspec", "TaskSpec"},
		{"budget", "Budget"},
		{"verifycontract", "VerifyContract"},
		{"toolspec", "ToolSpec"},
		{"runevent", "RunEvent"},
		{"events", "Events"},
		{"problems", "Problems"},
		{"api", "API"},
		{"stream", "Stream viewer"},
	}
}

// Render implements app.Composer.
func (p *Reference) Render() app.UI {
	links := make([]app.UI, 0, len(sections()))
	for _, s := range sections() {
		link := app.A().Class("ref-tab").Href(strings.TrimSuffix("/reference/"+s[0], "/")).Text(s[1])
		if s[0] == p.section {
			link = link.Aria("current", "page")
		}
		links = append(links, link)
	}
	return parts.Page("/reference",
		app.Div().Class("title-row").Body(
			app.H1().Class("title").Text("Reference"),
			app.Input().Class("field", "ref-search").Type("search").ID("search").
				Placeholder("Search, or press /").Aria("label", "Search the reference").
				Role("combobox").Aria("expanded", p.query != "").Aria("controls", "results").Aria("activedescendant", p.active()).
				Attr("autocomplete", "off").Spellcheck(false).
				OnInput(p.typed).OnKeyDown(p.move),
		),
		app.Nav().Class("ref-nav").Aria("label", "Sections of the reference").Body(links...),
		p.content(),
	)
}

func (p *Reference) content() app.UI {
	book := p.manual.Book
	switch {
	case p.manual.Failed != nil:
		_, detail := parts.Trouble(p.manual.Failed)
		return &parts.Notice{
			Tone: parts.ToneError, Text: "The reference cannot be read.", Detail: orElse(detail, p.manual.Failed.Error()),
			Action: "Try again", OnAction: func(ctx app.Context) { store.ReadManual(ctx, command.Client{}) },
		}
	case book == nil:
		return &parts.Notice{Tone: parts.ToneLoading, Text: "Reading the reference"}
	case p.query != "":
		return p.results()
	}
	switch p.section {
	case "":
		return p.contents()
	case "events":
		return p.events()
	case "problems":
		return p.problems()
	case "api":
		return p.api()
	case "stream":
		return p.streamSection()
	}
	for i := range book.Contracts {
		if book.Contracts[i].Kind == p.section {
			return p.contract(&book.Contracts[i])
		}
	}
	return &parts.Notice{Tone: parts.ToneEmpty, Text: "The reference has no such section.", Action: "Show the contents", Href: "/reference"}
}

// The search.

func (p *Reference) typed(ctx app.Context, _ app.Event) {
	p.query, p.chosen = strings.TrimSpace(ctx.JSSrc().Get("value").String()), 0
	p.found = lookup.Find(p.index, p.query)
}

// pressed gives the focus to the search.
func (p *Reference) pressed(ctx app.Context, event app.Event) {
	ctx.PreventUpdate()
	target := event.Get("target")
	inText := target.Get("closest").Truthy() && target.Call("closest", typesText).Truthy()
	if event.Get("key").String() == "/" && !inText && !event.Get("ctrlKey").Bool() && !event.Get("metaKey").Bool() {
		event.PreventDefault()
		app.Window().GetElementByID("search").Call("focus")
	}
}

// move walks through the results, and opens one.
func (p *Reference) move(ctx app.Context, event app.Event) {
	entries := p.entries()
	switch event.Get("key").String() {
	case "ArrowDown":
		p.chosen = min(p.chosen+1, max(0, len(entries)-1))
	case "ArrowUp":
		p.chosen = max(p.chosen-1, 0)
	case "Enter":
		if p.chosen < len(entries) {
			ctx.Navigate(entries[p.chosen].Href)
			p.forget()
		}
	case "Escape":
		p.forget()
	default:
		ctx.PreventUpdate()
		return
	}
	event.PreventDefault()
	active := p.active()
	ctx.Defer(func(app.Context) {
		if row := app.Window().GetElementByID(active); row.Truthy() {
			row.Call("scrollIntoView", map[string]any{"block": "nearest"})
		}
	})
}

// forget ends the search; a click on a result does by its navigation.
func (p *Reference) forget() {
	p.query, p.found, p.chosen = "", nil, 0
	app.Window().GetElementByID("search").Set("value", "")
}

func (p *Reference) entries() []lookup.Entry {
	var list []lookup.Entry
	for _, g := range p.found {
		list = append(list, g.Entries...)
	}
	return list
}

// active is the id of the result that Enter opens.
func (p *Reference) active() string {
	if len(p.found) == 0 {
		return ""
	}
	return resultID(p.chosen)
}
