package engine

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/tools"
)

var (
	// ErrDraining says that the run drains: no call may start any more, an answer may still be given.
	ErrDraining = errors.New("the run drains")
	// ErrNotAllowed says that a call was not let through: it was denied, or its approval expired or was cancelled.
	ErrNotAllowed = errors.New("the call was not let through")
)

// Run is one run in an engine's hands. Its methods may be called from any number of goroutines.
type Run struct {
	ID contracts.RunID
	// Task is the whole task, sensitive inputs included.
	Task *contracts.TaskSpec
	// Limits is the effective budget.
	Limits contracts.Limits
	// Tools are the allowed tools' definitions as pinned, by exact reference.
	Tools map[contracts.ToolRef]*contracts.ToolSpec

	door  Door
	calls Caller

	mu       sync.Mutex
	pending  map[string]*gate
	reason   contracts.StatusReason // why the run drains
	draining chan struct{}          // closed when it does
	ended    bool                   // done was seen
	stop     context.CancelCauseFunc
	waitSeq  contracts.Seq
	waits    func(bool) // where not nil, told whether nothing can go on without a human
}

// Door is the part of package intake that an engine reports through.
type Door interface {
	// Append stores what the engine reports. See intake.Intake.Append; in-process engines name no origin.
	Append(ctx context.Context, id contracts.RunID, events []contracts.EngineEvent, origin *journal.Origin) (contracts.Appended, error)
	// Answer ends a pass. See intake.Intake.Answer.
	Answer(ctx context.Context, id contracts.RunID, a contracts.Answer) (contracts.Judged, error)
}

// Caller carries out the builtin tools. See tools.Catalogue.Call.
type Caller interface {
	Call(ctx context.Context, ref contracts.ToolRef, args json.RawMessage, inputs []contracts.Input) (json.RawMessage, error)
}

// gate is what is known about one attempt of a call.
type gate struct {
	attempt  int64
	approval contracts.ApprovalID // what a human was asked, where one was
	decided  chan struct{}        // closed when the call may go on or has ended
	allowed  bool
	args     json.RawMessage // those that a human put in place of the engine's, or nil
}

// NewRun returns a run that reports through door. stop is called when the run must end at once. The supervisor
// makes runs; tests of engines may as well.
func NewRun(id contracts.RunID, task *contracts.TaskSpec, limits contracts.Limits, pinned map[contracts.ToolRef]*contracts.ToolSpec,
	door Door, calls Caller, stop context.CancelCauseFunc,
) *Run {
	return &Run{
		ID: id, Task: task, Limits: limits, Tools: pinned, door: door, calls: calls,
		pending: map[string]*gate{}, draining: make(chan struct{}), stop: stop,
	}
}

// Tool returns the pinned definition that a reference of the task's names, the highest version where it names
// none; nil where the task does not allow it.
func (r *Run) Tool(ref contracts.ToolRef) *contracts.ToolSpec { return resolve(r.Tools, ref) }

// drainNotice is how long Append waits to learn that a refusal came with the run's drain.
const drainNotice = 2 * time.Second

// Append reports events on a branch; all are stored or none. Errors: ErrDraining where the run takes no more of
// them because it drains, the context's, else the door's.
func (r *Run) Append(ctx context.Context, branch contracts.Branch, data ...contracts.EventData) error {
	events := make([]contracts.EngineEvent, len(data))
	for i, d := range data {
		events[i] = contracts.EngineEvent{SchemaVersion: contracts.Version, Type: d.EventType(), Branch: branch, Data: d}
	}
	appended, err := r.door.Append(ctx, r.ID, events, nil)
	for i := range appended.Events {
		r.observe(&appended.Events[i])
	}
	problem := (*contracts.Problem)(nil)
	if !errors.As(err, &problem) || !problem.Has(contracts.ProblemIllegalTransition) {
		return err
	}
	// A request beyond the budget is refused and drains the run; the event of that comes by the journal.
	notice := time.NewTimer(drainNotice)
	defer notice.Stop()
	select {
	case <-r.draining:
		return ErrDraining
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-notice.C:
		return err
	}
}

// Answer ends a pass. A result without Done asks for a revision.
func (r *Run) Answer(ctx context.Context, a contracts.Answer) (contracts.Judged, error) {
	judged, err := r.door.Answer(ctx, r.ID, a)
	if err == nil && judged.Done != nil {
		r.mu.Lock()
		r.ended = true
		r.mu.Unlock()
	}
	return judged, err
}

