package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"axiom25/contracts"
	"axiom25/server/intake"
)

// How an open request is read.
const (
	// readBytes is how much is read from the connection at once.
	readBytes = 32 << 10
	// gatherEvents and gatherBytes bound what goes into one append of what waits: less than an append may hold, since
	// the server adds to it.
	gatherEvents = contracts.MaxBatchEvents
	gatherBytes  = contracts.MaxBatchBytes
)

// ingest answers POST /runs/{id}/events to a client that accepts NDJSON: each line of the body is a batch, one event or an
// array of them, and is acknowledged by a line of the answer as it goes, for as long as the client keeps its request open. A
// blank line is a sign of life: it renews the lease, and is acknowledged too. A line that is refused is answered with its
// problem, which ends the answer; so does the server when it closes. What comes in while an append is on its way shares
// the next one.
func (a *API) ingest(w http.ResponseWriter, r *http.Request, id contracts.RunID, after *contracts.Seq) error {
	if err := checkMediaType(r, []string{mediaNDJSON}); err != nil {
		return err
	}
	holder, err := a.holder(r)
	if err != nil {
		return err
	}
	if !a.admission.wait() {
		return contracts.NewProblem(contracts.ProblemOverloaded, "too many requests are open")
	}
	defer a.admission.leave()
	feed, err := holder.Feed(r.Context(), id, after)
	if err != nil {
		return err
	}
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex() // HTTP/2 and those that cannot say so need not be told
	// net/http ends the request's context with the first read that fails, also with one that has waited too long.
	whole := context.WithoutCancel(r.Context())
	ctx, done := a.streams.untilClosed(whole)
	defer done()
	in := newLinePipe(r.Body, control, a.IngestIdle)
	defer in.close()
	stopWaiting := context.AfterFunc(ctx, in.wake)
	defer stopWaiting()

	out := &ackWriter{w: w, control: control, timeout: a.WriteTimeout, now: a.Now}
	w.Header().Set("Content-Type", mediaNDJSON)
	w.Header().Set("X-Accel-Buffering", "no")
	if r.ProtoMajor == 1 {
		// A read that is ended by its deadline ends the context of the connection, and so of each request that follows.
		w.Header().Set("Connection", "close")
	}
	w.WriteHeader(http.StatusOK)
	if out.flush() != nil { // the client is gone
		return nil
	}
	exchangeOf(r).end = "ended"
	err = takeLines(ctx, whole, feed, in, out)
	if errors.Is(context.Cause(ctx), errClosing) {
		err = contracts.NewProblem(contracts.ProblemOverloaded, "the server is closing; what was not acknowledged may be sent again behind the last seq")
	}
	if err != nil {
		exchangeOf(r).end = "refused"
		a.refuseLine(r, out, err)
	}
	return nil
}

// refuseLine tells in the answer's last line what ends it. A client that has gone need not know.
func (a *API) refuseLine(r *http.Request, out *ackWriter, err error) {
	if errors.Is(err, errGone) {
		exchangeOf(r).end = "gone"
		return
	}
	p := a.shownProblem(r, err)
	body, encodeErr := contracts.Encode(p)
	if encodeErr != nil {
		return
	}
	out.lines = append(append(out.lines, body...), '\n')
	_ = out.flush()
}

// takeLines stores what comes until the body ends, which gives nil, until a line is refused, or until ctx ends. What is
// being stored by then is stored by store's time.
func takeLines(ctx, store context.Context, feed *intake.Feed, in *linePipe, out *ackWriter) error {
	for {
		block, ended, err := in.take(ctx)
		if err != nil {
			return err
		}
		refusal := storeLines(store, feed, block, out)
		if err := out.flush(); err != nil {
			return errGone
		}
		if refusal != nil || ended {
			return refusal
		}
	}
}

// storeLines stores a block of whole lines, and acknowledges those that were stored.
func storeLines(ctx context.Context, feed *intake.Feed, block []byte, out *ackWriter) error {
	var gathered [][]contracts.EngineEvent
	events, size := 0, 0
	store := func() error {
		acks, err := feed.Append(ctx, gathered)
		for _, seq := range acks {
			out.ack(seq)
		}
		gathered, events, size = gathered[:0], 0, 0
		return err
	}
	for len(block) > 0 {
		line := block
		if end := bytes.IndexByte(block, '\n'); end >= 0 {
			line, block = block[:end], block[end+1:]
		} else {
			block = nil
		}
		if len(bytes.TrimSpace(line)) == 0 {
			if err := store(); err != nil {
				return err
			}
			if err := feed.Beat(ctx); err != nil {
				return err
			}
			out.ack(feed.At())
			continue
		}
		batch, err := contracts.DecodeEngineEvents(line)
		if err != nil {
			return errors.Join(store(), err) // of the two the one that came first
		}
		if events+len(batch) > gatherEvents || size+len(line) > gatherBytes {
			if err := store(); err != nil {
				return err
			}
		}
		gathered = append(gathered, batch)
		events, size = events+len(batch), size+len(line)
	}
	return store()
}

