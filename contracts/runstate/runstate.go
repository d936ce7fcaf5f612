// Package runstate folds a run's events into its state, and holds every stream against the 18 invariants of a
// run. It is pure: the server folds before it appends, the console folds as it reads, and both get the same.
//
// State is the fold that decides what may happen next; it keeps no texts. Transcript is the fold that keeps
// them, for whoever shows a run.
package runstate

import (
	"fmt"
	"slices"

	"axiom25/contracts"
)

// Violation says which invariant an event breaks.
//
//nolint:errname // what is wrong is the stream: a Violation is a finding first, and an error where it stops something
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
// goroutine at a time. It refers to the bodies of the events that it was given, which must not be changed.
type State struct {
	core
	messages  map[string]*message
	calls     map[string]*attempt
	approvals map[contracts.ApprovalID]*attempt
	verdicts  []contracts.VerdictData
	// open are the attempts that have not ended, in the order in which they started.
	open []*attempt
	// alive are the branches with something open, the root like any other.
	alive []aliveBranch

	undo undoLog
	// recent is the message of the last lookup: deltas come in rows of the same message.
	recent *message
	// scratch carries texts to the hashes, so that no delta is copied to the heap.
	scratch []byte
}

// core is the part of a State that one assignment saves and restores.
type core struct {
	run       contracts.RunID
	version   int
	lastSeq   contracts.Seq
	createdAt contracts.Time
	lastTime  contracts.Time

	phase     contracts.State
	header    *contracts.StatusData
	limits    contracts.Limits
	drained   contracts.StatusReason
	drainedAt contracts.Time

	// activeMS is the time in state running up to runningSince, or in all while the run does not run.
	activeMS     int64
	runningSince contracts.Time

	// used is the last reading of the meter in the stream.
	used     contracts.Usage
	lastTick contracts.Time
	// warned has a bit for each dimension, in the order of dimensions.
	warned uint
	// reached says that a reading reached a limit.
	reached bool

	toolCalls    int64
	reflections  int64
	peak         int64
	openMessages int64

	receipts int64
	head     contracts.Digest

	verdictSeq contracts.Seq
	fatal      *contracts.ErrorData
	done       *contracts.DoneData
	size       int64
}

// aliveBranch is a branch with open calls or messages.
type aliveBranch struct {
	branch contracts.Branch
	open   int64
}

// Phase is the run's state; empty before the first event.
func (s *State) Phase() contracts.State { return s.phase }

// LastSeq is the last event's; 0 before the first.
func (s *State) LastSeq() contracts.Seq { return s.lastSeq }

// LastTime is the last event's time.
func (s *State) LastTime() contracts.Time { return s.lastTime }

// CreatedAt is the first event's time.
func (s *State) CreatedAt() contracts.Time { return s.createdAt }

// Header is the body of the first event: limits, profile, release, backend and tools. It is nil before that
// event, and must not be changed.
func (s *State) Header() *contracts.StatusData { return s.header }

// Limits is the effective budget that the run is held to.
func (s *State) Limits() contracts.Limits { return s.limits }

// Drained is the reason why the run drains or drained; empty otherwise.
func (s *State) Drained() contracts.StatusReason { return s.drained }

// DrainedAt is the time of the draining event, or 0.
func (s *State) DrainedAt() contracts.Time { return s.drainedAt }

// Call is one attempt of a tool call that was started. It is a copy.
type Call struct {
	contracts.OpenCall
	ToolDigest contracts.Digest
	// Args are the arguments as shown; after an edit, the edited ones. They are nil once the attempt has ended.
	Args []byte
	// Decision is what a human or the server decided; empty while undecided or not asked.
	Decision contracts.Decision
	By       string
	// Ended says that the attempt has ended.
	Ended bool
}

// Pending reports whether the call waits for a human.
func (c Call) Pending() bool {
	return !c.Ended && c.Gate == contracts.GateAsk && c.Decision == ""
}

// Call returns the last attempt of the call with this id.
func (s *State) Call(id string) (Call, bool) {
	a, ok := s.calls[id]
	if !ok {
		return Call{}, false
	}
	return a.Call, true
}

