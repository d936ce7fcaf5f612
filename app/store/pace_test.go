package store_test

import (
	"math"
	"testing"

	"axiom25/app/store"
	"axiom25/contracts"
)

func TestMeterRates(t *testing.T) {
	t.Parallel()
	used := func(tokens, calls, cost int64) contracts.Usage {
		return contracts.Usage{TokensIn: tokens / 2, TokensOut: tokens - tokens/2, ToolCalls: calls, CostMicroUSD: cost}
	}
	type reading struct {
		at   contracts.Time
		used contracts.Usage
	}
	for name, c := range map[string]struct {
		readings            []reading
		now                 contracts.Time
		tokens, calls, cost float64
	}{
		"nothing was read":           {nil, 5_000, 0, 0, 0},
		"too early to say":           {[]reading{{0, used(0, 0, 0)}, {1_000, used(500, 1, 10)}}, 1_900, 0, 0, 0},
		"from the beginning on":      {[]reading{{0, used(0, 0, 0)}, {1_000, used(500, 2, 100)}, {4_000, used(1_000, 4, 400)}}, 4_000, 250, 1, 100},
		"a pause makes it slower":    {[]reading{{0, used(0, 0, 0)}, {4_000, used(1_000, 4, 400)}}, 10_000, 100, 0.4, 40},
		"only the window counts":     {[]reading{{0, used(0, 0, 0)}, {1_000, used(9_000, 9, 9)}, {20_000, used(9_000, 9, 9)}, {30_000, used(9_150, 9, 9)}}, 30_000, 10, 0, 0},
		"a long pause is standstill": {[]reading{{0, used(0, 0, 0)}, {1_000, used(9_000, 9, 9)}}, 60_000, 0, 0, 0},
		"readings close together":    {[]reading{{0, used(0, 0, 0)}, {10, used(10, 0, 0)}, {20, used(20, 0, 0)}, {30, used(30, 0, 0)}, {2_000, used(2_000, 0, 0)}}, 2_000, 1_000, 0, 0},
		"a meter that went back":     {[]reading{{0, used(500, 5, 5)}, {5_000, used(100, 1, 1)}}, 5_000, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m store.Meter
			for _, r := range c.readings {
				m.Read(r.at, r.used)
			}
			got := m.Pace(c.now)
			for what, pair := range map[string][2]float64{"tokens": {got.Tokens, c.tokens}, "calls": {got.Calls, c.calls}, "cost": {got.Cost, c.cost}} {
				if math.Abs(pair[0]-pair[1]) > 1e-9 {
					t.Errorf("%s at %g a second, want %g", what, pair[0], pair[1])
				}
			}
		})
	}
}

func TestMeterLatency(t *testing.T) {
	t.Parallel()
	var m store.Meter
	const ahead = 5_000 // the server's clock
	deliver := func(n int, delay int64) {
		for i := range n {
			here := contracts.Time(100_000 + i)
			m.Delivered(here, here.Add(ahead-delay))
		}
	}
	deliver(9, 7)
	m.Skew.Answered(100_000, 100_000, 105_000)
	if m.Pace(0).Measured {
		t.Error("nine events are enough to tell of")
	}
	deliver(990, 9)
	deliver(1, 5)
	deliver(20, 30)
	m.Skew.Answered(101_999, 101_999, 106_000) // the two answers leave no doubt
	got := m.Pace(0)
	if !got.Measured || got.P50 != 9 || got.P99 != 30 {
		t.Errorf("p50 %d and p99 %d ms, measured %v, want 9 and 30", got.P50, got.P99, got.Measured)
	}
	m.Skew.Answered(200_000, 200_000, 100_000) // the browser's clock was set: what is known no longer fits the events
	if got = m.Pace(0); got.P50 < 0 || got.P99 < 0 {
		t.Errorf("an event that comes before it is made: %+v", got)
	}
	deliver(2_000, 3)
	m.Reset()
	if m.Pace(0).Measured {
		t.Error("the last run's events are still told of")
	}
}
