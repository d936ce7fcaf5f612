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

// set makes text the document.
func (p *New) set(text string) {
	p.text, p.read = text, document.Read(text)
	p.refusal, p.note = store.Judgement{}, ""
	p.judge()
}

// open is set for a text that the editor does not have yet.
func (p *New) open(text string) {
	p.version++
	p.loose, p.undo = nil, nil
	p.set(text)
}

// judge finds out what is wrong with the document, and draws the form anew.
func (p *New) judge() {
	p.judgement = store.Judge(contracts.KindTaskSpec, p.text)
	p.draw()
}

// draw builds the form from the document.
func (p *New) draw() {
	p.problems = nil
	for _, place := range p.places() {
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
	p.drawn = form.Build(p.table, p.read, form.Presets(p.read), p.problems)
	for i := range p.drawn {
		for n := range p.drawn[i].Rows {
			r := &p.drawn[i].Rows[n]
			if t, ok := p.loose[r.ID]; ok {
				r.Text = t.text
			}
		}
	}
}

// places are what is wrong as it was found here, or else by the server.
func (p *New) places() []store.Place {
	switch {
	case p.unchanged():
		return p.refusal.Places // nothing of it is sent
	case len(p.judgement.Places) > 0:
		return p.judgement.Places
	}
	return p.refusal.Places
}

// unchanged reports whether the run forks with its parent's task, which is not sent then.
func (p *New) unchanged() bool { return p.seq > 0 && p.text == p.origin && p.text != "" }

func (p *New) marks() []parts.Mark { return marksOf(p.places()) }

// resting says why the form cannot be used, or nothing.
func (p *New) resting() string {
	switch version := p.sentVersion(); {
	case p.loading:
		return "reading the run's task"
	case strings.TrimSpace(p.text) != "" && !p.read.Whole():
		return "rests until the text can be read" + p.atLine()
	case version > 0 && version < contracts.Version:
		return fmt.Sprintf("is for version %d", contracts.Version)
	}
	return ""
}

// atLine says where the text breaks.
func (p *New) atLine() string {
	if places := p.judgement.Places; len(places) > 0 {
		return ": line " + strconv.Itoa(places[0].Line)
	}
	return ""
}

// sentVersion is the version that the document names; 0 where it names none.
func (p *New) sentVersion() int64 {
	version, _ := contracts.VersionOf([]byte(p.text))
	return version
}

// typed takes in what is typed into the text.
func (p *New) typed(ctx app.Context, text string) {
	p.loose, p.undo = nil, nil
	p.set(text)
	p.keep(ctx)
}

// apply makes an edit of the form.
func (p *New) apply(ctx app.Context, r *form.Row, text string, err error) bool {
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
	p.keep(ctx)
	return true
}

// SetField implements parts.FormReader.
func (p *New) SetField(ctx app.Context, r *form.Row, value string) {
	text, err := form.Set(p.read, r, value)
	delete(p.loose, r.ID)
	if errors.Is(err, document.ErrNoJSON) {
		p.hold(r, value, "is not JSON yet; the task has what was here before")
		return
	}
	p.apply(ctx, r, text, err)
}

// hold keeps at its field what was typed there and cannot be put into the document.
func (p *New) hold(r *form.Row, value, why string) {
	if p.loose == nil {
		p.loose = make(map[string]typed)
	}
	p.loose[r.ID] = typed{text: value, problem: form.Problem{Pointer: "#" + r.Pointer, Detail: why}}
	p.draw()
}

// ActOn implements parts.FormReader.
func (p *New) ActOn(ctx app.Context, r *form.Row, act parts.FormAct, value string) {
	var text string
	var err error
	focus := ""
	switch act {
	case parts.ActAdd:
		var pointer string
		text, pointer, err = form.Append(p.read, r)
		focus = pointer
	case parts.ActRemove:
		p.loose = nil // what it names may be another one now
		text, err = form.Remove(p.read, r)
	case parts.ActPick, parts.ActUnpick:
		text, err = form.Pick(p.read, r, value, act == parts.ActPick)
	case parts.ActRename:
		delete(p.loose, r.ID)
		if text, err = form.Rename(p.read, r, value); errors.Is(err, form.ErrTaken) {
			p.note = fmt.Sprintf("There is another label %q; this one keeps its name.", value)
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
func (p *New) move(r *form.Row, act parts.FormAct, value string) (string, error) {
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
func (p *New) firstField(pointer string) string {
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

func (p *New) undoLast(ctx app.Context, _ app.Event) {
	last := p.undo[len(p.undo)-1]
	p.undo, p.loose = p.undo[:len(p.undo)-1], nil
	p.version++
	p.set(last.text)
	p.keep(ctx)
}

// goToField leads to the field of a problem.
func (p *New) goToField(ctx app.Context, i int) {
	if i < len(p.problems) && p.problems[i].Field != "" {
		p.shown = "form"
		parts.Focus(ctx, p.problems[i].Field)
	}
}

// goToLine leads to the line of a problem; one that is not in the text has none.
func (p *New) goToLine(ctx app.Context, i int) {
	places := p.places()
	if i >= len(places) {
		p.goToField(ctx, i)
		return
	}
	p.shown = "json"
	p.jump++
	p.caret = marksOf(places[i : i+1])[0]
}

// fix takes what a problem suggests.
func (p *New) fix(ctx app.Context, i int) {
	if i < len(p.problems) {
		text, err := form.Fix(p.read, &p.problems[i])
		p.apply(ctx, &form.Row{ID: "fix"}, text, err)
	}
}
