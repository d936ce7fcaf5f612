package parts

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// FileDrop is an area onto which a file can be dropped, or pasted.
type FileDrop struct {
	app.Compo

	// Body is what the area holds.
	Body []app.UI
	// OnFile is called with the browser's File.
	OnFile func(ctx app.Context, file app.Value)

	over bool // something is held above the area
}

// Render implements app.Composer.
func (d *FileDrop) Render() app.UI {
	class := "file-drop"
	if d.over {
		class = "file-drop file-drop-over"
	}
	return app.Div().Class(class).
		OnDragOver(d.hover).OnDragLeave(d.leave).OnDrop(d.drop).OnPaste(d.paste).
		Body(d.Body...)
}

func (d *FileDrop) hover(ctx app.Context, event app.Event) {
	event.PreventDefault() // or the browser would open the file instead of the page
	if d.over {
		ctx.PreventUpdate()
	}
	d.over = true
}

func (d *FileDrop) leave(app.Context, app.Event) { d.over = false }

func (d *FileDrop) drop(ctx app.Context, event app.Event) {
	event.PreventDefault()
	d.over = false
	d.take(ctx, event.Get("dataTransfer"))
}

func (d *FileDrop) paste(ctx app.Context, event app.Event) {
	if d.take(ctx, event.Get("clipboardData")) {
		event.PreventDefault()
	}
}

// take hands on the first file of a transfer and reports whether there is one.
func (d *FileDrop) take(ctx app.Context, transfer app.Value) bool {
	if !transfer.Truthy() || transfer.Get("files").Get("length").Int() == 0 || d.OnFile == nil {
		return false
	}
	d.OnFile(ctx, transfer.Get("files").Index(0))
	return true
}

// FileButton opens a file of the reader's.
type FileButton struct {
	app.Compo

	// Label is what stands on the button.
	Label string
	// Accept lists the endings of names that are offered first, such as ".json,.ndjson".
	Accept string
	// OnFile is called with the browser's File.
	OnFile func(ctx app.Context, file app.Value)
}

// Render implements app.Composer.
func (b *FileButton) Render() app.UI {
	return app.Label().Class("button").Body(
		app.Text(b.Label),
		app.Input().Class("visually-hidden").Type("file").Accept(b.Accept).OnChange(b.chosen),
	)
}

func (b *FileButton) chosen(ctx app.Context, _ app.Event) {
	input := ctx.JSSrc()
	if files := input.Get("files"); files.Get("length").Int() > 0 && b.OnFile != nil {
		b.OnFile(ctx, files.Index(0))
	}
	input.Set("value", "") // so that the same file, changed meanwhile, can be opened again
}
