package pages

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/feed"
	"axiom25/app/parts"
	"axiom25/contracts"
)

// runFrame is a part of what stands around the view of a run: where the run stands, in words and numbers.
type runFrame struct {
	app.Compo

	// Run is the page, and Drawn counts the renderings of its frame.
	Run   *Run
	Drawn uint64
	// Foot says that it is the part below the view.
	Foot bool
}

// Render implements app.Composer.
func (p *runFrame) Render() app.UI {
	if p.Foot {
		return p.Run.below()
	}
	return p.Run.above()
}

// above is what stands above the view.
func (p *Run) above() app.UI {
	f := p.run.Fold
	return app.Div().Class("run-frame").Body(
		p.head(f),
		p.past(),
		p.awaited(),
		p.alerts(f),
		&approvalsView{View: &p.view, Drawn: p.drawn, Today: p.today()},
		&parts.Tabs{Label: "Views of the run", Tabs: p.runViews(), Shown: p.shown, OnShow: p.show},
	)
}

// below is what stands below it.
func (p *Run) below() app.UI {
	return app.Div().Class("run-frame").Body(
		p.scrubber(),
		&parts.LiveRegion{Text: p.spoken(p.run.Head)},
		&parts.KeyHelp{Groups: p.keys()},
	)
}

// calmFor is how long the numbers of the frame stand at least: nobody reads them faster, and each costs the browser as much as a
// piece of the answer.
const calmFor = 100 * time.Millisecond

// calm draws the frame of a run less often than the run goes on.
type calm struct {
	later func(wait time.Duration) // has the page drawn again
	drawn uint64                   // the rendering at which the frame was drawn last
	at    time.Time
	seen  urgent
	owed  bool // a rendering is due at the end of the pause
}

// urgent is what of a run is drawn at once.
type urgent struct {
	state             contracts.State
	phase             feed.Phase
	done, refused     bool
	past, selected    contracts.Seq
	seeking, unfolded bool
	shown, sending    string
}

func (p *Run) urgent() urgent {
	r := &p.run
	return urgent{
		state: r.Fold.State, phase: r.Connection.Phase, done: r.Head.Done != nil, refused: r.Refused != nil,
		past: r.Past, selected: p.view.Selected, seeking: r.Seeking, unfolded: p.unfolded, shown: p.shown, sending: r.Sending,
	}
}

// draw returns the number of the rendering that the frame shows: rendering, or one a moment ago, and then it sees to it that
// another rendering follows.
func (c *calm) draw(rendering uint64, now time.Time, u urgent) uint64 {
	wait := c.at.Add(calmFor).Sub(now)
	if u != c.seen || wait <= 0 || wait > calmFor {
		c.drawn, c.at, c.seen, c.owed = rendering, now, u, false
		return c.drawn
	}
	if !c.owed {
		c.owed = true
		c.later(wait)
	}
	return c.drawn
}
