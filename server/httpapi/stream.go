package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tmaxmax/go-sse"

	"axiom25/contracts"
	"axiom25/server/fanout"
)

const (
	// retryWait is how long an EventSource waits before it reconnects.
	retryWait = 2 * time.Second
	// writeBytes is how much is written under one deadline.
	writeBytes = 64 << 10
	// keptBuffer is the largest buffer that is kept for the next viewer who needs one.
	keptBuffer = 512 << 10
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

// What a stream shows, as the metrics have it.
const (
	kindRun  = "run"  // one run
	kindRuns = "runs" // several runs
	kindList = "list" // the list of runs
)

// source is what a stream shows. It is one viewer's.
type source interface {
	// poll returns what is new, encoded, and how much of it is history; nothing where there is nothing new, and the
	// viewer's bell rings when there is. buffer may be used to put it together. io.EOF says that nothing follows. What
	// comes with an error is good.
	poll(ctx context.Context, buffer *bytes.Buffer) (chunk []byte, history int64, err error)
	// drained reports whether the last poll is known to have returned all there was: the bell rings for what came since.
	drained() bool
	// close lets go of what the source holds.
	close()
}

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
	if err := a.streamable(r, contracts.LinksOf(id).Events+"?after=SEQ&wait=30000"); err != nil {
		return err
	}
	v, err := a.admit(w, r, kindRun)
	if v == nil {
		return err
	}
	defer v.release()

	after, valid := cursorOf(r, q)
	src, first, err := a.openRun(r.Context(), v.bell, id, after, valid)
	if errors.Is(err, io.EOF) && len(first.chunk) == 0 && first.reset == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if src == nil {
		return a.cannotBegin(w, r, err)
	}
	v.source = src
	return a.serveStream(w, r, v, first, err)
}

// streamable refuses a stream where the client does not want one or the server has none. poll is what to ask instead.
func (a *API) streamable(r *http.Request, poll string) error {
	if a.NoStreaming {
		return contracts.NewProblem(contracts.ProblemNotAcceptable, "this server does not stream; poll GET "+poll)
	}
	_, err := negotiate(r, mediaSSE)
	return err
}

// cannotBegin answers a viewer whose stream could not be opened.
func (a *API) cannotBegin(w http.ResponseWriter, r *http.Request, err error) error {
	if problemOf(err).Status == http.StatusServiceUnavailable {
		return a.turnAway(w, r, shedJournal, err)
	}
	return err
}

// opening is what a stream begins with.
type opening struct {
	// reset says, where it is not nil, that the viewer has to begin anew: it is the frame that says so.
	reset []byte
	// chunk is what is there already, and history how much of it the journal was read for.
	chunk   []byte
	history int64
}

// runSource shows one run.
type runSource struct {
	cursor *fanout.Cursor
}

// openRun opens a run's stream behind a cursor. It returns no source where nothing of the stream can be had; io.EOF says
// that the viewer has everything.
func (a *API) openRun(ctx context.Context, bell *fanout.Bell, id contracts.RunID, after contracts.Seq, valid bool) (source, opening, error) {
	var first opening
	src := runSource{a.Hub.FollowBy(bell, id, after)}
	var buffer bytes.Buffer
	chunk, history, err := src.poll(ctx, &buffer)
	var ahead *fanout.AheadError
	if !valid || errors.As(err, &ahead) {
		last, err := a.lastSeq(ctx, id)
		if err != nil {
			src.close()
			return nil, first, err
		}
		first.reset = resetFrame("", last)
	}
	if ahead != nil {
		src.close()
		src = runSource{a.Hub.FollowBy(bell, id, 0)}
		chunk, history, err = src.poll(ctx, &buffer)
	}
	first.chunk, first.history = chunk, history
	if err != nil && len(chunk) == 0 {
		src.close()
		return nil, first, err
	}
	return src, first, err
}

// resetFrame tells a viewer to begin anew: the cursor that it is to keep, and the run's last event.
func resetFrame(cursor string, last contracts.Seq) []byte {
	m := &sse.Message{ID: sse.ID(cursor), Type: sse.Type("reset")}
	m.AppendData(`{"last_seq":` + strconv.FormatInt(int64(last), 10) + `}`)
	return encoded(m)
}

// encoded returns a control frame's bytes.
func encoded(messages ...*sse.Message) []byte {
	var b bytes.Buffer
	for _, m := range messages {
		_, _ = m.WriteTo(&b) // a bytes.Buffer takes every write
	}
	return b.Bytes()
}

// poll implements source.
func (s runSource) poll(ctx context.Context, buffer *bytes.Buffer) ([]byte, int64, error) {
	before := s.cursor.Replayed()
	chunk, err := s.cursor.PollSSE(ctx, buffer)
	return chunk, s.cursor.Replayed() - before, err
}

// drained implements source.
func (s runSource) drained() bool { return s.cursor.Drained() }

// close implements source.
func (s runSource) close() { s.cursor.Close() }

