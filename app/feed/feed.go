// Package feed brings a run's events into the browser: it keeps one EventSource open, hands over what came in
// batches, and comes back by itself from where the reader stands when the connection ends for good. Where a stream does
// not open, it polls.
//
// What it guarantees to its one reader: frames in the order in which they came; at most one notification
// outstanding, however many frames wait; nothing after Close. It does not promise that a seq comes only once:
// the reader skips what it has folded.
package feed

import (
	"fmt"
	"math"
	"sync"
	"time"

	"axiom25/contracts"
)

// Source is an open stream.
type Source interface {
	// Close ends it. Handlers may still be called afterwards; the feed ignores them.
	Close()
}

// Handlers are what a Source reports to. They may be called from any goroutine, one at a time.
type Handlers struct {
	// Open is called each time when the connection stands.
	Open func()
	// Message is called with the data of each unnamed frame.
	Message func(data string)
	// Waiting is called when unnamed frames wait in a source that collects them, and not again before flush has returned 0. flush
	// hands some of them over to Message, and returns how many are left.
	Waiting func(flush func() (left int))
	// Reset is called for `event: reset`: the history begins again at 1.
	Reset func()
	// List is called with the data of `event: list`.
	List func(data string)
	// Lost is called when the connection ended. final says that the source will not come back by itself.
	Lost func(final bool)
	// Busy is called before Lost where the server has said how long to stay away; nil where that is of no use.
	Busy func(wait time.Duration)
	// Crowded is called before Lost where the browser has no connection left for a stream.
	Crowded func()
}

// Opener opens a stream at an address of the same origin. It calls no handler before it returns.
type Opener func(url string, h Handlers) Source

// Phase is where the connection stands.
type Phase int

// The phases of a connection.
const (
	// Connecting is the first attempt, under way.
	Connecting Phase = iota
	// Live is an open connection.
	Live
	// Polled is a server that does not stream but answers who asks.
	Polled
	// Reconnecting is a later attempt, under way.
	Reconnecting
	// Waiting is the pause before the next attempt.
	Waiting
	// Asleep is a feed that nobody looks at: it holds no connection.
	Asleep
	// Ended is a closed feed.
	Ended
)

// Status is the state of the connection.
type Status struct {
	Phase Phase
	// Attempt counts the attempts to come back, from 1; 0 while nothing was lost.
	Attempt int
	// RetryAt is when the next attempt begins, while Waiting.
	RetryAt time.Time
}

// Words says it to a reader.
func (s Status) Words(now time.Time) string {
	switch s.Phase {
	case Connecting:
		return "Connecting"
	case Live:
		return "Live"
	case Polled:
		return "Live, by polling"
	case Reconnecting:
		return fmt.Sprintf("Reconnecting (attempt %d)", s.Attempt)
	case Waiting:
		seconds := max(1, int(math.Ceil(s.RetryAt.Sub(now).Seconds())))
		return fmt.Sprintf("Reconnecting in %d s (attempt %d)", seconds, s.Attempt)
	case Asleep:
		return "Paused"
	case Ended:
	}
	return "Closed"
}

// Frame is one thing that a stream said.
type Frame struct {
	// Reset voids everything before it; the other fields are then empty.
	Reset bool
	// List says that Data is the whole of a list.
	List bool
	// Data is an event, a row or a list as it was sent.
	Data string
}

// Config is what a Feed is made of.
type Config struct {
	// URL is the stream's address without a cursor.
	URL string
	// Notify is called when there is something to Take, and not again before Take was called. It must
	// not block, nor call the feed.
	Notify func()
	// Open opens the stream; the browser's EventSource where nil.
	Open Opener
	// Poll opens what is asked instead where a stream does not open, at its address without a cursor; nil where there is
	// no such thing. briefly says that no question may hold a connection, so that none may wait for news.
	Poll func(after contracts.Seq, briefly bool, h Handlers) Source
	// Now is the clock; the system's where nil.
	Now func() time.Time
	// After calls f after d, unless stop is called before; time.AfterFunc where nil.
	After func(d time.Duration, f func()) (stop func())
	// Sight reports whether somebody sees the page, and calls change when that changes, until stop; the browser's where nil.
	// A feed that nobody sees sleeps: it holds no connection, and goes on from where it was once it is seen.
	Sight func(change func(seen bool)) (seen bool, stop func())
	// Spread is a random number within 0..1 that keeps many clients from coming back at once; 0.5 where nil.
	Spread func() float64
}

