package parts

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/document"
)

// Diff shows how two texts differ, line by line. Of lines that both have, those near a difference are shown.
type Diff struct {
	app.Compo

	// Label says what is compared.
	Label string
	// Lines are the comparison, from the first line to the last.
	Lines []document.Line
}

// around is how many lines that both texts have are shown before and after a difference.
const around = 3

// Render implements app.Composer.
func (d *Diff) Render() app.UI {
	var rows []app.UI
	for i := 0; i < len(d.Lines); {
		if skip := d.far(i); skip > 1 {
			rows = append(rows, app.Div().Class("diff-gap").Text(fmt.Sprintf("%d lines that both have", skip)))
			i += skip
			continue
		}
		rows = append(rows, diffRow(d.Lines[i]))
		i++
	}
	return app.Div().Class("diff").TabIndex(0).Role("group").Aria("label", d.Label).Body(rows...)
}

// far is how many lines from i on are farther than around from every difference.
func (d *Diff) far(i int) int {
	before := i - around
	for ; before < i; before++ {
		if before >= 0 && d.Lines[before].Kind != document.LineKept {
			return 0
		}
	}
	n := i
	for n < len(d.Lines) && d.Lines[n].Kind == document.LineKept {
		n++
	}
	if n == len(d.Lines) {
		return n - i
	}
	return max(0, n-around-i)
}

func diffRow(l document.Line) app.UI {
	switch l.Kind {
	case document.LineRemoved:
		return app.Del().Class("diff-line diff-removed").Text(l.Text + "\n")
	case document.LineAdded:
		return app.Ins().Class("diff-line diff-added").Text(l.Text + "\n")
	case document.LineKept:
	}
	return app.Div().Class("diff-line").Text(l.Text + "\n")
}
