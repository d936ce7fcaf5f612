// Package archive takes runs out of a journal and puts them into another, as lines of JSON, and checks a journal as a
// whole.
//
// What it guarantees:
//
//   - bytes: tasks, tools and events come out as they were stored, and go in as they came out;
//   - whole runs: a run that is damaged is named and left out, never cut short; a file that ends early is noticed;
//   - one door: what is imported keeps the invariants of package runstate, or is refused with the run's name;
//   - again: an import that was interrupted is started again, and goes on where it stopped.
//
// A file is UTF-8, one JSON object a line, and each line has one member that says what it is:
//
//	{"export":{"format":1}}
//	{"tool":{"name":…,"version":…,"digest":…,"spec":"{…}"}}
//	{"run":{"run_id":…,"task_digest":…,"key":…,"task":"{…}","goal":…,"labels":{…}}}
//	{"event":{…}}                       the run's events, in order
//	{"end":{"run_id":…,"events":n,"digest":…}}
//	{"left_out":{"run_id":…,"reason":"damaged"}}
//	{"total":{"tools":n,"runs":n,"events":n,"left_out":n}}
//
// Documents are strings, since they are kept as their author wrote them, line breaks included. The digest of an end is
// that of the run's events, each followed by a line feed. What is not in a file: leases, and which request of an engine an
// event came with, so that a request sent again after an import is a conflict rather than answered again.
package archive

import (
	"encoding/json"

	"axiom25/contracts"
)

// Format is the version of the files that Export writes and Import reads.
const Format = 1

// Why a run is left out.
const (
	leftOutDamaged = "damaged"
	leftOutPruned  = "pruned"
)

// Total is what an export holds, or what an import added.
type Total struct {
	Tools  int64 `json:"tools"`
	Runs   int64 `json:"runs"`
	Events int64 `json:"events"`
	// LeftOut counts the runs that are damaged or pruned.
	LeftOut int64 `json:"left_out"`
}

// line is one line of a file; one member is set.
type line struct {
	Export  *header         `json:"export,omitempty"`
	Tool    *toolLine       `json:"tool,omitempty"`
	Run     *runLine        `json:"run,omitempty"`
	Event   json.RawMessage `json:"event,omitempty"`
	End     *endLine        `json:"end,omitempty"`
	LeftOut *leftOutLine    `json:"left_out,omitempty"`
	Total   *Total          `json:"total,omitempty"`
}

// header is the first line.
type header struct {
	Format int `json:"format"`
}

// toolLine is one version of a tool.
type toolLine struct {
	Name    string           `json:"name"`
	Version string           `json:"version"`
	Digest  contracts.Digest `json:"digest"`
	Spec    string           `json:"spec"`
}

// runLine begins a run.
type runLine struct {
	RunID      contracts.RunID  `json:"run_id"`
	TaskDigest contracts.Digest `json:"task_digest"`
	Key        string           `json:"key,omitempty"`
	Task       string           `json:"task"`
	// Goal and Labels are those of the run's row in lists.
	Goal   string            `json:"goal"`
	Labels map[string]string `json:"labels,omitempty"`
}

// endLine ends a run.
type endLine struct {
	RunID  contracts.RunID  `json:"run_id"`
	Events int64            `json:"events"`
	Digest contracts.Digest `json:"digest"`
}

// leftOutLine stands for a run that is not in the file.
type leftOutLine struct {
	RunID  contracts.RunID `json:"run_id"`
	Reason string          `json:"reason"`
}
