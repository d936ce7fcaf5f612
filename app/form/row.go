package form

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"axiom25/app/document"
)

// Row is one row of a form, as it is drawn.
type Row struct {
	Field
	// ID is the row's in the page, unlike any other's.
	ID string
	// Pointer is where its value stands, or would stand; of Add it is the list or the object.
	Pointer string
	// Path names the field without regard to which element of a list it is in: the elements are "-".
	Path []string
	// Text is the value as the control shows it, and Present says that there is one.
	Text    string
	Present bool
	// Chosen are the texts of Picks, in their order.
	Chosen []string
	// Index and Of are an item's place among its siblings, and how many they are.
	Index, Of int
	// Level is 1 within an item.
	Level int
	// Placeholder is the greyed value that holds while there is none.
	Placeholder string
	// Note says what else there is to know about the row as it stands.
	Note string
	// Problems are those that are shown here.
	Problems []Problem
}

// noteWithheld stands where a server has left the content of a sensitive input out of a task.
const noteWithheld = "The server does not give out what is sensitive: fill it in again."

// codeExactlyOne is the contracts' code for an object that has none of several members, or more than one.
const codeExactlyOne = "exactly_one"

// Problem is something that is wrong with the document, or with what was typed and is not in it yet.
type Problem struct {
	// Pointer is its place as a problem writes it, Code names the rule, and Detail says it in words.
	Pointer, Code, Detail string
	// Line and Column are where it stands in the text; 0 where it does not.
	Line, Column int
	// Guess is what was likely meant; Renames says that it is the member's name, not its value.
	Guess   string
	Renames bool
	// Field is the id of the row that shows it.
	Field string
}

// Drawn is a section with its rows.
type Drawn struct {
	Section
	Rows []Row
	// Problems are those of the section that no row has.
	Problems []Problem
}

// ID is the section's in the page.
func (d *Drawn) ID() string { return "form-" + d.Name }

// Build returns the rows of a document. presets are the greyed values by pointer, for the fields that have no fixed one. Each
// problem is given to the row that is nearest to its place, and told which that is.
func Build(table []Section, text *document.Text, presets map[string]string, problems []Problem) []Drawn {
	b := builder{text: text, presets: presets}
	drawn := make([]Drawn, len(table))
	for i, s := range table {
		b.rows = nil
		for _, f := range s.Fields {
			b.field(f, text.Find(""), "", nil, 0)
		}
		s.Fields = nil
		drawn[i] = Drawn{Section: s, Rows: b.rows}
	}
	for i := range problems {
		assign(drawn, &problems[i])
	}
	return drawn
}

type builder struct {
	text    *document.Text
	presets map[string]string
	rows    []Row
}

// field adds the rows of a field of the object at a pointer.
func (b *builder) field(f Field, object *document.Value, at string, path []string, level int) {
	r := Row{Field: f, Pointer: at + "/" + f.Name, Level: level, Path: slices.Concat(path, strings.Split(f.Name, "/"))}
	if f.Control == Content {
		r.Pointer, r.Path = at, path
	}
	v := b.text.Find(r.Pointer)
	r.Present = v != nil
	if f.When != nil && !f.When(object) && (!r.Present || b.shows(r.Pointer) || alternative(f)) {
		return
	}
	switch f.Control {
	case List:
		b.list(r, v)
		return
	case Map:
		b.pairs(r, v)
		return
	case Content:
		r.Text = ""
		for _, name := range f.Options {
			if object.Member(name) != nil {
				r.Text = name
				break
			}
		}
		if r.Text == "" && object.Member("sensitive").Raw() == "true" {
			r.Note = noteWithheld
		}
	case Picks, Lines:
		r.Chosen = listed(v)
		r.Text = strings.Join(r.Chosen, "\n")
		if v != nil && v.Kind() != '[' {
			r.Control, r.Text = JSON, b.text.Shown(v) // what it cannot show is shown as it is written
		}
	case JSON:
		r.Text = b.text.Shown(v)
	case Line, Area, Number, Choice, Amount, Flag, Item, Pair, Add:
		r.Text = b.shown(v)
	}
	r.Placeholder = f.Default
	if preset, ok := b.presets[r.Pointer]; ok {
		r.Placeholder = preset
	}
	b.add(r)
}

