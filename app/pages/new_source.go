package pages

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/document"
	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// emptyTask is a task to begin from nothing with.
const emptyTask = `{
  "schema_version": 2,
  "goal": ""
}
`

// arrive opens what the address names: a draft, a run's task, or the first example.
func (p *New) arrive(ctx app.Context) {
	query := ctx.Page().URL().Query()
	p.leave()
	switch {
	case query.Get("draft") != "":
		p.wanted = query.Get("draft")
		p.openWanted(ctx)
	case query.Get("from") != "":
		p.from = contracts.RunID(query.Get("from"))
		seq, _ := strconv.ParseInt(query.Get("fork"), 10, 64) // 0 where it names no event
		p.seq = contracts.Seq(max(seq, 0))
		p.openRun(ctx)
	default:
		p.openFirst()
	}
}

// leave forgets where the document came from and where it went.
func (p *New) leave() {
	p.from, p.seq, p.loading, p.lost = "", 0, false, nil
	p.draft, p.wanted = store.Draft{}, ""
	p.sent, p.sentText = "", ""
}

// begin opens a text that has not been changed yet.
func (p *New) begin(text string) {
	p.origin = text
	p.open(text)
}

// restart begins anew with a text, in an address that names nothing else.
func (p *New) restart(ctx app.Context, text string) {
	p.leave()
	p.readdress(ctx, "")
	p.begin(text)
}

// readdress changes the query of the address for a document that is open already. It goes by go-app, which takes a link to the
// address that it believes to be at for none.
func (p *New) readdress(ctx app.Context, query string) {
	if p.address == query {
		return
	}
	p.address = query
	if query != "" {
		query = "?" + query
	}
	ctx.Navigate("/new" + query)
}

func (p *New) openFirst() {
	if len(p.examples) > 0 {
		p.begin(string(p.examples[0].Task))
	}
}

func (p *New) startEmpty(ctx app.Context, _ app.Event) {
	p.restart(ctx, emptyTask)
	if id := p.firstAt("/goal"); id != "" {
		parts.Focus(ctx, id)
	}
}

// firstAt is the id of the field at a pointer.
func (p *New) firstAt(pointer string) string {
	for i := range p.drawn {
		for _, r := range p.drawn[i].Rows {
			if r.Pointer == pointer {
				return r.ID
			}
		}
	}
	return ""
}

func (p *New) openExample(ctx app.Context, i int) { p.restart(ctx, string(p.examples[i].Task)) }

// openFile opens a file as a draft of its own.
func (p *New) openFile(ctx app.Context, file app.Value) {
	name := file.Get("name").String()
	store.ReadFile(ctx, file, func(ctx app.Context, text string, err error) {
		if err != nil {
			p.note = fmt.Sprintf("%s cannot be opened: %s.", name, err)
			return
		}
		p.restart(ctx, "")
		p.open(text)
		p.keep(ctx)
	})
}

// openRun opens the task of a run.
func (p *New) openRun(ctx app.Context) {
	p.loading = true
	p.begin("")
	id := p.from
	store.LoadTask(ctx, command.Client{}, id, func(_ app.Context, text string, err error) {
		if p.from != id || !p.loading {
			return // the reader has gone on
		}
		p.loading, p.lost = false, err
		if err == nil {
			p.begin(text)
		}
	})
}

// openWanted opens the draft that the address names, once the drafts are known.
func (p *New) openWanted(ctx app.Context) {
	if p.wanted == "" || !p.drafts.Loaded {
		return
	}
	d := p.drafts.Find(p.wanted)
	p.wanted = ""
	if d == nil {
		p.readdress(ctx, "")
		p.openFirst()
		p.note = "This draft is not in this browser any more."
		return
	}
	p.openDraft(*d)
}

func (p *New) openDraft(d store.Draft) {
	p.draft, p.from, p.seq, p.origin = d, d.Parent, d.Seq, d.Origin
	p.open(d.Text)
}

// keep keeps the document as a draft, once it differs from what was opened.
func (p *New) keep(ctx app.Context) {
	if p.draft.ID == "" {
		if p.text == p.origin {
			return
		}
		p.draft = store.Draft{ID: store.NewDraftID(), Parent: p.from, Seq: p.seq}
		if p.from != "" {
			p.draft.Origin = p.origin
		}
		p.readdress(ctx, "draft="+p.draft.ID)
	}
	p.draft.Text, p.draft.Goal, p.draft.Changed = p.text, p.goal(), time.Now() //nolint:forbidigo // the reader's own clock
	p.draftsWatch.Keep(p.draft)
}

