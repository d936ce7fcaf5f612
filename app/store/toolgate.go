package store

import (
	"fmt"

	"axiom25/contracts"
)

// Gating is what stands before a call of a tool at one level of trust.
type Gating struct {
	// Trust is the level, and Stands says that it is the tool's.
	Trust  contracts.Trust
	Stands bool
	// Gate is what the contracts say; empty where they allow no such tool.
	Gate contracts.Gate
	// Why says the rule that decides.
	Why string
}

// trusts are the levels, from least to most.
var trusts = [...]contracts.Trust{
	contracts.TrustUntrusted, contracts.TrustReviewed, contracts.TrustTrusted, contracts.TrustBuiltin,
}

// Gates asks the contracts what would stand before a call of a tool, for each level of trust.
func Gates(spec *contracts.ToolSpec) []Gating {
	list := make([]Gating, len(trusts))
	for i, trust := range trusts {
		as := *spec
		as.Trust = trust
		g := Gating{Trust: trust, Stands: trust == spec.Trust}
		if document, err := contracts.Encode(&as); err != nil {
			g.Why = err.Error()
		} else if j := Judge(contracts.KindToolSpec, string(document)); j.Valid {
			g.Gate, g.Why = as.Gate(), gateRule(&as)
		} else {
			g.Why = firstWrong(j)
		}
		list[i] = g
	}
	return list
}

// firstWrong says the first thing that is wrong with a document.
func firstWrong(j Judgement) string {
	if len(j.Places) == 0 {
		return j.Problem.Error()
	}
	return fmt.Sprintf("%s %s", j.Places[0].Pointer, j.Places[0].Detail)
}

// gateRule says the rule by which ToolSpec.Gate decides about a valid tool.
func gateRule(spec *contracts.ToolSpec) string {
	switch spec.Approval {
	case contracts.ApprovalAlways:
		return "approval always decides alone"
	case contracts.ApprovalNever:
		return "approval never decides alone"
	case contracts.ApprovalAuto:
	}
	switch spec.Trust {
	case contracts.TrustBuiltin:
		return "the server's own tools are never asked for"
	case contracts.TrustTrusted:
		return fmt.Sprintf("a trusted tool is asked for only where it destroys; this one's effect is %s", spec.Effect)
	case contracts.TrustReviewed:
		return fmt.Sprintf("a reviewed tool goes unasked only where it reads; this one's effect is %s", spec.Effect)
	case contracts.TrustUntrusted:
	}
	return "an untrusted tool is always asked for"
}
