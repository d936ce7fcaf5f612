package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/mod/semver"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/server/journal"
)

// Append is Holder.Append for an engine without a lease.
func (in *Intake) Append(ctx context.Context, id contracts.RunID, events []contracts.EngineEvent, origin *journal.Origin) (contracts.Appended, error) {
	return in.As("").Append(ctx, id, events, origin)
}

// Append is Report for a caller that has no use for the stored bytes.
func (h Holder) Append(ctx context.Context, id contracts.RunID, events []contracts.EngineEvent, origin *journal.Origin) (contracts.Appended, error) {
	stored, err := h.Report(ctx, id, events, origin)
	return contracts.Appended{Seq: stored.Seq, Events: stored.Events}, err
}

// Stored is what a report led to.
type Stored struct {
	// Seq is the last event, and the engine's next cursor.
	Seq contracts.Seq
	// Events are those that were stored, the server's own included, and Lines their bytes in the journal, which must not
	// be changed.
	Events []contracts.RunEvent
	Lines  [][]byte
}

// Report stores what an engine reports, all events or none, and what the server adds behind them. origin makes
// the request idempotent where it is not nil. A lease that the engine holds is renewed where it is time. Problems:
// not-found, run-finished, illegal-transition, sequence-conflict, too-large, lease-lost.
//
// An engine that asks for a call or a branch beyond its budget gets illegal-transition, nothing of its batch is
// stored, and the run drains.
func (h Holder) Report(ctx context.Context, id contracts.RunID, events []contracts.EngineEvent, origin *journal.Origin) (Stored, error) {
	var replay *journal.Stored
	t, err := h.turn(ctx, id, origin, func(t *turn) error {
		stored, err := t.place(ctx, origin)
		replay = stored
		if stored != nil || err != nil {
			return err
		}
		return t.report(events)
	})
	if replay != nil && err == nil {
		return h.in.replayed(ctx, id, *replay)
	}
	if over, ok := errors.AsType[*overLimitError](err); ok {
		return Stored{}, h.refuseOverLimit(ctx, id, over)
	}
	if err != nil {
		return Stored{}, err
	}
	return Stored{Seq: t.lastSeq(), Events: t.events, Lines: t.lines}, nil
}

// turn is Intake.turn for what the engine reports.
func (h Holder) turn(ctx context.Context, id contracts.RunID, origin *journal.Origin, build func(t *turn) error) (*turn, error) {
	r, err := h.in.acquire(ctx, id)
	if err != nil {
		return nil, err
	}
	defer h.in.release(r)
	t, err := h.in.turnOf(ctx, r, author{engine: true, token: h.token, origin: origin}, build)
	if err == nil {
		h.in.renewDue(ctx, r)
	}
	return t, err
}

// lastSeq is the last event of the batch, or of the run where the batch stored nothing.
func (t *turn) lastSeq() contracts.Seq {
	if n := len(t.events); n > 0 {
		return t.events[n-1].Seq
	}
	return t.before
}

// place holds an engine's cursor against the run. It returns the batch that the same request stored before, or
// a sequence-conflict where the cursor is neither that nor up to date. The server's own events in between do
// not matter: a cursor is up to date when the engine wrote nothing behind it.
func (t *turn) place(ctx context.Context, origin *journal.Origin) (*journal.Stored, error) {
	if origin == nil {
		return nil, nil //nolint:nilnil // no cursor, hence neither a batch nor a conflict
	}
	r := t.run
	stored, found, known := r.placed.find(origin.After)
	if !known {
		var err error
		stored, err = t.in.journal.Batch(ctx, r.id, origin.After)
		if err != nil && !errors.Is(err, journal.ErrNotFound) {
			return nil, fmt.Errorf("look up the batch after %d: %w", origin.After, err)
		}
		found = err == nil
	}
	if found && stored.Origin.Digest == origin.Digest {
		return &stored, nil
	}
	if found || origin.After < r.engineSeq || origin.After > r.state.LastSeq() {
		return nil, cursorConflict(r)
	}
	return nil, nil //nolint:nilnil // a new batch in its place
}

// cursorConflict is the problem of a cursor that is not up to date.
func cursorConflict(r *run) *contracts.Problem {
	p := contracts.NewProblem(contracts.ProblemSequenceConflict, "the cursor is not the last event that the engine was told of")
	expected := r.engineSeq
	p.Expected = &expected
	return p
}

// replayed gives the answer that a batch got when it was stored.
func (in *Intake) replayed(ctx context.Context, id contracts.RunID, stored journal.Stored) (Stored, error) {
	answer := Stored{Seq: stored.Last}
	for after := stored.First - 1; after < stored.Last; {
		page, err := in.journal.Read(ctx, id, after, int(stored.Last-after), readPageBytes)
		if err != nil {
			return Stored{}, fmt.Errorf("read the stored batch: %w", err)
		}
		for _, line := range page.Events {
			ev, err := contracts.DecodeEvent(line.JSON)
			if err != nil {
				return Stored{}, fmt.Errorf("read the stored batch: %w", err)
			}
			answer.Events = append(answer.Events, ev)
			answer.Lines = append(answer.Lines, line.JSON)
			after = line.Seq
		}
	}
	return answer, nil
}

