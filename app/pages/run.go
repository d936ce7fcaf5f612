package pages

import (
	"fmt"
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

	id       contracts.RunID
	run      store.Run
	watch    *store.RunWatch
	unfolded bool // on a phone, the whole head

	stops []func() // of what listens to the browser
	bar   addressBar

	view  RunView
	shown string // the name of the view that is shown
	drawn uint64 // counts the renderings
	calm  calm

	selected selectedEvent // as the pane shows it
}

// RunView is what every view of a run draws from. Its address stays the same as long as the page does, so that a view gets a
// large run without its being copied or compared: besides it each view has a count as a property, by which it is drawn anew
// with the page. A view asks the page for what concerns the others, and keeps the rest (filters, zoom) to itself.
type RunView struct {
	// Run is the run as it is shown: Run.Fold is the moment, which may be in the past, Run.Head and Run.Log all that is known.
	Run *store.Run
	// Watch takes commands.
	Watch *store.RunWatch
	// Now is the reader's clock, but never before the last event; where the reader has gone back, the time of Run.Fold.
	Now contracts.Time
	// Selected is the event that the reader looks at in every view; 0 for none.
	Selected contracts.Seq
	// Select chooses an event, or none with 0.
	Select func(ctx app.Context, seq contracts.Seq)
	// Key is what the shown view does with a key that was pressed while no field had the focus: it reports whether the
	// view has taken it. The view sets it when it is mounted, and nil when it goes.
	Key func(ctx app.Context, key string) bool
	// Keys say what those keys do, for the list that `?` opens. They are set together with Key.
	Keys []parts.Key

	events eventsState // what the reader has chosen among the events, kept while another view is shown
}

// runViews are the views of a run in the order of their tabs.
func (p *Run) runViews() []parts.Tab {
	f := p.run.Fold
	return []parts.Tab{
		{Name: viewAnswer, Title: "Answer"},
		{Name: viewTimeline, Title: "Timeline"},
		{Name: viewEvents, Title: "Events", Count: int(f.LastSeq)},
		{Name: viewTools, Title: "Tools", Count: len(f.Calls)},
		{Name: viewVerdict, Title: "Verdict"},
		{Name: viewTask, Title: "Task"},
	}
}

// The names of the views, as they stand in an address.
const (
	viewAnswer   = "answer"
	viewTimeline = "timeline"
	viewEvents   = "events"
	viewTools    = "tools"
	viewVerdict  = "verdict"
	viewTask     = "task"
)

// OnNav implements app.Navigator. go-app reuses the component from one run to the next.
func (p *Run) OnNav(ctx app.Context) {
	if app.IsServer {
		return // the server draws the shell alone
	}
	if p.stops == nil {
		p.stops = []func(){
			store.Listen(ctx, app.Window().Get("document"), "keydown", p.pressed),
			store.Listen(ctx, app.Window(), "hashchange", p.readdressed),
			store.Listen(ctx, app.Window(), "pagehide", p.leaves),
		}
		p.bar.ctx = ctx
	}
	url := ctx.Page().URL()
	id := contracts.RunID(strings.TrimPrefix(url.Path, "/r/"))
	p.shown, p.view.Selected = addressed(url)
	if id == p.id {
		return
	}
	p.close()
	p.id, p.run = id, store.Run{ID: id}
	p.calm = calm{later: func(wait time.Duration) { ctx.After(wait, func(app.Context) {}) }}
	ctx.Page().SetTitle(parts.ShortID(id.String()) + " · Axiom25")
	ctx.ObserveState(store.KeyRun, &p.run)
	p.watch = store.WatchRun(ctx, command.Client{}, id)
	p.view.Run, p.view.Watch, p.view.Select = &p.run, p.watch, p.choose
	p.tick(ctx, id)
}

// OnDismount implements app.Dismounter.
func (p *Run) OnDismount() {
	for _, stop := range p.stops {
		stop()
	}
	p.stops = nil
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
		if p.id == id && (p.run.Head.Done == nil || p.run.Connection.Phase == feed.Waiting) {
			p.tick(ctx, id)
		}
	})
}

// Render implements app.Composer.
func (p *Run) Render() app.UI {
	switch {
	case p.run.Problem != nil && p.run.Head.LastSeq == 0:
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
	p.drawn++
	p.view.Now = p.now()
	calm := p.calm.draw(p.drawn, p.clock(), p.urgent())
	return parts.Page("/r",
		&runFrame{Run: p, Drawn: calm},
		app.Div().Class("run-split").Body(
			app.Section().Class("run-view").ID("view").Role("tabpanel").Aria("labelledby", "tab-"+p.shown).Body(p.shownView()),
			p.pane(),
		),
		&runFrame{Run: p, Drawn: calm, Foot: true},
	)
}

// shownView is the view that is shown. The others are not there.
func (p *Run) shownView() app.UI {
	switch p.shown {
	case viewTimeline:
		return &timelineView{View: &p.view, Drawn: p.drawn}
	case viewEvents:
		return &eventsView{View: &p.view, Drawn: p.drawn}
	case viewTools:
		return &toolsView{View: &p.view, Drawn: p.drawn}
	case viewVerdict:
		return &verdictView{View: &p.view, Drawn: p.drawn}
	case viewTask:
		return &taskView{View: &p.view, Drawn: p.drawn}
	}
	return &answerView{View: &p.view, Drawn: p.drawn}
}

// alerts are the things that went wrong.
func (p *Run) alerts(f store.Fold) app.UI {
	var alerts []app.UI
	if !p.run.AgainAt.IsZero() {
		wait := p.run.AgainAt.Sub(p.clock()).Milliseconds()
		alerts = append(alerts, &parts.Alert{Title: "The server is busy. The command is sent again in " + parts.Roughly(wait+999) + "."})
	}
	if p.run.Refused != nil && !isApproval(p.run.Sent) {
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

// isApproval reports whether a command was a decision: why it was refused stands at the question.
func isApproval(command string) bool { return strings.HasPrefix(command, "apr_") }

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

func (p *Run) clock() time.Time { return clock(p.Now)() }

// today is the reader's clock, but never before the last event: the server's clock may be ahead.
func (p *Run) today() contracts.Time { return max(contracts.TimeOf(p.clock()), p.run.Head.LastTime) }

// now is the time at the moment that is shown.
func (p *Run) now() contracts.Time {
	if p.run.Past > 0 {
		return p.run.Fold.LastTime
	}
	return p.today()
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
