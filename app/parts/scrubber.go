package parts

import (
	"fmt"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// Scrubber chooses the moment of a run that is shown.
type Scrubber struct {
	app.Compo

	// Seq is the event of that moment and Last the newest one. Time is when Seq was made; 0 where it is not known.
	Seq, Last contracts.Seq
	Time      contracts.Time
	// Following says that the newest is shown as it comes, and Live that more can come. Busy says that the moment is being
	// worked out.
	Following, Live, Busy bool
	// OnShow is called with the event that the reader chooses, OnFollow when the newest is wanted.
	OnShow   func(ctx app.Context, seq contracts.Seq)
	OnFollow func(ctx app.Context)
}

const scrubberID = "scrubber"

// OnMount implements app.Mounter.
func (s *Scrubber) OnMount(ctx app.Context) { s.place(ctx) }

// OnUpdate implements app.Updater.
func (s *Scrubber) OnUpdate(ctx app.Context) { s.place(ctx) }

// place puts the thumb where it belongs once the range is what it should be: a value that is set before its maximum is cut to
// the old one, and go-app sets attributes in no order.
func (s *Scrubber) place(ctx app.Context) {
	ctx.Defer(func(app.Context) {
		if slider := app.Window().GetElementByID(scrubberID); slider.Truthy() {
			slider.Set("value", strconv.FormatInt(int64(s.Seq), 10))
		}
	})
}

// Render implements app.Composer.
func (s *Scrubber) Render() app.UI {
	where := fmt.Sprintf("seq %d of %d", s.Seq, s.Last)
	clock := ""
	if s.Time > 0 {
		clock = ClockMS(s.Time)
	}
	return app.Section().Class("scrubber").Aria("label", "Moment of the run").Aria("busy", strconv.FormatBool(s.Busy)).Body(
		s.step("Step back", "M10.500 3.500v9l-6-4.500z", s.Seq <= 1, s.back),
		s.step("Step on", "M5.500 3.500v9l6-4.500z", s.Following, s.on),
		app.Input().Class("scrubber-range").ID(scrubberID).Type("range").Min(1).Max(s.Last).Step(1).
			Aria("label", "Event").Aria("valuetext", joined(where, clock)).OnInput(s.slide),
		app.Span().Class("scrubber-where").Title(s.exactly()).Body(
			app.Span().Text(where), app.Span().Class("scrubber-time").Text(clock),
		),
		app.Button().Class("button", "scrubber-follow").Type("button").Disabled(s.Following).Text(s.followLabel()).OnClick(s.follow),
	)
}

func (s *Scrubber) exactly() string {
	if s.Time == 0 {
		return ""
	}
	return s.Time.String()
}

func (s *Scrubber) followLabel() string {
	switch {
	case !s.Live:
		return "To the end"
	case s.Following:
		return "Following"
	}
	return "Follow"
}

func (s *Scrubber) step(name, path string, disabled bool, do app.EventHandler) app.UI {
	return app.Button().Class("button", "menu-button").Type("button").Title(name).Aria("label", name).Disabled(disabled).
		OnClick(do).Body(drawing("theme-icon", filled(path)))
}

func (s *Scrubber) back(ctx app.Context, _ app.Event) { s.show(ctx, s.Seq-1) }

func (s *Scrubber) on(ctx app.Context, _ app.Event) { s.show(ctx, s.Seq+1) }

func (s *Scrubber) slide(ctx app.Context, _ app.Event) {
	if seq, err := strconv.ParseInt(ctx.JSSrc().Get("value").String(), 10, 64); err == nil {
		s.show(ctx, contracts.Seq(seq))
	}
}

func (s *Scrubber) show(ctx app.Context, seq contracts.Seq) {
	if s.OnShow != nil {
		s.OnShow(ctx, seq)
	}
}

func (s *Scrubber) follow(ctx app.Context, _ app.Event) {
	if s.OnFollow != nil {
		s.OnFollow(ctx)
	}
}