// goal is the task's goal, as far as it can be read.
func (p *New) goal() string {
	goal, _ := p.read.Find("/goal").Text()
	const enough = 120
	if runes := []rune(strings.TrimSpace(goal)); len(runes) > enough {
		return string(runes[:enough]) + "…"
	}
	return strings.TrimSpace(goal)
}

// kept says whether what was typed would survive the tab.
func (p *New) kept() string {
	if p.draft.ID == "" {
		return "a TaskSpec, checked here as you type"
	}
	return draftWords(p.drafts, p.draft)
}

// draftList shows the drafts but for the one that is open.
func (p *New) draftList() app.UI {
	var entries []parts.Kept
	for _, d := range p.drafts.List {
		if d.ID == p.draft.ID {
			continue
		}
		title := orElse(d.Goal, "without a goal")
		note := d.Changed.Local().Format("2 Jan 15:04") //nolint:gosmopolitan // the reader's zone is meant
		if d.Seq > 0 {
			note = "fork · " + note
		}
		entries = append(entries, parts.Kept{
			ID: d.ID, Title: title, Note: note, NoteTitle: d.Changed.UTC().Format(time.RFC3339), Href: "/new?draft=" + url.QueryEscape(d.ID), Remove: "Delete",
		})
	}
	return &parts.KeptList{Label: "Drafts", Entries: entries, Folded: true, OnRemove: p.deleteDraft}
}

func (p *New) deleteDraft(_ app.Context, id string) { p.draftsWatch.Delete(id) }

// banner says where the document comes from, and what stands in its way.
func (p *New) banner() app.UI {
	var alerts []app.UI
	if p.from != "" {
		alerts = append(alerts, p.sourceWords())
	}
	if p.sentVersion() == 1 && p.judgement.Valid {
		alerts = append(alerts, app.Div().Class("banner", "banner-row").Body(
			app.Span().Text("This is a TaskSpec of version 1. It can be run as it is."),
			app.Button().Class("button").Type("button").Text(fmt.Sprintf("Migrate to version %d", contracts.Version)).OnClick(p.migrate),
		))
	}
	if p.note != "" {
		alerts = append(alerts, app.P().Class("banner").Role("status").Text(p.note))
	}
	return app.Div().Class("banner-place").Body(alerts...)
}

// sourceWords says which run the task is from.
func (p *New) sourceWords() app.UI {
	if p.lost != nil {
		sentence, detail := parts.Trouble(p.lost)
		if problem, ok := errors.AsType[*contracts.Problem](p.lost); ok && problem.Has(contracts.ProblemHistoryPruned) {
			sentence, detail = "The run's task was deleted", "Retention has let go of this run's history: it can be neither run again nor forked."
		}
		return &parts.Alert{Title: sentence, Detail: detail, Fatal: true}
	}
	words := "The task of "
	if p.seq > 0 {
		words = fmt.Sprintf("Forks at event %d of ", p.seq)
	}
	after := ""
	switch {
	case p.unchanged() && !p.judgement.Valid:
		after = ". Unchanged, the fork takes the parent's task with its sensitive inputs."
	case p.unchanged():
		after = ". Unchanged, the fork takes the parent's task."
	}
	link := "/r/" + p.from.String()
	if p.seq > 0 {
		link += fmt.Sprintf("#e%d", p.seq)
	}
	return app.P().Class("quiet", "composer-source").Body(
		app.Text(words), app.A().Class("link").Href(link).Text(parts.ShortID(p.from.String())), app.Text(after),
	)
}

// migrate makes the document one of the current version.
func (p *New) migrate(ctx app.Context, _ app.Event) {
	changed, changes, err := contracts.Migrate(contracts.KindTaskSpec, []byte(p.text))
	if err != nil {
		p.note = err.Error()
		return
	}
	p.undo = append(p.undo, undone{p.text, "migrate"})
	p.version++
	p.set(document.Indented(string(changed)) + "\n")
	p.note = migrationWords(changes)
	p.keep(ctx)
}

func migrationWords(changes []contracts.Change) string {
	words := make([]string, 0, len(changes))
	for _, c := range changes {
		words = append(words, strings.TrimPrefix(c.From, "#")+" → "+strings.TrimPrefix(c.To, "#"))
	}
	return "Migrated: " + strings.Join(words, ", ") + "."
}

// cutTitle splits an example's title into its name and what it shows.
func cutTitle(title string) (name, about string) {
	name, about, _ = strings.Cut(title, ": ")
	return name, upperFirst(about) + "."
}
