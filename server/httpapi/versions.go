package httpapi

import (
	"encoding/json"
	"errors"

	"axiom25/contracts"
	"axiom25/server/intake"
)

// The four inputs, where the server gives them out, are written in Config.ContractsVersion. In the version before the
// current one only what it can say in full is: the rest is answered with a problem that names what would be lost, or
// stands in a list's left_out. What is stored stays as it was sent, and events have no older version.

// earlierEntry is a contracts.ToolEntry whose tool is written in an older version.
type earlierEntry struct {
	Spec   json.RawMessage  `json:"spec"`
	Digest contracts.Digest `json:"digest"`
	Gate   contracts.Gate   `json:"gate"`
}

// earlierList is a contracts.ToolList in an older version.
type earlierList struct {
	Tools []earlierEntry `json:"tools"`
	// LeftOut are the tools that the version cannot say; absent where there are none.
	LeftOut []leftOut `json:"left_out,omitempty"`
}

// leftOut is a tool that an older version cannot say, and what of it would be lost.
type leftOut struct {
	Name    string                 `json:"name"`
	Version string                 `json:"version"`
	Errors  []contracts.FieldError `json:"errors"`
}

// current reports whether everything is written in the current version.
func (a *API) current() bool { return a.ContractsVersion == contracts.Version }

// shownTask returns a task as a client is shown it: as it was sent, or in the server's version where it was sent in a
// later one. The error is not-acceptable where that cannot say it.
func (a *API) shownTask(task intake.Task) ([]byte, error) {
	if a.current() {
		return task.Shown, nil
	}
	// A task with a sensitive input, whose content is not shown, is one of those that cannot be said.
	if _, err := contracts.EncodeIn(a.ContractsVersion, task.Spec); err != nil {
		return nil, err
	}
	shown, _, err := contracts.Downgrade(contracts.KindTaskSpec, task.Shown)
	return shown, err
}

// entry returns a catalogue entry in the server's version. The error is not-acceptable where that cannot say it.
func (a *API) entry(e contracts.ToolEntry) (any, error) {
	if a.current() {
		return e, nil
	}
	return a.earlier(e)
}

func (a *API) earlier(e contracts.ToolEntry) (earlierEntry, error) {
	spec, err := contracts.EncodeIn(a.ContractsVersion, &e.Spec)
	return earlierEntry{Spec: spec, Digest: e.Digest, Gate: e.Gate}, err
}

// storedEntry is entry for the tool that a client has just set: where the server's version cannot say it, the client that
// could set it reads the current one.
func (a *API) storedEntry(e contracts.ToolEntry) any {
	if earlier, err := a.entry(e); err == nil {
		return earlier
	}
	return e
}

// entries returns the catalogue in the server's version.
func (a *API) entries(list contracts.ToolList) (any, error) {
	if a.current() {
		return list, nil
	}
	shown := earlierList{Tools: []earlierEntry{}}
	for _, e := range list.Tools {
		entry, err := a.earlier(e)
		var lost *contracts.Problem
		switch {
		case err == nil:
			shown.Tools = append(shown.Tools, entry)
		case errors.As(err, &lost) && lost.Has(contracts.ProblemNotAcceptable):
			shown.LeftOut = append(shown.LeftOut, leftOut{e.Spec.Name, e.Spec.Version, lost.Errors})
		default:
			return nil, err
		}
	}
	return shown, nil
}
