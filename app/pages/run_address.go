package pages

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// addressed reads what an address names: ?view= a view and #e42 an event, which is shown among the events where no view
// is named.
func addressed(url *url.URL) (view string, selected contracts.Seq) {
	if n, err := strconv.ParseUint(strings.TrimPrefix(url.Fragment, "e"), 10, 53); err == nil {
		selected = contracts.Seq(n)
	}
	view = url.Query().Get("view")
	switch {
	case view != "":
	case selected > 0:
		view = viewEvents
	default:
		view = viewAnswer
	}
	return view, selected
}

// readdressed follows an address that was changed by hand or by a link. go-app does not see those that lead back to the one it
// has seen last: what is shown meanwhile is written into the address without it.
func (p *Run) readdressed(ctx app.Context, _ app.Event) {
	if url := ctx.Page().URL(); url.Path == contracts.LinksOf(p.id).Page {
		p.shown, p.view.Selected = addressed(url)
	}
}

// leaves writes what is not written yet, before the page goes.
func (p *Run) leaves(ctx app.Context, _ app.Event) {
	ctx.PreventUpdate()
	p.bar.write()
}

// show opens a view.
func (p *Run) show(_ app.Context, view string) {
	p.shown = view
	p.bar.show(p.addressOf())
}

// choose selects an event in every view.
func (p *Run) choose(_ app.Context, seq contracts.Seq) {
	p.view.Selected = seq
	p.bar.show(p.addressOf())
}

// addressOf is the path of what is shown: what addressed reads.
func (p *Run) addressOf() string {
	address, implied := contracts.LinksOf(p.id).Page, viewAnswer
	if p.view.Selected > 0 {
		implied = viewEvents
	}
	if p.shown != implied {
		address += "?view=" + p.shown
	}
	if p.view.Selected > 0 {
		address += fmt.Sprintf("#e%d", p.view.Selected)
	}
	return address
}
