package form

import (
	"strconv"

	"axiom25/app/document"
	"axiom25/contracts"
)

// limit is a number of a budget.
type limit struct {
	name     string
	override func(*contracts.Budget) **int64
	effect   func(*contracts.Limits) int64
}

func limits() []limit {
	type (
		budget = contracts.Budget
		total  = contracts.Limits
	)
	return []limit{
		{"max_tokens", func(b *budget) **int64 { return &b.MaxTokens }, func(l *total) int64 { return l.MaxTokens }},
		{"max_wall_ms", func(b *budget) **int64 { return &b.MaxWallMS }, func(l *total) int64 { return l.MaxWallMS }},
		{"max_active_ms", func(b *budget) **int64 { return &b.MaxActiveMS }, func(l *total) int64 { return l.MaxActiveMS }},
		{"branch_width", func(b *budget) **int64 { return &b.BranchWidth }, func(l *total) int64 { return l.BranchWidth }},
		{"reflection_passes", func(b *budget) **int64 { return &b.ReflectionPasses }, func(l *total) int64 { return l.ReflectionPasses }},
		{"max_tool_calls", func(b *budget) **int64 { return &b.MaxToolCalls }, func(l *total) int64 { return l.MaxToolCalls }},
		{"max_cost_microusd", func(b *budget) **int64 { return &b.MaxCostMicroUSD }, func(l *total) int64 { return l.MaxCostMicroUSD }},
		{"warn_pct", func(b *budget) **int64 { return &b.WarnPct }, func(l *total) int64 { return l.WarnPct }},
		{"reserve_tokens", func(b *budget) **int64 { return &b.ReserveTokens }, func(l *total) int64 { return l.ReserveTokens }},
	}
}

// Presets returns what each field of a task's budget would be without what is written there: the profile's value, as the other
// overrides leave it.
func Presets(text *document.Text) map[string]string {
	profile, _ := text.Find("/profile").Text()
	var b contracts.Budget
	for _, l := range limits() {
		if n, err := strconv.ParseInt(text.Find("/budget/"+l.name).Raw(), 10, 64); err == nil {
			*l.override(&b) = &n
		}
	}
	if exhausted, ok := text.Find("/budget/on_exhausted").Text(); ok {
		choice := contracts.OnExhausted(exhausted)
		b.OnExhausted = &choice
	}
	presets := make(map[string]string)
	for _, l := range limits() {
		without := b
		*l.override(&without) = nil
		effective := without.Effective(contracts.Profile(profile))
		presets["/budget/"+l.name] = strconv.FormatInt(l.effect(&effective), 10)
	}
	b.OnExhausted = nil
	presets["/budget/on_exhausted"] = string(b.Effective(contracts.Profile(profile)).OnExhausted)
	return presets
}
