package parts

import (
	"encoding/json"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// Approval asks the reader about a call that waits: approve it, approve it with other arguments, or deny it.
type Approval struct {
	app.Compo

	// ID is the request's and Tool the tool that is to be called.
	ID   contracts.ApprovalID
	Tool contracts.ToolRef
	// Args are the arguments as the stream shows them.
	Args []byte
	// Remaining says in words how long the request stands.
	Remaining string
	// Sending says that a decision is under way.
	Sending bool
	// OnDecide is called with the reader's decision.
	OnDecide func(ctx app.Context, id contracts.ApprovalID, d contracts.ApprovalDecision)

	editing contracts.ApprovalID // the request whose arguments are being edited: the component may be given another one
	edited  string
	invalid bool
}

// Render implements app.Composer.
func (a *Approval) Render() app.UI {
	title := "approval-" + a.ID.String()
	return app.Section().Class("approval").Aria("labelledby", title).Body(
		app.Div().Class("approval-head").Body(
			stateShape(contracts.StateWaiting),
			app.H2().Class("approval-title").ID(title).Body(
				app.Text("May "), app.Code().Text(string(a.Tool)), app.Text(" be called?"),
			),
			app.Span().Class("approval-remaining").Text(a.Remaining),
		),
		app.If(!a.isEdited(), func() app.UI {
			return app.Pre().Class("code").TabIndex(0).Text(PrettyJSON(a.Args))
		}).Else(func() app.UI {
			return &Editor{Label: "Arguments", Text: PrettyJSON(a.Args), Version: 1, Small: true, OnChange: a.edit}
		}),
		app.If(a.isEdited() && a.invalid, func() app.UI {
			return app.P().Class("field-error").Role("alert").Text("The arguments are not JSON.")
		}),
		app.Div().Class("actions").Body(
			app.Button().Class("button", "button-primary").Type("button").Disabled(a.Sending).
				Text(a.approveLabel()).OnClick(a.approve),
			app.Button().Class("button", "button-danger").Type("button").Disabled(a.Sending).
				Text("Deny").OnClick(a.deny),
			app.Button().Class("button", "button-quiet").Type("button").Disabled(a.Sending).
				Text(a.editLabel()).OnClick(a.toggle),
		),
	)
}

// isEdited reports whether the arguments of this request are being edited.
func (a *Approval) isEdited() bool { return a.editing != "" && a.editing == a.ID }

func (a *Approval) approveLabel() string {
	if a.isEdited() {
		return "Approve as edited"
	}
	return "Approve"
}

func (a *Approval) editLabel() string {
	if a.isEdited() {
		return "Keep the original"
	}
	return "Edit the arguments"
}

func (a *Approval) toggle(app.Context, app.Event) {
	editing := a.ID
	if a.isEdited() {
		editing = ""
	}
	a.editing, a.invalid, a.edited = editing, false, PrettyJSON(a.Args)
}

func (a *Approval) edit(_ app.Context, text string) { a.edited, a.invalid = text, false }

func (a *Approval) approve(ctx app.Context, _ app.Event) {
	if !a.isEdited() {
		a.decide(ctx, contracts.ApprovalDecision{Decision: contracts.VerbApprove})
		return
	}
	if a.invalid = !json.Valid([]byte(a.edited)); a.invalid {
		return
	}
	a.decide(ctx, contracts.ApprovalDecision{Decision: contracts.VerbEdit, Args: json.RawMessage(a.edited)})
}

func (a *Approval) deny(ctx app.Context, _ app.Event) {
	a.decide(ctx, contracts.ApprovalDecision{Decision: contracts.VerbDeny})
}

func (a *Approval) decide(ctx app.Context, d contracts.ApprovalDecision) {
	if a.OnDecide != nil {
		d.By = "console"
		a.OnDecide(ctx, a.ID, d)
	}
}
