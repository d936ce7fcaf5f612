package store

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/feed"
	"axiom25/contracts"
)

// KeyRuns is the state under which the page of all runs finds its Runs.
const KeyRuns = "runs"

// Runs is the list of runs as a page shows it. It is a value: a later state never changes an earlier one.
type Runs struct {
	// Filter says which runs these are.
	Filter RunFilter
	// Loaded says that List was read at least once.
	Loaded bool
	// List is what is known of it, the newest run first.
	List []*contracts.Summary
	// More says that there are older runs.
	More bool
	// Connection is the state of the stream that keeps the list up to date.
	Connection feed.Status
	// Problem is why the server refuses the list, or nil.
	Problem error
	// Kept says that List holds the runs that this browser has kept, since the server could not be asked.
	Kept bool
	// ReadAt is when the server last said something.
	ReadAt time.Time
	// Older says that older runs are being read, and OlderProblem why they could not be, or nil.
	Older        bool
	OlderProblem error
}

// Full reports whether the list is as long as it may become.
func (r Runs) Full() bool { return len(r.List) >= mostRuns }

// newestRuns is how many runs the list begins with, olderRuns how many a page of older ones has, the most that the server
// gives, and mostRuns how many are kept: some 20 MB.
const (
	newestRuns = 200
	olderRuns  = 500
	mostRuns   = 20_000
)

// framesATurn is how many rows are taken in before the page may draw.
const framesATurn = 500

// RunsWatch keeps one page's list up to date.
type RunsWatch struct {
	ctx    goapp.Context
	client command.Client
	feed   *feed.Feed
	runs   Runs
	query  command.RunsQuery
	round  int // counts the filters, so that a late answer to an older one is dropped
	// end is the oldest run that the list is known down to; empty where it is known as a whole.
	end contracts.RunID
	// stale is the run behind which the list has to be read again, since the stream was away; empty where it has not.
	stale contracts.RunID
	// heard is what the stream said while a page was under way, which may be older than that.
	heard  []contracts.Summary
	closed bool
}

// WatchRuns follows the list of the runs that a filter wants by a stream, or by asking again and again where that does not
// open, and publishes it under KeyRuns until Close. ctx is the page's.
func WatchRuns(ctx goapp.Context, client command.Client, f RunFilter) *RunsWatch {
	w := &RunsWatch{ctx: ctx, client: client}
	w.Filter(f)
	w.tick()
	// While the server answers, the browser compiles what will decode that: some 10 ms, which the list would otherwise wait for.
	_ = json.Unmarshal([]byte("{}"), &contracts.RunList{})
	return w
}

// Close ends the watch, which is then deaf and publishes nothing more.
func (w *RunsWatch) Close() {
	w.closed = true
	w.feed.Close()
}

// Retry connects at once where the feed waits to.
func (w *RunsWatch) Retry() { w.feed.Retry() }

// Filter lists other runs.
func (w *RunsWatch) Filter(f RunFilter) {
	if w.feed != nil {
		w.feed.Close()
	}
	w.round++
	w.runs, w.query = Runs{Filter: f}, f.Query(time.Now()) //nolint:forbidigo // the reader's own clock
	w.end, w.stale, w.heard = "", "", nil
	w.publish()
	newest, round := w.query, w.round
	newest.Limit = newestRuns
	w.feed = feed.New(feed.Config{
		URL:    newest.Stream(),
		Notify: func() { w.later(round, w.take) },
		Spread: rand.Float64,
		Open:   feed.Impatient(feed.OpenEventSource),
		Poll: func(_ contracts.Seq, _ bool, h feed.Handlers) feed.Source {
			return feed.PollList(func(ctx context.Context) (json.RawMessage, error) {
				list, err := w.client.RunsAsSent(ctx, newest)
				if err != nil {
					w.later(round, func() { w.missed(err) }) //nolint:contextcheck // what is kept is read whether or not the poll goes on
				}
				return list, err
			}, h)
		},
	})
	w.feed.Connect(0)
}

// later runs do on the goroutine that draws, unless the list is another one by then.
func (w *RunsWatch) later(round int, do func()) {
	w.ctx.Dispatch(func(goapp.Context) {
		if !w.closed && round == w.round {
			do()
		}
	})
}

