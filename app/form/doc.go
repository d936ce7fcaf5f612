// Package form shows a JSON document as rows of fields, and turns what a reader does to a row into an edit of the document's
// text. The text stays the truth: a row shows what stands there, whatever that is, and an edit changes nothing else.
//
// A table of fields says which rows there are; TaskSpec holds the one of a task.
package form