// alternative reports whether a field is one of several for a member, of which there is always one that shows it.
func alternative(f Field) bool {
	return f.Name == "value" || strings.HasPrefix(f.Name, "value/") || f.Name == "media_type"
}

// shows reports whether a row has the pointer already.
func (b *builder) shows(pointer string) bool {
	return slices.ContainsFunc(b.rows, func(r Row) bool { return r.Pointer == pointer })
}

// add gives a row its id. What only the table is for is left out, so that rows can be compared.
func (b *builder) add(r Row) {
	r.When, r.Fields = nil, nil
	r.ID = "field" + url.PathEscape(r.Pointer)
	if r.Control == Content || r.Control == Add {
		r.ID += "-" + string(r.Control)
	}
	b.rows = append(b.rows, r)
}

// shown is a value as a control for a single one shows it: a text without its quotes.
func (b *builder) shown(v *document.Value) string {
	if text, ok := v.Text(); ok {
		return text
	}
	return b.text.Shown(v)
}

// listed are the texts of a list.
func listed(v *document.Value) []string {
	var list []string
	for _, c := range v.Children() {
		if text, ok := c.Text(); ok {
			list = append(list, text)
		} else {
			list = append(list, c.Raw())
		}
	}
	return list
}

// list adds the rows of each element and the one that adds another.
func (b *builder) list(r Row, v *document.Value) {
	if v != nil && v.Kind() != '[' {
		r.Control, r.Text = JSON, b.text.Shown(v)
		b.add(r)
		return
	}
	elements := v.Children()
	for i, element := range elements {
		at := r.Pointer + "/" + strconv.Itoa(i)
		item := Row{Field: r.Field, Pointer: at, Index: i, Of: len(elements), Path: slices.Concat(r.Path, []string{"-"})}
		item.Control = Item
		item.Text = b.shown(firstMember(element))
		b.add(item)
		for _, f := range r.Fields {
			b.field(f, element, at, item.Path, 1)
		}
	}
	r.Control = Add
	b.add(r)
}

func firstMember(v *document.Value) *document.Value {
	if v.Kind() != '{' || len(v.Children()) == 0 {
		return nil
	}
	return v.Children()[0]
}

// pairs adds a row for each member and the one that adds another.
func (b *builder) pairs(r Row, v *document.Value) {
	if v != nil && v.Kind() != '{' {
		r.Control, r.Text = JSON, b.text.Shown(v)
		b.add(r)
		return
	}
	members := v.Children()
	for i, m := range members {
		pair := Row{Field: r.Field, Pointer: r.Pointer + document.Pointer(m.Name), Index: i, Of: len(members), Present: true, Path: slices.Concat(r.Path, []string{"-"})}
		pair.Control, pair.Name, pair.Text = Pair, m.Name, b.shown(m)
		b.add(pair)
	}
	r.Control = Add
	b.add(r)
}

// assign gives a problem to the row at its place, or the nearest around it.
func assign(drawn []Drawn, p *Problem) {
	at := document.Plain(p.Pointer)
	for {
		for i := range drawn {
			d := &drawn[i]
			for n := range d.Rows {
				if r := &d.Rows[n]; r.Pointer == at && r.Control != Add && (r.Control != Item || p.Code != codeExactlyOne) {
					p.Field = r.ID
					r.Problems = append(r.Problems, *p)
					return
				}
			}
			if slices.Contains(d.Pointers, at) {
				p.Field = d.ID()
				d.Problems = append(d.Problems, *p)
				return
			}
		}
		if at == "" {
			return
		}
		at = at[:strings.LastIndexByte(at, '/')]
	}
}
