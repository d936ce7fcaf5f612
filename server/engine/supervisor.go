package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"axiom25/contracts"
	"axiom25/server/fanout"
	"axiom25/server/intake"
	"axiom25/server/journal"
)

// Intake is the part of package intake that a supervisor needs.
type Intake interface {
	// Hold takes the lease of a run, and As gives the door that reports under it. See intake.Intake.
	Hold(ctx context.Context, id contracts.RunID) (contracts.LeaseInfo, error)
	As(token intake.Token) intake.Holder
	Task(ctx context.Context, id contracts.RunID) (intake.Task, error)
	Fail(ctx context.Context, id contracts.RunID, why contracts.ProblemType, detail string) error
	Leave(ctx context.Context, id contracts.RunID) error
}

// The defaults of SupervisorConfig.
const (
	DefaultMaxRuns = 64
	// farewell is how long the end of a run may take to be stored once its engine has returned.
	farewell = 5 * time.Second
)

// SupervisorConfig is what a Supervisor is made of. Every field without a default is required.
type SupervisorConfig struct {
	Registry *Registry
	// Calls carries out the builtin tools.
	Calls Caller
	// Hub shows the supervisor its runs' events.
	Hub *fanout.Hub
	Log *slog.Logger
	// MaxRuns is how many runs are carried out at once, others wait in their queue; DefaultMaxRuns where zero. A run in
	// which nothing can go on without a human does not count.
	MaxRuns int
	// Shared says that other servers write to the journal too: runs that still wait when this one stops are theirs.
	Shared bool
}

// Supervisor keeps the runs of in-process engines. It implements intake.Engines: made before the door is, it
// queues what it is given until Run begins.
type Supervisor struct {
	*Registry
	cfg SupervisorConfig

	bell  chan struct{} // capacity 1: the queue has grown, or a place is free
	mu    sync.Mutex
	queue []assignment
	known map[contracts.RunID]struct{} // those in the queue and in hand
	taken int                          // places of runs in hand that do not wait for a human
}

// assignment is a run that waits for its engine.
type assignment struct {
	id     contracts.RunID
	engine string
}

var _ intake.Engines = (*Supervisor)(nil)

// NewSupervisor returns a supervisor. Run must be called for runs to be carried out.
func NewSupervisor(cfg SupervisorConfig) (*Supervisor, error) {
	if cfg.Registry == nil || cfg.Calls == nil || cfg.Hub == nil || cfg.Log == nil {
		return nil, errors.New("engine: registry, calls, hub and log are required")
	}
	if cfg.MaxRuns == 0 {
		cfg.MaxRuns = DefaultMaxRuns
	}
	return &Supervisor{Registry: cfg.Registry, cfg: cfg, bell: make(chan struct{}, 1), known: make(map[contracts.RunID]struct{})}, nil
}

// Start queues a created run for its engine, unless it was given the run already. It returns at once.
func (s *Supervisor) Start(id contracts.RunID, engine string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.known[id]; known {
		return
	}
	s.known[id] = struct{}{}
	s.queue = append(s.queue, assignment{id, engine})
	s.ring()
}

// ring wakes Run.
func (s *Supervisor) ring() {
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// next takes the first run from the queue, and a place for it. ok is false where there is no run, or no place.
func (s *Supervisor) next() (a assignment, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 || s.taken >= s.cfg.MaxRuns {
		return assignment{}, false
	}
	a = s.queue[0]
	s.queue = s.queue[1:]
	s.taken++
	return a, true
}

// rest empties the queue.
func (s *Supervisor) rest() []assignment {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.queue
	s.queue = nil
	return rest
}

// forget lets a run be given again that is not in hand any more.
func (s *Supervisor) forget(id contracts.RunID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, id)
}

// place is the place of one run in hand. A run that waits for a human gives it up; when it goes on it has one again at
// once, even if that is one too many: it holds what others would wait for in vain.
type place struct {
	s     *Supervisor
	taken bool // guarded by s.mu, and true from the start
}

// set takes or leaves the place.
func (p *place) set(taken bool) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.taken == taken {
		return
	}
	p.taken = taken
	if taken {
		p.s.taken++
		return
	}
	p.s.taken--
	p.s.ring()
}

