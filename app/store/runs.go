package store

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/feed"
	"axiom25/contracts"
)

// KeyRuns is the state under which the page of all runs finds its Runs.
const KeyRuns = "runs"

// pollEvery is how often the list is read while its page is visible and no stream tells of it; every streamTries-th time
// the stream is tried again.
const (
	pollEvery   = 2 * time.Second
	streamTries = 15
)

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
	// Kept says that List holds the runs that this browser has kept, since the server could not be asked.
	Kept bool
	// ReadAt is when List was read.
	ReadAt time.Time
	// Live says that List changes as the runs do; otherwise it is read again and again.
	Live bool
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

	stream feed.Source // nil while none is open
	ticks  int         // since a stream was opened
	news   []news      // what the stream said and was not taken in yet
	newsMu sync.Mutex
}

// WatchRuns follows the list by a stream, or reads it every two seconds where that does not open and the page is visible,
// and publishes it under KeyRuns until Close. ctx is the page's.
func WatchRuns(ctx goapp.Context, client command.Client) *RunsWatch {
	w := &RunsWatch{ctx: ctx, client: client, query: command.RunsQuery{Limit: listLimit}}
	w.publish()
	w.open()
	w.tick()
	return w
}

// Close ends the watch.
func (w *RunsWatch) Close() {
	w.closed = true
	w.hangUp()
}

// hangUp closes the stream.
func (w *RunsWatch) hangUp() {
	w.runs.Live = false
	if w.stream != nil {
		w.stream.Close()
		w.stream = nil
	}
}

// open follows the list that is wanted. What an earlier stream still says is not heard.
func (w *RunsWatch) open() {
	w.hangUp()
	w.round++
	w.asking, w.ticks = false, 0
	round := w.round
	hear := func(kind newsKind) func(string) {
		return func(data string) { w.hear(news{round, kind, data}) }
	}
	w.stream = feed.OpenEventSource(w.query.Stream(), feed.Handlers{
		Open:    func() {},
		Reset:   func() {},
		List:    hear(newsList),
		Message: hear(newsRow),
		Lost: func(final bool) {
			kind := newsLost
			if final {
				kind = newsEnd
			}
			w.hear(news{round: round, kind: kind})
		},
	})
}

// news is something that a stream said.
type news struct {
	round int
	kind  newsKind
	data  string
}

type newsKind int

const (
	newsList newsKind = iota // the whole list
	newsRow                  // a row that has changed
	newsLost                 // the connection, which the browser makes anew
	newsEnd                  // the connection for good
)

// hear keeps news for the goroutine that draws. At most one Dispatch is outstanding.
func (w *RunsWatch) hear(n news) {
	w.newsMu.Lock()
	defer w.newsMu.Unlock()
	w.news = append(w.news, n)
	if len(w.news) == 1 {
		w.ctx.Dispatch(w.listen)
	}
}

// listen takes in what the stream said, and publishes the result once.
func (w *RunsWatch) listen(goapp.Context) {
	w.newsMu.Lock()
	all := w.news
	w.news = nil
	w.newsMu.Unlock()
	if w.closed {
		return
	}
	for i := range all {
		if all[i].round == w.round {
			w.learn(&all[i])
		}
	}
	w.publish()
}

// learn takes in one thing. What this program cannot read it does not show; the next list is whole again.
func (w *RunsWatch) learn(n *news) {
	switch n.kind {
	case newsList:
		var list contracts.RunList
		if json.Unmarshal([]byte(n.data), &list) == nil {
			w.runs.Live = true
			w.keep(list)
		}
	case newsRow:
		var row contracts.Summary
		if json.Unmarshal([]byte(n.data), &row) == nil {
			w.runs.List = WithRow(w.runs.List, &row, w.query.States, w.runs.More)
			w.runs.ReadAt = time.Now() //nolint:forbidigo // the reader's own clock
		}
	case newsLost:
		w.runs.Live = false
	case newsEnd:
		w.hangUp()
		w.Ask()
	}
}

// WithRow returns a list, which is not changed, with a run's row in its place: the newest run first, without runs in states
// that are not wanted. full says that the list ends where it does because it is long enough. It is a plain loop since the
// generic functions would each bring their own copy for this large type.
func WithRow(list []contracts.Summary, row *contracts.Summary, states []contracts.State, full bool) []contracts.Summary {
	placed := len(states) > 0
	for _, s := range states {
		placed = placed && s != row.State
	}
	changed := make([]contracts.Summary, 0, len(list)+1)
	for i := range list {
		if list[i].RunID == row.RunID && list[i].LastSeq > row.LastSeq {
			return list
		}
		if !placed && list[i].RunID <= row.RunID {
			changed, placed = append(changed, *row), true
		}
		if list[i].RunID != row.RunID {
			changed = append(changed, list[i])
		}
	}
	if !placed && !full {
		changed = append(changed, *row)
	}
	return changed[:min(len(changed), listLimit)]
}

// Filter lists runs in these states only; all where there are none.
func (w *RunsWatch) Filter(states []contracts.State) {
	w.query.States = states
	w.runs = Runs{}
	w.publish()
	w.open()
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
		w.keep(list)
	} else if !w.runs.Loaded {
		w.showKept()
	}
	w.publish()
}

func (w *RunsWatch) keep(list contracts.RunList) {
	w.runs.Kept = false
	w.runs.Loaded, w.runs.List, w.runs.More, w.runs.Problem = true, list.Runs, list.Next != "", nil
	w.runs.ReadAt = time.Now() //nolint:forbidigo // the reader's own clock, for "read 3 s ago"
}

// tick asks again and again while no stream is open; a page that nobody sees is left as it is.
func (w *RunsWatch) tick() {
	w.ctx.After(pollEvery, func(goapp.Context) {
		if w.closed {
			return
		}
		w.ticks++
		switch {
		case w.runs.Live || !visible():
		case w.stream == nil && w.ticks >= streamTries:
			w.open()
		default:
			w.Ask()
		}
		w.tick()
	})
}

func (w *RunsWatch) publish() { w.ctx.SetState(KeyRuns, w.runs) }
