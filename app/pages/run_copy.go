package pages

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/contracts"
)

// menu is what can be taken from the run.
func (p *Run) menu() app.UI {
	links := contracts.LinksOf(p.id)
	origin := app.Window().Get("location").Get("origin").String()
	item := func(label string, text func() string) app.UI {
		return &parts.CopyButton{Class: "menu-item", Label: label, Make: text}
	}
	return &parts.Menu{ID: "run-menu", Name: "More about this run", Items: []app.UI{
		item("Copy link", func() string { return origin + p.addressOf() }),
		item("Copy JSON", p.snapshot),
		item("Copy as curl: follow the stream", func() string { return followCommand(origin, links) }),
		item("Copy as curl: read the task", func() string { return taskCommand(origin, links) }),
		item("Copy as curl: run the task again", func() string { return againCommand(origin, links) }),
		app.Button().Class("menu-item").Type("button").Disabled(p.run.Exporting).
			Text(exportLabel(p.run.Exporting)).OnClick(p.export),
		app.A().Class("menu-item").Href("/new?from=" + p.id.String()).Text("Edit and run again"),
		app.Button().Class("menu-item").Type("button").Text("Keys").OnClick(p.showKeys),
	}}
}

func exportLabel(exporting bool) string {
	if exporting {
		return "Collecting the events"
	}
	return "Export NDJSON"
}

func (p *Run) export(app.Context, app.Event) { p.watch.Export() }

func (p *Run) showKeys(app.Context, app.Event) { parts.ShowKeyHelp() }

// snapshot is the run in one document, as the server would answer it.
func (p *Run) snapshot() string {
	document, err := contracts.Encode(p.watch.Snapshot())
	if err != nil {
		return ""
	}
	return parts.PrettyJSON(document)
}

// followCommand is the command line that shows a run's events as they come.
func followCommand(origin string, links contracts.Links) string {
	return "curl -sSN -H 'Accept: text/event-stream' " + quoted(origin+links.Stream)
}

// taskCommand is the command line that reads what a run was asked.
func taskCommand(origin string, links contracts.Links) string {
	return "curl -sS " + quoted(origin+links.Task)
}

// againCommand is the command line that starts another run with the same task.
func againCommand(origin string, links contracts.Links) string {
	return taskCommand(origin, links) + " |\n  curl -sS -H 'Content-Type: application/json' --data-binary @- " + quoted(origin+"/runs")
}

// quoted is one word to a shell (POSIX.1-2017, section 2.2.2).
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
