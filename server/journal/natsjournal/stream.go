package natsjournal

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"axiom25/server/journal"
)

const (
	// grace is how long a write goes on finding out what became of it once nobody waits for it any more.
	grace = 5 * time.Second
	// barrierTTL is when the last barrier of a handle that is gone goes too.
	barrierTTL = time.Hour
	// lastMax bounds the last messages of one request; the server gives no more than 1024.
	lastMax = 1000
	// answerBytes bounds one answer.
	answerBytes = 8 << 20
)

// stream is one stream of the store.
type stream struct {
	wire *wire
	name string
	// barrier is the subject of this handle's barriers.
	barrier string

	// room is how many bytes the stream may hold before this package refuses to write, 0 for any number; held is how
	// many it held when it was last asked, and what was written since.
	room int64
	held atomic.Int64

	mu    sync.Mutex
	next  *round // that readers who come now wait for; nil where none does
	tasks sync.WaitGroup
	busy  bool // a goroutine writes barriers
}

// round is a barrier that several readers wait for.
type round struct {
	done  chan struct{}
	place uint64
	err   error
}

// fence writes a barrier and returns its place: whatever was acknowledged before lies before it, so that a replica that
// has the barrier has all of that. Those who come while one is being written share the next. Errors: those of
// wire.publish.
func (s *stream) fence(ctx context.Context) (place uint64, err error) {
	s.mu.Lock()
	if s.next == nil {
		s.next = &round{done: make(chan struct{})}
	}
	r := s.next
	if !s.busy {
		s.busy = true
		s.tasks.Go(s.writeBarriers)
	}
	s.mu.Unlock()
	select {
	case <-r.done:
		return r.place, r.err
	case <-ctx.Done():
		return 0, fmt.Errorf("%w: %w", errNoAnswer, ctx.Err())
	}
}

// writeBarriers writes barriers while somebody waits for one.
func (s *stream) writeBarriers() {
	for {
		s.mu.Lock()
		r := s.next
		s.next = nil
		s.busy = r != nil
		s.mu.Unlock()
		if r == nil {
			return
		}
		// Nobody's context: those who wait have their own, and one attempt is short.
		r.place, r.err = s.wire.publish(context.Background(), s.message(write{subject: s.barrier, rollup: true, ttl: barrierTTL, free: true}))
		close(r.done)
	}
}

// last returns the last messages of subjects, in no order, as of now or later, and the time of the stream's clock then.
// A subject without one is left out. There are at most lastMax subjects, and those with wildcards match no more.
// Messages before from are left out too. The context's error is returned as it is. Errors: errTooMany,
// journal.ErrBusy, journal.ErrUnavailable.
func (s *stream) last(ctx context.Context, from uint64, subjects ...string) (got map[string]message, now time.Time, err error) {
	err = retry(ctx, func(ctx context.Context) error {
		place, err := s.fence(ctx)
		if refusal, ok := errors.AsType[*apiError](err); ok && refusal.full() {
			got, err = s.lastOfLeader(ctx, subjects)
			return err
		}
		if err != nil {
			return err
		}
		return retry(ctx, func(ctx context.Context) error {
			got, now, err = s.lastBehind(ctx, place, from, subjects)
			return err
		})
	})
	if err != nil {
		return nil, time.Time{}, readError(ctx, err)
	}
	return got, now, nil
}

// lastBehind asks any replica for last messages, and takes the answer of one that has seen the barrier at place.
func (s *stream) lastBehind(ctx context.Context, place, from uint64, subjects []string) (map[string]message, time.Time, error) {
	req := getRequest{Seq: from, Batch: lastMax + 24, MaxBytes: answerBytes, MultiLast: append([]string{s.barrier}, subjects...)}
	got := make(map[string]message, len(subjects))
	var barrier message
	for more := true; more; {
		page, cut, err := s.wire.get(ctx, s.name, req)
		if errors.Is(err, errNoMessage) && barrier.seq >= place {
			break
		}
		if errors.Is(err, errNoMessage) {
			return nil, time.Time{}, errStale
		}
		if err != nil {
			return nil, time.Time{}, err
		}
		for _, m := range page {
			if m.subject == s.barrier {
				barrier = m
			} else {
				got[m.subject] = m
			}
			req.Seq = m.seq + 1
		}
		more = cut && len(page) > 0
	}
	if barrier.seq < place {
		return nil, time.Time{}, errStale
	}
	return got, barrier.time, nil
}

