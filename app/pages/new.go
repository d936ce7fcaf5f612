package pages

import (
	"fmt"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
	"axiom25/docs/examples"
)

// New starts a run: from an example by one click, or from a document that is checked as it is typed.
type New struct {
	app.Compo

	examples  []examples.Example
	missing   error // why there are no examples
	creation  store.Creation
	text      string
	judgement store.Judgement
	version   int // of the text that the editor is given
	mounted   bool
	oneClick  bool // the run was started at its example, far above the editor's foot
}

// OnInit implements app.Initializer.
func (p *New) OnInit() { p.examples, p.missing = examples.All() }

// OnNav implements app.Navigator.
func (p *New) OnNav(ctx app.Context) {
	ctx.Page().SetTitle("New run · Axiom25")
	if app.IsServer || p.mounted {
		return // the server draws the shell alone
	}
	p.mounted = true
	store.ForgetCreation(ctx)
	ctx.ObserveState(store.KeyCreation, &p.creation).OnChange(func() { p.follow(ctx) })
	if len(p.examples) > 0 {
		p.text, p.version = string(p.examples[0].Task), p.version+1 // drawn before it is judged
	}
	store.Prepare(ctx, []contracts.Kind{contracts.KindBudget, contracts.KindVerifyContract, contracts.KindTaskSpec},
		func(app.Context) { p.change(p.text) })
}

// follow leads to the run that was started.
func (p *New) follow(ctx app.Context) {
	if id := p.creation.Created; id != "" {
		store.ForgetCreation(ctx)
		ctx.Navigate("/r/" + id.String())
	}
}

// open puts a document into the editor.
func (p *New) open(document string) {
	p.version++
	p.change(document)
}

func (p *New) change(text string) {
	p.text, p.judgement = text, store.Judge(contracts.KindTaskSpec, text)
}

// Render implements app.Composer.
func (p *New) Render() app.UI {
	cards := make([]app.UI, 0, len(p.examples)+1)
	for i, e := range p.examples {
		name, about, _ := strings.Cut(e.Title, ": ")
		cards = append(cards, &parts.ExampleCard{
			Index: i, Name: name, About: upperFirst(about) + ".", Busy: p.creation.Sending,
			OnRun: p.runExample, OnOpen: p.openExample,
		})
	}
	if p.missing != nil {
		cards = append(cards, &parts.Alert{Title: "The examples cannot be read", Detail: p.missing.Error()})
	}
	return parts.Page("/new",
		app.Div().Class("title-row").Body(app.H1().Class("title").Text("New run")),
		app.Section().Class("examples").Aria("label", "Examples").Body(cards...),
		p.refusal(p.oneClick),
		app.Section().Class("panel").Aria("label", "Task").Body(
			app.Div().Class("panel-bar").Body(
				app.H2().Class("panel-title").Text("Task"),
				app.Span().Class("panel-hint").Text("a TaskSpec, checked here as you type"),
			),
			&parts.Editor{
				Label: "TaskSpec", Text: p.text, Version: p.version, Marks: p.marks(),
				OnChange: p.typed, OnSubmit: p.run,
			},
			app.Div().Class("editor-foot").Body(
				app.Span().Class("verdict-line", "verdict-line-"+readiness(p.judgement)).Role("status").Text(p.words()),
				app.Button().Class("button", "button-primary").Type("button").
					Title("Ctrl or Command and Enter").
					Disabled(!p.judgement.Valid || p.creation.Sending).
					Text(p.runLabel()).OnClick(p.clicked),
			),
			p.refusal(!p.oneClick),
			&parts.MarkList{Marks: p.marks(), Truncated: truncated(p.judgement)},
		),
	)
}

// marks are the problems found here, or else those that the server found.
func (p *New) marks() []parts.Mark {
	if len(p.judgement.Places) > 0 {
		return marksOf(p.judgement.Places)
	}
	return marksOf(p.creation.Places)
}

// refusal says why no run was started, in the one of its two places where the reader has just clicked.
func (p *New) refusal(here bool) app.UI {
	if p.creation.Refused == nil || !here {
		return app.Div().Class("banner-place")
	}
	sentence, detail := parts.Trouble(p.creation.Refused)
	return app.Div().Class("banner-place").Body(&parts.Alert{Title: sentence, Detail: detail})
}

func (p *New) words() string {
	if p.creation.Sending {
		return "Starting"
	}
	return judgementWords(p.judgement, "Ready")
}

func (p *New) runLabel() string {
	if p.creation.Sending {
		return "Starting"
	}
	return "Run"
}

func (p *New) typed(_ app.Context, text string) {
	p.change(text)
	p.creation.Refused, p.creation.Places = nil, nil
}

func (p *New) openExample(_ app.Context, i int) { p.open(string(p.examples[i].Task)) }

func (p *New) runExample(ctx app.Context, i int) {
	p.open(string(p.examples[i].Task))
	p.oneClick = true
	p.start(ctx)
}

func (p *New) clicked(ctx app.Context, _ app.Event) { p.run(ctx) }

func (p *New) run(ctx app.Context) {
	p.oneClick = false
	p.start(ctx)
}

func (p *New) start(ctx app.Context) {
	if p.judgement.Valid && !p.creation.Sending {
		store.Create(ctx, command.Client{}, p.text)
	}
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func marksOf(places []store.Place) []parts.Mark {
	marks := make([]parts.Mark, len(places))
	for i, place := range places {
		marks[i] = parts.Mark{
			Start: place.Start, End: place.End, Line: place.Line, Column: place.Column,
			Pointer: place.Pointer, Detail: place.Detail, Code: string(place.Code),
		}
		marks[i].Guess, _ = place.Params["did_you_mean"].(string) // absent where nothing is near
	}
	return marks
}

func truncated(j store.Judgement) bool {
	return j.Problem != nil && j.Problem.Truncated != nil && *j.Problem.Truncated
}

// judgementWords says a judgement to a reader.
func judgementWords(j store.Judgement, valid string) string {
	switch n := len(j.Places); {
	case j.Blank():
		return "Nothing to check yet"
	case j.Valid:
		return valid
	case n == 0:
		return orElse(j.Problem.Detail, j.Problem.Title)
	case n == 1:
		return "1 problem"
	default:
		return fmt.Sprintf("%d problems", n)
	}
}

// readiness is the class that a judgement is shown in.
func readiness(j store.Judgement) string {
	switch {
	case j.Blank():
		return "blank"
	case j.Valid:
		return "valid"
	}
	return "invalid"
}
