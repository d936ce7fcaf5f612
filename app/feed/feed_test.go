package feed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"axiom25/app/feed"
	"axiom25/contracts"
)

// edge is a server's end of the streams that a feed opens.
type edge struct {
	urls     []string
	handlers []feed.Handlers
	closed   int
	rings    int
}

type source struct{ e *edge }

func (s source) Close() { s.e.closed++ }

func (e *edge) open(url string, h feed.Handlers) feed.Source {
	e.urls = append(e.urls, url)
	e.handlers = append(e.handlers, h)
	return source{e}
}

func (e *edge) last() feed.Handlers { return e.handlers[len(e.handlers)-1] }

func newFeed(e *edge) *feed.Feed {
	return feed.New(feed.Config{URL: "/s", Open: e.open, Notify: func() { e.rings++ }})
}

func dataOf(frames []feed.Frame) []string {
	var data []string
	for _, f := range frames {
		data = append(data, f.Data)
	}
	return data
}

func TestFeed(t *testing.T) {
	t.Parallel()

	t.Run("rings once for many frames and hands them over in order", func(t *testing.T) {
		t.Parallel()
		var e edge
		f := newFeed(&e)
		f.Connect(0)
		e.last().Open()
		for _, d := range []string{"1", "2", "3"} {
			e.last().Message(d)
		}
		if e.rings != 1 {
			t.Fatalf("%d rings, want 1", e.rings)
		}
		frames, more, status := f.Take(2)
		if got := dataOf(frames); !slices.Equal(got, []string{"1", "2"}) || !more || status.Phase != feed.Live {
			t.Fatalf("first take: %v, more %v, %v", got, more, status)
		}
		e.last().Message("4")
		if e.rings != 1 {
			t.Error("rang while the reader is known to come back")
		}
		frames, more, _ = f.Take(10)
		if got := dataOf(frames); !slices.Equal(got, []string{"3", "4"}) || more {
			t.Fatalf("second take: %v, more %v", got, more)
		}
		e.last().Message("5")
		if e.rings != 2 {
			t.Errorf("%d rings, want 2", e.rings)
		}
	})

	t.Run("comes back behind the last folded event when the source ends for good", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var e edge
			f := newFeed(&e)
			f.Connect(0)
			e.last().Open()
			f.Folded(7)
			e.last().Lost(true)
			_, _, status := f.Take(1)
			if status.Phase != feed.Waiting || status.Attempt != 1 || time.Until(status.RetryAt) != time.Second {
				t.Fatalf("after the loss: %+v", status)
			}
			time.Sleep(time.Second + time.Millisecond)
			synctest.Wait()
			if want := []string{"/s", "/s?after=7"}; !slices.Equal(e.urls, want) {
				t.Fatalf("opened %v, want %v", e.urls, want)
			}
			e.last().Lost(true)
			_, _, status = f.Take(1)
			if status.Attempt != 2 || time.Until(status.RetryAt) != 2*time.Second {
				t.Fatalf("after the second loss: %+v", status)
			}
			time.Sleep(3 * time.Second)
			synctest.Wait()
			e.last().Open()
			_, _, status = f.Take(1)
			if status != (feed.Status{Phase: feed.Live}) {
				t.Fatalf("after coming back: %+v", status)
			}
		})
	})

	t.Run("fetches what a source collects as it is taken", func(t *testing.T) {
		t.Parallel()
		var e edge
		f := newFeed(&e)
		f.Connect(0)
		e.last().Open()
		f.Take(1)
		collected, flushes := []string{"1", "2", "3", "4", "5"}, 0
		flush := func() int {
			flushes++
			some := min(2, len(collected))
			for _, data := range collected[:some] {
				e.last().Message(data)
			}
			collected = collected[some:]
			return len(collected)
		}
		before := e.rings
		e.last().Waiting(flush)
		if e.rings != before+1 || f.Waits() != 1 {
			t.Fatalf("%d rings, %d frames wait; want one more ring, and one that is known to wait", e.rings-before, f.Waits())
		}
		frames, more, _ := f.Take(3)
		if got := fmt.Sprint(frames); got != "[{false false 1} {false false 2} {false false 3}]" || !more || flushes != 2 || f.Waits() != 2 {
			t.Fatalf("Take(3) = %s, %t after %d flushes; %d wait", got, more, flushes, f.Waits())
		}
		frames, more, _ = f.Take(9)
		if got := fmt.Sprint(frames); got != "[{false false 4} {false false 5}]" || more || flushes != 3 || f.Waits() != 0 {
			t.Fatalf("Take(9) = %s, %t after %d flushes; %d wait", got, more, flushes, f.Waits())
		}
		e.last().Waiting(flush)
		f.Close()
		if frames, more, _ = f.Take(9); len(frames) != 0 || more || flushes != 3 {
			t.Fatalf("after Close, Take = %v, %t after %d flushes", frames, more, flushes)
		}
	})

	t.Run("sleeps without a connection while nobody sees it, and wakes behind the last folded event", func(t *testing.T) {
		t.Parallel()
		for _, seen := range []bool{true, false} {
			var e edge
			var change func(seen bool)
			stopped := 0
			f := feed.New(feed.Config{
				URL: "/s", Open: e.open, Notify: func() { e.rings++ },
				Sight: func(c func(seen bool)) (bool, func()) { change = c; return seen, func() { stopped++ } },
			})
			f.Connect(0)
			if !seen {
				if _, _, status := f.Take(1); len(e.urls) != 0 || status.Phase != feed.Asleep {
					t.Fatalf("opened %v in phase %v though nobody sees it", e.urls, status)
				}
				change(true)
			}
			e.last().Open()
			e.last().Message("1")
			change(false)
			e.last().Message("2") // the browser may still call what it had begun to
			frames, _, status := f.Take(10)
			if got := dataOf(frames); !slices.Equal(got, []string{"1"}) || status.Phase != feed.Asleep || e.closed != 1 {
				t.Fatalf("asleep: %v, %v, %d closed", got, status, e.closed)
			}
			f.Folded(1)
			f.Retry()
			if len(e.urls) != 1 {
				t.Fatalf("a sleeping feed opened %v", e.urls)
			}
			change(true)
			change(true)
			e.last().Open()
			_, _, status = f.Take(10)
			if want := []string{"/s", "/s?after=1"}; !slices.Equal(e.urls, want) || status != (feed.Status{Phase: feed.Live}) {
				t.Fatalf("awake: opened %v, %v", e.urls, status)
			}
			f.Close()
			change(false)
			change(true)
			if _, _, status := f.Take(1); status.Phase != feed.Ended || len(e.urls) != 2 || stopped != 1 {
				t.Errorf("%v after opening %v, stopped %d times", status, e.urls, stopped)
			}
		}
	})

	t.Run("stays away for as long as the server asks", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var e edge
			f := newFeed(&e)
			f.Connect(0)
			e.last().Open()
			e.last().Busy(20 * time.Second)
			e.last().Lost(true)
			_, _, status := f.Take(1)
			if pause := time.Until(status.RetryAt); pause < 20*time.Second || pause > 21*time.Second || status.Attempt != 1 {
				t.Fatalf("comes back in %v, attempt %d", pause, status.Attempt)
			}
			f.StayAway(10 * time.Second)
			f.StayAway(40 * time.Second)
			_, _, status = f.Take(1)
			if pause := time.Until(status.RetryAt); pause < 40*time.Second || pause > 41*time.Second || status.Attempt != 1 {
				t.Fatalf("comes back in %v, attempt %d, after it was asked for more", pause, status.Attempt)
			}
			time.Sleep(42 * time.Second)
			synctest.Wait()
			e.last().Lost(true)
			_, _, status = f.Take(1)
			if pause := time.Until(status.RetryAt); pause != 2*time.Second || status.Attempt != 2 {
				t.Fatalf("comes back in %v, attempt %d: a wish holds once", pause, status.Attempt)
			}
		})
	})

	t.Run("waits at most thirty seconds", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var e edge
			f := newFeed(&e)
			f.Connect(0)
			for range 12 {
				e.last().Lost(true)
				_, _, status := f.Take(1)
				if pause := time.Until(status.RetryAt); pause > 30*time.Second {
					t.Fatalf("attempt %d waits %v", status.Attempt, pause)
				}
				time.Sleep(31 * time.Second)
				synctest.Wait()
			}
		})
	})

	t.Run("leaves a reconnection to the browser where it makes one", func(t *testing.T) {
		t.Parallel()
		var e edge
		f := newFeed(&e)
		f.Connect(0)
		e.last().Open()
		e.last().Lost(false)
		_, _, status := f.Take(1)
		if status.Phase != feed.Reconnecting || status.Attempt != 1 || len(e.urls) != 1 {
			t.Fatalf("%+v, opened %v", status, e.urls)
		}
	})

	t.Run("does not hear a source that it has closed", func(t *testing.T) {
		t.Parallel()
		var e edge
		f := newFeed(&e)
		f.Connect(0)
		old := e.last()
		f.Restart(3)
		f.Retry()
		old.Message("late")
		old.Lost(true)
		e.last().Message("4")
		frames, _, _ := f.Take(10)
		if got := dataOf(frames); !slices.Equal(got, []string{"4"}) {
			t.Fatalf("heard %v", got)
		}
		if want := []string{"/s", "/s?after=3"}; !slices.Equal(e.urls, want) {
			t.Fatalf("opened %v, want %v", e.urls, want)
		}
	})

	t.Run("is silent after Close", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var e edge
			f := newFeed(&e)
			f.Connect(0)
			e.last().Lost(true)
			f.Take(1)
			rings := e.rings
			f.Close()
			e.last().Message("1")
			f.Retry()
			f.Restart(0)
			time.Sleep(time.Minute)
			synctest.Wait()
			frames, more, status := f.Take(1)
			if e.rings != rings || len(frames) != 0 || more || status.Phase != feed.Ended || len(e.urls) != 1 {
				t.Fatalf("%d rings, %v, %+v, opened %v", e.rings-rings, frames, status, e.urls)
			}
		})
	})

	t.Run("hands a reset over in its place", func(t *testing.T) {
		t.Parallel()
		var e edge
		f := newFeed(&e)
		f.Connect(contracts.Seq(9))
		e.last().Reset()
		e.last().Message("1")
		frames, _, _ := f.Take(10)
		if len(frames) != 2 || !frames[0].Reset || frames[1].Data != "1" {
			t.Fatalf("%+v", frames)
		}
	})
}

