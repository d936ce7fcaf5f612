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
	// Refused says why the reader's decision was not taken, in words; empty where it was, or none was made.
	Refused string
	// Settled says what was decided, in words; empty while the call waits. A settled request is there for a reader alone who
	// was about to decide it.
	Settled string
	// Marks are what is wrong with the arguments that the reader has typed, and Checked says what they were held against.
	Marks   []Mark
	Checked string
	// OnDecide is called with the reader's decision, and OnEdit with the arguments as the reader types them.
	OnDecide func(ctx app.Context, id contracts.ApprovalID, d contracts.ApprovalDecision)
	OnEdit   func(ctx app.Context, id contracts.ApprovalID, text string)

	editing contracts.ApprovalID // the request whose arguments are being edited: the component may be given another one
	edited  string
	decided contracts.ApprovalID // the request that the reader has decided
	read    contracts.ApprovalID // the settled request that the reader has put away
}

// Render implements app.Composer.
func (a *Approval) Render() app.UI {
	if a.Settled != "" {
		return a.settled()
	}
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
			return &Editor{Label: "Arguments", Text: PrettyJSON(a.Args), Version: 1, Small: true, Marks: a.Marks, OnChange: a.edit}
		}),
		app.If(a.isEdited(), func() app.UI {
			return app.Div().Class("approval-check").Body(
				&MarkList{Marks: a.Marks},
				app.P().Class("quiet").Text(a.Checked),
			)
		}),
		app.If(a.Refused != "", func() app.UI { return app.P().Class("field-error").Role("alert").Text(a.Refused) }),
		app.Div().Class("actions").Body(
			app.Button().Class("button", "button-primary").Type("button").Disabled(a.Sending || a.isEdited() && len(a.Marks) > 0).
				Text(a.approveLabel()).OnClick(a.approve),
			app.Button().Class("button", "button-danger").Type("button").Disabled(a.Sending).
				Text("Deny").OnClick(a.deny),
			app.Button().Class("button", "button-quiet").Type("button").Disabled(a.Sending).
				Text(a.editLabel()).OnClick(a.toggle),
		),
	)
}

// settled says what became of a request that the reader was about to decide, or whose decision came too late.
func (a *Approval) settled() app.UI {
	if a.read == a.ID || !a.isEdited() && a.Refused == "" {
		return app.Section().Hidden(true)
	}
	words := a.Settled
	if a.isEdited() && a.decided != a.ID {
		words += " What was typed was not sent."
	}
	return app.Section().Class("approval-settled").Role("status").Body(
		app.P().Body(app.Code().Text(string(a.Tool)), app.Text(" "+words)),
		app.Button().Class("button", "button-quiet").Type("button").Text("Close").OnClick(a.close),
	)
}

func (a *Approval) close(app.Context, app.Event) { a.read, a.editing = a.ID, "" }

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

func (a *Approval) toggle(ctx app.Context, _ app.Event) {
	editing := a.ID
	if a.isEdited() {
		editing = ""
	}
	a.editing = editing
	a.edit(ctx, PrettyJSON(a.Args))
}

func (a *Approval) edit(ctx app.Context, text string) {
	a.edited = text
	if a.OnEdit != nil {
		a.OnEdit(ctx, a.ID, text)
	}
}

func (a *Approval) approve(ctx app.Context, _ app.Event) {
	if !a.isEdited() {
		a.decide(ctx, contracts.ApprovalDecision{Decision: contracts.VerbApprove})
		return
	}
	if json.Valid([]byte(a.edited)) {
		a.decide(ctx, contracts.ApprovalDecision{Decision: contracts.VerbEdit, Args: json.RawMessage(a.edited)})
	}
}

func (a *Approval) deny(ctx app.Context, _ app.Event) {
	a.decide(ctx, contracts.ApprovalDecision{Decision: contracts.VerbDeny})
}

func (a *Approval) decide(ctx app.Context, d contracts.ApprovalDecision) {
	a.decided = a.ID
	if a.OnDecide != nil {
		d.By = "console"
		a.OnDecide(ctx, a.ID, d)
	}
}
