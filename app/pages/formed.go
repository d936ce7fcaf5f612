package pages

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/document"
	"axiom25/app/form"
	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// formed is a document with a form and a text side by side. The text is the truth; the form shows what stands in it and edits it
// in place.
type formed struct {
	kind    contracts.Kind
	table   []form.Section
	presets func(*document.Text) map[string]string // the greyed values that depend on others; nil for none
	empty   string                                 // what the form's first edit of a blank text begins with
	found   func() []store.Place                   // what is wrong with the text, as the page knows it
	renewed func()                                 // the text is another one: what was said of the last one is void
	changed func(ctx app.Context)                  // the reader has edited it

	text      string
	version   int // of the text that the editor is given
	read      *document.Text
	judgement store.Judgement
	loose     map[string]typed
	undo      []undone
	problems  []form.Problem // of the text, of what is typed and not in it
	drawn     []form.Drawn
	note      string         // what became of the last thing that was done, where that needs words
	schema    *document.Text // which describes the fields; nil until it is known

	shown string // the side that a narrow screen shows: form or json
	jump  int    // counts the places that the editor is sent to
	caret parts.Mark
}

// typed is what stands in a field and not in the document, since it cannot be put there.
type typed struct {
	text    string
	problem form.Problem
}

// undone is a text before an edit of the form, and the row that was edited.
type undone struct{ text, row string }

// set makes text the document.
func (p *formed) set(text string) {
	p.text, p.read, p.note = text, document.Read(text), ""
	p.judgement = store.Judge(p.kind, p.text)
	p.renewed()
	p.draw()
}

// judge finds out again what is wrong with the document.
func (p *formed) judge() {
	p.judgement = store.Judge(p.kind, p.text)
	p.draw()
}

// base is the document that an edit of the form begins with.
func (p *formed) base() *document.Text {
	if strings.TrimSpace(p.text) == "" {
		return document.Read(p.empty)
	}
	return p.read
}

// open is set for a text that the editor does not have yet.
func (p *formed) open(text string) {
	p.version++
	p.loose, p.undo = nil, nil
	p.set(text)
}

// draw builds the form from the document.
func (p *formed) draw() {
	p.problems = nil
	for _, place := range p.found() {
		guess, _ := place.Params["did_you_mean"].(string) // absent where nothing is near
		p.problems = append(p.problems, form.Problem{
			Pointer: place.Pointer, Code: string(place.Code), Detail: place.Detail, Line: place.Line, Column: place.Column,
			Guess: guess, Renames: place.Code == contracts.CodeUnknownField,
		})
	}
	for _, t := range p.loose {
		p.problems = append(p.problems, t.problem)
	}
	if !p.read.Whole() && len(p.drawn) > 0 {
		return // the form shows what it could read last
	}
	var presets map[string]string
	if p.presets != nil {
		presets = p.presets(p.read)
	}
	p.drawn = form.Build(p.table, p.read, presets, p.problems)
	for i := range p.drawn {
		for n := range p.drawn[i].Rows {
			r := &p.drawn[i].Rows[n]
			if t, ok := p.loose[r.ID]; ok {
				r.Text = t.text
			}
		}
	}
}

// typed takes in what is typed into the text.
func (p *formed) typed(ctx app.Context, text string) {
	p.loose, p.undo = nil, nil
	p.set(text)
	p.changed(ctx)
}

// apply makes an edit of the form.
func (p *formed) apply(ctx app.Context, r *form.Row, text string, err error) bool {
	if err != nil {
		p.note = "The form cannot do this: " + err.Error() + "."
		p.draw()
		return false
	}
	if text == p.text {
		p.draw()
		return true
	}
	if n := len(p.undo); n == 0 || p.undo[n-1].row != r.ID {
		const most = 100
		p.undo = append(p.undo[max(0, n-most):], undone{p.text, r.ID})
	}
	p.version++
	p.set(text)
	p.changed(ctx)
	return true
}

// SetField implements parts.FormReader.
func (p *formed) SetField(ctx app.Context, r *form.Row, value string) {
	text, err := form.Set(p.base(), r, value)
	delete(p.loose, r.ID)
	if errors.Is(err, document.ErrNoJSON) {
		p.hold(r, value, "is not JSON yet; the document has what was here before")
		return
	}
	p.apply(ctx, r, text, err)
}

