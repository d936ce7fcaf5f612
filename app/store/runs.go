package store

import (
	"context"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/contracts"
)

// KeyRuns is the state under which the page of all runs finds its Runs.
const KeyRuns = "runs"

// pollEvery is how often the list is read while its page is visible.
const pollEvery = 2 * time.Second

// Runs is the list of runs as a page shows it.
type Runs struct {
	// Loaded says that List was read at least once.
	Loaded bool
	// List is the last that was read, the newest run first.
	List []contracts.Summary
	// More says that there are older runs.
	More bool
	// Problem is why the last reading failed, or nil; List is then older than ReadAt plus the poll interval.
	Problem error
	// ReadAt is when List was read.
	ReadAt time.Time
}

// listLimit is how many runs the list shows.
const listLimit = 200

// RunsWatch keeps one page's list up to date.
type RunsWatch struct {
	ctx    goapp.Context
	client command.Client
	runs   Runs
	query  command.RunsQuery
	round  int // counts the queries, so that a late answer to an older one is dropped
	asking bool
	closed bool
}

// WatchRuns reads the list, and again every two seconds while the page is visible, and publishes it under
// KeyRuns until Close. ctx is the page's.
func WatchRuns(ctx goapp.Context, client command.Client) *RunsWatch {
	w := &RunsWatch{ctx: ctx, client: client, query: command.RunsQuery{Limit: listLimit}}
	w.publish()
	w.Ask()
	w.tick()
	return w
}

// Close ends the watch.
func (w *RunsWatch) Close() { w.closed = true }

// Filter lists runs in these states only; all where there are none.
func (w *RunsWatch) Filter(states []contracts.State) {
	w.query.States = states
	w.runs = Runs{}
	w.round++
	w.asking = false
	w.publish()
	w.Ask()
}

// Ask reads the list now, unless it is being read.
func (w *RunsWatch) Ask() {
	if w.asking {
		return
	}
	w.asking = true
	round, query := w.round, w.query
	w.ctx.Async(func() {
		list, err := w.client.Runs(context.Background(), query)
		w.ctx.Dispatch(func(goapp.Context) {
			if !w.closed && round == w.round {
				w.asking = false
				w.take(list, err)
			}
		})
	})
}

func (w *RunsWatch) take(list contracts.RunList, err error) {
	w.runs.Problem = err
	if err == nil {
		w.runs.Loaded, w.runs.List, w.runs.More = true, list.Runs, list.Next != ""
		w.runs.ReadAt = time.Now() //nolint:forbidigo // the reader's own clock, for "read 3 s ago"
	}
	w.publish()
}

// tick asks again and again; a page that nobody sees is left as it is.
func (w *RunsWatch) tick() {
	w.ctx.After(pollEvery, func(goapp.Context) {
		if w.closed {
			return
		}
		if visible() {
			w.Ask()
		}
		w.tick()
	})
}

// visible reports whether the page can be seen.
func visible() bool {
	return goapp.Window().Get("document").Get("visibilityState").String() != "hidden"
}

func (w *RunsWatch) publish() { w.ctx.SetState(KeyRuns, w.runs) }