// Feed is one run's stream. Its methods may be called from any goroutine.
type Feed struct {
	cfg Config

	mu       sync.Mutex
	source   Source
	opening  int // counts the sources, so that a closed one's late calls are known
	frames   []Frame
	flush    func() (left int) // brings further frames from the source; nil where none wait there
	left     int               // how many waited there when it was last called
	notified bool
	status   Status
	cursor   contracts.Seq // the last event that the reader has folded
	stop     func()        // ends the pause before the next attempt
	unsee    func()        // ends Config.Sight
	opened   bool          // the stream stood, since it was last opened
	polling  bool          // the source is Poll's
	crowded  bool          // because there was no connection left for a stream
	busy     time.Duration // how long the server wants to be left alone, the next time that the feed pauses
}

// The pause before attempt n is firstPause·2^(n−1), at most longestPause, spread by ±20 %. Where the server has said how long
// to stay away, it is that at least.
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// crowdedPause is how long a feed that found no connection for its stream polls before it looks for one again.
const crowdedPause = 10 * time.Second

// New returns a feed that is not connected yet.
func New(cfg Config) *Feed {
	if cfg.Open == nil {
		cfg.Open = OpenEventSource
	}
	if cfg.Now == nil {
		cfg.Now = time.Now //nolint:forbidigo // the default of the clock field
	}
	if cfg.After == nil {
		cfg.After = func(d time.Duration, f func()) func() {
			t := time.AfterFunc(d, f)
			return func() { t.Stop() }
		}
	}
	if cfg.Sight == nil {
		cfg.Sight = browserSight
	}
	if cfg.Spread == nil {
		cfg.Spread = func() float64 { return 0.5 }
	}
	return &Feed{cfg: cfg}
}

// Connect opens the stream behind the event after.
func (f *Feed) Connect(after contracts.Seq) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cursor = after
	if f.unsee == nil {
		var seen bool
		if seen, f.unsee = f.cfg.Sight(f.see); !seen {
			f.sleep()
			return
		}
	}
	f.connect()
}

// see follows whether the page is seen.
func (f *Feed) see(seen bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.status.Phase == Ended:
	case !seen:
		f.sleep()
	case f.status.Phase == Asleep:
		f.status = Status{Phase: Connecting}
		f.connect()
		f.notify()
	}
}

// sleep closes the connection. What has come can still be taken. Browsers allow six connections to a server (HTTP/1.1), for all
// of their pages together.
func (f *Feed) sleep() {
	f.drop()
	f.opened, f.polling = false, false
	f.status = Status{Phase: Asleep}
	f.notify()
}

// Offer hands events to the reader that did not come by the stream, before it is connected.
func (f *Feed) Offer(lines []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range lines {
		f.push(Frame{Data: line})
	}
}

// Take returns up to limit waiting frames, whether more wait, and the state of the connection. When more wait,
// Notify is not called again: the reader comes back by itself.
func (f *Feed) Take(limit int) (frames []Frame, more bool, status Status) {
	f.mu.Lock()
	f.fetch(limit)
	defer f.mu.Unlock()
	if len(f.frames) <= limit {
		frames, f.frames = f.frames, nil
	} else {
		frames, f.frames = f.frames[:limit:limit], f.frames[limit:]
	}
	more = len(f.frames) > 0 || f.flush != nil
	f.notified = more
	return frames, more, f.status
}

// fetch brings frames from a source that collects them, until there are enough.
func (f *Feed) fetch(enough int) {
	for f.flush != nil && len(f.frames) < enough {
		flush, opening := f.flush, f.opening
		f.flush = nil // the source may ring again
		f.mu.Unlock()
		left := flush()
		f.mu.Lock()
		if f.opening == opening && left > 0 {
			f.flush, f.left = flush, left
		}
	}
}

// Waits is how many frames wait to be taken.
func (f *Feed) Waits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.flush != nil {
		return len(f.frames) + f.left
	}
	return len(f.frames)
}

// Folded tells the feed how far its reader is: where to resume.
func (f *Feed) Folded(seq contracts.Seq) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cursor = seq
}

// Retry ends a pause and connects at once; during any other phase it does nothing.
func (f *Feed) Retry() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.status.Phase == Waiting {
		f.reconnect()
	}
}

