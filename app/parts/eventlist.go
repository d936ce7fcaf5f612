package parts

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// EventRow is one event of an EventList.
type EventRow struct {
	// Seq is the event's position, and Place its place among those that are listed, from 1.
	Seq   contracts.Seq
	Place int
	// Since is the time from the run's start in words, and At the exact time in UTC.
	Since, At string
	Type      contracts.EventType
	Branch    contracts.Branch
	// Gist says what the event brings.
	Gist string
	// Tone is what is to be seen of the event at a glance.
	Tone EventTone
}

// EventTone is what is to be seen of an event at a glance.
type EventTone string

// The tones of events. EventBad went wrong, EventAsks waits for a human or warns, EventGone has no text here, and EventLater lies
// behind the moment that is shown.
const (
	EventPlain EventTone = ""
	EventBad   EventTone = "bad"
	EventAsks  EventTone = "asks"
	EventGone  EventTone = "gone"
	EventLater EventTone = "later"
)

// EventList draws some rows of a long list of events, with room for the rest before and after them. For assistive technology it
// is a grid whose active row is the selected event: one stop for the tab key, however many events there are, and each row
// says which of how many it is. Every row is a link to its event.
type EventList struct {
	app.Compo

	// Page is the path of the run's page, to which the links lead.
	Page string
	// Rows are those that are drawn, Total counts all, and Before and After are the heights in pixels of those that are not.
	Rows          []EventRow
	Total         int
	Before, After float64
	// Flat says that all events are of one branch, which then needs no column.
	Flat bool
	// Selected is the event that the reader looks at; 0 for none.
	Selected contracts.Seq
	// OnScroll is called when the list was scrolled, or has to be measured.
	OnScroll func(ctx app.Context, place ListPlace)
	// OnSelect is called with an event that was clicked.
	OnSelect func(ctx app.Context, seq contracts.Seq)
	// OnKey is called with a key that was pressed within the list, and reports whether it was taken.
	OnKey func(ctx app.Context, key string) bool
}

// ListPlace is where the list's element stands, in pixels: At from its beginning, with View of it seen below the heads of the
// columns, and rows of the height Row.
type ListPlace struct{ At, View, Row float64 }

const eventListID = "event-list"

// PlaceEventList scrolls the list and returns where it stands then.
func PlaceEventList(at float64) float64 {
	list := app.Window().GetElementByID(eventListID)
	if !list.Truthy() {
		return at
	}
	list.Set("scrollTop", at)
	return list.Get("scrollTop").Float()
}

// FocusEventList puts the focus on the list.
func FocusEventList() {
	if list := app.Window().GetElementByID(eventListID); list.Truthy() {
		list.Call("focus", map[string]any{"preventScroll": true})
	}
}

// MeasureEventList returns where the list stands. ok is false where it is not there.
func MeasureEventList() (place ListPlace, ok bool) {
	list := app.Window().GetElementByID(eventListID)
	if !list.Truthy() {
		return ListPlace{}, false
	}
	head := list.Call("querySelector", ".event-head").Get("offsetHeight").Float()
	place = ListPlace{At: list.Get("scrollTop").Float(), View: list.Get("clientHeight").Float() - head, Row: 0}
	if row := list.Call("querySelector", "[data-seq]"); row.Truthy() {
		place.Row = row.Get("offsetHeight").Float()
	}
	return place, true
}

// OnMount implements app.Mounter.
func (l *EventList) OnMount(ctx app.Context) { l.scrolled(ctx, app.Event{}) }

// OnResize implements app.Resizer.
func (l *EventList) OnResize(ctx app.Context) { l.scrolled(ctx, app.Event{}) }

