package parts

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/form"
)

// FormSection is a part of a form: rows of fields under a heading. What is typed and pressed in it is told to its reader; what
// is shown is what comes back.
type FormSection struct {
	app.Compo

	// Drawn is the section with its rows.
	Drawn form.Drawn
	// Help describes fields, by their ids.
	Help map[string]string
	// Known are the choices of open picks, by pointer.
	Known map[string][]Pick
	// Resting says that the fields cannot be used.
	Resting bool
	// To is told what the reader does. It is an interface so that a section whose rows are the same is not drawn again.
	To FormReader
}

// FormReader takes in what is done in a form.
type FormReader interface {
	// SetField is called with what a row's control holds now.
	SetField(ctx app.Context, r *form.Row, value string)
	// ActOn is called for a row's button. Where it is about one of several texts, value is that.
	ActOn(ctx app.Context, r *form.Row, act FormAct, value string)
}

// FormAct is what a button of a row does.
type FormAct string

// The acts of a row's buttons.
const (
	ActAdd    FormAct = "add"
	ActRemove FormAct = "remove"
	ActUp     FormAct = "up"
	ActDown   FormAct = "down"
	ActPick   FormAct = "pick"
	ActUnpick FormAct = "unpick"
	ActRename FormAct = "rename"
	ActFix    FormAct = "fix"
)

// Pick is one thing that can be picked.
type Pick struct {
	// Value is what the document says, and Note and About what else there is to know: few words, and a sentence.
	Value, Note, About string
}

// OnMount implements app.Mounter.
func (s *FormSection) OnMount(ctx app.Context) { ctx.Defer(s.fill) }

// OnUpdate implements app.Updater.
func (s *FormSection) OnUpdate(ctx app.Context) { ctx.Defer(s.fill) }

// lastFilled is a property of a control's element: what fill has put there last, and for which row.
const lastFilled = "axiom25Filled"

// fill brings what the controls hold in step with the rows, but for the one that is being typed in. What the reader has changed and
// the form has not heard of yet stays.
func (s *FormSection) fill(app.Context) {
	document := app.Window().Get("document")
	active := document.Get("activeElement")
	set := func(id, property string, value any) {
		element := document.Call("getElementById", id)
		if !element.Truthy() || property == "value" && element.Equal(active) && element.Get("tagName").String() != "SELECT" {
			return
		}
		put := fmt.Sprint(id, " ", value)
		if element.Get(lastFilled).String() == put {
			return
		}
		element.Set(lastFilled, put)
		if is := element.Get(property); property == "checked" && is.Bool() != value || property == "value" && is.String() != value {
			element.Set(property, value)
		}
	}
	for i := range s.Drawn.Rows {
		switch r := &s.Drawn.Rows[i]; r.Control {
		case form.Flag:
			set(r.ID, "checked", r.Text == "true")
		case form.Picks:
			for _, p := range s.picks(r) {
				set(pickID(r, p.Value), "checked", picked(r, p.Value) > 0)
			}
		case form.Pair:
			set(r.ID+"-name", "value", r.Name)
			set(r.ID, "value", r.Text)
		case form.Item, form.Add:
		case form.Choice, form.Amount, form.Content:
			set(r.ID, "value", orElse(r.Text, nothing))
		case form.Line, form.Area, form.Number, form.JSON, form.Lines, form.List, form.Map:
			set(r.ID, "value", r.Text)
		}
	}
}

// Render implements app.Composer.
func (s *FormSection) Render() app.UI {
	rows := make([]app.UI, 0, len(s.Drawn.Rows)+1)
	rows = append(rows, s.problems(s.Drawn.ID(), s.Drawn.Problems, -1))
	for i := range s.Drawn.Rows {
		rows = append(rows, s.row(i, &s.Drawn.Rows[i]))
	}
	return app.Section().Class("form-section").ID(s.Drawn.ID()).TabIndex(-1).Aria("labelledby", s.Drawn.ID()+"-title").
		OnInput(s.input).OnChange(s.changed).OnClick(s.clicked).
		Body(
			app.H3().Class("form-title").ID(s.Drawn.ID()+"-title").Text(s.Drawn.Title),
			app.FieldSet().Class("form-rows").Disabled(s.Resting).Body(rows...),
		)
}