// StayAway puts the next attempt off for as long as the server has asked for, where the feed waits.
func (f *Feed) StayAway(wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.status.Phase != Waiting || !f.status.RetryAt.Before(f.cfg.Now().Add(wait)) {
		return
	}
	f.status.Attempt-- // it is the same pause, made longer
	f.busy = wait
	f.pause()
}

// Restart drops what waits and opens the stream again behind the event after: for a reader that found a gap.
func (f *Feed) Restart(after contracts.Seq) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.status.Phase == Ended {
		return
	}
	f.frames, f.cursor = nil, after
	f.pause()
}

// Close ends the feed for good. Notify is not called any more.
func (f *Feed) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop()
	f.frames = nil
	f.status = Status{Phase: Ended}
	if f.unsee != nil {
		f.unsee()
		f.unsee = nil
	}
}

// connect opens a source, whose handlers are deaf once another one was opened.
func (f *Feed) connect() {
	f.drop()
	opening := f.opening
	on := func(do func()) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.opening == opening {
			do()
		}
	}
	handlers := Handlers{
		Open:    func() { on(f.stand) },
		Message: func(data string) { on(func() { f.push(Frame{Data: data}) }) },
		Waiting: func(flush func() int) { on(func() { f.flush, f.left = flush, 1; f.notify() }) },
		Reset:   func() { on(func() { f.push(Frame{Reset: true}) }) },
		List:    func(data string) { on(func() { f.push(Frame{List: true, Data: data}) }) },
		Lost:    func(final bool) { on(func() { f.lost(final) }) },
		Busy:    func(wait time.Duration) { on(func() { f.busy = wait }) },
		Crowded: func() { on(func() { f.crowded = true }) },
	}
	if f.polling {
		f.source = f.cfg.Poll(f.cursor, f.crowded, handlers)
		if f.crowded {
			f.stop = f.cfg.After(crowdedPause, func() { on(f.streamAgain) })
		}
		return
	}
	f.crowded = false
	url := f.cfg.URL
	if f.cursor > 0 {
		url = fmt.Sprintf("%s?after=%d", url, f.cursor)
	}
	f.source = f.cfg.Open(url, handlers)
}

func (f *Feed) stand() {
	f.opened = true
	f.status = Status{Phase: Live}
	if f.polling {
		f.status.Phase = Polled
	}
	f.notify()
}

func (f *Feed) push(frame Frame) {
	f.frames = append(f.frames, frame)
	f.notify()
}

// streamAgain looks whether there is a connection for the stream now. What is asked meanwhile comes to nothing.
func (f *Feed) streamAgain() {
	f.opened, f.polling = false, false
	f.connect()
}

// lost follows the end of a connection: the browser tries again by itself, or the feed does after a pause. A stream that
// did not open is not tried again before the server was asked without one, and the other way around.
func (f *Feed) lost(final bool) {
	if final {
		refused := !f.polling && !f.opened && f.cfg.Poll != nil
		f.opened, f.polling = false, refused
		if refused {
			f.connect()
			return
		}
		f.pause()
		return
	}
	f.status = Status{Phase: Reconnecting, Attempt: f.status.Attempt + 1}
	f.notify()
}

// pause closes the source and connects again later.
func (f *Feed) pause() {
	f.drop()
	attempt := f.status.Attempt + 1
	pause := min(longestPause, firstPause<<min(attempt-1, 10))
	pause = time.Duration(float64(pause) * (0.8 + 0.4*f.cfg.Spread()))
	if f.busy > pause {
		// Not before, and not all at once.
		pause = f.busy + time.Duration(float64(firstPause)*f.cfg.Spread())
	}
	f.busy = 0
	f.status = Status{Phase: Waiting, Attempt: attempt, RetryAt: f.cfg.Now().Add(pause)}
	opening := f.opening
	f.stop = f.cfg.After(pause, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.opening == opening && f.status.Phase == Waiting {
			f.reconnect()
		}
	})
	f.notify()
}

func (f *Feed) reconnect() {
	f.status.Phase = Reconnecting
	f.connect()
	f.notify()
}

// drop closes the source and ends a pause; whatever either still says is not heard.
func (f *Feed) drop() {
	f.opening++
	f.flush = nil
	if f.source != nil {
		f.source.Close()
		f.source = nil
	}
	if f.stop != nil {
		f.stop()
		f.stop = nil
	}
}

// notify rings the reader's bell, once until it takes.
func (f *Feed) notify() {
	if f.notified {
		return
	}
	f.notified = true
	f.cfg.Notify()
}
