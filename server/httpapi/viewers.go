package httpapi

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"axiom25/server/fanout"
)

// errClosing is why a request ends that waits for events when the server stops.
var errClosing = errors.New("the server is closing")

// streams are those that are open, so that they can be ended. Its zero value is ready.
type streams struct {
	mu     sync.Mutex
	closed bool
	open   map[*viewer]struct{}
	polls  map[*context.CancelCauseFunc]struct{}
	// running are the streams that have a goroutine of their own. None is added once closed is set.
	running sync.WaitGroup
}

// viewer is one stream that is open.
type viewer struct {
	bell    *fanout.Bell
	source  source // nil until it was opened
	leave   func() // lets the viewer out of the admission
	streams *streams
	away    atomic.Bool // the server asks the viewer to leave

	lock     sync.Mutex
	conn     net.Conn // the viewer's own, where the stream was detached
	detached bool
}

// enter lets a viewer in; nil where nobody is let in any more.
func (s *streams) enter(leave func()) *viewer {
	v := &viewer{bell: fanout.NewBell(), leave: leave, streams: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	if s.open == nil {
		s.open = make(map[*viewer]struct{})
	}
	s.open[v] = struct{}{}
	s.running.Add(1)
	return v
}

// sendAway asks the viewer to come back later.
func (v *viewer) sendAway() {
	v.away.Store(true)
	v.bell.Ring()
}

// sentAway reports whether the server has asked the viewer to leave.
func (v *viewer) sentAway() bool { return v.away.Load() }

// detach says that the stream goes on when its handler has returned, on a connection of its own.
func (v *viewer) detach(conn net.Conn) {
	v.lock.Lock()
	defer v.lock.Unlock()
	v.conn, v.detached = conn, true
}

// cut ends the viewer's connection at once, where it is its own.
func (v *viewer) cut() {
	v.lock.Lock()
	defer v.lock.Unlock()
	if v.conn != nil {
		_ = v.conn.Close() // the stream's goroutine meets the error
	}
}

// release is end, unless the stream goes on.
func (v *viewer) release() {
	if !v.detached {
		v.end()
	}
}

// end lets go of everything that the viewer had.
func (v *viewer) end() {
	if v.source != nil {
		v.source.close()
	}
	v.streams.mu.Lock()
	delete(v.streams.open, v)
	v.streams.mu.Unlock()
	v.leave()
	v.streams.running.Done()
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
func (s *streams) close() []*viewer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return slices.Collect(maps.Keys(s.open))
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
	viewers := a.streams.close()
	if len(viewers) == 0 || over <= 0 {
		return
	}
	step := min(drainStep, over/time.Duration(len(viewers)))
	began := a.Now()
	for i, v := range viewers {
		// Timers are coarser than the steps may be: who is due is sent away, then the next is waited for.
		if due := time.Duration(i) * step; due > a.Now().Sub(began) {
			pause(ctx, due-a.Now().Sub(began))
		}
		if ctx.Err() != nil {
			return
		}
		v.sendAway()
	}
}

// Close ends the streams and the requests that wait for events, which http.Server.Shutdown would wait for. Register
// it with http.Server.RegisterOnShutdown. The API answers other requests as before.
func (a *API) Close() {
	for _, v := range a.streams.close() {
		v.sendAway()
	}
	a.streams.endPolls()
}

// Wait returns when the streams have ended that Close has sent away. http.Server.Shutdown does not know of them, since a
// stream takes its connection. Viewers that do not take their leave until ctx ends are cut off.
func (a *API) Wait(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() {
		for _, v := range a.streams.close() {
			v.cut()
		}
	})
	defer stop()
	a.streams.running.Wait()
}