// row draws one row.
func (s *FormSection) row(i int, r *form.Row) app.UI {
	class := "form-row form-" + string(r.Control)
	if r.Level > 0 {
		class += " form-within"
	}
	row := app.Div().Class(class).DataSet("row", i)
	described := r.ID + "-problems"
	help := s.Help[r.ID]
	if help != "" {
		described = r.ID + "-help " + described
	}
	if r.Note != "" {
		described += " " + r.ID + "-note"
	}
	describe := func(e app.HTMLInput) app.HTMLInput {
		return e.ID(r.ID).Aria("describedby", described).Aria("invalid", strconv.FormatBool(len(r.Problems) > 0))
	}
	var body []app.UI
	label := func() app.UI {
		return app.Label().Class("form-label").For(r.ID).Title(help).Text(r.Label)
	}
	switch r.Control {
	case form.Item:
		body = []app.UI{
			app.H4().Class("form-item-title").ID(r.ID).TabIndex(-1).Aria("describedby", described).Text(itemTitle(r)),
			s.button(ActUp, "↑", "Move "+itemTitle(r)+" up", r.Index == 0), s.button(ActDown, "↓", "Move "+itemTitle(r)+" down", r.Index == r.Of-1),
			s.button(ActRemove, "Remove", "Remove "+itemTitle(r), false),
		}
	case form.Add:
		body = []app.UI{app.Button().Class("button").Type("button").ID(r.ID).DataSet("act", string(ActAdd)).Text("Add " + article(r.Label))}
	case form.Pair:
		body = []app.UI{
			describe(app.Input().Type("text").Class("input").Aria("label", r.Label+" name")).ID(r.ID+"-name").DataSet("act", string(ActRename)),
			describe(app.Input().Type("text").Class("input").Aria("label", "Value of "+r.Name)),
			s.button(ActRemove, "Remove", "Remove "+r.Name, false),
		}
	case form.Picks:
		body = []app.UI{app.Span().Class("form-label").ID(r.ID + "-label").Title(help).Text(r.Label), s.pickList(r, described)}
	case form.Flag:
		body = []app.UI{app.Label().Class("form-check").Title(help).Body(describe(app.Input().Type("checkbox")), app.Span().Text(r.Label))}
	case form.Choice, form.Amount, form.Content:
		body = []app.UI{label(), app.Select().Class("select").ID(r.ID).Aria("describedby", described).
			Aria("invalid", strconv.FormatBool(len(r.Problems) > 0)).Body(choices(r)...)}
	case form.Area, form.JSON, form.Lines:
		lines := min(max(strings.Count(r.Text, "\n")+1, 2), 8)
		class := "input form-text"
		if r.Control != form.Area {
			class += " form-mono"
		}
		body = []app.UI{label(), app.Textarea().Class(class).ID(r.ID).Rows(lines).Placeholder(r.Placeholder).
			Aria("describedby", described).Aria("invalid", strconv.FormatBool(len(r.Problems) > 0)).
			Spellcheck(r.Control == form.Area)}
	case form.Line, form.Number, form.List, form.Map:
		input := describe(app.Input().Type("text").Class("input").Placeholder(r.Placeholder).Attr("autocomplete", "off").Spellcheck(false))
		if r.Control == form.Number {
			input = input.Attr("inputmode", "decimal")
		}
		body = []app.UI{label(), app.Div().Class("form-control").Body(input, app.Span().Class("form-unit").Text(amount(r)))}
	}
	return row.Body(append(body,
		app.Span().Class("visually-hidden").ID(r.ID+"-help").Text(help),
		app.If(r.Note != "", func() app.UI { return app.P().Class("form-note").ID(r.ID + "-note").Text(r.Note) }),
		s.problems(r.ID, r.Problems, i),
	)...)
}

// button draws one of a row's buttons.
func (s *FormSection) button(act FormAct, text, name string, off bool) app.UI {
	return app.Button().Class("button", "button-quiet").Type("button").DataSet("act", string(act)).
		Disabled(off).Aria("label", name).Title(name).Text(text)
}

// problems lists what is wrong at a row, or at the section where that has no row.
func (s *FormSection) problems(id string, list []form.Problem, row int) app.UI {
	items := make([]app.UI, 0, len(list))
	for i, p := range list {
		items = append(items, app.Li().Body(
			app.Text(p.Detail+" "),
			app.If(p.Guess != "", func() app.UI {
				return app.Button().Class("button-inline").Type("button").DataSet("act", string(ActFix)).DataSet("value", i).
					Text("Use " + p.Guess)
			}),
		))
	}
	return app.Ul().Class("field-error").ID(id+"-problems").DataSet("row", row).Body(items...)
}

// itemTitle names an element of a list.
func itemTitle(r *form.Row) string {
	title := r.Label + " " + strconv.Itoa(r.Index+1)
	if r.Text != "" {
		title += " · " + r.Text
	}
	return title
}