// take takes in what the stream said, and publishes the result once. What this program cannot read it does not show; the
// next list is whole again.
func (w *RunsWatch) take() {
	frames, more, status := w.feed.Take(framesATurn)
	w.runs.Connection = status
	var rows []contracts.Summary
	for _, frame := range frames {
		var row contracts.Summary
		var list contracts.RunList
		switch {
		case frame.List && json.Unmarshal([]byte(frame.Data), &list) == nil:
			rows = nil // the list is newer
			w.keep(&list)
		case !frame.List && json.Unmarshal([]byte(frame.Data), &row) == nil:
			rows = append(rows, row)
		}
	}
	if len(frames) > 0 {
		w.runs.Problem, w.runs.ReadAt = nil, time.Now() //nolint:forbidigo // the reader's own clock
	}
	if len(rows) > 0 {
		w.runs.List = WithRows(w.runs.List, rows, w.query.States, w.end)
		if w.runs.Older {
			w.heard = append(w.heard, rows...)
		}
	}
	w.publish()
	if more {
		w.later(w.round, w.take)
	}
}

// missed notes why there was no answer. Until there is one the runs that are kept are shown, unless what is looked for is
// more than they can be held against.
func (w *RunsWatch) missed(err error) {
	w.runs.Problem = err
	if _, refused := errors.AsType[*contracts.Problem](err); !refused && !w.runs.Loaded && w.runs.Filter.onlyStates() {
		w.showKept()
	}
}

// keep takes in the newest runs. What is known of older ones is read again: the stream has not told of them.
func (w *RunsWatch) keep(list *contracts.RunList) {
	if w.runs.Kept {
		w.runs.List, w.runs.Loaded, w.runs.Kept = nil, false, false
	}
	known := w.runs.Loaded && len(w.runs.List) > 0 && w.runs.List[len(w.runs.List)-1].RunID < list.Next
	w.runs.List, w.runs.Loaded = WithPage(w.runs.List, "", list), true
	if !known {
		w.stale = ""
		w.reach(list.Next)
		return
	}
	if w.stale == "" || w.runs.Connection.Phase == feed.Live && list.Next > w.stale {
		w.stale = list.Next
	}
	w.read(w.stale)
}

// reach notes down to where the list is known.
func (w *RunsWatch) reach(end contracts.RunID) { w.end, w.runs.More = end, end != "" }

// Older reads the next older runs, unless they are being read.
func (w *RunsWatch) Older() {
	if w.stale != "" {
		w.read(w.stale)
	} else if w.runs.More && !w.runs.Full() {
		w.read(w.end)
	}
}

// read reads a page of runs that are older than from.
func (w *RunsWatch) read(from contracts.RunID) {
	if w.runs.Older {
		return
	}
	w.runs.Older, w.runs.OlderProblem, w.heard = true, nil, nil
	w.publish()
	query, round := w.query, w.round
	query.Before, query.Limit = from, olderRuns
	w.ctx.Async(func() {
		page, err := w.client.Runs(context.Background(), query)
		w.later(round, func() {
			w.runs.Older, w.runs.OlderProblem = false, err
			if err == nil {
				w.lengthen(from, &page)
			}
			w.publish()
		})
	})
}

// lengthen takes in a page of older runs, and reads on as long as what is behind it is stale.
func (w *RunsWatch) lengthen(from contracts.RunID, page *contracts.RunList) {
	w.runs.List = WithPage(w.runs.List, from, page)
	further := page.Next == "" || page.Next <= w.end
	if further {
		w.reach(page.Next)
	}
	switch {
	case from != w.stale:
	case further:
		w.stale = ""
	default:
		w.stale = page.Next
	}
	w.runs.List = WithRows(w.runs.List, w.heard, w.query.States, w.end)
	if w.stale != "" && w.runs.Connection.Phase == feed.Live {
		w.read(w.stale)
	}
}

// tick draws once a second what goes by the clock: ages, and which runs are too old for a filter by age.
func (w *RunsWatch) tick() {
	w.ctx.After(time.Second, func(goapp.Context) {
		if w.closed {
			return
		}
		if ago, ok := w.runs.Filter.Ago(); ok {
			since := contracts.TimeOf(time.Now().Add(-ago)) //nolint:forbidigo // the reader's own clock
			for n := len(w.runs.List); n > 0 && w.runs.List[n-1].CreatedAt < since; n-- {
				w.runs.List = w.runs.List[:n-1]
			}
		}
		if visible() {
			w.publish()
		}
		w.tick()
	})
}

func (w *RunsWatch) publish() { w.ctx.SetState(KeyRuns, w.runs) }
