package pages

import (
	"fmt"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/feed"
	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// head says what the run is, where it stands and what it has used: at the moment that is shown, but for what is done to it.
func (p *Run) head(f store.Fold) app.UI {
	return app.Div().Class("run-head", openClass(p.unfolded)).Body(
		app.Div().Class("run-title-row").Body(
			&parts.StateBadge{State: f.State},
			app.H1().Class("run-title").Text(orElse(p.run.Goal, "Run "+parts.ShortID(p.id.String()))),
			app.If(p.run.Head.Live() && p.run.Head.State != contracts.StateDraining, func() app.UI {
				return app.Button().Class("button").Type("button").AccessKey("c").
					Disabled(p.run.Sending != "").Text(p.cancelLabel()).OnClick(p.cancel)
			}),
			p.menu(),
		),
		app.Div().Class("run-meta").Body(
			app.Span().Class("run-id-place").Body(
				app.Code().Class("run-id").Text(p.id.String()),
				&parts.CopyButton{Label: "copy", Name: "Copy the run's id", Text: p.id.String()},
			),
			app.Span().Class("run-origin").Text(f.Header.Backend+" · "+string(f.Header.Profile)),
			app.Span().Title(f.CreatedAt.String()).Text("started "+parts.Age(p.now(), f.CreatedAt)+" ago"),
			app.If(f.Reason.Exhausted() || f.Reason == contracts.ReasonCancel, func() app.UI {
				return app.Span().Text("stopped by " + reasonWords(f.Reason))
			}),
			p.connection(),
			app.Button().Class("button-inline", "run-head-switch").Type("button").
				Aria("expanded", strconv.FormatBool(p.unfolded)).Text(openLabel(p.unfolded)).OnClick(p.unfold),
		),
		p.budget(f),
	)
}

// budget is a gauge for each limit.
func (p *Run) budget(f store.Fold) app.UI {
	used := f.UsedAt(p.now())
	gauges := parts.Gauges(used, f.Limits)
	tightest := parts.Tightest(gauges).Name
	if name, ok := limitOf(f.Reason); ok {
		tightest = name // the limit that was reached, or that one more would have passed
		for i := range gauges {
			if gauges[i].Name == name {
				gauges[i].Level = parts.LevelReached
			}
		}
	}
	if f.Live() && p.run.Past == 0 {
		pace := p.watch.Pace()
		parts.SetPace(gauges, used, f.Limits, parts.Rates{
			Tokens: pace.Tokens, Calls: pace.Calls, Cost: pace.Cost, Running: f.State == contracts.StateRunning,
		})
	}
	bars := make([]app.UI, 0, len(gauges))
	for i := range gauges {
		class := "budget-gauge"
		if gauges[i].Name == tightest {
			class = "budget-gauge budget-tightest"
		}
		bars = append(bars, app.Div().Class(class).Body(&gauges[i]))
	}
	return app.Div().Class("budget").Role("group").Aria("label", "Budget").Body(bars...)
}

// openClass opens what a phone folds away.
func openClass(open bool) string {
	if open {
		return "run-head-open"
	}
	return ""
}

func openLabel(open bool) string {
	if open {
		return "Less"
	}
	return "Details"
}

func (p *Run) unfold(app.Context, app.Event) { p.unfolded = !p.unfolded }

func (p *Run) cancelLabel() string {
	if p.run.Sending == "cancel" {
		return "Cancelling"
	}
	return "Cancel"
}

// connection says whether the run is seen as it happens, how late, and how fast it speaks.
func (p *Run) connection() app.UI {
	status := p.run.Connection
	c := &parts.Connection{
		Words: connectionWords(&p.run, status.Words(p.clock())), Phase: connectionClass(&p.run),
		Retry: p.run.Head.Done == nil && status.Phase == feed.Waiting, OnRetry: p.retry,
	}
	if p.run.Head.Done == nil && (status.Phase == feed.Live || status.Phase == feed.Polled) {
		c.Note, c.Title = paceWords(p.watch.Pace())
	}
	return c
}

// catchUp is how many events a page may be behind before it says so: less is read in a moment.
const catchUp = 200

// connectionWords say where the connection of a run stands; words are what the connection itself says.
func connectionWords(run *store.Run, words string) string {
	phase := run.Connection.Phase
	up := phase == feed.Live || phase == feed.Polled
	switch {
	case run.KeptAt > 0:
		kept := fmt.Sprintf("Offline, kept at %s, up to event %d", parts.Clock(run.KeptAt), run.Head.LastSeq)
		if run.Head.Done == nil && phase == feed.Waiting {
			kept += ". " + words
		}
		return kept
	case run.Head.Done != nil:
		return fmt.Sprintf("Ended, %d events", run.Head.LastSeq)
	case run.Offline && phase == feed.Waiting:
		return "Offline, " + lowerFirst(words)
	case run.Offline && !up && phase != feed.Ended:
		return "Offline"
	case up && run.Behind >= catchUp:
		return "Catching up, " + parts.Count(int64(run.Behind)) + " events"
	}
	return words
}

func connectionClass(run *store.Run) string {
	switch {
	case run.Head.Done != nil:
		return "complete"
	case run.Connection.Phase == feed.Live, run.Connection.Phase == feed.Polled:
		return "live"
	}
	return "lost"
}

// paceWords say how late the events of a live run are and how fast it speaks, and how that is known.
func paceWords(p store.Pace) (words, title string) {
	if p.Measured {
		words = fmt.Sprintf("%s p50 · %s p99", parts.Duration(p.P50), parts.Duration(p.P99))
		title = "How long the last events took from the server to this page, with the difference of the two clocks taken off."
	}
	if p.Tokens > 0 {
		if words != "" {
			words += " · "
		}
		words += parts.Rate(p.Tokens, "tok")
	}
	return words, title
}

// past says that what is shown is over.
func (p *Run) past() app.UI {
	if p.run.Past == 0 {
		return app.Div().Class("past-place")
	}
	words := fmt.Sprintf("This is the run as it was at event %d of %d.", p.run.Past, p.run.Head.LastSeq)
	if p.run.Lost != nil {
		sentence, _ := parts.Trouble(p.run.Lost)
		words = fmt.Sprintf("Event %d cannot be shown: its text is no longer here, and %s.", p.run.Past, lowerFirst(sentence))
	}
	return app.Div().Class("past-place").Body(app.P().Class("banner", "past").Role("status").Body(
		app.Span().Text(words+" "),
		app.Button().Class("button-inline").Type("button").Text("Back to now").OnClick(p.followed),
	))
}

// awaited says that the event that the address names is not there, or not yet.
func (p *Run) awaited() app.UI {
	seq, last := p.view.Selected, p.run.Head.LastSeq
	place := app.Div().Class("past-place")
	switch {
	case seq <= last:
		return place
	case p.run.Head.Live():
		return place.Body(app.P().Class("banner").Role("status").
			Text(fmt.Sprintf("Event %d has not come yet. It is shown as soon as it does.", seq)))
	}
	return place.Body(app.P().Class("banner").Role("status").
		Text(fmt.Sprintf("There is no event %d: the run ended with event %d.", seq, last)))
}

// scrubber chooses the moment.
func (p *Run) scrubber() app.UI {
	last, seq := p.run.Head.LastSeq, p.run.Past
	following := seq == 0
	if following {
		seq = last
	}
	return &parts.Scrubber{
		Seq: seq, Last: last, Time: p.run.Log.Brief(seq).Time, Following: following, Live: p.run.Head.Live(), Busy: p.run.Seeking,
		OnShow: p.showPast, OnFollow: p.follow,
	}
}

func (p *Run) showPast(_ app.Context, seq contracts.Seq) { p.watch.Show(seq) }

func (p *Run) follow(app.Context) { p.watch.Follow() }

func (p *Run) followed(ctx app.Context, _ app.Event) { p.follow(ctx) }
