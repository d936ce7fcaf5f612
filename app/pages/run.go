package pages

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/feed"
	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// Run is one run as it happens.
type Run struct {
	app.Compo

	// Now is the clock; the system's where nil.
	Now func() time.Time

	id        contracts.RunID
	run       store.Run
	watch     *store.RunWatch
	allLimits bool // on a phone, more than the tightest limit
}

// OnNav implements app.Navigator. go-app reuses the component from one run to the next.
func (p *Run) OnNav(ctx app.Context) {
	if app.IsServer {
		return // the server draws the shell alone
	}
	id := contracts.RunID(strings.TrimPrefix(ctx.Page().URL().Path, "/r/"))
	if id == p.id {
		return
	}
	p.close()
	p.id, p.run = id, store.Run{ID: id}
	ctx.Page().SetTitle(parts.ShortID(id.String()) + " · Axiom25")
	ctx.ObserveState(store.KeyRun, &p.run)
	p.watch = store.WatchRun(ctx, command.Client{}, id)
	p.tick(ctx, id)
}

// OnDismount implements app.Dismounter.
func (p *Run) OnDismount() {
	p.close()
	p.id = ""
}

func (p *Run) close() {
	if p.watch != nil {
		p.watch.Close()
		p.watch = nil
	}
}

// tick draws once a second what goes by the clock, as long as something does.
func (p *Run) tick(ctx app.Context, id contracts.RunID) {
	ctx.After(time.Second, func(ctx app.Context) {
		if p.id == id && (p.run.Fold.Done == nil || p.run.Connection.Phase == feed.Waiting) {
			p.tick(ctx, id)
		}
	})
}

// Render implements app.Composer.
func (p *Run) Render() app.UI {
	f := p.run.Fold
	switch {
	case p.run.Problem != nil && f.LastSeq == 0:
		sentence, detail := parts.Trouble(p.run.Problem)
		return parts.Page("/r", &parts.Notice{
			Tone: parts.ToneError, Text: "This run cannot be shown: " + lowerFirst(sentence) + ".", Detail: detail,
			Action: "All runs", Href: "/",
		})
	case p.run.Loading() && p.run.Connection.Attempt > 0:
		return parts.Page("/r", &parts.Notice{
			Tone: parts.ToneError, Text: "The server cannot be reached.",
			Detail: p.run.Connection.Words(p.clock()), Action: "Try now", OnAction: p.retry,
		})
	case p.run.Loading():
		return parts.Page("/r", &parts.Notice{Tone: parts.ToneLoading, Text: "Reading the run"})
	}
	return parts.Page("/r",
		p.head(f),
		p.alerts(f),
		p.approvals(f),
		app.Div().Class("run-columns").Body(
			app.Section().Class("run-main").Aria("label", "Answer").Body(
				p.answer(f),
				p.verdict(f),
			),
			app.Section().Class("run-side").Aria("label", "Work").Body(
				p.calls(f),
				p.thoughts(f),
			),
		),
		&parts.LiveRegion{Text: p.spoken(f)},
	)
}

