package pages

import (
	"fmt"
	"math"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// Render implements app.Composer.
func (v *eventsView) Render() app.UI {
	s, log := v.state(), v.View.Run.Log
	first, count, before, after := s.scroll.Drawn()
	v.rows = v.draw(first, count)
	return app.Div().Class("panel", "events").Body(
		&parts.EventFilter{
			Types: s.filter.Types, Branches: log.Branches(), Branch: s.filter.Branch, OneBranch: s.filter.OneBranch,
			Search: s.search, Expression: s.expression, Problem: s.problem, Words: v.words(), Following: s.following,
			OnTypes: v.chooseTypes, OnBranch: v.chooseBranch, OnSearch: v.look, OnExpression: v.chooseExpression, OnFollow: v.chooseFollow,
		},
		v.gone(),
		app.Div().Class("event-frame").Body(
			&parts.EventList{
				Page: contracts.LinksOf(v.View.Run.ID).Page, Rows: v.rows, Total: s.scroll.Rows, Before: before, After: after,
				Flat: len(log.Branches()) < 2, Selected: v.View.Selected, OnScroll: v.scrolled, OnSelect: v.View.Select, OnKey: v.listKey,
			},
			v.jump(),
		),
	)
}

// draw makes the rows of a part of the list. What was drawn a moment ago is not read again.
func (v *eventsView) draw(first, count int) []parts.EventRow {
	log, fold := v.View.Run.Log, v.View.Run.Fold
	rows := make([]parts.EventRow, 0, count)
	old := v.rows
	for place := first; place < first+count; place++ {
		seq := v.seq(place)
		for len(old) > 0 && old[0].Seq < seq {
			old = old[1:]
		}
		if len(old) > 0 && old[0].Seq == seq && old[0].Tone != parts.EventGone && old[0].Tone != parts.EventLater && seq <= fold.LastSeq {
			old[0].Place = place + 1
			rows = append(rows, old[0])
			continue
		}
		b := log.Brief(seq)
		row := parts.EventRow{
			Seq: seq, Place: place + 1, Since: parts.SinceStart(b.Time.Sub(log.Brief(1).Time)), At: b.Time.String(),
			Type: b.Type, Branch: b.Branch,
		}
		if ev, ok := log.Event(seq); ok {
			row.Gist, row.Tone = parts.EventGist(&ev), toneOf(&ev)
		} else {
			row.Gist, row.Tone = "its text is no longer kept here", parts.EventGone
		}
		if seq > fold.LastSeq {
			row.Tone = parts.EventLater
		}
		rows = append(rows, row)
	}
	return rows
}

// toneOf is what of an event is to be seen at a glance.
func toneOf(ev *contracts.RunEvent) parts.EventTone {
	switch d := ev.Data.(type) {
	case *contracts.ErrorData:
		return parts.EventBad
	case *contracts.ToolEndData:
		if d.Status != contracts.CallOK {
			return parts.EventBad
		}
	case *contracts.VerdictData:
		if d.Outcome != contracts.OutcomePass {
			return parts.EventBad
		}
	case *contracts.DoneData:
		if d.Status != contracts.StateSucceeded {
			return parts.EventBad
		}
	case *contracts.ToolStartData:
		if d.Gate == contracts.GateAsk {
			return parts.EventAsks
		}
	case *contracts.BudgetData:
		if d.Phase == contracts.BudgetWarn {
			return parts.EventAsks
		}
	}
	return parts.EventPlain
}

// words say how much of the run is listed.
func (v *eventsView) words() string {
	s, last := v.state(), v.View.Run.Log.Last()
	if s.matches == nil {
		return parts.Grouped(int64(last)) + " events"
	}
	words := parts.Grouped(int64(s.matches.Len())) + " of " + parts.Grouped(int64(last))
	if tested := s.matches.Tested(); tested < last {
		words += fmt.Sprintf(", still looking (%d %%)", int(tested)*100/int(last))
	}
	return words
}

// gone says which texts the log has let go of, and offers to read them again.
func (v *eventsView) gone() app.UI {
	s, run := v.state(), v.View.Run
	first := run.Log.First()
	if first == 1 {
		return app.Div().Hidden(true)
	}
	words := fmt.Sprintf("The texts of events 1 to %s are no longer kept here: the run is long. ", parts.Grouped(int64(first-1)))
	if s.matches != nil {
		if _, n := s.matches.Unread(); n > 0 {
			words += fmt.Sprintf("%s of them were not searched. ", parts.Grouped(int64(n)))
		}
	}
	action := "Read them again"
	switch {
	case run.Again.Problem != nil:
		sentence, _ := parts.Trouble(run.Again.Problem)
		words += "They could not be read again: " + lowerFirst(sentence) + ". "
		action = "Try again"
	case run.Again.From > 0:
		words += fmt.Sprintf("Reading from event %s on.", parts.Grouped(int64(run.Again.From)))
		action = ""
	case s.again:
		words += "Those in view are read again."
		action = ""
	}
	return app.P().Class("event-note").Body(
		app.Text(words),
		app.If(action != "", func() app.UI {
			return app.Button().Class("button-inline").Type("button").Text(action).OnClick(v.wantAgain)
		}),
	)
}

func (v *eventsView) wantAgain(app.Context, app.Event) {
	v.state().again = true
	v.readAgain()
}

// readAgain asks for the first text that is missing among the rows in view, and then for those that a search needs.
func (v *eventsView) readAgain() {
	s, run := v.state(), v.View.Run
	if run.Again.Problem != nil && run.Again.From == 0 {
		s.again = false
	}
	first, count, _, _ := s.scroll.Drawn()
	for place := first; place < first+count; place++ {
		if _, kept := run.Log.Data(v.seq(place)); !kept {
			v.View.Watch.ReadAgain(v.seq(place))
			return
		}
	}
	if s.matches != nil {
		if unread, n := s.matches.Unread(); n > 0 {
			v.View.Watch.ReadAgain(unread)
		}
	}
}

// jump is the button that leads to the end.
func (v *eventsView) jump() app.UI {
	s := v.state()
	if s.following || s.scroll.AtEnd() || !v.View.Run.Head.Live() && s.seen == s.scroll.Rows {
		return app.Div().Hidden(true)
	}
	label := "To the end"
	if n := s.scroll.Rows - s.seen; s.seen > 0 && n > 0 {
		label = parts.Grouped(int64(n)) + " new"
	}
	return app.Button().Class("button", "event-jump").Type("button").Text("↓ " + label).OnClick(v.toEnd)
}

func (v *eventsView) toEnd(app.Context, app.Event) { v.state().follow() }

// The choices of the bar.

func (v *eventsView) chooseTypes(_ app.Context, types []contracts.EventType) {
	v.state().filter.Types = types
	v.refilter()
}

func (v *eventsView) chooseBranch(_ app.Context, branch contracts.Branch, one bool) {
	f := &v.state().filter
	f.Branch, f.OneBranch = branch, one
	v.refilter()
}

func (v *eventsView) look(_ app.Context, search string) {
	v.state().search = search
	v.readSearch()
}

func (v *eventsView) chooseExpression(_ app.Context, expression bool) {
	v.state().expression = expression
	v.readSearch()
}

func (v *eventsView) chooseFollow(_ app.Context, follow bool) {
	if s := v.state(); follow {
		s.follow()
	} else {
		s.release(v.count())
	}
}

// readSearch takes in what was typed. While it is no expression, the list stays as it was.
func (v *eventsView) readSearch() {
	s := v.state()
	text, expression, err := store.ParseSearch(s.search, s.expression)
	if err != nil {
		s.problem = "Not an expression: " + err.Error() + ". The list is as it was before."
		return
	}
	s.problem = ""
	s.filter.Text, s.filter.Expression = text, expression
	v.refilter()
}

// refilter begins a list anew. The reader stays at the same event, or at the next one that is listed.
func (v *eventsView) refilter() {
	s := v.state()
	at := v.View.Selected
	if at == 0 && !s.following && s.scroll.Rows > 0 {
		at = v.seq(min(int(math.Ceil(s.scroll.Top/s.scroll.RowHeight)), s.scroll.Rows-1))
	}
	s.matches = nil
	if !s.filter.All() {
		s.matches = store.NewMatches(v.View.Run.Log, s.filter)
	}
	s.placed, v.rows = false, nil
	if !s.following {
		s.reveal = at
	}
}
