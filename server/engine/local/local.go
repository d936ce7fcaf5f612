package local

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"axiom25/contracts"
	"axiom25/server/engine"
)

// Name is the engine's name, as backend.prefer has it.
const Name = "local"

// Engine carries out plans. It implements engine.Engine. The zero value is ready to use.
type Engine struct {
	// Pace is the pause between two pieces of streamed text, so that a viewer sees it grow; none where zero.
	Pace time.Duration
}

var _ engine.Engine = (*Engine)(nil)

// Describe implements engine.Engine.
func (e *Engine) Describe() contracts.Engine {
	return contracts.Engine{
		Name:         Name,
		Description:  "Carries out the plan in the task's input named plan with the builtin tools: no model, no network.",
		Capabilities: []contracts.Capability{contracts.CapabilityTools, contracts.CapabilityThoughts},
		Available:    true,
	}
}

// Check implements engine.Engine: the task must have a plan that can be carried out.
func (e *Engine) Check(task *contracts.TaskSpec) error {
	_, err := readPlan(task)
	return err
}

// Run implements engine.Engine.
func (e *Engine) Run(ctx context.Context, run *engine.Run) error {
	p, err := readPlan(run.Task)
	if err != nil {
		return err
	}
	w := &work{run: run, plan: p, pace: e.Pace, state: map[string]*outcome{}}
	if err := w.begin(ctx); err != nil {
		return err
	}
	if err := w.runSteps(ctx); err != nil {
		return err
	}
	return w.answer(ctx)
}

// work is one run of a plan.
type work struct {
	run   *engine.Run
	plan  *plan
	pace  time.Duration
	meter meter
	state map[string]*outcome // by step; written by the goroutine of runSteps alone
}

// begin counts what there is to read and thinks the plan aloud.
func (w *work) begin(ctx context.Context) error {
	task := w.run.Task
	w.meter.read(len(task.Goal))
	for i := range task.Inputs {
		in := &task.Inputs[i]
		w.meter.read(len(in.Data))
		if in.Text != nil {
			w.meter.read(len(*in.Text))
		}
	}
	return w.think(ctx, "plan", contracts.ThoughtPlan, w.plan.aloud())
}

// aloud says in words what a plan will do.
func (p *plan) aloud() string {
	if len(p.steps) == 0 {
		return "There is nothing to compute; the answer follows at once.\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "There are %d steps.\n", len(p.steps))
	for _, s := range p.steps {
		fmt.Fprintf(&b, "- %s calls %s", s.id, s.tool)
		if len(s.needs) > 0 {
			b.WriteString(" with what comes from " + strings.Join(unique(s.needs), ", "))
		}
		b.WriteString(".\n")
	}
	return b.String()
}

// unique returns names without repetition, in order.
func unique(names []string) []string {
	var kept []string
	seen := map[string]bool{}
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			kept = append(kept, n)
		}
	}
	return kept
}

// think streams a thought.
func (w *work) think(ctx context.Context, id string, kind contracts.ThoughtKind, text string) error {
	return w.stream(ctx, text, func(delta string, final bool) contracts.EventData {
		w.meter.thought(len(delta))
		return &contracts.ThoughtData{ID: id, Delta: delta, Attempt: 1, Final: final, Kind: kind}
	})
}

// answer gives an answer a pass until the run ends.
func (w *work) answer(ctx context.Context) error {
	for pass := 0; ; pass++ {
		text, err := w.text(pass)
		if err != nil {
			return err
		}
		id := fmt.Sprintf("answer-%d", pass)
		if err := w.say(ctx, id, text); err != nil {
			return err
		}
		judged, err := w.run.Answer(ctx, contracts.Answer{MessageID: id, Channel: contracts.ChannelAnswer, Text: text})
		if err != nil || judged.Done != nil {
			return err
		}
		if judged.Verdict != nil {
			if err := w.reflect(ctx, pass, judged.Verdict); err != nil {
				return err
			}
		}
	}
}

// say streams an answer's tokens. Where only verified answers are released, that is the server's to do.
func (w *work) say(ctx context.Context, id, text string) error {
	if v := w.run.Task.Verification; v != nil && v.Release == contracts.ReleaseVerified {
		for _, delta := range deltas(text) {
			w.meter.write(len(delta))
		}
		return w.run.Append(ctx, "", w.meter.report())
	}
	return w.stream(ctx, text, func(delta string, final bool) contracts.EventData {
		w.meter.write(len(delta))
		return &contracts.TokenData{ID: id, Delta: delta, Attempt: 1, Final: final, Channel: contracts.ChannelAnswer}
	})
}

// errAnswer says that no template could be filled in.
var errAnswer = errors.New("the answer cannot be filled in")

// text returns what to answer with.
func (w *work) text(pass int) (string, error) {
	if w.run.Drained() != "" {
		return w.exhausted()
	}
	t := w.plan.answers[min(pass, len(w.plan.answers)-1)]
	text, err := t.render(w.resolve)
	if err != nil && w.plan.fallback != nil {
		text, err = w.plan.fallback.render(w.resolve)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", errAnswer, err)
	}
	if len(text) > contracts.MaxAnswerBytes {
		return "", fmt.Errorf("%w: it is larger than %d bytes", errAnswer, contracts.MaxAnswerBytes)
	}
	return text, nil
}

// exhausted returns what to answer with when the budget has run out: the plan's own words, or which steps were
// carried out and which were not.
func (w *work) exhausted() (string, error) {
	if w.plan.exhausted != nil {
		if text, err := w.plan.exhausted.render(w.resolve); err == nil {
			return text, nil
		}
	}
	var computed, missing []string
	for _, s := range w.plan.steps {
		if o := w.state[s.id]; o != nil && o.err == nil {
			computed = append(computed, s.id)
		} else {
			missing = append(missing, s.id)
		}
	}
	return fmt.Sprintf("The budget ran out (%s) before the answer was complete. Computed: %s. Not computed: %s.",
		w.run.Drained(), orNone(computed), orNone(missing)), nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// reflect thinks about a verdict that asks for a revision.
func (w *work) reflect(ctx context.Context, pass int, v *contracts.VerdictData) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Answer %d did not pass.\n", pass+1)
	for _, r := range v.Results {
		w.meter.read(len(r.ID) + len(r.Reason))
		if r.Status == contracts.CheckPass {
			continue
		}
		fmt.Fprintf(&b, "- %s: %s", r.ID, r.Status)
		if r.Reason != "" {
			b.WriteString(", " + r.Reason)
		}
		b.WriteString(".\n")
	}
	if pass+1 < len(w.plan.answers) {
		b.WriteString("The plan has another answer for this.\n")
	} else {
		b.WriteString("The plan has no other answer.\n")
	}
	return w.think(ctx, fmt.Sprintf("reflection-%d", pass+1), contracts.ThoughtReflection, b.String())
}