// Begin starts one attempt of a call and waits until it may go on. It returns the arguments to call the tool with:
// the engine's, or those that a human put in their place. shown are the arguments that are reported; where they
// differ from args, as references to sensitive inputs do, args are what is called with. Errors: ErrDraining,
// ErrNotAllowed, the context's, the door's.
func (r *Run) Begin(ctx context.Context, branch contracts.Branch, start contracts.EngineToolStart, args json.RawMessage) (json.RawMessage, error) {
	g := &gate{attempt: start.Attempt, decided: make(chan struct{})}
	r.mu.Lock()
	r.pending[start.CallID] = g
	r.mu.Unlock()
	if err := r.Append(ctx, branch, &start); err != nil {
		return nil, err
	}
	select {
	case <-g.decided:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !g.allowed:
		return nil, ErrNotAllowed
	case g.args != nil:
		return g.args, nil
	}
	return args, nil
}

// Call carries out one attempt of a builtin tool's call. See tools.Catalogue.Call.
func (r *Run) Call(ctx context.Context, ref contracts.ToolRef, args json.RawMessage) (json.RawMessage, error) {
	return r.calls.Call(ctx, ref, args, r.Task.Inputs)
}

// CallStatus is how an attempt ended that gave this error.
func CallStatus(err error) contracts.CallStatus {
	switch {
	case err == nil:
		return contracts.CallOK
	case errors.Is(err, tools.ErrTimeout):
		return contracts.CallTimeout
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return contracts.CallCancelled
	}
	return contracts.CallError
}

// Draining is closed when the run drains, whatever for.
func (r *Run) Draining() <-chan struct{} { return r.draining }

// Drained is why the run drains; empty while it does not.
func (r *Run) Drained() contracts.StatusReason {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reason
}

// over reports whether the run has ended.
func (r *Run) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

var (
	// errEnded is why a run's context ended when the run has.
	errEnded = errors.New("the run has ended")
	// errCancelled is why a run's context ended when somebody cancelled the run.
	errCancelled = errors.New("the run was cancelled")
)

// observe takes in what the journal says about the run. Events come from the answers to appends and from the
// journal's own order, whichever is first; taking one in twice changes nothing.
func (r *Run) observe(ev *contracts.RunEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch data := ev.Data.(type) {
	case *contracts.StatusData:
		r.observeWait(ev, data.State)
		if data.State == contracts.StateDraining && r.reason == "" {
			r.reason = data.Reason
			close(r.draining)
			if data.Reason == contracts.ReasonCancel {
				r.stop(errCancelled)
			}
		}
	case *contracts.ToolStartData:
		r.started(data)
	case *contracts.ApprovalData:
		r.approved(data)
	case *contracts.ToolEndData:
		if g := r.pending[data.CallID]; g != nil && data.Receipt != nil && data.Receipt.Attempt == g.attempt {
			g.decide(false, nil)
		}
	case *contracts.DoneData:
		r.ended = true
		r.stop(errEnded)
	}
}

// observeWait tells the supervisor of the latest change between running and waiting.
func (r *Run) observeWait(ev *contracts.RunEvent, state contracts.State) {
	if r.waits == nil || ev.Seq <= r.waitSeq {
		return
	}
	r.waitSeq = ev.Seq
	r.waits(state == contracts.StateWaiting)
}

// started takes in what the door decided about a call.
func (r *Run) started(data *contracts.ToolStartData) {
	g := r.pending[data.CallID]
	if g == nil || g.attempt != data.Attempt {
		return
	}
	switch {
	case data.Gate == contracts.GateAllow:
		g.decide(true, nil)
	case data.Approval != nil:
		g.approval = data.Approval.ID
	}
}

// approved takes in what a human decided; the end of a call that is not let through follows by itself.
func (r *Run) approved(data *contracts.ApprovalData) {
	g := r.pending[data.CallID]
	if g == nil || g.approval != data.ID {
		return
	}
	switch data.Decision {
	case contracts.DecisionApproved:
		g.decide(true, nil)
	case contracts.DecisionEdited:
		g.decide(true, data.Args)
	case contracts.DecisionDenied, contracts.DecisionExpired, contracts.DecisionCancelled:
	}
}

// decide lets a call go on, or ends the wait for one that has ended. Only the first decision counts.
func (g *gate) decide(allowed bool, args json.RawMessage) {
	select {
	case <-g.decided:
		return
	default:
	}
	g.allowed, g.args = allowed, args
	close(g.decided)
}
