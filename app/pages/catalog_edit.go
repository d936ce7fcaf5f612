package pages

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// emptyTool is what the form's first edit of a blank text begins with.
const emptyTool = `{
  "schema_version": 2,
  "version": "1.0.0"
}
`

// editor is where a ToolSpec is imported and edited.
func (p *Catalog) editor() app.UI {
	return &parts.FileDrop{OnFile: p.openFile, Body: []app.UI{
		app.Section().Class("composer-page").Aria("label", "ToolSpec").OnKeyDown(p.pressed).Body(
			app.Div().Class("title-row").Body(
				app.H2().Class("title").Text(orElse(p.file, p.named())),
				app.Div().Class("actions").Body(
					&parts.FileButton{Label: "Open a file", Accept: ".json,.txt", OnFile: p.openFile},
					app.Button().Class("button", "button-quiet").Type("button").Text(p.closeLabel()).OnClick(p.closeEditor),
				),
			),
			app.If(p.note != "", func() app.UI { return app.P().Class("banner").Role("status").Text(p.note) }),
			p.sides("ToolSpec", "JSON", p.kept(), p.unreadable(), nil),
			app.Section().Class("panel", "composer-foot").Aria("label", "Save").Body(
				p.refusal(),
				p.problemList(),
				app.Div().Class("editor-foot").Body(
					app.Span().Class("verdict-line", "verdict-line-"+p.state()).Role("status").Text(p.words()),
					app.Span().Class("quiet").Text(p.trustWords()),
					app.Button().Class("button", "button-primary").Type("button").Title("Ctrl or Command and Enter").
						Disabled(!p.savable()).Text(p.saveLabel()).OnClick(p.saved),
				),
			),
		),
	}}
}

func (p *Catalog) savable() bool {
	return p.judgement.Valid && len(p.loose) == 0 && p.catalog.Sending == ""
}

// places are the problems found here, or else those that the server found.
func (p *Catalog) places() []store.Place {
	if len(p.judgement.Places) > 0 {
		return p.judgement.Places
	}
	return p.catalog.Places
}

func (p *Catalog) state() string {
	if p.judgement.Valid && len(p.problems) > 0 {
		return "invalid"
	}
	return readiness(p.judgement)
}

func (p *Catalog) words() string {
	if p.unread != nil {
		return upperFirst(p.unread.Error())
	}
	if p.judgement.Valid && len(p.problems) > 0 {
		return countProblems(len(p.problems))
	}
	return judgementWords(p.judgement, "Valid ToolSpec")
}

func (p *Catalog) saveLabel() string {
	if p.catalog.Sending == "save" {
		return "Saving"
	}
	return "Save"
}

func (p *Catalog) closeLabel() string {
	if p.discard {
		return "Discard the changes"
	}
	return "Close"
}

// trustWords say before anything is sent what the server will make of the trust that the document claims.
func (p *Catalog) trustWords() string {
	claimed := store.TrustIn(p.text)
	switch {
	case !p.judgement.Valid:
		return "Content never changes under one version: a changed tool needs a version of its own."
	case len(p.stored.Places) > 0:
		place := p.stored.Places[0]
		return fmt.Sprintf("The server sets trust to untrusted when it stores this, and the document is not valid so: %s %s.",
			place.Pointer, place.Detail)
	case claimed != contracts.TrustUntrusted:
		return fmt.Sprintf("The document says trust %s. The server sets it to untrusted when it stores it.", claimed)
	}
	return "The server stores this as untrusted. Content never changes under one version."
}

