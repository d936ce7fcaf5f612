package natsjournal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"axiom25/server/journal"
)

// What a request may take.
const (
	// attemptTimeout is how long one request waits for its answer before it is looked into.
	attemptTimeout = 2 * time.Second
	// patience is how long an operation goes on trying while the cluster has no leader. A leader that crashes is
	// replaced after 5 to 9 s with the Raft timers of nats-server, which cannot be set.
	patience = 30 * time.Second
	// reconnectAfter is how long a connection may stay without an answer before another server is tried: one that was
	// cut off from the others keeps its clients.
	reconnectAfter = 3 * time.Second
	// firstPause and lastPause bound the pauses between attempts, which double.
	firstPause = 2 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// The headers of JetStream that this package uses (docs.nats.io, "Publishing to Streams" and "Direct Get").
const (
	headerExpectedStream = "Nats-Expected-Stream"
	headerExpectedLast   = "Nats-Expected-Last-Subject-Sequence"
	headerRollup         = "Nats-Rollup"
	headerTTL            = "Nats-TTL"
	headerSequence       = "Nats-Sequence"
	headerSubject        = "Nats-Subject"
	headerTime           = "Nats-Time-Stamp"
	headerPending        = "Nats-Num-Pending"
	headerStatus         = "Status"
	headerDescription    = "Description"
)

// The error codes of JetStream that this package tells apart (nats-server, server/errors.json).
const (
	codeInsufficientResources = 10023
	codeNoMessage             = 10037
	codeStorageExceeded       = 10047
	codeMessageTooLarge       = 10054
	codeNoPeers               = 10005
	codeNotAvailable          = 10008
	codeNotClustered          = 10074
	codeStoreFailed           = 10077
)

var (
	// errNoAnswer says that a request may or may not have been carried out.
	errNoAnswer = errors.New("no answer in time")
	// errNoLeader says that nobody was there to carry a request out: nothing came of it.
	errNoLeader = errors.New("nobody answers for the stream")
	// errNoMessage says that a stream has no message that was asked for.
	errNoMessage = errors.New("no such message")
	// errStale says that a replica has not yet seen what it was asked for.
	errStale = errors.New("the replica is behind")
	// errTooMany says that a request for last messages matches more than a server gives at once.
	errTooMany = errors.New("too many messages match")
)

// apiError is a refusal of the server: what was asked for was not done.
type apiError struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

// Error implements error.
func (e *apiError) Error() string { return fmt.Sprintf("%s (%d)", e.Description, e.ErrCode) }

// full reports whether the refusal says that there is no room.
func (e *apiError) full() bool {
	switch e.ErrCode {
	case codeInsufficientResources, codeStorageExceeded:
		return true
	case codeStoreFailed:
		return strings.Contains(e.Description, "maximum") || strings.Contains(e.Description, "no space")
	}
	return false
}

// message is a stored message.
type message struct {
	subject string
	seq     uint64
	// time is when the stream's leader stored it.
	time time.Time
	data []byte
}

// getRequest asks for stored messages (nats-server, JSApiMsgGetRequest).
type getRequest struct {
	Seq        uint64   `json:"seq,omitempty"`
	LastBySubj string   `json:"last_by_subj,omitempty"`
	NextBySubj string   `json:"next_by_subj,omitempty"`
	Batch      int      `json:"batch,omitempty"`
	MaxBytes   int      `json:"max_bytes,omitempty"`
	MultiLast  []string `json:"multi_last,omitempty"`
	UpToSeq    uint64   `json:"up_to_seq,omitempty"`
}

// wire speaks with the cluster: one request, one attempt. Its owner closes the connection.
type wire struct {
	nc    *nats.Conn
	inbox string

	mu      sync.Mutex
	next    uint64
	waiting map[string]chan *nats.Msg
	// trouble tries another server unless a write is answered before; nil while writes are.
	trouble *time.Timer
}

// newWire prepares a connection for answers of several messages.
func newWire(nc *nats.Conn) (*wire, error) {
	w := &wire{nc: nc, inbox: nc.NewInbox(), waiting: map[string]chan *nats.Msg{}}
	sub, err := nc.Subscribe(w.inbox+".*", w.receive)
	if err != nil {
		return nil, err
	}
	// What a request may give is bounded by the request itself.
	return w, sub.SetPendingLimits(-1, -1)
}

// receive hands a message to the request that waits for it.
func (w *wire) receive(msg *nats.Msg) {
	w.mu.Lock()
	answers := w.waiting[msg.Subject]
	w.mu.Unlock()
	select {
	case answers <- msg: // a nil channel takes nothing
	default:
	}
}

// expect returns where an answer of up to n messages is sent, and where it comes in until done is called.
func (w *wire) expect(n int) (reply string, answers <-chan *nats.Msg, done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	reply = w.inbox + "." + strconv.FormatUint(w.next, 36)
	ch := make(chan *nats.Msg, n+1)
	w.waiting[reply] = ch
	return reply, ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.waiting, reply)
	}
}

