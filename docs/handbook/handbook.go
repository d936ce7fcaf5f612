// Package handbook is the reference as data: what package docs/reference writes for the console from the same tables as the
// pages and the OpenAPI document, and what the console draws. Texts are plain but for names between backticks.
package handbook

// Book is everything that can be looked up.
type Book struct {
	// Contracts are the five, in the order of contracts.Kinds.
	Contracts []Contract `json:"contracts"`
	// Events are the types of events, and Invariants the rules of a run, the first of them invariant 1.
	Events     []Event  `json:"events"`
	Invariants []string `json:"invariants"`
	// Problems are the types of problems, by status, and Codes the rules that a document breaks, by code.
	Problems []Problem `json:"problems"`
	Codes    []Code    `json:"codes"`
	// Groups are the groups of Routes, and Routes the API, in the order of its table.
	Groups []Group `json:"groups"`
	Routes []Route `json:"routes"`
}

// Contract is one of the five.
type Contract struct {
	// Kind is its name in addresses, Name that of its struct.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Versions are those that are read, the lowest first.
	Versions []int `json:"versions"`
	// Example is a valid document; of events, one of each type, one a line.
	Example string `json:"example"`
	// Structs are its own first, the others where they are first mentioned.
	Structs []Struct `json:"structs"`
}

// Struct is one kind of object of a contract.
type Struct struct {
	Name    string  `json:"name"`
	Meaning string  `json:"meaning,omitempty"`
	Fields  []Field `json:"fields"`
	// Between are the rules that look at more than one field.
	Between []string `json:"between,omitempty"`
}

// Field is one member.
type Field struct {
	Name string `json:"name"`
	// Type says in words what JSON it is; where Struct is not empty it is, or holds, that struct.
	Type   string `json:"type"`
	Struct string `json:"struct,omitempty"`
	// Rules are those of its value, "required" among them.
	Rules []string `json:"rules,omitempty"`
	// Default is what an absent member becomes; of a budget, what the profiles tight, balanced and max say.
	Default string `json:"default,omitempty"`
	Meaning string `json:"meaning,omitempty"`
	// Pointers are where it can stand, as JSON Pointers; * stands for any name or index.
	Pointers []string `json:"pointers"`
}

// Event is a type of events.
type Event struct {
	Type string `json:"type"`
	// Writer says who writes it, and Says what it says.
	Writer string `json:"writer"`
	Says   string `json:"says"`
	// Struct is that of its data.
	Struct string `json:"struct"`
}

// Problem is a type of problems.
type Problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Meaning string `json:"meaning"`
	// Advice is what to do.
	Advice  string `json:"advice"`
	Example string `json:"example"`
}

// Code is a rule that a document breaks.
type Code struct {
	Code string `json:"code"`
	// Detail is the message; {name} stands for the param of that name.
	Detail string `json:"detail"`
	// Contracts are those whose documents can break it.
	Contracts []string `json:"contracts,omitempty"`
	// Unsaid is why the JSON Schemas do not say it; empty where they do.
	Unsaid string `json:"unsaid,omitempty"`
}

// Group is a group of routes.
type Group struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

// Route is one method of one path of the API.
type Route struct {
	ID          string      `json:"id"`
	Method      string      `json:"method"`
	Path        string      `json:"path"`
	Group       string      `json:"group"`
	Summary     string      `json:"summary"`
	Description string      `json:"description,omitempty"`
	Parameters  []Parameter `json:"parameters,omitempty"`
	// Body is what the request carries; nil where it carries nothing.
	Body    *Body    `json:"body,omitempty"`
	Answers []Answer `json:"answers"`
	// Problems are the types of problems that it can answer, by status.
	Problems []string `json:"problems"`
}

// Parameter is a part of the address or of the head of a request.
type Parameter struct {
	Name string `json:"name"`
	// In is path, query or header.
	In    string `json:"in"`
	About string `json:"about"`
	// Type says in words what it is.
	Type string `json:"type"`
	// Example is a value as it stands in an address or a header.
	Example string `json:"example"`
}

// Body is the content of a request.
type Body struct {
	About    string    `json:"about"`
	Optional bool      `json:"optional,omitempty"`
	Contents []Content `json:"contents"`
}

// Content is a representation in a media type.
type Content struct {
	Media   string  `json:"media"`
	Example string  `json:"example,omitempty"`
	Frames  []Frame `json:"frames,omitempty"`
}

// Frame is one kind of message of an event stream.
type Frame struct {
	Title string `json:"title"`
	About string `json:"about"`
	// Example is the frame as it is sent.
	Example string `json:"example"`
}

// Answer is a success.
type Answer struct {
	Status   int       `json:"status"`
	About    string    `json:"about"`
	Headers  []string  `json:"headers,omitempty"`
	Contents []Content `json:"contents,omitempty"`
}
