package store

import (
	"context"
	"errors"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/feed"
	"axiom25/contracts"
)

// A turn folds for as long as turnTime at most before the page may draw and answer its reader again, in milliseconds; one that is
// far behind, by farBehind frames, as long as turnBehind: what waits takes memory. The next turn begins foldEvery later at the
// earliest: what comes faster is folded and drawn together. foldsAtOnce is how many frames are folded between two looks at the clock.
const (
	turnTime    = 10
	turnBehind  = 40
	farBehind   = 2000
	foldEvery   = 6
	foldsAtOnce = 64
)

// ring folds what has come: at once after a pause, else at the end of the turn.
func (w *RunWatch) ring(ctx goapp.Context) {
	if w.closed {
		return
	}
	if w.resting {
		w.rung = true
		ctx.PreventUpdate() // nothing has changed yet
		return
	}
	w.fold()
}

// rest puts the next turn off; more says that there will be one.
func (w *RunWatch) rest(more bool) {
	w.resting, w.rung = true, more
	w.after(foldEvery, func() {
		w.resting = false
		if w.rung {
			w.fold()
		}
	})
}

// fold takes what the feed has, as far as the turn goes, and publishes the result once.
func (w *RunWatch) fold() {
	here := now()
	until := here + turnTime
	if w.feed.Waits() > farBehind {
		until = here + turnBehind
	}
	frames, more, status := w.feed.Take(foldsAtOnce)
	w.stands(status)
	readOn, unreadable := w.add(frames, here)
	for readOn && more && here < until {
		frames, more, status = w.feed.Take(foldsAtOnce)
		here = now()
		readOn, unreadable = w.add(frames, here)
	}
	more = more && readOn
	w.feed.Folded(w.folder.LastSeq())
	w.run.Head = w.folder.Fold()
	w.askSchemas()
	if w.run.Past == 0 {
		w.run.Fold = w.run.Head
	}
	if w.run.Head.LastSeq > 0 {
		w.meter.Read(w.run.Head.LastTime, w.run.Head.Used)
	}
	if w.run.Head.Done != nil || unreadable {
		w.feed.Close()
		status = feed.Status{Phase: feed.Ended}
	}
	w.run.Connection = status
	if status.Phase == feed.Waiting || status.Phase == feed.Reconnecting {
		w.run.KeptAt = w.keptAt
	}
	w.keep()
	w.run.Behind = max(int(w.last.Load())-int(w.folder.LastSeq()), w.feed.Waits(), 0)
	w.publish()
	if status.Phase == feed.Waiting {
		w.askTask()
	}
	w.rest(more)
}

// add folds frames that came at a time. It reports whether what follows them can be read, and else whether that is
// because of a frame that this program cannot read.
func (w *RunWatch) add(frames []feed.Frame, here contracts.Time) (readOn, unreadable bool) {
	for _, frame := range frames {
		if frame.Reset {
			w.forget()
			continue
		}
		ev, isNew, err := w.folder.Add([]byte(frame.Data))
		if isNew {
			w.log.Add(&ev, frame.Data)
			w.checks.Pass(&w.folder)
			w.clock(here, ev.Time)
		}
		switch {
		case errors.Is(err, ErrGap):
			w.feed.Restart(w.folder.LastSeq())
			return false, false
		case err != nil:
			// What this program cannot read it cannot read the next time either; reading on would only find a gap.
			w.run.Problem = err
			return false, true
		}
	}
	return true, false
}

// forget begins anew: the history was another one.
func (w *RunWatch) forget() {
	w.folder, w.checks, w.past, w.older = Folder{}, Checkpoints{}, Past{}, pastPage{}
	w.log = &Log{} // a page may still draw what was published before
	w.run.Log = w.log
	w.run.Past, w.run.Seeking, w.run.Lost = 0, false, nil
	w.meter.Reset()
	w.last.Store(0)
	w.forgetKept()
}

// stands notes when the stream begins to stand: what was made before says nothing about how fast it is. A task that could
// not be read before is asked for again.
func (w *RunWatch) stands(status feed.Status) {
	up := func(p feed.Phase) bool { return p == feed.Live || p == feed.Polled }
	if up(status.Phase) && !up(w.run.Connection.Phase) {
		w.stood, w.asked = now(), false
		w.apart, w.run.KeptAt, w.keptAt = false, 0, 0
		if w.run.Goal == "" {
			w.askTask()
		}
		if w.folder.LastSeq() > 0 {
			w.askLast() // much may have happened meanwhile
		}
	}
}

// clock measures how long a new event took, where it was made while the stream stood.
func (w *RunWatch) clock(here, made contracts.Time) {
	if _, known := w.meter.Skew.Ahead(); !known || made < w.stood.Add(w.meter.Skew.Most()) {
		return
	}
	w.meter.Delivered(here, made)
	w.probe()
}

// probesMost bounds the requests that only serve to know the server's clock better.
const probesMost = 10

// probe asks for the server's time when that narrows what is known of it, until that is enough.
func (w *RunWatch) probe() {
	wait, useful := w.meter.Skew.Probe(now())
	if w.probing || !useful || w.probes >= probesMost {
		return
	}
	w.probing = true
	w.probes++
	w.after(wait, func() {
		w.ctx.Async(func() {
			_ = w.client.Ask(context.Background()) // what the answer is dated is what counts, and dated sees to that
			w.later(func() { w.probing = false })
		})
	})
}

// dated has every answer tell of the server's clock.
func (w *RunWatch) dated(fetch command.Fetch) command.Fetch {
	if fetch == nil {
		fetch = command.BrowserFetch
	}
	return func(ctx context.Context, r command.Request) (command.Response, error) {
		res, err := fetch(ctx, r)
		if date, ok := res.ServerTime(); err == nil && ok {
			w.ctx.Dispatch(func(ctx goapp.Context) {
				ctx.PreventUpdate()
				w.meter.Skew.Answered(contracts.TimeOf(res.Sent), contracts.TimeOf(res.Received), contracts.TimeOf(date))
			})
		}
		return res, err
	}
}

// paceEvery is how often the pace is taken anew, in milliseconds: what changes faster cannot be read.
const paceEvery = 500

// Pace is how fast the run goes now.
func (w *RunWatch) Pace() Pace {
	if here := now(); here.Sub(w.pacedAt) >= paceEvery || here < w.pacedAt {
		ahead, _ := w.meter.Skew.Ahead()
		w.pace, w.pacedAt = w.meter.Pace(max(here.Add(ahead), w.run.Head.LastTime)), here
	}
	return w.pace
}
