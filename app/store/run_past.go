package store

import (
	"context"

	"axiom25/contracts"
)

// pastPage is a page of events that the log has let go of, read again for the way to a moment.
type pastPage struct {
	after contracts.Seq // the event before the first
	lines [][]byte
}

// line returns the event at seq as it was sent.
func (w *RunWatch) line(seq contracts.Seq) ([]byte, bool) {
	if text, ok := w.log.Line(seq); ok {
		return text, true
	}
	if i := seq - w.older.after - 1; seq > w.older.after && int(i) < len(w.older.lines) {
		return w.older.lines[i], true
	}
	return nil, false
}

// Show goes back to the moment of an event, or on to it: the run is folded up to there, from what is known, and nothing is
// carried out. The stream is read on meanwhile. Beyond the last event it is Follow.
func (w *RunWatch) Show(seq contracts.Seq) {
	switch last := w.folder.LastSeq(); {
	case last == 0:
		return
	case seq >= last:
		w.Follow()
		return
	}
	w.run.Past, w.run.Seeking, w.run.Lost = max(seq, 1), true, nil
	w.publish()
	if !w.going {
		w.going = true
		w.past.Seek(w.run.Past, &w.checks)
		w.seek()
	}
}

// Follow shows the newest again.
func (w *RunWatch) Follow() {
	w.run.Past, w.run.Seeking, w.run.Lost, w.run.Fold = 0, false, nil, w.run.Head
	w.publish()
}

// seekTurn is how long the way to a moment may keep the page from its reader at a time, in milliseconds.
const seekTurn = 6

// seek goes to the moment that is wanted, a turn at a time, until it is there. Where the reader has chosen another one
// meanwhile it first arrives, as that is a matter of some turns, so that a reader who keeps on choosing sees something.
func (w *RunWatch) seek() {
	if w.run.Past == 0 {
		w.going = false
		return
	}
	until := now().Add(seekTurn)
	err := w.past.Advance(w.line, func() bool { return now() >= until })
	switch {
	case err != nil:
		w.strand(err)
	case w.past.There():
		w.run.Fold, w.run.Seeking = w.past.Fold(), w.past.target != w.run.Past
		w.publish()
		w.going = w.run.Seeking
		if w.going {
			w.past.Seek(w.run.Past, &w.checks)
			w.after(0, w.seek)
		}
	case !w.has(w.past.Missing()):
		w.fetch(w.past.Missing())
	default:
		w.after(0, w.seek)
	}
}

func (w *RunWatch) has(seq contracts.Seq) bool {
	_, ok := w.line(seq)
	return ok
}

// fetch reads the events from seq on again and goes on.
func (w *RunWatch) fetch(seq contracts.Seq) {
	w.ctx.Async(func() {
		page, err := w.client.History(context.Background(), w.run.ID, seq-1)
		w.later(func() {
			if err == nil && len(page.Events) == 0 {
				err = contracts.NewProblem(contracts.ProblemNotFound, "the server no longer has these events")
			}
			if err != nil {
				w.strand(err)
				return
			}
			w.older = pastPage{after: seq - 1}
			for _, event := range page.Events {
				w.older.lines = append(w.older.lines, event)
			}
			if w.run.Past > 0 {
				w.past.Seek(w.run.Past, &w.checks) // the reader may have chosen another one meanwhile
			}
			w.seek()
		})
	})
}

// strand says why the moment that is wanted cannot be shown.
func (w *RunWatch) strand(err error) {
	w.going, w.past = false, Past{}
	w.run.Seeking, w.run.Lost = false, err
	w.publish()
}