// Run carries runs out until ctx ends. Then it stops every engine, waits for them, ends their runs and those that
// still wait as engine-lost, and returns the context's error. The door and the journal must outlive it.
func (s *Supervisor) Run(ctx context.Context, door Intake) error {
	var engines sync.WaitGroup
	for ctx.Err() == nil {
		for a, ok := s.next(); ok; a, ok = s.next() {
			engines.Go(func() { s.carryOut(ctx, door, a) })
		}
		select {
		case <-s.bell:
		case <-ctx.Done():
		}
	}
	engines.Wait()
	for _, a := range s.rest() {
		s.forget(a.id)
		if !s.cfg.Shared {
			s.end(ctx, door, a.id, contracts.ProblemEngineLost, "the server stopped before the run began")
		}
	}
	return ctx.Err()
}

// carryOut keeps one run, which has a place, from its start to its end.
func (s *Supervisor) carryOut(ctx context.Context, door Intake, a assignment) {
	at := &place{s: s, taken: true}
	defer at.set(false)
	defer s.forget(a.id)
	e := s.find(a.engine)
	if e == nil {
		if !s.cfg.Shared {
			s.end(ctx, door, a.id, contracts.ProblemEngineLost, "this server no longer has the run's engine")
		}
		return
	}
	lease, err := door.Hold(ctx, a.id)
	if err != nil {
		s.notHeld(ctx, a.id, err)
		return
	}
	hand := door.As(intake.Token(lease.Token))
	err = s.keep(ctx, door, hand, lease, a.id, e, at)
	if errors.Is(err, errLost) || hasProblem(err, contracts.ProblemLeaseLost) {
		s.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "the lease of a run was lost", slog.String("run", a.id.String()))
		return // whoever took the lease ends the run
	}
	s.conclude(ctx, door, a.id, err)
	s.release(ctx, hand, a.id)
}

// notHeld deals with a run whose lease could not be taken. Somebody else may have it, or it may be over; where the journal
// has no room, the run is tried again later.
func (s *Supervisor) notHeld(ctx context.Context, id contracts.RunID, err error) {
	if _, elsewhere := errors.AsType[*journal.HeldError](err); elsewhere || hasProblem(err, contracts.ProblemRunFinished) {
		return
	}
	s.cfg.Log.LogAttrs(ctx, slog.LevelError, "a run could not be begun", slog.String("run", id.String()), slog.String("error", err.Error()))
}

// conclude ends a run as keep's error says.
func (s *Supervisor) conclude(ctx context.Context, door Intake, id contracts.RunID, err error) {
	switch {
	case err == nil, errors.Is(err, errEnded):
	case ctx.Err() != nil:
		s.end(ctx, door, id, contracts.ProblemEngineLost, "the server stopped")
	case errors.Is(err, errLeft), errors.Is(err, errCancelled):
		s.leave(ctx, door, id)
	default:
		s.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "an engine failed", slog.String("run", id.String()), slog.String("error", err.Error()))
		s.end(ctx, door, id, contracts.ProblemEngineFailed, detailOf(err))
	}
}

// release gives the lease of a run back that has ended. Where that fails it expires.
func (s *Supervisor) release(ctx context.Context, hand intake.Holder, id contracts.RunID) {
	err := within(ctx, farewell, func(ctx context.Context) error { return hand.Release(ctx, id) })
	if err != nil {
		s.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "a lease could not be given back", slog.String("run", id.String()), slog.String("error", err.Error()))
	}
}

// hasProblem reports whether an error is a problem of a type.
func hasProblem(err error, t contracts.ProblemType) bool {
	problem, ok := errors.AsType[*contracts.Problem](err)
	return ok && problem.Has(t)
}

// errLeft says that an engine returned before its run had ended.
var errLeft = errors.New("the engine ended without an answer")

// errLost says that the run's lease was lost.
var errLost = errors.New("the lease was lost")

// keep starts a run, hands it to its engine, and follows it and renews its lease meanwhile. It returns nil where the run
// has ended.
func (s *Supervisor) keep(ctx context.Context, door Intake, hand intake.Holder, lease contracts.LeaseInfo, id contracts.RunID, e Engine, at *place) error {
	runCtx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stop(errEnded)
	beside.Go(func() { s.renew(runCtx, hand, lease, id, stop) })

	task, err := door.Task(ctx, id)
	if err != nil {
		return fmt.Errorf("read the task: %w", err)
	}
	if err := hand.Start(ctx, id); err != nil {
		if hasProblem(err, contracts.ProblemRunFinished) {
			return nil // cancelled, or out of time, while it waited
		}
		return fmt.Errorf("start the run: %w", err)
	}
	run := NewRun(id, task.Spec, task.Limits, task.Tools, hand, s.cfg.Calls, stop)
	run.waits = func(waiting bool) { at.set(!waiting) }
	beside.Go(func() { s.follow(runCtx, run) })

	err = runEngine(runCtx, e, run)
	cause := context.Cause(runCtx)
	stop(errEnded)
	beside.Wait()

	switch {
	case run.over():
		return nil
	case cause != nil:
		return cause
	case err == nil:
		return errLeft
	}
	return err
}