// answered notes whether a write was answered. A server that was cut off from the others keeps its clients, and can
// answer reads: writes tell.
func (w *wire) answered(ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case ok && w.trouble != nil:
		w.trouble.Stop()
		w.trouble = nil
	case !ok && w.trouble == nil:
		w.trouble = time.AfterFunc(reconnectAfter, func() {
			w.answered(true)
			_ = w.nc.ForceReconnect() // its only error is that the connection was closed
		})
	}
}

// attemptError tells an attempt that came to nothing from one of which nobody knows.
func (w *wire) attemptError(err error) error {
	switch {
	case w.nc.IsClosed():
		return journal.ErrUnavailable
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, nats.ErrReconnectBufExceeded):
		return errNoLeader
	case errors.Is(err, nats.ErrMaxPayload):
		return journal.ErrTooLarge
	}
	return fmt.Errorf("%w: %w", errNoAnswer, err)
}

// publish stores a message and returns its place. Errors: errNoLeader, *apiError, errNoAnswer, journal.ErrTooLarge,
// journal.ErrUnavailable.
func (w *wire) publish(ctx context.Context, msg *nats.Msg) (seq uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	answer, err := w.nc.RequestMsgWithContext(ctx, msg)
	w.answered(err == nil)
	if err != nil {
		return 0, w.attemptError(err)
	}
	var ack struct {
		Error *apiError `json:"error"`
		Seq   uint64    `json:"seq"`
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil || ack.Error == nil && ack.Seq == 0 {
		return 0, fmt.Errorf("%w: not an acknowledgement", errNoAnswer)
	}
	if ack.Error != nil {
		return 0, ack.Error
	}
	return ack.Seq, nil
}

// call asks the API of JetStream. Errors: errNoLeader, *apiError, errNoAnswer, journal.ErrUnavailable.
func (w *wire) call(ctx context.Context, subject string, request, response any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	answer, err := w.nc.RequestWithContext(ctx, subject, body)
	if err != nil {
		return w.attemptError(err)
	}
	var refusal struct {
		Error *apiError `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &refusal); err != nil {
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	if refusal.Error != nil && refusal.Error.Code == 503 && !refusal.Error.full() {
		return fmt.Errorf("%w: %w", errNoLeader, refusal.Error)
	}
	if refusal.Error != nil {
		return refusal.Error
	}
	if err := json.Unmarshal(answer.Data, response); err != nil {
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	return nil
}

// get asks any replica of a stream for messages; more says that the answer was cut before all that match. Errors:
// errNoMessage, errTooMany, errNoLeader, errNoAnswer, journal.ErrUnavailable.
func (w *wire) get(ctx context.Context, stream string, req getRequest) (got []message, more bool, err error) {
	body, err := json.Marshal(req)
	if err != nil {
		return nil, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	reply, answers, done := w.expect(max(req.Batch, len(req.MultiLast), 1))
	defer done()
	if err := w.nc.PublishRequest("$JS.API.DIRECT.GET."+stream, reply, body); err != nil {
		return nil, false, w.attemptError(err)
	}
	single := req.Batch == 0 && len(req.MultiLast) == 0
	for {
		select {
		case <-ctx.Done():
			return nil, false, fmt.Errorf("%w: %w", errNoAnswer, ctx.Err())
		case msg := <-answers:
			switch status := msg.Header.Get(headerStatus); status {
			case "":
				m, err := storedMessage(msg)
				if err != nil {
					return nil, false, err
				}
				if got = append(got, m); single {
					return got, false, nil
				}
			case "204": // the end of an answer
				pending := msg.Header.Get(headerPending)
				return got, pending != "" && pending != "0", nil
			case "404":
				return nil, false, errNoMessage
			case "413":
				return nil, false, errTooMany
			case "503":
				return nil, false, errNoLeader
			default:
				return nil, false, fmt.Errorf("%w: %s %s", errNoAnswer, status, msg.Header.Get(headerDescription))
			}
		}
	}
}

// storedMessage reads a message of an answer, or one that the server republished.
func storedMessage(msg *nats.Msg) (message, error) {
	seq, err := strconv.ParseUint(msg.Header.Get(headerSequence), 10, 64)
	if err != nil {
		return message{}, fmt.Errorf("%w: message without its place", errNoAnswer)
	}
	at, err := time.Parse(time.RFC3339Nano, msg.Header.Get(headerTime))
	if err != nil {
		return message{}, fmt.Errorf("%w: message without its time", errNoAnswer)
	}
	return message{subject: msg.Header.Get(headerSubject), seq: seq, time: at, data: msg.Data}, nil
}

// transient reports whether the same attempt may succeed later.
func transient(err error) bool {
	return errors.Is(err, errNoLeader) || errors.Is(err, errNoAnswer) || errors.Is(err, errStale)
}

// retry attempts until something else than a transient error comes of it, or ctx ends, or patience. Where the attempts
// stay in vain it returns the last attempt's error.
func retry(ctx context.Context, attempt func(ctx context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := attempt(bounded)
		if !transient(err) {
			return err
		}
		if !sleep(bounded, pause) {
			return err
		}
	}
}

// sleep waits, and reports whether ctx lasted.
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
