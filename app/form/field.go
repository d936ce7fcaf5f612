package form

import "axiom25/app/document"

// Control says how a row is drawn and edited.
type Control string

// The controls.
const (
	// Line and Area are a text on one line and on several, Number a number, JSON any value as it is written.
	Line   Control = "line"
	Area   Control = "area"
	Number Control = "number"
	JSON   Control = "json"
	// Choice is one of a few texts, and Amount one of a few numbers, or true and false; Flag is true or absent.
	Choice Control = "choice"
	Amount Control = "amount"
	Flag   Control = "flag"
	// Lines is a list of texts, one a line. Picks is one of which most are known: each can be switched on and off.
	Lines Control = "lines"
	Picks Control = "picks"
	// Content chooses which of several members of an object is present.
	Content Control = "content"
	// Item is the head of one element of a list, Pair a member whose name is the reader's, Add puts in a new element.
	Item Control = "item"
	Pair Control = "pair"
	Add  Control = "add"
	// List and Map make rows for what they hold; no row has them.
	List Control = "list"
	Map  Control = "map"
)

// Field is one entry of the table that a form is made from.
type Field struct {
	// Name is the member, below its object; with slashes it is one further down.
	Name string
	// Label is what the reader sees. For a list it names one element, and for a map one member.
	Label string
	// Control is how it is edited.
	Control Control
	// Options are what can be chosen. Of Content they are the members.
	Options []string
	// Open says that a text other than the options is as good.
	Open bool
	// Ordered says that the order of what is picked has a meaning.
	Ordered bool
	// Default is what holds where the member is absent, as the reader is shown it.
	Default string
	// Unit is what the number counts.
	Unit string
	// Keep says that an emptied field leaves an empty text, rather than nothing.
	Keep bool
	// When says for which objects there is such a row; nil for all. A member that is present is always shown.
	When func(object *document.Value) bool
	// New is the element that is added, with %d for a number that makes its first member unlike those of the others.
	New string
	// Fields are those of each element of a list.
	Fields []Field
}

// Section is a part of the form under a heading.
type Section struct {
	// Name is for addresses and Title for readers.
	Name, Title string
	// Pointers are the places whose problems stand at the head of the section unless a row has them.
	Pointers []string
	// Fields are its rows.
	Fields []Field
}
