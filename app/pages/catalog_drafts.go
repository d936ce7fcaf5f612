package pages

import (
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
)

// keepDraft keeps the text in the browser, once it differs from what was opened.
func (p *Catalog) keepDraft(app.Context) {
	if p.draft.ID == "" {
		if p.text == p.original {
			return
		}
		p.draft = store.Draft{ID: store.NewDraftID(), Origin: p.original}
	}
	p.draft.Text, p.draft.Goal, p.draft.Changed = p.text, p.named(), time.Now() //nolint:forbidigo // the reader's own clock
	p.draftsWatch.Keep(p.draft)
}

// named is the tool's reference, as far as it can be read.
func (p *Catalog) named() string {
	name, _ := p.read.Find("/name").Text()
	version, _ := p.read.Find("/version").Text()
	return orElse(strings.Trim(name+"@"+version, "@"), "ToolSpec")
}

// kept says whether what was typed would survive the tab.
func (p *Catalog) kept() string {
	if p.draft.ID == "" {
		return "checked here as you type"
	}
	return draftWords(p.drafts, p.draft)
}

// draftWords say how a draft is kept.
func draftWords(drafts store.Drafts, d store.Draft) string {
	known := drafts.Find(d.ID)
	switch {
	case drafts.Problem != nil:
		return "not kept: " + drafts.Problem.Error()
	case drafts.Kept == d.ID && drafts.KeptAt.Equal(d.Changed):
		return "draft kept in this browser, " + drafts.KeptAt.Local().Format("15:04:05") //nolint:gosmopolitan // the reader's zone is meant
	case known != nil && known.Text == d.Text:
		return "draft kept in this browser"
	}
	return "keeping the draft"
}

// draftList offers the drafts but for the one that is open.
func (p *Catalog) draftList() *parts.KeptList {
	var entries []parts.Kept
	for _, d := range p.drafts.List {
		if p.editing && d.ID == p.draft.ID {
			continue
		}
		entries = append(entries, parts.Kept{
			ID: d.ID, Title: d.Goal, Note: d.Changed.Local().Format("2 Jan 15:04"), //nolint:gosmopolitan // the reader's zone is meant
			NoteTitle: d.Changed.UTC().Format(time.RFC3339), Edit: "Edit", Remove: "Delete",
		})
	}
	return &parts.KeptList{Label: "Drafts", Entries: entries, Folded: p.editing, OnEdit: p.openDraft, OnRemove: p.deleteDraft}
}

func (p *Catalog) openDraft(ctx app.Context, id string) {
	d := p.drafts.Find(id)
	if d == nil {
		return
	}
	p.begin(ctx, d.Text, "form")
	p.draft, p.original = *d, d.Origin
}

func (p *Catalog) deleteDraft(_ app.Context, id string) { p.draftsWatch.Delete(id) }
