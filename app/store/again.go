package store

import (
	"context"
	"slices"

	"axiom25/contracts"
)

// Again is the reading of texts that the log has let go of.
type Again struct {
	// From is the first event of those that are being read; 0 where none are.
	From contracts.Seq
	// Problem is why the last ones could not be read, or nil.
	Problem error
}

// ReadAgain reads the texts around an event again that the log has let go of, a page of the log at a time. While it reads it
// takes no other wish.
func (w *RunWatch) ReadAgain(seq contracts.Seq) {
	if _, kept := w.log.Data(seq); kept || w.run.Again.From != 0 || seq < 1 || seq > w.log.Last() {
		return
	}
	w.run.Again = Again{From: pageOf(seq)}
	w.publish()
	w.readPage(w.log, nil)
}

// readPage reads on behind what it has read of a page.
func (w *RunWatch) readPage(log *Log, lines []string) {
	first := w.run.Again.From
	w.ctx.Async(func() {
		page, err := w.client.History(context.Background(), w.run.ID, first-1+contracts.Seq(len(lines)))
		w.later(func() {
			if w.log != log {
				w.run.Again = Again{}
				w.publish()
				return
			}
			for _, event := range page.Events {
				lines = append(lines, string(event))
			}
			switch {
			case err == nil && len(page.Events) > 0 && len(lines) < pageEvents:
				w.readPage(log, lines)
				return
			case err != nil:
			case !w.log.Restore(first, slices.Clip(lines[:min(len(lines), pageEvents)])):
				err = ErrGap
			}
			w.run.Again = Again{Problem: err}
			w.publish()
		})
	})
}
