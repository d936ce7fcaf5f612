package parts

import "axiom25/contracts"

// Rates are what a run uses a second.
type Rates struct {
	// Tokens, Calls and Cost (in millionths of a US dollar) are those of the last seconds; 0 where they are not known.
	Tokens, Calls, Cost float64
	// Running says that active time goes by.
	Running bool
}

// SetPace has gauges, as Gauges returned them for the same use and limits, say when each limit is reached if the run goes on as
// it does. A limit that is reached only after the wall time is up is none to speak of.
func SetPace(gauges []Gauge, used contracts.Usage, l contracts.Limits, r Rates) {
	left := l.MaxWallMS - used.WallMS
	for i := range gauges {
		g := &gauges[i]
		switch g.Name {
		case "wall":
			g.Pace = leftWords(left)
		case "active":
			if active := l.MaxActiveMS - used.ActiveMS; r.Running && active <= left {
				g.Pace = leftWords(active)
			}
		case "tokens":
			g.project(float64(l.SpendableTokens()-used.Tokens()), r.Tokens, left, Rate(r.Tokens, "tok"))
		case "calls":
			g.project(float64(l.MaxToolCalls-used.ToolCalls), r.Calls, left, Rate(r.Calls, "calls"))
		case "cost":
			g.project(float64(l.MaxCostMicroUSD-used.CostMicroUSD), r.Cost, left, Money(int64(r.Cost*60))+"/min")
		}
	}
}

// project says when what remains is used up at a rate a second, where that is before wall time ends, left milliseconds from
// now. words are the rate.
func (g *Gauge) project(remains, rate float64, left int64, words string) {
	if rate <= 0 {
		return
	}
	g.Rate = words
	if ms := remains / rate * 1000; ms > 0 && ms < float64(left) {
		g.Pace = "full in " + Roughly(int64(ms))
	}
}

func leftWords(ms int64) string {
	if ms <= 0 {
		return ""
	}
	return Roughly(ms) + " left"
}
