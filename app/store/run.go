package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/feed"
	"axiom25/contracts"
)

// KeyRun is the state under which the page of one run finds its Run.
const KeyRun = "run"

// Run is a run as a page shows it. It is a value: a later state never changes an earlier one.
type Run struct {
	// ID is the run's; empty before one was opened.
	ID contracts.RunID
	// Goal, PassAt and RefuseBelow are the task's: they are not in the stream. The thresholds are 0 where the
	// task names no checks, and until it was read.
	Goal                string
	PassAt, RefuseBelow float64
	// Task is the task as the server shows it; nil until it was read.
	Task []byte
	// Fold is the run at the moment that is shown, and Head all that the stream said so far. They are the same until the
	// reader goes back.
	Fold, Head Fold
	// Past is the event that the reader has gone back to; 0 while the newest is shown. Seeking says that Fold is not there
	// yet, and Lost why it does not get there.
	Past    contracts.Seq
	Seeking bool
	Lost    error
	// Log is the events themselves, which grow as the run does; nil before the run was opened.
	Log *Log
	// Schemas are what the arguments of the tools that wait for a human have to be, by the tools' digests, as far as they are known.
	Schemas map[contracts.Digest]*contracts.Schema
	// Connection is the state of the stream, and Offline says that the browser has no network.
	Connection feed.Status
	Offline    bool
	// KeptAt is when what is shown was kept in this browser, where the server has not been reached since the run was opened; 0
	// otherwise.
	KeptAt contracts.Time
	// Behind counts the events that are known to be and were not folded yet.
	Behind int
	// Problem is why the run cannot be shown, or nil.
	Problem error
	// Sending names the command under way: cancel or an approval's id; empty where none is. AgainAt is when it is sent
	// again, where the server was too busy for it. Sent names the last one, which Refused is about.
	Sending, Sent string
	AgainAt       time.Time
	// Exporting says that the events are being collected for a file.
	Exporting bool
	// Again is the reading of events whose texts the log has let go of.
	Again Again
	// Refused is why the last command was refused, or nil.
	Refused error
}

// Loading reports whether nothing is known yet.
func (r Run) Loading() bool { return r.Head.LastSeq == 0 && r.Problem == nil }

// RunWatch keeps one page's run up to date.
type RunWatch struct {
	ctx    goapp.Context
	client command.Client
	feed   *feed.Feed
	folder Folder
	log    *Log
	run    Run
	// asked says that the task was asked for since the connection was last lost, and asking that the answer is due.
	asked, asking bool
	// looked says that the tools' definitions were asked for.
	looked bool
	// resting says that something was folded a moment ago, and rung that more has come since.
	resting, rung bool
	closed        bool
	stops         []func() // of what listens to the browser

	keeper  *Keeper
	keeping bool           // the keeper is at work
	apart   bool           // the server was not reached since it was last heard of
	keptAt  contracts.Time // when the newest of what was found in this browser was kept; 0 where nothing was

	checks Checkpoints
	past   Past
	going  bool // Past is on its way, in slices
	older  pastPage

	meter   Meter
	last    atomic.Int64   // the last event that the server is known to have
	stood   contracts.Time // when the stream last began to stand, by the browser's clock
	pace    Pace
	pacedAt contracts.Time
	probes  int
	probing bool
}

// WatchRun opens the stream of a run and publishes it under KeyRun until Close. ctx is the page's.
func WatchRun(ctx goapp.Context, client command.Client, id contracts.RunID) *RunWatch {
	log := &Log{}
	w := &RunWatch{ctx: ctx, log: log, run: Run{ID: id, Log: log, Offline: !online()}}
	w.client = command.Client{Fetch: w.dated(w.keptTask(client.Fetch))}
	w.publish()
	w.feed = feed.New(feed.Config{
		URL:    contracts.LinksOf(id).Stream,
		Notify: func() { ctx.Dispatch(w.ring) },
		Spread: rand.Float64,
		Poll: func(after contracts.Seq, briefly bool, h feed.Handlers) feed.Source {
			ask := w.client.Events
			if briefly {
				ask = w.client.History
			}
			return feed.Poll(func(ctx context.Context, after contracts.Seq) (feed.Page, error) {
				page, err := ask(ctx, id, after)
				w.last.Store(int64(page.Last))
				return page, err
			}, after, h)
		},
	})
	w.listen()
	w.openKept()
	w.askTask()
	w.askLast()
	return w
}

// listen follows whether there is a network.
func (w *RunWatch) listen() {
	window := goapp.Window()
	w.stops = []func(){
		Listen(w.ctx, window, "online", func(goapp.Context, goapp.Event) {
			w.run.Offline = false
			w.publish()
			w.feed.Retry()
		}),
		Listen(w.ctx, window, "offline", func(goapp.Context, goapp.Event) {
			w.run.Offline = true
			w.publish()
		}),
	}
}

// Close ends the stream. The watch is then deaf and publishes nothing more.
func (w *RunWatch) Close() {
	w.closed = true
	w.feed.Close()
	for _, stop := range w.stops {
		stop()
	}
}

// askTask asks once for what is not in the stream, and so finds out why a stream does not open: an EventSource
// does not say.
func (w *RunWatch) askTask() {
	if w.asked || w.asking {
		return
	}
	w.asked, w.asking = true, true
	w.ctx.Async(func() {
		task, err := w.client.Task(context.Background(), w.run.ID)
		w.later(func() { w.know(task, err) })
	})
}

// know takes in the task. A run that the server refuses to show is given up; one that could not be asked for is
// not.
func (w *RunWatch) know(task command.TaskHead, err error) {
	problem, refused := errors.AsType[*contracts.Problem](err)
	wait, busy := command.RetryAfter(err)
	w.asking = false
	switch {
	case err == nil:
		w.run.Goal, w.run.PassAt, w.run.RefuseBelow, w.run.Task = task.Goal, task.PassAt, task.RefuseBelow, task.Document
	case busy:
		w.feed.StayAway(wait)
		w.after(max(wait, time.Second).Milliseconds(), func() {
			if w.asked = false; w.run.Goal == "" {
				w.askTask()
			}
		})
	case errors.Is(err, command.ErrUnreachable):
		w.unreached()
	case refused && problem.Status < 500:
		w.run.Problem = problem
		w.feed.Close()
	}
	w.publish()
}

// askLast asks how far the run is, for "catching up".
func (w *RunWatch) askLast() {
	if w.run.Head.Done != nil {
		return
	}
	w.ctx.Async(func() {
		if last, err := w.client.Last(context.Background(), w.run.ID); err == nil {
			w.last.Store(int64(last))
		}
	})
}

// later runs do on the goroutine that draws, unless the watch was closed meanwhile.
func (w *RunWatch) later(do func()) {
	w.ctx.Dispatch(func(goapp.Context) {
		if !w.closed {
			do()
		}
	})
}

// after runs do on the goroutine that draws after a pause in milliseconds, unless the watch was closed meanwhile. The pause is
// the browser's own timer: one of Go's ends while the browser still hands over a heap of events, and then nothing is drawn,
// and nobody answered, before the last.
func (w *RunWatch) after(pause int64, do func()) {
	var ended goapp.Func
	ended = goapp.FuncOf(func(goapp.Value, []goapp.Value) any {
		ended.Release()
		w.later(do)
		return nil
	})
	goapp.Window().Call("setTimeout", ended, pause)
}

func (w *RunWatch) publish() { w.ctx.SetState(KeyRun, w.run) }

// now is the browser's clock.
func now() contracts.Time {
	return contracts.TimeOf(time.Now()) //nolint:forbidigo // the one place where a watch reads it
}
