package pages

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// runScroll keeps a list of runs where its reader left it: it knows which rows can be seen, holds the first of them in its
// place while runs come and go above it, and the focus on the run that had it, though rows are drawn by their places.
type runScroll struct {
	parts.RowWindow

	top    contracts.RunID // the first run that can be seen; empty while the list's top can be
	topRow int             // where it stands
	newest contracts.RunID // the newest run when the list's top could last be seen
	cursor contracts.RunID // the run that has the focus, or had it last

	list    func() []*contracts.Summary
	atEnd   func()
	heard   app.Func
	looking bool
}

const (
	// runRowHeight is a row's height before it was measured.
	runRowHeight = 45
	// headerHeight is what the header covers at the top of the screen.
	headerHeight = 48
	// endsNear is how many rows before its end a list is read on.
	endsNear = 8
)

// open begins to follow the reader's scrolling; atEnd is called when the end of the list comes near.
func (s *runScroll) open(ctx app.Context, list func() []*contracts.Summary, atEnd func()) {
	_, visible := app.Window().Size()
	s.RowWindow = parts.RowWindow{Height: runRowHeight, Visible: visible}
	s.list, s.atEnd = list, atEnd
	s.heard = app.FuncOf(func(app.Value, []app.Value) any {
		if !s.looking {
			s.looking = true
			ctx.Dispatch(s.look)
		}
		return nil
	})
	app.Window().Call("addEventListener", "scroll", s.heard, map[string]any{"passive": true})
}

// close ends that.
func (s *runScroll) close() {
	app.Window().Call("removeEventListener", "scroll", s.heard)
	s.heard.Release()
}

// reset goes to the top of another list.
func (s *runScroll) reset() {
	s.top, s.topRow, s.newest, s.cursor, s.Above = "", 0, "", "", 0
	app.Window().Call("scrollTo", 0, 0)
}

// look finds out what can be seen, and draws it anew where that is something else.
func (s *runScroll) look(ctx app.Context) {
	s.looking = false
	list := s.list()
	from, to := s.Span(len(list))
	fresh := s.news(list)
	s.measure()
	if nowFrom, nowTo := s.Span(len(list)); nowFrom == from && nowTo == to && fresh == s.news(list) {
		ctx.PreventUpdate()
	} else {
		ctx.Defer(s.refocus)
	}
	if (s.Above+s.Visible)/max(s.Height, 1)+endsNear >= len(list) {
		s.atEnd()
	}
}

// measure reads the page.
func (s *runScroll) measure() {
	element := app.Window().GetElementByID("runs")
	list := s.list()
	if !element.Truthy() || len(list) == 0 {
		s.top, s.Above = "", 0
		return
	}
	_, s.Visible = app.Window().Size()
	if row := element.Call("querySelector", ".run-item"); row.Truthy() {
		s.Height = row.Get("offsetHeight").Int()
	}
	s.Above = -element.Call("getBoundingClientRect").Get("top").Int()
	s.topRow = min(s.First(), len(list)-1)
	s.top = list[s.topRow].RunID
	if s.Above <= 0 {
		s.top, s.newest = "", list[0].RunID
	}
}

// changed holds the first run that can be seen in its place when the list has become another.
func (s *runScroll) changed(ctx app.Context, list []*contracts.Summary) {
	if s.top != "" {
		row, _ := store.RunIndex(list, s.top)
		if by := (row - s.topRow) * s.Height; by != 0 {
			s.Above, s.topRow = s.Above+by, row
			ctx.Defer(func(app.Context) { app.Window().Call("scrollBy", 0, by) })
		}
	}
	ctx.Defer(s.refocus)
	if !s.looking {
		s.looking = true
		ctx.Defer(func(ctx app.Context) { ctx.Dispatch(s.look) })
	}
}

// news counts the runs that came since the list's top could last be seen.
func (s *runScroll) news(list []*contracts.Summary) int {
	if s.top == "" || s.newest == "" {
		return 0
	}
	n, _ := store.RunIndex(list, s.newest)
	return n
}

// focused notes which run has the focus.
func (s *runScroll) focused(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	if id := e.Get("target").Get("id").String(); strings.HasPrefix(id, "run_") {
		s.cursor = contracts.RunID(id)
	}
}

// refocus gives the focus to the run that had it, where another one is drawn in its element by now.
func (s *runScroll) refocus(app.Context) {
	active := app.Window().Get("document").Get("activeElement")
	if !active.Truthy() || !strings.HasPrefix(active.Get("id").String(), "run_") || active.Get("id").String() == s.cursor.String() {
		return
	}
	if row := app.Window().GetElementByID(s.cursor.String()); row.Truthy() {
		row.Call("focus", map[string]any{"preventScroll": true})
	} else {
		active.Call("blur")
	}
}

// move gives the focus to the next run, or to the one before where by is negative; at first to the first that can be seen.
func (s *runScroll) move(ctx app.Context, by int) {
	list := s.list()
	if len(list) == 0 {
		return
	}
	row, listed := store.RunIndex(list, s.cursor)
	switch {
	case s.cursor == "":
		row = s.topRow
	case listed:
		row += by
	case by < 0:
		row--
	}
	row = min(max(row, 0), len(list)-1)
	s.cursor = list[row].RunID
	if by := s.Reveal(row, headerHeight); by != 0 {
		app.Window().Call("scrollBy", 0, by)
		s.measure()
	}
	ctx.Defer(func(app.Context) {
		if row := app.Window().GetElementByID(s.cursor.String()); row.Truthy() {
			row.Call("focus", map[string]any{"preventScroll": true})
		}
	})
}
