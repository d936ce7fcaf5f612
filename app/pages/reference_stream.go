package pages

import (
	"net/url"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/parts"
	"axiom25/app/store"
)

// streaming is the stream viewer.
type streaming struct {
	viewer store.Viewer
	recent []store.RecentRun
	run    string
	cursor string
}

// openStream offers the newest runs.
func (p *Reference) openStream(ctx app.Context) {
	store.RecentRuns(ctx, command.Client{}, func(_ app.Context, recent []store.RecentRun) { p.stream.recent = recent })
}

func (p *Reference) streamSection() app.UI {
	s := &p.stream
	options := []string{"Pick a recent run"}
	chosen := 0
	for i, r := range s.recent {
		options = append(options, r.Words)
		if r.ID == s.run {
			chosen = i + 1
		}
	}
	open := s.viewer.Phase != "" && s.viewer.Phase != "closed"
	return app.Div().Class("run-main").Body(
		refPanel("Stream viewer",
			app.Div().Class("panel-words", "run-main").Body(
				app.P().Class("quiet").Text("Frames as the browser's EventSource hands them out. It keeps comments, heartbeats among them, and "+
					"retry lines to itself; "+"curl -N shows them."),
				&parts.Select{Label: "Recent runs", Options: options, Chosen: chosen, OnChoose: p.pickRun},
				app.Label().Class("ref-parameter").Body(
					app.Span().Text("Run"),
					app.Input().Class("field").Type("text").ID("stream-run").Placeholder("run_…; empty for the list of runs").
						Attr("autocomplete", "off").Spellcheck(false).Value(s.run).OnInput(p.runTyped),
				),
				app.Label().Class("ref-parameter").Body(
					app.Span().Text("Cursor"),
					app.Input().Class("field").Type("text").ID("stream-cursor").Placeholder("the seq of the last event that is known; empty for all").
						Attr("autocomplete", "off").Attr("inputmode", "numeric").Value(s.cursor).OnInput(p.cursorTyped),
				),
				app.Div().Class("actions").Body(
					app.Button().Class("button", "button-primary").Type("button").Disabled(open).Text("Connect").OnClick(p.connect),
					app.Button().Class("button").Type("button").Disabled(!open).Text("Disconnect").OnClick(p.disconnect),
				),
			),
		),
		app.If(s.viewer.Address != "", p.frames),
	)
}

// frames are those that came, the newest last.
func (p *Reference) frames() app.UI {
	v := &p.stream.viewer
	rows := make([]app.UI, 0, len(v.Frames))
	for _, f := range v.Frames {
		rows = append(rows, app.Li().Class("ref-frame").Body(
			app.Span().Class("quiet").Text("id "), app.Span().Text(orElse(f.ID, "none")),
			app.Span().Class("quiet").Text(" event "), app.Span().Text(f.Event),
			app.Pre().Class("code").TabIndex(0).Text(f.Data),
		))
	}
	words := phaseWords(v.Phase) + " " + counted(v.Seen, "frame")
	if v.Seen > len(v.Frames) {
		words += ", the last " + counted(len(v.Frames), "frame") + " shown"
	}
	return refPanel("Frames of "+v.Address,
		app.P().Class("panel-words", "ref-phase").Role("status").Text(words+"."),
		app.Ol().Class("panel-words").Body(rows...),
	)
}

func phaseWords(phase string) string {
	switch phase {
	case "opening":
		return "Connecting."
	case "open":
		return "Connected."
	case "lost":
		return "The connection broke; the browser comes back by itself."
	}
	return "Closed: by you, by an answer that ends the stream (204), or by a refusal."
}

func (p *Reference) pickRun(_ app.Context, i int) {
	p.stream.run = ""
	if i > 0 {
		p.stream.run = p.stream.recent[i-1].ID
	}
	app.Window().GetElementByID("stream-run").Set("value", p.stream.run)
}

func (p *Reference) runTyped(ctx app.Context, _ app.Event) {
	p.stream.run = strings.TrimSpace(ctx.JSSrc().Get("value").String())
}

func (p *Reference) cursorTyped(ctx app.Context, _ app.Event) {
	p.stream.cursor = strings.TrimSpace(ctx.JSSrc().Get("value").String())
}

func (p *Reference) connect(app.Context, app.Event) {
	address := "/stream"
	if run := p.stream.run; run != "" {
		address = "/runs/" + url.PathEscape(run) + "/stream"
		if p.stream.cursor != "" {
			address += "?after=" + url.QueryEscape(p.stream.cursor)
		}
	}
	p.stream.viewer.Open(p.ctx, address, func(app.Context) {})
}

func (p *Reference) disconnect(app.Context, app.Event) { p.stream.viewer.Close() }
