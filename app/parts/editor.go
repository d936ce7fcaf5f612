package parts

import (
	"slices"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Mark is a place in a text that something is wrong with.
type Mark struct {
	// Start and End are the bytes that are marked.
	Start, End int
	// Line and Column are where it begins, both from 1; columns count characters.
	Line, Column int
	// Pointer is the JSON Pointer of the place and Detail says what is wrong; Code names the rule.
	Pointer, Detail, Code string
	// Guess is what was likely meant instead of what is marked, empty where nothing is near.
	Guess string
}

// Editor is a text with line numbers and marked places. The text itself is a textarea, transparent above a copy
// that carries the marks; both wrap alike, so that the browser keeps them in step without a script.
type Editor struct {
	app.Compo

	// Label names the editor.
	Label string
	// Text replaces what stands in the editor each time when Version changes.
	Text    string
	Version int
	// Marks are the places that are wrong, in any order.
	Marks []Mark
	// Jump each time when it changes gives the focus to the editor and selects what Caret marks.
	Jump  int
	Caret Mark
	// Small is for a few lines. Plain is for a long text: it is shown without line numbers and marks, whose copy would make
	// each key slow.
	Small, Plain bool
	// Placeholder stands where there is no text.
	Placeholder string
	// ReadOnly refuses typing.
	ReadOnly bool
	// OnChange is called with the text as the reader changes it, OnSubmit for Ctrl or Command and Enter.
	OnChange func(ctx app.Context, text string)
	OnSubmit func(ctx app.Context)

	version int
	text    string
	jump    int
}

// OnInit implements app.Initializer.
func (e *Editor) OnInit() { e.text, e.version, e.jump = e.Text, e.Version, e.Jump }

// OnMount implements app.Mounter.
func (e *Editor) OnMount(ctx app.Context) { e.fill(ctx) }

// OnUpdate implements app.Updater.
func (e *Editor) OnUpdate(ctx app.Context) {
	if e.version != e.Version {
		e.text, e.version = e.Text, e.Version
		e.fill(ctx)
	}
	if e.jump != e.Jump {
		e.jump = e.Jump
		ctx.Defer(func(app.Context) { e.selectMark(e.Caret) }) // when the line is drawn
	}
}

// fill puts the text into the textarea: its content is its own once it was typed in.
func (e *Editor) fill(app.Context) {
	if area := e.JSValue().Call("querySelector", "textarea"); area.Truthy() {
		area.Set("value", e.text)
	}
}

// lineHeight is that of .editor-area, in pixels.
const lineHeight = 20

// selectMark selects a mark and brings it to where it can be seen.
func (e *Editor) selectMark(m Mark) {
	area := e.JSValue().Call("querySelector", "textarea")
	if !area.Truthy() {
		return
	}
	start := unitsBefore(e.text, m.Start)
	end := start + unitsBefore(e.text[min(m.Start, len(e.text)):], m.End-m.Start)
	area.Call("focus", map[string]any{"preventScroll": !e.Plain})
	area.Call("setSelectionRange", start, end)
	if e.Plain {
		area.Set("scrollTop", (m.Line-1)*lineHeight-area.Get("clientHeight").Int()/2)
		return
	}
	if line := e.JSValue().Call("querySelectorAll", ".editor-line").Call("item", m.Line-1); line.Truthy() {
		line.Call("scrollIntoView", map[string]any{"block": "nearest"})
	}
}

// unitsBefore is how many characters a textarea counts in the first n bytes of a text: those of UTF-16, and one for each end
// of a line (WHATWG HTML, the API value of a textarea).
func unitsBefore(text string, n int) int {
	text = text[:min(max(n, 0), len(text))]
	units := -strings.Count(text, "\r\n")
	for _, r := range text {
		units++
		if r > 0xFFFF {
			units++
		}
	}
	return units
}

// Render implements app.Composer.
func (e *Editor) Render() app.UI {
	class := "editor"
	if e.Small {
		class += " editor-small"
	}
	var blocks []app.UI
	if e.Plain {
		class += " editor-plain"
	} else {
		blocks = e.blocks()
	}
	return app.Div().Class(class).Body(
		app.Div().Class("editor-sheet").Body(
			app.Div().Class("editor-copy").Aria("hidden", "true").Body(blocks...),
			app.Textarea().Class("editor-area").
				Placeholder(e.Placeholder).
				Aria("label", e.Label).
				Aria("invalid", strconv.FormatBool(len(e.Marks) > 0)).
				ReadOnly(e.ReadOnly).
				Spellcheck(false).
				Attr("autocomplete", "off").Attr("autocapitalize", "off").
				OnInput(e.typed).
				OnKeyDown(e.pressed),
		),
	)
}

func (e *Editor) typed(ctx app.Context, _ app.Event) {
	e.text = ctx.JSSrc().Get("value").String()
	if e.OnChange != nil {
		e.OnChange(ctx, e.text)
	}
}

func (e *Editor) pressed(ctx app.Context, event app.Event) {
	submit := event.Get("ctrlKey").Truthy() || event.Get("metaKey").Truthy()
	if submit && event.Get("key").String() == "Enter" && e.OnSubmit != nil {
		event.PreventDefault()
		e.OnSubmit(ctx)
	}
}

// blockLines is how many lines of the copy are drawn together: of a long text, a key draws the lines around it anew
// and compares the rest by the block.
const blockLines = 100

// blocks is the copy of the text with the marks in it.
func (e *Editor) blocks() []app.UI {
	var blocks []app.UI
	for offset, rest := 0, e.text; ; {
		end := blockEnd(rest)
		text := rest[:end]
		blocks = append(blocks, &editorBlock{Text: text, Marks: e.marksIn(offset, offset+len(text))})
		if end == len(rest) {
			return blocks
		}
		offset, rest = offset+end+1, rest[end+1:]
	}
}

// blockEnd is where the last line of the first block of a text ends.
func blockEnd(text string) int {
	end := -1
	for range blockLines {
		next := strings.IndexByte(text[end+1:], '\n')
		if next < 0 {
			return len(text)
		}
		end += 1 + next
	}
	return end
}

// marksIn returns the marks that begin within the bytes from..to, in their order and counted from there.
func (e *Editor) marksIn(from, to int) []Mark {
	var marks []Mark
	for _, m := range e.Marks {
		if m.Start >= from && m.Start <= to {
			m.Start, m.End = m.Start-from, m.End-from
			marks = append(marks, m)
		}
	}
	slices.SortStableFunc(marks, func(a, b Mark) int { return a.Start - b.Start })
	return marks
}

// editorBlock is a part of an editor's copy, a line an element.
type editorBlock struct {
	app.Compo

	// Text is some lines without the last line's end.
	Text string
	// Marks are the places in Text that are wrong, in their order.
	Marks []Mark
}

// Render implements app.Composer.
func (b *editorBlock) Render() app.UI {
	lines := make([]app.UI, 0, blockLines)
	offset, marks := 0, b.Marks
	for line := range strings.SplitSeq(b.Text, "\n") {
		within := 0
		for within < len(marks) && marks[within].Start <= offset+len(line) {
			within++
		}
		lines = append(lines, editorLine(line, offset, marks[:within]))
		offset, marks = offset+len(line)+1, marks[within:]
	}
	return app.Div().Body(lines...)
}

// editorLine draws a line that begins at offset.
func editorLine(text string, offset int, marks []Mark) app.UI {
	if len(marks) == 0 {
		return app.Div().Class("editor-line").Text(text + "\n")
	}
	var pieces []app.UI
	done := 0
	for _, m := range marks {
		start := min(m.Start-offset, len(text))
		end := min(max(m.End-offset, start), len(text))
		if start < done {
			continue // within the mark before
		}
		pieces = append(pieces, app.Text(text[done:start]), app.Mark().Class("editor-mark").Text(text[start:end]))
		done = end
	}
	pieces = append(pieces, app.Text(text[done:]+"\n"))
	return app.Div().Class("editor-line editor-line-marked").Body(pieces...)
}
