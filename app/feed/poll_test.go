package feed_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"axiom25/app/feed"
	"axiom25/contracts"
)

// scribe writes down what a source reports.
type scribe struct {
	mu   sync.Mutex
	said []string
}

func (s *scribe) say(words ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, strings.Join(words, " "))
}

func (s *scribe) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	said := s.said
	s.said = nil
	return said
}

func (s *scribe) handlers() feed.Handlers {
	return feed.Handlers{
		Open:    func() { s.say("open") },
		Message: func(data string) { s.say("message", data) },
		Reset:   func() { s.say("reset") },
		List:    func(data string) { s.say("list", data) },
		Lost:    func(final bool) { s.say("lost", strconv.FormatBool(final)) },
		Busy:    func(wait time.Duration) { s.say("busy", wait.String()) },
	}
}

// busyError is a server that wants to be left alone.
type busyError struct{}

func (busyError) Error() string             { return "busy" }
func (busyError) RetryAfter() time.Duration { return 7 * time.Second }

func TestPollList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s scribe
		answers := []string{"[1]", "[1,2]"}
		asked := 0
		source := feed.PollList(func(ctx context.Context) (json.RawMessage, error) {
			asked++
			if asked > len(answers) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return json.RawMessage(answers[asked-1]), nil
		}, s.handlers())
		wants := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			if got := s.take(); !slices.Equal(got, want) {
				t.Errorf("%s it says %q, want %q", when, got, want)
			}
		}
		wants("at once", "open", "list [1]")
		time.Sleep(1900 * time.Millisecond)
		wants("before two seconds have passed")
		time.Sleep(200 * time.Millisecond)
		wants("after two seconds", "open", "list [1,2]")
		time.Sleep(2 * time.Second)
		wants("while the third answer is awaited")
		source.Close() // a feed does not hear what is said from now on
		synctest.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		if asked != 3 {
			t.Errorf("asked %d times, want 3: nothing is asked once it is closed", asked)
		}
	})
}

func TestPollListThatIsRefused(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{"lost true": errors.New("gone"), "busy 7s, lost true": busyError{}} {
		synctest.Test(t, func(t *testing.T) {
			var s scribe
			asked := 0
			feed.PollList(func(context.Context) (json.RawMessage, error) {
				asked++
				return nil, err
			}, s.handlers())
			time.Sleep(time.Minute)
			synctest.Wait()
			if got := strings.Join(s.take(), ", "); got != want || asked != 1 {
				t.Errorf("%v: says %q after %d questions, want %q after one", err, got, asked, want)
			}
		})
	}
}

func TestImpatientDoesNotWaitForTheBrowserToComeBack(t *testing.T) {
	t.Parallel()
	var e edge
	var s scribe
	source := feed.Impatient(e.open)("/s?after=3", s.handlers())
	e.last().Open()
	e.last().List("[]")
	e.last().Lost(false)
	e.last().Lost(true)
	source.Close()
	if got, want := s.take(), []string{"open", "list []", "lost true", "lost true"}; !slices.Equal(got, want) {
		t.Errorf("says %q, want %q", got, want)
	}
	if !slices.Equal(e.urls, []string{"/s?after=3"}) || e.closed != 1 {
		t.Errorf("opened %q and closed %d, want the same source", e.urls, e.closed)
	}
}

// clock is a clock that a test moves on.
type clock struct {
	now    time.Duration
	timers []*timer
}

type timer struct {
	at   time.Duration
	ring func()
}

func (c *clock) after(d time.Duration, ring func()) (stop func()) {
	t := &timer{c.now + d, ring}
	c.timers = append(c.timers, t)
	return func() { t.ring = nil }
}

// pass rings what is due within d.
func (c *clock) pass(d time.Duration) {
	c.now += d
	for _, t := range c.timers {
		if t.at <= c.now && t.ring != nil {
			ring := t.ring
			t.ring = nil
			ring()
		}
	}
}

// TestCrowdedBrowser has a browser without a connection left for a stream, until it has one.
func TestCrowdedBrowser(t *testing.T) {
	t.Parallel()
	var e, poll edge
	var c clock
	var polls []string
	f := feed.New(feed.Config{
		URL: "/s", Open: e.open, Notify: func() {}, After: c.after,
		Poll: func(after contracts.Seq, briefly bool, h feed.Handlers) feed.Source {
			polls = append(polls, strconv.FormatInt(int64(after), 10)+" "+strconv.FormatBool(briefly))
			return poll.open("", h)
		},
	})
	defer f.Close()
	phase := func() feed.Phase {
		_, _, status := f.Take(10)
		return status.Phase
	}
	crowd := func() {
		e.last().Crowded()
		e.last().Lost(true)
	}
	f.Connect(0)
	crowd()
	poll.last().Open()
	if got := phase(); got != feed.Polled {
		t.Fatalf("without a connection the phase is %v", got)
	}
	f.Folded(5)
	c.pass(9 * time.Second)
	if len(e.urls) != 1 {
		t.Fatalf("opened %q within nine seconds", e.urls)
	}
	c.pass(2 * time.Second)
	crowd()
	if want := []string{"0 true", "5 true"}; !slices.Equal(polls, want) || poll.closed != 1 || phase() != feed.Polled {
		t.Fatalf("polls %q, of which %d are closed, in phase %v; want %q, and that nobody sees the attempt", polls, poll.closed, phase(), want)
	}
	c.pass(11 * time.Second)
	e.last().Open()
	if want := []string{"/s", "/s?after=5", "/s?after=5"}; !slices.Equal(e.urls, want) || poll.closed != 2 || phase() != feed.Live {
		t.Fatalf("opened %q with %d polls closed, in phase %v; want %q", e.urls, poll.closed, phase(), want)
	}
	c.pass(time.Minute)
	if len(e.urls) != 3 {
		t.Errorf("a stream that stands was left for %q", e.urls[3:])
	}

	// A server that does not stream is asked at length, and not whether it streams now.
	e.last().Lost(true)
	c.pass(2 * time.Second)
	e.last().Lost(true)
	poll.last().Open()
	c.pass(time.Minute)
	if want := []string{"0 true", "5 true", "5 false"}; !slices.Equal(polls, want) || len(e.urls) != 4 {
		t.Errorf("polls %q, want %q, and opened %q", polls, want, e.urls)
	}
}