// head says what the run is, where it stands and what it has used.
func (p *Run) head(f store.Fold) app.UI {
	gauges := parts.Gauges(f.UsedAt(p.now()), f.Limits)
	tightest := parts.Tightest(gauges).Name
	if name, ok := limitOf(f.Reason); ok {
		tightest = name // the limit that was reached, or that one more would have passed
		for i := range gauges {
			if gauges[i].Name == name {
				gauges[i].Level = parts.LevelReached
			}
		}
	}
	bars := make([]app.UI, 0, len(gauges))
	for i := range gauges {
		class := "budget-gauge"
		if gauges[i].Name == tightest {
			class = "budget-gauge budget-tightest"
		}
		bars = append(bars, app.Div().Class(class).Body(&gauges[i]))
	}
	return app.Div().Class("run-head").Body(
		app.Div().Class("run-title-row").Body(
			&parts.StateBadge{State: f.State},
			app.H1().Class("run-title").Text(orElse(p.run.Goal, "Run "+parts.ShortID(p.id.String()))),
			app.If(f.Live() && f.State != contracts.StateDraining, func() app.UI {
				return app.Button().Class("button").Type("button").AccessKey("c").
					Disabled(p.run.Sending != "").Text(p.cancelLabel()).OnClick(p.cancel)
			}),
		),
		app.Div().Class("run-meta").Body(
			app.Code().Class("run-id").Title(p.id.String()).Text(p.id.String()),
			app.Span().Text(f.Header.Backend),
			app.Span().Text(string(f.Header.Profile)),
			app.Span().Title(f.CreatedAt.String()).Text("started "+parts.Clock(f.CreatedAt)+", "+parts.Age(p.now(), f.CreatedAt)+" ago"),
			app.If(f.Reason.Exhausted() || f.Reason == contracts.ReasonCancel, func() app.UI {
				return app.Span().Text("stopped by " + reasonWords(f.Reason))
			}),
			&parts.Connection{
				Words: p.connectionWords(f), Phase: connectionClass(p.run.Connection.Phase, f),
				Retry: p.run.Connection.Phase == feed.Waiting, OnRetry: p.retry,
			},
		),
		app.Div().Class("budget", budgetClass(p.allLimits)).Role("group").Aria("label", "Budget").Body(bars...),
		app.Button().Class("button-inline", "budget-switch").Type("button").
			Aria("expanded", strconv.FormatBool(p.allLimits)).Text(limitsLabel(p.allLimits)).OnClick(p.switchLimits),
	)
}

// budgetClass opens the limits that a phone folds away.
func budgetClass(open bool) string {
	if open {
		return "budget-open"
	}
	return ""
}

func limitsLabel(open bool) string {
	if open {
		return "Only the tightest limit"
	}
	return "All limits"
}

func (p *Run) switchLimits(app.Context, app.Event) { p.allLimits = !p.allLimits }

func (p *Run) cancelLabel() string {
	if p.run.Sending == "cancel" {
		return "Cancelling"
	}
	return "Cancel"
}

func (p *Run) connectionWords(f store.Fold) string {
	if f.Done != nil {
		return fmt.Sprintf("Complete, %d events", f.LastSeq)
	}
	return p.run.Connection.Words(p.clock())
}

func connectionClass(phase feed.Phase, f store.Fold) string {
	switch {
	case f.Done != nil:
		return "complete"
	case phase == feed.Live, phase == feed.Polled:
		return "live"
	}
	return "lost"
}

// alerts are the things that went wrong.
func (p *Run) alerts(f store.Fold) app.UI {
	var alerts []app.UI
	if p.run.Refused != nil {
		sentence, detail := parts.Trouble(p.run.Refused)
		alerts = append(alerts, &parts.Alert{Title: sentence, Detail: detail})
	}
	if p.run.Problem != nil {
		sentence, detail := parts.Trouble(p.run.Problem)
		alerts = append(alerts, &parts.Alert{Title: "The stream cannot be read on: " + lowerFirst(sentence), Detail: detail, Fatal: true})
	}
	if f.Violation != nil {
		alerts = append(alerts, &parts.Alert{
			Title:  fmt.Sprintf("This stream breaks invariant %d at event %d", f.Violation.Invariant, f.Violation.Seq),
			Detail: f.Violation.Detail, Fatal: true,
		})
	}
	for _, e := range f.Errors {
		note := fmt.Sprintf("event %d, %s", e.Seq, parts.Clock(e.Time))
		switch e.Retry {
		case contracts.RetryRetrying:
			note += ", tried again"
		case contracts.RetryExhausted:
			note += ", given up"
		case contracts.RetryNone:
		}
		alerts = append(alerts, &parts.Alert{Title: e.Title, Detail: e.Detail, Note: note, Fatal: e.Fatal})
	}
	return app.Div().Class("alerts").Body(alerts...)
}

