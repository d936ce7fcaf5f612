package store_test

import (
	"testing"

	"axiom25/app/store"
	"axiom25/contracts"
)

// clocks are a browser's clock and a server's, which is ahead of it, with a way between them.
type clocks struct {
	now         contracts.Time // the browser's
	ahead       int64
	there, back int64 // how long a request and an answer take
}

// ask has the server date an answer.
func (c *clocks) ask(s *store.Skew) {
	sent := c.now
	date := (c.now + contracts.Time(c.there+c.ahead)) / 1000 * 1000
	c.now += contracts.Time(c.there + c.back)
	s.Answered(sent, c.now, date)
}

func TestSkewClosesIn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]clocks{
		"the same clock":            {now: 1_700_000_000_123, there: 1, back: 1},
		"a server far ahead":        {now: 1_700_000_000_123, ahead: 86_400_000, there: 3, back: 3},
		"a server behind":           {now: 1_700_000_000_987, ahead: -4321, there: 3, back: 2},
		"a slow way there":          {now: 1_700_000_000_500, ahead: 250, there: 40, back: 5},
		"a slow way back":           {now: 1_700_000_000_001, ahead: 999, there: 5, back: 40},
		"a second that just begins": {now: 1_700_000_000_000, ahead: 0, there: 0, back: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s store.Skew
			if _, known := s.Ahead(); known {
				t.Error("knows something of nothing")
			}
			asked := 0
			for wait, useful := s.Probe(c.now); useful && asked < 12; wait, useful = s.Probe(c.now) {
				c.now += contracts.Time(wait)
				c.ask(&s)
				asked++
			}
			got, known := s.Ahead()
			if off := max(got-c.ahead, c.ahead-got); !known || off > c.there+c.back+16 {
				t.Errorf("%d ms ahead after %d answers, want %d", got, asked, c.ahead)
			}
		})
	}
}

func TestSkewNeverLetsAnEventComeBeforeItIsMade(t *testing.T) {
	t.Parallel()
	var s store.Skew
	s.Answered(10_000, 10_010, 14_000) // 3990 … 4999 ahead
	s.Arrived(20_000, 24_600)          // 4600 at least
	got, known := s.Ahead()
	if !known || got != 4799 || s.Most() != 4999 {
		t.Fatalf("%d, %d at most, want the middle of 4600 and 4999", got, s.Most())
	}
	s.Arrived(30_000, 35_100) // another node's clock, beyond what the first one says
	if got, _ = s.Ahead(); got != 5100 {
		t.Errorf("%d after an event from beyond the interval, want 5100", got)
	}
}

func TestSkewForgetsAClockThatWasSet(t *testing.T) {
	t.Parallel()
	var s store.Skew
	s.Answered(10_000, 10_000, 10_000)
	s.Answered(20_000, 20_000, 80_000)
	if got, _ := s.Ahead(); got != 60_499 {
		t.Errorf("%d ms ahead, want what the later answer says", got)
	}
}
