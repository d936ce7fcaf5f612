package store

import (
	"context"
	"errors"
	"math/rand/v2"

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
	// Fold is what the stream said so far.
	Fold Fold
	// Log is the events themselves, which grow as the run does; nil before the run was opened.
	Log *Log
	// Connection is the state of the stream.
	Connection feed.Status
	// Problem is why the run cannot be shown, or nil.
	Problem error
	// Sending names the command under way: cancel or an approval's id; empty where none is.
	Sending string
	// Exporting says that the events are being collected for a file.
	Exporting bool
	// Refused is why the last command was refused, or nil.
	Refused error
}

// Loading reports whether nothing is known yet.
func (r Run) Loading() bool { return r.Fold.LastSeq == 0 && r.Problem == nil }

// foldsATurn is how many frames are folded before the page may draw and answer its reader again, and foldEvery the
// least time in milliseconds between two turns, a frame of the screen: what comes faster is folded and drawn together.
const (
	foldsATurn = 500
	foldEvery  = 16
)

// RunWatch keeps one page's run up to date.
type RunWatch struct {
	ctx    goapp.Context
	client command.Client
	feed   *feed.Feed
	folder Folder
	log    *Log
	run    Run
	asked  bool // the task was asked for since the connection was last lost
	// resting says that something was folded a moment ago, and rung that more has come since.
	resting, rung bool
	closed        bool
}

// WatchRun opens the stream of a run and publishes it under KeyRun until Close. ctx is the page's.
func WatchRun(ctx goapp.Context, client command.Client, id contracts.RunID) *RunWatch {
	log := &Log{}
	w := &RunWatch{ctx: ctx, client: client, log: log, run: Run{ID: id, Log: log}}
	w.publish()
	w.feed = feed.New(feed.Config{
		URL:    contracts.LinksOf(id).Stream,
		Notify: func() { ctx.Dispatch(func(goapp.Context) { w.ring() }) },
		Spread: rand.Float64,
		Poll: func(after contracts.Seq, h feed.Handlers) feed.Source {
			return feed.Poll(func(ctx context.Context, after contracts.Seq) (feed.Page, error) {
				return client.Events(ctx, id, after)
			}, after, h)
		},
	})
	w.feed.Connect(0)
	w.askTask()
	return w
}

// Close ends the stream. The watch is then deaf and publishes nothing more.
func (w *RunWatch) Close() {
	w.closed = true
	w.feed.Close()
}

// Retry connects at once where the feed waits to.
func (w *RunWatch) Retry() { w.feed.Retry() }

// Cancel asks the server to end the run.
func (w *RunWatch) Cancel() {
	w.send("cancel", func(ctx context.Context) error { return w.client.Cancel(ctx, w.run.ID) })
}

// Decide answers a call that waits for a human.
func (w *RunWatch) Decide(id contracts.ApprovalID, d contracts.ApprovalDecision) {
	w.send(id.String(), func(ctx context.Context) error { return w.client.Decide(ctx, w.run.ID, id, d) })
}

// send carries out one command at a time. What it changes comes back by the stream.
func (w *RunWatch) send(name string, do func(context.Context) error) {
	if w.run.Sending != "" {
		return
	}
	w.run.Sending, w.run.Refused = name, nil
	w.publish()
	w.ctx.Async(func() {
		err := do(context.Background())
		w.later(func() {
			w.run.Sending, w.run.Refused = "", err
			w.publish()
		})
	})
}

// ring folds what has come: at once after a pause, else at the end of the turn.
func (w *RunWatch) ring() {
	if w.resting {
		w.rung = true
		return
	}
	w.fold()
}

// rest puts the next turn off; more says that there will be one. The pause is the browser's own timer: one of Go's ends
// while the browser still hands over a heap of events, and then nothing is drawn, and nobody answered, before the last.
func (w *RunWatch) rest(more bool) {
	w.resting, w.rung = true, more
	var rested goapp.Func
	rested = goapp.FuncOf(func(goapp.Value, []goapp.Value) any {
		rested.Release()
		w.later(func() {
			w.resting = false
			if w.rung {
				w.fold()
			}
		})
		return nil
	})
	goapp.Window().Call("setTimeout", rested, foldEvery)
}

// fold takes what the feed has and publishes the result once.
func (w *RunWatch) fold() {
	if w.closed {
		return
	}
	frames, more, status := w.feed.Take(foldsATurn)
	unreadable := false
	for _, frame := range frames {
		if frame.Reset {
			w.folder, *w.log = Folder{}, Log{}
			continue
		}
		ev, isNew, err := w.folder.Add([]byte(frame.Data))
		if isNew {
			w.log.Add(&ev, frame.Data)
		}
		if err != nil {
			if errors.Is(err, ErrGap) {
				w.feed.Restart(w.folder.LastSeq())
				more = false
				break
			}
			// What this program cannot read it cannot read the next time either; reading on would only find a gap.
			w.run.Problem, unreadable, more = err, true, false
			break
		}
	}
	w.feed.Folded(w.folder.LastSeq())
	w.run.Fold = w.folder.Fold()
	if w.run.Fold.Done != nil || unreadable {
		w.feed.Close()
		status = feed.Status{Phase: feed.Ended}
	}
	w.run.Connection = status
	w.publish()
	if status.Phase == feed.Live || status.Phase == feed.Polled {
		w.asked = false
	}
	if status.Phase == feed.Waiting {
		w.askTask()
	}
	w.rest(more)
}

// askTask asks once for what is not in the stream, and so finds out why a stream does not open: an EventSource
// does not say.
func (w *RunWatch) askTask() {
	if w.asked {
		return
	}
	w.asked = true
	w.ctx.Async(func() {
		task, err := w.client.Task(context.Background(), w.run.ID)
		w.later(func() { w.know(task, err) })
	})
}

// know takes in the task. A run that the server refuses to show is given up; one that could not be asked for is
// not.
func (w *RunWatch) know(task command.TaskHead, err error) {
	problem, refused := errors.AsType[*contracts.Problem](err)
	switch {
	case err == nil:
		w.run.Goal, w.run.PassAt, w.run.RefuseBelow = task.Goal, task.PassAt, task.RefuseBelow
	case refused && problem.Status < 500 && problem.Status != 429:
		w.run.Problem = problem
		w.feed.Close()
	}
	w.publish()
}

// later runs do on the goroutine that draws, unless the watch was closed meanwhile.
func (w *RunWatch) later(do func()) {
	w.ctx.Dispatch(func(goapp.Context) {
		if !w.closed {
			do()
		}
	})
}

func (w *RunWatch) publish() { w.ctx.SetState(KeyRun, w.run) }