// refusal says why the server did not store the document, and offers the way out where there is one.
func (p *Catalog) refusal() app.UI {
	err := p.catalog.Refused
	if err == nil || p.last != "save" {
		return app.Div().Class("banner-place")
	}
	sentence, detail := parts.Trouble(err)
	note := "The document stays here. Nothing was stored."
	problem, ok := errors.AsType[*contracts.Problem](err)
	if ok && problem.Has(contracts.ProblemToolVersionConflict) {
		if _, version, err := store.RaiseVersion(p.catalog.Tools, p.text); err == nil {
			return app.Div().Class("banner-place").Body(
				&parts.Alert{Title: sentence, Detail: detail, Note: note},
				app.Div().Class("editor-foot").Body(
					app.Button().Class("button", "button-primary").Type("button").Text("Raise the version to "+version).OnClick(p.raise),
				),
			)
		}
	}
	return app.Div().Class("banner-place").Body(&parts.Alert{Title: sentence, Detail: detail, Note: note})
}

// renew forgets what was said of the last text.
func (p *Catalog) renew() {
	p.unread, p.discard, p.stored = nil, false, store.Judgement{}
	if p.judgement.Valid {
		p.stored = store.JudgeStored(p.text)
	}
	p.catalog.Places = nil // the watch says so in a moment
	p.watch.Forget()
}

// begin opens the editor with a text, on a narrow screen on one of its sides.
func (p *Catalog) begin(ctx app.Context, text, side string) {
	p.draftsWatch.Flush()
	p.editing, p.file, p.original, p.shown, p.draft = true, "", text, side, store.Draft{}
	p.open(text)
	p.focus(ctx)
}

// focus leads to the editor.
func (p *Catalog) focus(ctx app.Context) {
	if p.shown == "form" {
		parts.Focus(ctx, "form-"+p.table[0].Name)
		return
	}
	ctx.Defer(func(app.Context) {
		if area := app.Window().Get("document").Call("querySelector", ".composer-text textarea"); area.Truthy() {
			area.Call("focus")
		}
	})
}

func (p *Catalog) openImport(ctx app.Context, _ app.Event) {
	if !p.editing {
		p.begin(ctx, "", "json")
	}
}

func (p *Catalog) openEdit(ctx app.Context, _ app.Event) {
	entry, _ := store.FindTool(p.catalog.Tools, p.ref)
	if entry == nil || p.editing && p.text != p.original {
		p.focus(ctx) // what was typed is not thrown away
		return
	}
	p.begin(ctx, specText(&entry.Spec), "form")
}

func (p *Catalog) openFile(ctx app.Context, file app.Value) {
	name := file.Get("name").String()
	store.ReadFile(ctx, file, func(ctx app.Context, text string, err error) {
		if err != nil {
			p.unread = fmt.Errorf("%s: %w", name, err)
			return
		}
		p.begin(ctx, "", p.shown) // what was typed before stays a draft of its own
		p.file = name
		p.open(text)
		p.keepDraft(ctx)
	})
}

func (p *Catalog) closeEditor(app.Context, app.Event) {
	if p.text != p.original && !p.discard {
		p.discard = true
		return
	}
	p.closed()
	p.watch.Forget()
}

// closed ends the editing; nothing of it is kept.
func (p *Catalog) closed() {
	p.editing, p.discard = false, false
	if p.draft.ID != "" {
		p.draftsWatch.Delete(p.draft.ID)
		p.draft = store.Draft{}
	}
}

// raise gives the document the next version, so that it can be saved.
func (p *Catalog) raise(ctx app.Context, _ app.Event) {
	if text, _, err := store.RaiseVersion(p.catalog.Tools, p.text); err == nil {
		p.open(text)
		p.keepDraft(ctx)
	}
}

func (p *Catalog) saved(ctx app.Context, _ app.Event) { p.save(ctx) }

func (p *Catalog) pressed(ctx app.Context, event app.Event) {
	if submits(event) {
		p.save(ctx)
	}
}

func (p *Catalog) save(app.Context) {
	if !p.savable() {
		return
	}
	p.last = "save"
	sent := p.text
	p.watch.Save(sent, func(ctx app.Context, stored *contracts.ToolEntry) {
		if p.text != sent { // the reader went on typing
			p.original = sent
			return
		}
		p.closed()
		ctx.Navigate("/catalog?tool=" + url.QueryEscape(string(stored.Spec.Ref())))
	})
}
