package pages

import (
	"fmt"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
)

// streamPanel says whether the events of a stream make a run that keeps its invariants.
func (p *Validate) streamPanel() app.UI {
	s := p.finding.Stream
	if s == nil || p.checking != nil {
		return app.Div()
	}
	return app.Section().Class("panel", "run-finding").Aria("label", "The run").Body(
		app.Div().Class("panel-bar").Body(
			app.H2().Class("panel-title").Text("The run"),
			app.Span().Class("panel-hint").Text("all events together, held against the 18 invariants"),
		),
		app.P().Class("panel-words", runTone(s)).Role("status").Text(runWords(s)),
		app.If(s.Broken != nil, func() app.UI { return p.broken(s) }),
	)
}

// broken leads to the invariant, and to the event.
func (p *Validate) broken(s *store.Stream) app.UI {
	number := strconv.Itoa(s.Broken.Invariant)
	return app.Div().Class("actions", "panel-words").Body(
		app.A().Class("button").Href("/reference/events#invariant-"+number).Text("Invariant "+number),
		app.If(s.BrokenLine != 0 && p.onGo() != nil, func() app.UI {
			return app.Button().Class("button").Type("button").Text("Go to line " + strconv.Itoa(s.BrokenLine)).OnClick(p.goToBroken)
		}),
	)
}

func (p *Validate) goToBroken(app.Context, app.Event) {
	line := p.finding.Stream.BrokenLine
	start, end := store.LineAt(p.text, line)
	p.jump, p.caret = p.jump+1, parts.Mark{Start: start, End: end, Line: line, Column: 1}
}

func runTone(s *store.Stream) string {
	switch {
	case s.Broken == nil && s.Failed == nil:
		return "verdict-line-valid"
	case s.Failed != nil || s.BrokenLine != 0:
		return "verdict-line-invalid"
	}
	return "quiet" // it may just go on
}

func runWords(s *store.Stream) string {
	switch {
	case s.Failed != nil:
		return "The run cannot be judged: " + s.Failed.Error() + "."
	case s.Broken == nil:
		return fmt.Sprintf("All 18 invariants hold. The run ended %s with event %d.", s.State.Phase(), s.State.LastSeq())
	case s.BrokenLine == 0 && s.Events == 0:
		return "There is no event."
	case s.BrokenLine == 0:
		return fmt.Sprintf("The first 17 invariants hold up to event %d. Invariant 18 does not: %s.", s.State.LastSeq(), s.Broken.Detail)
	}
	return fmt.Sprintf("Event %d, in line %d, breaks invariant %d: %s.", s.Broken.Seq, s.BrokenLine, s.Broken.Invariant, s.Broken.Detail)
}
