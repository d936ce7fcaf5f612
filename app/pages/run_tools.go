package pages

import (
	"fmt"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// toolsView is the tool calls with their receipts.
type toolsView struct {
	app.Compo

	// View is the run, and Drawn counts its renderings.
	View  *RunView
	Drawn uint64

	status, tool string // the filter; empty for all
	page         int
}

// callsDrawn is how many calls a page has.
const callsDrawn = 50

// filterFrom is how many calls there are before a filter is worth its place.
const filterFrom = 8

// Render implements app.Composer.
func (v *toolsView) Render() app.UI {
	f := &v.View.Run.Fold
	calls := filterCalls(f.Calls, v.status, v.tool)
	v.page = min(max(v.page, 0), max(len(calls)-1, 0)/callsDrawn)
	from := v.page * callsDrawn
	shown := calls[from:min(from+callsDrawn, len(calls))]
	rows := make([]app.UI, 0, len(shown))
	for i := range shown {
		rows = append(rows, v.row(&shown[i]))
	}
	return app.Div().Class("panel").Body(
		app.Div().Class("panel-bar").Body(
			app.H2().Class("panel-title").Body(
				app.Text("Tool calls"),
				app.Span().Class("panel-count").Text(countOrNone(len(f.Calls))),
			),
			v.chain(f),
		),
		app.Div().Body(v.filters(f)...),
		app.Div().Class("panel-body call-list").Body(rows...),
		app.If(len(f.Calls) == 0, func() app.UI { return app.P().Class("quiet").Text("No tool was called.") }).
			ElseIf(len(calls) == 0, func() app.UI { return app.P().Class("quiet").Text("No call is like this.") }),
		app.If(len(calls) > callsDrawn, func() app.UI {
			return &parts.Pager{From: from + 1, To: from + len(shown), All: len(calls), OnTurn: v.turn}
		}),
	)
}

// row is one attempt of a call.
func (v *toolsView) row(c *numberedCall) app.UI {
	row := &parts.ToolCall{
		ID: c.CallID, Attempt: c.Attempt, Attempts: c.attempts, Tool: c.Tool, Branch: c.Branch, Args: c.Args, Waiting: c.Pending(),
		Gate: gateWords(c.Gate), Decision: decisionWords(c.Call), Page: contracts.LinksOf(v.View.Run.ID).Page,
		Started: c.StartedSeq, Ended: c.EndedSeq, Faults: c.Faults,
	}
	if c.End == nil {
		return row
	}
	row.Output, row.Truncated, row.Status = c.End.Output, c.End.Truncated, c.End.Status
	row.Took = parts.Duration(c.EndedAt.Sub(c.StartedAt))
	if c.End.Error != nil {
		row.Error = strings.TrimSuffix(c.End.Error.Title+": "+c.End.Error.Detail, ": ")
	}
	if r := c.End.Receipt; r != nil {
		row.Receipt, row.ResultBytes = r, r.ResultBytes
		if r.CostMicroUSD > 0 {
			row.Took += ", " + parts.Money(r.CostMicroUSD)
		}
	}
	return row
}

// chain says what came of checking the receipts.
func (v *toolsView) chain(f *store.Fold) app.UI {
	tone, words, detail := chainWords(f)
	if words == "" {
		return app.Span()
	}
	return &parts.CheckLine{Tone: tone, Words: words, Detail: detail}
}

// chainWords says what came of checking the receipts; words are empty where there are none.
func chainWords(f *store.Fold) (tone contracts.CheckStatus, words, detail string) {
	c := &f.Chain
	switch broken := c.Broken; {
	case len(broken) > 0:
		first := broken[0]
		words = fmt.Sprintf("Receipt %d does not fit: ", first.Place)
		if len(broken) > 1 {
			words = fmt.Sprintf("%d receipts do not fit, receipt %d first: ", len(broken), first.Place)
		}
		reasons := make([]string, len(first.Faults))
		for i, fault := range first.Faults {
			reasons[i] = string(fault)
		}
		return contracts.CheckFail, words + strings.Join(reasons, ", "),
			fmt.Sprintf("call %s, attempt %d, event %d", first.CallID, first.Attempt, first.Seq)
	case f.Done != nil && !c.Ends(f.Done):
		return contracts.CheckFail, "The chain does not end as the run's last event says",
			fmt.Sprintf("%d receipts and the head %s here, %d and %s there",
				c.Receipts, parts.ShortDigest(c.Head), f.Done.Receipts, parts.ShortDigest(f.Done.ReceiptsHead))
	case c.Receipts == 0:
		return "", "", ""
	}
	words = fmt.Sprintf("Chain verified here: %d receipts", c.Receipts)
	if c.Receipts == 1 {
		words = "Chain verified here: 1 receipt"
	}
	if f.Done == nil {
		words += " so far"
	}
	return contracts.CheckPass, words, "head " + parts.ShortDigest(c.Head)
}

// filters choose what is listed, where there are many calls.
func (v *toolsView) filters(f *store.Fold) []app.UI {
	if len(f.Calls) < filterFrom {
		return nil
	}
	return []app.UI{app.Div().Class("filters").Body(
		choice("Status", v.status, statusesOf(f.Calls), v.chooseStatus),
		choice("Tool", v.tool, toolsOf(f.Calls), v.chooseTool),
	)}
}

// choice is a select that offers everything first.
func choice(label, chosen string, names []string, on app.EventHandler) app.UI {
	options := make([]app.UI, 0, len(names)+1)
	options = append(options, app.Option().Value("").Text("Any "+lowerFirst(label)).Selected(chosen == ""))
	for _, name := range names {
		options = append(options, app.Option().Value(name).Text(name).Selected(name == chosen))
	}
	return app.Select().Class("select").Aria("label", label).OnChange(on).Body(options...)
}

func (v *toolsView) chooseStatus(ctx app.Context, _ app.Event) {
	v.status, v.page = ctx.JSSrc().Get("value").String(), 0
}

func (v *toolsView) chooseTool(ctx app.Context, _ app.Event) {
	v.tool, v.page = ctx.JSSrc().Get("value").String(), 0
}

func (v *toolsView) turn(_ app.Context, pages int) { v.page += pages }

func gateWords(g contracts.Gate) string {
	switch g {
	case contracts.GateAllow:
		return "allowed without a question"
	case contracts.GateAsk:
		return "a human is asked"
	case contracts.GateDeny:
		return "denied by the server"
	}
	return string(g)
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