// ackWriter writes acknowledgements, many at once.
type ackWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	now     func() time.Time
	lines   []byte
}

// ack adds one line.
func (o *ackWriter) ack(seq contracts.Seq) {
	line, err := contracts.Encode(contracts.Acked{Seq: seq})
	if err == nil {
		o.lines = append(append(o.lines, line...), '\n')
	}
}

// flush sends what was added, the header at least. The client has a time to take it.
func (o *ackWriter) flush() error {
	_ = o.control.SetWriteDeadline(o.now().Add(o.timeout))
	if len(o.lines) > 0 {
		_, err := o.w.Write(o.lines)
		o.lines = o.lines[:0]
		if err != nil {
			return err
		}
	}
	return o.control.Flush()
}

var (
	// errGone says that the client has gone, or sends nothing any more.
	errGone = errors.New("the client has gone")
	// errSilent says that the client sent nothing for too long.
	errSilent = contracts.NewProblem(contracts.ProblemMalformed, "nothing came for too long; send a blank line now and then")
)

// linePipe reads a body while what came before is being stored. It holds two batches at most: then the connection has to
// wait.
type linePipe struct {
	body    io.ReadCloser
	control *http.ResponseController
	idle    time.Duration
	ended   sync.WaitGroup

	bell chan struct{} // capacity 1: there is more, or the end
	room chan struct{} // capacity 1: something was taken

	mu   sync.Mutex
	came []byte
	err  error // why no more will come; io.EOF at the end
	stop bool
}

// pipeBytes is how much may wait to be taken, in bytes: a line of the greatest size, and what follows it meanwhile.
const pipeBytes = 2 * contracts.MaxBatchBytes

// newLinePipe begins to read a body. It must be closed.
func newLinePipe(body io.ReadCloser, control *http.ResponseController, idle time.Duration) *linePipe {
	p := &linePipe{body: body, control: control, idle: idle, bell: make(chan struct{}, 1), room: make(chan struct{}, 1)}
	p.ended.Go(p.read)
	return p
}

// read fills the pipe until the body ends, or falls silent.
func (p *linePipe) read() {
	buffer := make([]byte, readBytes)
	for p.wait() {
		n, err := p.body.Read(buffer)
		p.mu.Lock()
		p.came = append(p.came, buffer[:n]...)
		p.err = err
		if errors.Is(err, io.EOF) {
			_ = p.control.SetReadDeadline(time.Time{}) // lifted, as net/http now waits for the client to go
		}
		p.mu.Unlock()
		ring(p.bell)
		if err != nil {
			return
		}
	}
}

// wait waits for room, and gives the next read its time. It reports whether to read on.
func (p *linePipe) wait() bool {
	for {
		p.mu.Lock()
		stop, full := p.stop, len(p.came) >= pipeBytes
		if !stop && !full {
			_ = p.control.SetReadDeadline(time.Now().Add(p.idle)) //nolint:forbidigo // the connection's own clock
		}
		p.mu.Unlock()
		if stop || !full {
			return !stop
		}
		<-p.room
	}
}

// wake ends a read that waits, and all that would follow.
func (p *linePipe) wake() {
	p.mu.Lock()
	p.stop = true
	if p.err == nil {
		_ = p.control.SetReadDeadline(time.Unix(1, 0))
	}
	p.mu.Unlock()
	ring(p.room)
	ring(p.bell)
}

// close ends the reading and waits for it.
func (p *linePipe) close() {
	p.wake()
	p.ended.Wait()
}

// take waits for whole lines and returns all that are there; ended says that they are the last. The last line of a body that
// ends as it should needs no newline; of one that is cut off, the piece behind the last newline is nothing. Errors: the
// context's cause, a problem where a line is too long or nothing came for too long, and errGone.
func (p *linePipe) take(ctx context.Context) (block []byte, ended bool, err error) {
	for {
		if ctx.Err() != nil {
			return nil, false, context.Cause(ctx)
		}
		p.mu.Lock()
		end := bytes.LastIndexByte(p.came, '\n') + 1
		cause := p.err
		if errors.Is(cause, io.EOF) {
			end = len(p.came)
		}
		long := len(p.came)-end > contracts.MaxBatchBytes
		if end > 0 {
			block = p.came[:end:end]
			p.came = bytes.Clone(p.came[end:])
		}
		p.mu.Unlock()
		ring(p.room)
		switch {
		case len(block) > 0:
			return block, errors.Is(cause, io.EOF), nil
		case errors.Is(cause, io.EOF):
			return nil, true, nil
		case long:
			return nil, false, contracts.NewProblem(contracts.ProblemTooLarge, "a line is longer than a batch may be")
		case isTimeout(cause):
			return nil, false, errSilent
		case cause != nil:
			return nil, false, errGone
		}
		select {
		case <-p.bell:
		case <-ctx.Done():
		}
	}
}

// isTimeout reports whether a read ended since its time was over.
func isTimeout(err error) bool {
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && timeout.Timeout()
}

// ring says that something has changed, unless that was said already.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}
