package pages

import (
	"math"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
)

// eventKeys lists the keys of the view.
func eventKeys() []parts.Key {
	return []parts.Key{
		{Key: "/", Does: "Filter by text"},
		{Key: "j k", Does: "Select the next or the previous event"},
		{Key: "g G", Does: "Go to the first event, or to the end"},
		{Key: "f", Does: "Follow the end, or stay"},
		{Key: "e", Does: "Read the selected event"},
	}
}

// key does what a key stands for.
func (v *eventsView) key(ctx app.Context, key string) bool {
	s, last := v.state(), v.count()-1
	switch key {
	case "/":
		parts.FocusEventSearch()
	case "f":
		v.chooseFollow(ctx, !s.following)
	case "j":
		v.step(ctx, 1)
	case "k":
		v.step(ctx, -1)
	case "g":
		v.choose(ctx, 0)
	case "G":
		v.choose(ctx, last)
		s.selected = v.View.Selected // a choice that does not end following
		s.follow()
	case "e", "Enter":
		if v.View.Selected == 0 {
			v.step(ctx, 1)
		}
		ctx.Defer(func(app.Context) { parts.FocusEventPane() })
	default:
		return false
	}
	return true
}

// listKey does what a key stands for while the list has the focus: there the keys that usually scroll move the selection.
func (v *eventsView) listKey(ctx app.Context, key string) bool {
	switch key {
	case "ArrowDown":
		key = "j"
	case "ArrowUp":
		key = "k"
	case "Home":
		key = "g"
	case "End":
		key = "G"
	case "Enter":
	default:
		return false
	}
	return v.key(ctx, key)
}

// step selects the event after or before the selected one; where none is, the first that is seen, or the last of an end that is
// followed.
func (v *eventsView) step(ctx app.Context, by int) {
	s := v.state()
	switch {
	case v.View.Selected == 0 && s.following:
		v.choose(ctx, v.count()-1)
	case v.View.Selected == 0:
		v.choose(ctx, int(math.Ceil(s.scroll.Top/s.scroll.RowHeight)))
	default:
		at := v.place(v.View.Selected)
		if at < v.count() && v.seq(at) != v.View.Selected && by > 0 {
			by = 0 // the selected event is not listed, and the one at its place comes behind it
		}
		v.choose(ctx, at+by)
	}
}

// choose selects the event at a place of the list, or at its nearer end.
func (v *eventsView) choose(ctx app.Context, place int) {
	if n := v.count(); n > 0 {
		v.View.Select(ctx, v.seq(min(max(place, 0), n-1)))
	}
}
