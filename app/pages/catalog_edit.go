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

// editor is where a ToolSpec is imported and edited.
func (p *Catalog) editor() app.UI {
	marks := p.marks()
	return &parts.FileDrop{OnFile: p.openFile, Body: []app.UI{
		app.Section().Class("panel").Aria("label", "ToolSpec").Body(
			app.Div().Class("panel-bar").Body(
				app.H2().Class("panel-title").Text(orElse(p.file, "ToolSpec")),
				app.Span().Class("panel-hint").Text("checked here as you type; the server stores it as untrusted"),
				app.Div().Class("panel-tools").Body(
					&parts.FileButton{Label: "Open a file", Accept: ".json,.txt", OnFile: p.openFile},
					app.Button().Class("button", "button-quiet").Type("button").Text(p.closeLabel()).OnClick(p.closeEditor),
				),
			),
			&parts.Editor{
				Label: "ToolSpec", Text: p.text, Version: p.edits, Marks: marks, Plain: len(p.text) > plainText,
				Placeholder: "Paste a ToolSpec, or drop a file.",
				Jump:        p.jump, Caret: p.caret, OnChange: p.typed, OnSubmit: p.save,
			},
			app.Div().Class("editor-foot").Body(
				app.Span().Class("verdict-line", "verdict-line-"+readiness(p.judgement)).Role("status").Text(p.words()),
				app.Button().Class("button", "button-primary").Type("button").Title("Ctrl or Command and Enter").
					Disabled(!p.judgement.Valid || p.catalog.Sending != "").Text(p.saveLabel()).OnClick(p.saved),
			),
			app.P().Class("quiet", "panel-words").Text(p.trustWords()),
			p.refusal(),
			&parts.MarkList{Marks: marks, Truncated: truncated(p.judgement), OnGo: p.goTo},
		),
	}}
}

// marks are the problems found here, or else those that the server found.
func (p *Catalog) marks() []parts.Mark {
	if len(p.judgement.Places) > 0 {
		return marksOf(p.judgement.Places)
	}
	return marksOf(p.catalog.Places)
}

func (p *Catalog) words() string {
	if p.unread != nil {
		return upperFirst(p.unread.Error())
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

func (p *Catalog) typed(_ app.Context, text string) {
	p.change(text)
	p.watch.Forget()
}

func (p *Catalog) change(text string) {
	p.text, p.unread, p.discard = text, nil, false
	p.judgement, p.stored = store.Judge(contracts.KindToolSpec, text), store.Judgement{}
	if p.judgement.Valid {
		p.stored = store.JudgeStored(text)
	}
}

// replace gives the editor another text.
func (p *Catalog) replace(text string) {
	p.edits++
	p.change(text)
	p.watch.Forget()
}

// open opens the editor with a text.
func (p *Catalog) open(ctx app.Context, text string) {
	p.editing, p.file, p.original = true, "", text
	p.replace(text)
	p.jump, p.caret = p.jump+1, parts.Mark{Line: 1, Column: 1}
	ctx.Defer(func(app.Context) {
		// An editor that was not there before takes the focus by itself alone where it is sent somewhere later.
		if area := app.Window().Get("document").Call("querySelector", ".file-drop textarea"); area.Truthy() {
			area.Call("focus")
		}
	})
}

func (p *Catalog) openImport(ctx app.Context, _ app.Event) {
	if !p.editing {
		p.open(ctx, "")
	}
}

func (p *Catalog) openEdit(ctx app.Context, _ app.Event) {
	entry, _ := store.FindTool(p.catalog.Tools, p.ref)
	if entry == nil || p.editing && p.text != p.original {
		app.Window().Get("document").Call("querySelector", ".file-drop textarea").Call("focus") // what was typed is not thrown away
		return
	}
	p.open(ctx, specText(&entry.Spec))
}

func (p *Catalog) openFile(ctx app.Context, file app.Value) {
	name := file.Get("name").String()
	store.ReadFile(ctx, file, func(_ app.Context, text string, err error) {
		if err != nil {
			p.unread = fmt.Errorf("%s: %w", name, err)
			return
		}
		p.file = name
		p.replace(text)
	})
}

func (p *Catalog) closeEditor(app.Context, app.Event) {
	if p.text != p.original && !p.discard {
		p.discard = true
		return
	}
	p.editing, p.discard = false, false
	p.watch.Forget()
}

func (p *Catalog) goTo(_ app.Context, i int) {
	if marks := p.marks(); i < len(marks) {
		p.jump, p.caret = p.jump+1, marks[i]
	}
}

// raise gives the document the next version, so that it can be saved.
func (p *Catalog) raise(app.Context, app.Event) {
	if text, _, err := store.RaiseVersion(p.catalog.Tools, p.text); err == nil {
		p.replace(text)
	}
}

func (p *Catalog) saved(ctx app.Context, _ app.Event) { p.save(ctx) }

func (p *Catalog) save(app.Context) {
	if !p.judgement.Valid {
		return
	}
	p.last = "save"
	p.watch.Save(p.text, func(ctx app.Context, stored *contracts.ToolEntry) {
		p.editing = false
		ctx.Navigate("/catalog?tool=" + url.QueryEscape(string(stored.Spec.Ref())))
	})
}
