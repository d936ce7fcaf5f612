package contracts

import "reflect"

// Catalogue answers which tools a server has.
type Catalogue interface {
	// Tool returns the definition that ref names: an exact version, or the highest where ref has none.
	Tool(ref ToolRef) (*ToolSpec, bool)
}

// CheckTools holds a valid task against a catalogue: each allowed tool exists. (That each assertion's tool is allowed
// was seen when the task was decoded.) It returns the definitions by exact reference; the error is always a *Problem
// (tool-unknown).
func (t *TaskSpec) CheckTools(c Catalogue) (map[ToolRef]*ToolSpec, error) {
	tools := make(map[ToolRef]*ToolSpec, len(t.AllowedTools))
	var found findings
	for i, ref := range t.AllowedTools {
		spec, ok := c.Tool(ref)
		if !ok {
			found.add(appendIndex(appendMember(rootPointer, "allowed_tools"), i), CodeToolUnknown, nil)
			continue
		}
		tools[spec.Ref()] = spec
	}
	if p := found.problem(ProblemToolUnknown, "", schemaName("TaskSpec")); p != nil {
		return nil, p
	}
	return tools, nil
}

// CheckCeiling holds an effective budget against a server's ceiling, and points at the task's overrides; where the
// profile itself is too high, at the profile. The error is always a *Problem (over-ceiling).
func (t *TaskSpec) CheckCeiling(ceiling Limits) error {
	effective, most := reflect.ValueOf(t.Budget.Effective(t.Profile)), reflect.ValueOf(ceiling)
	limits, err := planOf(effective.Type())
	if err != nil {
		return NewProblem(ProblemInternal, err.Error())
	}
	var found findings
	for _, f := range limits.fields {
		// warn_pct is a share, and the reserve is part of max_tokens: neither is a limit of its own.
		if f.node.shape != shapeInteger || f.name == "warn_pct" || f.name == "reserve_tokens" {
			continue
		}
		limit := most.FieldByIndex(f.index).Int()
		if effective.FieldByIndex(f.index).Int() <= limit {
			continue
		}
		found.add(t.causeOf(f.name), CodeOverCeiling, params{"limit": f.name, "max": limit})
	}
	if p := found.problem(ProblemOverCeiling, "", schemaName("TaskSpec")); p != nil {
		return p
	}
	return nil
}

// causeOf returns the pointer to what sets a limit: the override, else the profile.
func (t *TaskSpec) causeOf(limit string) string {
	if t.Budget.overrides(limit) {
		return appendMember(appendMember(rootPointer, "budget"), limit)
	}
	return appendMember(rootPointer, "profile")
}

// overrides reports whether the budget names a limit itself.
func (b *Budget) overrides(limit string) bool {
	if b == nil {
		return false
	}
	v := reflect.ValueOf(b).Elem()
	p, err := planOf(v.Type())
	if err != nil {
		return false
	}
	i, ok := p.byName[limit]
	return ok && !v.FieldByIndex(p.fields[i].index).IsZero()
}
