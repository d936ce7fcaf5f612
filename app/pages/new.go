package pages

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/document"
	"axiom25/app/form"
	"axiom25/app/parts"
	"axiom25/app/shelf"
	"axiom25/app/store"
	"axiom25/contracts"
	"axiom25/docs/examples"
)

// New composes a task and starts a run of it: a form and a text side by side over one document, which is checked as it is
// edited. The text is the truth; the form shows what stands in it and edits it in place.
type New struct {
	app.Compo

	examples []examples.Example
	missing  error // why there are no examples
	mounted  bool
	address  string // the query that the document was opened by

	formed
	origin  string          // the text as it was opened
	refusal store.Judgement // the server's, of the text as it stands

	// Where it comes from.
	from    contracts.RunID // the run whose task it is
	seq     contracts.Seq   // where a fork leaves that run; 0 for none
	loading bool
	lost    error // why the run's task cannot be had
	draft   store.Draft
	wanted  string // the draft that is to be opened when the drafts are known

	// Where it goes.
	sent     string // the key of the submission that this page waits for
	sentText string

	known  store.Known
	drafts store.Drafts
	queued store.Queued

	draftsWatch *store.DraftsWatch
	queueWatch  *store.QueueWatch
}

// OnInit implements app.Initializer.
func (p *New) OnInit() {
	p.examples, p.missing = examples.All()
	p.formed = formed{
		kind: contracts.KindTaskSpec, table: form.TaskSpec(), presets: form.Presets, empty: emptyTask, shown: "form",
		found: p.places, renewed: func() { p.refusal = store.Judgement{} }, changed: p.keep,
	}
	p.set("")
}

// OnNav implements app.Navigator.
func (p *New) OnNav(ctx app.Context) {
	ctx.Page().SetTitle("New run · Axiom25")
	if app.IsServer {
		return // the server draws the shell alone
	}
	if !p.mounted {
		p.mounted = true
		ctx.ObserveState(store.KeyKnown, &p.known).OnChange(func() {
			p.schema = document.Read(p.known.Schema)
			p.draw()
		})
		ctx.ObserveState(store.TaskDrafts.Key(), &p.drafts).OnChange(func() { p.openWanted(ctx) })
		ctx.ObserveState(store.KeyQueue, &p.queued).OnChange(func() { p.follow(ctx) })
		p.draftsWatch = store.WatchDrafts(ctx, shelf.Browser(), store.TaskDrafts)
		p.queueWatch = store.WatchQueue(ctx, store.TabQueue())
		store.LearnWhatThereIs(ctx, command.Client{}, shelf.Browser())
		store.Prepare(ctx, []contracts.Kind{contracts.KindBudget, contracts.KindVerifyContract, contracts.KindTaskSpec}, p.prepared)
		p.address = "?" // none that can be
	}
	if query := ctx.Page().URL().RawQuery; query != p.address {
		p.address = query
		p.arrive(ctx)
	}
}

// OnDismount implements app.Dismounter.
func (p *New) OnDismount() {
	if p.mounted {
		p.draftsWatch.Flush()
		p.queueWatch.Close()
	}
}

// prepared judges what was drawn before it could be judged.
func (p *New) prepared(app.Context) { p.judge() }

// Render implements app.Composer.
func (p *New) Render() app.UI {
	body := []app.UI{
		app.Div().Class("title-row").Body(
			app.H1().Class("title").Text(p.title()),
			app.Div().Class("actions").Body(
				app.Button().Class("button").Type("button").Text("Start empty").OnClick(p.startEmpty),
				&parts.FileButton{Label: "Open a file", Accept: ".json,.txt", OnFile: p.openFile},
			),
		),
		app.Section().Class("examples").Aria("label", "Examples").Body(p.cards()...),
		p.queueList(),
		p.draftList(),
		&parts.FileDrop{OnFile: p.openFile, Body: []app.UI{
			p.banner(),
			p.sides("TaskSpec", "Task", p.kept(), p.resting(), p.picks()),
		}},
		p.foot(),
	}
	return parts.Page("/new", app.Div().Class("composer-page").OnKeyDown(p.pressed).Body(body...))
}

func (p *New) title() string {
	switch {
	case p.seq > 0:
		return "Fork a run"
	case p.from != "":
		return "Run again"
	}
	return "New run"
}

// picks are what the server has for the open lists of the form.
func (p *New) picks() map[string][]parts.Pick {
	var tools, engines []parts.Pick
	for i := range p.known.Tools {
		t := &p.known.Tools[i]
		if i > 0 && t.Spec.Name == p.known.Tools[i-1].Spec.Name {
			continue // an earlier version
		}
		tools = append(tools, parts.Pick{
			Value: t.Spec.Name, About: t.Spec.Description,
			Note: t.Spec.Version + " · " + string(t.Spec.Effect) + " · " + string(t.Spec.Trust) + " · " + gateNote(t.Gate),
		})
	}
	for _, e := range p.known.Engines {
		note := "available"
		if !e.Available {
			note = orElse(e.Reason, "not available now")
		}
		engines = append(engines, parts.Pick{Value: e.Name, Note: note, About: e.Description})
	}
	return map[string][]parts.Pick{"/allowed_tools": tools, "/backend/prefer": engines}
}

func gateNote(g contracts.Gate) string {
	if g == contracts.GateAsk {
		return "asks you"
	}
	return "runs without asking"
}

// cards offer the examples.
func (p *New) cards() []app.UI {
	cards := make([]app.UI, 0, len(p.examples)+1)
	for i, e := range p.examples {
		name, about := cutTitle(e.Title)
		cards = append(cards, &parts.ExampleCard{
			Index: i, Name: name, About: about, Busy: p.waiting(),
			OnRun: p.runExample, OnOpen: p.openExample,
		})
	}
	if p.missing != nil {
		cards = append(cards, &parts.Alert{Title: "The examples cannot be read", Detail: p.missing.Error()})
	}
	return cards
}
