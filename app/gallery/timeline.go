package gallery

import (
	"axiom25/app/parts"
	"axiom25/app/timeline"
	"axiom25/contracts"
)

// fixtureTimeline draws a run with a bar and a mark of every kind, and a pause that is folded, into a width.
func fixtureTimeline(width float64, narrow bool) *parts.Timeline {
	var m timeline.Model
	seq, now := contracts.Seq(0), contracts.Time(0)
	add := func(ms int64, branch contracts.Branch, data contracts.EventData) {
		seq++
		now = contracts.Time(ms)
		m.Add(&contracts.RunEvent{Seq: seq, Time: now, Branch: branch, Type: data.EventType(), Data: data})
	}
	call := func(ms, took int64, branch contracts.Branch, id string, status contracts.CallStatus) {
		add(ms, branch, &contracts.ToolStartData{CallID: id, Tool: "fetch@1.0.0", Attempt: 1, Gate: contracts.GateAllow})
		add(ms+took, branch, &contracts.ToolEndData{CallID: id, Status: status})
	}
	add(0, "", &contracts.StatusData{State: contracts.StateQueued})
	add(80, "", &contracts.StatusData{State: contracts.StateRunning})
	add(100, "", &contracts.ThoughtData{ID: "t", Attempt: 1, Kind: contracts.ThoughtPlan})
	add(400, "", &contracts.ThoughtData{ID: "t", Attempt: 2, Kind: contracts.ThoughtPlan})
	add(700, "", &contracts.ThoughtData{ID: "t", Attempt: 2, Kind: contracts.ThoughtPlan, Final: true})
	call(700, 300, "search", "ok", contracts.CallOK)
	call(1000, 300, "search.wiki", "error", contracts.CallError)
	call(1300, 200, "search.wiki", "denied", contracts.CallDenied)
	call(1500, 200, "search.news", "cancelled", contracts.CallCancelled)
	for i := range int64(40) {
		call(1700+i, 1, "search.news", "thin", contracts.CallOK)
	}
	add(1750, "", &contracts.BudgetData{
		Phase: contracts.BudgetWarn, Dimension: contracts.DimensionTokens, Used: contracts.Usage{TokensIn: 900, CostMicroUSD: 400},
	})
	add(1760, "", &contracts.ErrorData{Problem: contracts.Problem{Title: "Too many requests"}})
	add(1800, "sign", &contracts.ToolStartData{CallID: "ask", Tool: "sign_off@1.0.0", Attempt: 1, Gate: contracts.GateAsk})
	add(1810, "", &contracts.StatusData{State: contracts.StateWaiting})
	add(601_800, "sign", &contracts.ApprovalData{CallID: "ask", Decision: contracts.DecisionApproved})
	add(601_810, "", &contracts.StatusData{State: contracts.StateRunning})
	add(602_000, "sign", &contracts.ToolEndData{CallID: "ask", Status: contracts.CallOK})
	add(602_000, "", &contracts.TokenData{ID: "a", Attempt: 1, Channel: contracts.ChannelAnswer})
	add(602_600, "", &contracts.VerdictData{Outcome: contracts.OutcomeRevise, MessageID: "a"})
	add(602_700, "", &contracts.BudgetData{Phase: contracts.BudgetTick, Used: contracts.Usage{TokensIn: 1800, CostMicroUSD: 700}})
	add(602_800, "search", &contracts.ToolStartData{CallID: "open", Tool: "fetch@1.0.0", Attempt: 1, Gate: contracts.GateAllow})

	at := timeline.Moment{Seq: seq, Time: now.Add(300)}
	lanes := width - 10
	if !narrow {
		lanes -= parts.TimelineGutter
	}
	pauses := m.PausesAt(at, func(contracts.Time) bool { return false })
	clock := timeline.NewClock(pauses, timeline.Fit(pauses, 0, m.MS(at.Time), lanes), lanes)
	window := timeline.Window{Width: lanes, Height: 1000, Narrow: narrow}
	scene := m.See(clock, window, at)
	tokens, cost := m.Curve(clock, window, at, 2000, timeline.Tokens), m.Curve(clock, window, at, 1000, timeline.Cost)
	selected := scene.Boxes[2]
	return &parts.Timeline{
		Scene: &scene, Width: width, Narrow: narrow, ReadOut: "Call of fetch@1.0.0, ok, 300 ms", NotchWords: []string{"10 min"}, Folds: 1,
		Selected:  &parts.TimelineFrame{X: selected.X - 1, Y: selected.Y - 1, W: selected.W + 2, H: timeline.BarHeight + 2},
		SelectedX: selected.X,
		Curves: []parts.TimelineCurve{
			{Words: "tokens 1.8 k", Limit: "2 k", Top: "2 k", Points: tokens.Points},
			{Words: "cost $0.0007", Limit: "$0.001", Top: "$0.001", Points: cost.Points},
		},
		Items: []parts.TimelineItem{{Seq: 3, Words: "Thought, plan, 300 ms", Place: 3, Selected: true}}, Active: 3, Total: m.Items(at),
	}
}