// hold keeps at its field what was typed there and cannot be put into the document.
func (p *formed) hold(r *form.Row, value, why string) {
	if p.loose == nil {
		p.loose = make(map[string]typed)
	}
	p.loose[r.ID] = typed{text: value, problem: form.Problem{Pointer: "#" + r.Pointer, Detail: why}}
	p.draw()
}

// ActOn implements parts.FormReader.
func (p *formed) ActOn(ctx app.Context, r *form.Row, act parts.FormAct, value string) {
	var text string
	var err error
	focus := ""
	switch act {
	case parts.ActAdd:
		var pointer string
		text, pointer, err = form.Append(p.base(), r)
		focus = pointer
	case parts.ActRemove:
		p.loose = nil // what it names may be another one now
		text, err = form.Remove(p.read, r)
	case parts.ActPick, parts.ActUnpick:
		text, err = form.Pick(p.base(), r, value, act == parts.ActPick)
	case parts.ActRename:
		delete(p.loose, r.ID)
		if text, err = form.Rename(p.read, r, value); errors.Is(err, form.ErrTaken) {
			p.note = fmt.Sprintf("There is another one named %q; this one keeps its name.", value)
			p.draw()
			return
		}
	case parts.ActFix:
		i, _ := strconv.Atoi(value) // which the row's list of problems wrote
		if i < len(r.Problems) {
			text, err = form.Fix(p.read, &r.Problems[i])
		}
	case parts.ActUp, parts.ActDown:
		p.loose = nil
		text, err = p.move(r, act, value)
	}
	if !p.apply(ctx, r, text, err) || focus == "" {
		return
	}
	if name := p.firstField(focus); name != "" {
		parts.Focus(ctx, name)
	}
}

// move brings an item, or one of the picked texts, forward or back.
func (p *formed) move(r *form.Row, act parts.FormAct, value string) (string, error) {
	by := 1
	if act == parts.ActUp {
		by = -1
	}
	if r.Control == form.Picks {
		for i, chosen := range r.Chosen {
			if chosen == value {
				return form.Move(p.read, r.Pointer, i, by)
			}
		}
	}
	return form.Move(p.read, r.Pointer[:strings.LastIndexByte(r.Pointer, '/')], r.Index, by)
}

// firstField is the id of the first field at or below a pointer.
func (p *formed) firstField(pointer string) string {
	for i := range p.drawn {
		for _, r := range p.drawn[i].Rows {
			switch {
			case r.Control == form.Pair && r.Pointer == pointer:
				return r.ID + "-name"
			case strings.HasPrefix(r.Pointer, pointer+"/"):
				return r.ID
			}
		}
	}
	return ""
}

func (p *formed) undoLast(ctx app.Context, _ app.Event) {
	last := p.undo[len(p.undo)-1]
	p.undo, p.loose = p.undo[:len(p.undo)-1], nil
	p.version++
	p.set(last.text)
	p.changed(ctx)
}

// goToField leads to the field of a problem.
func (p *formed) goToField(ctx app.Context, i int) {
	if i < len(p.problems) && p.problems[i].Field != "" {
		p.shown = "form"
		parts.Focus(ctx, p.problems[i].Field)
	}
}

// goToLine leads to the line of a problem; one that is not in the text has none.
func (p *formed) goToLine(ctx app.Context, i int) {
	places := p.found()
	if i >= len(places) {
		p.goToField(ctx, i)
		return
	}
	p.shown = "json"
	p.jump++
	p.caret = marksOf(places[i : i+1])[0]
}

// fix takes what a problem suggests.
func (p *formed) fix(ctx app.Context, i int) {
	if i < len(p.problems) {
		text, err := form.Fix(p.read, &p.problems[i])
		p.apply(ctx, &form.Row{ID: "fix"}, text, err)
	}
}

// unreadable says why the form cannot be used, or nothing.
func (p *formed) unreadable() string {
	switch version := p.sentVersion(); {
	case strings.TrimSpace(p.text) != "" && !p.read.Whole():
		return "rests until the text can be read" + p.atLine()
	case version > 0 && version < contracts.Version:
		return fmt.Sprintf("is for version %d", contracts.Version)
	}
	return ""
}

// atLine says where the text breaks.
func (p *formed) atLine() string {
	if places := p.judgement.Places; len(places) > 0 {
		return ": line " + strconv.Itoa(places[0].Line)
	}
	return ""
}

// sentVersion is the version that the document names; 0 where it names none.
func (p *formed) sentVersion() int64 {
	version, _ := contracts.VersionOf([]byte(p.text))
	return version
}
