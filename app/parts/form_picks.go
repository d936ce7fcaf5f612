package parts

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/form"
)

// picks are the choices of a row: those that are picked where their order counts, then those that are known, and what is
// picked and not known.
func (s *FormSection) picks(r *form.Row) []Pick {
	known := s.Known[r.Pointer]
	if !r.Open {
		known = make([]Pick, len(r.Options))
		for i, o := range r.Options {
			known[i].Value = o
		}
	}
	find := func(list []Pick, value string) int {
		return slices.IndexFunc(list, func(p Pick) bool { return p.Value == value })
	}
	var list []Pick
	if r.Ordered {
		for _, value := range r.Chosen {
			if i := find(known, value); i >= 0 && find(list, value) < 0 {
				list = append(list, known[i])
			} else if i < 0 {
				list = append(list, unknown(r, known, value))
			}
		}
	}
	for _, p := range known {
		if find(list, p.Value) < 0 {
			list = append(list, p)
		}
	}
	for _, value := range r.Chosen {
		if find(list, value) < 0 {
			list = append(list, unknown(r, known, value))
		}
	}
	return list
}

// unknown is what is picked and not among those that are known.
func unknown(r *form.Row, known []Pick, value string) Pick {
	p := Pick{Value: value}
	switch {
	case r.Open && len(known) > 0:
		p.Note = "not known to the server"
	case !r.Open:
		p.Note = "not one of them"
	}
	return p
}

// picked is the place of a text among those that are picked, from 1; 0 where it is not.
func picked(r *form.Row, value string) int { return slices.Index(r.Chosen, value) + 1 }

func pickID(r *form.Row, value string) string { return r.ID + "=" + url.PathEscape(value) }

// pickList draws the choices of a row, each with a box to tick.
func (s *FormSection) pickList(r *form.Row, described string) app.UI {
	picks := s.picks(r)
	items := make([]app.UI, 0, len(picks))
	for _, p := range picks {
		place := picked(r, p.Value)
		items = append(items, app.Li().Class("pick").Body(
			app.Label().Class("form-check").Title(p.About).Body(
				app.Input().Type("checkbox").ID(pickID(r, p.Value)).Value(p.Value),
				app.Span().Class("pick-name").Text(p.Value),
				app.Span().Class("pick-note").Text(p.Note),
			),
			app.If(r.Ordered && place > 0, func() app.UI {
				return app.Button().Class("button", "button-quiet").Type("button").DataSet("act", string(ActUp)).DataSet("value", p.Value).
					Disabled(place == 1).Aria("label", strconv.Itoa(place)+" ↑: prefer "+p.Value+" more").Text(strconv.Itoa(place) + " ↑")
			}),
		))
	}
	return app.Div().Class("form-control").Body(
		app.Ul().Class("picks").ID(r.ID).TabIndex(-1).Aria("labelledby", r.ID+"-label").
			Aria("describedby", described).Body(items...),
		app.If(r.Open, func() app.UI {
			return app.Div().Class("pick-other").Body(
				app.Input().Type("text").Class("input").ID(r.ID+"-other").Aria("label", "Another one for "+r.Label).
					Placeholder("another").Attr("autocomplete", "off").DataSet("act", "none"),
				app.Button().Class("button").Type("button").DataSet("act", string(ActPick)).Text("Add"),
			)
		}),
	)
}
