package store

import (
	"slices"

	"axiom25/contracts"
)

// Pace is how fast a run goes at a moment.
type Pace struct {
	// P50 and P99 are how long its events take from the server's clock to this page, in milliseconds, corrected by Skew and
	// never below 0; Measured says that there were enough of them.
	P50, P99 int64
	Measured bool
	// Tokens, Calls and Cost are what the run uses a second, over the last paceWindow; 0 where that cannot be said yet.
	Tokens, Calls, Cost float64
}

// What a pace is taken from.
const (
	paceWindow  = 15_000 // milliseconds that a rate looks back
	paceShort   = 2_000  // milliseconds below which a rate says nothing
	paceApart   = 250    // milliseconds between two readings of the meter
	paceSamples = 1024   // events that a latency looks back
	paceFew     = 10     // events below which it says nothing
)

// Meter takes the pace of a run. Its zero value has seen nothing.
type Meter struct {
	// Skew corrects what the events say.
	Skew Skew

	delays   []int64 // of the last events: when they were here by the browser, less when they were made by the server
	next     int     // the place of the next in a full ring
	readings []reading
}

// reading is what was used up to a time of the server.
type reading struct {
	at   contracts.Time
	used contracts.Usage
}

// Delivered takes in an event that was here as soon as it could be: one that was made before the stream stood says nothing.
func (m *Meter) Delivered(here, made contracts.Time) {
	m.Skew.Arrived(here, made)
	delay := here.Sub(made)
	if len(m.delays) < paceSamples {
		m.delays = append(m.delays, delay)
		return
	}
	m.delays[m.next] = delay
	m.next = (m.next + 1) % paceSamples
}

// Read takes in the meter of the run as of an event.
func (m *Meter) Read(at contracts.Time, used contracts.Usage) {
	n := len(m.readings)
	if n > 1 && at.Sub(m.readings[n-2].at) < paceApart {
		m.readings[n-1] = reading{at, used} // the last one moves until it is apart from the one before
		return
	}
	m.readings = append(m.readings, reading{at, used})
	// Of those before the window the newest one stays: what it says held until the window began.
	for len(m.readings) > 2 && at.Sub(m.readings[1].at) > paceWindow {
		m.readings = m.readings[1:]
	}
}

// Pace is the pace at a time of the server.
func (m *Meter) Pace(now contracts.Time) Pace {
	var p Pace
	p.P50, p.P99, p.Measured = m.latency()
	if len(m.readings) == 0 {
		return p
	}
	first, last := m.readings[0], m.readings[len(m.readings)-1]
	for _, r := range m.readings[1:] {
		if now.Sub(r.at) < paceWindow {
			break
		}
		first = r
	}
	from := max(first.at, now.Add(-paceWindow))
	if elapsed := now.Sub(from); elapsed >= paceShort {
		rate := func(from, to int64) float64 { return float64(max(to-from, 0)) * 1000 / float64(elapsed) }
		p.Tokens = rate(first.used.Tokens(), last.used.Tokens())
		p.Calls = rate(first.used.ToolCalls, last.used.ToolCalls)
		p.Cost = rate(first.used.CostMicroUSD, last.used.CostMicroUSD)
	}
	return p
}

// latency is the median and the 99th percentile of the delays (nearest rank).
func (m *Meter) latency() (p50, p99 int64, ok bool) {
	ahead, known := m.Skew.Ahead()
	if !known || len(m.delays) < paceFew {
		return 0, 0, false
	}
	sorted := slices.Clone(m.delays)
	slices.Sort(sorted)
	at := func(share int) int64 { return max(sorted[(len(sorted)*share+99)/100-1]+ahead, 0) }
	return at(50), at(99), true
}

// Reset forgets the run, but not the clocks.
func (m *Meter) Reset() { *m = Meter{Skew: m.Skew} }
