package store

import "axiom25/contracts"

// Skew is what is known of how far the server's clock is ahead of the browser's: an interval that every answer and every event
// narrows. Two kinds of observation do, and neither can put the truth outside of it:
//
//   - An answer that was asked for at a and came at b, both by the browser, and is dated d by the server, which cuts its Date
//     to the second: it was written between the two, so that the server is ahead by d−b at least and by d+999−a at most.
//   - An event that the server made at m and that was here at b: it cannot be here before it was made, so that the server is
//     ahead by m−b at least.
//
// An answer that is asked for when the middle of the interval says that the server's second ends halves the interval; some
// eight answers bring it down to the time that a request takes. Where observations contradict each other a clock was set:
// the later one counts. The zero value knows nothing. Times are in milliseconds.
type Skew struct {
	least, most     int64
	bounded, topped bool // whether least and most are known
}

// skewEnough is an interval that need not be narrowed further, in milliseconds.
const skewEnough = 16

// Answered takes in an answer: when it was asked for, when it came, and its Date.
func (s *Skew) Answered(sent, received, date contracts.Time) {
	least, most := date.Sub(received), date.Sub(sent)+999
	if s.topped && least > s.most || s.bounded && most < s.least {
		*s = Skew{}
	}
	s.raise(least)
	if !s.topped || most < s.most {
		s.most, s.topped = most, true
	}
}

// Arrived takes in an event: when it was here, and when the server made it.
func (s *Skew) Arrived(here, made contracts.Time) {
	least := made.Sub(here)
	if s.topped && least > s.most {
		s.most = least
	}
	s.raise(least)
}

func (s *Skew) raise(least int64) {
	if !s.bounded || least > s.least {
		s.least, s.bounded = least, true
	}
}

// Ahead is the middle of the interval; known says that it has two ends.
func (s *Skew) Ahead() (ms int64, known bool) {
	return s.least + (s.most-s.least)/2, s.bounded && s.topped
}

// Most is how far the server is ahead at most; known as Ahead is.
func (s *Skew) Most() int64 { return s.most }

// Probe is how long to wait until another answer halves the interval, in milliseconds; useful says that it is worth it.
func (s *Skew) Probe(now contracts.Time) (wait int64, useful bool) {
	ahead, known := s.Ahead()
	if !known {
		return 0, true
	}
	const second = 1000
	return (second - int64(now.Add(ahead))%second) % second, s.most-s.least > skewEnough
}
