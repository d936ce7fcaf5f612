package parts

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/timeline"
	"axiom25/contracts"
)

// px writes a length to a tenth of a pixel.
func px(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

func svgElem(tag, class string) app.HTMLElem {
	e := app.Elem(tag).XMLNS(svgNamespace)
	if class != "" {
		e = e.Class(class)
	}
	return e
}

func svgText(class string, x, y float64, text string) app.HTMLElem {
	return svgElem("text", class).Attr("x", px(x)).Attr("y", px(y)).Text(text)
}

func svgRect(class string, x, y, w, h float64) app.HTMLElem {
	return svgElem("rect", class).Attr("x", px(x)).Attr("y", px(y)).Attr("width", px(max(w, 0))).Attr("height", px(max(h, 0)))
}

// sheet is a drawing of a height, with what stands beside the lanes and what stands in them: the latter is cut at their edges.
func (t *Timeline) sheet(class string, height float64, beside, within []app.UI) app.UI {
	inner := svgElem("svg", "").Attr("x", px(t.gutter())).Attr("width", px(max(t.Width-t.gutter(), 1))).Attr("height", px(height)).Body(within...)
	return svgElem("svg", class).Attr("width", px(t.Width)).Attr("height", px(height)).Aria("hidden", "true").
		Body(append([]app.UI{inner}, beside...)...)
}

// axis is the ticks with their times, and the lengths of the folded pauses.
func (t *Timeline) axis() app.UI {
	var within []app.UI
	for i, tick := range t.Scene.Ticks {
		if tick.Label == "" {
			continue
		}
		label := svgText("", tick.X+4, 15, tick.Label)
		if i < len(t.TickTitles) {
			label = svgElem("text", "").Attr("x", px(tick.X+4)).Attr("y", "15").
				Body(app.Text(tick.Label), svgElem("title", "").Text(t.TickTitles[i]))
		}
		within = append(within, label)
	}
	for i, n := range t.Scene.Notches {
		within = append(within, svgRect("timeline-notch", n.X, 0, n.W, axisHeight))
		if i < len(t.NotchWords) {
			within = append(within, svgText("timeline-notch-words", n.X+n.W/2, 15, t.NotchWords[i]))
		}
	}
	within = append(within, svgElem("path", "timeline-grid").Attr("d", t.grid(axisHeight)))
	return t.sheet("timeline-axis", axisHeight, nil, within)
}

// grid is a line at each tick.
func (t *Timeline) grid(height float64) string {
	var d strings.Builder
	for _, tick := range t.Scene.Ticks {
		d.WriteString("M" + px(tick.X) + " 0v" + px(height))
	}
	return d.String()
}

// lanes draws the lanes: a path for all bars of one look, so that it costs the same with three bars and with thousands.
func (t *Timeline) lanes() app.UI {
	s := t.Scene
	within := []app.UI{svgElem("path", "timeline-grid").Attr("d", t.grid(s.Height))}
	for _, n := range s.Notches {
		within = append(within, svgRect("timeline-notch", n.X, 0, n.W, s.Height))
	}
	if t.SelectedX >= 0 {
		within = append(within, svgRect("timeline-now", t.SelectedX-0.5, 0, 1, s.Height))
	}
	paths := newPaths()
	for i := range s.Boxes {
		drawBox(paths, &s.Boxes[i])
	}
	for i := range s.Marks {
		drawMark(paths, &s.Marks[i])
	}
	within = append(within, paths.shapes()...)
	for i := range s.Boxes {
		if label := boxLabel(&s.Boxes[i]); label != nil {
			within = append(within, label)
		}
	}
	if f := t.Pointed; f != nil {
		within = append(within, svgRect("timeline-pointed", f.X, f.Y, f.W, f.H).Attr("rx", "3"))
	}
	if f := t.Selected; f != nil {
		within = append(within, svgRect("timeline-selected", f.X, f.Y, f.W, f.H).Attr("rx", "3"))
	}
	if t.Span[1] > t.Span[0] {
		within = append(within, svgRect("timeline-span", t.Span[0], 0, t.Span[1]-t.Span[0], s.Height))
	}
	return t.sheet("timeline-sheet", s.Height, t.names(), within)
}

// names are the branches, indented as they lie in each other, and a line between two lanes.
func (t *Timeline) names() []app.UI {
	const indent, character, most = 10, 7.3, 48
	var lines strings.Builder
	var names []app.UI
	for i, l := range t.Scene.Lanes {
		if i > 0 || l.Y > 0 {
			lines.WriteString("M0 " + px(l.Y) + "h" + px(t.Width))
		}
		x := 12 + indent*float64(min(l.Depth, 4))
		room := int((TimelineGutter - x - 4) / character)
		if t.Narrow {
			x, room = 6, most
		}
		name, full := l.Name, string(l.Branch)
		if l.Branch == "" {
			name, full = "run", "the run's root"
		} else if t.Narrow {
			name = full
		}
		names = append(names, svgElem("text", "timeline-name").Attr("x", px(x)).Attr("y", px(l.Y+17)).
			Body(app.Text(cutEnd(name, room)), svgElem("title", "").Text(full)))
	}
	return append(names, svgElem("path", "timeline-grid").Attr("d", lines.String()))
}

// cutEnd keeps at most n characters.
func cutEnd(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(n-1, 0)]) + "…"
}