// renewals is how often a lease is renewed in the time that it lasts.
const renewals = 3

// renew keeps the lease of a run until ctx ends. Where somebody else has it, or where it could not be renewed while it
// lasted, the run stops at once.
func (s *Supervisor) renew(ctx context.Context, hand intake.Holder, lease contracts.LeaseInfo, id contracts.RunID, stop context.CancelCauseFunc) {
	ttl := time.Duration(lease.TTLMS) * time.Millisecond
	lost := time.AfterFunc(ttl, func() { stop(errLost) })
	defer lost.Stop()
	beat := time.NewTicker(ttl / renewals)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
		_, err := hand.Renew(ctx, id)
		switch {
		case err == nil:
			lost.Reset(ttl)
		case hasProblem(err, contracts.ProblemLeaseLost):
			stop(errLost)
			return
		}
	}
}

// follow shows a run its own events until it ends.
func (s *Supervisor) follow(ctx context.Context, run *Run) {
	cursor := s.cfg.Hub.Follow(run.ID, 0)
	defer cursor.Close()
	for {
		frames, err := cursor.Next(ctx)
		for _, f := range frames {
			ev, decodeErr := contracts.DecodeEvent(f.JSON)
			if decodeErr != nil {
				run.stop(fmt.Errorf("read event %d: %w", f.Seq, decodeErr))
				return
			}
			run.observe(&ev)
		}
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return
		}
		if err != nil {
			run.stop(fmt.Errorf("follow the run: %w", err))
			return
		}
	}
}

// panicError is what an engine panicked with.
type panicError struct {
	value any
	stack []byte
}

// Error implements error.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }

// runEngine turns a panic into an error.
func runEngine(ctx context.Context, e Engine, run *Run) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return e.Run(ctx, run)
}

// maxDetail bounds what is told of an engine's error, in bytes.
const maxDetail = 1024

// detailOf is what viewers are told of an engine's error. What it panicked with stays in the log.
func detailOf(err error) string {
	if p := (*panicError)(nil); errors.As(err, &p) {
		return "the engine has a defect; the server's log says more"
	}
	detail := err.Error()
	if problem := (*contracts.Problem)(nil); errors.As(err, &problem) {
		detail = problem.Error()
	}
	return detail[:min(len(detail), maxDetail)]
}

// end ends a run in its engine's stead, also while the server stops.
func (s *Supervisor) end(ctx context.Context, door Intake, id contracts.RunID, why contracts.ProblemType, detail string) {
	s.store(ctx, id, func(ctx context.Context) error { return door.Fail(ctx, id, why, detail) })
}

// leave says that nobody carries the run out any more.
func (s *Supervisor) leave(ctx context.Context, door Intake, id contracts.RunID) {
	s.store(ctx, id, func(ctx context.Context) error { return door.Leave(ctx, id) })
}

// storeAgain is how long after a full disk or queue the end of a run is stored again.
const storeAgain = time.Second

// store stores the end of a run. While the server runs it goes on until there is room for it, for nobody else would
// end the run before its limits of time; while the server stops it tries once, and leaves the rest to the next start.
func (s *Supervisor) store(ctx context.Context, id contracts.RunID, end func(context.Context) error) {
	for {
		err := within(ctx, farewell, end)
		if err == nil {
			return
		}
		s.cfg.Log.LogAttrs(ctx, slog.LevelError, "a run could not be ended", slog.String("run", id.String()), slog.String("error", err.Error()))
		if !errors.Is(err, journal.ErrFull) && !errors.Is(err, journal.ErrBusy) {
			return
		}
		again := time.NewTimer(storeAgain)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return
		}
	}
}

// within calls f with a context that outlives ctx, and ends after a time.
func within(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d)
	defer cancel()
	return f(ctx)
}
