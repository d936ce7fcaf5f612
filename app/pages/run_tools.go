package pages

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
)

// toolsView is the tool calls with their receipts.
type toolsView struct {
	app.Compo

	// View is the run, and Drawn counts its renderings.
	View  *RunView
	Drawn uint64
}

// Render implements app.Composer.
func (v *toolsView) Render() app.UI {
	f := v.View.Run.Fold
	var rows []app.UI
	for _, c := range f.Calls {
		row := &parts.ToolCall{
			ID: c.CallID, Attempt: c.Attempt, Tool: c.Tool, Branch: c.Branch, Args: c.Args, Waiting: c.Pending(),
			Decision: decisionWords(c),
		}
		if c.End != nil {
			row.Output, row.Truncated, row.Status = c.End.Output, c.End.Truncated, c.End.Status
			row.Took = parts.Duration(c.EndedAt.Sub(c.StartedAt))
			if c.End.Error != nil {
				row.Error = strings.TrimSuffix(c.End.Error.Title+": "+c.End.Error.Detail, ": ")
			}
			if c.End.Receipt != nil {
				row.Receipt, row.ResultBytes = c.End.Receipt.Hash, c.End.Receipt.ResultBytes
				row.Took = parts.Duration(c.End.Receipt.LatencyMS)
			}
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		rows = append(rows, app.P().Class("quiet").Text("No tool was called."))
	}
	return app.Div().Class("panel").Body(
		app.H2().Class("panel-title").Body(
			app.Text("Tool calls"),
			app.Span().Class("panel-count").Text(countOrNone(len(f.Calls))),
		),
		app.Div().Class("panel-body call-list").Body(rows...),
	)
}

func decisionWords(c store.Call) string {
	if c.Decision == "" {
		return ""
	}
	if c.By == "" {
		return string(c.Decision)
	}
	return string(c.Decision) + " by " + c.By
}
