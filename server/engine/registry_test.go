package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"axiom25/contracts"
	"axiom25/server/engine"
	"axiom25/server/intake"
)

// actor is an engine that does what a test says.
type actor struct {
	name  string
	caps  []contracts.Capability
	down  bool
	check error
	run   func(ctx context.Context, r *engine.Run) error
}

func (a *actor) Describe() contracts.Engine {
	return contracts.Engine{Name: a.name, Capabilities: a.caps, Available: !a.down}
}
func (a *actor) Check(*contracts.TaskSpec) error              { return a.check }
func (a *actor) Run(ctx context.Context, r *engine.Run) error { return a.run(ctx, r) }
func backend(b contracts.BackendPolicy) *contracts.TaskSpec   { return &contracts.TaskSpec{Backend: b} }

func prefer(names ...string) *contracts.TaskSpec {
	return backend(contracts.BackendPolicy{Prefer: names, Fallback: contracts.FallbackListed})
}

func falling(f contracts.Fallback, names ...string) *contracts.TaskSpec {
	return backend(contracts.BackendPolicy{Prefer: names, Fallback: f})
}

func needing(f contracts.Fallback, need contracts.Capability, names ...string) *contracts.TaskSpec {
	return backend(contracts.BackendPolicy{Prefer: names, Fallback: f, Needs: []contracts.Capability{contracts.CapabilityTools, need}})
}

func TestNewRegistry(t *testing.T) {
	for _, engines := range [][]engine.Engine{{&actor{}}, {&actor{name: "external"}}, {&actor{name: "a"}, &actor{name: "a"}}} {
		if _, err := engine.NewRegistry(engines...); err == nil {
			t.Errorf("%d engines with bad names are taken", len(engines))
		}
	}
}

func TestRegistry_Choose(t *testing.T) {
	r, err := engine.NewRegistry(
		&actor{name: "local", caps: []contracts.Capability{"tools", "thoughts"}},
		&actor{name: "eyes", caps: []contracts.Capability{"tools", "vision"}},
		&actor{name: "down", caps: []contracts.Capability{"tools"}, down: true},
		&actor{name: "picky", check: contracts.NewProblem(contracts.ProblemInvalidDocument, "no")},
	)
	if err != nil {
		t.Fatal(err)
	}
	local := intake.Choice{Name: "local", InProcess: true}
	eyes := intake.Choice{Name: "eyes", InProcess: true}
	external := intake.Choice{Name: "external"}
	judged := prefer("local")
	judged.Verification = &contracts.VerifyContract{Scorers: []contracts.Scorer{{Type: contracts.ScoreExact}, {Type: contracts.ScoreRubric}, {Type: contracts.ScoreLabel}}}
	specs := map[contracts.ToolRef]*contracts.ToolSpec{}
	for ref, transport := range map[contracts.ToolRef]contracts.TransportType{"in@1.0.0": "builtin", "out@1.0.0": "engine", "web@1.0.0": "http", "two@1.9.0": "engine", "two@1.10.0": "builtin"} {
		name, version := ref.Split()
		specs[ref] = &contracts.ToolSpec{Name: name, Version: version, Transport: contracts.Transport{Type: transport}}
	}
	with := func(task *contracts.TaskSpec, refs ...contracts.ToolRef) *contracts.TaskSpec {
		task.AllowedTools = refs
		return task
	}
	for name, tc := range map[string]struct {
		task *contracts.TaskSpec
		want intake.Choice
		errs string
	}{
		"the default":                    {task: prefer(), want: local},
		"the first":                      {task: prefer("eyes", "local"), want: eyes},
		"external":                       {task: prefer("external"), want: external},
		"another in the list":            {task: prefer("nobody", "down", "eyes"), want: eyes},
		"none in the list":               {task: prefer("nobody", "down"), errs: "[engine.unknown @#/backend/prefer/0 engine.unavailable @#/backend/prefer/1]"},
		"no fallback":                    {task: falling("none", "nobody", "local"), errs: "[engine.unknown @#/backend/prefer/0]"},
		"any":                            {task: falling("any", "nobody"), want: local},
		"any that meets the needs":       {task: needing("any", "vision", "local"), want: eyes},
		"any, external last":             {task: needing("any", "json_schema"), want: external},
		"a need that the list meets":     {task: needing("listed", "vision", "local", "eyes"), want: eyes},
		"a need that the list lacks":     {task: needing("listed", "json_schema", "local", "eyes"), errs: "[engine.needs @#/backend/needs/1]"},
		"a need that the default lacks":  {task: needing("listed", "vision"), errs: "[engine.needs @#/backend/needs/1]"},
		"judges":                         {task: judged, errs: "[engine.judge @#/verification/scorers/1 engine.judge @#/verification/scorers/2]"},
		"builtin tools inside":           {task: with(prefer("local"), "in", "in@1.0.0", "two", "unknown"), want: local},
		"other tools inside":             {task: with(prefer("local"), "in", "out", "web@1.0.0", "two@1.9.0"), errs: "[engine.transport @#/allowed_tools/1 engine.transport @#/allowed_tools/2 engine.transport @#/allowed_tools/3]"},
		"builtin tools outside":          {task: with(prefer("external"), "out", "in"), errs: "[engine.transport @#/allowed_tools/1]"},
		"the engine cannot carry it out": {task: prefer("picky"), errs: "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := r.Choose(tc.task, specs)
			if tc.errs == "" {
				if err != nil || got != tc.want {
					t.Errorf("got %+v, %v; want %+v", got, err, tc.want)
				}
				return
			}
			problem := (*contracts.Problem)(nil)
			if !errors.As(err, &problem) {
				t.Fatalf("got %+v, %v", got, err)
			}
			errs := []string{}
			for _, e := range problem.Errors {
				errs = append(errs, string(e.Code)+" @"+e.Pointer)
			}
			if fmt.Sprint(errs) != tc.errs {
				t.Errorf("got %v, want %s", errs, tc.errs)
			}
			if len(errs) > 0 && (!problem.Has(contracts.ProblemUnavailable) || problem.Status != 422 || problem.Schema != "taskspec/v2" || *problem.Truncated) {
				t.Errorf("the problem is %+v", problem)
			}
		})
	}
	var names []string
	for _, e := range r.List() {
		names = append(names, e.Name)
	}
	if want := []string{"local", "eyes", "down", "picky", "external"}; fmt.Sprint(names) != fmt.Sprint(want) {
		t.Errorf("list %v, want %v", names, want)
	}
}

func TestCallStatus(t *testing.T) {
	for err, want := range map[error]contracts.CallStatus{nil: "ok", context.Canceled: "cancelled", context.DeadlineExceeded: "cancelled", errors.New("x"): "error"} {
		if got := engine.CallStatus(err); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
}

// document is a task for the actor; its tool always asks.
func document(more string) []byte {
	return json.RawMessage(`{"schema_version":2,"goal":"act","allowed_tools":["sign_off","calculator"],"backend":{"prefer":["actor"]}` + more + `}`)
}
