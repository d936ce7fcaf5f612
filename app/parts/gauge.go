package parts

import (
	"fmt"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// Gauge shows how much of one limit is used.
type Gauge struct {
	app.Compo

	// Name is the dimension's name.
	Name string
	// Words are what is used and the limit, with their unit.
	Words string
	// Share is what is used of the limit, 0..1 and above where it was overshot.
	Share float64
	// Warn is the share at which a warning is due, or 0 for a limit that has none.
	Warn float64
	// Level is calm, warned or reached.
	Level Level
	// Pace says when the limit is reached at the rate of the moment, in few words, and Rate what that rate is; both are empty
	// where nothing can be said.
	Pace, Rate string
	// Slim shows the bar alone; the words go to assistive technology and to the tooltip.
	Slim bool
}

// Level says how close a limit is.
type Level string

// The levels.
const (
	LevelCalm    Level = "calm"
	LevelWarned  Level = "warned"
	LevelReached Level = "reached"
)

// Render implements app.Composer.
func (g *Gauge) Render() app.UI {
	percent := min(max(g.Share, 0), 1) * 100
	shapes := []app.UI{
		app.Elem("rect").XMLNS(svgNamespace).Class("gauge-track").
			Attr("width", "100").Attr("height", "4"),
		app.Elem("rect").XMLNS(svgNamespace).Class("gauge-fill").
			Attr("width", strconv.FormatFloat(percent, 'f', 2, 64)).Attr("height", "4"),
	}
	if g.Warn > 0 {
		shapes = append(shapes, app.Elem("rect").XMLNS(svgNamespace).Class("gauge-mark").
			Attr("x", strconv.FormatFloat(g.Warn*100, 'f', 0, 64)).Attr("width", "1").Attr("height", "4"))
	}
	bar := app.Elem("svg").XMLNS(svgNamespace).Class("gauge-bar").
		Attr("viewBox", "0 0 100 4").Attr("preserveAspectRatio", "none").Aria("hidden", "true").
		Body(shapes...)
	gauge := app.Div().Class("gauge", "gauge-"+string(g.Level)).
		Role("meter").
		Aria("label", g.Name).
		Aria("valuemin", "0").Aria("valuemax", "100").
		Aria("valuenow", strconv.FormatFloat(percent, 'f', 0, 64)).
		Aria("valuetext", joined(g.Words, g.Pace))
	if g.Slim {
		return gauge.Class("gauge-slim").Title(g.Name + " " + g.Words).Body(bar)
	}
	return gauge.Title(g.tooltip()).Body(
		app.Div().Class("gauge-name").Body(app.Span().Text(g.Name), app.Span().Class("gauge-pace").Text(g.Pace)),
		bar,
		app.Div().Class("gauge-words").Text(g.Words),
	)
}

// tooltip is all that the gauge shows, and what it is derived from.
func (g *Gauge) tooltip() string {
	tip := g.Name + " " + g.Words
	if g.Rate != "" {
		tip += ", at " + g.Rate
	}
	if g.Pace != "" {
		tip += ": " + g.Pace
	}
	if g.Warn > 0 {
		tip += fmt.Sprintf(". The mark at %.0f %% is where a warning is due.", g.Warn*100)
	}
	return tip
}

// joined puts a comma between two texts, where there are two.
func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

// Gauges returns a gauge for each limit of a budget, in a fixed order. Tool calls, width and reflections are
// counts that may be used up: full is not alarming.
func Gauges(used contracts.Usage, l contracts.Limits) []Gauge {
	warn := float64(l.WarnPct) / 100
	spent := func(name, words string, used, limit, mark int64) Gauge {
		g := Gauge{Name: name, Words: words, Share: share(used, limit), Warn: warn, Level: LevelCalm}
		switch {
		case limit > 0 && used >= mark:
			g.Level = LevelReached
		case limit > 0 && g.Share >= warn:
			g.Level = LevelWarned
		}
		return g
	}
	counted := func(name string, used, limit int64) Gauge {
		return Gauge{
			Name: name, Words: fmt.Sprintf("%d / %d", used, limit), Share: share(used, limit), Level: LevelCalm,
		}
	}
	gauges := []Gauge{
		spent("tokens", Count(used.Tokens())+" / "+Count(l.MaxTokens), used.Tokens(), l.MaxTokens, l.SpendableTokens()),
		spent("wall", Duration(used.WallMS)+" / "+Duration(l.MaxWallMS), used.WallMS, l.MaxWallMS, l.MaxWallMS),
		spent("active", Duration(used.ActiveMS)+" / "+Duration(l.MaxActiveMS), used.ActiveMS, l.MaxActiveMS, l.MaxActiveMS),
		counted("calls", used.ToolCalls, l.MaxToolCalls),
		counted("width", used.Branches, l.BranchWidth),
		counted("reflections", used.Reflections, l.ReflectionPasses),
	}
	return append(gauges, spent("cost", Money(used.CostMicroUSD)+" / "+Money(l.MaxCostMicroUSD),
		used.CostMicroUSD, l.MaxCostMicroUSD, l.MaxCostMicroUSD))
}

// Tightest returns the gauge of the limit that is closest to being reached.
func Tightest(gauges []Gauge) Gauge {
	tightest := gauges[0]
	for _, g := range gauges[1:] {
		if g.Warn > 0 && g.Share > tightest.Share {
			tightest = g
		}
	}
	return tightest
}

func share(used, limit int64) float64 {
	if limit <= 0 {
		return 0
	}
	return float64(used) / float64(limit)
}