// serveStream writes a stream that was opened with first and err until it ends. Where it can, it takes the connection from
// net/http and leaves the handler: a viewer that waits then holds neither net/http's buffers nor its deep stack.
func (a *API) serveStream(w http.ResponseWriter, r *http.Request, v *viewer, first opening, err error) error {
	header := w.Header()
	streamHeader(header)
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	control := http.NewResponseController(w)
	if conn, _, cannot := control.Hijack(); cannot == nil {
		a.detach(conn, r, header, v, first, err)
		return nil
	}
	out := a.newSender(answerLine{w, control})
	a.ended(exchangeOf(r), a.send(r.Context(), out, v, first, err))
	_ = out.extend() // net/http still has the end of the answer to write
	return nil
}

// ended notes why a stream has ended.
func (a *API) ended(x *exchange, reason string) {
	x.end = reason
	a.metrics.streams.WithLabelValues(reason).Inc()
}

// streamHeader fills in the header of every stream.
func streamHeader(h http.Header) {
	h.Set("Content-Type", mediaSSE)
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
}

// detach serves a stream on a connection of its own from now on. The answer ends with the connection (RFC 9112, section
// 6.3), so that each batch is one write of the bytes that all viewers share.
func (a *API) detach(conn net.Conn, r *http.Request, header http.Header, v *viewer, first opening, err error) {
	x := exchangeOf(r)
	x.detached, x.status = true, http.StatusOK
	x.ResponseWriter = nil // it holds net/http's buffers
	v.detach(conn)
	head := bytes.NewBufferString("HTTP/1.1 200 OK\r\nConnection: close\r\nDate: " + a.Now().UTC().Format(http.TimeFormat) + "\r\n")
	_ = header.Write(head) // a bytes.Buffer takes every write
	head.WriteString("\r\n")
	ctx := context.WithoutCancel(r.Context()) // it ends with the handler, the stream does not
	a.streams.running.Go(func() { a.converse(ctx, x, conn, head.Bytes(), v, first, err) })
}

// converse serves a detached stream to its end.
func (a *API) converse(ctx context.Context, x *exchange, conn net.Conn, head []byte, v *viewer, first opening, err error) {
	defer a.record(ctx, x)
	defer v.end()
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer cancel()
		var one [1]byte
		_, _ = conn.Read(one[:]) // a viewer has nothing more to say: it is gone
	})
	defer reading.Wait()
	defer conn.Close() //nolint:errcheck // everything was written, or cannot be
	defer func() {
		if p := recover(); p != nil {
			a.Log.LogAttrs(ctx, slog.LevelError, "stream failed", slog.String("request_id", x.id),
				slog.Any("error", fmt.Errorf("panic: %v\n%s", p, debug.Stack())))
		}
	}()
	out := a.newSender(connLine{conn})
	out.head = head
	a.ended(x, a.send(ctx, out, v, first, err))
}

// send writes a stream until it ends, and returns why. What comes with an error is good, and is written before the error
// is looked at.
func (a *API) send(ctx context.Context, out *sender, v *viewer, first opening, err error) string {
	if err := out.hello(first.reset, first.chunk); err != nil {
		return endOf(err)
	}
	wrote, history := true, first.history
	beat := newPulse(a.Now(), a.Heartbeat, v.bell)
	defer beat.timer.Stop()
	stop := context.AfterFunc(ctx, v.bell.Ring) // so that there is one thing to wait for
	defer stop()
	for {
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return endDone
		case ctx.Err() != nil:
			return endGone
		default:
			_ = out.problem(problemOf(err)) // a status can no longer say it, and a viewer that is gone need not know
			return endFailed
		}
		if v.sentAway() {
			_ = out.send(&sse.Message{Retry: jittered()}) // a viewer that is gone need not know
			return endClosing
		}
		if history > 0 {
			if wait := a.admission.replayed(a.Now(), history); wait > 0 {
				pause(ctx, wait)
			}
		}
		if !wrote || v.source.drained() {
			now := out.wrote
			if !wrote {
				now = a.Now()
			}
			if err := beat.passed(now, out); err != nil {
				return endOf(err)
			}
			<-v.bell.Rung()
		}
		if wrote, history, err = a.next(ctx, out, v.source); out.broken != nil {
			return endOf(out.broken)
		}
	}
}

// next writes what is new.
func (a *API) next(ctx context.Context, out *sender, src source) (wrote bool, history int64, err error) {
	buffer := a.buffer()
	defer a.release(buffer)
	chunk, history, err := src.poll(ctx, buffer)
	if len(chunk) > 0 {
		_ = out.write(chunk) // the sender keeps the error
	}
	return len(chunk) > 0, history, err
}

// pulse wakes a viewer for the signs of life of its stream. Its timer is not set anew with each write, which would cost a
// good part of the write: it is left to ring, and then set to when it is really time.
type pulse struct {
	every time.Duration
	timer *time.Timer
	due   time.Time // not later than the timer rings
}

