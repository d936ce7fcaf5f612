package httpapi

import (
	"context"
	"errors"
	"sync"
	"time"

	"axiom25/server/fanout"
)

// errClosing is why a request ends that waits for events when the server stops.
var errClosing = errors.New("the server is closing")

// streams are those that are open, so that they can be ended. Its zero value is ready.
type streams struct {
	mu     sync.Mutex
	closed bool
	open   map[*seat]struct{}
	polls  map[*context.CancelCauseFunc]struct{}
}

// seat is one stream as far as others may touch it.
type seat struct {
	bell    *fanout.Bell
	left    chan struct{} // closed when the server asks the viewer to leave
	leaving sync.Once
}

// leave asks the viewer to come back later.
func (s *seat) leave() {
	s.leaving.Do(func() {
		close(s.left)
		s.bell.Ring()
	})
}

// sentAway reports whether the server has asked the viewer to leave.
func (s *seat) sentAway() bool {
	select {
	case <-s.left:
		return true
	default:
		return false
	}
}

// sit enters a stream; stand takes it out again.
func (s *streams) sit() *seat {
	st := &seat{bell: fanout.NewBell(), left: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		st.leave()
	}
	if s.open == nil {
		s.open = make(map[*seat]struct{})
	}
	s.open[st] = struct{}{}
	return st
}

func (s *streams) stand(st *seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, st)
}

// closing reports whether no new viewer is let in.
func (s *streams) closing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// untilClosed returns a context that also ends, with cause errClosing, when the streams are closed.
func (s *streams) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		end(errClosing)
	}
	if s.polls == nil {
		s.polls = make(map[*context.CancelCauseFunc]struct{})
	}
	key := &end
	s.polls[key] = struct{}{}
	return ctx, func() {
		s.mu.Lock()
		delete(s.polls, key)
		s.mu.Unlock()
		end(nil)
	}
}

// close lets nobody in any more and returns those who are there.
func (s *streams) close() []*seat {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	seats := make([]*seat, 0, len(s.open))
	for st := range s.open {
		seats = append(seats, st)
	}
	return seats
}

// endPolls ends the requests that wait for events.
func (s *streams) endPolls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for end := range s.polls {
		(*end)(errClosing)
	}
}

// drainStep is the most that passes between two viewers that are sent away: a few do not take the whole time.
const drainStep = 100 * time.Millisecond

// Drain sends the viewers of the streams away one by one, evenly over a time, each with another time to come back after:
// else they would all come back to another server, or to this one's successor, in the same moment. Nobody new is let in
// meanwhile, and /readyz says so; other requests are answered as before. It returns when the last was sent away or when
// ctx ends; Close sends away who is left then.
func (a *API) Drain(ctx context.Context, over time.Duration) {
	seats := a.streams.close()
	if len(seats) == 0 || over <= 0 {
		return
	}
	step := min(drainStep, over/time.Duration(len(seats)))
	began := a.Now()
	for i, st := range seats {
		// Timers are coarser than the steps may be: who is due is sent away, then the next is waited for.
		if due := time.Duration(i) * step; due > a.Now().Sub(began) {
			pause(ctx, due-a.Now().Sub(began))
		}
		if ctx.Err() != nil {
			return
		}
		st.leave()
	}
}

// Close ends the streams and the requests that wait for events, which http.Server.Shutdown would wait for. Register
// it with http.Server.RegisterOnShutdown. The API answers other requests as before.
func (a *API) Close() {
	for _, st := range a.streams.close() {
		st.leave()
	}
	a.streams.endPolls()
}
