package contracts

// Budget lays overrides over a profile. Every field is optional: an absent one takes the profile's value,
// never "unlimited". What results is Limits.
type Budget struct {
	// SchemaVersion is required where the budget is a document of its own and inherited where it is embedded.
	SchemaVersion int `json:"schema_version,omitzero" validate:"omitempty,version"`
	// MaxTokens bounds input, output and reasoning tokens together, cached input included.
	MaxTokens *int64 `json:"max_tokens,omitempty" validate:"omitnil,gte=1"`
	// MaxWallMS bounds the time since creation in milliseconds, waits included.
	MaxWallMS *int64 `json:"max_wall_ms,omitempty" validate:"omitnil,gte=100,lte=86400000"`
	// MaxActiveMS bounds the time in state running, in milliseconds; at most max_wall_ms.
	MaxActiveMS *int64 `json:"max_active_ms,omitempty" validate:"omitnil,gte=100"`
	// BranchWidth bounds the branches alive at once. A branch is alive while it has an open call or a message
	// that is not final; the root always counts.
	BranchWidth *int64 `json:"branch_width,omitempty" validate:"omitnil,gte=1,lte=64"`
	// ReflectionPasses bounds the revisions after the first attempt.
	ReflectionPasses *int64 `json:"reflection_passes,omitempty" validate:"omitnil,gte=0,lte=20"`
	// MaxToolCalls bounds the calls started, retries included.
	MaxToolCalls *int64 `json:"max_tool_calls,omitempty" validate:"omitnil,gte=0,lte=10000"`
	// MaxCostMicroUSD bounds the money spent, in millionths of a US dollar.
	MaxCostMicroUSD *int64 `json:"max_cost_microusd,omitempty" validate:"omitnil,gte=0"`
	// WarnPct is the share of a limit, in per cent, at which one warning is sent for each dimension.
	WarnPct *int64 `json:"warn_pct,omitempty" validate:"omitnil,gte=1,lte=99"`
	// OnExhausted says whether to stop at once or to spend the reserve on one answer without tools.
	OnExhausted *OnExhausted `json:"on_exhausted,omitempty" validate:"omitnil,oneof=stop finalize"`
	// ReserveTokens are kept back for that answer; only with finalize, and below max_tokens.
	ReserveTokens *int64 `json:"reserve_tokens,omitempty" validate:"omitnil,gte=0"`
}

// OnExhausted is what happens when a limit is reached.
type OnExhausted string

// What happens when a limit is reached.
const (
	ExhaustedStop     OnExhausted = "stop"
	ExhaustedFinalize OnExhausted = "finalize"
)

// Profile names a budget to start from.
type Profile string

// The profiles. Each is at most the next in every limit.
const (
	ProfileTight    Profile = "tight"
	ProfileBalanced Profile = "balanced"
	ProfileMax      Profile = "max"
)

// Limits is an effective budget: every limit that a run is held to, each present.
type Limits struct {
	// MaxTokens bounds all tokens; see Budget for this and the other fields.
	MaxTokens        int64       `json:"max_tokens" validate:"gte=1"`
	MaxWallMS        int64       `json:"max_wall_ms" validate:"gte=100,lte=86400000"`
	MaxActiveMS      int64       `json:"max_active_ms" validate:"gte=100"`
	BranchWidth      int64       `json:"branch_width" validate:"gte=1,lte=64"`
	ReflectionPasses int64       `json:"reflection_passes" validate:"gte=0,lte=20"`
	MaxToolCalls     int64       `json:"max_tool_calls" validate:"gte=0,lte=10000"`
	MaxCostMicroUSD  int64       `json:"max_cost_microusd" validate:"gte=0"`
	WarnPct          int64       `json:"warn_pct" validate:"gte=1,lte=99"`
	OnExhausted      OnExhausted `json:"on_exhausted" validate:"oneof=stop finalize"`
	// ReserveTokens is 0 with stop.
	ReserveTokens int64 `json:"reserve_tokens" validate:"gte=0"`
}

// SpendableTokens is what may be spent before the run drains: the reserve is kept back for the last answer.
func (l Limits) SpendableTokens() int64 { return l.MaxTokens - l.ReserveTokens }

