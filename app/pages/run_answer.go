package pages

import (
	"fmt"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// answerView is what the run says: the answer as it grows, its earlier drafts, and the thoughts beside it.
type answerView struct {
	app.Compo

	// View is the run, and Drawn counts its renderings.
	View  *RunView
	Drawn uint64
}

// Render implements app.Composer.
func (v *answerView) Render() app.UI {
	f := v.View.Run.Fold
	return app.Div().Class("run-columns").Body(
		app.Section().Class("run-main").Aria("label", "Answer").Body(v.answer(f)),
		app.Section().Class("run-side").Aria("label", "Thoughts").Body(v.thoughts(f)),
	)
}

// answer is the draft that counts, behind those that came before it.
func (v *answerView) answer(f store.Fold) app.UI {
	var body []app.UI
	for i, d := range f.Drafts {
		if i == len(f.Drafts)-1 {
			break
		}
		body = append(body, &parts.Fold{Title: draftTitle(i, d), Note: draftNote(d), Text: d.Text, Tone: "draft"})
	}
	switch current := f.Answer(); {
	case f.Done != nil && f.Done.Status == contracts.StateRefused:
		body = append(body, app.P().Class("quiet").Text("The answer was withheld."))
	case current != nil:
		body = append(body, &parts.Answer{
			Text: current.Text, Growing: f.Live() && !current.Final, Refusal: current.Channel == contracts.ChannelRefusal,
		})
	case f.Done != nil && f.Done.Output != nil:
		body = append(body, &parts.Answer{Text: *f.Done.Output})
	case f.Done != nil:
		body = append(body, app.P().Class("quiet").Text("The run ended without an answer."))
	case f.Header.Release == contracts.ReleaseVerified:
		body = append(body, app.P().Class("quiet").Text("The answer is shown once it has passed its checks."))
	default:
		body = append(body, app.P().Class("quiet").Text("No answer yet."))
	}
	return app.Div().Class("panel").Body(app.Div().Class("panel-body").Body(body...))
}

func draftTitle(i int, d store.Message) string {
	if d.Discarded {
		return fmt.Sprintf("Attempt %d, discarded", d.Attempt)
	}
	return fmt.Sprintf("Draft %d", i+1)
}

func draftNote(d store.Message) string {
	if d.Verdict == nil {
		return ""
	}
	words := parts.OutcomeWords(d.Verdict.Outcome)
	if d.Verdict.Score != nil {
		words += ", score " + parts.Score(*d.Verdict.Score)
	}
	return words
}

// thoughts are folded away, the newest last.
func (v *answerView) thoughts(f store.Fold) app.UI {
	if len(f.Thoughts) == 0 {
		return app.Div().Class("panel-none")
	}
	var folds []app.UI
	for _, t := range f.Thoughts {
		title := string(t.Kind)
		if t.Discarded {
			title += fmt.Sprintf(", attempt %d, discarded", t.Attempt)
		}
		folds = append(folds, &parts.Fold{
			Title: title, Note: firstLine(t.Text), Text: t.Text, Tone: "thought", Growing: f.Live() && !t.Final,
		})
	}
	return app.Div().Class("panel", "panel-quiet").Body(
		app.H2().Class("panel-title").Body(
			app.Text("Thoughts"),
			app.Span().Class("panel-count").Text(countOrNone(len(f.Thoughts))),
		),
		app.Div().Class("panel-body").Body(folds...),
	)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	const most = 160
	if r := []rune(line); len(r) > most {
		return string(r[:most]) + "…"
	}
	return line
}
