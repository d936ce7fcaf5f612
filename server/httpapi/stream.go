package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tmaxmax/go-sse"

	"axiom25/contracts"
	"axiom25/server/fanout"
)

const (
	// retryWait is how long an EventSource waits before it reconnects.
	retryWait = 2 * time.Second
	// shedWait and shedJitter are how long one waits that was turned away: long enough to help, and each another
	// time, so that they do not all come back at once.
	shedWait, shedJitter = 3 * time.Second, 7 * time.Second
	// writeBytes is how much is written under one deadline: what a viewer at 6.4 KiB/s accepts in 10 s.
	writeBytes = 64 << 10
)

// Why a stream ended, as the log and the metrics have it.
const (
	endDone    = "done"    // the run's last event was sent
	endGone    = "gone"    // the client went
	endSlow    = "slow"    // the client did not read
	endClosing = "closing" // the server stops
	endFailed  = "failed"  // the journal could not be read
	endShed    = "shed"    // it could not be served now
)

// stream answers GET /runs/{id}/stream with the run's events as they come, from behind the cursor on. What can be said
// by a status code is said before the stream begins: 404, 410 and 500 as problem documents, 204 where the run has
// ended and the cursor with it, which stops an EventSource from reconnecting.
func (a *API) stream(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	q, err := parseQuery(r, "after")
	if err != nil {
		return err
	}
	if _, err := negotiate(r, mediaSSE); err != nil {
		return err
	}
	defer a.viewers.Add(-1)
	if a.viewers.Add(1) > int64(a.MaxViewers) {
		return a.turnAway(w, r, contracts.NewProblem(contracts.ProblemOverloaded, "too many streams are open"))
	}
	ctx, done := a.untilClosed(r.Context())
	defer done()

	after, valid := cursorOf(r, q)
	cur := a.Hub.Follow(id, after)
	defer func() { cur.Close() }()
	frames, err := cur.Poll(ctx)
	var ahead *fanout.AheadError
	var reset *contracts.Seq
	if !valid || errors.As(err, &ahead) {
		last, err := a.lastSeq(ctx, id)
		if err != nil {
			return err
		}
		reset = &last
	}
	if ahead != nil {
		cur.Close()
		cur = a.Hub.Follow(id, 0)
		frames, err = cur.Poll(ctx)
	}
	if errors.Is(err, io.EOF) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil && len(frames) == 0 {
		if errors.Is(context.Cause(ctx), errClosing) {
			err = contracts.NewProblem(contracts.ProblemOverloaded, "the server is closing")
		}
		if problemOf(err).Status == http.StatusServiceUnavailable {
			return a.turnAway(w, r, err)
		}
		return err
	}

	out, cannot := a.newSender(w, r)
	if cannot != nil {
		return cannot
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	reason := a.send(ctx, out, cur, reset, frames, err)
	_ = out.begin() // net/http still has the end of the answer to write
	exchangeOf(r).end = reason
	a.metrics.streams.WithLabelValues(reason).Inc()
	return nil
}

// send writes a stream until it ends, and returns why. It begins with the frames and the error of the cursor's first
// Poll. Frames that come with an error are good, and are written before it is looked at.
func (a *API) send(ctx context.Context, out *sender, cur *fanout.Cursor, reset *contracts.Seq, frames []fanout.Frame, err error) string {
	if err := out.hello(reset); err != nil {
		return ended(ctx, err)
	}
	for {
		if err := out.events(frames); err != nil {
			return ended(ctx, err)
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return endDone
		case ctx.Err() != nil:
			return ended(ctx, err)
		case errors.Is(err, context.DeadlineExceeded):
			if err := out.heartbeat(); err != nil {
				return ended(ctx, err)
			}
		default:
			_ = out.problem(problemOf(err)) // a status can no longer say it, and a viewer that is gone need not know
			return endFailed
		}
		beat, cancel := context.WithTimeout(ctx, a.Heartbeat)
		frames, err = cur.Next(beat)
		cancel()
	}
}

// ended says why a stream ended that could not go on.
func ended(ctx context.Context, err error) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return endSlow
	case errors.Is(context.Cause(ctx), errClosing):
		return endClosing
	}
	return endGone
}

// cursorOf returns what the viewer has seen: Last-Event-ID, which a reconnecting EventSource sends, before ?after=,
// which is in the address for good. valid is false where it is not a number that the server sent.
func cursorOf(r *http.Request, q query) (after contracts.Seq, valid bool) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		if !q.values.Has("after") {
			return 0, true
		}
		var err error
		if text, err = q.one("after"); err != nil {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > maxSeq {
		return 0, false
	}
	return contracts.Seq(n), true
}

