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
	Door
	Start(ctx context.Context, id contracts.RunID) error
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
	// MaxRuns is how many runs are carried out at once, others wait in their queue; DefaultMaxRuns where zero.
	MaxRuns int
}

// Supervisor keeps the runs of in-process engines. It implements intake.Engines: made before the door is, it
// queues what it is given until Run begins.
type Supervisor struct {
	*Registry
	cfg SupervisorConfig

	bell  chan struct{} // capacity 1: the queue has grown
	mu    sync.Mutex
	queue []assignment
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
	return &Supervisor{Registry: cfg.Registry, cfg: cfg, bell: make(chan struct{}, 1)}, nil
}

// Start queues a created run for its engine. It returns at once.
func (s *Supervisor) Start(id contracts.RunID, engine string) {
	s.mu.Lock()
	s.queue = append(s.queue, assignment{id, engine})
	s.mu.Unlock()
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// next takes the first run from the queue.
func (s *Supervisor) next() (assignment, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return assignment{}, false
	}
	a := s.queue[0]
	s.queue = s.queue[1:]
	return a, true
}

// Run carries runs out until ctx ends. Then it stops every engine, waits for them, ends their runs and those that
// still wait as engine-lost, and returns the context's error. The door and the journal must outlive it.
func (s *Supervisor) Run(ctx context.Context, door Intake) error {
	slots := make(chan struct{}, s.cfg.MaxRuns)
	var engines sync.WaitGroup
	for s.fill(ctx, door, slots, &engines) {
		select {
		case <-s.bell:
		case <-ctx.Done():
		}
	}
	engines.Wait()
	for a, ok := s.next(); ok; a, ok = s.next() {
		s.end(ctx, door, a.id, contracts.ProblemEngineLost, "the server stopped before the run began")
	}
	return ctx.Err()
}

// fill carries out what is in the queue, and reports whether to go on.
func (s *Supervisor) fill(ctx context.Context, door Intake, slots chan struct{}, engines *sync.WaitGroup) bool {
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return false
		}
		a, ok := s.next()
		if !ok || ctx.Err() != nil {
			<-slots
			if ok {
				s.Start(a.id, a.engine)
			}
			return ctx.Err() == nil
		}
		engines.Go(func() {
			defer func() { <-slots }()
			s.carryOut(ctx, door, a)
		})
	}
}

// carryOut keeps one run from its start to its end.
func (s *Supervisor) carryOut(ctx context.Context, door Intake, a assignment) {
	e := s.find(a.engine)
	if e == nil {
		s.end(ctx, door, a.id, contracts.ProblemEngineLost, "this server no longer has the run's engine")
		return
	}
	err := s.keep(ctx, door, a, e)
	switch {
	case err == nil, errors.Is(err, errEnded):
		return
	case ctx.Err() != nil:
		s.end(ctx, door, a.id, contracts.ProblemEngineLost, "the server stopped")
	case errors.Is(err, errLeft), errors.Is(err, errCancelled):
		s.leave(ctx, door, a.id)
	default:
		s.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "an engine failed", slog.String("run", a.id.String()), slog.String("error", err.Error()))
		s.end(ctx, door, a.id, contracts.ProblemEngineFailed, detailOf(err))
	}
}

// errLeft says that an engine returned before its run had ended.
var errLeft = errors.New("the engine ended without an answer")

// keep starts a run, hands it to its engine and follows it meanwhile. It returns nil where the run has ended.
func (s *Supervisor) keep(ctx context.Context, door Intake, a assignment, e Engine) error {
	task, err := door.Task(ctx, a.id)
	if err != nil {
		return fmt.Errorf("read the task: %w", err)
	}
	if err := door.Start(ctx, a.id); err != nil {
		if problem := (*contracts.Problem)(nil); errors.As(err, &problem) && problem.Has(contracts.ProblemRunFinished) {
			return nil // cancelled, or out of time, while it waited
		}
		return fmt.Errorf("start the run: %w", err)
	}
	runCtx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	run := NewRun(a.id, task.Spec, task.Limits, task.Tools, door, s.cfg.Calls, stop)

	followed := make(chan struct{})
	go func() {
		defer close(followed)
		s.follow(runCtx, run)
	}()
	err = runEngine(runCtx, e, run)
	cause := context.Cause(runCtx)
	stop(errEnded)
	<-followed

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
