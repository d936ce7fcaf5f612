package pages

import (
	"math"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// eventsView is the events one by one: a list of any length of which only what is seen is drawn.
type eventsView struct {
	app.Compo

	// View is the run, and Drawn counts its renderings.
	View  *RunView
	Drawn uint64

	log     *store.Log
	rows    []parts.EventRow // as they were drawn last
	working bool             // a further slice of the log is going to be tested
}

// eventsState is what the reader has chosen among the events of a run.
type eventsState struct {
	run contracts.RunID // the one that all this is about

	filter     store.Filter
	search     string // as it was typed
	expression bool   // the search is always an expression
	problem    string // what is wrong with it; the filter is then what it was before
	matches    *store.Matches

	scroll    parts.Scroll
	placed    bool    // the list's element stands where scroll says
	set       float64 // where it stood last, as the browser says
	following bool    // the end is followed
	seen      int     // how many events were listed when following ended
	selected  contracts.Seq
	reveal    contracts.Seq // the event to bring into view once it is known; 0 for none
	again     bool          // texts that were let go of are read again where they are needed
}

// testTime is how long a slice of the log may be tested before the page draws and answers its reader, and testPause what it is
// given for that.
const (
	testTime  = 8 * time.Millisecond
	testPause = 4 * time.Millisecond
)

// rowHeight and listHeight stand in until the list was measured.
const (
	rowHeight  = 28
	listHeight = 600
)

// OnMount implements app.Mounter.
func (v *eventsView) OnMount(ctx app.Context) {
	v.View.Key, v.View.Keys = v.key, eventKeys()
	v.state().placed = false
	v.take(ctx)
}

// OnDismount implements app.Dismounter.
func (v *eventsView) OnDismount() { v.View.Key, v.View.Keys = nil, nil }

// OnUpdate implements app.Updater.
func (v *eventsView) OnUpdate(ctx app.Context) { v.take(ctx) }

// state is what the reader has chosen, which begins anew with another run.
func (v *eventsView) state() *eventsState {
	s := &v.View.events
	if s.run != v.View.Run.ID {
		*s = eventsState{run: v.View.Run.ID, following: true}
		s.scroll = parts.Scroll{RowHeight: rowHeight, View: listHeight}
	}
	return s
}

// take takes in what is new: events, and what was selected elsewhere.
func (v *eventsView) take(ctx app.Context) {
	s := v.state()
	if v.log != v.View.Run.Log {
		v.log, v.rows = v.View.Run.Log, nil
		if s.matches != nil && s.matches.Log() != v.log {
			v.refilter() // the history is another one
		}
	}
	if s.matches != nil {
		deadline := clock(nil)().Add(testTime)
		if s.matches.Extend(func() bool { return clock(nil)().After(deadline) }) && !v.working {
			v.working = true
			ctx.After(testPause, func(app.Context) { v.working = false })
		}
	}
	at := s.scroll.At
	s.scroll.Resize(v.count(), s.scroll.RowHeight, s.scroll.View)
	s.placed = s.placed && s.scroll.At == at
	if s.selected != v.View.Selected {
		if s.selected = v.View.Selected; s.selected != 0 {
			s.release(v.count())
			s.reveal = s.selected
		}
	}
	switch known := v.known(); {
	case s.reveal > 0 && known >= s.reveal:
		s.scroll.Reveal(v.place(s.reveal))
		s.reveal, s.placed = 0, false
	case s.following:
		s.scroll.To(math.Inf(1))
	}
	if s.again {
		v.readAgain()
	}
	if s.following || !s.placed {
		ctx.Defer(v.putInPlace)
	}
}

// known is the last event of which it is known whether and where it is listed.
func (v *eventsView) known() contracts.Seq {
	if m := v.state().matches; m != nil {
		return m.Tested()
	}
	return v.View.Run.Log.Last()
}

// count is how many events are listed.
func (v *eventsView) count() int {
	if m := v.state().matches; m != nil {
		return m.Len()
	}
	return int(v.View.Run.Log.Last())
}

// seq is the event at a place of the list, from 0, and place the reverse: an event's place, or where it would be.
func (v *eventsView) seq(place int) contracts.Seq {
	if m := v.state().matches; m != nil {
		return m.Seq(place)
	}
	return contracts.Seq(place + 1)
}

func (v *eventsView) place(seq contracts.Seq) int {
	if m := v.state().matches; m != nil {
		at, _ := m.Index(seq)
		return min(at, max(m.Len()-1, 0))
	}
	return int(seq - 1)
}

// release stops following the end. n is how many events are listed.
func (s *eventsState) release(n int) {
	if s.following {
		s.following, s.seen = false, n
	}
}

// follow goes to the end and stays there.
func (s *eventsState) follow() { s.following, s.placed, s.reveal = true, false, 0 }

// putInPlace scrolls the list's element to where the reader is, once its rows are drawn. Where the reader has scrolled up
// meanwhile, that counts.
func (v *eventsView) putInPlace(ctx app.Context) {
	now, ok := parts.MeasureEventList()
	if !ok {
		return
	}
	if s := v.state(); !v.movedUp(now) {
		s.set = parts.PlaceEventList(s.scroll.At)
		s.scroll.Moved(s.set)
		s.placed = true
		return
	}
	v.scrolled(ctx, now)
	ctx.Update()
}

// movedUp reports whether the reader has left the end that is followed. An element that grew, or lost rows, has moved by itself.
func (v *eventsView) movedUp(now parts.ListPlace) bool {
	s := v.state()
	return s.following && s.placed && now.View == s.scroll.View && now.At < s.set-halfPixel
}

// halfPixel is less than anybody scrolls, and more than a browser rounds by.
const halfPixel = 0.5

// scrolled follows the reader, and takes in how high the list and its rows are.
func (v *eventsView) scrolled(ctx app.Context, now parts.ListPlace) {
	s := v.state()
	first, count, _, _ := s.scroll.Drawn()
	following := s.following
	if now.Row == 0 {
		now.Row = s.scroll.RowHeight // there are no rows
	}
	switch {
	case now.View != s.scroll.View || now.Row != s.scroll.RowHeight:
		s.scroll.Resize(v.count(), now.Row, now.View)
		s.scroll.To(s.scroll.Top)
		s.placed = false
	case !s.placed:
	case v.movedUp(now):
		s.release(v.count())
		s.scroll.Jump(now.At)
		s.set = now.At
	case now.At != s.set && !s.following:
		down := now.At > s.set
		s.placed = !s.scroll.Moved(now.At)
		s.set = now.At
		s.following = down && s.scroll.AtEnd()
	}
	if f, c, _, _ := s.scroll.Drawn(); f == first && c == count && s.placed && s.following == following {
		ctx.PreventUpdate() // the same rows are drawn
	}
}
