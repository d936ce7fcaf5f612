package pages

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/form"
	"axiom25/app/parts"
)

// sides draws the form and the text beside it, on a narrow screen as tabs: the contract's name labels the editor. resting says why
// the form cannot be used; picks are what the server has for the open lists.
func (p *formed) sides(contract, title, hint, resting string, picks map[string][]parts.Pick) app.UI {
	return app.Div().Class("composer-sides").Body(
		&parts.Tabs{Label: "Sides", Shown: p.shown, OnShow: p.show, Tabs: []parts.Tab{
			{Name: "form", Title: "Form"}, {Name: "json", Title: "JSON"},
		}},
		app.Div().Class("composer", "shows-"+p.shown).ID("view").Body(
			app.Section().Class("panel", "composer-form").Aria("label", "Form").Body(p.sections(resting, picks)...),
			app.Section().Class("panel", "composer-text").Aria("label", title).Body(
				app.Div().Class("panel-bar").Body(
					app.H2().Class("panel-title").Text(title),
					app.Span().Class("panel-hint").Text(hint),
				),
				&parts.Editor{
					Label: contract, Text: p.text, Version: p.version, Marks: marksOf(p.found()), Plain: len(p.text) > plainText,
					Placeholder: "Paste a " + contract + ", or drop a file.", Jump: p.jump, Caret: p.caret, OnChange: p.typed,
				},
			),
		),
	)
}

func (p *formed) show(_ app.Context, side string) { p.shown = side }

// sections draws the form.
func (p *formed) sections(resting string, picks map[string][]parts.Pick) []app.UI {
	sections := []app.UI{app.Div().Class("panel-bar").Body(
		app.H2().Class("panel-title").Text("Form"),
		app.Span().Class("panel-hint").Role("status").Text(resting),
		app.If(len(p.undo) > 0, func() app.UI {
			return app.Button().Class("button-inline", "panel-undo").Type("button").Text("Undo").OnClick(p.undoLast)
		}),
	)}
	var help map[string]string
	if p.schema != nil {
		help = form.Help(p.schema, p.drawn)
	}
	for _, d := range p.drawn {
		section := &parts.FormSection{Drawn: d, Resting: resting != "", To: p, Help: map[string]string{}, Known: map[string][]parts.Pick{}}
		for i := range d.Rows {
			r := &d.Rows[i]
			if text := help[r.ID]; text != "" {
				section.Help[r.ID] = text
			}
			if known := picks[r.Pointer]; len(known) > 0 {
				section.Known[r.Pointer] = known
			}
		}
		sections = append(sections, section)
	}
	return sections
}

// problemList leads from each problem to its field and its line.
func (p *formed) problemList() app.UI {
	marks := marksOf(p.found())
	for _, problem := range p.problems[len(marks):] {
		marks = append(marks, parts.Mark{Pointer: problem.Pointer, Detail: problem.Detail})
	}
	return &parts.MarkList{
		Marks: marks, Truncated: truncated(p.judgement), OnGo: p.goToLine, OnField: p.goToField, OnFix: p.fix,
	}
}
