package parts

import (
	"slices"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// EventFilter is the bar above a list of events: what is listed, and whether the list follows the end.
type EventFilter struct {
	app.Compo

	// Types are the chosen types; all where empty.
	Types []contracts.EventType
	// Branches are offered in their order where there are several; Branch is the chosen one where OneBranch is set, and the root
	// is empty.
	Branches  []contracts.Branch
	Branch    contracts.Branch
	OneBranch bool
	// Search is what the field holds when it is first drawn, Expression that it is always read as one, and Problem what is
	// wrong with it.
	Search     string
	Expression bool
	Problem    string
	// Words say how much is listed.
	Words string
	// Following says that the list follows the end.
	Following bool
	// OnTypes, OnBranch, OnSearch, OnExpression and OnFollow are called with the reader's choice.
	OnTypes      func(ctx app.Context, types []contracts.EventType)
	OnBranch     func(ctx app.Context, branch contracts.Branch, one bool)
	OnSearch     func(ctx app.Context, search string)
	OnExpression func(ctx app.Context, expression bool)
	OnFollow     func(ctx app.Context, follow bool)
}

const eventSearchID = "event-search"

// FocusEventSearch puts the focus into the field.
func FocusEventSearch() {
	if field := app.Window().GetElementByID(eventSearchID); field.Truthy() {
		field.Call("focus")
		field.Call("select")
	}
}

// eventTypes are the types in the order in which a run brings them.
var eventTypes = [...]contracts.EventType{ //nolint:gochecknoglobals // a table that is only read
	contracts.EventStatus, contracts.EventThought, contracts.EventToken, contracts.EventToolStart, contracts.EventApproval,
	contracts.EventToolEnd, contracts.EventBudget, contracts.EventVerdict, contracts.EventError, contracts.EventDone,
}

// Render implements app.Composer.
func (f *EventFilter) Render() app.UI {
	search := app.Input().Class("event-search").ID(eventSearchID).Type("search").Aria("label", "Text or /expression/").
		Placeholder("Text or /expression/").Title("Looks into the JSON of the events. Text is found whatever its case; an expression (RE2) ends in /i for that.").
		AutoComplete(false).Spellcheck(false).Value(f.Search).OnInput(f.searched).OnKeyDown(f.pressed)
	if f.Problem != "" {
		search = search.Aria("invalid", "true").Aria("describedby", "event-problem")
	}
	return app.Div().Class("event-filter").Role("search").Aria("label", "Events").Body(
		f.types(),
		f.branches(),
		app.Div().Class("event-search-box").Body(
			search,
			toggle(".*", "Read the text as an expression (RE2)", f.Expression).OnClick(f.switchExpression),
		),
		app.Span().Class("event-count").Role("status").Text(f.Words),
		toggle("Follow", "Follow the end (f)", f.Following).OnClick(f.switchFollow),
		app.P().Class("field-error").ID("event-problem").Role("alert").Text(f.Problem),
	)
}

// toggle is a button that is on or off.
func toggle(label, title string, on bool) app.HTMLButton {
	return app.Button().Class("button", "toggle").Type("button").Title(title).Aria("pressed", strconv.FormatBool(on)).Text(label)
}

func (f *EventFilter) types() app.UI {
	boxes := make([]app.UI, 0, len(eventTypes))
	label := "All types"
	for _, t := range eventTypes {
		chosen := f.has(t)
		if chosen {
			label = string(t)
		}
		boxes = append(boxes, app.Li().Body(app.Label().Class("menu-item").Body(
			app.Input().Type("checkbox").Checked(chosen).DataSet("type", string(t)).OnChange(f.switchType),
			app.Text(" "+string(t)),
		)))
	}
	if len(f.Types) > 1 {
		label = strconv.Itoa(len(f.Types)) + " types"
	}
	return app.Div().Class("menu").Body(
		app.Button().Class("button").Type("button").Aria("label", "Types: "+label).Attr("popovertarget", "event-types").Text(label+" ▾"),
		app.Ul().Class("menu-list").ID("event-types").Attr("popover", "auto").Aria("label", "Types").Body(boxes...),
	)
}

func (f *EventFilter) branches() app.UI {
	if len(f.Branches) < 2 && !f.OneBranch {
		return app.Div().Hidden(true)
	}
	options := make([]app.UI, 0, len(f.Branches)+1)
	options = append(options, app.Option().Value("-").Text("All branches").Selected(!f.OneBranch))
	for i, b := range f.Branches {
		name := string(b)
		if b == "" {
			name = "root"
		}
		options = append(options, app.Option().Value(strconv.Itoa(i)).Text(name).Selected(f.OneBranch && b == f.Branch))
	}
	return app.Select().Class("select").Aria("label", "Branch").OnChange(f.choseBranch).Body(options...)
}

func (f *EventFilter) has(t contracts.EventType) bool { return slices.Contains(f.Types, t) }

// switchType takes what the boxes say: what was drawn last may lack a choice that was made a moment ago.
func (f *EventFilter) switchType(ctx app.Context, _ app.Event) {
	var types []contracts.EventType
	boxes := ctx.JSSrc().Call("closest", "ul").Call("querySelectorAll", ":checked")
	for i := range boxes.Length() {
		types = append(types, contracts.EventType(boxes.Index(i).Get("dataset").Get("type").String()))
	}
	if f.OnTypes != nil {
		f.OnTypes(ctx, types)
	}
}

func (f *EventFilter) choseBranch(ctx app.Context, _ app.Event) {
	if f.OnBranch == nil {
		return
	}
	i, err := strconv.Atoi(ctx.JSSrc().Get("value").String())
	if err != nil || i >= len(f.Branches) {
		f.OnBranch(ctx, "", false)
		return
	}
	f.OnBranch(ctx, f.Branches[i], true)
}

func (f *EventFilter) searched(ctx app.Context, _ app.Event) {
	if f.OnSearch != nil {
		f.OnSearch(ctx, ctx.JSSrc().Get("value").String())
	}
}

// pressed leaves the field for the list by Enter, and by Esc where there is nothing to clear, which not every browser does by
// itself.
func (f *EventFilter) pressed(ctx app.Context, event app.Event) {
	key, field := event.Get("key").String(), ctx.JSSrc()
	if event.Get("isComposing").Bool() || key != "Enter" && key != "Escape" {
		return
	}
	event.PreventDefault()
	if key == "Escape" && field.Get("value").String() != "" {
		field.Set("value", "")
		f.searched(ctx, event)
		return
	}
	FocusEventList()
}

func (f *EventFilter) switchExpression(ctx app.Context, _ app.Event) {
	if f.OnExpression != nil {
		f.OnExpression(ctx, !f.Expression)
	}
}

func (f *EventFilter) switchFollow(ctx app.Context, _ app.Event) {
	if f.OnFollow != nil {
		f.OnFollow(ctx, !f.Following)
	}
}
