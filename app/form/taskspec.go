package form

import (
	"slices"

	"axiom25/app/document"
	"axiom25/contracts"
)

// TaskSpec is the form of a task.
func TaskSpec() []Section {
	return []Section{
		{Name: "goal", Title: "Goal", Pointers: []string{"/goal", "/schema_version"}, Fields: []Field{
			{Name: "goal", Label: "Goal", Control: Area, Keep: true},
		}},
		{Name: "inputs", Title: "Inputs", Pointers: []string{"/inputs"}, Fields: []Field{{
			Name: "inputs", Label: "Input", Control: List, New: `{"name":"input-%d","text":""}`, Fields: inputFields(),
		}}},
		{Name: "tools", Title: "Tools", Pointers: []string{"/allowed_tools"}, Fields: []Field{
			{Name: "allowed_tools", Label: "Allowed tools", Control: Picks, Open: true},
		}},
		{Name: "engine", Title: "Engine", Pointers: []string{"/backend"}, Fields: []Field{
			{Name: "backend/prefer", Label: "Preferred engines, the first one first", Control: Picks, Open: true, Ordered: true},
			{Name: "backend/fallback", Label: "If the first is not available", Control: Choice, Default: string(contracts.FallbackListed), Options: texts(
				contracts.FallbackNone, contracts.FallbackListed, contracts.FallbackAny)},
			{Name: "backend/needs", Label: "Needed capabilities", Control: Picks, Options: texts(
				contracts.CapabilityTools, contracts.CapabilityVision, contracts.CapabilityJSONSchema, contracts.CapabilityThoughts)},
			{Name: "backend/seed", Label: "Seed", Control: Number, Default: "none"},
		}},
		{Name: "budget", Title: "Budget", Pointers: []string{"/profile", "/budget"}, Fields: budgetFields()},
		{Name: "verification", Title: "Verification", Pointers: []string{"/verification"}, Fields: verificationFields()},
		{Name: "labels", Title: "Labels", Pointers: []string{"/labels"}, Fields: []Field{
			{Name: "labels", Label: "Label", Control: Map, New: "label-%d"},
		}},
	}
}

func inputFields() []Field {
	return []Field{
		{Name: "name", Label: "Name", Control: Line, Keep: true},
		{Name: "", Label: "Content", Control: Content, Options: []string{"text", "data", "uri"}},
		{Name: "text", Label: "Text", Control: Area, Keep: true, When: never},
		{Name: "data", Label: "Data", Control: JSON, When: never},
		{Name: "uri", Label: "Address", Control: Line, Keep: true, When: never},
		{Name: "digest", Label: "Digest", Control: Line, Default: "sha256:…", When: has("uri")},
		{Name: "media_type", Label: "Media type", Control: Line, Default: "text/plain", When: not(has("data"))},
		{Name: "media_type", Label: "Media type", Control: Line, Default: "application/json", When: has("data")},
		{Name: "sensitive", Label: "Sensitive: never shown", Control: Flag},
	}
}

func budgetFields() []Field {
	return []Field{
		{Name: "profile", Label: "Profile", Control: Choice, Default: string(contracts.ProfileBalanced), Options: texts(
			contracts.ProfileTight, contracts.ProfileBalanced, contracts.ProfileMax)},
		{Name: "budget/max_tokens", Label: "Tokens", Control: Number},
		{Name: "budget/max_wall_ms", Label: "Time since creation", Control: Number, Unit: "ms"},
		{Name: "budget/max_active_ms", Label: "Time while running", Control: Number, Unit: "ms"},
		{Name: "budget/branch_width", Label: "Branches at once", Control: Number},
		{Name: "budget/reflection_passes", Label: "Revisions", Control: Number},
		{Name: "budget/max_tool_calls", Label: "Tool calls", Control: Number},
		{Name: "budget/max_cost_microusd", Label: "Cost", Control: Number, Unit: "microusd"},
		{Name: "budget/warn_pct", Label: "Warn at", Control: Number, Unit: "%"},
		{Name: "budget/on_exhausted", Label: "When it runs out", Control: Choice, Options: texts(
			contracts.ExhaustedStop, contracts.ExhaustedFinalize)},
		{Name: "budget/reserve_tokens", Label: "Tokens kept for the last answer", Control: Number},
	}
}

func verificationFields() []Field {
	return []Field{
		{Name: "verification/assertions", Label: "Assertion", Control: List, New: `{"id":"check-%d","type":"contains","value":""}`, Fields: assertionFields()},
		{Name: "verification/scorers", Label: "Scorer", Control: List, New: `{"id":"score-%d","type":"similarity","reference":""}`, Fields: scorerFields()},
		{Name: "verification/pass_at", Label: "Passes at", Control: Number, Default: "0.8"},
		{Name: "verification/refuse_below", Label: "Refused below", Control: Number, Default: "0"},
		{Name: "verification/on_error", Label: "If a check cannot be evaluated", Control: Choice, Default: string(contracts.CheckErrorFail), Options: texts(
			contracts.CheckErrorRefuse, contracts.CheckErrorFail)},
		{Name: "verification/on_model_refusal", Label: "If the model declines", Control: Choice, Default: string(contracts.ModelRefusalFail), Options: texts(
			contracts.ModelRefusalAccept, contracts.ModelRefusalFail, contracts.ModelRefusalRefuse)},
		{Name: "verification/release", Label: "Release of the answer", Control: Choice, Default: string(contracts.ReleaseStream), Options: texts(
			contracts.ReleaseStream, contracts.ReleaseVerified)},
	}
}

