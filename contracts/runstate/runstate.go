// Package runstate folds a run's events into its state, and holds every stream against the 18 invariants of a
// run. It is pure: the server folds before it appends, the console folds as it reads, and both get the same.
package runstate

import (
	"errors"
	"fmt"
	"iter"

	"axiom25/contracts"
)

// Violation says which invariant an event breaks.
type Violation struct {
	// Invariant is its number, 1..18, as docs/api/event_model.md lists them.
	Invariant int
	// Seq is the event's.
	Seq contracts.Seq
	// Detail says what is wrong, without quoting the event's texts.
	Detail string
}

// Error implements error.
func (v *Violation) Error() string {
	return fmt.Sprintf("event %d breaks invariant %d: %s", v.Seq, v.Invariant, v.Detail)
}

// State is a run folded up to some event. The zero value is a run before its first event. It keeps running
// hashes of texts, never the texts, so that its size follows the number of calls and messages. It is for one
// goroutine at a time.
type State struct{}

// Apply folds one event. When the event breaks an invariant it returns a *Violation and changes nothing.
func (s *State) Apply(ev contracts.RunEvent) error { return errors.ErrUnsupported }

// Begin starts recording what Apply changes, until Commit or Rollback. It panics when already recording.
func (s *State) Begin() {}

// Commit keeps what was applied since Begin.
func (s *State) Commit() {}

// Rollback restores the state as it was at Begin.
func (s *State) Rollback() {}

// Phase is the run's state; empty before the first event.
func (s *State) Phase() contracts.State { return "" }

// LastSeq is the last event's; 0 before the first.
func (s *State) LastSeq() contracts.Seq { return 0 }

// LastTime is the last event's time.
func (s *State) LastTime() contracts.Time { return 0 }

// CreatedAt is the first event's time.
func (s *State) CreatedAt() contracts.Time { return 0 }

// Header is the body of the first event: limits, profile, release, backend and tools.
func (s *State) Header() *contracts.StatusData { return nil }

// Limits is the effective budget that the run is held to.
func (s *State) Limits() contracts.Limits { return contracts.Limits{} }

// Used is the meter as of now: what the events say, with wall and active time counted up to now, and reported
// folded in where it is higher than what the last budget event says.
func (s *State) Used(now contracts.Time, reported contracts.EngineUsage) contracts.Usage {
	return contracts.Usage{}
}

// Reached returns the first limit that used reaches, in the order tokens, cost, active, wall; ok is false
// where none is. Tool calls, branches and reflections are counts that may be used up: they are not reached but
// asked beyond.
func (s *State) Reached(used contracts.Usage) (d contracts.Dimension, ok bool) { return "", false }

// Warnings returns the dimensions in which used is at or above warn_pct of the limit and no warning stands in
// the stream yet, in a fixed order. A dimension with limit 0 is never warned about.
func (s *State) Warnings(used contracts.Usage) []contracts.Dimension { return nil }

// Drained is the reason why the run drains or drained; empty otherwise.
func (s *State) Drained() contracts.StatusReason { return "" }

// DrainedAt is the time of the draining event, or 0.
func (s *State) DrainedAt() contracts.Time { return 0 }

// Call is a tool call that was started. It is a copy.
type Call struct {
	contracts.OpenCall
	ToolDigest contracts.Digest
	// Args are the arguments as shown; after an edit, the edited ones.
	Args []byte
	// Decision is what a human or the server decided; empty while undecided or not asked.
	Decision contracts.Decision
	By       string
	// Ended says that the last attempt has ended.
	Ended bool
}

// Pending reports whether the call waits for a human.
func (c Call) Pending() bool {
	return !c.Ended && c.Gate == contracts.GateAsk && c.Decision == ""
}

// Call returns the call with this id.
func (s *State) Call(id string) (Call, bool) { return Call{}, false }

// OpenCalls returns the calls that have not ended, in the order in which they started.
func (s *State) OpenCalls() []Call { return nil }

// ApprovalCall returns the call that an approval belongs to, ended or not.
func (s *State) ApprovalCall(id contracts.ApprovalID) (Call, bool) { return Call{}, false }

// Message is a thought or an answer that was streamed. It is a copy.
type Message struct {
	ID      string
	Branch  contracts.Branch
	Answer  bool // token events, not thoughts
	Channel contracts.Channel
	Attempt int64
	// Bytes is the length and Hash the digest of the last attempt's text.
	Bytes int64
	Hash  contracts.Digest
	Final bool
}

// Message returns the message with this id.
func (s *State) Message(id string) (Message, bool) { return Message{}, false }

// OpenMessages counts the messages that are not final.
func (s *State) OpenMessages() int { return 0 }

// BranchesAlive counts the branches alive, the root included.
func (s *State) BranchesAlive() int64 { return 0 }

// BranchesWith returns how many branches would be alive if something opened on b.
func (s *State) BranchesWith(b contracts.Branch) int64 { return 0 }

// ToolCalls counts the calls started, retries included.
func (s *State) ToolCalls() int64 { return 0 }

// Receipts returns how many receipts the chain has and the hash of the last, or the task's digest.
func (s *State) Receipts() (n int64, head contracts.Digest) { return 0, "" }

// Passes counts the verdicts.
func (s *State) Passes() int64 { return 0 }

// Verdict returns the last verdict and its seq; nil where there is none.
func (s *State) Verdict() (*contracts.VerdictData, contracts.Seq) { return nil, 0 }

// Fatal is the error that ends the run, or nil.
func (s *State) Fatal() *contracts.ErrorData { return nil }

// LastTick is the time of the last budget event, or 0.
func (s *State) LastTick() contracts.Time { return 0 }

// Done is the body of the last event, or nil while the run lives.
func (s *State) Done() *contracts.DoneData { return nil }

// Snapshot returns the run as GET /runs/{id} shows it, but for goal and labels, which are not in the stream.
func (s *State) Snapshot() contracts.Snapshot { return contracts.Snapshot{} }

// Size estimates the memory that the state holds, in bytes.
func (s *State) Size() int64 { return 0 }

// Check folds a whole stream, which must end with done, and returns the first *Violation.
func Check(events iter.Seq[contracts.RunEvent]) error { return errors.ErrUnsupported }
