// Package v1 holds the four inputs as version 1 of the contracts had them, the draft of 2025.08. It is frozen: nothing
// in it changes but comments. It holds types and tags only; how they are read, which rules hold between their fields
// and how they become the current version is package contracts' to say.
//
// Version 1 has no events, and no rule that its way to version 2 could break: whatever is valid here is valid there.
package v1

// Version is the number that documents of this version name.
const Version = 1

// The bounds of a document. They are a little below those of version 2, because a document grows on its way there: each
// of its inputs becomes an object in a list.
const (
	// MaxDocumentBytes leaves 4 KiB for the names that 64 inputs and the other fields gain.
	MaxDocumentBytes = 1<<20 - 4<<10
	// MaxDepth leaves one level for the list of inputs.
	MaxDepth = 31
)