// lastOfLeader asks the leader, where there is no room for a barrier. A leader that was cut off from the others and
// does not know it yet answers with what it knows.
func (s *stream) lastOfLeader(ctx context.Context, subjects []string) (map[string]message, error) {
	got := make(map[string]message, len(subjects))
	for _, subject := range subjects {
		m, err := s.leaderGet(ctx, getRequest{LastBySubj: subject})
		if errors.Is(err, errNoMessage) {
			continue
		}
		if err != nil {
			return nil, err
		}
		got[subject] = m
	}
	return got, nil
}

// leaderGet asks the stream's leader for one message. Errors: errNoMessage and those of wire.call.
func (s *stream) leaderGet(ctx context.Context, req getRequest) (message, error) {
	var response struct {
		Message struct {
			Subject string    `json:"subject"`
			Seq     uint64    `json:"seq"`
			Data    []byte    `json:"data"`
			Time    time.Time `json:"time"`
		} `json:"message"`
	}
	err := s.wire.call(ctx, "$JS.API.STREAM.MSG.GET."+s.name, req, &response)
	if refusal, ok := errors.AsType[*apiError](err); ok && refusal.ErrCode == codeNoMessage {
		return message{}, errNoMessage
	}
	if err != nil {
		return message{}, err
	}
	m := response.Message
	return message{subject: m.Subject, seq: m.Seq, time: m.Time, data: m.Data}, nil
}

// scan calls visit with the messages from a place on, in order, until it has seen all that the stream had when the scan
// began, or visit returns an error. It returns the place behind the last one, and the time of the stream's clock.
func (s *stream) scan(ctx context.Context, from uint64, visit func(m message) error) (next uint64, now time.Time, err error) {
	next = from
	var place uint64
	err = retry(ctx, func(ctx context.Context) error {
		place, err = s.fence(ctx)
		return err
	})
	if err != nil {
		return next, now, readError(ctx, err)
	}
	for next <= place {
		var page []message
		err = retry(ctx, func(ctx context.Context) error {
			page, _, err = s.wire.get(ctx, s.name, getRequest{Seq: max(next, 1), NextBySubj: ">", Batch: 512, MaxBytes: answerBytes})
			if errors.Is(err, errNoMessage) {
				return errStale // at least the barrier is there
			}
			return err
		})
		if err != nil {
			return next, now, readError(ctx, err)
		}
		for _, m := range page {
			now = m.time
			if m.subject != s.barrier {
				if err := visit(m); err != nil {
					return next, now, err
				}
			}
			next = m.seq + 1
		}
	}
	return next, now, nil
}

// write is a message to be stored.
type write struct {
	subject string
	// id tells this write from every other; it stands in data.
	id   string
	data []byte
	// expect is the place of the last message on the subject, 0 where there is none.
	expect uint64
	// rollup deletes the messages on the subject before this one.
	rollup bool
	// ttl is when the message goes by itself; 0 never. It counts in whole seconds.
	ttl time.Duration
	// free writes are stored whatever the subject holds.
	free bool
}

// message returns the message that a write is.
func (s *stream) message(w write) *nats.Msg {
	header := nats.Header{headerExpectedStream: {s.name}}
	if !w.free {
		header[headerExpectedLast] = []string{strconv.FormatUint(w.expect, 10)}
	}
	if w.rollup {
		header[headerRollup] = []string{"sub"}
	}
	if w.ttl > 0 {
		header[headerTTL] = []string{strconv.FormatInt(int64((w.ttl+time.Second-1)/time.Second), 10) + "s"}
	}
	return &nats.Msg{Subject: w.subject, Header: header, Data: w.data}
}

// movedError says that a subject does not end where a write expected, and why not: Now is its last message, which has
// place 0 where there is none.
type movedError struct {
	Now message
}

// Error implements error.
func (e *movedError) Error() string { return fmt.Sprintf("the subject ends at %d", e.Now.seq) }

// put stores a write and returns its place. What the server did not acknowledge it settles by looking, and tries again
// with the same expectation, so that the write is stored once or not at all. Once the write is on its way the end of ctx
// does not end it, but leaves it a grace to settle. idOf reads the id of a message.
//
// Errors: that of ctx, with nothing stored; *movedError where the last message on the subject is another's, which says
// nothing of what lies between; journal.ErrBusy, ErrFull, ErrTooLarge, ErrUnavailable, ErrUnknown.
func (s *stream) put(ctx context.Context, w write, idOf func(m message) string) (place uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := s.reserve(ctx, w); err != nil {
		return 0, err
	}
	settle, cancel := settling(ctx)
	defer cancel()
	doubt := false
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		place, err := s.wire.publish(settle, s.message(w))
		if err == nil {
			return place, nil
		}
		refusal, refused := errors.AsType[*apiError](err)
		switch {
		case refused && refusal.ErrCode == codeMessageTooLarge:
			err = journal.ErrTooLarge
		case refused && refusal.full():
			err = journal.ErrFull
		case errors.Is(err, errNoAnswer):
			doubt = true
		}
		final := errors.Is(err, journal.ErrTooLarge) || errors.Is(err, journal.ErrFull) || errors.Is(err, journal.ErrUnavailable)
		if final && !doubt {
			return 0, err
		}
		if !errors.Is(err, errNoLeader) && !errors.Is(err, journal.ErrUnavailable) {
			now, err := s.look(settle, w.subject)
			if err == nil && now.seq != w.expect {
				if now.seq != 0 && idOf(now) == w.id {
					return now.seq, nil
				}
				return 0, &movedError{Now: now}
			}
		}
		if over := ctx.Err(); over != nil && !doubt {
			return 0, over
		}
		if !sleep(settle, pause) || errors.Is(err, journal.ErrUnavailable) {
			break
		}
	}
	if doubt {
		return 0, fmt.Errorf("stream %s: %w", s.name, journal.ErrUnknown)
	}
	return 0, fmt.Errorf("stream %s: %w: %w", s.name, errNoLeader, journal.ErrBusy)
}

