package parts

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// Receipt shows a tool call's receipt field by field, and what came of checking it here.
type Receipt struct {
	app.Compo

	// Receipt is what is shown.
	Receipt *contracts.Receipt
	// Faults are what does not fit; none where all does.
	Faults []runstate.ReceiptFault
}

// Render implements app.Composer.
func (p *Receipt) Render() app.UI {
	r := p.Receipt
	var rows []app.UI
	add := func(name, value string, checks ...app.UI) {
		if value != "" {
			rows = append(rows, app.Dt().Text(name), app.Dd().Body(append([]app.UI{app.Text(value)}, checks...)...))
		}
	}
	add("call_id", r.CallID, p.check("the same call, attempt, end and times as shown", runstate.FaultCall))
	add("tool", string(r.Tool))
	add("tool_digest", string(r.ToolDigest))
	add("attempt", strconv.FormatInt(r.Attempt, 10))
	add("status", string(r.Status))
	add("args_hash", string(r.ArgsHash), p.check("that of the arguments shown", runstate.FaultArgs))
	add("result_hash", string(r.ResultHash), p.check("that of the result shown", runstate.FaultResult))
	add("result_bytes", strconv.FormatInt(r.ResultBytes, 10))
	add("started_at", r.StartedAt.String())
	add("latency_ms", strconv.FormatInt(r.LatencyMS, 10))
	add("cost", Money(r.CostMicroUSD))
	if a := r.Approval; a != nil {
		words := string(a.Decision)
		if a.By != "" {
			words += " by " + a.By
		}
		add("approval", words)
	}
	add("prev", string(r.Prev), p.check("continues the chain", runstate.FaultPrev))
	add("hash", string(r.Hash), p.check("that of the content", runstate.FaultHash))
	return app.Dl().Class("facts receipt").Body(rows...)
}

// check says what came of a check.
func (p *Receipt) check(fits string, fault runstate.ReceiptFault) app.UI {
	if slices.Contains(p.Faults, fault) {
		return &CheckLine{Tone: contracts.CheckFail, Words: string(fault)}
	}
	return &CheckLine{Tone: contracts.CheckPass, Words: fits}
}

// CheckLine says in one line what came of something that was checked here in the browser.
type CheckLine struct {
	app.Compo

	// Tone is its shape and colour: pass, fail, or skipped for what could not be checked.
	Tone contracts.CheckStatus
	// Words say it, Detail says more, quietly.
	Words, Detail string
}

// Render implements app.Composer.
func (l *CheckLine) Render() app.UI {
	return app.Span().Class("check-line", "check-"+string(l.Tone)).Body(
		app.Span().Class("check-status").Body(checkShape(l.Tone), app.Span().Text(l.Words)),
		app.If(l.Detail != "", func() app.UI { return app.Span().Class("check-reason").Text(l.Detail) }),
	)
}

// Pager leads through a long list, a page at a time.
type Pager struct {
	app.Compo

	// From and To are the places of the first and the last thing shown, counted from 1, of All.
	From, To, All int
	// OnTurn is called with the number of pages to go on; negative to go back.
	OnTurn func(ctx app.Context, pages int)
}

// Render implements app.Composer.
func (p *Pager) Render() app.UI {
	return app.Div().Class("pager").Role("navigation").Aria("label", "Pages").Body(
		app.Button().Class("button").Type("button").Disabled(p.From <= 1).Text("Previous").OnClick(p.back),
		app.Span().Class("pager-words").Text(fmt.Sprintf("%d–%d of %d", p.From, p.To, p.All)),
		app.Button().Class("button").Type("button").Disabled(p.To >= p.All).Text("Next").OnClick(p.on),
	)
}

func (p *Pager) back(ctx app.Context, _ app.Event) { p.turn(ctx, -1) }

func (p *Pager) on(ctx app.Context, _ app.Event) { p.turn(ctx, 1) }

func (p *Pager) turn(ctx app.Context, pages int) {
	if p.OnTurn != nil {
		p.OnTurn(ctx, pages)
	}
}
