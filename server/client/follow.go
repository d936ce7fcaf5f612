package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/tmaxmax/go-sse"

	"axiom25/contracts"
)

// maxFrameBytes is the most that one event may take on the wire: an event is at most 1 MiB, and its frame a little
// more.
const maxFrameBytes = 2 << 20

// ErrReset says that the server's journal ends before the cursor: it is another journal than the one that the cursor
// came from, or the cursor was never an event's.
var ErrReset = errors.New("the run has fewer events than the cursor says")

// Event is one event of a run as it was sent.
type Event struct {
	// JSON is the event's bytes, as the journal holds them.
	JSON []byte
	contracts.RunEvent
}

// Follow returns a run's events behind the cursor after, each once and in order, until done or until ctx ends. Where the
// server does not stream it polls. It connects again when a connection breaks, falls silent or is shed, with a growing wait; only where nobody answers the
// first one does that end it. After an error there is nothing more: a *contracts.Problem where the server refuses (not-found,
// history-pruned, unauthorized …), ErrReset, the context's error, or what stands in the way.
func (c *Client) Follow(ctx context.Context, id contracts.RunID, after contracts.Seq) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		f := follower{client: c, run: id, cursor: after, yield: yield}
		for failures := 0; ; {
			before := f.cursor
			err := f.connect(ctx)
			if f.stopped {
				return
			}
			if ctx.Err() != nil {
				yield(Event{}, ctx.Err())
				return
			}
			var lost *lostError
			if !errors.As(err, &lost) || !f.answered {
				yield(Event{}, err)
				return
			}

			failures++
			if f.cursor > before {
				failures = 1
			}
			wait := max(lost.wait, c.backoff(failures))
			if c.OnRetry != nil {
				c.OnRetry(Notice{Cause: lost.cause, Attempt: failures, Wait: wait})
			}
			if !sleep(ctx, wait) {
				yield(Event{}, ctx.Err())
				return
			}
		}
	}
}

// backoff returns the wait before a reconnection: a doubling time, of which a random half is taken off, so that many
// viewers of one server do not come back at once.
func (c *Client) backoff(failures int) time.Duration {
	wait := c.MaxBackoff
	if shift := failures - 1; shift < 16 {
		wait = min(c.Backoff<<shift, c.MaxBackoff)
	}
	return wait/2 + rand.N(wait/2+1) //nolint:gosec // spreads reconnections; nobody gains by guessing it
}

// sleep waits, and reports whether it was not interrupted.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// lostError says that a connection ended and that another may do better.
type lostError struct {
	cause error
	// wait is the least that the server asked to wait.
	wait time.Duration
}

// Error implements error.
func (e *lostError) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *lostError) Unwrap() error { return e.cause }

// errEnded says that the server ended a stream before the run did, as it does when it stops.
var errEnded = errors.New("the stream ended")

// errSilent says that nothing came for longer than Client.Quiet.
var errSilent = errors.New("the stream fell silent")

// follower is one Follow at work.
type follower struct {
	client *Client
	run    contracts.RunID
	// cursor is the last event that was handed on.
	cursor contracts.Seq
	yield  func(Event, error) bool
	// answered says that some connection was answered, so that the address is right.
	answered bool
	// polls says that the server does not stream.
	polls bool
	// stopped says that nothing may be yielded any more: the run is done, or the consumer has enough.
	stopped bool
	// spoiled says that the event behind the cursor spoiledAt could not be read: once may be a cut connection, twice
	// at the same place is the event itself.
	spoiled   bool
	spoiledAt contracts.Seq
}

// connect makes one connection and hands on what it brings. It returns nil when it set stopped, a *lostError when
// another connection may do better, and any other error when none will.
func (f *follower) connect(ctx context.Context) error {
	if f.polls {
		return f.poll(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	req, err := f.client.request(ctx, http.MethodGet, "/runs/"+f.run.String()+"/stream", http.NoBody)
	if err != nil {
		return err
	}
	// Nothing is asked for by name: who asks for text/event-stream is an EventSource to the server, which spares it the
	// 503 that says when to come back.
	if f.cursor > 0 {
		req.Header.Set("Last-Event-ID", strconv.FormatInt(int64(f.cursor), 10))
	}
	res, err := f.client.http.Do(req)
	if err != nil {
		return &lostError{cause: fmt.Errorf("server: %w", err)}
	}
	defer res.Body.Close() //nolint:errcheck // a stream that was read or given up has nothing left to say

	f.answered = true
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNoContent:
		f.stopped = true
		return nil
	case http.StatusNotAcceptable:
		f.polls = true
		return f.poll(ctx)
	default:
		return refusal(res)
	}
	watched := &watchedReader{r: res.Body, quiet: f.client.Quiet}
	watched.timer = time.AfterFunc(watched.quiet, func() { cancel(errSilent) })
	defer watched.timer.Stop()
	for frame, err := range sse.Read(watched, &sse.ReadConfig{MaxEventSize: maxFrameBytes}) {
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return &lostError{cause: err}
		}
		if err := f.take(frame); err != nil || f.stopped {
			return err
		}
	}
	return &lostError{cause: errEnded}
}

// refusal is the error of an answer that brings no events: a *lostError where another request may do better.
func refusal(res *http.Response) error {
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &lostError{cause: problemOf(res), wait: retryAfter(res)}
	default:
		return problemOf(res)
	}
}

// take hands one frame on, unless it is a control frame or was handed on before.
func (f *follower) take(frame sse.Event) error {
	switch {
	case frame.Type == "reset":
		return ErrReset
	case frame.Type == "problem":
		return problemFrame(frame.Data)
	case frame.Type != "" || frame.Data == "":
		return nil
	}
	return f.handOn([]byte(frame.Data))
}

// handOn hands one event on, unless it was handed on before.
func (f *follower) handOn(data []byte) error {
	ev, err := contracts.DecodeEvent(data)
	if err != nil {
		return f.spoil(err)
	}
	if ev.Seq <= f.cursor {
		return nil
	}
	if ev.Seq != f.cursor+1 || ev.RunID != f.run {
		return f.spoil(fmt.Errorf("event %d of %s came behind event %d of %s", ev.Seq, ev.RunID, f.cursor, f.run))
	}
	f.cursor = ev.Seq
	f.stopped = !f.yield(Event{JSON: data, RunEvent: ev}, nil) || ev.Type == contracts.EventDone
	return nil
}

// problemFrame is the error that a stream ends with where a status can no longer say it.
func problemFrame(data string) error {
	var p contracts.Problem
	if err := json.Unmarshal([]byte(data), &p); err != nil {
		return &lostError{cause: fmt.Errorf("problem at the end of the stream: %w", err)}
	}
	if p.Status == http.StatusServiceUnavailable {
		return &lostError{cause: &p}
	}
	return &p
}

// spoil judges an event that cannot be read: a connection cut within it is worth another try, but only one.
func (f *follower) spoil(err error) error {
	if f.spoiled && f.spoiledAt == f.cursor {
		return fmt.Errorf("event behind %d: %w", f.cursor, err)
	}
	f.spoiled, f.spoiledAt = true, f.cursor
	return &lostError{cause: err}
}

// watchedReader ends a connection that falls silent: every read that brings something winds the timer up again.
type watchedReader struct {
	r     io.Reader
	timer *time.Timer
	quiet time.Duration
}

// Read implements io.Reader.
func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.timer.Reset(w.quiet)
	}
	return n, err
}

// retryAfter reads the header of RFC 9110, section 10.2.3, in its form in seconds; 0 where it is absent.
func retryAfter(res *http.Response) time.Duration {
	seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil || seconds < 0 || seconds > 3600 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
