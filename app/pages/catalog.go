package pages

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/document"
	"axiom25/app/form"
	"axiom25/app/parts"
	"axiom25/app/shelf"
	"axiom25/app/store"
	"axiom25/contracts"
)

// Catalog is the tools of the server, one of them in detail, and the engines.
type Catalog struct {
	app.Compo

	catalog store.Catalog
	watch   *store.CatalogWatch
	ref     contracts.ToolRef // the tool in detail; empty for none
	search  string
	last    string // the command whose outcome is shown: save or delete

	formed
	editing  bool
	original string          // what the editor began with
	file     string          // the name of the file that the text comes from
	unread   error           // why a file was not opened
	stored   store.Judgement // of what the server would make of the text
	discard  bool            // the reader is asked whether the changes may go

	drafts      store.Drafts
	draftsWatch *store.DraftsWatch
	draft       store.Draft // that the text is kept as; none while it is unchanged

	deleting contracts.ToolRef // what the reader is asked about; empty for nothing
}

// OnInit implements app.Initializer.
func (p *Catalog) OnInit() {
	p.formed = formed{
		kind: contracts.KindToolSpec, table: form.ToolSpec(), empty: emptyTool, shown: "form",
		found: p.places, renewed: p.renew, changed: p.keepDraft,
	}
}

// OnNav implements app.Navigator. The address says which tool is shown in detail.
func (p *Catalog) OnNav(ctx app.Context) {
	ctx.Page().SetTitle("Catalog · Axiom25")
	if app.IsServer {
		return // the server draws the shell alone
	}
	ref := contracts.ToolRef(ctx.Page().URL().Query().Get("tool"))
	moved := ref != p.ref
	p.ref = ref
	if p.watch == nil {
		ctx.ObserveState(store.KeyCatalog, &p.catalog).OnChange(p.learn)
		ctx.ObserveState(store.ToolDrafts.Key(), &p.drafts)
		p.draftsWatch = store.WatchDrafts(ctx, shelf.Browser(), store.ToolDrafts)
		p.watch = store.WatchCatalog(ctx, command.Client{})
		return
	}
	if moved {
		p.deleting = ""
	}
	if moved && ref != "" {
		ctx.Defer(func(app.Context) {
			if heading := app.Window().GetElementByID("tool"); heading.Truthy() {
				heading.Call("focus") // the tool may stand below what is seen
			}
		})
	}
}

// OnDismount implements app.Dismounter.
func (p *Catalog) OnDismount() {
	if p.watch != nil {
		p.watch.Close()
		p.draftsWatch.Flush()
	}
}

// learn takes in what the server says: of the tools, and of what was sent to it.
func (p *Catalog) learn() {
	if p.schema == nil && p.catalog.Schema != "" {
		p.schema = document.Read(p.catalog.Schema)
	}
	if p.editing {
		p.draw()
	}
}

// Render implements app.Composer.
func (p *Catalog) Render() app.UI {
	var body []app.UI
	if drafts := p.draftList(); len(drafts.Entries) > 0 {
		body = append(body, drafts)
	}
	if p.editing {
		body = append(body, p.editor())
	}
	switch c := &p.catalog; {
	case c.Loaded:
		if c.Problem != nil {
			body = append(body, p.stale())
		}
		body = append(body, app.Div().Class("run-columns").Body(
			app.Div().Class("run-main").Body(p.tools()),
			app.Div().Class("run-side").Body(p.side()...),
		))
	case c.Problem != nil:
		sentence, detail := parts.Trouble(c.Problem)
		body = append(body, &parts.Notice{Tone: parts.ToneError, Text: sentence, Detail: detail, Action: "Try again", OnAction: p.reread})
	default:
		body = append(body, &parts.Notice{Tone: parts.ToneLoading, Text: "Reading the catalogue"})
	}
	return parts.Page("/catalog",
		app.Div().Class("title-row").Body(
			app.H1().Class("title").Text("Catalog"),
			app.Span().Class("verdict-line", "verdict-line-valid").Role("status").Text(p.news()),
			app.Button().Class("button", "button-primary").Type("button").Text("Import a tool").OnClick(p.openImport),
		),
		app.Div().Class("run-main").Body(body...),
	)
}

func (p *Catalog) reread(app.Context) { p.watch.Read() }

func (p *Catalog) readAgain(app.Context, app.Event) { p.watch.Read() }

// stale says that what is shown is not what the server has now.
func (p *Catalog) stale() app.UI {
	sentence, detail := parts.Trouble(p.catalog.Problem)
	return app.Div().Class("banner").Role("status").Body(
		app.Span().Text(fmt.Sprintf("%s. This is the catalogue as of %s. %s ",
			sentence, parts.Clock(contracts.TimeOf(p.catalog.ReadAt)), detail)),
		app.Button().Class("button-inline").Type("button").Text("Try again").OnClick(p.readAgain),
	)
}

// news says what the last command came to.
func (p *Catalog) news() string {
	c := &p.catalog
	switch {
	case c.Stored != nil:
		return fmt.Sprintf("Stored %s with trust %s: %s", c.Stored.Spec.Ref(), c.Stored.Spec.Trust, gateWords(c.Stored.Gate))
	case c.Deleted != "":
		return fmt.Sprintf("Deleted %s", c.Deleted)
	}
	return ""
}

// side is one tool in detail, or what there is beside the tools.
func (p *Catalog) side() []app.UI {
	if p.ref == "" {
		return []app.UI{p.engines()}
	}
	entry, highest := store.FindTool(p.catalog.Tools, p.ref)
	if entry == nil {
		return []app.UI{&parts.Notice{
			Tone: parts.ToneEmpty, Text: fmt.Sprintf("The catalogue has no tool %s", p.ref), Action: "Show all", Href: "/catalog",
		}}
	}
	return []app.UI{p.tool(entry, highest), p.gates(entry)}
}

