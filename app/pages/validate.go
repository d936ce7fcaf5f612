package pages

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// Validate holds a document against a contract, in the browser alone.
type Validate struct {
	app.Compo

	kind      contracts.Kind
	text      string
	judgement store.Judgement
	prepared  bool
}

// OnNav implements app.Navigator.
func (p *Validate) OnNav(ctx app.Context) {
	ctx.Page().SetTitle("Validate · Axiom25")
	if p.kind == "" {
		p.kind = contracts.KindTaskSpec
		p.judge()
	}
	if app.IsClient && !p.prepared {
		p.prepared = true
		store.Prepare(ctx, []contracts.Kind{
			contracts.KindBudget, contracts.KindVerifyContract, contracts.KindTaskSpec, contracts.KindToolSpec, contracts.KindRunEvent,
		}, func(app.Context) {})
	}
}

// Render implements app.Composer.
func (p *Validate) Render() app.UI {
	return parts.Page("/validate",
		app.Div().Class("title-row").Body(
			app.H1().Class("title").Text("Validate"),
			&parts.ContractSelect{Names: contractNames(), Chosen: contractName(p.kind), OnChoose: p.choose},
		),
		app.Section().Class("panel").Aria("label", "Document").Body(
			app.Div().Class("panel-bar").Body(
				app.H2().Class("panel-title").Text("Document"),
				app.Span().Class("panel-hint").Text("checked here, by the server's own code; nothing is sent"),
			),
			&parts.Editor{Label: "Document to check", Marks: marksOf(p.judgement.Places), OnChange: p.typed},
			app.Div().Class("editor-foot").Body(
				app.Span().Class("verdict-line", "verdict-line-"+readiness(p.judgement)).Role("status").
					Text(judgementWords(p.judgement, "Valid "+contractName(p.kind))),
			),
			&parts.MarkList{Marks: marksOf(p.judgement.Places), Truncated: truncated(p.judgement)},
		),
	)
}

func (p *Validate) typed(_ app.Context, text string) {
	p.text = text
	p.judge()
}

func (p *Validate) choose(_ app.Context, i int) {
	p.kind = contracts.Kinds()[i]
	p.judge()
}

func (p *Validate) judge() { p.judgement = store.Judge(p.kind, p.text) }

func contractNames() []string {
	var names []string
	for _, k := range contracts.Kinds() {
		names = append(names, contractName(k))
	}
	return names
}

// contractName is a contract's name as the documentation writes it.
func contractName(k contracts.Kind) string {
	switch k {
	case contracts.KindBudget:
		return "Budget"
	case contracts.KindVerifyContract:
		return "VerifyContract"
	case contracts.KindToolSpec:
		return "ToolSpec"
	case contracts.KindRunEvent:
		return "RunEvent"
	case contracts.KindTaskSpec:
	}
	return "TaskSpec"
}