// lastSeq returns the run's last event.
func (a *API) lastSeq(ctx context.Context, id contracts.RunID) (contracts.Seq, error) {
	page, err := a.Journal.Read(ctx, id, maxSeq, 1, 1)
	return page.Last, err
}

// turnAway answers a viewer that cannot be served now. An EventSource gives up for good on a 503, so whoever asks for
// an event stream by name gets an empty one and a time to come back after; others get the 503.
func (a *API) turnAway(w http.ResponseWriter, r *http.Request, why error) error {
	a.metrics.streams.WithLabelValues(endShed).Inc()
	exchangeOf(r).end = endShed
	if !strings.Contains(r.Header.Get("Accept"), mediaSSE) {
		return why
	}
	out, err := a.newSender(w, r)
	if err != nil {
		return err
	}
	jitter := time.Duration(rand.Int64N(int64(shedJitter))) //nolint:gosec // it spreads load and guards nothing
	_ = out.send(&sse.Message{Retry: shedWait + jitter})    // an error here is the client's, who is gone
	return nil
}

// sender writes to one viewer. Each write has a deadline of its own, so that a viewer that stands still is cut off and
// one that is only slow is not.
type sender struct {
	session *sse.Session
	control *http.ResponseController
	api     *API
}

// newSender makes an event stream of an answer, whose header is sent with the first message.
func (a *API) newSender(w http.ResponseWriter, r *http.Request) (*sender, error) {
	session, err := sse.Upgrade(w, r)
	if err != nil {
		return nil, err
	}
	h := w.Header()
	h.Set("Content-Type", mediaSSE)
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	return &sender{session: session, control: http.NewResponseController(w), api: a}, nil
}

// hello is the start of every stream: proof that it is open, the time to reconnect after, and, where the viewer's
// cursor was not one of this run's, that it must begin anew.
func (s *sender) hello(reset *contracts.Seq) error {
	hello := &sse.Message{Retry: retryWait}
	hello.AppendComment("axiom25")
	if reset == nil {
		return s.send(hello)
	}
	begin := &sse.Message{ID: sse.ID(""), Type: sse.Type("reset")}
	begin.AppendData(`{"last_seq":` + strconv.FormatInt(int64(*reset), 10) + `}`)
	return s.send(hello, begin)
}

// heartbeat shows proxies and the viewer that the connection lives.
func (s *sender) heartbeat() error {
	beat := &sse.Message{}
	beat.AppendComment("hb")
	return s.send(beat)
}

// problem tells what ends the stream. It has no id: the viewer's cursor stays where it is.
func (s *sender) problem(p *contracts.Problem) error {
	body, err := contracts.Encode(p)
	if err != nil {
		return err
	}
	m := &sse.Message{Type: sse.Type("problem")}
	m.AppendData(string(body))
	return s.send(m)
}

// send writes control messages and flushes.
func (s *sender) send(messages ...*sse.Message) error {
	if err := s.begin(); err != nil {
		return err
	}
	for _, m := range messages {
		if err := s.session.Send(m); err != nil {
			return err
		}
	}
	return s.finish()
}

// events writes frames, and flushes once.
func (s *sender) events(frames []fanout.Frame) error {
	switch len(frames) {
	case 0:
		return nil
	case 1:
		return s.write(frames[0].SSE)
	}
	buffer, ok := s.api.buffers.Get().(*bytes.Buffer)
	if !ok {
		buffer = new(bytes.Buffer)
	}
	defer s.api.buffers.Put(buffer)
	buffer.Reset()
	for _, f := range frames {
		buffer.Write(f.SSE)
	}
	return s.write(buffer.Bytes())
}

// write sends frames that were encoded once for all viewers.
func (s *sender) write(b []byte) error {
	for piece := range slices.Chunk(b, writeBytes) {
		if err := s.begin(); err != nil {
			return err
		}
		if _, err := s.session.Res.Write(piece); err != nil {
			return err
		}
	}
	return s.finish()
}

// begin sets the deadline of the writes that follow.
func (s *sender) begin() error {
	return s.control.SetWriteDeadline(s.api.Now().Add(s.api.WriteTimeout))
}

// finish flushes what was written and lifts the deadline, which would otherwise meet the connection's next request.
func (s *sender) finish() error {
	if err := s.session.Flush(); err != nil {
		return err
	}
	return s.control.SetWriteDeadline(time.Time{})
}
