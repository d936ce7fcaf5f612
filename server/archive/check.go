package archive

import (
	"context"
	"errors"
	"fmt"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/server/journal"
)

// Finding is something that is wrong with what a journal holds.
type Finding struct {
	// Run is the run that it is about; empty where it is about a tool or the journal itself.
	Run contracts.RunID
	// Err says what it is: *journal.DamagedError, *runstate.Violation, *contracts.Problem, or another.
	Err error
}

// Report is what Check looked at.
type Report struct {
	journal.Size
	// Finished counts the runs that have ended.
	Finished int64
	Tools    int64
	Findings int64
}

// Check holds all that a journal has against every rule: the checksums of what is stored; of each run the digest of its
// task, the numbers, the 18 invariants, the chain of its receipts and its row in lists; of each tool its contract and its
// digest. It calls visit for each finding and goes on, unless visit returns an error. Other errors are those of a journal
// that cannot be read.
func Check(ctx context.Context, j journal.Journal, visit func(Finding) error) (Report, error) {
	c := checker{journal: j, visit: visit}
	size, err := j.Verify(ctx, func(damage error) error {
		if damaged, ok := errors.AsType[*journal.DamagedError](damage); ok {
			return c.found(damaged.Run, damage)
		}
		return c.found("", damage)
	})
	c.report.Size = size
	if err != nil {
		return c.report, fmt.Errorf("verify what is stored: %w", err)
	}
	if err := c.tools(ctx); err != nil {
		return c.report, err
	}
	return c.report, eachRun(ctx, j, Selection{}, c.run)
}

// checker is one check under way.
type checker struct {
	journal journal.Journal
	visit   func(Finding) error
	report  Report
}

// found reports a finding.
func (c *checker) found(id contracts.RunID, err error) error {
	c.report.Findings++
	return c.visit(Finding{Run: id, Err: err})
}

// tools checks the catalogue.
func (c *checker) tools(ctx context.Context) error {
	tools, err := c.journal.Tools(ctx)
	if reasonOf(err) != "" {
		return nil // which Verify has reported
	}
	if err != nil {
		return fmt.Errorf("read the tools: %w", err)
	}
	c.report.Tools = int64(len(tools))
	for _, t := range tools {
		if err := c.tool(&t); err != nil {
			return err
		}
	}
	return nil
}

// tool checks one version of a tool.
func (c *checker) tool(t *journal.Tool) error {
	spec, err := contracts.Decode[contracts.ToolSpec](t.Spec)
	if err != nil {
		return c.found("", fmt.Errorf("tool %s@%s: %w", t.Name, t.Version, err))
	}
	if spec.Name != t.Name || spec.Version != t.Version {
		return c.found("", fmt.Errorf("tool %s@%s: it is stored under another name", spec.Name, spec.Version))
	}
	if digest, err := contracts.DigestJSON(t.Spec); err != nil || digest != t.Digest {
		return c.found("", fmt.Errorf("tool %s@%s: its digest does not fit", t.Name, t.Version))
	}
	return nil
}

// run checks one run. Damage and pruning are no matter of it: Verify has seen to the one, the other is no fault.
func (c *checker) run(ctx context.Context, id contracts.RunID) error {
	stored, err := c.journal.Run(ctx, id)
	if reasonOf(err) != "" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read run %s: %w", id, err)
	}
	if _, err := contracts.Decode[contracts.TaskSpec](stored.Task); err != nil {
		return c.found(id, fmt.Errorf("its task: %w", err))
	}
	if digest, err := contracts.DigestJSON(stored.Task); err != nil || digest != stored.TaskDigest {
		return c.found(id, errors.New("the digest of its task does not fit"))
	}
	var state runstate.State
	var broken error
	err = eachEvent(ctx, c.journal, id, stored.Summary.LastSeq, func(ev journal.Event) error {
		if broken == nil {
			broken = fold(&state, id, ev)
		}
		return nil
	})
	if reasonOf(err) != "" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read run %s: %w", id, err)
	}
	if broken != nil {
		return c.found(id, broken)
	}
	if state.Phase().Terminal() {
		c.report.Finished++
	}
	return c.row(id, &stored, &state)
}

// fold adds a stored event to a state.
func fold(state *runstate.State, id contracts.RunID, stored journal.Event) error {
	ev, err := contracts.DecodeEvent(stored.JSON)
	if err != nil {
		return fmt.Errorf("event %d: %w", stored.Seq, err)
	}
	if ev.Seq != stored.Seq || ev.RunID != id {
		return fmt.Errorf("event %d stands in the place of another", stored.Seq)
	}
	return state.Apply(ev)
}

// row holds a run's row in lists against its events.
func (c *checker) row(id contracts.RunID, stored *journal.Run, state *runstate.State) error {
	if header := state.Header(); header == nil || header.TaskDigest != stored.TaskDigest {
		return c.found(id, errors.New("its first event names another task"))
	}
	row := stored.Summary
	if row.State != state.Phase() || row.LastSeq != state.LastSeq() || row.UpdatedAt != state.LastTime() {
		return c.found(id, fmt.Errorf("its row in lists says %s at event %d, its events say %s at %d",
			row.State, row.LastSeq, state.Phase(), state.LastSeq()))
	}
	return nil
}