// report adds an engine's events and what follows from them.
func (t *turn) report(events []contracts.EngineEvent) error {
	if t.run.state.Phase().Terminal() {
		return runFinished()
	}
	for i := range events {
		if err := t.reportOne(&events[i]); err != nil {
			return atLine(i, err)
		}
	}
	return t.settle()
}

// atLine says which line of a batch an error is about.
func atLine(i int, err error) error {
	var v *runstate.Violation
	if !errors.As(err, &v) {
		return err
	}
	return illegal("#/"+strconv.Itoa(i), v)
}

// illegal is the problem of an event that the run's state does not allow.
func illegal(pointer string, v *runstate.Violation) *contracts.Problem {
	p := contracts.NewProblem(contracts.ProblemIllegalTransition, v.Detail)
	p.Errors = []contracts.FieldError{{
		Pointer: pointer, Code: contracts.CodeInvariant, Detail: v.Detail, Params: map[string]any{"invariant": v.Invariant},
	}}
	return p
}

// violation makes a *runstate.Violation of the server's own, for a rule that needs more than the stream.
func (t *turn) violation(invariant int, format string, args ...any) error {
	return &runstate.Violation{Invariant: invariant, Seq: t.run.state.LastSeq() + 1, Detail: fmt.Sprintf(format, args...)}
}

// reportOne adds one line of an engine.
func (t *turn) reportOne(ev *contracts.EngineEvent) error {
	if usage, ok := ev.Data.(*contracts.EngineBudget); ok {
		t.reported = higher(t.reported, usage.Used)
		return t.claim()
	}
	switch data := ev.Data.(type) {
	case *contracts.EngineToolEnd:
		return t.reportToolEnd(data)
	case *contracts.ErrorData:
		return t.reportError(ev.Branch, data)
	case *contracts.TokenData:
		if v := t.run.task.Verification; v != nil && v.Release == contracts.ReleaseVerified {
			return t.violation(17, "the run releases verified answers only; post the text as an answer")
		}
	}
	if err := t.wake(); err != nil {
		return err
	}
	if start, ok := ev.Data.(*contracts.EngineToolStart); ok {
		return t.reportToolStart(ev.Branch, start)
	}
	if t.run.state.BranchesWith(ev.Branch) > t.run.state.Limits().BranchWidth {
		return &overLimitError{contracts.DimensionBranches}
	}
	return t.add(ev.Branch, ev.Data)
}

// claim writes running for a queued run whose engine has begun.
func (t *turn) claim() error {
	if t.run.state.Phase() != contracts.StateQueued {
		return nil
	}
	return t.wake()
}

// higher returns the greater of two counts in each field.
func higher(a, b contracts.EngineUsage) contracts.EngineUsage {
	return contracts.EngineUsage{
		TokensIn:        max(a.TokensIn, b.TokensIn),
		TokensOut:       max(a.TokensOut, b.TokensOut),
		TokensCached:    max(a.TokensCached, b.TokensCached),
		TokensReasoning: max(a.TokensReasoning, b.TokensReasoning),
		CostMicroUSD:    max(a.CostMicroUSD, b.CostMicroUSD),
	}
}

// reportError adds an engine's error; a fatal one ends the run.
func (t *turn) reportError(branch contracts.Branch, data *contracts.ErrorData) error {
	if err := t.claim(); err != nil {
		return err
	}
	if data.Fatal {
		return t.fail(branch, data)
	}
	return t.add(branch, data)
}

// overLimitError says that an engine asked for one more than a count of its budget allows.
type overLimitError struct {
	dimension contracts.Dimension
}

// Error implements error.
func (e *overLimitError) Error() string { return "asked beyond the budget: " + string(e.dimension) }

// refuseOverLimit drains the run of an engine that asked beyond its budget, and says so.
func (h Holder) refuseOverLimit(ctx context.Context, id contracts.RunID, over *overLimitError) error {
	_, err := h.turn(ctx, id, nil, func(t *turn) error {
		switch t.run.state.Phase() {
		case contracts.StateQueued:
			if err := t.wake(); err != nil {
				return err
			}
		case contracts.StateRunning, contracts.StateWaiting:
		case contracts.StateDraining, contracts.StateSucceeded, contracts.StateRefused, contracts.StateFailed,
			contracts.StateCancelled, contracts.StateExhausted:
			return nil
		}
		return t.drain(reasonOf(over.dimension))
	})
	if err != nil {
		return err
	}
	p := contracts.NewProblem(contracts.ProblemIllegalTransition, "the budget allows no more: "+string(over.dimension)+"; the run drains")
	return p
}

