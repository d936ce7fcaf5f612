package gallery

import (
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
)

// Path is where a build with the tag gallery shows the Page. Other builds have neither.
const Path = "/gallery"

// Page shows every entry, so that all situations of a part are seen at once, in the theme that the header switches.
type Page struct {
	app.Compo

	search string
}

// OnNav implements app.Navigator.
func (p *Page) OnNav(ctx app.Context) { ctx.Page().SetTitle("Gallery · Axiom25") }

// Render implements app.Composer.
func (p *Page) Render() app.UI {
	var links, sections []app.UI
	shown := 0
	for _, group := range grouped(Entries()) {
		name := group[0].Part
		hidden := !matches(group, p.search)
		if !hidden {
			shown++
		}
		links = append(links, app.Li().Hidden(hidden).Body(app.A().Class("link").Href(Path+"#"+anchor(name)).Text(name)))
		sections = append(sections, section(group, hidden))
	}
	return parts.Page(Path,
		app.Div().Class("gallery").Body(
			app.Nav().Class("gallery-list").Aria("label", "Parts").Body(
				app.Div().Role("search").Body(&parts.SearchField{
					ID: "gallery-search", Label: "Search the parts", Hint: "Part or situation", Text: p.search, OnText: p.look,
				}),
				app.Ul().Body(links...),
			),
			app.Div().Class("gallery-parts").Body(append(sections,
				app.P().Class("quiet").Hidden(shown > 0).Text("No part and no situation has these words."))...),
		),
	)
}

func (p *Page) look(_ app.Context, text string) { p.search = text }

// section draws a part in each of its situations. One that the search does not find stays drawn, so that no part takes over what
// another one held.
func section(group []Entry, hidden bool) app.UI {
	name := group[0].Part
	body := []app.UI{app.H2().Class("title").ID(anchor(name)).TabIndex(-1).Text(name)}
	for _, e := range group {
		body = append(body, app.Figure().Class("gallery-figure").Body(
			app.FigCaption().Class("quiet").Text(e.Situation),
			app.Div().Class("gallery-stage").TabIndex(0).Role("group").Aria("label", name+": "+e.Situation).Body(e.New()),
		))
	}
	return app.Section().Hidden(hidden).Aria("labelledby", anchor(name)).Body(body...)
}

// anchor is the id of a part's heading: its parts have other ones.
func anchor(part string) string { return "part-" + part }

// grouped returns the entries by part, the parts by name.
func grouped(entries []Entry) [][]Entry {
	slices.SortStableFunc(entries, func(a, b Entry) int { return strings.Compare(a.Part, b.Part) })
	var groups [][]Entry
	for i, e := range entries {
		if i == 0 || e.Part != entries[i-1].Part {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], e)
	}
	return groups
}

// matches reports whether a part's name, or what it is shown in, has the text.
func matches(group []Entry, text string) bool {
	text = strings.ToLower(strings.TrimSpace(text))
	return slices.ContainsFunc(group, func(e Entry) bool {
		return strings.Contains(strings.ToLower(e.Part+" "+e.Situation), text)
	})
}
