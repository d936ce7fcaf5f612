package engine

import (
	"fmt"
	"slices"

	"axiom25/contracts"
	"axiom25/server/intake"
	"axiom25/server/tools"
)

// Registry is the set of engines that runs can be given to. It does not change, and its methods may be called
// from any number of goroutines.
type Registry struct {
	engines []Engine
}

// NewRegistry returns a registry of in-process engines; the first is the default. The external engine is always
// there beside them. Two engines of one name, or one named external, are an error.
func NewRegistry(engines ...Engine) (*Registry, error) {
	seen := map[string]bool{External: true}
	for _, e := range engines {
		name := e.Describe().Name
		if name == "" || seen[name] {
			return nil, fmt.Errorf("engine name %q is empty or taken", name)
		}
		seen[name] = true
	}
	return &Registry{engines: slices.Clone(engines)}, nil
}

// externalEngine describes the engine that is any program. What it can do is its own to say.
func externalEngine() contracts.Engine {
	return contracts.Engine{
		Name:        External,
		Description: "Any program that reports events and an answer over HTTP; a run waits for it until its wall limit.",
		Capabilities: []contracts.Capability{
			contracts.CapabilityTools, contracts.CapabilityVision, contracts.CapabilityJSONSchema, contracts.CapabilityThoughts,
		},
		Available: true,
	}
}

// List describes every engine, in-process ones first.
func (r *Registry) List() []contracts.Engine {
	list := make([]contracts.Engine, 0, len(r.engines)+1)
	for _, e := range r.engines {
		list = append(list, e.Describe())
	}
	return append(list, externalEngine())
}

// find returns an in-process engine, or nil.
func (r *Registry) find(name string) Engine {
	for _, e := range r.engines {
		if e.Describe().Name == name {
			return e
		}
	}
	return nil
}

// Choose returns the engine for a task; allowed are its tools by exact reference. It looks at
// backend.prefer in order (the default engine alone where that is empty), with fallback none at the first only,
// with fallback any at every other engine after them, and takes the first that is available and has all of
// backend.needs. The error is a *contracts.Problem: unavailable, or what the engine's Check says.
func (r *Registry) Choose(task *contracts.TaskSpec, allowed map[contracts.ToolRef]*contracts.ToolSpec) (intake.Choice, error) {
	if err := judges(task); err != nil {
		return intake.Choice{}, err
	}
	chosen, err := r.pick(&task.Backend)
	if err != nil {
		return intake.Choice{}, err
	}
	e := r.find(chosen)
	if err := callable(task, allowed, e != nil); err != nil {
		return intake.Choice{}, err
	}
	if e == nil {
		return intake.Choice{Name: chosen}, nil
	}
	if err := e.Check(task); err != nil {
		return intake.Choice{}, err
	}
	return intake.Choice{Name: chosen, InProcess: true}, nil
}

// pick returns the name of the first engine that suits.
func (r *Registry) pick(b *contracts.BackendPolicy) (string, error) {
	all := r.List()
	prefer := b.Prefer
	if len(prefer) == 0 {
		prefer = []string{all[0].Name}
	}
	if b.Fallback == contracts.FallbackNone {
		prefer = prefer[:1]
	}
	var found unavailable
	for i, name := range prefer {
		at := slices.IndexFunc(all, func(e contracts.Engine) bool { return e.Name == name })
		switch {
		case at < 0:
			found.add(contracts.CodeEngineUnknown, "#/backend/prefer/%d", i)
		case !all[at].Available:
			found.add(contracts.CodeEngineUnavailable, "%s", preference(b, i))
		case len(lacking(&all[at], b.Needs)) > 0:
			for _, n := range lacking(&all[at], b.Needs) {
				found.add(contracts.CodeEngineNeeds, "#/backend/needs/%d", n)
			}
		default:
			return name, nil
		}
	}
	if b.Fallback == contracts.FallbackAny {
		for i := range all {
			if all[i].Available && len(lacking(&all[i], b.Needs)) == 0 {
				return all[i].Name, nil
			}
		}
	}
	return "", found.problem()
}

// preference points at a preference, or at the policy where the default engine stands in for none.
func preference(b *contracts.BackendPolicy, i int) string {
	if len(b.Prefer) == 0 {
		return "#/backend"
	}
	return fmt.Sprintf("#/backend/prefer/%d", i)
}

// lacking returns the places of the needs that an engine does not meet.
func lacking(e *contracts.Engine, needs []contracts.Capability) []int {
	var places []int
	for i, need := range needs {
		if !slices.Contains(e.Capabilities, need) {
			places = append(places, i)
		}
	}
	return places
}

// judges refuses scorers that need an engine that judges, since there is none.
func judges(task *contracts.TaskSpec) error {
	if task.Verification == nil {
		return nil
	}
	var found unavailable
	for i := range task.Verification.Scorers {
		switch task.Verification.Scorers[i].Type {
		case contracts.ScoreRubric, contracts.ScoreLabel:
			found.add(contracts.CodeEngineJudge, "#/verification/scorers/%d", i)
		case contracts.ScoreExact, contracts.ScoreSimilarity:
		}
	}
	return found.problem()
}

// callable refuses tools whose calls the engine cannot carry out: one inside this server has the builtin tools,
// an external one those that it carries out itself.
func callable(task *contracts.TaskSpec, allowed map[contracts.ToolRef]*contracts.ToolSpec, inProcess bool) error {
	can := contracts.TransportEngine
	if inProcess {
		can = contracts.TransportBuiltin
	}
	var found unavailable
	for i, ref := range task.AllowedTools {
		if spec := resolve(allowed, ref); spec != nil && spec.Transport.Type != can {
			found.add(contracts.CodeEngineTransport, "#/allowed_tools/%d", i)
		}
	}
	return found.problem()
}

// resolve returns the definition that a task's reference names: the highest version where it names none.
func resolve(allowed map[contracts.ToolRef]*contracts.ToolSpec, ref contracts.ToolRef) *contracts.ToolSpec {
	name, version := ref.Split()
	var best *contracts.ToolSpec
	for _, spec := range allowed {
		if spec.Name != name || (version != "" && spec.Version != version) {
			continue
		}
		if best == nil || tools.CompareVersions(spec.Version, best.Version) > 0 {
			best = spec
		}
	}
	return best
}