// ProfileLimits returns the limits of a profile; an unknown or empty name is balanced, the default.
func ProfileLimits(p Profile) Limits {
	switch p {
	case ProfileTight:
		return Limits{
			MaxTokens: 16_000, MaxWallMS: 60_000, MaxActiveMS: 45_000, BranchWidth: 1, ReflectionPasses: 0,
			MaxToolCalls: 8, MaxCostMicroUSD: 50_000, WarnPct: 80, OnExhausted: ExhaustedStop,
		}
	case ProfileMax:
		return Limits{
			MaxTokens: 1_000_000, MaxWallMS: 86_400_000, MaxActiveMS: 3_000_000, BranchWidth: 8, ReflectionPasses: 5,
			MaxToolCalls: 512, MaxCostMicroUSD: 20_000_000, WarnPct: 80, OnExhausted: ExhaustedFinalize,
			ReserveTokens: 16_000,
		}
	case ProfileBalanced:
	}
	return Limits{
		MaxTokens: 128_000, MaxWallMS: 3_600_000, MaxActiveMS: 480_000, BranchWidth: 3, ReflectionPasses: 2,
		MaxToolCalls: 64, MaxCostMicroUSD: 1_000_000, WarnPct: 80, OnExhausted: ExhaustedFinalize,
		ReserveTokens: 4_000,
	}
}

// Effective returns the limits that result when b is laid over profile p. A nil b changes nothing. It does
// not judge the result: Decode and Check do. Where the override names stop, the profile's reserve falls away;
// where it lowers max_tokens or max_wall_ms, a reserve or max_active_ms that came from the profile is lowered
// with it, so that one override alone stays valid.
func (b *Budget) Effective(p Profile) Limits {
	l := ProfileLimits(p)
	if b == nil {
		return l
	}
	lay(&l.MaxTokens, b.MaxTokens)
	lay(&l.MaxWallMS, b.MaxWallMS)
	lay(&l.BranchWidth, b.BranchWidth)
	lay(&l.ReflectionPasses, b.ReflectionPasses)
	lay(&l.MaxToolCalls, b.MaxToolCalls)
	lay(&l.MaxCostMicroUSD, b.MaxCostMicroUSD)
	lay(&l.WarnPct, b.WarnPct)
	lay(&l.OnExhausted, b.OnExhausted)

	l.MaxActiveMS = min(l.MaxActiveMS, l.MaxWallMS)
	lay(&l.MaxActiveMS, b.MaxActiveMS)
	l.ReserveTokens = min(l.ReserveTokens, l.MaxTokens/2)
	if l.OnExhausted == ExhaustedStop {
		l.ReserveTokens = 0
	}
	lay(&l.ReserveTokens, b.ReserveTokens)
	return l
}

// lay overwrites a profile's value with an override that is present.
func lay[T any](value, override *T) {
	if override != nil {
		*value = *override
	}
}

// crossCheck implements crossChecked: a budget that stands alone is judged over the balanced profile.
func (b *Budget) crossCheck(p place) {
	p.demandVersion(b.SchemaVersion)
	b.checkOver(ProfileBalanced, p)
}

// checkOver holds what results over a profile to the rules between limits. It points at the override that caused the
// problem: a profile alone, and one override that Effective can make room for, break none.
func (b *Budget) checkOver(profile Profile, p place) {
	l := b.Effective(profile)
	if p.sound("max_active_ms", "max_wall_ms") && l.MaxActiveMS > l.MaxWallMS {
		p.member("max_active_ms", CodeActiveOverWall, params{"max": l.MaxWallMS}, "max_wall_ms")
	}
	if b.ReserveTokens == nil || !p.sound("reserve_tokens") {
		return
	}
	if p.sound("on_exhausted") && l.OnExhausted != ExhaustedFinalize {
		p.member("reserve_tokens", CodeReserveNeedsFinalize, nil, "on_exhausted")
	}
	if p.sound("max_tokens") && l.ReserveTokens >= l.MaxTokens {
		p.member("reserve_tokens", CodeReserveOverTokens, params{"max": l.MaxTokens}, "max_tokens")
	}
}

// check holds limits to the same rules as the budgets that they come from.
func (l Limits) check(p place) {
	if p.sound("max_active_ms", "max_wall_ms") && l.MaxActiveMS > l.MaxWallMS {
		p.member("max_active_ms", CodeActiveOverWall, params{"max": l.MaxWallMS}, "max_wall_ms")
	}
	if !p.sound("reserve_tokens") {
		return
	}
	if p.sound("on_exhausted") && l.OnExhausted != ExhaustedFinalize && l.ReserveTokens != 0 {
		p.member("reserve_tokens", CodeReserveNeedsFinalize, nil, "on_exhausted")
	}
	if p.sound("max_tokens") && l.ReserveTokens >= l.MaxTokens {
		p.member("reserve_tokens", CodeReserveOverTokens, params{"max": l.MaxTokens}, "max_tokens")
	}
}
