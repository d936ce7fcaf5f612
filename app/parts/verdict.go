package parts

import (
	"fmt"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
	"axiom25/contracts/verdict"
)

// Verdict shows a judgement: its outcome, its score between the thresholds, and each check.
type Verdict struct {
	app.Compo

	// Pass counts the attempts from 0 and Outcome is what followed.
	Pass    int64
	Outcome contracts.Outcome
	// Score is within 0..1, or negative where a check could not be evaluated.
	Score float64
	// PassAt and RefuseBelow are the thresholds; both 0 where they are not known.
	PassAt, RefuseBelow float64
	// Results are the checks in the order of the contract.
	Results []contracts.CheckResult
	// Again says what came of judging the answer again in the browser, Notes the same of each check by its id, and Differences
	// are what did not come out as it was recorded.
	Again       CheckLine
	Notes       map[string]string
	Differences []verdict.Difference
}

// Render implements app.Composer.
func (v *Verdict) Render() app.UI {
	rows := make([]app.UI, 0, len(v.Results))
	for _, r := range v.Results {
		rows = append(rows, app.Tr().Class("check", "check-"+string(r.Status)).Body(
			app.Td().Class("check-status").Body(checkShape(r.Status), app.Span().Text(string(r.Status))),
			app.Th().Scope("row").Class("check-id").Text(r.ID),
			app.Td().Class("check-reason").Body(
				app.Text(r.Reason+" "), app.Span().Class("check-again").Text(v.Notes[r.ID]),
			),
		))
	}
	return app.Div().Class("verdict").Body(
		app.Div().Class("verdict-head").Body(
			app.Span().Class("verdict-outcome", "outcome-"+string(v.Outcome)).Body(
				outcomeShape(v.Outcome),
				app.Text(OutcomeWords(v.Outcome)),
			),
			app.Span().Class("verdict-pass").Text(fmt.Sprintf("pass %d", v.Pass+1)),
			app.Span().Class("verdict-score").Text(v.scoreWords()),
		),
		app.If(v.Score >= 0, func() app.UI { return v.scale() }),
		app.Div().Class("verdict-again").Body(v.again()...),
		app.Table().Class("checks").Body(
			app.Caption().Class("visually-hidden").Text("Checks"),
			app.THead().Class("visually-hidden").Body(app.Tr().Body(
				app.Th().Scope("col").Text("status"), app.Th().Scope("col").Text("check"),
				app.Th().Scope("col").Text("reason, and whether it was recomputed here"),
			)),
			app.TBody().Body(rows...),
		),
	)
}

// again says what came of judging the answer again: a line, and each difference.
func (v *Verdict) again() []app.UI {
	if v.Again.Words == "" {
		return nil
	}
	again := v.Again
	lines := []app.UI{&again}
	for _, d := range v.Differences {
		lines = append(lines, app.P().Class("verdict-difference").Body(
			app.Code().Text(d.What), app.Text(": recorded "+d.Recorded+"; recomputed "+d.Again),
		))
	}
	return lines
}

func (v *Verdict) scoreWords() string {
	if v.Score < 0 {
		return "no score: a check could not be evaluated"
	}
	words := "score " + Score(v.Score)
	if v.PassAt > 0 {
		words += ", passes at " + Score(v.PassAt)
	}
	if v.RefuseBelow > 0 {
		words += ", refused below " + Score(v.RefuseBelow)
	}
	return words
}

// scale draws the score and the thresholds on one line.
func (v *Verdict) scale() app.UI {
	at := func(share float64) string { return strconv.FormatFloat(share*100, 'f', 1, 64) }
	shapes := []app.UI{
		app.Elem("rect").XMLNS(svgNamespace).Class("scale-track").Attr("y", "3").Attr("width", "100").Attr("height", "2"),
		app.Elem("rect").XMLNS(svgNamespace).Class("scale-score").Attr("y", "3").Attr("width", at(v.Score)).Attr("height", "2"),
	}
	mark := func(class string, share float64) {
		if share > 0 {
			shapes = append(shapes, app.Elem("rect").XMLNS(svgNamespace).Class(class).
				Attr("x", at(min(share, 0.995))).Attr("width", "0.5").Attr("height", "8"))
		}
	}
	mark("scale-pass", v.PassAt)
	mark("scale-refuse", v.RefuseBelow)
	return app.Elem("svg").XMLNS(svgNamespace).Class("scale", "outcome-"+string(v.Outcome)).
		Attr("viewBox", "0 0 100 8").Attr("preserveAspectRatio", "none").Aria("hidden", "true").
		Body(shapes...)
}

// OutcomeWords says an outcome to a reader.
func OutcomeWords(o contracts.Outcome) string {
	switch o {
	case contracts.OutcomePass:
		return "passed"
	case contracts.OutcomeRevise:
		return "to be revised"
	case contracts.OutcomeRefuse:
		return "refused"
	case contracts.OutcomeFail:
		return "failed"
	case contracts.OutcomeError:
		return "could not be judged"
	}
	return string(o)
}

func outcomeShape(o contracts.Outcome) app.UI {
	switch o {
	case contracts.OutcomePass:
		return stateShape(contracts.StateSucceeded)
	case contracts.OutcomeRevise:
		return stateShape(contracts.StateDraining)
	case contracts.OutcomeRefuse:
		return stateShape(contracts.StateRefused)
	case contracts.OutcomeFail, contracts.OutcomeError:
	}
	return stateShape(contracts.StateFailed)
}

func checkShape(s contracts.CheckStatus) app.UI {
	switch s {
	case contracts.CheckPass:
		return stateShape(contracts.StateSucceeded)
	case contracts.CheckSkipped:
		return stateShape(contracts.StateCancelled)
	case contracts.CheckError:
		return stateShape(contracts.StateExhausted)
	case contracts.CheckFail:
	}
	return stateShape(contracts.StateFailed)
}