// curves are what was used, below the lanes; on a narrow page with a line of words above each.
func (t *Timeline) curves() app.UI {
	const line, height = 16, 36
	var within, beside []app.UI
	top := 0.0
	if t.Narrow {
		top = line * float64(len(t.Curves))
	}
	for i, c := range t.Curves {
		class := "timeline-curve"
		if i > 0 {
			class = "timeline-curve timeline-curve-second"
		}
		var d strings.Builder
		for j, p := range c.Points {
			letter := "L"
			if j == 0 {
				letter = "M"
			}
			d.WriteString(letter + px(p.X) + " " + px(top+2+height*(1-p.Y)))
		}
		within = append(within, svgElem("path", class).Attr("d", d.String()))
		name := svgElem("text", "timeline-name").Attr("x", "12").Attr("y", px(line*float64(i+1))).
			Body(app.Text(c.Words), svgElem("title", "").Text(c.Words+" of "+c.Limit+"; the curve's full height is "+c.Top))
		if t.Narrow {
			name = name.Attr("x", "6")
		}
		beside = append(beside, name)
	}
	return t.sheet("timeline-curves", top+height+4, beside, within)
}

// paths gathers shapes of one look.
type paths struct {
	order []string
	d     map[string]*strings.Builder
}

func newPaths() *paths { return &paths{d: map[string]*strings.Builder{}} }

// add appends to the shapes of a class.
func (p *paths) add(class, d string) {
	b := p.d[class]
	if b == nil {
		b = new(strings.Builder)
		p.d[class] = b
		p.order = append(p.order, class)
	}
	b.WriteString(d)
}

func (p *paths) shapes() []app.UI {
	shapes := make([]app.UI, 0, len(p.order))
	for _, class := range p.order {
		shapes = append(shapes, svgElem("path", class).Attr("d", p.d[class].String()))
	}
	return shapes
}

// toneClass is the look of a tone: the states have theirs everywhere in the console.
func toneClass(tone timeline.Tone) string {
	switch tone {
	case timeline.ToneThought, timeline.ToneAnswer, timeline.ToneDiscarded, timeline.ToneWait, timeline.ToneAsked, timeline.ToneDense:
		return "timeline-" + string(tone)
	case timeline.ToneRunning, timeline.ToneSucceeded, timeline.ToneFailed, timeline.ToneRefused, timeline.ToneCancelled:
	}
	return "state-" + string(tone)
}

// drawBox draws a bar. The end of a call's says how it ended: cut straight when it went well, jagged when it failed, notched when
// it was denied, slanted when it was cancelled, pointed while it goes on.
func drawBox(p *paths, b *timeline.Box) {
	const h, tip = timeline.BarHeight, 5
	x, w := b.X, b.W
	if b.Waited > 0 {
		waited := max(b.Waited, 2)
		p.add(toneClass(timeline.ToneAsked), "M"+px(x)+" "+px(b.Y+0.5)+"h"+px(waited)+"v"+px(h-1)+"h"+px(-waited)+"z")
		x, w = x+b.Waited, w-b.Waited
		if w < 1 {
			return
		}
	}
	class := toneClass(b.Tone)
	if b.Tone == timeline.ToneDense && b.Bad > 0 {
		class = "state-failed"
	}
	end := "h" + px(w) + "v" + px(h)
	back := px(-w)
	if w > 2*tip {
		switch {
		case b.Open && b.Tone != timeline.ToneWait:
			end, back = "h"+px(w-tip)+"l5 7l-5 7", px(tip-w)
		case b.Tone == timeline.ToneFailed:
			end = "h" + px(w) + "l-4 3.5l4 3.5l-4 3.5l4 3.5"
		case b.Tone == timeline.ToneRefused:
			end = "h" + px(w) + "l-5 7l5 7"
		case b.Tone == timeline.ToneCancelled:
			end, back = "h"+px(w)+"l-6 14", px(6-w)
		}
	}
	p.add(class, "M"+px(x)+" "+px(b.Y)+end+"h"+back+"z")
}

// boxLabel is what a bar says where there is room.
func boxLabel(b *timeline.Box) app.UI {
	const character, least, ends = 6.7, 5, 10
	name, _, _ := strings.Cut(b.Label, "@") // a tool without its version
	room := int((b.W - b.Waited - ends) / character)
	x := max(b.X, 0) + b.Waited + 4
	class := "timeline-label"
	if b.Waited > 0 && room < least {
		room, x, class = int((b.Waited-ends)/character), max(b.X, 0)+4, "timeline-label-plain"
	}
	if b.Tone == timeline.ToneThought || b.Tone == timeline.ToneWait || b.Tone == timeline.ToneDiscarded {
		class = "timeline-label-plain"
	}
	if name == "" || room < least {
		return nil
	}
	return svgText(class, x, b.Y+11, cutEnd(name, room))
}

// drawMark draws a mark: a diamond for a judgement, a cross for an error, a triangle for a warning, a pin for a change of state.
func drawMark(p *paths, m *timeline.MarkBox) {
	at := "M" + px(m.X) + " " + px(m.Y)
	d := at + "m-1.500 -7h3v14h-3z"
	switch m.Kind {
	case timeline.VerdictMark:
		d = at + "m0 -6.500l5.500 6.500l-5.500 6.500l-5.500 -6.500z"
	case timeline.ErrorMark:
		d = at + "m-5 -3.500l1.500 -1.500l3.500 3.500l3.500 -3.500l1.500 1.500l-3.500 3.500l3.500 3.500l-1.500 1.500l-3.500 -3.500l-3.500 3.500l-1.500 -1.500l3.500 -3.500z"
	case timeline.WarnMark:
		d = at + "m0 -6l5.500 11h-11z"
	case timeline.StateMark:
		if contracts.State(m.Tone).Terminal() {
			d = at + "m-4 -7h8v14h-8z"
		}
	}
	p.add(toneClass(m.Tone), d)
}