func assertionFields() []Field {
	const value = "value"
	textual := is("type", "contains", "matches")
	bounded := is("type", "length", "tool_called")
	return []Field{
		{Name: "id", Label: "Id", Control: Line, Keep: true},
		{Name: "type", Label: "Type", Control: Choice, Options: texts(
			contracts.AssertEquals, contracts.AssertContains, contracts.AssertMatches, contracts.AssertJSONSchema,
			contracts.AssertLength, contracts.AssertToolCalled, contracts.AssertToolSequence, contracts.AssertUsageMax)},
		{Name: "target", Label: "Target", Control: Line, Default: "output", When: not(is("type", "tool_sequence"))},
		{Name: value, Label: "Text", Control: Area, Keep: true, When: both(is("type", "contains"), fits('"'))},
		{Name: value, Label: "Expression (RE2)", Control: Line, Keep: true, When: both(is("type", "matches"), fits('"'))},
		{Name: value + "/min", Label: "At least", Control: Number, When: both(bounded, fits('{'))},
		{Name: value + "/max", Label: "At most", Control: Number, When: both(bounded, fits('{'))},
		{Name: value, Label: "Tools, in their order", Control: Lines, When: both(is("type", "tool_sequence"), fits('['))},
		{Name: value + "/limit", Label: "At most", Control: Number, When: both(is("type", "usage_max"), fits('{'))},
		{Name: value, Label: "Schema", Control: JSON, When: is("type", "json_schema")},
		{Name: value, Label: "Value", Control: JSON, When: func(a *document.Value) bool {
			switch {
			case is("type", "json_schema")(a):
				return false
			case textual(a):
				return !fits('"')(a)
			case bounded(a) || is("type", "usage_max")(a):
				return !fits('{')(a)
			case is("type", "tool_sequence")(a):
				return !fits('[')(a)
			}
			return true
		}},
		{Name: "negate", Label: "Negate: pass where it does not hold", Control: Flag},
		{Name: "severity", Label: "Severity", Control: Choice, Default: string(contracts.SeverityMust), Options: texts(
			contracts.SeverityMust, contracts.SeverityShould)},
		{Name: "weight", Label: "Weight", Control: Number, Default: "1", When: is("severity", "should")},
	}
}

func scorerFields() []Field {
	return []Field{
		{Name: "id", Label: "Id", Control: Line, Keep: true},
		{Name: "type", Label: "Type", Control: Choice, Options: texts(
			contracts.ScoreExact, contracts.ScoreSimilarity, contracts.ScoreRubric, contracts.ScoreLabel)},
		{Name: "reference", Label: "Reference", Control: Area, Keep: true, When: is("type", "exact", "similarity")},
		{Name: "rubric", Label: "Rubric", Control: Area, When: is("type", "rubric")},
		{Name: "labels", Label: "Labels, one a line", Control: Lines, When: is("type", "label")},
		{Name: "passing_labels", Label: "Labels that pass, one a line", Control: Lines, When: is("type", "label")},
		{Name: "backend", Label: "Judging engine", Control: Line, Default: "the run's", When: is("type", "rubric", "label")},
		{Name: "weight", Label: "Weight", Control: Number, Default: "1"},
		{Name: "floor", Label: "No pass below", Control: Number, Default: "none"},
		{Name: "samples", Label: "Samples", Control: Amount, Default: "1", Options: []string{"1", "3", "5", "7", "9"}},
	}
}

// texts are the words of an enum.
func texts[T ~string](values ...T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}

func never(*document.Value) bool { return false }

func has(name string) func(*document.Value) bool {
	return func(v *document.Value) bool { return v.Member(name) != nil }
}

func not(when func(*document.Value) bool) func(*document.Value) bool {
	return func(v *document.Value) bool { return !when(v) }
}

func both(a, b func(*document.Value) bool) func(*document.Value) bool {
	return func(v *document.Value) bool { return a(v) && b(v) }
}

// is reports whether a member is one of these texts.
func is(name string, values ...string) func(*document.Value) bool {
	return func(v *document.Value) bool {
		text, _ := v.Member(name).Text()
		return slices.Contains(values, text)
	}
}

// fits reports whether an assertion's value is absent or of a kind, so that a control for that kind can show it.
func fits(kind byte) func(*document.Value) bool {
	return func(v *document.Value) bool {
		m := v.Member("value")
		return m == nil || m.Kind() == kind
	}
}
