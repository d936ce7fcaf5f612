package pages

import (
	"fmt"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
)

// verdictView is how the answer was judged, the last judgement first.
type verdictView struct {
	app.Compo

	// View is the run, and Drawn counts its renderings.
	View  *RunView
	Drawn uint64
}

// Render implements app.Composer.
func (v *verdictView) Render() app.UI {
	f := v.View.Run.Fold
	if f.Header.Release == "" {
		return app.Div().Class("panel").Body(
			app.H2().Class("panel-title").Text("Verdict"),
			app.P().Class("quiet").Text("The task names no checks: the answer is unverified."),
		)
	}
	if len(f.Verdicts) == 0 {
		return app.Div().Class("panel").Body(
			app.H2().Class("panel-title").Text("Verdict"),
			app.P().Class("quiet").Text("Not judged yet."),
		)
	}
	var body []app.UI
	for i, judged := range slices.Backward(f.Verdicts) {
		part := &parts.Verdict{Pass: judged.Pass, Outcome: judged.Outcome, Score: -1, Results: judged.Results}
		if judged.Score != nil {
			part.Score = *judged.Score
		}
		part.PassAt, part.RefuseBelow = v.View.Run.PassAt, v.View.Run.RefuseBelow
		if i < len(f.Verdicts)-1 {
			body = append(body, app.Details().Class("fold").Body(
				app.Summary().Class("fold-summary").Body(
					app.Span().Class("fold-title").Text(fmt.Sprintf("Pass %d", judged.Pass+1)),
					app.Span().Class("fold-note").Text(draftNote(store.Message{Verdict: &judged})),
				),
				part,
			))
			continue
		}
		body = append(body, part)
	}
	return app.Div().Class("panel").Body(
		app.H2().Class("panel-title").Text("Verdict"),
		app.Div().Class("panel-body").Body(body...),
	)
}
