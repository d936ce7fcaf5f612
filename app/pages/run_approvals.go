package pages

import (
	"errors"
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// approvalsView are the questions that the run has for its reader now, whatever moment is shown.
type approvalsView struct {
	app.Compo

	// View is the run, and Drawn counts its renderings.
	View  *RunView
	Drawn uint64
	// Today is the reader's clock, whatever moment is shown.
	Today contracts.Time

	edits map[contracts.ApprovalID]store.Judgement // of the arguments that are being typed
}

// Render implements app.Composer. Each question keeps its place when it was answered: what the reader types into the next card must
// not move with it to another's place.
func (v *approvalsView) Render() app.UI {
	run := v.View.Run
	var cards []app.UI
	for i := range run.Head.Calls {
		c := &run.Head.Calls[i]
		if c.Approval == nil {
			continue
		}
		id := c.Approval.ID
		card := &parts.Approval{
			ID: id, Tool: c.Tool, Args: c.Args, Settled: settledWords(c),
			Remaining: "expires in " + parts.Duration(max(c.Approval.ExpiresAt.Sub(v.Today), 0)/1000*1000),
			Sending:   run.Sending == id.String(), Checked: "Checked as JSON here, and by the server against the tool.",
			OnDecide: v.decide, OnEdit: v.edit,
		}
		if c.Pending() && v.Today >= c.Approval.ExpiresAt {
			card.Remaining = "expired"
		}
		if run.Refused != nil && run.Sent == id.String() {
			card.Refused = refusedWords(run.Refused)
		}
		if run.Schemas[c.ToolDigest] != nil {
			card.Checked = "Checked against the tool's input schema."
		}
		if judged, ok := v.edits[id]; ok {
			card.Marks = marksOf(judged.Places)
		}
		cards = append(cards, card)
	}
	return app.Div().Class("approvals").Body(cards...)
}

func (v *approvalsView) decide(_ app.Context, id contracts.ApprovalID, d contracts.ApprovalDecision) {
	v.View.Watch.Decide(id, d)
}

// edit judges arguments as they are typed.
func (v *approvalsView) edit(_ app.Context, id contracts.ApprovalID, text string) {
	var schema *contracts.Schema
	for i := range v.View.Run.Head.Calls {
		if c := &v.View.Run.Head.Calls[i]; c.Approval != nil && c.Approval.ID == id {
			schema = v.View.Run.Schemas[c.ToolDigest]
		}
	}
	if v.edits == nil {
		v.edits = make(map[contracts.ApprovalID]store.Judgement)
	}
	v.edits[id] = store.JudgeArgs(schema, text)
}

// settledWords say what became of a question; they are empty while it stands.
func settledWords(c *store.Call) string {
	if c.Pending() {
		return ""
	}
	by := ""
	if c.By != "" {
		by = " by " + c.By
	}
	switch c.Decision {
	case contracts.DecisionApproved:
		return fmt.Sprintf("was approved%s.", by)
	case contracts.DecisionDenied:
		return fmt.Sprintf("was denied%s.", by)
	case contracts.DecisionEdited:
		return fmt.Sprintf("was approved with other arguments%s.", by)
	case contracts.DecisionExpired:
		return "was not decided in time: the question has expired."
	case contracts.DecisionCancelled:
	}
	return "needs no decision any more: the run went on without the call."
}

// refusedWords say why a decision was not taken.
func refusedWords(err error) string {
	if p, ok := errors.AsType[*contracts.Problem](err); ok {
		switch p.Status {
		case 409:
			return "Your decision came too late: the call was decided elsewhere."
		case 410:
			return "Your decision came too late: the question has expired."
		}
	}
	sentence, detail := parts.Trouble(err)
	if detail != "" {
		sentence += ": " + detail
	}
	return sentence + "."
}
