package feed

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"axiom25/contracts"
)

// Page is what a poll brings: the events behind a cursor as they were sent, and the run's last event.
type Page struct {
	Events []json.RawMessage `json:"events"`
	Last   contracts.Seq     `json:"last_seq"`
}

// emptyPause is how long a poll waits after an answer without events, which may have come at once.
const emptyPause = time.Second

// Poll asks for events again and again from behind a cursor on, until it is closed or an answer fails. It reports as a
// stream does. An error that has a method RetryAfter says how long the server wants to be left alone.
func Poll(ask func(ctx context.Context, after contracts.Seq) (Page, error), after contracts.Seq, h Handlers) Source {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for ctx.Err() == nil {
			page, err := ask(ctx, after)
			if err != nil {
				h.failed(err)
				return
			}
			h.Open()
			if page.Last < after { // another journal than the one that the cursor came from
				after = 0
				h.Reset()
				continue
			}
			for _, event := range page.Events {
				h.Message(string(event))
			}
			after += contracts.Seq(len(page.Events))
			if len(page.Events) > 0 {
				continue
			}
			select {
			case <-time.After(emptyPause):
			case <-ctx.Done():
			}
		}
	}()
	return closer(cancel)
}

// listPause is how long after an answer a list is asked for again.
const listPause = 2 * time.Second

// PollList asks for a whole list again and again, until it is closed or an answer fails. It reports as a list's stream does.
func PollList(ask func(ctx context.Context) (json.RawMessage, error), h Handlers) Source {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for ctx.Err() == nil {
			list, err := ask(ctx)
			if err != nil {
				h.failed(err)
				return
			}
			h.Open()
			h.List(string(list))
			select {
			case <-time.After(listPause):
			case <-ctx.Done():
			}
		}
	}()
	return closer(cancel)
}

// Impatient is an opener whose sources do not come back by themselves: the feed then decides when to try again, and can
// say so.
func Impatient(open Opener) Opener {
	return func(url string, h Handlers) Source {
		lost := h.Lost
		h.Lost = func(bool) { lost(true) }
		return open(url, h)
	}
}

// failed ends what was asked for in vain.
func (h *Handlers) failed(err error) {
	if busy, ok := errors.AsType[interface {
		error
		RetryAfter() time.Duration
	}](err); ok && h.Busy != nil {
		h.Busy(busy.RetryAfter())
	}
	h.Lost(true)
}

// closer is a Source that ends with a function.
type closer func()

// Close implements Source.
func (c closer) Close() { c() }