func newPulse(now time.Time, every time.Duration, bell *fanout.Bell) *pulse {
	return &pulse{every: every, due: now.Add(every), timer: time.AfterFunc(every, bell.Ring)}
}

// passed writes a sign of life where it is time, and sees to it that the viewer is woken for the next one.
func (p *pulse) passed(now time.Time, out *sender) error {
	if now.Before(p.due) {
		return nil
	}
	quiet := now.Sub(out.wrote)
	wait := p.every - quiet
	if quiet >= p.every {
		wait = p.every
	}
	p.due = now.Add(wait)
	p.timer.Reset(wait)
	if quiet < p.every {
		return nil
	}
	return out.heartbeat()
}

// endOf says why a stream ended that could not be written to.
func endOf(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return endSlow
	}
	return endGone
}

// buffer returns an empty buffer; a viewer that waits holds none.
func (a *API) buffer() *bytes.Buffer {
	b, ok := a.buffers.Get().(*bytes.Buffer)
	if !ok {
		return new(bytes.Buffer)
	}
	b.Reset()
	return b
}

// release gives a buffer to the next viewer.
func (a *API) release(b *bytes.Buffer) {
	if b.Cap() <= keptBuffer {
		a.buffers.Put(b)
	}
}

// cursorOf returns what the viewer has seen: Last-Event-ID, which a reconnecting EventSource sends, before ?after=,
// which is in the address for good. valid is false where it is not a number that the server sent.
func cursorOf(r *http.Request, q query) (after contracts.Seq, valid bool) {
	text, given := cursorText(r, q)
	if !given {
		return 0, true
	}
	return parseCursor(text)
}

// cursorText returns the cursor as it was sent, and whether there is one.
func cursorText(r *http.Request, q query) (text string, given bool) {
	if text := r.Header.Get("Last-Event-ID"); text != "" {
		return text, true
	}
	text, err := q.one("after")
	if err != nil {
		text = "" // given twice: no cursor of the server's
	}
	return text, q.values.Has("after")
}

func parseCursor(text string) (after contracts.Seq, valid bool) {
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

// line is the way to one viewer.
type line interface {
	io.Writer
	Flush() error
	SetWriteDeadline(deadline time.Time) error
	// resumes reports whether a write that met its deadline can be gone on with.
	resumes() bool
}

// answerLine is a line that net/http keeps.
type answerLine struct {
	io.Writer
	*http.ResponseController
}

// resumes implements line: what was written lies in net/http's buffers, which keep an error for good.
func (answerLine) resumes() bool { return false }

// connLine is a line of the stream's own.
type connLine struct{ net.Conn }

// Flush implements line.
func (connLine) Flush() error { return nil }

// resumes implements line.
func (connLine) resumes() bool { return true }

// sender writes to one viewer. Each write has a deadline, so that a viewer that stands still is cut off and one that is
// only slow is not.
type sender struct {
	line     line
	head     []byte // what goes before the first write
	timeout  time.Duration
	now      func() time.Time
	deadline time.Time
	wrote    time.Time
	broken   error // of the write that failed
}

func (a *API) newSender(l line) *sender { return &sender{line: l, timeout: a.WriteTimeout, now: a.Now} }

// hello is the start of every stream: proof that it is open, the time to reconnect after, where the viewer's cursor was
// not one of this run's that it must begin anew, and what is there already.
func (s *sender) hello(reset, chunk []byte) error {
	hello := &sse.Message{Retry: retryWait}
	hello.AppendComment("axiom25")
	head := s.head
	s.head = nil
	return s.write(slices.Concat(head, encoded(hello), reset, chunk))
}

// heartbeat shows proxies and the viewer that the connection lives.
func (s *sender) heartbeat() error { return s.write([]byte(": hb\n\n")) }

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

// send writes a control frame.
func (s *sender) send(m *sse.Message) error { return s.write(encoded(m)) }

// write sends bytes at once. A viewer that takes some of them before the deadline gets another one for the rest: it is
// slow, but it does not stand still.
func (s *sender) write(b []byte) error {
	for len(b) > 0 {
		if err := s.extend(); err != nil {
			return s.fail(err)
		}
		n, err := s.line.Write(b[:min(len(b), writeBytes)])
		if err != nil && (n == 0 || !s.line.resumes() || !errors.Is(err, os.ErrDeadlineExceeded)) {
			return s.fail(err)
		}
		b = b[n:]
	}
	return s.fail(s.line.Flush())
}

// fail keeps the error of a write.
func (s *sender) fail(err error) error {
	s.broken = err
	return err
}

// extend sees to it that the write which follows may take the timeout, and at most a quarter longer: a deadline that is
// far enough away is left as it is, since setting it costs as much as a small write.
func (s *sender) extend() error {
	now := s.now()
	s.wrote = now
	if s.deadline.Sub(now) >= s.timeout {
		return nil
	}
	s.deadline = now.Add(s.timeout + s.timeout/4)
	return s.line.SetWriteDeadline(s.deadline)
}
