package pages

import (
	"fmt"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// verdictView is how the answer was judged, the last judgement first, and what comes of judging it again here.
type verdictView struct {
	app.Compo

	// View is the run, and Drawn counts its renderings.
	View  *RunView
	Drawn uint64

	reviews map[reviewed]*store.Review // nil while one is being made
}

// reviewed is what a review depends on. It is made again when more has become known.
type reviewed struct {
	run  contracts.RunID
	seq  contracts.Seq // the verdict's
	task bool          // the task was at hand
	text bool          // the run was over, or the judged text whole
}

// Render implements app.Composer.
func (v *verdictView) Render() app.UI {
	f := &v.View.Run.Fold
	var body []app.UI
	switch {
	case f.Header.Release == "":
		body = []app.UI{app.P().Class("quiet").Text("The task names no checks: the answer is unverified.")}
	case len(f.Verdicts) == 0:
		body = []app.UI{app.P().Class("quiet").Text("Not judged yet.")}
	}
	for i := range slices.Backward(f.Verdicts) {
		if i == len(f.Verdicts)-1 {
			body = append(body, app.Div().Body(v.judgement(i)))
			continue
		}
		judged := f.Verdicts[i].VerdictData
		body = append(body, &parts.Fold{
			Key: fmt.Sprint(i), Title: fmt.Sprintf("Pass %d", judged.Pass+1), Note: revisedWords(judged),
			Body: func() app.UI { return v.judgement(i) },
		})
	}
	return app.Div().Class("panel").Body(
		app.H2().Class("panel-title").Text("Verdict"),
		app.Div().Class("panel-body").Body(body...),
	)
}

// judgement is one verdict with what came of judging it again.
func (v *verdictView) judgement(i int) app.UI {
	run := v.View.Run
	judged := &run.Fold.Verdicts[i]
	part := &parts.Verdict{
		Pass: judged.Pass, Outcome: judged.Outcome, Score: -1, Results: judged.Results,
		PassAt: run.PassAt, RefuseBelow: run.RefuseBelow, Again: parts.CheckLine{Tone: contracts.CheckSkipped, Words: "recomputing here"},
	}
	if judged.Score != nil {
		part.Score = *judged.Score
	}
	if review := v.reviews[v.keyOf(i)]; review != nil {
		part.Again, part.Notes, part.Differences = reviewWords(review), reviewNotes(review), review.Differences
	}
	return part
}

func (v *verdictView) keyOf(i int) reviewed {
	run := v.View.Run
	key := reviewed{run: run.ID, seq: run.Fold.Verdicts[i].Seq, task: run.Task != nil, text: run.Fold.Done != nil}
	for j := range run.Fold.Drafts {
		m := &run.Fold.Drafts[j]
		key.text = key.text || m.ID == run.Fold.Verdicts[i].MessageID && m.Final
	}
	return key
}

// OnMount implements app.Mounter.
func (v *verdictView) OnMount(ctx app.Context) { v.review(ctx) }

// OnUpdate implements app.Updater.
func (v *verdictView) OnUpdate(ctx app.Context) { v.review(ctx) }

// review judges again what was not yet.
func (v *verdictView) review(ctx app.Context) {
	for i := range v.View.Run.Fold.Verdicts {
		key := v.keyOf(i)
		if _, known := v.reviews[key]; known {
			continue
		}
		if v.reviews == nil {
			v.reviews = make(map[reviewed]*store.Review)
		}
		v.reviews[key] = nil
		store.ReviewLater(ctx, v.View.Run, i, func(_ app.Context, review store.Review) { v.reviews[key] = &review })
	}
}

// reviewWords say in a line what came of judging a verdict again.
func reviewWords(r *store.Review) parts.CheckLine {
	all, unknown := len(r.Checks), r.Unknown()
	switch {
	case r.Impossible != "":
		return parts.CheckLine{Tone: contracts.CheckSkipped, Words: "not recomputed here: " + r.Impossible}
	case !r.Same():
		return parts.CheckLine{Tone: contracts.CheckFail, Words: "recomputed here: differs"}
	case unknown == all:
		return parts.CheckLine{Tone: contracts.CheckSkipped, Words: "recomputed here: the decision alone, from the recorded results"}
	case unknown > 0:
		return parts.CheckLine{
			Tone: contracts.CheckPass, Words: "recomputed here: same",
			Detail: fmt.Sprintf("%d of %d checks; the decision with the recorded results of the others", all-unknown, all),
		}
	}
	return parts.CheckLine{Tone: contracts.CheckPass, Words: "recomputed here: same"}
}

// reviewNotes say by a check's id what came of judging it again.
func reviewNotes(r *store.Review) map[string]string {
	notes := make(map[string]string, len(r.Checks))
	for i := range r.Checks {
		switch check := &r.Checks[i]; {
		case check.Unknown != "":
			notes[check.ID] = "not recomputed: " + string(check.Unknown)
		case check.Differs:
			notes[check.ID] = "recomputed: differs"
		default:
			notes[check.ID] = "recomputed: same"
		}
	}
	return notes
}
