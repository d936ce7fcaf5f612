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

	earlier bool // all thoughts are wanted, not the latest alone
}

// Render implements app.Composer.
func (v *answerView) Render() app.UI {
	f := &v.View.Run.Fold
	return app.Div().Class("run-columns").Body(
		app.Section().Class("run-main").Aria("label", "Answer").Body(v.answer(f)),
		app.Section().Class("run-side").Aria("label", "Thoughts").Body(v.thoughts(f)),
	)
}

// answer is what counts, behind the drafts that came before it. What is drawn stays in its place as the run goes on, so that
// the answer's text is never made anew.
func (v *answerView) answer(f *store.Fold) app.UI {
	drafts := sortDrafts(f)
	folded := make([]app.UI, 0, len(drafts.earlier))
	for _, d := range drafts.earlier {
		folded = append(folded, &parts.Fold{
			Key: fmt.Sprintf("%s %d", d.ID, d.Attempt), Title: draftTitle(d), Note: firstLine(d.Text), Text: d.Text, Tone: "draft",
		})
	}
	answers := make([]app.UI, 0, len(drafts.current))
	for _, d := range drafts.current {
		answer := &parts.Answer{Text: d.Text, Growing: f.Live() && !d.Final, Refusal: d.Channel == contracts.ChannelRefusal}
		if len(drafts.current) > 1 {
			answer.Heading = branchName(d.Branch)
		}
		answers = append(answers, answer)
	}
	sentence := answerSentence(f, &drafts)
	return app.Div().Class("panel").Body(
		app.Div().Class("panel-bar").Body(
			app.H2().Class("panel-title").Text("Answer"),
			app.If(len(drafts.current) > 0, func() app.UI {
				return app.Span().Class("panel-hint").Body(&parts.CopyButton{
					Label: "copy", Name: "Copy the answer", Text: drafts.current[len(drafts.current)-1].Text,
				})
			}),
		),
		app.Div().Class("answer-drafts").Body(folded...),
		app.Div().Class("answer-said").Body(app.If(sentence != "", func() app.UI {
			return app.P().Class("answer-sentence").Text(sentence)
		})),
		app.Div().Class("answers").Body(answers...),
		app.Div().Body(v.verdict(f)),
	)
}

// verdict is the line under the answer that leads to its checks.
func (v *answerView) verdict(f *store.Fold) app.UI {
	href := contracts.LinksOf(v.View.Run.ID).Page + "?view=" + viewVerdict
	if n := len(f.Verdicts); n > 0 {
		last := f.Verdicts[n-1].VerdictData
		return &parts.VerdictLine{Outcome: last.Outcome, Words: verdictWords(last, v.View.Run.PassAt), Href: href}
	}
	words := ""
	switch {
	case f.Header.Release == "" && f.Done != nil && f.Done.Output != nil:
		words = "Not judged: the task names no checks."
	case f.Header.Release == contracts.ReleaseStream && f.Live() && f.Answer() != nil:
		words = "Not judged yet."
	}
	return app.If(words != "", func() app.UI { return &parts.VerdictLine{Words: words, Href: href} })
}

// thoughtsDrawn is how many of the latest thoughts are listed at first.
const thoughtsDrawn = 100

// thoughts are folded away, branch by branch, each branch's in the order in which they began.
func (v *answerView) thoughts(f *store.Fold) app.UI {
	thoughts := f.Thoughts
	if len(thoughts) == 0 {
		return app.Div().Class("panel-none")
	}
	hidden := 0
	if !v.earlier {
		hidden = max(len(thoughts)-thoughtsDrawn, 0)
	}
	branches := byBranch(thoughts[hidden:])
	rows := make([]app.UI, 0, len(branches))
	for _, branch := range branches {
		folds := make([]app.UI, 0, len(branch.messages))
		for _, t := range branch.messages {
			title := string(t.Kind)
			if t.Discarded {
				title += fmt.Sprintf(", attempt %d, discarded", t.Attempt)
			}
			folds = append(folds, &parts.Fold{
				Key: fmt.Sprintf("%s %d", t.ID, t.Attempt), Title: title, Note: firstLine(t.Text), Text: t.Text, Tone: "thought",
				Growing: f.Live() && !t.Final && !t.Discarded,
			})
		}
		rows = append(rows, app.Div().Body(
			app.If(len(branches) > 1, func() app.UI { return app.H3().Class("branch-name").Text(branchName(branch.branch)) }),
			app.Div().Body(folds...),
		))
	}
	return app.Div().Class("panel", "panel-quiet").Body(
		app.H2().Class("panel-title").Body(
			app.Text("Thoughts"),
			app.Span().Class("panel-count").Text(countOrNone(len(thoughts))),
			app.If(hidden > 0, func() app.UI {
				return app.Button().Class("button-inline").Type("button").Text(fmt.Sprintf("%d earlier", hidden)).OnClick(v.showEarlier)
			}),
		),
		app.Div().Class("panel-body").Body(rows...),
	)
}

func (v *answerView) showEarlier(app.Context, app.Event) { v.earlier = true }

func firstLine(text string) string {
	const most = 160
	text = strings.TrimSpace(text[:min(len(text), 8*most)])
	line, _, _ := strings.Cut(text, "\n")
	if r := []rune(strings.ToValidUTF8(line, "")); len(r) > most {
		return string(r[:most]) + "…"
	}
	return line
}