// Render implements app.Composer.
func (l *EventList) Render() app.UI {
	rows := make([]app.UI, 0, len(l.Rows))
	active := ""
	for i := range l.Rows {
		if l.Rows[i].Seq == l.Selected {
			active = rowID(l.Selected)
		}
		rows = append(rows, l.row(&l.Rows[i]))
	}
	list := app.Div().Class("event-list").ID(eventListID).Role("grid").Aria("label", "Events").TabIndex(0).
		Aria("rowcount", l.Total+1).Aria("colcount", 5).
		OnScroll(l.scrolled, app.PassiveEvent()).OnClick(l.clicked).OnKeyDown(l.pressed)
	if l.Flat {
		list = list.Class("event-flat")
	}
	if active != "" {
		list = list.Aria("activedescendant", active)
	}
	return list.Body(
		app.Div().Class("event-row", "event-head").Role("row").Aria("rowindex", 1).Body(
			app.Span().Class("event-seq").Role("columnheader").Text("seq"),
			app.Span().Class("event-time").Role("columnheader").Text("+time"),
			app.Span().Class("event-type").Role("columnheader").Text("type"),
			app.Span().Class("event-branch").Role("columnheader").Text("branch"),
			app.Span().Class("event-gist").Role("columnheader").Text("gist"),
		),
		room(l.Before),
		app.Div().Class("event-rows").Role("rowgroup").Body(rows...),
		room(l.After),
	)
}

// room is an empty drawing of a height: an element whose height is an attribute, for the sake of the page's policy that allows
// no style in the markup.
func room(height float64) app.UI {
	return app.Elem("svg").XMLNS(svgNamespace).Class("event-room").
		Attr("width", "1").Attr("height", strconv.FormatFloat(height, 'f', -1, 64)).Aria("hidden", "true")
}

func rowID(seq contracts.Seq) string { return "event-" + strconv.FormatInt(int64(seq), 10) }

func (l *EventList) row(r *EventRow) app.UI {
	seq := strconv.FormatInt(int64(r.Seq), 10)
	row := app.Div().Class("event-row").ID(rowID(r.Seq)).Role("row").Aria("rowindex", r.Place+1).
		Aria("selected", strconv.FormatBool(r.Seq == l.Selected)).DataSet("seq", seq)
	if r.Tone != EventPlain {
		row = row.Class("event-" + string(r.Tone))
	}
	branch := string(r.Branch)
	return row.Body(
		app.Span().Class("event-seq").Role("gridcell").Body(
			app.A().Class("event-link").TabIndex(-1).Href(l.Page+"#e"+seq).Text(seq)),
		app.Span().Class("event-time").Role("gridcell").Title(r.At).Text(r.Since),
		app.Span().Class("event-type").Role("gridcell").Text(string(r.Type)),
		app.Span().Class("event-branch").Role("gridcell").Title(branch).Text(branch),
		app.Span().Class("event-gist").Role("gridcell").Text(r.Gist),
	)
}

func (l *EventList) scrolled(ctx app.Context, _ app.Event) {
	if place, ok := MeasureEventList(); ok && l.OnScroll != nil {
		l.OnScroll(ctx, place)
	}
}

// clicked selects the event of a row. A click that the browser opens elsewhere is left to it.
func (l *EventList) clicked(ctx app.Context, event app.Event) {
	for _, modifier := range [...]string{"ctrlKey", "metaKey", "shiftKey", "altKey"} {
		if event.Get(modifier).Bool() {
			return
		}
	}
	row := event.Get("target").Call("closest", "[data-seq]")
	if !row.Truthy() {
		return
	}
	event.PreventDefault()
	event.StopImmediatePropagation() // go-app would navigate, and leave a step in the history for every event
	FocusEventList()
	if seq, err := strconv.ParseInt(row.Get("dataset").Get("seq").String(), 10, 64); err == nil && l.OnSelect != nil {
		l.OnSelect(ctx, contracts.Seq(seq))
	}
}

func (l *EventList) pressed(ctx app.Context, event app.Event) {
	for _, modifier := range [...]string{"ctrlKey", "metaKey", "altKey"} {
		if event.Get(modifier).Bool() {
			return
		}
	}
	if l.OnKey != nil && l.OnKey(ctx, event.Get("key").String()) {
		event.PreventDefault() // and the page, which listens too, leaves it alone
	}
}
