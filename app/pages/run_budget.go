package pages

import (
	"fmt"

	"axiom25/app/parts"
	"axiom25/contracts"
)

// budgetLine is one limit: what is in force, what the profile says, and what the task lays over it; empty for nothing.
type budgetLine struct {
	name, effective, profile, override string
}

// budgetLines are the limits of a run in the order of its gauges.
func budgetLines(profile contracts.Profile, over *contracts.Budget, limits contracts.Limits) []budgetLine {
	base := contracts.ProfileLimits(profile)
	if over == nil {
		over = &contracts.Budget{}
	}
	line := func(name string, words func(int64) string, effective, base int64, override *int64) budgetLine {
		l := budgetLine{name: name, effective: words(effective), profile: words(base)}
		if override != nil {
			l.override = words(*override)
		}
		return l
	}
	plain := func(n int64) string { return fmt.Sprint(n) }
	percent := func(n int64) string { return fmt.Sprintf("%d %%", n) }
	exhausted := budgetLine{name: "when exhausted", effective: string(limits.OnExhausted), profile: string(base.OnExhausted)}
	if over.OnExhausted != nil {
		exhausted.override = string(*over.OnExhausted)
	}
	return []budgetLine{
		line("tokens", parts.Count, limits.MaxTokens, base.MaxTokens, over.MaxTokens),
		line("wall", parts.Duration, limits.MaxWallMS, base.MaxWallMS, over.MaxWallMS),
		line("active", parts.Duration, limits.MaxActiveMS, base.MaxActiveMS, over.MaxActiveMS),
		line("calls", plain, limits.MaxToolCalls, base.MaxToolCalls, over.MaxToolCalls),
		line("width", plain, limits.BranchWidth, base.BranchWidth, over.BranchWidth),
		line("reflections", plain, limits.ReflectionPasses, base.ReflectionPasses, over.ReflectionPasses),
		line("cost", parts.Money, limits.MaxCostMicroUSD, base.MaxCostMicroUSD, over.MaxCostMicroUSD),
		line("warning at", percent, limits.WarnPct, base.WarnPct, over.WarnPct),
		exhausted,
		line("reserve", parts.Count, limits.ReserveTokens, base.ReserveTokens, over.ReserveTokens),
	}
}