// reportToolStart gates a call and adds its start; a denied call ends at once.
func (t *turn) reportToolStart(branch contracts.Branch, start *contracts.EngineToolStart) error {
	s := t.run.state
	data := &contracts.ToolStartData{CallID: start.CallID, Tool: start.Tool, Args: start.Args, Attempt: start.Attempt, Gate: contracts.GateDeny}
	spec, ref, denial := t.allowed(start.Tool)
	if spec != nil {
		if start.Attempt > spec.Limits.MaxAttempts {
			return t.violation(8, "the tool allows %d attempts", spec.Limits.MaxAttempts)
		}
		data.Tool, data.ToolDigest, data.Gate = ref, digestOf(s, ref), spec.Gate()
	}
	if err := t.showArgs(data, spec, denial); err != nil {
		return err
	}
	if s.ToolCalls() >= s.Limits().MaxToolCalls {
		return &overLimitError{contracts.DimensionToolCalls}
	}
	if s.BranchesWith(branch) > s.Limits().BranchWidth {
		return &overLimitError{contracts.DimensionBranches}
	}
	if data.Gate == contracts.GateAsk {
		request, err := t.approvalRequest()
		if err != nil {
			return err
		}
		data.Approval = request
	}
	if err := t.add(branch, data); err != nil {
		return err
	}
	if data.Gate != contracts.GateDeny {
		return t.checkRoom(data.Args)
	}
	call, _ := s.Call(start.CallID)
	return t.endCall(call, callEnd{status: contracts.CallDenied, problem: denial})
}

// allowed returns the pinned definition that a reference of the task's names, and its exact form; for any other
// the reason why a call of it is denied.
func (t *turn) allowed(ref contracts.ToolRef) (*contracts.ToolSpec, contracts.ToolRef, *contracts.Problem) {
	pinned := t.run.state.Header().Tools
	name, version := ref.Split()
	var best contracts.ToolEntry
	found := false
	for exact, digest := range pinned {
		pinnedName, pinnedVersion := contracts.ToolRef(exact).Split()
		if pinnedName != name || (version != "" && version != pinnedVersion) {
			continue
		}
		entry, ok := t.in.catalogue.Entry(contracts.ToolRef(exact))
		if !ok || entry.Digest != digest {
			return nil, "", contracts.NewProblem(contracts.ProblemToolVersionConflict, "the tool's definition changed since the run began")
		}
		if !found || newer(pinnedVersion, best.Spec.Version) {
			best, found = entry, true
		}
	}
	if !found {
		return nil, "", contracts.NewProblem(contracts.ProblemToolUnknown, "the task does not allow this tool")
	}
	return &best.Spec, best.Spec.Ref(), nil
}

// newer reports whether version a is the one of the two that a bare name means. Versions that differ in build metadata
// alone have no precedence, and are ordered as text, as in the catalogue.
func newer(a, b string) bool {
	return cmp.Or(semver.Compare("v"+a, "v"+b), cmp.Compare(a, b)) > 0
}

// digestOf is the digest that a run pinned for a tool.
func digestOf(s *runstate.State, ref contracts.ToolRef) contracts.Digest {
	return s.Header().Tools[string(ref)]
}

// showArgs replaces a call's arguments by what may be shown. Of a call that is denied since its tool's definition
// changed nothing is: what the tool wanted hidden went with the definition.
func (t *turn) showArgs(data *contracts.ToolStartData, spec *contracts.ToolSpec, denial *contracts.Problem) error {
	if t.run.secrets.in(data.Args) || (denial != nil && denial.Has(contracts.ProblemToolVersionConflict)) {
		data.Args = []byte(redactedJSON)
		return nil
	}
	if spec == nil { // not allowed; but the catalogue may know what to hide
		entry, ok := t.in.catalogue.Entry(data.Tool)
		if !ok {
			return nil
		}
		spec = &entry.Spec
	}
	shown, err := redact(data.Args, spec.Redact)
	if err != nil {
		return fmt.Errorf("redact arguments: %w", err)
	}
	data.Args = shown
	return nil
}

// approvalRequest asks a human; the request lapses with its time to live or at the wall limit.
func (t *turn) approvalRequest() (*contracts.ApprovalRequest, error) {
	ulid, err := t.in.newULID()
	if err != nil {
		return nil, fmt.Errorf("new approval id: %w", err)
	}
	s := t.run.state
	wall := s.CreatedAt().Add(s.Limits().MaxWallMS)
	return &contracts.ApprovalRequest{
		ID:        contracts.ApprovalID("apr_" + ulid),
		ExpiresAt: min(t.now.Add(t.in.approvalTTL.Milliseconds()), wall),
	}, nil
}

// reportToolEnd adds the end of a call: what may be shown of its result, and its receipt.
func (t *turn) reportToolEnd(end *contracts.EngineToolEnd) error {
	s := t.run.state
	if err := t.claim(); err != nil {
		return err
	}
	call, ok := s.Call(end.CallID)
	if !ok || call.Ended {
		return t.violation(8, "no such call is open")
	}
	if call.Pending() {
		return t.violation(9, "the call waits for a human")
	}
	return t.endCall(call, callEnd{status: end.Status, output: end.Output, problem: end.Error, cost: end.CostMicroUSD})
}