// approvals are the questions that the run has for its reader.
func (p *Run) approvals(f store.Fold) app.UI {
	var cards []app.UI
	for _, c := range f.Calls {
		if c.Approval == nil {
			continue
		}
		if !c.Pending() {
			// Its place stays: what the reader types into the next card must not move with it to another's place.
			cards = append(cards, app.Div().Hidden(true))
			continue
		}
		cards = append(cards, &parts.Approval{
			ID: c.Approval.ID, Tool: c.Tool, Args: c.Args,
			Remaining: "expires in " + parts.Duration(max(c.Approval.ExpiresAt.Sub(p.now()), 0)/1000*1000),
			Sending:   p.run.Sending == c.Approval.ID.String(),
			OnDecide:  p.decide,
		})
	}
	return app.Div().Class("approvals").Body(cards...)
}

// answer is the draft that counts, behind those that came before it.
func (p *Run) answer(f store.Fold) app.UI {
	var body []app.UI
	for i, d := range f.Drafts {
		if i == len(f.Drafts)-1 {
			break
		}
		body = append(body, &parts.Fold{Title: draftTitle(i, d), Note: draftNote(d), Text: d.Text, Tone: "draft"})
	}
	switch current := f.Answer(); {
	case f.Done != nil && f.Done.Status == contracts.StateRefused:
		body = append(body, app.P().Class("quiet").Text("The answer was withheld."))
	case current != nil:
		body = append(body, &parts.Answer{
			Text: current.Text, Growing: f.Live() && !current.Final, Refusal: current.Channel == contracts.ChannelRefusal,
		})
	case f.Done != nil && f.Done.Output != nil:
		body = append(body, &parts.Answer{Text: *f.Done.Output})
	case f.Done != nil:
		body = append(body, app.P().Class("quiet").Text("The run ended without an answer."))
	case f.Header.Release == contracts.ReleaseVerified:
		body = append(body, app.P().Class("quiet").Text("The answer is shown once it has passed its checks."))
	default:
		body = append(body, app.P().Class("quiet").Text("No answer yet."))
	}
	return app.Div().Class("panel").Body(
		app.H2().Class("panel-title").Text("Answer"),
		app.Div().Class("panel-body").Body(body...),
	)
}

func draftTitle(i int, d store.Message) string {
	if d.Discarded {
		return fmt.Sprintf("Attempt %d, discarded", d.Attempt)
	}
	return fmt.Sprintf("Draft %d", i+1)
}

func draftNote(d store.Message) string {
	if d.Verdict == nil {
		return ""
	}
	words := parts.OutcomeWords(d.Verdict.Outcome)
	if d.Verdict.Score != nil {
		words += ", score " + parts.Score(*d.Verdict.Score)
	}
	return words
}

// verdict is the last judgement.
func (p *Run) verdict(f store.Fold) app.UI {
	if f.Header.Release == "" {
		return app.Div().Class("panel").Body(
			app.H2().Class("panel-title").Text("Verdict"),
			app.P().Class("quiet").Text("The task names no checks: the answer is unverified."),
		)
	}
	if len(f.Verdicts) == 0 {
		return app.Div().Class("panel").Body(
			app.H2().Class("panel-title").Text("Verdict"),
			app.P().Class("quiet").Text("Not judged yet."),
		)
	}
	var body []app.UI
	for i, v := range slices.Backward(f.Verdicts) {
		part := &parts.Verdict{Pass: v.Pass, Outcome: v.Outcome, Score: -1, Results: v.Results}
		if v.Score != nil {
			part.Score = *v.Score
		}
		part.PassAt, part.RefuseBelow = p.run.PassAt, p.run.RefuseBelow
		if i < len(f.Verdicts)-1 {
			body = append(body, app.Details().Class("fold").Body(
				app.Summary().Class("fold-summary").Body(
					app.Span().Class("fold-title").Text(fmt.Sprintf("Pass %d", v.Pass+1)),
					app.Span().Class("fold-note").Text(draftNote(store.Message{Verdict: &v})),
				),
				part,
			))
			continue
		}
		body = append(body, part)
	}
	return app.Div().Class("panel").Body(
		app.H2().Class("panel-title").Text("Verdict"),
		app.Div().Class("panel-body").Body(body...),
	)
}