// tools is the list.
func (p *Catalog) tools() app.UI {
	found := store.SearchTools(p.catalog.Tools, p.search)
	rows := make([]app.UI, 0, len(found))
	for i := range found {
		rows = append(rows, p.row(&found[i]))
	}
	return app.Section().Class("panel").Aria("label", "Tools").Body(
		app.Div().Class("panel-bar").Body(
			app.H2().Class("panel-title").Body(
				app.Text("Tools"),
				app.Span().Class("panel-count").Text(countOrNone(len(found))),
			),
		),
		app.Div().Class("filters").Role("search").Body(&parts.SearchField{
			ID: "search", Label: "Search the tools", Hint: "Search by name, words, effect, trust", Text: p.search, OnText: p.look,
		}),
		app.If(len(p.catalog.Tools) == 0, func() app.UI {
			return app.P().Class("quiet", "panel-words").Text("The server has no tools. Import one to let tasks allow it.")
		}).ElseIf(len(found) == 0, func() app.UI {
			return app.P().Class("quiet", "panel-words").Text("No tool says that.")
		}).Else(func() app.UI {
			return app.Table().Class("table").Body(
				app.THead().Body(app.Tr().Body(tableHead("Tool"), tableHead("Effect").Class("wide"), tableHead("Trust").Class("wide"), tableHead("A call"))),
				app.TBody().Body(rows...),
			)
		}),
	)
}

func tableHead(words string) app.HTMLTh { return app.Th().Scope("col").Text(words) }

// row is one tool as its highest version is, with links to the others.
func (p *Catalog) row(g *store.ToolGroup) app.UI {
	top := &g.Versions[0]
	s := &top.Spec
	versions := make([]app.UI, 0, 2*len(g.Versions))
	for i := range g.Versions {
		v := &g.Versions[i].Spec
		words := v.Version
		if i == 0 && len(g.Versions) > 1 {
			words += " (highest)"
		}
		versions = append(versions, app.Text(" "), p.link(v.Ref(), words, p.ref == v.Ref() || i == 0 && string(p.ref) == g.Name))
	}
	return app.Tr().DataSet("tool", g.Name).Body(
		app.Td().Body(
			app.Div().Body(append([]app.UI{app.Elem("b").Text(g.Name)}, versions...)...),
			app.Div().Class("quiet", "narrow").Text(fmt.Sprintf("%s · trust %s · transport %s", s.Effect, s.Trust, s.Transport.Type)),
			app.Div().Class("quiet").Text(strings.Join(append(limitWords(s), "approval "+string(s.Approval), parts.ShortDigest(top.Digest)), " · ")),
		),
		app.Td().Class("wide").Text(string(s.Effect)),
		app.Td().Class("wide").Body(app.Div().Text(string(s.Trust)), app.Div().Class("quiet").Text("transport "+string(s.Transport.Type))),
		app.Td().Text(gateWords(top.Gate)),
	)
}

func (p *Catalog) link(ref contracts.ToolRef, words string, shown bool) app.UI {
	a := app.A().Class("link").Href("/catalog?tool="+url.QueryEscape(string(ref))).Aria("label", string(ref)).Text(words)
	if shown {
		a = a.Aria("current", "true")
	}
	return a
}

func (p *Catalog) look(_ app.Context, text string) { p.search = text }

// limitWords say the limits of one call.
func limitWords(s *contracts.ToolSpec) []string {
	return []string{
		parts.Duration(s.Limits.TimeoutMS), counted(int(s.Limits.MaxAttempts), "attempt"), parts.Bytes(s.Limits.MaxResultBytes),
	}
}

// engines are those that carry runs out.
func (p *Catalog) engines() app.UI {
	c := &p.catalog
	var rows []app.UI
	for i := range c.Engines {
		e := &c.Engines[i]
		can := make([]string, len(e.Capabilities))
		for j, capability := range e.Capabilities {
			can[j] = string(capability)
		}
		availability, tone := "available", "verdict-line-valid"
		if !e.Available {
			availability, tone = orElse(e.Reason, "not available"), "verdict-line-invalid"
		}
		abilities := orElse(strings.Join(can, ", "), "nothing more")
		rows = append(rows, app.Tr().DataSet("engine", e.Name).Body(
			app.Td().Body(
				app.Elem("b").Text(e.Name),
				app.Div().Class("quiet").Text(e.Description), app.Div().Class("quiet", "narrow").Text("Can do: "+abilities),
			),
			app.Td().Class("wide").Text(abilities),
			app.Td().Body(app.Span().Class("verdict-line", tone).Text(availability)),
		))
	}
	words := ""
	switch {
	case c.EnginesProblem != nil:
		sentence, detail := parts.Trouble(c.EnginesProblem)
		words = strings.TrimSuffix("The engines could not be read. "+sentence+". "+detail, " ")
	case len(c.Engines) == 0:
		words = "The server has no engine of its own: runs are carried out by programs that claim them."
	}
	return app.Section().Class("panel").Aria("label", "Engines").Body(
		app.Div().Class("panel-bar").Body(
			app.H2().Class("panel-title").Body(app.Text("Engines"), app.Span().Class("panel-count").Text(countOrNone(len(c.Engines)))),
		),
		app.If(words != "", func() app.UI { return app.P().Class("quiet", "panel-words").Text(words) }),
		app.If(len(rows) > 0, func() app.UI {
			return app.Table().Class("table").Body(
				app.THead().Body(app.Tr().Body(tableHead("Engine"), tableHead("Can do").Class("wide"), tableHead("Now"))),
				app.TBody().Body(rows...),
			)
		}),
	)
}
