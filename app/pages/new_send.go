package pages

import (
	"fmt"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// follow takes in what became of the submission that the page waits for.
func (p *New) follow(ctx app.Context) {
	s := p.queued.Find(p.sent)
	switch {
	case p.sent == "" || s == nil || s.Waiting():
		return
	case s.Created != "":
		p.queueWatch.Remove(p.sent)
		p.sent = ""
		ctx.Navigate("/r/" + s.Created.String())
		return
	}
	p.queueWatch.Remove(p.sent)
	p.sent = ""
	p.refusal = store.Refusal(p.text, s.Refused)
	if p.text != p.sentText {
		p.refusal.Places = nil // they are about another text
	}
	p.draw()
	p.keep(ctx)
}

// waiting reports whether the document, as it stands, is on its way.
func (p *New) waiting() bool { return p.sent != "" && p.text == p.sentText }

// delayed reports whether the server has not answered so far.
func (p *New) delayed() bool {
	s := p.queued.Find(p.sent)
	return p.sent != "" && s != nil && s.Delayed
}

// ready reports whether the document can be sent.
func (p *New) ready() bool {
	sound := p.judgement.Valid || p.unchanged()
	return sound && len(p.loose) == 0 && !p.waiting() && !p.loading && p.lost == nil
}

func (p *New) run(ctx app.Context) {
	if !p.ready() {
		return
	}
	s := store.Submission{
		Key: store.NewKey(), Task: p.text, Goal: p.goal(), At: time.Now(), //nolint:forbidigo // the reader's own clock
	}
	if p.seq > 0 {
		s.Parent, s.Seq = p.from, p.seq
		if p.unchanged() {
			s.Task = ""
		}
	}
	p.sent, p.sentText = s.Key, p.text
	p.refusal, p.note = store.Judgement{}, ""
	p.queueWatch.Add(s)
	if p.draft.ID != "" {
		p.draftsWatch.Delete(p.draft.ID)
		p.draft = store.Draft{}
		p.readdress(ctx, "")
	}
	p.draw()
}

func (p *New) clicked(ctx app.Context, _ app.Event) { p.run(ctx) }

func (p *New) runExample(ctx app.Context, i int) {
	p.openExample(ctx, i)
	p.run(ctx)
}

// pressed runs the task by the keys that its button names.
func (p *New) pressed(ctx app.Context, event app.Event) {
	if submits(event) {
		p.run(ctx)
	}
}

// submits reports whether an event is the keys that send a document, and takes it then.
func submits(event app.Event) bool {
	sends := (event.Get("ctrlKey").Truthy() || event.Get("metaKey").Truthy()) && event.Get("key").String() == "Enter"
	if sends {
		event.PreventDefault()
	}
	return sends
}

// foot says whether the task can be sent, and sends it. It stays on the screen.
func (p *New) foot() app.UI {
	state, words := p.status()
	return app.Section().Class("panel", "composer-foot").Aria("label", "Run").Body(
		p.refused(),
		p.problemList(),
		app.Div().Class("editor-foot").Body(
			app.Span().Class("verdict-line", "verdict-line-"+state).Role("status").Text(words),
			app.Span().Class("quiet", "wide").Aria("hidden", "true").Text("Ctrl ↵"),
			app.Button().Class("button", "button-primary").Type("button").
				Title("Ctrl or Command and Enter").Disabled(!p.ready()).Text(p.runLabel()).OnClick(p.clicked),
		),
	)
}

// refused says why the server does not take the task, where that is not about a place in it.
func (p *New) refused() app.UI {
	if p.refusal.Problem == nil {
		return app.Div().Class("banner-place")
	}
	problem := p.refusal.Problem
	title, detail := problem.Title, problem.Detail
	if p.seq > 0 && problem.Has(contracts.ProblemHistoryPruned) {
		title, detail = "The run's history was deleted", "Retention has let go of it: the run can no longer be forked."
	}
	return app.Div().Class("banner-place").Body(&parts.Alert{Title: title, Detail: detail, Fatal: true})
}

// status is the class and the words of what can be done with the task.
func (p *New) status() (state, words string) {
	away := ""
	switch {
	case !online():
		away = "It will be sent when you are back."
	case p.known.Old:
		away = "The server does not answer. It will be sent when it does."
	}
	switch n := len(p.problems); {
	case p.loading:
		return "blank", "Reading the run's task"
	case p.lost != nil:
		return "invalid", "There is nothing to run"
	case p.waiting() && p.delayed() && !online():
		return "blank", "Will be sent when you are back"
	case p.waiting() && p.delayed():
		return "blank", "The server does not answer. The task will be sent when it does"
	case p.waiting():
		return "blank", "Starting"
	case n > 0 && p.refusal.Problem == nil && len(p.judgement.Places) == 0:
		return "invalid", countProblems(n)
	case p.refusal.Problem != nil:
		return "invalid", "The server does not take it"
	case p.unchanged():
		return "valid", sentences("Ready", away)
	case p.judgement.Valid:
		return "valid", sentences("Ready", away)
	case n > 0:
		return "invalid", countProblems(n)
	}
	return readiness(p.judgement), judgementWords(p.judgement, "Ready")
}

func sentences(first, second string) string {
	if second == "" {
		return first
	}
	return first + ". " + second
}

func countProblems(n int) string {
	if n == 1 {
		return "1 problem"
	}
	return fmt.Sprintf("%d problems", n)
}

func (p *New) runLabel() string {
	switch {
	case p.waiting() && p.delayed():
		return "Waiting"
	case p.waiting():
		return "Starting"
	case p.seq > 0:
		return "Fork"
	}
	return "Run"
}

// online reports whether the browser believes that there is a network.
func online() bool { return !app.IsClient || app.Window().Get("navigator").Get("onLine").Bool() }

// queueList shows what waits to be sent, and what became of it.
func (p *New) queueList() app.UI {
	var entries []parts.Kept
	for i := range p.queued.List {
		s := &p.queued.List[i]
		if s.Key == p.sent && !s.Delayed {
			continue // an answer is due
		}
		at := s.At.Local().Format("2 Jan 15:04") //nolint:gosmopolitan // the reader's zone is meant
		e := parts.Kept{ID: s.Key, Title: orElse(s.Goal, "a task"), NoteTitle: s.At.UTC().Format(time.RFC3339), Remove: "Remove", Edit: "Edit"}
		switch {
		case s.Created != "":
			e.Note, e.Href, e.Remove, e.Edit = "sent · "+at, "/r/"+s.Created.String(), "Dismiss", ""
		case s.Refused != nil:
			e.Note, e.Trouble = "refused", sentences(s.Refused.Title, s.Refused.Detail)
		case !online():
			e.Note = "will be sent when you are back"
		default:
			e.Note = "waits for the server"
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 && p.queued.Problem == nil {
		return app.Div()
	}
	return &parts.KeptList{Label: "Waiting to be sent", Entries: entries, OnRemove: p.unqueue, OnEdit: p.editQueued}
}

// unqueue takes a submission out.
func (p *New) unqueue(ctx app.Context, key string) {
	p.queueWatch.Remove(key)
	if key == p.sent {
		p.sent = ""
		p.keep(ctx) // it is a draft again
	}
}

// editQueued takes a submission out and opens it.
func (p *New) editQueued(ctx app.Context, key string) {
	s := p.queued.Find(key)
	if s == nil {
		return
	}
	p.queueWatch.Remove(key)
	p.restart(ctx, "")
	if s.Parent != "" {
		p.from, p.seq = s.Parent, s.Seq
	}
	if s.Task == "" {
		p.openRun(ctx)
		return
	}
	p.open(s.Task)
	if s.Refused != nil {
		p.refusal = store.Refusal(p.text, s.Refused)
		p.draw()
	}
	p.keep(ctx)
}
