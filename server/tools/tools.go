// Package tools is the server's tool catalogue: which tools there are, which version a reference names, and
// how the builtin ones are carried out.
package tools

import (
	"context"
	"encoding/json"
	"errors"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Builtin is a tool that this server's own code carries out.
type Builtin interface {
	// Spec describes the tool: transport and trust builtin.
	Spec() *contracts.ToolSpec
	// Call carries one call out. args were checked against the input schema; inputs are the task's own, sensitive
	// ones included. The context ends at the tool's timeout. An error says what is wrong with the call, for the
	// engine and the viewer to read: it names rules and places, never data.
	Call(ctx context.Context, args json.RawMessage, inputs []contracts.Input) (json.RawMessage, error)
}

// Catalogue is the set of tools: the builtin ones and those in the journal. It implements
// contracts.Catalogue. Its methods may be called from any number of goroutines.
type Catalogue struct{}

// Open reads the catalogue from the journal and adds the builtin tools.
func Open(ctx context.Context, j journal.Journal, builtins ...Builtin) (*Catalogue, error) {
	return nil, errors.ErrUnsupported
}

// Tool implements contracts.Catalogue.
func (c *Catalogue) Tool(ref contracts.ToolRef) (*contracts.ToolSpec, bool) { return nil, false }

// Builtin returns the code behind a builtin tool.
func (c *Catalogue) Builtin(ref contracts.ToolRef) (Builtin, bool) { return nil, false }

// List returns every version of every tool, ordered by name and then by version, the highest first.
func (c *Catalogue) List() []contracts.ToolEntry { return nil }

// Put stores a tool as the operator sent it, forced to trust untrusted unless keepTrust. The error is a
// *contracts.Problem where the tool is at fault: tool-version-conflict, or invalid-document for a builtin.
func (c *Catalogue) Put(ctx context.Context, spec *contracts.ToolSpec) (contracts.ToolEntry, error) {
	return contracts.ToolEntry{}, errors.ErrUnsupported
}

// Delete removes a version (name@version) or every version (name). The error is a *contracts.Problem:
// not-found, or forbidden for a builtin.
func (c *Catalogue) Delete(ctx context.Context, ref contracts.ToolRef) error {
	return errors.ErrUnsupported
}
