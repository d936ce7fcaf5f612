package parts_test

import (
	"testing"

	"axiom25/app/parts"
	"axiom25/contracts"
)

func TestSetPace(t *testing.T) {
	t.Parallel()
	limits := contracts.ProfileLimits(contracts.ProfileBalanced) // 124 000 tokens before the reserve, 1 h, 8 min active, 64 calls, $1
	for name, c := range map[string]struct {
		used  contracts.Usage
		rates parts.Rates
		want  []string // a gauge, its pace and its rate
	}{
		"nothing is known": {
			contracts.Usage{},
			parts.Rates{},
			[]string{"tokens||", "wall|1 h left|", "active||", "calls||", "cost||", "width||", "reflections||"},
		},
		"on its way": {
			contracts.Usage{TokensIn: 50_000, TokensOut: 200, WallMS: 60_500, ActiveMS: 30_000, ToolCalls: 4, CostMicroUSD: 400_000},
			parts.Rates{Tokens: 410, Calls: 0.2, Cost: 1_000, Running: true},
			[]string{
				"tokens|full in 3 min|410 tok/s", "wall|58 min left|", "active|7 min left|",
				"calls|full in 5 min|12 calls/min", "cost|full in 10 min|$0.06/min",
			},
		},
		"too slow to get there before the end": {
			contracts.Usage{WallMS: 3_590_000, ActiveMS: 30_000},
			parts.Rates{Tokens: 4.5, Calls: 0.01, Cost: 1, Running: true},
			[]string{"tokens||4.5 tok/s", "wall|10 s left|", "active||", "calls||0.6 calls/min", "cost||$0.00006/min"},
		},
		"waiting: only wall time goes by": {
			contracts.Usage{WallMS: 600_000, ActiveMS: 470_000},
			parts.Rates{},
			[]string{"wall|50 min left|", "active||"},
		},
		"used up": {
			contracts.Usage{TokensIn: 124_000, WallMS: 3_600_000, ToolCalls: 64, CostMicroUSD: 1_000_000},
			parts.Rates{Tokens: 100, Calls: 1, Cost: 1, Running: true},
			[]string{"tokens||100 tok/s", "wall||", "active||", "calls||1 calls/s", "cost||$0.00006/min"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gauges := parts.Gauges(c.used, limits)
			parts.SetPace(gauges, c.used, limits, c.rates)
			got := map[string]bool{}
			for _, g := range gauges {
				got[g.Name+"|"+g.Pace+"|"+g.Rate] = true
			}
			for _, want := range c.want {
				if !got[want] {
					t.Errorf("no gauge says %q: %v", want, got)
				}
			}
		})
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	for perSecond, want := range map[float64]string{
		0: "0 tok/min", 0.05: "3 tok/min", 0.99: "59.4 tok/min", 1: "1 tok/s", 9.96: "10 tok/s", 410.4: "410 tok/s", 5_120: "5.1 k tok/s",
	} {
		if got := parts.Rate(perSecond, "tok"); got != want {
			t.Errorf("%g a second is %q, want %q", perSecond, got, want)
		}
	}
}