// calls are the tool calls with their receipts.
func (p *Run) calls(f store.Fold) app.UI {
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

// thoughts are folded away, the newest last.
func (p *Run) thoughts(f store.Fold) app.UI {
	if len(f.Thoughts) == 0 {
		return app.Div().Class("panel-none")
	}
	var folds []app.UI
	for _, t := range f.Thoughts {
		title := string(t.Kind)
		if t.Discarded {
			title += fmt.Sprintf(", attempt %d, discarded", t.Attempt)
		}
		folds = append(folds, &parts.Fold{
			Title: title, Note: firstLine(t.Text), Text: t.Text, Tone: "thought", Growing: f.Live() && !t.Final,
		})
	}
	return app.Div().Class("panel", "panel-quiet").Body(
		app.H2().Class("panel-title").Body(
			app.Text("Thoughts"),
			app.Span().Class("panel-count").Text(countOrNone(len(f.Thoughts))),
		),
		app.Div().Class("panel-body").Body(folds...),
	)
}

// spoken is what assistive technology reads out: the answer as it grows, and the end.
func (p *Run) spoken(f store.Fold) string {
	text := ""
	if a := f.Answer(); a != nil && (f.Done == nil || f.Done.Status != contracts.StateRefused) {
		text = a.Text
	}
	if f.Done != nil {
		text += "\nThe run has ended: " + string(f.Done.Status) + "."
	}
	return text
}

func (p *Run) cancel(app.Context, app.Event) { p.watch.Cancel() }

func (p *Run) retry(app.Context) { p.watch.Retry() }

func (p *Run) decide(_ app.Context, id contracts.ApprovalID, d contracts.ApprovalDecision) {
	p.watch.Decide(id, d)
}

func (p *Run) clock() time.Time { return clock(p.Now)() }

// now is the reader's clock, but never before the last event: the server's clock may be ahead.
func (p *Run) now() contracts.Time {
	return max(contracts.TimeOf(p.clock()), p.run.Fold.LastTime)
}

// limitOf is the name of the gauge of the limit that stopped a run.
func limitOf(r contracts.StatusReason) (name string, ok bool) {
	switch r {
	case contracts.ReasonTokens:
		return "tokens", true
	case contracts.ReasonWall:
		return "wall", true
	case contracts.ReasonActive:
		return "active", true
	case contracts.ReasonToolCalls:
		return "calls", true
	case contracts.ReasonCost:
		return "cost", true
	case contracts.ReasonBranches:
		return "width", true
	case contracts.ReasonCancel, contracts.ReasonSubmitted, contracts.ReasonStarted, contracts.ReasonApproval,
		contracts.ReasonResumed:
	}
	return "", false
}

// reasonWords says a limit or a cancellation to a reader.
func reasonWords(r contracts.StatusReason) string {
	switch r {
	case contracts.ReasonTokens:
		return "its token limit"
	case contracts.ReasonWall:
		return "its wall-time limit"
	case contracts.ReasonActive:
		return "its active-time limit"
	case contracts.ReasonToolCalls:
		return "its limit of tool calls"
	case contracts.ReasonCost:
		return "its cost limit"
	case contracts.ReasonBranches:
		return "its branch width"
	case contracts.ReasonCancel:
		return "a cancellation"
	case contracts.ReasonSubmitted, contracts.ReasonStarted, contracts.ReasonApproval, contracts.ReasonResumed:
	}
	return string(r)
}

func countOrNone(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	const most = 160
	if r := []rune(line); len(r) > most {
		return string(r[:most]) + "…"
	}
	return line
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
