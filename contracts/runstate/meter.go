package runstate

import (
	"axiom25/contracts"
)

// dimensions are the limits of a budget in the order in which they are looked at. Those before the counts can
// be reached; the counts may be used up, and are only asked beyond.
func dimensions() [7]contracts.Dimension {
	return [...]contracts.Dimension{
		contracts.DimensionTokens, contracts.DimensionCost, contracts.DimensionActive, contracts.DimensionWall,
		contracts.DimensionToolCalls, contracts.DimensionBranches, contracts.DimensionReflections,
	}
}

// reading returns how much of a dimension was used and how much of it there is.
func (s *State) reading(d contracts.Dimension, u contracts.Usage) (used, limit int64) {
	switch d {
	case contracts.DimensionTokens:
		return u.Tokens(), s.limits.SpendableTokens()
	case contracts.DimensionCost:
		return u.CostMicroUSD, s.limits.MaxCostMicroUSD
	case contracts.DimensionActive:
		return u.ActiveMS, s.limits.MaxActiveMS
	case contracts.DimensionWall:
		return u.WallMS, s.limits.MaxWallMS
	case contracts.DimensionToolCalls:
		return u.ToolCalls, s.limits.MaxToolCalls
	case contracts.DimensionBranches:
		return u.Branches, s.limits.BranchWidth
	case contracts.DimensionReflections:
		return u.Reflections, s.limits.ReflectionPasses
	}
	return 0, 0
}

// Used is the meter as of now: what the events say, with wall and active time counted up to now, and reported
// folded in where it is higher than what the last budget event says. After done it is what done says.
func (s *State) Used(now contracts.Time, reported contracts.EngineUsage) contracts.Usage {
	u := s.used
	if s.lastSeq == 0 || s.done != nil {
		return u
	}
	u.TokensIn = max(u.TokensIn, reported.TokensIn)
	u.TokensOut = max(u.TokensOut, reported.TokensOut)
	u.TokensCached = max(u.TokensCached, reported.TokensCached)
	u.TokensReasoning = max(u.TokensReasoning, reported.TokensReasoning)
	u.CostMicroUSD = max(u.CostMicroUSD, reported.CostMicroUSD)
	u.WallMS = max(u.WallMS, now.Sub(s.createdAt))
	u.ActiveMS = max(u.ActiveMS, s.activeAt(now))
	u.ToolCalls = s.toolCalls
	u.Branches = s.peak
	u.Reflections = s.reflections
	return u
}

// activeAt is the time spent in state running up to now, in milliseconds.
func (s *State) activeAt(now contracts.Time) int64 {
	if s.phase != contracts.StateRunning {
		return s.activeMS
	}
	return s.activeMS + max(0, now.Sub(s.runningSince))
}

// Reached returns the first limit that used reaches, in the order tokens, cost, active, wall; ok is false
// where none is. Tool calls, branches and reflections are counts that may be used up: they are not reached but
// asked beyond. A limit of 0, which only cost can have, is reached with the first that is spent: a run that
// may cost nothing may still run.
func (s *State) Reached(used contracts.Usage) (d contracts.Dimension, ok bool) {
	if s.header == nil {
		return "", false
	}
	for _, d := range dimensions() {
		if d == contracts.DimensionToolCalls {
			break
		}
		if spent, limit := s.reading(d, used); spent >= limit && spent > 0 {
			return d, true
		}
	}
	return "", false
}

// Warnings returns the dimensions in which used is at or above warn_pct of the limit and no warning stands in
// the stream yet, in a fixed order. A dimension with limit 0 is never warned about, nor is a branch width of
// 1, which the root always fills.
func (s *State) Warnings(used contracts.Usage) []contracts.Dimension {
	var due []contracts.Dimension
	for _, d := range dimensions() {
		spent, limit := s.reading(d, used)
		if limit == 0 || d == contracts.DimensionBranches && limit == 1 || s.Warned(d) {
			continue
		}
		if spent*100 >= limit*s.limits.WarnPct {
			due = append(due, d)
		}
	}
	return due
}

// Warned reports whether a warning about d stands in the stream.
func (s *State) Warned(d contracts.Dimension) bool { return s.warned&warnBit(d) != 0 }

// warnBit is the bit of core.warned that belongs to d, or 0 for a dimension that there is not.
func warnBit(d contracts.Dimension) uint {
	for i, known := range dimensions() {
		if known == d {
			return 1 << i
		}
	}
	return 0
}