// OpenCalls returns the calls that have not ended, in the order in which they started.
func (s *State) OpenCalls() []Call {
	calls := make([]Call, len(s.open))
	for i, a := range s.open {
		calls[i] = a.Call
	}
	return calls
}

// ApprovalCall returns the attempt of a call that an approval belongs to, ended or not. Where the call was
// retried since, that is not the attempt that Call returns.
func (s *State) ApprovalCall(id contracts.ApprovalID) (Call, bool) {
	a, ok := s.approvals[id]
	if !ok {
		return Call{}, false
	}
	return a.Call, true
}

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
	// Final says that nothing follows: the message closed itself, or it was judged.
	Final bool
}

// Message returns the message with this id.
func (s *State) Message(id string) (Message, bool) {
	m := s.message(id)
	if m == nil {
		return Message{}, false
	}
	return Message{
		ID: m.id, Branch: m.branch, Answer: m.answer, Channel: m.channel,
		Attempt: m.attempt, Bytes: m.text.bytes, Hash: m.text.digest(), Final: m.final,
	}, true
}

// OpenMessages counts the messages that are not final.
func (s *State) OpenMessages() int { return int(s.openMessages) }

// BranchesAlive counts the branches alive, the root included.
func (s *State) BranchesAlive() int64 {
	alive := int64(1)
	for _, b := range s.alive {
		if b.branch != "" {
			alive++
		}
	}
	return alive
}

// BranchesWith returns how many branches would be alive if something opened on b.
func (s *State) BranchesWith(b contracts.Branch) int64 {
	alive := s.BranchesAlive()
	if b == "" || slices.ContainsFunc(s.alive, func(a aliveBranch) bool { return a.branch == b }) {
		return alive
	}
	return alive + 1
}

// ToolCalls counts the calls started, retries and denied calls included.
func (s *State) ToolCalls() int64 { return s.toolCalls }

// Receipts returns how many receipts the chain has and the hash of the last, or the task's digest.
func (s *State) Receipts() (n int64, head contracts.Digest) { return s.receipts, s.head }

// Passes counts the verdicts.
func (s *State) Passes() int64 { return int64(len(s.verdicts)) }

// Verdict returns the last verdict and its seq; nil where there is none.
func (s *State) Verdict() (*contracts.VerdictData, contracts.Seq) {
	if len(s.verdicts) == 0 {
		return nil, 0
	}
	last := s.verdicts[len(s.verdicts)-1]
	return &last, s.verdictSeq
}

// Fatal is the error that ends the run, or nil.
func (s *State) Fatal() *contracts.ErrorData { return s.fatal }

// LastTick is the time of the last budget event, or 0.
func (s *State) LastTick() contracts.Time { return s.lastTick }

// Done is the body of the last event, or nil while the run lives.
func (s *State) Done() *contracts.DoneData { return s.done }

// Snapshot returns the run as GET /runs/{id} shows it, but for goal and labels, which are not in the stream.
// Used is the meter at the time of the last event.
func (s *State) Snapshot() contracts.Snapshot {
	snapshot := contracts.Snapshot{
		Summary: contracts.Summary{
			RunID: s.run, State: s.phase, CreatedAt: s.createdAt, UpdatedAt: s.lastTime, LastSeq: s.lastSeq,
			Used: s.Used(s.lastTime, contracts.EngineUsage{}), Limits: s.limits,
		},
		OpenCalls:  make([]contracts.OpenCall, len(s.open)),
		Verdicts:   append(make([]contracts.VerdictData, 0, len(s.verdicts)), s.verdicts...),
		Done:       s.done,
		FatalError: s.fatal,
		Links:      contracts.LinksOf(s.run),
	}
	for i, a := range s.open {
		snapshot.OpenCalls[i] = a.OpenCall
		if a.Pending() {
			snapshot.Approvals++
		}
	}
	if s.header != nil {
		snapshot.Backend, snapshot.Profile = s.header.Backend, s.header.Profile
		snapshot.TaskDigest, snapshot.Release = s.header.TaskDigest, s.header.Release
		snapshot.Tools, snapshot.ForkedFrom = s.header.Tools, s.header.ForkedFrom
	}
	return snapshot
}

// Size estimates the memory that the state holds, in bytes.
func (s *State) Size() int64 { return s.size }
