package form

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"axiom25/app/document"
)

// ErrTaken says that another member has the name.
var ErrTaken = errors.New("there is another one of this name")

// Set returns the text after the reader has put a value into a row's control. An emptied field leaves nothing behind, unless
// it is one that is kept. What is no number is put in as a text, for the contracts to say what is wrong with it; JSON that is
// none cannot be put in: document.ErrNoJSON.
func Set(text *document.Text, r *Row, value string) (string, error) {
	switch r.Control {
	case Content:
		return setContent(text, r, value)
	case Number, Amount:
		value = strings.TrimSpace(value)
		if value == "" {
			return clearAt(text, r.Pointer)
		}
		kind := jsontext.Value(value).Kind()
		if (kind == '0' || r.Control == Amount && (kind == 't' || kind == 'f')) && jsontext.Value(value).IsValid() {
			return text.Set(r.Pointer, value)
		}
	case Flag:
		if value == "" {
			return clearAt(text, r.Pointer)
		}
		return text.Set(r.Pointer, "true")
	case JSON:
		if strings.TrimSpace(value) == "" {
			return clearAt(text, r.Pointer)
		}
		return text.Set(r.Pointer, strings.TrimSpace(value))
	case Lines:
		return setList(text, r.Pointer, strings.Split(value, "\n"))
	case Line, Area, Choice, Pair, Picks, Item, Add, List, Map: // a text
	}
	if value == "" && !r.Keep && r.Control != Pair {
		return clearAt(text, r.Pointer)
	}
	return text.Set(r.Pointer, document.Quote(value))
}

// clearAt removes what is there, and what would be empty without it.
func clearAt(text *document.Text, pointer string) (string, error) {
	if text.Find(pointer) == nil {
		return text.String(), nil
	}
	return text.Clear(pointer)
}

// setList makes a value the list of these texts, without the blank ones.
func setList(text *document.Text, pointer string, list []string) (string, error) {
	quoted := make([]string, 0, len(list))
	for _, entry := range list {
		if entry = strings.TrimSpace(entry); entry != "" {
			quoted = append(quoted, document.Quote(entry))
		}
	}
	if len(quoted) == 0 {
		return clearAt(text, pointer)
	}
	return text.Set(pointer, "["+strings.Join(quoted, ",")+"]")
}

// setContent leaves the member of this name as the only one of the row's options, with what the one before it held as far as
// it can hold it.
func setContent(text *document.Text, r *Row, name string) (string, error) {
	if !slices.Contains(r.Options, name) {
		return text.String(), nil
	}
	object := text.Find(r.Pointer)
	var held *document.Value
	for _, option := range r.Options {
		if m := object.Member(option); m != nil && (held == nil || option == name) {
			held = m
		}
	}
	value := converted(held, name)
	if held != nil && held.Name != name {
		renamed, err := text.Rename(r.Pointer+"/"+held.Name, name)
		if err != nil {
			return "", err
		}
		text = document.Read(renamed)
	}
	changed, err := text.Set(r.Pointer+"/"+name, value)
	for _, option := range r.Options {
		if err != nil || option == name {
			continue
		}
		if text = document.Read(changed); text.Find(r.Pointer+"/"+option) != nil {
			changed, err = text.Remove(r.Pointer + "/" + option)
		}
	}
	return changed, err
}

// converted is what a value becomes as the content of another kind: data can hold anything, the others a text.
func converted(held *document.Value, name string) string {
	text, isText := held.Text()
	blank := strings.TrimSpace(text) == ""
	switch {
	case name != "data" && isText:
		return document.Quote(text)
	case name != "data":
		return document.Quote(held.Raw())
	case held == nil || isText && blank:
		return "{}"
	case isText && jsontext.Value(text).IsValid():
		return text
	}
	return held.Raw()
}

// Pick switches one of the texts of Picks on or off.
func Pick(text *document.Text, r *Row, value string, on bool) (string, error) {
	i := slices.Index(r.Chosen, value)
	switch {
	case on && i < 0 && r.Present:
		return text.Set(r.Pointer+"/-", document.Quote(value))
	case on && i < 0:
		return text.Set(r.Pointer, "["+document.Quote(value)+"]")
	case !on && i >= 0:
		return text.Clear(r.Pointer + "/" + strconv.Itoa(i))
	}
	return text.String(), nil
}

// Move brings an item, or one of the picked texts, one place forward (-1) or back (1).
func Move(text *document.Text, list string, index, by int) (string, error) {
	return text.Move(list+"/"+strconv.Itoa(index), index+by)
}

// Remove takes out what a row stands for, and the list with it where that is empty then.
func Remove(text *document.Text, r *Row) (string, error) { return text.Clear(r.Pointer) }

// Rename gives a pair another name. The error is ErrTaken.
func Rename(text *document.Text, r *Row, name string) (string, error) {
	if name == r.Name {
		return text.String(), nil
	}
	list := r.Pointer[:strings.LastIndexByte(r.Pointer, '/')]
	if text.Find(list).Member(name) != nil {
		return "", ErrTaken
	}
	return text.Rename(r.Pointer, name)
}

// Append adds a new element or member, and returns its pointer too.
func Append(text *document.Text, r *Row) (changed, pointer string, err error) {
	v := text.Find(r.Pointer)
	taken := make(map[string]bool)
	for _, c := range v.Children() {
		name, _ := firstMember(c).Text()
		taken[name], taken[c.Name] = true, true
	}
	var element string
	for n := 1; ; n++ {
		element = fmt.Sprintf(r.New, n)
		name, isText := firstMember(document.Read(element).Find("")).Text()
		if !isText {
			name = element
		}
		if !taken[name] {
			break
		}
	}
	if element[0] != '{' {
		pointer = r.Pointer + "/" + element
		changed, err = text.Set(pointer, `""`)
		return changed, pointer, err
	}
	pointer = r.Pointer + "/" + strconv.Itoa(len(v.Children()))
	changed, err = text.Set(r.Pointer+"/-", element)
	return changed, pointer, err
}

// Fix does what a problem's guess says.
func Fix(text *document.Text, p *Problem) (string, error) {
	if p.Renames {
		return text.Rename(p.Pointer, p.Guess)
	}
	return text.Set(p.Pointer, document.Quote(p.Guess))
}
