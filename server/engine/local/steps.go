package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"axiom25/contracts"
	"axiom25/server/engine"
)

// outcome is what became of a step.
type outcome struct {
	output any // parsed, where err is nil
	err    error
}

var (
	// errNotRun says that a step was not carried out, since the run drained or what it needs failed.
	errNotRun = errors.New("the step was not carried out")
	// errRunning is the state of a step that has begun and not ended.
	errRunning = errors.New("the step runs")
	// errFailed says that a step's tool reported an error.
	errFailed = errors.New("the step failed")
)

// finished is a step that has ended.
type finished struct {
	step    *step
	outcome *outcome
	fatal   error // why the run cannot go on
}

// runSteps carries out the steps, each as soon as what it needs is there and a branch is free. It returns when
// every step has ended, or, when the run drains or cannot go on, when every step that began has.
func (w *work) runSteps(ctx context.Context) error {
	lanes := max(1, int(w.run.Limits.BranchWidth)-1) // the root counts as a branch
	ended := make(chan finished)
	running := 0
	var fatal error
	for {
		for running < lanes && fatal == nil && w.run.Drained() == "" {
			s := w.ready()
			if s == nil {
				break
			}
			running++
			w.state[s.id] = &outcome{err: errRunning}
			args, shown, err := w.arguments(s)
			go func() { ended <- w.runStep(ctx, s, args, shown, err) }()
		}
		if running == 0 {
			return fatal
		}
		f := <-ended
		running--
		w.state[f.step.id] = f.outcome
		if f.fatal != nil && fatal == nil {
			fatal = f.fatal
		}
	}
}

// ready returns a step that has not begun and whose needs are met; nil where there is none. Steps whose needs
// have failed end here.
func (w *work) ready() *step {
	for again := true; again; {
		again = false
		for _, s := range w.plan.steps {
			if w.state[s.id] != nil {
				continue
			}
			met, lost := w.needs(s)
			if lost {
				w.state[s.id] = &outcome{err: errNotRun}
				again = true // others may need it
			} else if met {
				return s
			}
		}
	}
	return nil
}

// needs reports whether all that a step needs is there, or cannot come any more.
func (w *work) needs(s *step) (met, lost bool) {
	met = true
	for _, id := range s.needs {
		o := w.state[id]
		switch {
		case o == nil || errors.Is(o.err, errRunning):
			met = false
		case o.err != nil:
			return false, true
		}
	}
	return met, false
}

// arguments returns a step's arguments with all references resolved, and as they are reported: there, a reference
// to what stems from a sensitive input stays one.
func (w *work) arguments(s *step) (args, shown json.RawMessage, err error) {
	full, err := substitute(s.args, func(_ map[string]any, ref reference) (any, error) { return w.resolve(ref) })
	if err != nil {
		return nil, nil, err
	}
	open, err := substitute(s.args, func(object map[string]any, ref reference) (any, error) {
		if w.hidden(ref) {
			return object, nil
		}
		return w.resolve(ref)
	})
	if err != nil {
		return nil, nil, err
	}
	if args, err = contracts.Encode(full); err != nil {
		return nil, nil, err
	}
	shown, err = contracts.Encode(open)
	return args, shown, err
}

// hidden reports whether a reference is to what stems from a sensitive input.
func (w *work) hidden(ref reference) bool {
	if ref.from == fromStep {
		return w.plan.byID[ref.name].hidden
	}
	return w.plan.inputs[ref.name].Sensitive
}

// resolve returns the value that a reference names.
func (w *work) resolve(ref reference) (any, error) {
	if ref.from == fromInput {
		return lookup(w.plan.values[ref.name], ref.path)
	}
	o := w.state[ref.name]
	if o == nil {
		return nil, errNotRun
	}
	if o.err != nil {
		return nil, o.err
	}
	return lookup(o.output, ref.path)
}

// runStep carries out one step, with as many attempts as its tool allows.
func (w *work) runStep(ctx context.Context, s *step, args, shown json.RawMessage, argsErr error) finished {
	f := finished{step: s, outcome: &outcome{err: errNotRun}}
	spec := w.run.Tool(s.tool)
	if argsErr != nil || spec == nil {
		f.outcome.err = fmt.Errorf("%w: a reference of its arguments has no value", errFailed)
		return f
	}
	branch := contracts.Branch("")
	if w.run.Limits.BranchWidth > 1 {
		branch = contracts.Branch(s.id)
	}
	for attempt := int64(1); ; attempt++ {
		start := contracts.EngineToolStart{CallID: s.id, Tool: spec.Ref(), Args: shown, Attempt: attempt}
		granted, err := w.run.Begin(ctx, branch, start, args)
		switch {
		case errors.Is(err, engine.ErrDraining):
			return f
		case errors.Is(err, engine.ErrNotAllowed):
			f.outcome.err = err
			return f
		case err != nil:
			f.fatal = err
			return f
		}
		output, callErr := w.run.Call(ctx, spec.Ref(), granted)
		if ctx.Err() != nil {
			f.fatal = context.Cause(ctx)
			return f
		}
		again := callErr != nil && attempt < spec.Limits.MaxAttempts && w.run.Drained() == ""
		if err := w.reportEnd(ctx, branch, s.id, output, callErr, spec.Limits.MaxAttempts, again); err != nil {
			f.fatal = err
			return f
		}
		if again {
			continue
		}
		if callErr != nil {
			f.outcome.err = errFailed
			return f
		}
		f.outcome.output, f.outcome.err = parseOutput(output)
		return f
	}
}

// parseOutput reads a tool's output.
func parseOutput(output json.RawMessage) (any, error) {
	value, err := parseJSON(output)
	if err != nil {
		return nil, fmt.Errorf("%w: its output is not JSON", errFailed)
	}
	return value, nil
}

// reportEnd reports the end of an attempt, what was read of it, and where a tool may be tried more than once,
// what follows from an error.
func (w *work) reportEnd(ctx context.Context, branch contracts.Branch, callID string, output json.RawMessage, callErr error, attempts int64, again bool) error {
	end := &contracts.EngineToolEnd{CallID: callID, Status: engine.CallStatus(callErr), Output: output}
	w.meter.read(len(output))
	events := []contracts.EventData{end, w.meter.report()}
	if callErr != nil {
		end.Error = contracts.NewProblem(contracts.ProblemToolFailed, callErr.Error())
		if attempts > 1 {
			retry := contracts.RetryExhausted
			if again {
				retry = contracts.RetryRetrying
			}
			events = append(events, &contracts.ErrorData{Problem: *end.Error, Retry: retry, CallID: callID})
		}
	}
	return w.run.Append(ctx, branch, events...)
}