func article(noun string) string {
	if strings.ContainsRune("AEIOU", rune(noun[0])) {
		return "an " + strings.ToLower(noun)
	}
	return "a " + strings.ToLower(noun)
}

// nothing is the value of the option that leaves a member out: an option without one would have its words.
const nothing = "-"

// choices are the options of a row; what stands in the document is among them, even where it may not.
func choices(r *form.Row) []app.UI {
	var options []app.UI
	if r.Control != form.Content || r.Text == "" {
		empty := "choose"
		if r.Placeholder != "" {
			empty = r.Placeholder + " (default)"
		}
		options = append(options, app.Option().Value(nothing).Text(empty))
	}
	known := r.Text == ""
	for _, o := range r.Options {
		known = known || o == r.Text
		options = append(options, app.Option().Value(o).Text(o))
	}
	if !known {
		options = append(options, app.Option().Value(r.Text).Text(r.Text))
	}
	return options
}

// amount says a number with its unit in a reader's words.
func amount(r *form.Row) string {
	text := orElse(r.Text, r.Placeholder)
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return r.Unit
	case r.Unit == "ms":
		return "ms, " + Duration(n)
	case r.Unit == "microusd":
		return "µ$, " + Money(n)
	}
	return r.Unit
}

// Focus gives the focus to an element when it is drawn, and brings it to where it can be seen.
func Focus(ctx app.Context, id string) {
	ctx.Defer(func(app.Context) {
		if element := app.Window().GetElementByID(id); element.Truthy() {
			element.Call("focus", map[string]any{"preventScroll": true})
			element.Call("scrollIntoView", map[string]any{"block": "center"})
		}
	})
}

// rowOf finds the row that something in it has happened to.
func (s *FormSection) rowOf(target app.Value) *form.Row {
	holder := target.Call("closest", "[data-row]")
	if !holder.Truthy() {
		return nil
	}
	i, err := strconv.Atoi(holder.Get("dataset").Get("row").String())
	if err != nil || i < 0 || i >= len(s.Drawn.Rows) {
		return nil
	}
	return &s.Drawn.Rows[i]
}

// input takes in what is typed; names of pairs, and what is chosen, are taken when they are complete.
func (s *FormSection) input(ctx app.Context, e app.Event) {
	target := e.Get("target")
	target.Set(lastFilled, nil) // what becomes of it is told by the row
	kind := target.Get("type").String()
	r := s.rowOf(target)
	if r == nil || kind == "checkbox" || kind == "select-one" || target.Get("dataset").Get("act").Truthy() {
		return
	}
	s.To.SetField(ctx, r, target.Get("value").String())
}

func (s *FormSection) changed(ctx app.Context, e app.Event) {
	target := e.Get("target")
	target.Set(lastFilled, nil)
	r := s.rowOf(target)
	if r == nil {
		return
	}
	value, act := target.Get("value").String(), target.Get("dataset").Get("act")
	switch {
	case r.Control == form.Picks && target.Get("type").String() == "checkbox" && target.Get("checked").Bool():
		s.To.ActOn(ctx, r, ActPick, value)
	case r.Control == form.Picks && target.Get("type").String() == "checkbox":
		s.To.ActOn(ctx, r, ActUnpick, value)
	case act.Truthy() && act.String() == string(ActRename):
		s.To.ActOn(ctx, r, ActRename, value)
	case r.Control == form.Flag && target.Get("checked").Bool():
		s.To.SetField(ctx, r, "true")
	case r.Control == form.Flag:
		s.To.SetField(ctx, r, "")
	case target.Get("type").String() == "select-one" && value == nothing:
		s.To.SetField(ctx, r, "")
	case target.Get("type").String() == "select-one":
		s.To.SetField(ctx, r, value)
	}
}

func (s *FormSection) clicked(ctx app.Context, e app.Event) {
	button := e.Get("target").Call("closest", "button[data-act]")
	if !button.Truthy() {
		return
	}
	act, value := FormAct(button.Get("dataset").Get("act").String()), ""
	if v := button.Get("dataset").Get("value"); v.Truthy() {
		value = v.String()
	}
	r := s.rowOf(button)
	if r == nil { // a problem of the section itself
		r = &form.Row{Problems: s.Drawn.Problems}
	}
	if act == ActPick { // what stands in the field beside it
		field := app.Window().Get("document").Call("getElementById", r.ID+"-other")
		value = strings.TrimSpace(field.Get("value").String())
		field.Set("value", "")
		if value == "" {
			return
		}
	}
	s.To.ActOn(ctx, r, act, value)
}
