package store

import (
	"context"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/shelf"
	"axiom25/contracts"
)

// keepEvery is the pause between two writes of what has come, in milliseconds, and keepMost how many bytes are written at once,
// so that neither the stream nor the reader notices.
const (
	keepEvery = 1000
	keepMost  = 256 << 10
	// loadTimeout is how long the run waits for what is kept before it asks the server for all of it.
	loadTimeout = 2 * time.Second
)

// openKept shows what is kept of the run, and then follows the stream from there on.
func (w *RunWatch) openKept() {
	w.keeper = &Keeper{Shelf: shelf.Browser(), Run: w.run.ID}
	w.keeping = true
	w.stood = now() // what was made before tells nothing about the stream
	w.ctx.Async(func() {
		ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
		defer cancel()
		lines, at := w.keeper.Load(ctx)
		w.later(func() {
			w.keeping = false
			w.keptAt = at
			if w.apart {
				w.run.KeptAt = at
			}
			w.feed.Offer(lines)
			w.feed.Connect(contracts.Seq(len(lines)))
		})
		w.keeper.Opened(context.Background(), now())
	})
}

// keep writes what has come since the last time, later and behind the reader's back.
func (w *RunWatch) keep() {
	if w.keeping || w.keeper == nil {
		return
	}
	last, off := w.keeper.Last()
	if off || w.log.Last() <= last {
		return
	}
	w.keeping = true
	w.after(keepEvery, func() {
		var lines [][]byte
		size := 0
		for seq := last + 1; seq <= w.log.Last() && size < keepMost; seq++ {
			line, ok := w.log.Line(seq)
			if !ok {
				return // too much at once: keeping stays as it is
			}
			lines = append(lines, line)
			size += len(line)
		}
		row := summaryOf(&w.run)
		w.ctx.Async(func() {
			w.keeper.Keep(context.Background(), lines, row, now())
			w.ctx.Dispatch(func(ctx goapp.Context) {
				ctx.PreventUpdate()
				w.keeping = false
				if !w.closed {
					w.keep()
				}
			})
		})
	})
}

// forgetKept lets go of what is kept: the history was another one.
func (w *RunWatch) forgetKept() {
	w.keptAt, w.run.KeptAt = 0, 0
	old := w.keeper
	w.keeper = &Keeper{Shelf: old.Shelf, Run: old.Run}
	w.keeping = true
	w.ctx.Async(func() {
		old.Forget(context.Background())
		w.later(func() { w.keeping = false })
	})
}

// keptTask keeps the task as it was sent, which never changes, and gives it where the server does not.
func (w *RunWatch) keptTask(fetch command.Fetch) command.Fetch {
	if fetch == nil {
		fetch = command.BrowserFetch
	}
	s, id := shelf.Browser(), w.run.ID
	return func(ctx context.Context, r command.Request) (command.Response, error) {
		res, err := fetch(ctx, r)
		if r.Path != contracts.LinksOf(id).Task || r.Body != nil {
			return res, err
		}
		switch {
		case err != nil:
			if task, shelfErr := s.Get(context.WithoutCancel(ctx), shelf.Events, taskKey(id)); shelfErr == nil {
				w.later(w.unreached)
				return command.Response{Status: 200, Body: task}, nil
			}
		case res.Status == 200:
			// Where it is not kept it is asked for again.
			go shelf.Put(context.WithoutCancel(ctx), s, shelf.Events, taskKey(id), res.Body) //nolint:errcheck // as said above
		}
		return res, err
	}
}

// unreached has the page say that it shows what is kept.
func (w *RunWatch) unreached() {
	w.apart, w.run.KeptAt = true, w.keptAt
	w.publish()
}

// showKept lists the runs that are kept, where the server could not be asked for them.
func (w *RunsWatch) showKept() {
	round := w.round
	w.ctx.Async(func() {
		kept, err := Kept(context.Background(), shelf.Browser())
		w.ctx.Dispatch(func(goapp.Context) {
			if w.closed || round != w.round || w.runs.Loaded || err != nil || len(kept) == 0 {
				return
			}
			rows := make([]contracts.Summary, len(kept))
			for i := range kept {
				rows[i] = kept[i].Summary
			}
			w.runs.List = WithRows(nil, rows, w.query.States, "")
			w.runs.Loaded, w.runs.Kept = true, true
			w.publish()
		})
	})
}
