package pages

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/lookup"
	"axiom25/app/parts"
	"axiom25/docs/handbook"
)

func resultID(i int) string { return "result-" + strconv.Itoa(i) }

// results lists what was found, with what was typed marked in it.
func (p *Reference) results() app.UI {
	if len(p.found) == 0 {
		return &parts.Notice{Tone: parts.ToneEmpty, Text: "Nothing in the reference has “" + p.query + "”."}
	}
	var groups []app.UI
	n := 0
	for _, g := range p.found {
		rows := make([]app.UI, 0, len(g.Entries))
		for _, e := range g.Entries {
			rows = append(rows, app.A().Class("ref-item").ID(resultID(n)).Role("option").Aria("selected", n == p.chosen).Href(e.Href).Body(
				app.Code().Body(marked(e.Title, p.query)...),
				app.Span().Body(marked(e.Text, p.query)...),
			))
			n++
		}
		name := g.Name
		if g.More > 0 {
			name += fmt.Sprintf(", and %d more", g.More)
		}
		groups = append(groups, app.Div().Class("panel").Role("group").Aria("label", g.Name).Body(
			app.Div().Class("panel-title").Text(name), app.Div().Body(rows...),
		))
	}
	return app.Div().Class("run-main").ID("results").Role("listbox").Aria("label", "Results").Body(groups...)
}

func marked(text, query string) []app.UI {
	var pieces []app.UI
	for _, piece := range lookup.Pieces(strings.ReplaceAll(text, "`", ""), query) {
		if piece.Hit {
			pieces = append(pieces, app.Mark().Text(piece.Text))
		} else {
			pieces = append(pieces, app.Text(piece.Text))
		}
	}
	return pieces
}

// prose draws a text with names between backticks.
func prose(text string) app.UI {
	var pieces []app.UI
	for i, piece := range strings.Split(text, "`") {
		if i%2 == 1 {
			pieces = append(pieces, app.Code().Text(piece))
		} else if piece != "" {
			pieces = append(pieces, app.Text(piece))
		}
	}
	return app.P().Body(pieces...)
}

// item is one thing with an address of its own.
func (p *Reference) item(id, name, note string, body ...app.UI) app.UI {
	class := "ref-item"
	if id == p.anchor {
		class = "ref-item ref-here"
	}
	return app.Div().Class(class).ID(id).Body(
		app.Div().Body(
			app.A().Class("ref-name").Href("/reference/"+p.section+"#"+id).Body(app.Code().Text(name)),
			app.Div().Class("quiet").Text(note),
		),
		app.Div().Class("ref-body").Body(body...),
	)
}

func refPanel(title string, body ...app.UI) app.UI {
	return app.Section().Class("panel").Aria("label", title).Body(append([]app.UI{app.H2().Class("panel-title").Text(title)}, body...)...)
}

func (p *Reference) contents() app.UI {
	book := p.manual.Book
	row := func(href, name, text string) app.UI {
		return app.A().Class("ref-item").Href("/reference/"+href).Body(app.Code().Text(name), prose(text))
	}
	var contracts, groups []app.UI
	for _, c := range book.Contracts {
		contracts = append(contracts, row(c.Kind, c.Name, c.Structs[0].Meaning))
	}
	contracts = append(contracts,
		row("events", "Events", fmt.Sprintf("The %d types of events, and the %d invariants that a run keeps.", len(book.Events), len(book.Invariants))),
		row("problems", "Problems", fmt.Sprintf("The %d types of problems with what to do about each, and the %d rules that a document can break.",
			len(book.Problems), len(book.Codes))),
	)
	for _, g := range book.Groups {
		groups = append(groups, row("api#group-"+g.Name, g.Name, g.About))
	}
	groups = append(groups, row("stream", "Stream viewer", "See the frames of a run's stream as they come."))
	return app.Div().Class("run-main").Body(refPanel("Contracts", contracts...), refPanel("API", groups...))
}

// contract shows the fields of a contract, an object a panel.
func (p *Reference) contract(c *handbook.Contract) app.UI {
	var panels []app.UI
	for i, s := range c.Structs {
		var rows []app.UI
		if s.Meaning != "" {
			rows = append(rows, app.Div().Class("panel-words").Body(prose(s.Meaning)))
		}
		for _, f := range s.Fields {
			rows = append(rows, p.item(s.Name+"."+f.Name, f.Name, f.Type, p.field(c, &f)...))
		}
		for _, rule := range s.Between {
			rows = append(rows, app.Div().Class("panel-words").Body(prose(rule)))
		}
		title := s.Name
		if i == 0 {
			title += ", read in version " + joined(c.Versions)
		}
		panels = append(panels, app.Div().ID(s.Name).Body(refPanel(title, rows...)))
	}
	panels = append(panels, refPanel("Example", app.Pre().Class("code").TabIndex(0).Text(c.Example)))
	return app.Div().Class("run-main").Body(panels...)
}

func (p *Reference) field(c *handbook.Contract, f *handbook.Field) []app.UI {
	body := []app.UI{prose(f.Meaning)}
	if len(f.Rules) > 0 {
		body = append(body, app.P().Class("quiet").Text(strings.Join(f.Rules, "; ")))
	}
	if f.Default != "" {
		note := "Default: "
		if strings.Contains(f.Default, " / ") {
			note = "Tight / balanced / max: "
		}
		body = append(body, app.P().Class("quiet").Body(app.Text(note), app.Code().Text(f.Default)))
	}
	if f.Struct != "" {
		body = append(body, app.P().Body(app.A().Class("ref-link").Href("/reference/"+c.Kind+"#"+f.Struct).Text(f.Struct)))
	}
	return append(body, app.P().Class("quiet").Body(app.Code().Text(strings.Join(f.Pointers, "  "))))
}

func joined(versions []int) string {
	words := make([]string, len(versions))
	for i, v := range versions {
		words[i] = strconv.Itoa(v)
	}
	return strings.Join(words, " and ")
}

func (p *Reference) events() app.UI {
	var types, rules []app.UI
	for _, e := range p.manual.Book.Events {
		types = append(types, p.item(e.Type, e.Type, e.Writer, prose(e.Says),
			app.P().Body(app.A().Class("ref-link").Href("/reference/runevent#"+e.Struct).Text("its data"))))
	}
	for i, text := range p.manual.Book.Invariants {
		n := strconv.Itoa(i + 1)
		rules = append(rules, p.item("invariant-"+n, "invariant "+n, "", prose(text)))
	}
	return app.Div().Class("run-main").Body(refPanel("Types of events", types...), refPanel("Invariants of a run", rules...))
}

func (p *Reference) problems() app.UI {
	var types, codes []app.UI
	for _, q := range p.manual.Book.Problems {
		types = append(types, p.item(q.Type, q.Type, strconv.Itoa(q.Status)+" "+q.Title,
			prose(q.Meaning), prose("To do: "+q.Advice), app.Pre().Class("code").TabIndex(0).Text(q.Example)))
	}
	for _, c := range p.manual.Book.Codes {
		body := []app.UI{prose(c.Detail)}
		if c.Unsaid != "" {
			body = append(body, app.P().Class("quiet").Text("Not in the JSON Schema: "+c.Unsaid+"."))
		}
		codes = append(codes, p.item(c.Code, c.Code, strings.Join(c.Contracts, ", "), body...))
	}
	return app.Div().Class("run-main").Body(refPanel("Types of problems", types...), refPanel("Rules of documents", codes...))
}
