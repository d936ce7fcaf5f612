package local

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"axiom25/contracts"
)

// The limits of a plan.
const (
	maxSteps   = 64
	maxAnswers = 21 // one a pass: the first, and as many as reflection_passes allows
	maxText    = 64 << 10
)

// planInput is the name of the input that holds the plan.
const planInput = "plan"

// plan is what a task asks the engine to do.
type plan struct {
	steps     []*step
	answers   []*template
	fallback  *template
	exhausted *template

	byID   map[string]*step
	inputs map[string]*contracts.Input
	values map[string]any // the inputs' content, parsed
}

// step is one tool call of a plan.
type step struct {
	id    string
	tool  contracts.ToolRef
	args  any // parsed; an object
	needs []string
	// hidden says that the step's output stems from a sensitive input.
	hidden bool
}

// stepID is what names a step, a branch and a call alike.
var stepID = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$`)

// planReader collects what is wrong with a plan.
type planReader struct {
	task *contracts.TaskSpec
	base string // the pointer to the plan's document
	errs []contracts.FieldError
}

// found adds a problem; pointer is within the plan. The code has the words for it.
func (r *planReader) found(code contracts.Code, pointer string, params map[string]any) {
	r.errs = append(r.errs, contracts.FieldError{Pointer: r.base + pointer, Code: code, Params: params})
}

// because is the param of a code that needs a reason.
func because(reason string) map[string]any { return map[string]any{"reason": reason} }

// readPlan reads and checks a task's plan. The error is a *contracts.Problem whose pointers are into the task.
func readPlan(task *contracts.TaskSpec) (*plan, error) {
	at := slices.IndexFunc(task.Inputs, func(in contracts.Input) bool { return in.Name == planInput })
	r := &planReader{task: task, base: "#/inputs"}
	if at < 0 {
		r.found(contracts.CodePlanMissing, "", nil)
		return nil, r.problem()
	}
	r.base = fmt.Sprintf("#/inputs/%d", at)
	in := &task.Inputs[at]
	if in.Data == nil || in.Sensitive {
		r.found(contracts.CodePlanMissing, "", nil)
		return nil, r.problem()
	}
	r.base += "/data"
	p := r.read(in.Data)
	if len(r.errs) == 0 {
		r.check(p)
	}
	if len(r.errs) > 0 {
		return nil, r.problem()
	}
	return p, nil
}

func (r *planReader) problem() error {
	return contracts.DocumentProblem(contracts.ProblemInvalidDocument, "TaskSpec", r.errs...)
}

// read takes the document apart.
func (r *planReader) read(doc json.RawMessage) *plan {
	p := &plan{byID: map[string]*step{}, inputs: map[string]*contracts.Input{}, values: map[string]any{}}
	members, ok := r.object(doc, "", "steps", "answers", "fallback", "exhausted")
	if !ok {
		return p
	}
	for i, raw := range r.list(members["steps"], "/steps", 0, maxSteps) {
		if s := r.readStep(raw, fmt.Sprintf("/steps/%d", i)); s != nil {
			if p.byID[s.id] != nil {
				r.found(contracts.CodeUnique, fmt.Sprintf("/steps/%d/id", i), nil)
			}
			p.steps = append(p.steps, s)
			p.byID[s.id] = s
		}
	}
	if members["answers"] == nil {
		r.found(contracts.CodeRequired, "/answers", nil)
	}
	for i, raw := range r.list(members["answers"], "/answers", 1, maxAnswers) {
		if t := r.readTemplate(raw, fmt.Sprintf("/answers/%d", i)); t != nil {
			p.answers = append(p.answers, t)
		}
	}
	p.fallback = r.readTemplate(members["fallback"], "/fallback")
	p.exhausted = r.readTemplate(members["exhausted"], "/exhausted")
	return p
}

// readStep takes one step apart; nil where that fails.
func (r *planReader) readStep(raw json.RawMessage, at string) *step {
	members, ok := r.object(raw, at, "id", "tool", "args")
	if !ok {
		return nil
	}
	s := &step{args: map[string]any{}}
	if s.id, ok = r.text(members["id"], at+"/id"); !ok {
		return nil
	}
	if !stepID.MatchString(s.id) {
		r.found(contracts.CodePlanStep, at+"/id", nil)
		return nil
	}
	tool, ok := r.text(members["tool"], at+"/tool")
	if !ok {
		return nil
	}
	s.tool = contracts.ToolRef(tool)
	if !r.allows(s.tool) {
		r.found(contracts.CodeTargetNotAllowed, at+"/tool", nil)
	}
	if members["args"] == nil {
		return s
	}
	if _, ok := r.object(members["args"], at+"/args"); !ok {
		return nil
	}
	args, err := parseJSON(members["args"])
	if err != nil {
		r.found(contracts.CodeSyntax, at+"/args", nil)
		return nil
	}
	s.args = args
	return s
}

// allows reports whether the task allows a tool, by name or exact version.
func (r *planReader) allows(ref contracts.ToolRef) bool {
	name, version := ref.Split()
	return slices.ContainsFunc(r.task.AllowedTools, func(allowed contracts.ToolRef) bool {
		n, v := allowed.Split()
		return n == name && (v == version || v == "" || version == "")
	})
}

// readTemplate reads a template; nil where it is absent or wrong.
func (r *planReader) readTemplate(raw json.RawMessage, at string) *template {
	if raw == nil {
		return nil
	}
	text, ok := r.text(raw, at)
	if !ok {
		return nil
	}
	if len(text) > maxText {
		r.found(contracts.CodeMaxBytes, at, map[string]any{"max": maxText})
		return nil
	}
	t, err := parseTemplate(text)
	if err != nil {
		r.found(contracts.CodePlanTemplate, at, because(err.Error()))
		return nil
	}
	return t
}

// object reads an object. Where names are given, it has no other members.
func (r *planReader) object(raw json.RawMessage, at string, names ...string) (map[string]json.RawMessage, bool) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		r.found(contracts.CodeType, at, map[string]any{"type": "object"})
		return nil, false
	}
	if len(names) > 0 {
		for name := range members {
			if !slices.Contains(names, name) {
				r.found(contracts.CodeUnknownField, at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), nil)
			}
		}
	}
	return members, true
}

// list reads an array of least to most elements; an absent one is empty.
func (r *planReader) list(raw json.RawMessage, at string, least, most int) []json.RawMessage {
	if raw == nil {
		return nil
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil || elements == nil {
		r.found(contracts.CodeType, at, map[string]any{"type": "array"})
		return nil
	}
	if len(elements) < least {
		r.found(contracts.CodeRequired, at, nil)
		return nil
	}
	if len(elements) > most {
		r.found(contracts.CodeMax, at, map[string]any{"max": most, "unit": "elements"})
		return nil
	}
	return elements
}

// text reads a text.
func (r *planReader) text(raw json.RawMessage, at string) (string, bool) {
	if raw == nil {
		r.found(contracts.CodeRequired, at, nil)
		return "", false
	}
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		r.found(contracts.CodeType, at, map[string]any{"type": "string"})
		return "", false
	}
	return *s, true
}

// check holds references against steps and inputs.
func (r *planReader) check(p *plan) {
	for i := range r.task.Inputs {
		in := &r.task.Inputs[i]
		p.inputs[in.Name] = in
		switch {
		case in.Text != nil:
			p.values[in.Name] = *in.Text
		case in.Data != nil:
			if value, err := parseJSON(in.Data); err == nil {
				p.values[in.Name] = value
			}
		}
	}
	for i, s := range p.steps {
		r.checkArgs(p, s, s.args, fmt.Sprintf("/steps/%d/args", i))
	}
	if len(r.errs) > 0 {
		return
	}
	r.order(p)
	r.taint(p)
	for i, t := range p.answers {
		r.checkTemplate(p, t, fmt.Sprintf("/answers/%d", i))
	}
	r.checkTemplate(p, p.fallback, "/fallback")
	r.checkTemplate(p, p.exhausted, "/exhausted")
}

// checkArgs looks for references in a step's arguments.
func (r *planReader) checkArgs(p *plan, s *step, value any, at string) {
	switch node := value.(type) {
	case []any:
		for i := range node {
			r.checkArgs(p, s, node[i], fmt.Sprintf("%s/%d", at, i))
		}
	case map[string]any:
		text, is := referenceIn(node)
		if !is {
			for name := range node {
				r.checkArgs(p, s, node[name], at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
			}
			return
		}
		ref, err := parseReference(text)
		if err != nil {
			r.found(contracts.CodePlanReference, at+"/"+fromMember, because("an object with $from has no other member; "+err.Error()))
			return
		}
		r.checkReference(p, ref, at+"/"+fromMember)
		s.depend(p, ref)
	case string: // a tool's own way to name an input, as in json_query's input
		if name, ok := strings.CutPrefix(node, string(fromInput)+"."); ok {
			name, _, _ = strings.Cut(name, "#")
			s.depend(p, reference{from: fromInput, name: name})
		}
	}
}

// depend notes what a step takes from.
func (s *step) depend(p *plan, ref reference) {
	if ref.from == fromStep {
		s.needs = append(s.needs, ref.name)
		return
	}
	if in := p.inputs[ref.name]; in != nil && in.Sensitive {
		s.hidden = true
	}
}

// checkReference holds a reference against what is there.
func (r *planReader) checkReference(p *plan, ref reference, at string) {
	if ref.from == fromStep {
		if p.byID[ref.name] == nil {
			r.found(contracts.CodePlanReference, at, because("there is no step of this id"))
		}
		return
	}
	value, ok := p.values[ref.name]
	if !ok {
		r.found(contracts.CodePlanReference, at, because("there is no input of this name with content at hand"))
		return
	}
	if _, err := lookup(value, ref.path); err != nil {
		r.found(contracts.CodePlanReference, at, because("the input has no value there"))
	}
}

// order finds steps that wait for themselves.
func (r *planReader) order(p *plan) {
	for i, s := range p.steps {
		if reaches(p, s, s.id, map[string]bool{}) {
			r.found(contracts.CodePlanCycle, fmt.Sprintf("/steps/%d", i), nil)
		}
	}
}

// reaches reports whether a step needs another, be it by way of others.
func reaches(p *plan, from *step, id string, seen map[string]bool) bool {
	for _, need := range from.needs {
		if need == id {
			return true
		}
		if seen[need] {
			continue
		}
		seen[need] = true
		if reaches(p, p.byID[need], id, seen) {
			return true
		}
	}
	return false
}

// taint marks the steps that take from a sensitive input by way of others.
func (r *planReader) taint(p *plan) {
	for changed := true; changed; {
		changed = false
		for _, s := range p.steps {
			if !s.hidden && slices.ContainsFunc(s.needs, func(id string) bool { return p.byID[id].hidden }) {
				s.hidden, changed = true, true
			}
		}
	}
}

// checkTemplate holds a template's references against what is there and may be shown.
func (r *planReader) checkTemplate(p *plan, t *template, at string) {
	if t == nil {
		return
	}
	for _, ref := range t.references() {
		r.checkReference(p, ref, at)
		in, s := p.inputs[ref.name], p.byID[ref.name]
		if (ref.from == fromInput && in != nil && in.Sensitive) || (ref.from == fromStep && s != nil && s.hidden) {
			r.found(contracts.CodePlanSensitive, at, nil)
		}
	}
}