func TestStatusWords(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for want, s := range map[string]feed.Status{
		"Connecting":                      {},
		"Live":                            {Phase: feed.Live},
		"Reconnecting (attempt 2)":        {Phase: feed.Reconnecting, Attempt: 2},
		"Reconnecting in 3 s (attempt 2)": {Phase: feed.Waiting, Attempt: 2, RetryAt: now.Add(2100 * time.Millisecond)},
		"Reconnecting in 1 s (attempt 4)": {Phase: feed.Waiting, Attempt: 4, RetryAt: now.Add(-time.Second)},
		"Closed":                          {Phase: feed.Ended},
	} {
		if got := s.Words(now); got != want {
			t.Errorf("%+v says %q, want %q", s, got, want)
		}
	}
}

// TestPolling has a server that does not stream.
func TestPolling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var e edge
		answers := map[contracts.Seq]feed.Page{
			0: {Events: []json.RawMessage{json.RawMessage("1"), json.RawMessage("2")}, Last: 3},
			2: {Events: []json.RawMessage{json.RawMessage("3")}, Last: 3},
			3: {Last: 3},
		}
		var lock sync.Mutex // for what follows
		var asked []contracts.Seq
		var broken error
		f := feed.New(feed.Config{
			URL: "/s", Open: e.open, Notify: func() { e.rings++ },
			Poll: func(after contracts.Seq, _ bool, h feed.Handlers) feed.Source {
				return feed.Poll(func(_ context.Context, after contracts.Seq) (feed.Page, error) {
					lock.Lock()
					defer lock.Unlock()
					asked = append(asked, after)
					return answers[after], broken
				}, after, h)
			},
		})
		defer f.Close()
		f.Connect(0)
		e.last().Lost(true) // 406
		synctest.Wait()
		frames, _, status := f.Take(10)
		if got := dataOf(frames); !slices.Equal(got, []string{"1", "2", "3"}) || status.Phase != feed.Polled {
			t.Fatalf("took %v in phase %v, want 1 2 3 by polling", got, status)
		}
		if words := status.Words(time.Time{}); words != "Live, by polling" {
			t.Errorf("the reader is told %q", words)
		}
		time.Sleep(3500 * time.Millisecond)
		synctest.Wait()
		lock.Lock()
		if want := []contracts.Seq{0, 2, 3, 3, 3, 3}; !slices.Equal(asked, want) {
			t.Errorf("asked behind %v, want %v: once a second while nothing comes", asked, want)
		}
		broken = errors.New("gone")
		lock.Unlock()

		f.Folded(3)
		time.Sleep(time.Second)
		synctest.Wait()
		if _, _, status = f.Take(1); status.Phase != feed.Waiting {
			t.Fatalf("after a poll that failed: %v", status)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if want := []string{"/s", "/s?after=3"}; !slices.Equal(e.urls, want) {
			t.Fatalf("opened %v, want %v: the stream is tried again", e.urls, want)
		}
		synctest.Wait()
		e.last().Open()
		e.last().Lost(true) // it stood: no reason to poll
		if _, _, status = f.Take(1); status.Phase != feed.Waiting {
			t.Errorf("after a stream that ended: %v", status)
		}
	})
}

func TestAPollBeginsAnewWithAnotherJournal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var lock sync.Mutex
		var said []string
		say := func(text string) {
			lock.Lock()
			defer lock.Unlock()
			said = append(said, text)
		}
		source := feed.Poll(func(_ context.Context, after contracts.Seq) (feed.Page, error) {
			if after == 0 {
				return feed.Page{Events: []json.RawMessage{json.RawMessage("1")}, Last: 1}, nil
			}
			return feed.Page{Last: 1}, nil
		}, 7, feed.Handlers{
			Open:    func() {},
			Message: func(data string) { say(data) },
			Reset:   func() { say("reset") },
			Lost:    func(bool) { say("lost") },
		})
		synctest.Wait()
		source.Close()
		lock.Lock()
		defer lock.Unlock()
		if !slices.Equal(said, []string{"reset", "1"}) {
			t.Errorf("said %v", said)
		}
	})
}