// look returns the last message on a subject; its place is 0 where there is none.
func (s *stream) look(ctx context.Context, subject string) (message, error) {
	got, _, err := s.last(ctx, 0, subject)
	return got[subject], err
}

// settling returns a context that lasts for patience, and that outlives ctx by no more than grace.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	settle, cancel := context.WithCancel(context.WithoutCancel(ctx))
	timer := time.AfterFunc(patience, cancel)
	stop := context.AfterFunc(ctx, func() { timer.Reset(grace) })
	return settle, func() {
		stop()
		timer.Stop()
		cancel()
	}
}

// reserve refuses a write for which there is no room below the quota. What lets go of room is always taken.
func (s *stream) reserve(ctx context.Context, w write) error {
	size := int64(len(w.data) + len(w.subject))
	if s.room == 0 || w.rollup || s.held.Add(size) <= s.room {
		return nil
	}
	if err := s.measure(ctx); err != nil {
		return err
	}
	if s.held.Add(size) > s.room {
		return fmt.Errorf("stream %s: %w", s.name, journal.ErrFull)
	}
	return nil
}

// streamState is what a stream says of itself.
type streamState struct {
	Messages uint64            `json:"messages"`
	Bytes    int64             `json:"bytes"`
	LastSeq  uint64            `json:"last_seq"`
	Subjects map[string]uint64 `json:"subjects"`
}

// info returns the state of the stream, with the number of messages of each subject that the filter matches. Errors:
// journal.ErrBusy, journal.ErrUnavailable.
func (s *stream) info(ctx context.Context, filter string) (streamState, error) {
	var response struct {
		State streamState `json:"state"`
	}
	request := struct {
		Filter string `json:"subjects_filter,omitempty"`
	}{filter}
	err := retry(ctx, func(ctx context.Context) error {
		return s.wire.call(ctx, "$JS.API.STREAM.INFO."+s.name, request, &response)
	})
	if err != nil {
		return streamState{}, readError(ctx, err)
	}
	return response.State, nil
}

// measure asks how many bytes the stream holds.
func (s *stream) measure(ctx context.Context) error {
	state, err := s.info(ctx, "")
	if err == nil {
		s.held.Store(state.Bytes)
	}
	return err
}

// remove deletes the message at a place, if it is there.
func (s *stream) remove(ctx context.Context, place uint64) error {
	request := struct {
		Seq uint64 `json:"seq"`
	}{place}
	var response struct{}
	err := retry(ctx, func(ctx context.Context) error {
		err := s.wire.call(ctx, "$JS.API.STREAM.MSG.DELETE."+s.name, request, &response)
		if refusal, ok := errors.AsType[*apiError](err); ok && !refusal.full() {
			return nil // it is not there
		}
		return err
	})
	return writeError(ctx, err)
}

// purge deletes the messages on a subject but for the last keep of them.
func (s *stream) purge(ctx context.Context, subject string, keep uint64) error {
	request := struct {
		Filter string `json:"filter"`
		Keep   uint64 `json:"keep"`
	}{subject, keep}
	var response struct{}
	err := retry(ctx, func(ctx context.Context) error {
		return s.wire.call(ctx, "$JS.API.STREAM.PURGE."+s.name, request, &response)
	})
	return writeError(ctx, err)
}

// readError turns what kept a read from an answer into the journal's error.
func readError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case transient(err):
		return fmt.Errorf("%w: %w", journal.ErrBusy, err)
	}
	return err
}

// writeError turns what kept a repeatable write from an answer into the journal's error.
func writeError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errNoAnswer):
		return fmt.Errorf("%w: %w", journal.ErrUnknown, err)
	}
	return readError(ctx, err)
}
